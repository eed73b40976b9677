//! The public types.

use crate::by_value::ByValue;
use crate::run::Bases;
use crate::scalar::Term;
use crate::table::Table;
use ark_bn254::{Fr, G1Affine, G1Projective};

/// Points of many multi-scalar multiplications, at most `2^26`, on the curve (not checked).
#[derive(Clone, Debug)]
pub struct FixedBase {
    points: Vec<G1Affine>,
    table: Option<Table>,
}

impl FixedBase {
    /// Keeps the points without a table.
    pub const fn new(points: Vec<G1Affine>) -> Self {
        Self {
            points,
            table: None,
        }
    }

    /// Keeps the points with a table, which makes full-size scalars about 1.4 times as fast and
    /// takes about seven such multiplications to compute.
    ///
    /// Memory: 64 bytes for each point and level, next to the points themselves. Up to `2^14`
    /// points there are 17 levels (22 up to about 2,700 points, 26 up to about 250), so 8.9 MB
    /// at `2^13` and 17.8 MB at `2^14`. Beyond, levels are left out to stay below 100 MiB, and
    /// the gain shrinks: 34 MB at `2^15`, 63 MB at `2^16`, 67 MB at `2^17`.
    pub fn with_table(points: Vec<G1Affine>) -> Self {
        let table = Some(Table::new(&points));
        Self { points, table }
    }

    /// The points.
    pub fn points(&self) -> &[G1Affine] {
        &self.points
    }

    /// `sum scalars[i] * points[i]` over the first `scalars.len()` points.
    ///
    /// # Panics
    /// If there are more scalars than points.
    pub fn msm(&self, scalars: &[Fr]) -> G1Projective {
        self.bases(scalars.len())
            .msm(scalars.len(), |i| Term::new(i, &scalars[i]))
    }

    /// `sum scalar * points[index]` over the terms. An index may occur more than once.
    ///
    /// # Panics
    /// If an index is not below the number of points.
    pub fn msm_sparse(&self, terms: &[(usize, Fr)]) -> G1Projective {
        let count = terms.iter().map(|(index, _)| index + 1).max().unwrap_or(0);
        self.bases(count)
            .msm(terms.len(), |i| Term::new(terms[i].0, &terms[i].1))
    }

    /// `sum scalars[i] * points[i]` over the first `scalars.len()` points.
    ///
    /// # Panics
    /// If there are more scalars than points.
    pub fn msm_u64(&self, scalars: &[u64]) -> G1Projective {
        self.bases(scalars.len())
            .msm(scalars.len(), |i| Term::from_u64(i, scalars[i]))
    }

    /// The first `values.len()` points, summed by value. Values have to be small.
    ///
    /// # Panics
    /// If there are more values than points.
    pub fn by_value(&self, values: &[u64]) -> ByValue {
        ByValue::new(&self.bases(values.len()), values)
    }

    fn bases(&self, needed: usize) -> Bases<'_> {
        Bases::new(&self.points, self.table.as_ref(), needed)
    }
}

/// `sum scalars[i] * points[i]` over the first `scalars.len()` points, for points that are used
/// once: at most `2^26`, on the curve (not checked).
///
/// # Panics
/// If there are more scalars than points.
pub fn msm(points: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    Bases::new(points, None, scalars.len()).msm(scalars.len(), |i| Term::new(i, &scalars[i]))
}
