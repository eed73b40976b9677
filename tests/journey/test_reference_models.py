"""The reference models, where they are at hand: the whole walk, against the outputs of their own runtimes."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(os.environ.get("ASSAY_REFERENCE_MODELS", Path(__file__).parents[3] / "shared" / "models" / "trees"))
MODELS = sorted(path.parent for path in FOLDER.glob("*/expected.json"))


def test_the_reference_models_are_at_hand():
    if not MODELS:
        pytest.skip(f"no reference models in {FOLDER}; set ASSAY_REFERENCE_MODELS to run these tests")
    assert len(MODELS) >= 4


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_the_walk(folder, tmp_path, assay_command):
    (model,) = folder.glob("model.*")
    rows, circuit, proof = folder / "inputs.json", tmp_path / "circuit", tmp_path / "proof.json"
    for arguments in (
        ("transpile", model, "--out", circuit),
        ("check", circuit, "--model", model, "--input", rows),
        ("prove", circuit, "--input", rows, "--out", proof),
        ("verify", circuit, proof),
        ("solidity", circuit, "--out", tmp_path / "Verifier.sol"),
    ):
        done = assay_command(*arguments)
        assert (done.code, done.err) == (0, ""), arguments
    shown = np.array(json.loads(proof.read_text())["outputs"])
    expected = np.array(json.loads((folder / "expected.json").read_text())["outputs"])
    assert np.allclose(shown, expected, rtol=1e-5, atol=1e-5)
    assert np.array_equal(_classes(shown), _classes(expected))


def _classes(margins):
    return margins.argmax(axis=1) if margins.shape[1] > 1 else margins[:, 0] > 0
