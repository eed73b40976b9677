//! The proof's bytes: the body that goes on chain, and the container that carries its statement.

use crate::opening::Point;
use crate::relation::{Name, Round};
use crate::{
    bytes::{version, Reader},
    shape::beyond_limits,
    Error, Inputs, Shape, Srs, VerifyingKey, MAX_ROWS,
};
use ark_bn254::G1Affine;
use assay_algebra::{Fr, WORD};

/// Name and version of the container format.
pub const PROOF_MAGIC: &[u8] = b"assay-proof/3\0";

/// The messages of a proof of `nb` blocks.
#[derive(Clone, Debug)]
pub struct ProofLayout {
    /// The relation's rounds.
    pub rounds: Vec<Round>,
    /// Chunks of the quotient.
    pub chunks: usize,
    /// Evaluations, each with its polynomial.
    pub evaluations: Vec<(Name, Point)>,
}

impl ProofLayout {
    /// The layout for a shape and `log2 nb`.
    pub fn new(shape: &Shape, log_rows: u32) -> Self {
        let relation = shape.kind.relation();
        let openings = relation.openings(shape, log_rows);
        let at = |point: Point| {
            let opened = openings.iter().filter(move |o| o.set.contains(&point));
            opened.flat_map(move |opened| opened.pack.iter().map(move |name| (*name, point)))
        };
        Self {
            rounds: relation.rounds(shape, log_rows),
            chunks: shape.chunks(log_rows),
            evaluations: Point::ALL.into_iter().flat_map(at).collect(),
        }
    }

    /// The exact number of bytes.
    pub fn bytes(&self) -> usize {
        let packs = self.rounds.iter().map(|round| round.packs.len());
        // W and W' are the last two points.
        let points = packs.fold(self.chunks.saturating_add(2), usize::saturating_add);
        points
            .saturating_mul(2)
            .saturating_add(self.evaluations.len())
            .saturating_mul(WORD)
    }
}

/// Points and the bytes that they were read from.
pub(crate) struct Points<'a> {
    pub list: Vec<G1Affine>,
    pub bytes: &'a [u8],
}

/// A proof whose points are on the curve and whose scalars are reduced.
pub(crate) struct Proof<'a> {
    pub rounds: Vec<Points<'a>>,
    pub chunks: Points<'a>,
    pub evaluations: Vec<Fr>,
    pub evaluation_bytes: &'a [u8],
    pub w: G1Affine,
    pub w_bytes: &'a [u8],
    pub w_prime: G1Affine,
}

impl<'a> Proof<'a> {
    pub fn read(layout: &ProofLayout, body: &'a [u8]) -> Result<Self, Error> {
        let expected = layout.bytes();
        if body.len() != expected {
            return Err(Error::Length {
                expected,
                found: body.len(),
            });
        }
        let mut reader = Reader::new(body);
        let mut index = 0;
        let mut points = |reader: &mut Reader<'a>, count: usize| -> Result<Points<'a>, Error> {
            let bytes = reader.take(count.saturating_mul(2 * WORD))?;
            let mut inner = Reader::new(bytes);
            let list = (0..count)
                .map(|_| {
                    index += 1;
                    inner.point(index - 1)
                })
                .collect::<Result<Vec<_>, _>>()?;
            Ok(Points { list, bytes })
        };
        let rounds = layout
            .rounds
            .iter()
            .map(|round| points(&mut reader, round.packs.len()))
            .collect::<Result<Vec<_>, _>>()?;
        let chunks = points(&mut reader, layout.chunks)?;
        let count = layout.evaluations.len();
        let evaluation_bytes = reader.take(count.saturating_mul(WORD))?;
        let mut inner = Reader::new(evaluation_bytes);
        let evaluations = (0..count)
            .map(|scalar| inner.scalar(scalar))
            .collect::<Result<Vec<_>, _>>()?;
        let w_bytes = reader.take(2 * WORD)?;
        let w = Reader::new(w_bytes).point(index)?;
        let w_prime = reader.point(index.saturating_add(1))?;
        reader.finish()?;
        Ok(Self {
            rounds,
            chunks,
            evaluations,
            evaluation_bytes,
            w,
            w_bytes,
            w_prime,
        })
    }
}

/// A proof with its statement, as files carry it: magic, header, words, body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// `D` of the key that it was made for.
    pub digest: [u8; 32],
    /// Public or private inputs.
    pub inputs: Inputs,
    /// Where the reference string came from.
    pub srs: Srs,
    /// Features, outputs and scale of the model, so that a reader needs no key to read the words.
    pub features: u32,
    /// `K`.
    pub outputs: u32,
    /// An output is its integer times `2^-scale_bits`.
    pub scale_bits: u32,
    /// Rows proven.
    pub rows: u32,
    /// The public words.
    pub words: Vec<[u8; WORD]>,
    /// The proof itself.
    pub body: Vec<u8>,
}

impl Container {
    /// Reads a container; the body is not looked at.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        match version(&mut reader, "assay-proof/", "a proof")? {
            3 => Self::read_3(reader),
            _ => Err(Error::Version("a proof")),
        }
    }

    /// The rest of a container of version 3.
    fn read_3(mut reader: Reader<'_>) -> Result<Self, Error> {
        let digest = reader.array()?;
        let inputs = match reader.u8()? {
            0 => Inputs::Public,
            1 => Inputs::Private,
            _ => return Err(Error::Header("inputs")),
        };
        let srs = match reader.u8()? {
            0 => Srs::Development,
            1 => Srs::Ceremony,
            _ => return Err(Error::Header("reference string")),
        };
        let (features, outputs, scale_bits) = (reader.u32()?, reader.u32()?, reader.u32()?);
        // Whoever shows the outputs divides by 2^scale_bits, which four bytes of a stranger must not make large.
        if let Some(what) = beyond_limits(features, outputs, scale_bits) {
            return Err(Error::Header(what));
        }
        let rows = reader.u32()?;
        if rows == 0 || rows > MAX_ROWS {
            return Err(Error::Rows {
                max: MAX_ROWS,
                found: rows,
            });
        }
        let count = reader.u32()?;
        let words = (0..count)
            .map(|_| reader.array())
            .collect::<Result<Vec<_>, _>>()?;
        let length = usize::try_from(reader.u32()?).map_err(|_| Error::Truncated)?;
        let body = reader.take(length)?.to_vec();
        reader.finish()?;
        Ok(Self {
            digest,
            inputs,
            srs,
            features,
            outputs,
            scale_bits,
            rows,
            words,
            body,
        })
    }

    /// Whether the header says what the key says.
    pub fn is_of(&self, key: &VerifyingKey) -> bool {
        let shape = &key.shape;
        self.digest == key.digest()
            && self.inputs == shape.inputs
            && self.srs == shape.srs
            && (self.features, self.outputs, self.scale_bits)
                == (shape.features, shape.outputs, shape.scale_bits)
    }

    /// The bytes of a container.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = PROOF_MAGIC.to_vec();
        out.extend(self.digest);
        out.push(u8::from(self.inputs == Inputs::Private));
        out.push(u8::from(self.srs == Srs::Ceremony));
        for field in [self.features, self.outputs, self.scale_bits, self.rows] {
            out.extend(field.to_be_bytes());
        }
        out.extend(
            u32::try_from(self.words.len())
                .unwrap_or(u32::MAX)
                .to_be_bytes(),
        );
        out.extend(self.words.concat());
        out.extend(
            u32::try_from(self.body.len())
                .unwrap_or(u32::MAX)
                .to_be_bytes(),
        );
        out.extend(&self.body);
        out
    }
}
