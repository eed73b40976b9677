//! Many independent affine additions with one field inversion (Montgomery's trick): five
//! multiplications and a squaring each, against eleven or more for a Jacobian addition.

use crate::lanes::Lanes;
use crate::point::{Fe, Point};

/// The buffers of the additions, kept between calls.
#[derive(Default)]
pub(crate) struct Batch {
    /// What each slope is divided by.
    divisors: Vec<Fe>,
    /// The product of the divisors before each.
    prefixes: Vec<Fe>,
    kinds: Vec<Kind>,
    lanes: Lanes,
}

/// What a pair of points needs.
#[derive(Clone, Copy)]
enum Kind {
    Add,
    Double,
    Cancel,
    KeepLeft,
    KeepRight,
}

impl Batch {
    /// Replaces `points[a]` by `points[a] + points[b]` for each pair `(a, b)`, no slot being in
    /// two pairs. `infinite` says whether a point may be infinity; returns whether a sum is.
    pub(crate) fn add_pairs(
        &mut self,
        points: &mut [Point],
        pairs: &[(u32, u32)],
        infinite: bool,
    ) -> bool {
        if !infinite && self.add_distinct(points, pairs) {
            return false;
        }
        self.add_any(points, pairs)
    }

    /// The formula for finite points with different `x`. Returns false, and changes nothing, if
    /// a pair shares its `x`.
    fn add_distinct(&mut self, points: &mut [Point], pairs: &[(u32, u32)]) -> bool {
        if let Some(done) = self.lanes.add_distinct(points, pairs) {
            return done;
        }
        self.divisors.resize(pairs.len(), Fe::ZERO);
        self.prefixes.resize(pairs.len(), Fe::ZERO);
        let mut product = Fe::ONE;
        let steps = self.divisors.iter_mut().zip(&mut self.prefixes);
        for ((divisor, prefix), &(a, b)) in steps.zip(pairs) {
            *divisor = points[b as usize].x.sub(&points[a as usize].x);
            *prefix = product;
            product = product.mul(divisor);
        }
        if product.is_zero() {
            return false;
        }
        let mut inverse = product.inverse();
        let steps = self.divisors.iter().zip(&self.prefixes);
        for ((divisor, prefix), &(a, b)) in steps.zip(pairs).rev() {
            let (p, q) = (points[a as usize], points[b as usize]);
            let own = inverse.mul(prefix);
            inverse = inverse.mul(divisor);
            points[a as usize] = chord(&p, &q.x, &q.y.sub(&p.y).mul(&own));
        }
        true
    }

    /// The same for any points. Returns whether a sum is infinity.
    fn add_any(&mut self, points: &mut [Point], pairs: &[(u32, u32)]) -> bool {
        self.divisors.clear();
        self.prefixes.clear();
        self.kinds.clear();
        let mut product = Fe::ONE;
        for &(a, b) in pairs {
            let (kind, divisor) = classify(&points[a as usize], &points[b as usize]);
            self.kinds.push(kind);
            self.divisors.push(divisor);
            self.prefixes.push(product);
            product = product.mul(&divisor);
        }
        let mut inverse = product.inverse();
        let mut infinite = false;
        for (i, &(a, b)) in pairs.iter().enumerate().rev() {
            let (p, q) = (points[a as usize], points[b as usize]);
            let own = inverse.mul(&self.prefixes[i]);
            inverse = inverse.mul(&self.divisors[i]);
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

    /// Replaces each point, none infinity, by its double.
    pub(crate) fn double_all(&mut self, points: &mut [Point]) {
        self.prefixes.resize(points.len(), Fe::ZERO);
        let mut product = Fe::ONE;
        for (point, prefix) in points.iter().zip(&mut self.prefixes) {
            *prefix = product;
            product = product.mul(&point.y.double());
        }
        let mut inverse = product.inverse();
        for (point, prefix) in points.iter_mut().zip(&self.prefixes).rev() {
            let own = inverse.mul(prefix);
            inverse = inverse.mul(&point.y.double());
            *point = chord(point, &point.x, &tangent(&point.x).mul(&own));
        }
    }
}

/// What a pair needs, and the divisor of its slope (one if there is no slope).
fn classify(p: &Point, q: &Point) -> (Kind, Fe) {
    if p.is_infinity() {
        (Kind::KeepRight, Fe::ONE)
    } else if q.is_infinity() {
        (Kind::KeepLeft, Fe::ONE)
    } else if !p.x.same(&q.x) {
        (Kind::Add, q.x.sub(&p.x))
    } else if p.y.same(&q.y) {
        // y is not zero: the order of the group is odd.
        (Kind::Double, p.y.double())
    } else {
        (Kind::Cancel, Fe::ONE)
    }
}

/// `3 x^2`, what the slope of the tangent at `x` has above `2 y`, on `y^2 = x^3 + 3`.
#[inline]
fn tangent(x: &Fe) -> Fe {
    let square = x.square();
    square.double().add(&square)
}

/// The sum of `p` and another point with this `x`, by the slope of the line through both.
#[inline]
fn chord(p: &Point, x: &Fe, slope: &Fe) -> Point {
    let x3 = slope.square().sub(&p.x).sub(x);
    let y3 = p.x.sub(&x3).mul(slope).sub(&p.y);
    Point { x: x3, y: y3 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fr, G1Affine};
    use ark_ec::{AffineRepr, CurveGroup};

    fn multiple(k: i64) -> Point {
        Point::from_ark(&(G1Affine::generator() * Fr::from(k)).into_affine())
    }

    /// Adds the multiples of the generator in pairs and compares.
    fn check(pairs: &[(i64, i64)], infinite: bool) {
        let mut points: Vec<Point> = pairs
            .iter()
            .flat_map(|(a, b)| [*a, *b])
            .map(multiple)
            .collect();
        let slots: Vec<(u32, u32)> = (0u32..)
            .step_by(2)
            .map(|i| (i, i + 1))
            .take(pairs.len())
            .collect();
        let found = Batch::default().add_pairs(&mut points, &slots, infinite);
        assert_eq!(found, pairs.iter().any(|(a, b)| a + b == 0));
        for (sum, (a, b)) in points.iter().step_by(2).zip(pairs) {
            assert_eq!(sum.to_ark(), multiple(a + b).to_ark(), "{a} + {b}");
        }
    }

    #[test]
    fn sums_of_distinct_points() {
        check(&[], false);
        check(&[(1, 2)], false);
        check(&[(1, 2), (-7, 3), (5, -4), (100, 1)], false);
    }

    #[test]
    fn equal_opposite_and_infinite_points() {
        check(&[(3, 3)], false);
        check(&[(3, -3)], false);
        check(&[(1, 2), (3, 3), (4, 5), (-6, 6), (8, 9), (-2, -2)], false);
        check(&[(0, 2), (3, 0), (0, 0), (1, 2), (4, 4), (5, -5)], true);
    }

    /// Enough that processors with lanes add eight at a time, and some that are left.
    #[test]
    fn many_pairs() {
        for count in [31, 32, 33, 40, 64, 101] {
            let mut pairs: Vec<(i64, i64)> = (1..=count).map(|k| (k, 500 - 3 * k)).collect();
            check(&pairs, false);
            for last in [(7, 7), (7, -7)] {
                *pairs.last_mut().unwrap() = last;
                check(&pairs, false);
            }
            pairs[0] = (0, 9);
            check(&pairs, true);
        }
    }

    #[test]
    fn doubles() {
        let mut points: Vec<Point> = [1, 2, -9].map(multiple).to_vec();
        Batch::default().double_all(&mut points);
        for (point, k) in points.iter().zip([2, 4, -18]) {
            assert_eq!(point.to_ark(), multiple(k).to_ark());
        }
    }
}
