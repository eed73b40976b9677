"""Evaluate a candidate: transpile it, compare the circuit with the model, prove a row, settle the proof."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from assay.bench.facts import Evaluation, Fidelity, Measured
from assay.bench.measure import measure
from assay.bench.timing import timed
from assay.core import files
from assay.prove.errors import CircuitRefused
from assay.prove.setup import fitting_batch, setup
from assay.transpile.api import transpile
from assay.transpile.errors import ModelError, RowsError
from assay.transpile.fidelity.fidelity import fidelity

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.bench.measurement import Measurement
    from assay.models.candidate import Candidate
    from assay.models.rows import Rows
    from assay.transpile.circuit.circuit import Circuit, Inputs

ROWS_FILE = "row.json"
RUNS = 5
_MOST_ROWS = 20_000
_MOST_NUMBERS = 2_000_000
"""In rows to compare: those of windows are wide."""


@dataclass(frozen=True)
class Job:
    """All that evaluating a candidate needs, so that it can be sent to another machine.

    Attributes
    ----------
    file, content
        The model's file: its name and its bytes.
    kind
        "trees", "linear" or "network".
    features
        Names, in order.
    wide
        Ranges of the features that are proven as 64-bit integers.
    inputs
        "public" or "private".
    known
        float32 (rows, F): rows that the fixed-point ranges of a linear model or a network are chosen from.
    rows
        Columns of the rows to compare and to prove the first of, by name; None where missing.
    max_batch
        The most rows of one proof that the keys are made for: what is measured is a proof with the keys that the
        chosen one would have.
    """

    file: str
    content: bytes
    kind: Literal["trees", "linear", "network"]
    features: tuple[str, ...]
    wide: dict[str, tuple[int, int]]
    inputs: Inputs
    known: NDArray[np.float32]
    rows: dict[str, list[Any]]
    inference_seconds: float
    max_batch: int


def job_of(candidate: Candidate, known: Rows, test: Rows, max_batch: int) -> Job:
    """Pack a provable candidate with rows that it knows and rows of the test set."""
    problem = candidate.problem
    frame = test.frame.head(max(min(_MOST_ROWS, _MOST_NUMBERS // len(problem.features)), 1))
    columns = {
        name: frame[name].to_list() if name in problem.wide else _floats(test.X[: frame.height, index])
        for index, name in enumerate(problem.features)
    }
    first = test.between(0, 1)
    candidate.fitted.predict(first)  # to warm up
    seconds = statistics.median(timed(lambda: candidate.fitted.predict(first))[0] for _ in range(RUNS))
    return Job(
        file=candidate.record.file,
        content=files.read(candidate.model_path),
        kind="trees" if candidate.summary.size is None else candidate.summary.size.kind,
        features=problem.features,
        wide={name: integer_range(known, name) for name in problem.wide},
        inputs="private" if problem.private else "public",
        known=known.X,
        rows=columns,
        inference_seconds=seconds,
        max_batch=max_batch,
    )


def integer_range(known: Rows, name: str) -> tuple[int, int]:
    """The range in which a large integer is proven: from zero, or around it, with 63 bits."""
    least: Any = known.frame[name].min()
    return (0, (1 << 63) - 1) if least is None or least >= 0 else (-(1 << 62), (1 << 62) - 1)


def evaluate(_shared: object, job: Job) -> Evaluation:
    """Do all of it; on the machine that this runs on. A model that cannot be converted is a finding.

    Raises
    ------
    ToolMissing
        The node or the compiler is not installed.
    AssayError
        Proving or settling failed.
    """
    with files.scratch() as place:
        model = place / job.file
        files.write(model, job.content)
        try:
            circuit = circuit_of(job, model)
            batch = fitting_batch(circuit.to_json(), job.max_batch)
            # Keys to measure with; they go with the folder.
            seconds, keys = timed(lambda: setup(circuit, max_batch=batch))
        except (ModelError, CircuitRefused) as error:
            return Evaluation(fidelity=Fidelity(rows=0, differing=0, ok=False, problem=str(error)), measured=None)
        found = _compare(circuit, model, job)
        if found.problem:
            return Evaluation(fidelity=found, measured=None)
        circuit.save(place)
        keys.save(place)
        files.write(place / ROWS_FILE, row_of(job))
        cost = measure(place, place / ROWS_FILE, runs=RUNS)
    return Evaluation(fidelity=found, measured=_measured(cost, seconds, job))


def _measured(cost: Measurement, setup_seconds: float, job: Job) -> Measured:
    return Measured(
        prove_seconds=cost.prove_seconds,
        first_prove_seconds=cost.first_prove_seconds,
        verify_seconds=cost.verify_seconds,
        inference_seconds=job.inference_seconds,
        memory_mb=None if cost.peak_memory_bytes is None else cost.peak_memory_bytes / 1e6,
        proof_bytes=cost.proof_bytes,
        calldata_bytes=cost.calldata_bytes,
        gas=cost.gas,
        deployment_gas=cost.deployment_gas,
        contract_bytes=cost.contract_bytes,
        proving_key_bytes=cost.proving_key_bytes,
        setup_seconds=setup_seconds,
    )


def row_of(job: Job) -> str:
    """The first row, as a file that `assay prove` reads."""
    return json.dumps({"inputs": [[job.rows[name][0] for name in job.features]]}) + "\n"


def circuit_of(job: Job, model: Path) -> Circuit:
    """The circuit of a candidate's model file; raises as `transpile` does."""
    wide: dict[str | int, tuple[int, int]] = dict(job.wide.items())
    if job.kind == "network":
        return transpile(model, calibration=_known(job), inputs=job.inputs, feature_names=list(job.features))
    return transpile(
        model,
        # A linear model's fixed-point range is that of the rows it knows; trees are exact without.
        calibration=_known(job) if job.kind == "linear" else None,
        inputs=job.inputs,
        integer_features=wide,
        feature_names=list(job.features),
        # Datasets hold float32, and nothing else is ever asked.
        precision="float32",
    )


def _known(job: Job) -> Any:
    """The known rows; large integers as whole numbers again, which float32 rounded, within their range."""
    columns: dict[str, list[Any]] = {}
    for index, name in enumerate(job.features):
        values = job.known[:, index].astype(np.float64)
        if name in job.wide:
            low, high = job.wide[name]
            columns[name] = [min(max(int(value), low), high) for value in values]
        else:
            columns[name] = values.tolist()
    return _table(job, columns)


def _compare(circuit: Circuit, model: Path, job: Job) -> Fidelity:
    rows = len(job.rows[job.features[0]])
    try:
        report = fidelity(circuit, model, _table(job, job.rows))
    except RowsError as error:
        return Fidelity(rows=rows, differing=rows, ok=False, problem=str(error))
    return Fidelity(rows=report.rows, differing=report.rows_differing, ok=report.ok)


def _table(job: Job, columns: dict[str, list[Any]]) -> Any:
    """Columns as rows: numbers as an array, or as lists where integers must stay exact."""
    listed = [columns[name] for name in job.features]
    if job.wide:
        return [list(row) for row in zip(*listed, strict=True)]
    return np.array(listed, dtype=np.float64).T


def _floats(column: NDArray[np.float32]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in column]
