//! Multiples of fixed points by powers of two.

use crate::batch::Batch;
use crate::plan::{levels, spacing};
use crate::point::Point;
use ark_bn254::G1Affine;
use rayon::prelude::*;

/// Points doubled together.
const CHUNK: usize = 512;

/// `2^(spacing * level) * P` for each point `P` and each level.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    spacing: u32,
    /// Level after level.
    points: Vec<Point>,
}

impl Table {
    pub(crate) fn new(points: &[G1Affine]) -> Self {
        let spacing = spacing(points.len());
        let mut table = vec![Point::INFINITY; points.len() * levels(spacing)];
        // Each task doubles some points through all levels.
        let mut tasks: Vec<Vec<&mut [Point]>> = Vec::new();
        tasks.resize_with(points.len().div_ceil(CHUNK), Vec::new);
        for level in table.chunks_mut(points.len().max(1)) {
            for (task, chunk) in tasks.iter_mut().zip(level.chunks_mut(CHUNK)) {
                task.push(chunk);
            }
        }
        let tasks = tasks.into_par_iter().zip(points.par_chunks(CHUNK));
        tasks.for_each(|(levels, points)| fill(levels, points, spacing));
        Self {
            spacing,
            points: table,
        }
    }

    pub(crate) const fn spacing(&self) -> u32 {
        self.spacing
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> &Point {
        &self.points[index]
    }
}

fn fill(levels: Vec<&mut [Point]>, points: &[G1Affine], spacing: u32) {
    let mut batch = Batch::default();
    let mut current: Vec<Point> = points.iter().map(finite).collect();
    for (i, level) in levels.into_iter().enumerate() {
        if i > 0 {
            (0..spacing).for_each(|_| batch.double_all(&mut current));
        }
        level.copy_from_slice(&current);
    }
}

/// The point, or a finite one in the place of infinity, whose multiples are never asked for.
fn finite(point: &G1Affine) -> Point {
    let point = Point::from_ark(point);
    if point.is_infinity() {
        Point::GENERATOR
    } else {
        point
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::Fr;
    use ark_ec::{AffineRepr, CurveGroup};
    use ark_ff::Field;

    #[test]
    fn holds_the_multiples() {
        let g = G1Affine::generator();
        let points: Vec<G1Affine> = (1..600u64)
            .map(|k| (g * Fr::from(k)).into_affine())
            .collect();
        let table = Table::new(&points);
        assert_eq!(table.points.len(), points.len() * levels(table.spacing));
        for level in 0..levels(table.spacing) {
            let factor = Fr::from(2u64).pow([u64::from(table.spacing) * level as u64]);
            for i in [0, 1, 511, 512, 598] {
                let multiple = table.get(level * points.len() + i).to_ark();
                assert_eq!(multiple, (points[i] * factor).into_affine());
            }
        }
    }
}
