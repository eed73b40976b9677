//! Many independent affine additions with one field inversion (Montgomery's trick): five
//! multiplications and a squaring each, against eleven or more for a Jacobian addition.

use crate::field::Fe;
use crate::point::Point;

/// Buffers of [`Batch::add_pairs`], kept between calls.
#[derive(Default)]
pub(crate) struct Batch {
    differences: Vec<Fe>,
    prefixes: Vec<Fe>,
    kinds: Vec<Kind>,
}

/// What a pair of points needs when the plain formula may not apply.
#[derive(Clone, Copy)]
enum Kind {
    Add,
    Double,
    Cancel,
    KeepLeft,
    KeepRight,
}

impl Batch {
    /// Replaces `points[a]` by `points[a] + points[b]` for each pair `(a, b)`. No slot may be
    /// in two pairs. `checked` says that some points may be infinity; it is set when a sum is.
    pub(crate) fn add_pairs(
        &mut self,
        points: &mut [Point],
        pairs: &[(u32, u32)],
        checked: &mut bool,
    ) {
        if pairs.is_empty() {
            return;
        }
        if *checked || !self.add_plain(points, pairs) {
            *checked |= self.add_checked(points, pairs);
        }
    }

    /// The formula for two finite points with different `x`. Returns false, and changes
    /// nothing, if a pair shares its `x`.
    fn add_plain(&mut self, points: &mut [Point], pairs: &[(u32, u32)]) -> bool {
        self.differences.resize(pairs.len(), Fe::ZERO);
        self.prefixes.resize(pairs.len(), Fe::ZERO);
        let mut product = Fe::ONE;
        let steps = self.differences.iter_mut().zip(&mut self.prefixes);
        for ((difference, prefix), &(a, b)) in steps.zip(pairs) {
            *difference = points[b as usize].x.sub(&points[a as usize].x);
            *prefix = product;
            product = product.mul(difference);
        }
        if product.is_zero() {
            return false;
        }
        let mut inverse = product.inverse();
        let steps = self.differences.iter().zip(&self.prefixes);
        for ((difference, prefix), &(a, b)) in steps.zip(pairs).rev() {
            let (p, q) = (points[a as usize], points[b as usize]);
            let own = inverse.mul(prefix);
            inverse = inverse.mul(difference);
            let slope = q.y.sub(&p.y).mul(&own);
            points[a as usize] = chord(&p, &q.x, &slope);
        }
        true
    }

    /// The same for any points. Returns whether a sum is infinity.
    fn add_checked(&mut self, points: &mut [Point], pairs: &[(u32, u32)]) -> bool {
        self.differences.clear();
        self.prefixes.clear();
        self.kinds.clear();
        let mut product = Fe::ONE;
        for &(a, b) in pairs {
            let (kind, divisor) = classify(&points[a as usize], &points[b as usize]);
            self.kinds.push(kind);
            self.differences.push(divisor);
            self.prefixes.push(product);
            product = product.mul(&divisor);
        }
        let mut inverse = product.inverse();
        let mut infinite = false;
        for (i, &(a, b)) in pairs.iter().enumerate().rev() {
            let (p, q) = (points[a as usize], points[b as usize]);
            let own = inverse.mul(&self.prefixes[i]);
            inverse = inverse.mul(&self.differences[i]);
            points[a as usize] = match self.kinds[i] {
                Kind::Add => chord(&p, &q.x, &q.y.sub(&p.y).mul(&own)),
                Kind::Double => chord(&p, &p.x, &tangent(&p.x).mul(&own)),
                Kind::Cancel => Point::INFINITY,
                Kind::KeepLeft => p,
                Kind::KeepRight => q,
            };
            infinite |= points[a as usize].is_infinity();
        }
        infinite
    }

    /// Replaces each point by its double. No point may be infinity.
    pub(crate) fn double_all(&mut self, points: &mut [Point]) {
        self.prefixes.clear();
        let mut product = Fe::ONE;
        for point in points.iter() {
            self.prefixes.push(product);
            product = product.mul(&point.y.double());
        }
        let mut inverse = product.inverse();
        for (point, prefix) in points.iter_mut().zip(&self.prefixes).rev() {
            let own = inverse.mul(prefix);
            inverse = inverse.mul(&point.y.double());
            let slope = tangent(&point.x).mul(&own);
            *point = chord(point, &point.x, &slope);
        }
    }
}

/// What to do with a pair, and what its slope is divided by (one if there is no slope).
fn classify(p: &Point, q: &Point) -> (Kind, Fe) {
    if p.is_infinity() {
        (Kind::KeepRight, Fe::ONE)
    } else if q.is_infinity() {
        (Kind::KeepLeft, Fe::ONE)
    } else if !p.x.same(&q.x) {
        (Kind::Add, q.x.sub(&p.x))
    } else if p.y.same(&q.y) {
        // The order of the group is odd, so y is not zero.
        (Kind::Double, p.y.double())
    } else {
        (Kind::Cancel, Fe::ONE)
    }
}

/// `3 x^2`, the numerator of the tangent's slope on `y^2 = x^3 + 3`.
#[inline(always)]
fn tangent(x: &Fe) -> Fe {
    let square = x.square();
    square.double().add(&square)
}

/// The third point of the line through `p` with this slope, mirrored; `x` is the other
/// point's.
#[inline(always)]
fn chord(p: &Point, x: &Fe, slope: &Fe) -> Point {
    let x3 = slope.square().sub(&p.x).sub(x);
    let y3 = p.x.sub(&x3).mul(slope).sub(&p.y);
    Point { x: x3, y: y3 }
}
