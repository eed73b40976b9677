//! The Shplonk opening (spec 4.7): each polynomial at its own points.

use crate::Error;
use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{Field, One, Zero};
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
    /// `θζ`, where `θ` is the root of unity of order `2n`.
    Half,
    /// `1/ζ`.
    Inverse,
}

impl Point {
    /// All, in the order of a proof's evaluations.
    pub const ALL: [Self; 5] = [
        Self::Here,
        Self::Next,
        Self::NextOfTable,
        Self::Half,
        Self::Inverse,
    ];

    /// The point itself.
    pub fn of(self, zeta: Fr, log_domain: u32, log_table: u32) -> Result<Fr, Error> {
        let root = |log| root_of_unity(log).ok_or(Error::Shape("domain"));
        Ok(match self {
            Self::Here => zeta,
            Self::Next => zeta * root(log_domain)?,
            Self::NextOfTable => zeta * root(log_table)?,
            Self::Half => zeta * root(log_domain.saturating_add(1))?,
            Self::Inverse => zeta.inverse().ok_or(Error::Denominator)?,
        })
    }
}

/// Where one polynomial is opened: different points, in the order of [`Point::ALL`].
pub type PointSet = &'static [Point];

/// Where a commitment is opened: at every `X` with `X^width` in the set, `width` being the number of polynomials in
/// it. Neither side needs these roots: `Z(X) = Π (X^width - p)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    /// The points.
    pub set: PointSet,
    /// Polynomials that share the commitment.
    pub width: usize,
}

impl Roots {
    /// Of a polynomial with a commitment of its own: the set itself.
    pub const fn of(set: PointSet) -> Self {
        Self { set, width: 1 }
    }
}

/// One commitment of the batch as a linear combination, and the claimed values of the polynomials in it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Coefficients and committed points.
    pub terms: Vec<(Fr, G1Affine)>,
    /// The part that is a known constant.
    pub constant: Fr,
    /// Where it is opened.
    pub roots: Roots,
    /// The polynomials' values at the first point, then at the next.
    pub values: Vec<Fr>,
}

/// The inverses that a set of points brings in at `z`.
struct Inverted {
    roots: Roots,
    /// `1/Z(z)`.
    scale: Fr,
    /// `1/((z^width - p) Π (p - p'))` of each point.
    shares: Vec<Fr>,
}

/// `1/Z(z)` and `r(z)/Z(z)` of all sets that are opened at.
pub struct Inverses {
    z: Fr,
    inverted: Vec<Inverted>,
}

impl Inverses {
    /// Refuses coinciding points.
    pub fn new(
        z: Fr,
        all: impl IntoIterator<Item = Roots>,
        point: impl Fn(Point) -> Result<Fr, Error>,
    ) -> Result<Self, Error> {
        let mut different: Vec<Roots> = Vec::new();
        for roots in all {
            if !different.contains(&roots) {
                different.push(roots);
            }
        }
        let mut denominators = Vec::new();
        for roots in &different {
            let points = roots
                .set
                .iter()
                .map(|p| point(*p))
                .collect::<Result<Vec<_>, _>>()?;
            let power = z.pow([u64::try_from(roots.width).unwrap_or(u64::MAX)]);
            denominators.push(points.iter().map(|p| power - p).product());
            for (own, p) in points.iter().enumerate() {
                let others = points.iter().enumerate().filter(|(other, _)| *other != own);
                denominators.push((power - p) * others.map(|(_, q)| *p - q).product::<Fr>());
            }
        }
        let inverted = inverses(denominators).ok_or(Error::Denominator)?;
        let mut inverted = inverted.into_iter();
        let mut next = || inverted.next().ok_or(Error::Denominator);
        let of = |roots: Roots| {
            let shares = roots.set.iter();
            Ok(Inverted {
                roots,
                scale: next()?,
                shares: shares.map(|_| next()).collect::<Result<_, Error>>()?,
            })
        };
        let inverted = different.into_iter().map(of).collect::<Result<_, _>>()?;
        Ok(Self { z, inverted })
    }

    fn find(&self, roots: Roots) -> Result<&Inverted, Error> {
        let found = self.inverted.iter().find(|own| own.roots == roots);
        found.ok_or(Error::Denominator)
    }

    /// `1/Z(z)`.
    pub fn scale(&self, roots: Roots) -> Result<Fr, Error> {
        Ok(self.find(roots)?.scale)
    }

    /// `r(z)/Z(z)` with `r(X) = Σ X^i r_i(X^width)`, where `r_i` takes the values of polynomial `i` on the set.
    pub fn remainder(&self, roots: Roots, values: &[Fr]) -> Result<Fr, Error> {
        let shares = &self.find(roots)?.shares;
        let at_points = values.chunks(roots.width.max(1));
        // Σ z^i v_i, by Horner's rule.
        let woven = at_points.map(|at| at.iter().rev().fold(Fr::zero(), |sum, v| sum * self.z + v));
        Ok(woven.zip(shares).map(|(v, share)| v * share).sum())
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
        let scale = inverses.scale(claim.roots)?;
        let remainder = inverses.remainder(claim.roots, &claim.values)?;
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
