"""Decide: the front's candidates are proven and verified, judged once on the test rows, and one is chosen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from assay.bench.calibrate import machine, prover
from assay.bench.choose import ACCURACY, FIDELITY, amounts_of, choose
from assay.bench.decision import Decision, Row, basis_of
from assay.bench.errors import FrontOutdated
from assay.bench.evaluate import ROWS_FILE, Evaluation, circuit_of, evaluate, job_of, row_of
from assay.bench.measurements import Measurements
from assay.bench.settle import require_tools
from assay.core import files
from assay.core.hashing import digest
from assay.models.candidate import Candidate
from assay.models.cost.economics import latency, limits_of, usd_per_inference
from assay.models.families.registry import EXISTING
from assay.models.metrics import improvement
from assay.models.rows import joined, rows_of
from assay.models.search.explore import FOLDER
from assay.models.search.trial import judge
from assay.models.search.workers import workers as crew_of
from assay.prove.setup import setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.bench.evaluate import Job
    from assay.data.dataset.dataset import Dataset
    from assay.models.search.front import Front
    from assay.task.task import Task

CHOSEN = "chosen"


def decide(
    task: Task,
    dataset: Dataset,
    front: Front,
    out: Path,
    project: Path,
    *,
    ray: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Decision:
    """Prove the candidates of the front, judge all on the test rows, and choose.

    Proofs are measured one at a time: side by side they would disturb each other's times. What was measured
    is kept, so that a decision that was interrupted goes on, and one with other limits is made at once.

    Parameters
    ----------
    task
        With the limits.
    dataset
        Its test rows are looked at here, and nowhere else.
    front
        Of the exploration.
    out
        Folder for `decision.json`, the measurements, and `chosen`: circuit and keys of the chosen one.
    project
        The project's folder; the candidates are in its `candidates`.
    ray
        Address of a Ray cluster whose machines prove, each one candidate at a time.
    progress
        Is told what happens next.

    Returns
    -------
    Decision
        With `chosen` None if no candidate meets every limit.

    Raises
    ------
    FrontOutdated
        The front is of another dataset.
    ToolMissing
        The node or the compiler is not installed.
    AssayError
        A candidate cannot be read, converted or proven; what was measured is kept.
    """
    step = progress or (lambda _: None)
    if front.dataset != dataset.hash:
        raise FrontOutdated("the candidates are of another dataset than the one here", "Run `assay explore` again.")
    require_tools()
    place = Path(out)
    listed = [*front.best, *front.references]
    candidates = [Candidate.load(project / FOLDER / one.id, project) for one in listed]
    known, test = joined([rows_of(dataset, "train"), rows_of(dataset, "validation")]), rows_of(dataset, "test")
    measurements = Measurements.load(place)
    jobs = {one.id: job_of(one, known, test) for one in candidates if one.summary.provable}
    found = _evaluations(jobs, measurements, place, step, ray=ray)
    step("Judging the candidates on the test rows")
    metrics = {one.id: judge(one.problem, one.fitted, test, past=known) for one in candidates}
    looks = measurements.look(dataset.hash, [_model(one) for one in candidates if one.summary.provable])
    measurements.save(place)
    base = next(metrics[one.id][task.metric] for one in candidates if one.summary.family == EXISTING)
    rows = [_row(task, one, metrics[one.id], base, found.get(one.id)) for one in candidates]
    rows.sort(key=lambda row: (not row.provable, row.usd_per_inference, row.id))
    choice = choose(task, rows, front)
    decision = Decision(
        schema="assay-decision/1",
        dataset=dataset.hash,
        study=front.study,
        metric=task.metric,
        rows=tuple(rows),
        test_rows=len(test),
        test_looks=looks,
        basis=basis_of(task),
        **vars(choice),
    )
    if looks > 1:
        decision = decision.model_copy(update={"reasons": (*decision.reasons, _seen(looks))})
    if choice.chosen is not None:
        step("Writing circuit and keys of the chosen candidate")
        chosen = next(one for one in candidates if one.id == choice.chosen)
        _keep_chosen(jobs[chosen.id], chosen.model_path, place / CHOSEN)
    else:
        # What an earlier decision chose must not be taken for this one's.
        shutil.rmtree(place / CHOSEN, ignore_errors=True)
    decision.save(place)
    return decision


def _evaluations(
    jobs: dict[str, Job], kept: Measurements, place: Path, step: Callable[[str], None], *, ray: str | None
) -> dict[str, Evaluation]:
    """Prove those that were not measured yet on this machine."""
    keys = {name: _key(job) for name, job in jobs.items()}
    found = {name: kept.measured[key] for name, key in keys.items() if key in kept.measured}
    open_ = [name for name in jobs if name not in found]
    with crew_of(None, ray=ray) as crew:
        total = len(open_)
        if open_:
            step(f"Proving {open_[0]} (1 of {total})")
        for done, (number, result) in enumerate(crew.run(evaluate, [jobs[name] for name in open_]), 1):
            found[open_[number]] = kept.measured[keys[open_[number]]] = result
            kept.save(place)
            if done < total:
                step(f"Proving {open_[done]} ({done + 1} of {total})")
    return found


def _row(task: Task, one: Candidate, test: dict[str, float], base: float, found: Evaluation | None) -> Row:
    measured = found.measured if found else None
    gas, seconds = (measured.gas, measured.prove_seconds) if measured else (0, 0.0)
    gain = improvement(task.metric, test[task.metric], base)
    known = abs(gain) != float("inf")
    row = Row(
        id=one.id,
        family=one.summary.family,
        title=one.summary.title,
        provable=one.summary.provable,
        cv=one.summary.cv.mean,
        test=test,
        improvement=gain if known else None,
        fidelity=found.fidelity if found else None,
        measured=measured,
        usd_per_inference=usd_per_inference(task.value, gas=gas, prove_seconds=seconds) if measured else 0.0,
        latency_blocks=latency(
            task.protocol, inference_seconds=measured.inference_seconds if measured else 0.0, prove_seconds=seconds
        ),
        meets={},
    )
    return row.model_copy(update={"meets": _meets(task, row, gain)})


def _meets(task: Task, row: Row, gain: float) -> dict[str, bool]:
    """Each limit that the task sets, `gain` over the existing process; what was not measured does not meet it."""
    if not row.provable:
        return {}
    found = amounts_of(row)
    meets = {name: name in found and found[name] <= limit for name, limit in limits_of(task).items()}
    if task.limits.better_than_existing is not None:
        meets[ACCURACY] = gain >= task.limits.better_than_existing
    return meets | {FIDELITY: row.fidelity is not None and row.fidelity.ok}


def _keep_chosen(job: Job, model: Path, folder: Path) -> None:
    """Circuit and keys of the chosen one, and a row, for `assay prove`, `assay solidity` and `assay bench`."""
    circuit = circuit_of(job, model)
    keys = setup(circuit, max_batch=1)
    with files.folder(folder) as place:
        circuit.save(place)
        keys.save(place)
        files.write(place / ROWS_FILE, row_of(job))


def _key(job: Job) -> str:
    """What a measurement follows from: the model, the rows, the machine and the prover."""
    rows = json.dumps([job.rows, job.features, job.wide, job.inputs])
    parts = [digest(job.content), digest(rows.encode()), digest(job.known.tobytes()), machine(), prover()]
    return digest("\n".join(parts).encode())[:32]


def _model(one: Candidate) -> str:
    """What a model follows from, the rows apart: its file's bytes change from one training to the next."""
    return digest(json.dumps([one.summary.family, one.summary.params, one.record.seed], sort_keys=True).encode())


def _seen(looks: int) -> str:
    return (
        f"These test rows have been looked at by {looks} decisions on different candidates, so they are no longer "
        "unseen: the figures flatter a little."
    )
