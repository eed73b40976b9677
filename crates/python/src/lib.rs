//! The Python module `assay._core`: translation only.
// The binding's macros expand to code that the workspace's lint on documentation cannot see through.
#![allow(missing_docs, clippy::needless_pass_by_value)]

mod error;
mod info;

use assay_circuit::Word;
use assay_prover::{Inputs, ProvingKey};
use assay_verifier::VerifyingKey;
use error::{core_error, CoreError, Fail};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::path::Path;

#[pyfunction]
fn srs_generate(py: Python<'_>, path: &str, degree: usize) -> PyResult<()> {
    py.detach(|| assay_srs::generate(Path::new(path), degree))
        .map(|_| ())
        .map_err(Fail::from_srs)
}

#[pyfunction]
fn srs_import<'py>(py: Python<'py>, source: &str, path: &str) -> PyResult<Bound<'py, PyDict>> {
    let info = py
        .detach(|| assay_srs::import(Path::new(source), Path::new(path)))
        .map_err(Fail::from_srs)?;
    info::srs(py, &info)
}

#[pyfunction]
fn srs_info<'py>(py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyDict>> {
    info::srs(
        py,
        &assay_srs::Info::read(Path::new(path)).map_err(Fail::from_srs)?,
    )
}

/// Compares a file's content with its digest, and its points with each other by pairing.
#[pyfunction]
fn srs_verify<'py>(py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyDict>> {
    let info = py
        .detach(|| assay_srs::verify_string(Path::new(path)))
        .map_err(Fail::from_srs)?;
    info::srs(py, &info)
}

#[pyfunction]
fn ceremonies(py: Python<'_>) -> PyResult<Bound<'_, pyo3::types::PyList>> {
    info::ceremonies(py)
}

#[pyfunction]
fn required_degree(circuit_json: &str, batch: u32) -> PyResult<usize> {
    assay_prover::required_degree(circuit_json, batch).map_err(Fail::from_prover)
}

#[pyfunction]
#[pyo3(signature = (circuit_json, srs_path, max_batch, parts = None))]
fn setup<'py>(
    py: Python<'py>,
    circuit_json: &str,
    srs_path: &str,
    max_batch: u32,
    parts: Option<u32>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let key = py
        .detach(|| {
            assay_prover::setup_in_parts(circuit_json, Path::new(srs_path), max_batch, parts)
        })
        .map_err(Fail::from_prover)?;
    Ok((
        PyBytes::new(py, &key.to_bytes()),
        PyBytes::new(py, &key.verifying.to_bytes()),
    ))
}

/// Holds a key, the model's polynomials and the reference string between proofs.
#[pyclass(frozen, module = "assay._core")]
struct Prover {
    inner: assay_prover::Prover,
    features: usize,
}

#[pymethods]
impl Prover {
    #[new]
    fn new(py: Python<'_>, pk: &[u8], srs_path: &str) -> PyResult<Self> {
        py.detach(|| {
            let key = ProvingKey::from_bytes(pk)?;
            let features = key.verifying.shape.features as usize;
            Ok(Self {
                inner: assay_prover::Prover::new(&key, Path::new(srs_path))?,
                features,
            })
        })
        .map_err(Fail::from_prover)
    }

    /// `words`: little-endian u64, row-major; `missing`: one byte a word. The proof, and the rows that reached an end.
    fn prove<'py>(
        &self,
        py: Python<'py>,
        words: &[u8],
        missing: &[u8],
        rows: usize,
        opening: Option<&[u8]>,
        context: [u8; 32],
    ) -> PyResult<(Bound<'py, PyBytes>, Vec<usize>)> {
        let count = rows.checked_mul(self.features);
        if count.is_none()
            || count != Some(missing.len())
            || words.len() / 8 != missing.len()
            || !words.len().is_multiple_of(8)
        {
            return Err(core_error(
                "rows/width",
                format!("every row needs {} values", self.features),
            ));
        }
        let opening = opening
            .map(|secret| {
                secret
                    .try_into()
                    .map_err(|_| Fail::from_prover(assay_prover::Error::Opening))
            })
            .transpose()?;
        let cells: Vec<Word> = words
            .chunks_exact(8)
            .zip(missing)
            .map(|(chunk, missing)| {
                let value = chunk
                    .iter()
                    .rev()
                    .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
                (*missing == 0).then_some(value)
            })
            .collect();
        let inputs = Inputs {
            rows: cells.chunks(self.features).map(<[Word]>::to_vec).collect(),
            opening,
            context,
        };
        let found = py
            .detach(|| self.inner.proven(&inputs))
            .map_err(Fail::from_prover)?;
        Ok((PyBytes::new(py, &found.proof), found.ended))
    }
}

#[pyfunction]
fn verify(py: Python<'_>, vk: &[u8], proof: &[u8]) -> PyResult<()> {
    let key = VerifyingKey::from_bytes(vk).map_err(Fail::from_key)?;
    py.detach(|| assay_verifier::verify(&key, proof))
        .map(|_| ())
        .map_err(Fail::from_verifier)
}

/// Recomputes the public parts of a key: what whoever pins it should do once. That of a network needs its circuit.
#[pyfunction]
#[pyo3(signature = (vk, srs_path, circuit_json=None))]
fn check_key(
    py: Python<'_>,
    vk: &[u8],
    srs_path: &str,
    circuit_json: Option<&str>,
) -> PyResult<()> {
    let key = VerifyingKey::from_bytes(vk).map_err(Fail::from_key)?;
    py.detach(|| {
        // A string that is judged by must be whole: loading it does not look at its digest.
        assay_srs::verify_file(Path::new(srs_path))?;
        assay_prover::check_key(&key, Path::new(srs_path), circuit_json)
    })
    .map_err(Fail::from_prover)
}

/// The circuit of a proving key and the blinding of its commitments, 32 bytes each: what a maker publishes who does not
/// hide the model.
#[pyfunction]
fn published<'py>(py: Python<'py>, pk: &[u8]) -> PyResult<(String, Bound<'py, PyBytes>)> {
    let key = ProvingKey::from_bytes(pk).map_err(Fail::from_prover)?;
    let (circuit, blinds) = assay_prover::published(&key).map_err(Fail::from_prover)?;
    let words: Vec<u8> = blinds
        .iter()
        .flat_map(|blind| assay_algebra::word(*blind))
        .collect();
    Ok((circuit.to_owned(), PyBytes::new(py, &words)))
}

/// As `check_key`, and that the key's weights are those of this circuit with this blinding.
#[pyfunction]
fn check_published(
    py: Python<'_>,
    vk: &[u8],
    srs_path: &str,
    circuit_json: &str,
    blinds: &[u8],
) -> PyResult<()> {
    let key = VerifyingKey::from_bytes(vk).map_err(Fail::from_key)?;
    let mut reader = assay_verifier::Reader::new(blinds);
    let blinds = (0..blinds.len() / assay_algebra::WORD)
        .map(|index| reader.scalar(index))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Fail::from_verifier)?;
    reader.finish().map_err(Fail::from_verifier)?;
    py.detach(|| {
        assay_srs::verify_file(Path::new(srs_path))?;
        assay_prover::check_published(&key, Path::new(srs_path), circuit_json, &blinds)
    })
    .map_err(Fail::from_prover)
}

/// Checks a key's proof of itself, which needs no reference string.
#[pyfunction]
fn check_key_itself(py: Python<'_>, vk: &[u8]) -> PyResult<()> {
    let key = VerifyingKey::from_bytes(vk).map_err(Fail::from_key)?;
    py.detach(|| assay_verifier::check_itself(&key))
        .map_err(Fail::from_verifier)
}

#[pyfunction]
fn proof_info<'py>(py: Python<'py>, proof: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    info::proof(
        py,
        &assay_verifier::Container::from_bytes(proof).map_err(Fail::from_verifier)?,
    )
}

/// The container of a statement and a body: how a proof that came by JSON or from a chain becomes a file again.
#[pyfunction]
fn proof_pack<'py>(
    py: Python<'py>,
    vk: &[u8],
    rows: u32,
    words: Vec<[u8; 32]>,
    body: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let key = VerifyingKey::from_bytes(vk).map_err(Fail::from_key)?;
    let container = assay_verifier::Container {
        digest: key.digest(),
        inputs: key.shape.inputs,
        srs: key.shape.srs,
        features: key.shape.features,
        outputs: key.shape.outputs,
        scale_bits: key.shape.scale_bits,
        rows,
        words,
        body: body.to_vec(),
    };
    Ok(PyBytes::new(py, &container.to_bytes()))
}

#[pyfunction]
fn vk_info<'py>(py: Python<'py>, vk: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    info::key(py, &VerifyingKey::from_bytes(vk).map_err(Fail::from_key)?)
}

/// Milliseconds of one multi-scalar multiplication of each size with random scalars: the floor of a proof's time.
#[pyfunction]
fn msm_floor(py: Python<'_>, sizes: Vec<usize>) -> Vec<f64> {
    use ark_bn254::{G1Affine, G1Projective};
    use ark_ec::{CurveGroup, PrimeGroup};
    py.detach(|| {
        sizes
            .into_iter()
            .map(|size| {
                let mut sum = G1Projective::generator();
                let points: Vec<G1Projective> = (0..size)
                    .map(|_| {
                        sum = sum + sum + G1Projective::generator();
                        sum
                    })
                    .collect();
                let points: Vec<G1Affine> = G1Projective::normalize_batch(&points);
                let scalars: Vec<_> = (0..size).map(|_| assay_srs::random_scalar()).collect();
                let base = if size <= 1 << 15 {
                    assay_msm::FixedBase::with_table(points)
                } else {
                    assay_msm::FixedBase::new(points)
                };
                let _ = base.msm(&scalars);
                let start = std::time::Instant::now();
                let _ = base.msm(&scalars).into_affine();
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect()
    })
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("CoreError", module.py().get_type::<CoreError>())?;
    module.add_class::<Prover>()?;
    module.add_function(wrap_pyfunction!(published, module)?)?;
    module.add_function(wrap_pyfunction!(check_published, module)?)?;
    module.add_function(wrap_pyfunction!(srs_generate, module)?)?;
    module.add_function(wrap_pyfunction!(srs_import, module)?)?;
    module.add_function(wrap_pyfunction!(srs_info, module)?)?;
    module.add_function(wrap_pyfunction!(srs_verify, module)?)?;
    module.add_function(wrap_pyfunction!(ceremonies, module)?)?;
    module.add_function(wrap_pyfunction!(required_degree, module)?)?;
    module.add_function(wrap_pyfunction!(setup, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(check_key, module)?)?;
    module.add_function(wrap_pyfunction!(check_key_itself, module)?)?;
    module.add_function(wrap_pyfunction!(proof_info, module)?)?;
    module.add_function(wrap_pyfunction!(proof_pack, module)?)?;
    module.add_function(wrap_pyfunction!(vk_info, module)?)?;
    module.add_function(wrap_pyfunction!(msm_floor, module)?)?;
    Ok(())
}
