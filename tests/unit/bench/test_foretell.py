"""What is said of time, memory, gas and size before keys are made."""

import pytest

import assay
from assay.bench import circuits, foretell
from assay.bench.foretell import UNMEASURED
from assay.models.cost.cost import Calibration, Point
from assay.prove import setup as setting_up
from assay.prove.errors import CircuitRefused


def test_a_network_is_foretold_by_its_design_and_its_key_by_its_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(foretell, "cache_path", lambda _: tmp_path / "none.json")
    for size in ({"features": 30, "hidden": (64, 64)}, {"features": 10, "hidden": (32,), "steps": 24, "smooth": True}):
        circuit = circuits.network(**size)
        found = foretell.foretell(circuit, max_batch=1)
        assert (found.measured, found.batch) == (False, 1)
        assert found.cost is not None
        assert "not measured on this machine" in str(found)
        assert found.key_bytes == pytest.approx(len(assay.setup(circuit, max_batch=1).proving_key), rel=0.25)
        assert found.to_dict()["cost"]["gas"] == found.cost.gas


def test_a_calibration_of_this_machine_is_used_where_there_is_one(monkeypatch, tmp_path):
    circuit = circuits.network(features=4, hidden=(8,))
    size = circuits.size_of(circuit)
    points = tuple(
        Point(size=one, prove_seconds=0.5, memory_mb=70.0, setup_seconds=0.2, gas=270_000) for one in (size,) * 3
    )
    path = tmp_path / "calibration.json"
    Calibration(
        schema="assay-calibration/1",
        machine="here",
        version="0",
        prover="0",
        inputs="public",
        unrolled_entries=96,
        points=points,
    ).save(path)
    monkeypatch.setattr(foretell, "cache_path", lambda _: path)
    found = foretell.foretell(circuit)
    assert found.measured
    assert found.cost.prove_seconds == pytest.approx(0.5)
    assert "500 ms, 70 MB and 270,000 gas" in str(found)
    # It has no trees, so nothing is said of them.
    assert UNMEASURED in str(foretell.foretell(circuits.trees(features=3, rules=1, count=1, depth=1)))


def test_what_cannot_fit_into_memory_is_refused_with_the_figures(monkeypatch):
    monkeypatch.setattr(setting_up, "memory", lambda: 100_000)
    with pytest.raises(
        CircuitRefused, match=r"powers of the reference string and has a matrix of .*, so at least .* GB .* has 0.0 GB"
    ):
        assay.setup(circuits.network(features=4, hidden=(8,)), max_batch=1)
