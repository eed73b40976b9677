//! The public types.

use crate::run::Bases;
use crate::scalar::Term;
use crate::table::Table;
use ark_bn254::{Fr, G1Affine, G1Projective};

/// The points of many multi-scalar multiplications.
#[derive(Clone, Debug)]
pub struct FixedBase {
    points: Vec<G1Affine>,
    table: Option<Table>,
}

impl FixedBase {
    /// Keeps the points without a table.
    #[must_use]
    pub const fn new(points: Vec<G1Affine>) -> Self {
        Self {
            points,
            table: None,
        }
    }

    /// Keeps the points with a table.
    #[must_use]
    pub fn with_table(points: Vec<G1Affine>) -> Self {
        let table = Some(Table::new(&points, 15));
        Self { points, table }
    }

    /// The points.
    #[must_use]
    pub fn points(&self) -> &[G1Affine] {
        &self.points
    }

    /// `sum scalars[i] * points[i]`.
    ///
    /// # Panics
    /// If there are more scalars than points.
    #[must_use]
    pub fn msm(&self, scalars: &[Fr]) -> G1Projective {
        assert!(
            scalars.len() <= self.points.len(),
            "more scalars than points"
        );
        self.bases()
            .msm(scalars.len(), |i| Term::new(i, &scalars[i]))
    }

    /// `sum scalar * points[index]` over the given terms.
    ///
    /// # Panics
    /// If an index is not below the number of points.
    #[must_use]
    pub fn msm_sparse(&self, terms: &[(usize, Fr)]) -> G1Projective {
        self.bases()
            .msm(terms.len(), |i| Term::new(terms[i].0, &terms[i].1))
    }

    /// `sum scalars[i] * points[i]`.
    ///
    /// # Panics
    /// If there are more scalars than points.
    #[must_use]
    pub fn msm_u64(&self, scalars: &[u64]) -> G1Projective {
        assert!(
            scalars.len() <= self.points.len(),
            "more scalars than points"
        );
        self.bases()
            .msm(scalars.len(), |i| Term::from_u64(i, scalars[i]))
    }

    fn bases(&self) -> Bases<'_> {
        Bases {
            points: &self.points,
            table: self.table.as_ref(),
        }
    }
}

/// `sum scalars[i] * points[i]`, for points that are used once.
///
/// # Panics
/// If there are more scalars than points.
#[must_use]
pub fn msm(points: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    assert!(scalars.len() <= points.len(), "more scalars than points");
    Bases {
        points,
        table: None,
    }
    .msm(scalars.len(), |i| Term::new(i, &scalars[i]))
}
