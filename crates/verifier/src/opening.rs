//! The Shplonk opening (spec 4.7): each polynomial at its own points.

use crate::Error;
use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{One, Zero};
use assay_algebra::{inverses, root_of_unity, Fr};

/// A point where polynomials are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// `ζ`.
    Here,
    /// `ωζ`.
    Next,
    /// `vζ`.
    NextOfTable,
}

impl Point {
    /// All, in the order of a proof's evaluations.
    pub const ALL: [Self; 3] = [Self::Here, Self::Next, Self::NextOfTable];

    /// The point itself.
    pub fn of(self, zeta: Fr, log_domain: u32, log_table: u32) -> Result<Fr, Error> {
        let root = |log| root_of_unity(log).ok_or(Error::Shape("domain"));
        Ok(match self {
            Self::Here => zeta,
            Self::Next => zeta * root(log_domain)?,
            Self::NextOfTable => zeta * root(log_table)?,
        })
    }
}

/// Where one polynomial is opened: different points, in the order of [`Point::ALL`].
pub type PointSet = &'static [Point];

/// One polynomial of the batch: its commitment as a linear combination, and its claimed values.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Coefficients and committed points.
    pub terms: Vec<(Fr, G1Affine)>,
    /// The part that is a known constant.
    pub constant: Fr,
    /// Where it is opened.
    pub set: PointSet,
    /// Its values there.
    pub values: Vec<Fr>,
}

/// The inverses that a set of points brings in at `z`.
struct Inverted {
    set: PointSet,
    /// `1/Z_Q(z)`.
    scale: Fr,
    /// `1/((z - p) Π (p - p'))` of each point.
    shares: Vec<Fr>,
}

/// `1/Z_Q(z)` and `r(z)/Z_Q(z)` of all sets that are opened at.
pub struct Inverses(Vec<Inverted>);

impl Inverses {
    /// Refuses coinciding points.
    pub fn new(
        z: Fr,
        sets: impl IntoIterator<Item = PointSet>,
        point: impl Fn(Point) -> Result<Fr, Error>,
    ) -> Result<Self, Error> {
        let mut different: Vec<PointSet> = Vec::new();
        for set in sets {
            if !different.contains(&set) {
                different.push(set);
            }
        }
        let mut denominators = Vec::new();
        for set in &different {
            let points = set
                .iter()
                .map(|p| point(*p))
                .collect::<Result<Vec<_>, _>>()?;
            denominators.push(points.iter().map(|p| z - p).product());
            for (own, p) in points.iter().enumerate() {
                let others = points.iter().enumerate().filter(|(other, _)| *other != own);
                denominators.push((z - p) * others.map(|(_, q)| *p - q).product::<Fr>());
            }
        }
        let inverted = inverses(denominators).ok_or(Error::Denominator)?;
        let mut inverted = inverted.into_iter();
        let mut next = || inverted.next().ok_or(Error::Denominator);
        let of = |set: PointSet| {
            Ok(Inverted {
                set,
                scale: next()?,
                shares: set.iter().map(|_| next()).collect::<Result<_, Error>>()?,
            })
        };
        different
            .into_iter()
            .map(of)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn find(&self, set: PointSet) -> Result<&Inverted, Error> {
        let found = self.0.iter().find(|inverted| inverted.set == set);
        found.ok_or(Error::Denominator)
    }

    /// `1/Z_Q(z)`.
    pub fn scale(&self, set: PointSet) -> Result<Fr, Error> {
        Ok(self.find(set)?.scale)
    }

    /// `r(z)/Z_Q(z)` for the values at the set's points.
    pub fn remainder(&self, set: PointSet, values: &[Fr]) -> Result<Fr, Error> {
        let shares = &self.find(set)?.shares;
        Ok(values.iter().zip(shares).map(|(v, share)| *v * share).sum())
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
        let scale = inverses.scale(claim.set)?;
        let remainder = inverses.remainder(claim.set, &claim.values)?;
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
