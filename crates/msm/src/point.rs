//! Affine points in the form the bucket additions read: one cache line each.

use ark_bn254::{FqConfig, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};

/// The base field.
pub(crate) type Fe = assay_algebra::Fe<FqConfig>;

/// An affine point; `(0, 0)`, which is not on the curve, stands for infinity as in `ark_ec`.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Point {
    pub(crate) x: Fe,
    pub(crate) y: Fe,
}

impl Point {
    pub(crate) const INFINITY: Self = Self {
        x: Fe::ZERO,
        y: Fe::ZERO,
    };
    pub(crate) const GENERATOR: Self = Self {
        x: Fe::from_ark(&ark_bn254::g1::G1_GENERATOR_X),
        y: Fe::from_ark(&ark_bn254::g1::G1_GENERATOR_Y),
    };

    #[inline]
    pub(crate) const fn from_ark(point: &G1Affine) -> Self {
        Self {
            x: Fe::from_ark(&point.x),
            y: Fe::from_ark(&point.y),
        }
    }

    pub(crate) fn to_ark(self) -> G1Affine {
        G1Affine::new_unchecked(self.x.to_ark(), self.y.to_ark())
    }

    #[inline]
    pub(crate) fn is_infinity(&self) -> bool {
        self.x.is_zero() && self.y.is_zero()
    }

    #[inline]
    pub(crate) fn negate_if(&self, negate: bool) -> Self {
        Self {
            x: self.x,
            y: self.y.negate_if(negate),
        }
    }

    /// One addition with its own inversion, for the few that no batch covers. None is infinity.
    pub(crate) fn add_alone(&self, other: &Self) -> Option<Self> {
        let sum = (G1Projective::from(self.to_ark()) + other.to_ark()).into_affine();
        (!sum.is_zero()).then(|| Self::from_ark(&sum))
    }
}
