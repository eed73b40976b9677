//! Multiples of fixed points by powers of two.

use crate::batch::Batch;
use crate::field::Fe;
use crate::point::Point;
use ark_bn254::G1Affine;
use rayon::prelude::*;

/// Points doubled together.
const CHUNK: usize = 512;
/// Bits of half the group order: the longest magnitude of a scalar.
const SCALAR_BITS: u32 = 253;

/// `2^(spacing * level) * P` for each point `P` and each level.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    spacing: u32,
    /// Level after level.
    points: Vec<Point>,
}

impl Table {
    pub(crate) fn new(points: &[G1Affine], spacing: u32) -> Self {
        let levels = (SCALAR_BITS / spacing) as usize + 1;
        let n = points.len();
        let mut table = vec![Point::INFINITY; n * levels];
        let mut rows: Vec<Vec<&mut [Point]>> = Vec::new();
        rows.resize_with(n.div_ceil(CHUNK), Vec::new);
        if n > 0 {
            for level in table.chunks_mut(n) {
                for (row, chunk) in rows.iter_mut().zip(level.chunks_mut(CHUNK)) {
                    row.push(chunk);
                }
            }
        }
        rows.into_par_iter()
            .zip(points.par_chunks(CHUNK))
            .for_each(|(row, points)| {
                let mut current: Vec<Point> = points.iter().map(finite).collect();
                let mut batch = Batch::default();
                for (i, level) in row.into_iter().enumerate() {
                    if i > 0 {
                        (0..spacing).for_each(|_| batch.double_all(&mut current));
                    }
                    level.copy_from_slice(&current);
                }
            });
        Self {
            spacing,
            points: table,
        }
    }

    pub(crate) const fn spacing(&self) -> u32 {
        self.spacing
    }

    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> &Point {
        &self.points[index]
    }
}

/// The point, or some finite one in the place of infinity (whose terms are never looked up).
fn finite(point: &G1Affine) -> Point {
    let point = Point::from_ark(point);
    if point.is_infinity() {
        Point {
            x: Fe::ONE,
            y: Fe::ONE.double(),
        }
    } else {
        point
    }
}
