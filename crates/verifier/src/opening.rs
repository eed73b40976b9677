//! The Shplonk opening at up to three points (spec 4.7).

use crate::Error;
use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{One, Zero};
use assay_algebra::{inverses, Fr};

/// Where a polynomial is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointSet {
    /// `{ζ}`.
    Here,
    /// `{ζ, ωζ}`.
    HereAndNext,
    /// `{ωζ}`.
    Next,
    /// `{ζ, vζ}`.
    HereAndNextOfTable,
}

/// One polynomial of the batch: its commitment as a linear combination, and its claimed values.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Coefficients and committed points.
    pub terms: Vec<(Fr, G1Affine)>,
    /// The part that is a known constant.
    pub constant: Fr,
    /// Where it is opened.
    pub set: PointSet,
    /// Value at `ζ` (not used by `Next`).
    pub here: Fr,
    /// Value at the shifted point (not used by `Here`).
    pub next: Fr,
}

/// `1/(z - ζ)`, `1/(z - ωζ)`, `1/(z - vζ)`, `1/(ζ - ωζ)`, `1/(ζ - vζ)`.
pub struct Inverses([Fr; 5]);

impl Inverses {
    /// Refuses coinciding points.
    pub fn new(z: Fr, zeta: Fr, next: Fr, next_of_table: Fr) -> Result<Self, Error> {
        let differences = vec![
            z - zeta,
            z - next,
            z - next_of_table,
            zeta - next,
            zeta - next_of_table,
        ];
        let inverted = inverses(differences).ok_or(Error::Denominator)?;
        inverted
            .try_into()
            .map(Self)
            .map_err(|_| Error::Denominator)
    }

    /// `1/Z_Q(z)` and `r(z)/Z_Q(z)`.
    pub fn weigh(&self, set: PointSet, here: Fr, next: Fr) -> (Fr, Fr) {
        let [at_zeta, at_next, at_table, gap_next, gap_table] = self.0;
        let two = |other: Fr, gap: Fr| (at_zeta * other, (here * at_zeta - next * other) * gap);
        match set {
            PointSet::Here => (at_zeta, here * at_zeta),
            PointSet::Next => (at_next, next * at_next),
            PointSet::HereAndNext => two(at_next, gap_next),
            PointSet::HereAndNextOfTable => two(at_table, gap_table),
        }
    }
}

/// The two points of the opening and the challenges that they answer.
pub struct Opening {
    pub gamma: Fr,
    pub z: Fr,
    pub w: G1Affine,
    pub w_prime: G1Affine,
}

/// The pairing check of a batch.
pub fn check(
    claims: &[Claim],
    inverses: &Inverses,
    opening: &Opening,
    tau: G2Affine,
) -> Result<(), Error> {
    let mut points = Vec::new();
    let mut scalars = Vec::new();
    let mut constant = Fr::zero();
    let mut weight = Fr::one();
    for claim in claims {
        let (scale, remainder) = inverses.weigh(claim.set, claim.here, claim.next);
        constant += weight * (claim.constant * scale - remainder);
        for (coefficient, point) in &claim.terms {
            points.push(*point);
            scalars.push(weight * scale * coefficient);
        }
        weight *= opening.gamma;
    }
    points.extend([G1Affine::generator(), opening.w_prime]);
    scalars.extend([constant, opening.z]);
    let sum = G1Projective::msm(&points, &scalars).map_err(|_| Error::Denominator)? - opening.w;
    let sides = [
        sum.into_affine(),
        (-opening.w_prime.into_group()).into_affine(),
    ];
    let generator = ark_bn254::G2Projective::generator().into_affine();
    if Bn254::multi_pairing(sides, [generator, tau]).is_zero() {
        Ok(())
    } else {
        Err(Error::Pairing)
    }
}
