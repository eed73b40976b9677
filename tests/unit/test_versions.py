"""An artefact of a version that this release does not know is refused by its name, whatever else is in it."""

import json
from pathlib import Path

import pytest

import assay
from assay.bench.circuits import trees
from assay.bench.decision import Decision
from assay.core.errors import ArtefactVersion, AssayError
from assay.data.dataset.dataset import Dataset
from assay.models.candidate import Candidate
from assay.models.cost.cost import Calibration
from assay.models.search.front import Front
from assay.prove import srs


@pytest.fixture(scope="module")
def made():
    """A circuit, its keys and a proof."""
    circuit = trees(features=2, rules=1, count=2, depth=2)
    keys = assay.setup(circuit, max_batch=1)
    return circuit, keys, assay.prove(keys.proving_key, [0.0, 0.0])


def newer(content, name):
    """The bytes with version 99 in their first line."""
    start = content.index(name.encode() + b"/") + len(name) + 1
    return content[:start] + b"99" + content[content.index(b"\0", start) :]


def refused(action, code, *words):
    with pytest.raises(AssayError) as caught:
        action()
    assert caught.value.code == code
    assert caught.value.todo
    for word in words:
        assert word in caught.value.what


def test_circuits(made, tmp_path):
    content = made[0].to_dict() | {"schema": "assay-circuit/99", "kind": "unheard of"}
    (tmp_path / "circuit.json").write_text(json.dumps(content))
    refused(lambda: assay.Circuit.load(tmp_path), "circuit/version", "circuit.json", "assay-circuit/99")
    refused(lambda: assay.Circuit.from_json(json.dumps(content | {"schema": "else"})), "circuit/malformed")


@pytest.mark.parametrize("kind", [assay.ProvingKey, assay.VerifyingKey])
def test_envelopes_of_keys(made, kind, tmp_path):
    made[1].save(tmp_path)
    place = tmp_path / kind.FILE
    content = place.read_bytes().replace(b'"version":1', b'"version":99', 1)
    place.unlink()
    place.write_bytes(content)
    words = (str(place), kind.KIND.replace("-", " "), "99")
    refused(lambda: kind.load(place), "artefact/version", *words)


def test_keys(made, tmp_path):
    _, keys, proof = made
    verifying = assay.VerifyingKey(newer(keys.verifying_key.content, "assay-vk"), keys.verifying_key.about)
    proving = assay.ProvingKey(newer(keys.proving_key.content, "assay-pk"), keys.proving_key.about)
    words = ("verifying key", "assay-vk/99", "does not read")
    refused(lambda: assay.verify(verifying, proof), "key/version", *words)
    refused(lambda: assay.solidity(verifying), "chain/key-not-supported", *words)
    refused(lambda: assay.prove(proving, [0.0, 0.0]), "key/version", "proving key", "assay-pk/99")
    verifying.save(tmp_path / "verifying.key")  # a file that is whole, as a later release would write it
    refused(lambda: assay.verify(assay.VerifyingKey.load(tmp_path), proof), "key/version", *words)


def test_proofs(made):
    proof = made[2]
    data = newer(proof.to_bytes(), "assay-proof")
    refused(lambda: assay.Proof.from_bytes(data), "proof/version", "assay-proof/99")
    refused(lambda: assay.verify(made[1].verifying_key, assay.Proof(data)), "proof/version", "assay-proof/99")
    text = proof.to_json().replace('"assay-proof/1"', '"assay-proof/99"')
    refused(lambda: assay.Proof.from_json(text), "proof/version", "assay-proof/99")


def test_reference_strings(tmp_path):
    content = srs.generate(64).path.read_bytes()
    (tmp_path / "later.srs").write_bytes(newer(content[:12] + content[12:], "assay-srs"))
    refused(lambda: srs.read(tmp_path / "later.srs"), "srs/version", "another format version")


def test_tasks(tmp_path):
    (tmp_path / "task.toml").write_text('schema = "assay-task/99"\nunheard = "of"\n')
    refused(lambda: assay.Task.load(tmp_path), "artefact/version", "task.toml", "assay-task/99", "assay-task/1")


DOCUMENTS = {
    "manifest.json": ("assay-dataset/99", Dataset.load),
    "front.json": ("assay-front/99", Front.load),
    "decision.json": ("assay-decision/99", Decision.load),
    "candidate.json": ("assay-candidate/99", lambda folder: Candidate.load(folder, folder)),
    "calibration.json": ("assay-calibration/99", lambda folder: Calibration.load(folder / "calibration.json")),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(name, tmp_path):
    schema, load = DOCUMENTS[name]
    (tmp_path / name).write_text(json.dumps({"schema": schema, "unheard": "of"}))
    refused(lambda: load(Path(tmp_path)), ArtefactVersion.code, name, schema)
