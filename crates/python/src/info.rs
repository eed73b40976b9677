//! What is read from strings, keys and proofs, as dictionaries.

use crate::error::core_error;
use ark_bn254::{G1Affine, G2Affine};
use ark_ec::AffineRepr;
use assay_srs::Info;
use assay_verifier::{Container, Inputs, Missing, Srs, VerifyingKey};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

type Dict<'py> = PyResult<Bound<'py, PyDict>>;

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::from("0x"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn kind_name(kind: Srs) -> &'static str {
    match kind {
        Srs::Development => "development",
        Srs::Ceremony => "ceremony",
    }
}

pub fn srs<'py>(py: Python<'py>, info: &Info) -> Dict<'py> {
    let dict = PyDict::new(py);
    dict.set_item("degree", info.degree)?;
    dict.set_item("digest", hex(&info.digest))?;
    dict.set_item("kind", kind_name(info.kind))?;
    dict.set_item("tau_g2", assay_srs::tau_hex(&info.tau))?;
    dict.set_item("squares", info.squares.len())?;
    let known = assay_srs::ceremony(&info.tau).filter(|_| info.kind == Srs::Ceremony);
    dict.set_item("ceremony", known.map(|ceremony| ceremony.name))?;
    Ok(dict)
}

/// The ceremonies that are known: for each its name, `[τ]_2`, and where the bytes stand.
pub fn ceremonies(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for ceremony in assay_srs::CEREMONIES {
        let entry = PyDict::new(py);
        entry.set_item("name", ceremony.name)?;
        entry.set_item("tau_g2", ceremony.tau)?;
        entry.set_item("source", ceremony.source)?;
        entry.set_item("also", ceremony.also.to_vec())?;
        list.append(entry)?;
    }
    Ok(list)
}

/// A word as a decimal string of its value as an unsigned integer.
fn decimal(py: Python<'_>, word: &[u8; 32], signed: bool) -> PyResult<String> {
    let int = py.get_type::<pyo3::types::PyInt>();
    let options = PyDict::new(py);
    options.set_item("signed", signed)?;
    let value = int.call_method(
        "from_bytes",
        (PyBytes::new(py, word), "big"),
        Some(&options),
    )?;
    Ok(value.str()?.to_string())
}

pub fn proof<'py>(py: Python<'py>, proof: &Container) -> Dict<'py> {
    let dict = PyDict::new(py);
    let private = proof.inputs == Inputs::Private;
    let (rows, features, outputs) = (
        proof.rows as usize,
        proof.features as usize,
        proof.outputs as usize,
    );
    // The context stands last. A network has a word for several features, and the header does not say which relation
    // it is of: whether the words are those of the key is for `verify` to say.
    let behind = rows
        .checked_mul(outputs)
        .and_then(|count| count.checked_add(1));
    let first = behind.and_then(|behind| proof.words.len().checked_sub(behind));
    let packed = features.div_ceil(assay_verifier::networks::LANES as usize);
    let of_rows = [features, packed].map(|words| rows.checked_mul(words));
    let expected = first.filter(|first| {
        if private {
            *first == 2
        } else {
            of_rows.contains(&Some(*first))
        }
    });
    let Some(first) = expected.filter(|_| outputs > 0) else {
        return Err(core_error(
            "proof/malformed",
            "the proof's header and its public words do not agree".into(),
        ));
    };
    dict.set_item("rows", rows)?;
    dict.set_item("features", features)?;
    dict.set_item("outputs", outputs)?;
    dict.set_item("scale_bits", proof.scale_bits)?;
    let words: PyResult<Vec<String>> = proof
        .words
        .iter()
        .map(|word| decimal(py, word, false))
        .collect();
    dict.set_item("public_words", words?)?;
    let integers: PyResult<Vec<Vec<String>>> = proof.words[first..proof.words.len() - 1]
        .chunks(outputs)
        .map(|row| row.iter().map(|word| decimal(py, word, true)).collect())
        .collect();
    dict.set_item("output_integers", integers?)?;
    let context = proof.words.last().map(|word| PyBytes::new(py, word));
    dict.set_item("context", context)?;
    dict.set_item("vk_digest", hex(&proof.digest))?;
    dict.set_item("srs_kind", kind_name(proof.srs))?;
    dict.set_item("body", PyBytes::new(py, &proof.body))?;
    let commitment = private.then(|| PyBytes::new(py, &proof.words[..2].concat()));
    dict.set_item("input_commitment", commitment)?;
    Ok(dict)
}

fn point<'py>(py: Python<'py>, point: &G1Affine) -> PyResult<Bound<'py, PyList>> {
    let bytes = assay_verifier::point_bytes(point);
    PyList::new(py, [hex(&bytes[..32]), hex(&bytes[32..])])
}

/// The words of a point of G2 in the precompile's order: imaginary parts first.
fn point2<'py>(py: Python<'py>, key: &[u8], _tau: &G2Affine) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, key[key.len() - 128..].chunks(32).map(hex))
}

pub fn key<'py>(py: Python<'py>, key: &VerifyingKey) -> Dict<'py> {
    let shape = &key.shape;
    let dict = PyDict::new(py);
    let bytes = key.to_bytes();
    dict.set_item("digest", hex(&key.digest()))?;
    dict.set_item("kind", shape.kind.relation().name())?;
    dict.set_item("inputs", if shape.private() { "private" } else { "public" })?;
    dict.set_item("srs_kind", kind_name(shape.srs))?;
    for (name, value) in [
        ("bits", u32::from(shape.bits)),
        ("features", shape.features),
        ("outputs", shape.outputs),
        ("scale_bits", shape.scale_bits),
        ("lane", shape.lane),
        ("lanes", shape.lanes()),
        ("output_groups", shape.output_groups()),
        ("trees", shape.trees),
        ("depth", shape.depth),
        ("stride", shape.stride),
        ("groups", shape.groups),
        ("table", shape.table),
        ("ratio", shape.ratio),
        ("limbs", shape.limbs),
        ("log_max_rows", shape.log_max_rows),
    ] {
        dict.set_item(name, value)?;
    }
    if let Some(network) = &shape.network {
        let fields = PyDict::new(py);
        fields.set_item("low_bits", network.low_bits)?;
        fields.set_item("max", network.max)?;
        fields.set_item("cell", network.cell)?;
        fields.set_item("q_shift", network.q_shift)?;
        fields.set_item("cell_base", network.cell_base)?;
        fields.set_item("slots", network.slots)?;
        fields.set_item("columns", network.columns)?;
        fields.set_item("parts", network.parts)?;
        dict.set_item("network", fields)?;
    }
    dict.set_item("block", shape.block())?;
    dict.set_item("pairs", shape.pairs())?;
    if shape.depth > 0 {
        dict.set_item("input_slots", shape.input_slots())?;
        dict.set_item("limb_base", shape.limb_base())?;
        dict.set_item("bound", shape.bound().to_string())?;
        dict.set_item("view_bits", shape.view_bits())?;
        dict.set_item("helpers", shape.helpers(0))?;
    }
    let views = PyList::empty(py);
    for (view, row) in shape.views.iter().zip(shape.input_rows()) {
        let entry = PyDict::new(py);
        entry.set_item("feature", view.feature)?;
        entry.set_item(
            "missing",
            match view.missing {
                Missing::Refuse => "refuse",
                Missing::Low => "low",
                Missing::High => "high",
                Missing::Zero => "zero",
            },
        )?;
        entry.set_item("zero_missing", view.zero_missing)?;
        entry.set_item("row", row)?;
        views.append(entry)?;
    }
    dict.set_item("views", views)?;
    let table: PyResult<Vec<_>> = key.table.iter().map(|p| point(py, p)).collect();
    dict.set_item("points", table?)?;
    dict.set_item("fixed", fixed(py, key)?)?;
    let own = key.proof.as_ref().map(|p| point(py, p)).transpose()?;
    dict.set_item("proof", own)?;
    debug_assert!(!key.tau.is_zero());
    dict.set_item("tau_g2", point2(py, &bytes, &key.tau)?)?;
    Ok(dict)
}

/// For each `log2 nb`: name and point of each fixed polynomial, with the quotient's layout.
fn fixed<'py>(py: Python<'py>, key: &VerifyingKey) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (log, points) in (0u32..).zip(&key.fixed) {
        let entry = PyDict::new(py);
        let rows = key.shape.rows(log);
        entry.set_item("rows", rows)?;
        entry.set_item("chunk", key.shape.chunk(log))?;
        entry.set_item("chunks", key.shape.chunks(log))?;
        entry.set_item("helpers", key.shape.helpers(log))?;
        entry.set_item("accumulates", key.shape.accumulates(log))?;
        let relation = key.shape.kind.relation();
        let rounds = relation.rounds(&key.shape, log);
        let mut packs = rounds.iter().flat_map(|round| &round.packs);
        entry.set_item("packs", packs.any(|pack| pack.len() > 1))?;
        let names = relation
            .fixed(&key.shape, log)
            .into_iter()
            .map(|name| name.0);
        entry.set_item("names", PyList::new(py, names)?)?;
        let points: PyResult<Vec<_>> = points.iter().map(|p| point(py, p)).collect();
        entry.set_item("points", points?)?;
        list.append(entry)?;
    }
    Ok(list)
}
