from __future__ import annotations

import json

import numpy as np
import pytest

import assay
from assay.transpile.circuit.evaluate import trace

MODELS = ["lgbm_sp500", "xgb_100x6", "xgb_50x4", "xgb_wine_3class"]


@pytest.mark.parametrize("name", MODELS)
def test_margins_are_the_expected_ones(name, reference_models, ulps):
    folder = reference_models / name
    (path,) = folder.glob("model.*")
    circuit = assay.transpile(path)
    X = json.loads((folder / "inputs.json").read_text())["inputs"]
    expected = np.array(json.loads((folder / "expected.json").read_text())["outputs"])
    leaves = trace(circuit, *circuit.encode(X))
    values = [tree.leaf[leaves[:, i]] * 2.0**-circuit.scale_bits for i, tree in enumerate(circuit.trees)]
    base = np.ldexp(np.array([circuit.base], dtype=np.float64), -circuit.scale_bits)
    size = np.abs(base) + np.abs(values).sum(axis=0)
    got = circuit.predict(X)
    if name.startswith("xgb"):
        # The library adds in float32; in its order our leaves give its margins bit for bit.
        running = base.astype(np.float32)
        for value in values:
            running = running + value.astype(np.float32)
        assert (running == expected).all()
    else:
        assert ulps(got, expected, size).max() <= 2
    assert ulps(got, expected, size).max() <= 4
    if expected.shape[1] > 1:
        assert (got.argmax(axis=1) == expected.argmax(axis=1)).all()
    else:
        assert ((got > 0) == (expected > 0)).all()


@pytest.mark.parametrize("name", MODELS)
def test_every_leaf_at_every_threshold(name, reference_models, make_rows):
    pytest.importorskip("lightgbm" if name.startswith("lgbm") else "xgboost")
    (path,) = (reference_models / name).glob("model.*")
    circuit = assay.transpile(path)
    report = assay.fidelity(circuit, path, make_rows(circuit, 3000))
    assert report.ok, str(report)
    assert report.leaf_disagreements == 0
