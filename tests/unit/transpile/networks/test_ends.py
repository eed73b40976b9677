"""Networks whose bounds grow from layer to layer: values end far beyond all rows seen, and the circuit says so."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import assay
from assay.transpile.flow.functions import IDENTITY, RELU, Function
from assay.transpile.networks.assemble import Fit
from assay.transpile.networks.tables import beyond

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
_SPEC = importlib.util.spec_from_file_location("networks_graphs", Path(__file__).parent / "graphs.py")
graphs = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(graphs)


def recurrent(steps, width=12):
    """A recurrent network with Relu, whose step does not shrink."""
    g = graphs.Build([1, steps, 3])
    turned, _ = np.linalg.qr(g.random.normal(size=(width, width)))
    weights = g.weight(1, width, 3, fan=3), g.const(turned[np.newaxis])
    bias = g.const(g.random.normal(size=(1, 2 * width)) * 0.1)
    sequence = g("Transpose", "x", perm=[1, 0, 2])
    h = g("RNN", sequence, *weights, bias, outputs=2, take=1, hidden_size=width, activations=["Relu"])
    return g.model(g.gemm(g("Reshape", h, g.whole([1, width])), width, 1))


MODELS = {"deep": (graphs.deep(8), 24), "recurrent": (recurrent(24), 72)}


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


WIDTH = 12


@pytest.fixture(scope="module")
def far():
    """A deep network that needs ends, with one value that only rows far along the diagonal have, and its circuit."""
    model = graphs.deep(8, WIDTH, far=400.0)
    return model, assay.transpile(model, calibration=np.random.default_rng(1).normal(size=(80, WIDTH)))


def spread(circuit, count):
    """Rows from the middle to the corner of the declared range, each a little aside."""
    high = np.array([f.high * 2.0**-f.bits for f in circuit.features])
    rows = np.linspace(0, 1, count)[:, np.newaxis] * high
    return np.clip(rows + np.random.default_rng(5).normal(size=rows.shape) * 0.1, -high * 0.99, high * 0.99)


def test_rows_that_reach_an_end_are_those_that_the_model_says_otherwise_of(far):
    model, circuit = far
    rows = spread(circuit, 200)
    ended = circuit.ended(rows)
    assert 20 < len(ended) < 100
    assert not circuit.ended(np.random.default_rng(2).uniform(-2, 2, (2000, WIDTH)))
    inside = np.delete(np.arange(len(rows)), ended)
    kept = assay.fidelity(circuit, model, rows[inside])
    assert (kept.ok, kept.rows_ended, kept.drawn_ended) == (True, 0, 0)
    assert "values end" not in str(kept)
    beyond = assay.fidelity(circuit, model, rows[ended])
    assert (beyond.ok, beyond.rows_ended, beyond.to_dict()["drawn_ended"]) == (False, len(ended), 0)
    assert f"for {len(ended)} of {len(ended)} rows, 0 of 10000 drawn" in str(beyond)
    assert beyond.error_share > 0.5
    # A layer whose bounds no longer go as far as its end, since what it reads ends, is no note.
    notes = [note for note in circuit.meta["notes"] if " end at " in note]
    found = [[float(note.split(mark)[1].split()[0].strip(";,")) for mark in (" end at ", "up to ")] for note in notes]
    assert found
    assert all(end < reach for end, reach in found)


def test_a_clip_of_the_model_s_own_beside_an_end_of_the_same_size_is_none(far):
    _, circuit = far
    tables = {table.name: table for table in circuit.network.tables}
    assert tables["relu up to 64"].ends
    assert not tables["clip(0, 64)"].ends
    assert [name for name, table in tables.items() if table.ends] == ["relu up to 64"]
    # Rows that reach the clip and no end.
    row = np.zeros((2, WIDTH))
    row[0, 0], row[1, 1] = 3.9, 3.7
    assert circuit.ended(row) == []


def test_rust_and_python_name_the_same_rows(far):
    _, circuit = far
    keys = assay.setup(circuit, max_batch=16)
    rows = spread(circuit, 16)
    proof = assay.prove(keys.proving_key, rows)
    assert assay.verify(keys.verifying_key, proof)
    assert list(proof.ended) == circuit.ended(rows) != []
    assert np.array_equal(proof.outputs, circuit.predict(rows))
    again = assay.Circuit.from_json(circuit.to_json())
    assert again.network.tables[1].ends == circuit.network.tables[1].ends
    assert again.ended(rows) == circuit.ended(rows)


def table_of(function, bits, low, high, low_bits=4):
    """Each argument's value and whether it is of an end."""
    runs = beyond(function, bits, (low, high), low_bits)
    places = np.arange(low << low_bits, high << low_bits)
    reached = np.zeros(len(places), dtype=bool)
    for first, behind in runs:
        reached |= (places >> low_bits >= first) & (places >> low_bits < behind)
    return np.ldexp(places.astype(float), -bits), reached


ENDING = [Function(name) for name in ("abs", "gelu", "square", "exp", "sinh", "sin", "softplus")]


@pytest.mark.parametrize("function", [IDENTITY, RELU, Function("leaky_relu", (0.1,)), *ENDING], ids=str)
@pytest.mark.parametrize("end", [0.25, 4.0, 16.0])
def test_the_ends_of_a_table_are_where_the_function_goes_beyond(function, end):
    points, reached = table_of(function.ended(end), 8, -200, 200)
    values = function(points)
    # Every argument beyond is of an end, and one that is not beyond only in a segment with others.
    assert reached[np.abs(values) > end].all()
    beside = (np.abs(values) > end).reshape(-1, 16).any(axis=1)
    before = reached.reshape(-1, 16).any(axis=1)
    assert not before[~(beside | np.roll(beside, 1) | np.roll(beside, -1))].any()
    assert beyond(function, 8, (-200, 200), 4) == ()


def test_an_ended_function_is_another_than_a_clip_of_the_same_numbers():
    assert IDENTITY.ended(64.0) != Function("clip", (-64.0, 64.0))
    assert RELU.ended(64.0) != Function("clip", (0.0, 64.0))
    assert Function("clip", (0.0, 64.0)).clips == RELU.ended(64.0).clips == (0.0, 64.0)
    assert IDENTITY.ended(64.0).clips == (-64.0, 64.0)
    for one in (IDENTITY.ended(64.0), RELU.ended(64.0)):
        assert one.one_step
        assert not one.homogeneous


def test_a_network_that_is_kept_as_it_is_has_no_ends():
    circuit = assay.transpile(graphs.deep(1), calibration=np.random.default_rng(1).normal(size=(80, 24)))
    assert not [note for note in circuit.meta["notes"] if "end at" in note]
    assert not any(table.ends for table in circuit.network.tables)
    assert '"ends"' not in circuit.to_json()


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
