//! The proving key: the verifying key, the blinding of the model's commitments, and the circuit.

use crate::Error;
use assay_algebra::{word, Fr};
use assay_verifier::{Reader, VerifyingKey};

/// Name and version of the key format.
pub const KEY_MAGIC: &[u8] = b"assay-pk/3\0";

/// What the prover keeps secret.
#[derive(Clone, Debug)]
pub struct ProvingKey {
    /// The public half.
    pub verifying: VerifyingKey,
    /// The most rows of one proof.
    pub max_rows: u32,
    /// Digest of the reference string.
    pub srs: [u8; 32],
    /// Trees: three; linear: one.
    pub blinds: Vec<Fr>,
    /// `circuit.json`.
    pub circuit: String,
}

impl ProvingKey {
    /// The bytes of a key.
    pub fn to_bytes(&self) -> Vec<u8> {
        let verifying = self.verifying.to_bytes();
        let mut out = KEY_MAGIC.to_vec();
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
        out.extend(length(verifying.len()));
        out.extend(verifying);
        out.extend(self.max_rows.to_be_bytes());
        out.extend(self.srs);
        out.extend(length(self.blinds.len()));
        for blind in &self.blinds {
            out.extend(word(*blind));
        }
        out.extend(length(self.circuit.len()));
        out.extend(self.circuit.as_bytes());
        out
    }

    /// Reads a key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        use assay_verifier::Error as Refusal;
        let mut reader = Reader::new(bytes);
        match reader.take(KEY_MAGIC.len()) {
            Ok(magic) if magic == KEY_MAGIC => {}
            Ok(magic) if magic.starts_with(b"assay-pk/") => {
                return Err(Refusal::Version("a proving key").into())
            }
            _ => return Err(Refusal::Magic("a proving key").into()),
        }
        let length = reader.u32()? as usize;
        let verifying = VerifyingKey::from_bytes(reader.take(length)?)?;
        let max_rows = reader.u32()?;
        let srs = reader.array()?;
        let count = reader.u32()?;
        let blinds = (0..count)
            .map(|index| reader.scalar(index as usize))
            .collect::<Result<_, _>>()?;
        let length = reader.u32()? as usize;
        let circuit = String::from_utf8(reader.take(length)?.to_vec())
            .map_err(|_| Error::Damaged("circuit"))?;
        reader.finish()?;
        Ok(Self {
            verifying,
            max_rows,
            srs,
            blinds,
            circuit,
        })
    }
}
