"""What `assay bench` measures, on a small model with real proofs, a real compiler and a real node."""

from __future__ import annotations

import json
import subprocess
from dataclasses import fields

import pytest

import assay
from assay.bench import measure as measuring
from assay.bench import settle as settling
from assay.bench.errors import BenchError, ProvingStopped
from assay.bench.measure import measure
from assay.bench.measurement import Measurement
from assay.bench.settle import settle
from assay.bench.timing import repeated
from assay.bench.worker import peak_memory_bytes
from assay.chain.errors import ToolMissing
from assay.core.errors import NotFound
from assay.prove.errors import OtherModel
from assay.transpile.circuit.circuit import Circuit

LEAVES = [{"view": 0, "key": str(1 << 31), "left": 1, "right": 2}, {"leaf": ["-16"]}, {"leaf": ["8"]}]
SMALL = {
    "schema": "assay-circuit/1",
    "kind": "trees",
    "inputs": "public",
    "features": [{"name": "a", "kind": "float32"}],
    "views": [{"feature": 0, "missing": "low"}, {"feature": 0, "missing": "high"}],
    "outputs": ["margin"],
    "scale_bits": 4,
    "trees": [{"nodes": LEAVES}],
    "base": ["3"],
    "meta": {},
}
ROWS = [[-1.0], [None], [2.0]]


def folder_of(place, base="3", rows=ROWS):
    circuit = Circuit.from_json(json.dumps(SMALL | {"base": [base]}))
    circuit.save(place)
    keys = assay.setup(circuit, max_batch=4)
    keys.save(place)
    (place / "rows.json").write_text(json.dumps({"inputs": rows}))
    return keys


@pytest.fixture(scope="module")
def folder(cache, tmp_path_factory):
    place = tmp_path_factory.mktemp("bench")
    folder_of(place)
    return place


@pytest.fixture
def no_worker(monkeypatch):
    def started(*_arguments, **_options):
        raise AssertionError("it proved")

    monkeypatch.setattr(subprocess, "run", started)


def test_every_figure_is_measured(folder):
    steps = []
    found = measure(folder, folder / "rows.json", runs=3, progress=steps.append)
    keys = assay.Keys.load(folder)
    proof = assay.prove(keys.proving_key, [[value[0] if value[0] is not None else float("nan")] for value in ROWS])
    assert (found.rows, found.runs, found.srs) == (3, 3, "development")
    assert (found.proving_key_bytes, found.verifying_key_bytes) == (len(keys.proving_key), len(keys.verifying_key))
    assert (found.proof_bytes, found.public_inputs) == (len(proof.body), len(proof.public_inputs))
    assert found.calldata_bytes == len(proof.calldata())
    assert 0 < found.verify_seconds < found.first_prove_seconds
    assert 0 < found.prove_seconds < found.first_prove_seconds
    # An interpreter with numpy is above 10 MB; the model itself is next to nothing.
    assert 10e6 < found.peak_memory_bytes < 1e9
    # A transaction's base cost, and four pairings' worth of precompiles, are the least that this takes.
    assert 21_000 + 113_000 < found.gas < 500_000
    assert 0 < found.contract_bytes <= 24_576
    assert found.deployment_gas > 200 * found.contract_bytes
    assert steps == ["Reading the keys", "Proving", "Verifying", "Settling on a local node"]


def test_for_programs_and_for_people():
    values = {field.name: 1_000 + i for i, field in enumerate(fields(Measurement))}
    found = Measurement(**values | {"prove_seconds": 0.05123, "rows": 1, "srs": "ceremony"})
    assert json.loads(json.dumps(found.to_dict())) == values | {"prove_seconds": 0.05123, "rows": 1, "srs": "ceremony"}
    shown = str(found)
    assert shown.startswith("one proof of 1 row, median of 1,001 runs\n")
    assert "51.2 ms" in shown
    assert f"{found.gas:,}" in shown
    assert "not known" in str(Measurement(**values | {"peak_memory_bytes": None}))


def test_what_proving_refuses_arrives_with_its_code(folder, tmp_path):
    wide = tmp_path / "rows.json"
    wide.write_text(json.dumps({"inputs": [[1.0, 2.0]]}))
    with pytest.raises(BenchError) as caught:
        measure(folder, wide, runs=1)
    assert caught.value.code == "rows/width"
    assert caught.value.todo


def test_keys_that_do_not_belong_together(folder, tmp_path):
    folder_of(tmp_path, base="4")
    (tmp_path / "verifying.key").write_bytes((folder / "verifying.key").read_bytes())
    with pytest.raises(OtherModel):
        measure(tmp_path, tmp_path / "rows.json", runs=1)


def test_a_proving_process_that_ends_by_itself(folder, monkeypatch):
    monkeypatch.setattr(measuring, "_WORKER", "assay.bench.absent")
    with pytest.raises(ProvingStopped, match="No module named") as caught:
        measure(folder, folder / "rows.json", runs=1)
    assert caught.value.code == "bench/proving-stopped"


def test_nothing_starts_without_keys_runs_or_tools(folder, tmp_path, monkeypatch, no_worker):
    with pytest.raises(NotFound, match=r"proving\.key"):
        measure(tmp_path, folder / "rows.json")
    with pytest.raises(BenchError, match="runs is 0"):
        measure(folder, folder / "rows.json", runs=0)

    def absent(_name):
        raise ToolMissing("anvil is not installed.", "Install it.")

    monkeypatch.setattr(settling, "foundry_binary", absent)
    with pytest.raises(ToolMissing):
        measure(folder, folder / "rows.json")


def test_a_proof_that_the_contract_refuses_has_no_gas(folder):
    keys = assay.Keys.load(folder)
    calldata = bytearray(assay.prove(keys.proving_key, [1.0]).calldata())
    calldata[-1] ^= 1  # the last byte of the output
    with pytest.raises(BenchError, match="refused a valid proof"):
        settle(keys.verifying_key, bytes(calldata))


def test_each_run_is_timed():
    calls = []
    seconds = repeated(lambda: calls.append(1), 4)
    assert len(calls) == len(seconds) == 4
    assert all(value >= 0 for value in seconds)


def test_peak_memory_grows_with_what_is_held():
    before = peak_memory_bytes()
    held = bytearray(b"\1" * (before + 50_000_000))
    assert peak_memory_bytes() >= len(held)
