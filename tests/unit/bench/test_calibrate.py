"""The calibration is measured with real proofs, kept, and predicts circuits that it has not seen."""

import fcntl
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

import assay
from assay.bench import calibrate, circuits
from assay.bench.calibrate import Sample, cache_path, calibration, measure_calibration, samples
from assay.bench.measure import measure
from assay.models.cost.cost import Calibration

SMALL = [
    Sample(circuits.trees(features=4, rules=2, count=2, depth=2), settled=True),
    Sample(circuits.trees(features=20, rules=1, count=20, depth=3), settled=True),
    Sample(circuits.linear(features=6), settled=True),
    Sample(circuits.network(features=4, hidden=(8,)), settled=True),
    Sample(circuits.linear(features=40), settled=False),
]


@pytest.fixture(scope="module")
def measured(cache):
    return measure_calibration(SMALL, inputs="public", runs=3)


def test_every_figure_is_of_a_real_proof(measured):
    assert [point.size for point in measured.points] == [circuits.size_of(sample.circuit) for sample in SMALL]
    assert all(0 < point.prove_seconds < 30 and 10 < point.memory_mb < 1000 for point in measured.points)
    assert [point.gas is None for point in measured.points] == [False, False, False, False, True]
    assert all(100_000 < point.gas < 1_000_000 for point in measured.points[:4])


def test_it_predicts_the_gas_and_memory_of_a_circuit_it_has_not_seen(measured, tmp_path):
    circuit = circuits.trees(features=12, rules=1, count=8, depth=3)
    keys = assay.setup(circuit, max_batch=1)
    circuit.save(tmp_path)
    keys.save(tmp_path)
    (tmp_path / "rows.json").write_text('{"inputs": [[' + ", ".join(["0.25"] * 12) + "]]}")
    found, predicted = measure(tmp_path, tmp_path / "rows.json", runs=1), measured.predict(circuits.size_of(circuit))
    assert predicted.gas == pytest.approx(found.gas, rel=0.05)
    assert predicted.memory_mb == pytest.approx(found.peak_memory_bytes / 1e6, rel=0.25)


def test_it_is_measured_once_a_machine_and_release(measured, monkeypatch, tmp_path):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    calls = []

    def counted(chosen, *, inputs, progress):
        calls.append((len(chosen), inputs))
        return measured

    monkeypatch.setattr(calibrate, "measure_calibration", counted)
    assert calibration() == calibration() == measured
    assert calls == [(24, "public")]
    assert cache_path("public").is_file()
    calibration(inputs="private")
    assert calls[1:] == [(19, "private")]
    monkeypatch.setattr(calibrate, "prover", lambda: "another build")
    calibration()
    assert len(calls) == 3
    cache_path("public").write_text("damaged")
    calibration()
    calibration(again=True)
    assert len(calls) == 5
    assert Calibration.load(cache_path("public")) == measured


def test_two_processes_do_not_measure_each_other(measured, monkeypatch, tmp_path):
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(calibrate, "measure_calibration", None)
    path, waiting = cache_path("public"), Event()
    path.parent.mkdir(parents=True)
    with path.with_suffix(".lock").open("w") as other, ThreadPoolExecutor() as pool:
        fcntl.flock(other, fcntl.LOCK_EX)
        found = pool.submit(calibration, progress=lambda said: "Waiting" in said and waiting.set())
        assert waiting.wait(60)
        measured.save(path)
        fcntl.flock(other, fcntl.LOCK_UN)
        assert found.result() == measured


def test_samples_differ_in_everything_that_counts():
    sizes = [circuits.size_of(sample.circuit) for sample in samples("public")]
    for name in ("kind", "features", "views", "outputs", "trees", "depth", "nodes", "wide"):
        assert len({getattr(size, name) for size in sizes}) > 1, name
    hidden = [circuits.size_of(sample.circuit) for sample in samples("private")]
    assert {(size.kind, size.private) for size in hidden} == {("trees", True), ("network", True)}
