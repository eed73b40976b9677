//! The verifying key (spec 7).

use crate::bytes::{point2_bytes, version, Reader};
use crate::{point_bytes, Error, Inputs, Kind, Missing, Shape, Srs, View};
use ark_bn254::{G1Affine, G2Affine};
use assay_algebra::keccak256;

/// Name and version of the key format that is written.
pub const KEY_MAGIC: &[u8] = b"assay-vk/3\0";

/// All that a verifier knows of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    /// The public shape.
    pub shape: Shape,
    /// The commitments of `Relation::model`.
    pub table: Vec<G1Affine>,
    /// For each `log2 nb`, the commitments of `Relation::fixed`.
    pub fixed: Vec<Vec<G1Affine>>,
    /// The key's proof of itself, where it has public polynomials.
    pub proof: Option<G1Affine>,
    /// `[τ]_2`.
    pub tau: G2Affine,
}

impl VerifyingKey {
    /// Reads a key and checks its shape and points.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        match version(&mut reader, "assay-vk/", "a verifying key")? {
            3 => Self::read_3(reader),
            _ => Err(Error::Version("a verifying key")),
        }
    }

    /// The rest of a key of version 3.
    fn read_3(mut reader: Reader<'_>) -> Result<Self, Error> {
        let shape = read_shape(&mut reader)?;
        shape.check()?;
        let mut index = 0;
        let mut points = |reader: &mut Reader<'_>, count: usize| {
            (0..count)
                .map(|_| {
                    index += 1;
                    reader.point(index - 1)
                })
                .collect::<Result<Vec<_>, _>>()
        };
        let relation = shape.kind.relation();
        let table = points(&mut reader, relation.model_packs(&shape).len())?;
        let fixed = (0..=shape.log_max_rows)
            .map(|log| points(&mut reader, relation.fixed_packs(&shape, log).len()))
            .collect::<Result<Vec<_>, _>>()?;
        let proof = if relation.public(&shape).is_empty() {
            None
        } else {
            points(&mut reader, 1)?.pop()
        };
        let tau = reader.point2()?;
        reader.finish()?;
        Ok(Self {
            shape,
            table,
            fixed,
            proof,
            tau,
        })
    }

    /// The canonical bytes; their hash is the model's identity.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes(self.proof.as_ref())
    }

    /// What a key's proof of itself is drawn from: all its bytes but the proof's.
    pub(crate) fn bytes_before_proof(&self) -> Vec<u8> {
        self.bytes(None)
    }

    fn bytes(&self, proof: Option<&G1Affine>) -> Vec<u8> {
        let mut out = KEY_MAGIC.to_vec();
        write_shape(&self.shape, &mut out);
        let points = self.table.iter().chain(self.fixed.iter().flatten());
        for point in points.chain(proof) {
            out.extend(point_bytes(point));
        }
        out.extend(point2_bytes(&self.tau));
        out
    }

    /// `D`.
    pub fn digest(&self) -> [u8; 32] {
        keccak256(&[&self.to_bytes()])
    }
}

fn read_shape(reader: &mut Reader<'_>) -> Result<Shape, Error> {
    let kind = Kind::of_number(reader.u8()?).ok_or(Error::Shape("kind"))?;
    let inputs = match reader.u8()? {
        0 => Inputs::Public,
        1 => Inputs::Private,
        _ => return Err(Error::Shape("inputs")),
    };
    let srs = match reader.u8()? {
        0 => Srs::Development,
        1 => Srs::Ceremony,
        _ => return Err(Error::Shape("reference string")),
    };
    let mut shape = Shape {
        kind,
        inputs,
        srs,
        bits: reader.u8()?,
        features: reader.u32()?,
        outputs: reader.u32()?,
        scale_bits: reader.u32()?,
        lane: reader.u32()?,
        trees: reader.u32()?,
        depth: reader.u32()?,
        stride: reader.u32()?,
        groups: reader.u32()?,
        table: reader.u32()?,
        ratio: reader.u32()?,
        limbs: reader.u32()?,
        log_max_rows: reader.u32()?,
        views: read_views(reader)?,
        network: None,
    };
    kind.relation().read(reader, &mut shape)?;
    Ok(shape)
}

fn read_views(reader: &mut Reader<'_>) -> Result<Vec<View>, Error> {
    let count = reader.u32()?;
    // No capacity is reserved from the untrusted count: reading fails before memory grows.
    (0..count)
        .map(|_| {
            Ok(View {
                feature: reader.u32()?,
                missing: match reader.u8()? {
                    0 => Missing::Refuse,
                    1 => Missing::Low,
                    2 => Missing::High,
                    3 => Missing::Zero,
                    _ => return Err(Error::Shape("missing rule")),
                },
                zero_missing: match reader.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Error::Shape("zero rule")),
                },
            })
        })
        .collect()
}

fn write_shape(shape: &Shape, out: &mut Vec<u8>) {
    out.push(shape.kind.number());
    out.push(u8::from(shape.private()));
    out.push(u8::from(shape.srs == Srs::Ceremony));
    out.push(shape.bits);
    for field in [
        shape.features,
        shape.outputs,
        shape.scale_bits,
        shape.lane,
        shape.trees,
        shape.depth,
        shape.stride,
        shape.groups,
        shape.table,
        shape.ratio,
        shape.limbs,
        shape.log_max_rows,
        u32::try_from(shape.views.len()).unwrap_or(u32::MAX),
    ] {
        out.extend(field.to_be_bytes());
    }
    for view in &shape.views {
        out.extend(view.feature.to_be_bytes());
        out.push(match view.missing {
            Missing::Refuse => 0,
            Missing::Low => 1,
            Missing::High => 2,
            Missing::Zero => 3,
        });
        out.push(u8::from(view.zero_missing));
    }
    shape.kind.relation().write(shape, out);
}
