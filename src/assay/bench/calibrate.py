"""Calibrate: what do small proofs cost on this machine? Measured once a machine and release, then cached.

Predicted costs (`assay.models.cost.cost`) come from here. Every figure is that of a real proof, and every gas that
of a real transaction to the generated verifier on a local node.
"""

from __future__ import annotations

import math
import os
import platform
import statistics
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

import assay
from assay.bench import circuits
from assay.bench.measure import prove_apart
from assay.bench.settle import require_tools, settle_each
from assay.bench.timing import timed
from assay.bench.worker import PROOF_FILE
from assay.chain.context import UNROLLED_ENTRIES
from assay.core import files
from assay.core.errors import ArtefactVersion, NotFound
from assay.core.hashing import digest
from assay.models.cost.cost import Calibration, Point
from assay.models.errors import CalibrationDamaged
from assay.prove.proof import Proof
from assay.prove.setup import required_degree, setup
from assay.prove.srs import cache_folder, for_degree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from assay.prove.keys import Keys
    from assay.transpile.circuit.circuit import Circuit

Inputs = Literal["public", "private"]

RUNS = 10
TURNS = 2
_FEW, _SECONDS = 3, 1.0
_ROWS_FILE = "rows.json"


def calibration(
    *,
    inputs: Inputs = "public",
    again: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Calibration:
    """The calibration of this machine, release and native module: from the cache, or measured now.

    Parameters
    ----------
    inputs
        Whether the rows of proofs are public or private.
    again
        Measure even if there is one in the cache.
    progress
        Is told what happens next.

    Raises
    ------
    ToolMissing
        The node or the compiler is not installed.
    StorageError
        The cache folder cannot be written to.
    AssayError
        A proof failed.
    """
    path = cache_path(inputs)
    if not again and (known := _kept(path)) is not None:
        return known
    with _alone(path, progress or (lambda _: None)):
        if not again and (known := _kept(path)) is not None:
            return known
        found = measure_calibration(samples(inputs), inputs=inputs, progress=progress)
        found.save(path)
    return found


def _kept(path: Path) -> Calibration | None:
    try:
        return Calibration.load(path)
    except (NotFound, ArtefactVersion, CalibrationDamaged):
        return None


@contextmanager
def _alone(path: Path, step: Callable[[str], None]) -> Iterator[None]:
    """One process at a time: two would measure each other, and the second reads what the first has found."""
    import fcntl

    lock = path.with_suffix(".lock")
    with files.translated(lock, "write"):
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step("Waiting for another process, which calibrates")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cache_path(inputs: Inputs) -> Path:
    """Where the calibration of this machine, release and native module is kept."""
    name = digest(f"{machine()}|{assay.__version__}|{prover()}|{inputs}".encode())[:16]
    return cache_folder().parent / "calibration" / f"{inputs}-{name}.json"


@dataclass(frozen=True)
class Sample:
    """A circuit to measure, and whether its gas is measured too: compiling a contract takes seconds."""

    circuit: Circuit
    settled: bool


def measure_calibration(
    chosen: list[Sample], *, inputs: Inputs, runs: int = RUNS, progress: Callable[[str], None] | None = None
) -> Calibration:
    """Prove one row of each circuit, alone and in turn; then settle on a local node; raises as `calibration`."""
    step = progress or (lambda _: None)
    require_tools()
    made: list[_Made] = []
    found: list[list[_Proven]] = [[] for _ in chosen]
    for turn in range(TURNS):
        for number, sample in enumerate(chosen):
            count = turn * len(chosen) + number + 1
            step(f"Calibrating, once on this machine: proof {count} of {TURNS * len(chosen)}")
            if turn == 0:
                made.append(_make(sample.circuit))
            found[number].append(_prove(made[number], _count(found[number], runs)))
    # A slow moment of the machine is not taken for what a circuit costs.
    proven = [min(turns, key=lambda one: one.times["prove_seconds"]) for turns in found]
    step("Calibrating, once on this machine: gas on a local node")
    gas = _gas([one if sample.settled else None for sample, one in zip(chosen, proven, strict=True)])
    points = [
        Point(size=circuits.size_of(sample.circuit), gas=spent, **one.times)
        for sample, one, spent in zip(chosen, proven, gas, strict=True)
    ]
    return Calibration(
        schema="assay-calibration/1",
        machine=machine(),
        version=assay.__version__,
        prover=prover(),
        inputs=inputs,
        unrolled_entries=UNROLLED_ENTRIES,
        points=tuple(points),
    )


def samples(inputs: Inputs) -> list[Sample]:
    """Circuits that differ in everything that a cost depends on, each small enough for a second or two."""
    private = inputs == "private"
    found = [Sample(circuits.trees(**size, private=private), settled) for settled, size in _TREES]  # type: ignore[arg-type]
    found += [Sample(circuits.network(**size, private=private), settled) for settled, size in _NETWORKS]  # type: ignore[arg-type]
    if private:
        return found  # linear models are proven with public inputs only
    return found + [Sample(circuits.linear(features=f, outputs=k), settled) for settled, f, k in _LINEAR]


# Beside each: what it is there for.
_TREES: tuple[tuple[bool, dict[str, int | bool]], ...] = (
    (True, {"features": 5, "rules": 2, "count": 1, "depth": 1}),  # the smallest
    (False, {"features": 8, "rules": 2, "count": 12, "depth": 3}),
    (True, {"features": 20, "rules": 2, "count": 25, "depth": 4}),  # more entries
    (True, {"features": 20, "rules": 1, "count": 60, "depth": 4}),  # fewer limbs
    (False, {"features": 20, "rules": 2, "count": 100, "depth": 4}),
    (True, {"features": 10, "rules": 1, "count": 300, "depth": 3}),  # more chunks: the witness is the longest
    (False, {"features": 40, "rules": 2, "count": 100, "depth": 6}),
    (False, {"features": 25, "rules": 1, "count": 180, "depth": 6}),  # the largest table
    (True, {"features": 70, "rules": 2, "count": 40, "depth": 5}),  # the contract loops over entries
    (True, {"features": 120, "rules": 1, "count": 10, "depth": 3, "outputs": 3}),  # and over features
    (True, {"features": 10, "rules": 1, "count": 40, "depth": 4, "outputs": 7}),  # two groups of outputs
    (True, {"features": 12, "rules": 1, "count": 20, "depth": 4, "wide": True}),  # more limbs
)
_NETWORKS: tuple[tuple[bool, dict[str, int | bool | tuple[int, ...]]], ...] = (
    (True, {"features": 4, "hidden": (8,)}),  # the smallest
    (False, {"features": 30, "hidden": (64,)}),  # a matrix of the size of the table
    (True, {"features": 30, "hidden": (64, 64)}),  # more words on chain
    (False, {"features": 60, "hidden": (128, 64), "outputs": 3}),  # a large matrix
    (False, {"features": 20, "hidden": (16,), "smooth": True}),  # a longer table
    (True, {"features": 10, "hidden": (32,), "steps": 24, "outputs": 5, "smooth": True}),  # more rows
    (True, {"features": 10, "hidden": (64,), "steps": 36, "smooth": True}),  # the most rows, and a chunk more
)
_LINEAR = ((True, 4, 1), (True, 30, 1), (False, 100, 3), (True, 10, 3), (True, 120, 1))


@dataclass(frozen=True)
class _Made:
    """A circuit with its keys, and the seconds that those took."""

    circuit: Circuit
    keys: Keys
    setup_seconds: float


@dataclass(frozen=True)
class _Proven:
    """A proof, its keys, and the costs but gas."""

    keys: Keys
    proof: Proof
    times: dict[str, float]


def _make(circuit: Circuit) -> _Made:
    for_degree(required_degree(circuit.to_json(), 1))  # makes it, if there is none that is large enough
    seconds, keys = timed(lambda: setup(circuit, max_batch=1))
    return _Made(circuit, keys, seconds)


def _count(before: list[_Proven], runs: int) -> int:
    """How many proofs are timed: few at first, then as many as take a second, since long ones stray less."""
    few = min(runs, _FEW)
    if not before:
        return few
    return min(runs, max(few, math.ceil(_SECONDS / before[0].times["prove_seconds"])))


def _prove(made: _Made, runs: int) -> _Proven:
    circuit, keys = made.circuit, made.keys
    with files.scratch() as place:
        circuit.save(place)
        keys.save(place)
        row = np.zeros((1, len(circuit.features)), dtype=np.int64 if circuit.bits > 32 else np.float32)
        files.write(place / _ROWS_FILE, f'{{"inputs": [{row[0].tolist()}]}}')
        found = prove_apart(place, place / _ROWS_FILE, runs, place)
        proof = Proof.from_bytes(files.read(place / PROOF_FILE))
    times = {
        "prove_seconds": statistics.median(found["seconds"]),
        "memory_mb": (found["peak_memory_bytes"] or 0) / 1e6,
        "setup_seconds": made.setup_seconds,
    }
    return _Proven(keys, proof, times)


def _gas(proven: Sequence[_Proven | None]) -> list[int | None]:
    """Gas of each that is there. Compilers and nodes are processes: two at a time is what a small machine holds."""
    places = [place for place, one in enumerate(proven) if one is not None]
    halves = [places[0::2], places[1::2]]
    sent = [[(one.keys.verifying_key, one.proof.calldata()) for p in half if (one := proven[p])] for half in halves]
    with ThreadPoolExecutor(max_workers=len(halves)) as pool:
        settled = pool.map(settle_each, sent)
    found = {
        place: one.gas
        for half, ones in zip(halves, settled, strict=True)
        for place, one in zip(half, ones, strict=True)
    }
    return [found.get(place) for place in range(len(proven))]


@cache
def machine() -> str:
    """Processor, cores and system."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


@cache
def prover() -> str:
    """Hash of the native module's file."""
    from importlib.util import find_spec

    place = find_spec("assay._core")
    return digest(files.read(place.origin))[:16] if place is not None and place.origin else "absent"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()
