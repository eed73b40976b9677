//! Many independent affine additions with one field inversion (Montgomery's trick): five
//! multiplications and a squaring each, against eleven or more for a Jacobian addition.

use crate::field::{Fe, Loose};
use crate::point::Point;

/// Buffers of [`Batch::add_pairs`], kept between calls.
#[derive(Default)]
pub(crate) struct Batch {
    differences: Vec<Fe>,
    prefixes: Vec<Loose>,
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
        self.differences.clear();
        self.prefixes.clear();
        let mut product = [Fe::ONE.loose(); 2];
        self.differences.resize(pairs.len(), Fe::ZERO);
        self.prefixes.resize(pairs.len(), Fe::ZERO.loose());
        let steps = self
            .differences
            .chunks_mut(2)
            .zip(self.prefixes.chunks_mut(2));
        for ((differences, prefixes), pairs) in steps.zip(pairs.chunks(2)) {
            let lanes = differences
                .iter_mut()
                .zip(prefixes)
                .zip(pairs)
                .zip(&mut product);
            for (((difference, prefix), &(a, b)), product) in lanes {
                *difference = points[b as usize].x.sub(&points[a as usize].x);
                *prefix = *product;
                *product = difference.mul_loose(product);
            }
        }
        let both = product[0].reduce().mul_loose(&product[1]);
        if both.is_zero() {
            return false;
        }
        let both = both.inverse();
        let mut inverse = [both.mul_loose(&product[1]), both.mul_loose(&product[0])];
        let steps = self.differences.chunks(2).zip(self.prefixes.chunks(2));
        for ((differences, prefixes), pairs) in steps.zip(pairs.chunks(2)).rev() {
            let lanes = differences
                .iter()
                .zip(prefixes)
                .zip(pairs)
                .zip(&mut inverse);
            for (((difference, prefix), &(a, b)), inverse) in lanes {
                let (p, q) = (points[a as usize], points[b as usize]);
                let own = inverse.reduce().mul_loose(prefix);
                *inverse = difference.mul_loose(inverse);
                let slope = q.y.sub(&p.y).mul_loose(&own).reduce();
                points[a as usize] = chord(&p, &q.x, &slope);
            }
        }
        true
    }

    /// The same for any points. Returns whether a sum is infinity.
    fn add_checked(&mut self, points: &mut [Point], pairs: &[(u32, u32)]) -> bool {
        self.differences.clear();
        self.prefixes.clear();
        self.kinds.clear();
        let mut product = Fe::ONE.loose();
        for &(a, b) in pairs {
            let (kind, divisor) = classify(&points[a as usize], &points[b as usize]);
            self.kinds.push(kind);
            self.differences.push(divisor);
            self.prefixes.push(product);
            product = divisor.mul_loose(&product);
        }
        let mut inverse = product.inverse().loose();
        let mut infinite = false;
        for (i, &(a, b)) in pairs.iter().enumerate().rev() {
            let (p, q) = (points[a as usize], points[b as usize]);
            let own = inverse.reduce().mul_loose(&self.prefixes[i]);
            inverse = self.differences[i].mul_loose(&inverse);
            points[a as usize] = match self.kinds[i] {
                Kind::Add => chord(&p, &q.x, &q.y.sub(&p.y).mul_loose(&own).reduce()),
                Kind::Double => chord(&p, &p.x, &tangent(&p.x).mul_loose(&own).reduce()),
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
        let mut product = Fe::ONE.loose();
        for point in points.iter() {
            self.prefixes.push(product);
            product = point.y.double().mul_loose(&product);
        }
        let mut inverse = product.inverse().loose();
        for (point, prefix) in points.iter_mut().zip(&self.prefixes).rev() {
            let own = inverse.reduce().mul_loose(prefix);
            inverse = point.y.double().mul_loose(&inverse);
            let slope = tangent(&point.x).mul_loose(&own).reduce();
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
    } else if p.x != q.x {
        (Kind::Add, q.x.sub(&p.x))
    } else if p.y == q.y {
        // The order of the group is odd, so y is not zero.
        (Kind::Double, p.y.double())
    } else {
        (Kind::Cancel, Fe::ONE)
    }
}

/// `3 x^2`, the numerator of the tangent's slope on `y^2 = x^3 + 3`.
#[inline(always)]
fn tangent(x: &Fe) -> Fe {
    let square = x.square().reduce();
    square.double().add(&square)
}

/// The third point of the line through `p` with this slope, mirrored; `x` is the other
/// point's.
#[inline(always)]
fn chord(p: &Point, x: &Fe, slope: &Fe) -> Point {
    let x3 = slope.square().sub(&p.x).sub(x).reduce();
    let y3 = p.x.sub(&x3).mul(slope).sub(&p.y).reduce();
    Point { x: x3, y: y3 }
}
