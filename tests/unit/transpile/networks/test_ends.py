"""Networks whose bounds grow from layer to layer: values end far beyond all rows seen, and the circuit says so."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import assay
from assay.transpile.networks.assemble import Fit

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
_SPEC = importlib.util.spec_from_file_location("networks_graphs", Path(__file__).parent / "graphs.py")
graphs = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(graphs)


def deep(layers, width=24):
    """Weights as they are drawn for relus, so that values keep their size and bounds do not."""
    g = graphs.Build([1, width])
    h = "x"
    for _ in range(layers):
        h = g("Relu", g("Gemm", h, g.const(g.random.normal(size=(width, width)) * (2 / width) ** 0.5)))
    return g.model(g.gemm(h, width, 3))


def recurrent(steps, width=12):
    """A recurrent network with Relu, whose step does not shrink."""
    g = graphs.Build([1, steps, 3])
    turned, _ = np.linalg.qr(g.random.normal(size=(width, width)))
    weights = g.weight(1, width, 3, fan=3), g.const(turned[np.newaxis])
    bias = g.const(g.random.normal(size=(1, 2 * width)) * 0.1)
    sequence = g("Transpose", "x", perm=[1, 0, 2])
    h = g("RNN", sequence, *weights, bias, outputs=2, take=1, hidden_size=width, activations=["Relu"])
    return g.model(g.gemm(g("Reshape", h, g.whole([1, width])), width, 1))


MODELS = {"deep": (deep(8), 24), "recurrent": (recurrent(24), 72)}


@pytest.mark.parametrize("name", MODELS)
def test_a_network_whose_bounds_grow_is_kept_and_says_where_values_end(name):
    model, size = MODELS[name]
    rows = np.random.default_rng(1).normal(size=(160, size))
    circuit = assay.transpile(model, calibration=rows[:80])
    assert all(fit["within"] for fit in circuit.meta["fidelity"]), circuit.summary()
    notes = [note for note in circuit.meta["notes"] if "4 times or more of what calibration rows" in note]
    assert notes
    assert assay.fidelity(circuit, model, rows[80:]).ok
    # Every row of the declared range has a proof, the corners too.
    corners = np.array([[getattr(f, end) * 2.0**-f.bits for f in circuit.features] for end in ("low", "high")])
    assert np.isfinite(circuit.predict(corners)).all()


def test_a_network_that_is_kept_as_it_is_has_no_ends():
    circuit = assay.transpile(deep(1), calibration=np.random.default_rng(1).normal(size=(80, 24)))
    assert not [note for note in circuit.meta["notes"] if "end at" in note]


def test_one_decision_of_a_few_rows_asks_for_more_rows():
    """One of 512 is beyond half of a thousandth, and says nothing about how many there are."""
    one = Fit(1e-4, 1e-5, 1, 512)
    assert one.undecided(5e-4)
    assert not one.keeps(5e-4)
    assert one.joined(Fit(2e-4, 1e-5, 0, 4096)).keeps(5e-4)
    assert not one.joined(Fit(2e-4, 1e-5, 4, 4096)).keeps(5e-4)
    assert not Fit(1e-3, 1e-5, 1, 512).undecided(5e-4)
    assert not Fit(1e-4, 1e-5, 9, 512).undecided(5e-4)
    assert not Fit(1e-4, 1e-5, 0, 512).undecided(5e-4)
    assert one.joined(one).typical == pytest.approx(1e-5)


def test_a_certain_class_is_certain_however_wide_the_bounds_are():
    """The largest is one of the numbers that it is taken from, so its own distance is 0 and not a rounded bias."""
    g = graphs.Build([1, 6])
    h = g("Gemm", "x", g.const(g.random.normal(size=(6, 5)) * 40), g.const(g.random.normal(size=5)))
    circuit = assay.transpile(g.model(g("Softmax", h, axis=1)), ranges=(-9, 9))
    probabilities = circuit.predict(np.random.default_rng(0).uniform(-9, 9, (400, 6)))
    assert np.median(np.abs(probabilities.max(axis=1) - 1)) < 2.0**-14
