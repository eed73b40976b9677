"""A reference network, where it is at hand: the whole walk by command, against onnxruntime's outputs."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SHARED = Path(os.environ.get("ASSAY_SHARED", Path(__file__).parents[3] / "shared")) / "models" / "nets"


@pytest.mark.parametrize("inputs", ["public", "private"])
def test_the_walk(inputs, tmp_path, assay_command):
    folder = SHARED / "mlp_30_64_64_1"
    if not folder.is_dir():
        pytest.skip(f"no reference models at {SHARED}")
    model, rows = folder / "model.onnx", folder / "inputs.json"
    few, circuit, proof = tmp_path / "few.json", tmp_path / "circuit", tmp_path / "proof.json"
    few.write_text(json.dumps({"inputs": json.loads(rows.read_text())["inputs"][:3]}))
    for arguments in (
        ("transpile", model, "--out", circuit, "--calibration", rows, "--inputs", inputs, "--max-batch", "4"),
        ("check", circuit, "--model", model, "--input", rows),
        ("prove", circuit, "--input", few, "--out", proof),
        ("verify", circuit, proof),
    ):
        done = assay_command(*arguments)
        assert (done.code, done.err) == (0, ""), arguments
    shown = np.array(json.loads(proof.read_text())["outputs"])
    expected = np.array(json.loads((folder / "expected.json").read_text())["outputs"])
    assert np.abs(shown - expected[:3]).max() <= 1e-3 * (expected.max() - expected.min())
