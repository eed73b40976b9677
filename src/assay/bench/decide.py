"""Decide: the front's candidates are proven and verified, judged once on the test rows, and one is chosen."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.bench import history
from assay.bench.calibrate import machine, prover
from assay.bench.choose import choose
from assay.bench.decision import CHOSEN, Decision, Row, basis_of
from assay.bench.errors import FrontOutdated
from assay.bench.evaluate import ROWS_FILE, circuit_of, evaluate, job_of, row_of
from assay.bench.evidence import evidence, judged, net
from assay.bench.limits import meets
from assay.bench.measurements import Measurements
from assay.bench.settle import require_tools
from assay.core import files
from assay.core.errors import AssayError
from assay.core.hashing import digest
from assay.core.workers import workers as crew_of
from assay.models.candidate import Candidate
from assay.models.cost.economics import latency, usd_per_inference
from assay.models.families.registry import EXISTING
from assay.models.metrics import improvement, loss_of
from assay.models.rows import joined, rows_of
from assay.models.search.explore import FOLDER
from assay.prove.store import KEYS_FOLDER, adopt, keep_under, link

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.bench.evaluate import Job
    from assay.bench.evidence import Judged
    from assay.bench.facts import Evaluation
    from assay.data.dataset.dataset import Dataset
    from assay.models.rows import Rows
    from assay.models.search.front import Front
    from assay.prove.store import Stored
    from assay.task.task import Task


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
        Folder for `decision.json`, the measurements, and `chosen`: a link to the folder of the chosen one's circuit
        and keys, which is below `keys` in the project's folder.
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
    known, test = joined([rows_of(dataset, "train"), rows_of(dataset, "validation")]), rows_of(dataset, "test")
    measurements = Measurements.load(place)
    candidates = [Candidate.load(project / FOLDER / one.id, project) for one in front.references]
    jobs: dict[str, Job] = {}
    found: dict[str, Evaluation] = {}
    left = front
    # What cannot be proven leaves the front, and what only that has beaten is proven in its place.
    while fresh := [one.id for one in left.best if one.id not in jobs]:
        added = [Candidate.load(project / FOLDER / name, project) for name in fresh]
        candidates += added
        new = {one.id: job_of(one, known, test, task.protocol.max_batch) for one in added}
        jobs |= new
        found |= _evaluations(new, measurements, place, step, ray=ray)
        left = front.without({name for name, one in found.items() if one.measured is None or not one.fidelity.ok})
    step("Judging the candidates on the test rows")
    figures = {one.id: judged(task, one.problem, one.fitted, test, past=known) for one in candidates}
    looks = measurements.look(dataset.hash, [_model(one) for one in candidates if one.summary.provable])
    measurements.save(place)
    existing = next(one for one in candidates if one.summary.family == EXISTING)
    judge = _Judge(task, test, existing, figures)
    rows = [judge.row(one, found.get(one.id)) for one in candidates]
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
    before = _key_before(place, project / KEYS_FOLDER)
    if choice.chosen is not None:
        step("Writing circuit and keys of the chosen candidate")
        chosen = next(one for one in candidates if one.id == choice.chosen)
        kept = _keep(task, jobs[chosen.id], chosen.model_path, project, before=before)
        link(place / CHOSEN, kept.folder)
        decision = decision.model_copy(update={"modelId": kept.keys.model_id, "key": kept.note})
    else:
        # What an earlier decision chose must not be taken for this one's; its keys stay.
        (place / CHOSEN).unlink(missing_ok=True)
    decision.save(place)
    history.append(place, task, decision)
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


@dataclass(frozen=True)
class _Judge:
    """What the rows of the decision are made from, beside a candidate and its proof."""

    task: Task
    test: Rows
    existing: Candidate
    figures: dict[str, Judged]

    def row(self, one: Candidate, found: Evaluation | None) -> Row:
        """A candidate on the test rows, with its measured costs."""
        task, measured = self.task, found.measured if found else None
        gas, seconds = (measured.gas, measured.prove_seconds) if measured else (0, 0.0)
        own, today = self.figures[one.id], self.figures[self.existing.id]
        sure = None if one is self.existing else evidence(task, one.problem, self.test, own, today)
        cost = usd_per_inference(task.value, gas=gas, prove_seconds=seconds) if measured else 0.0
        gain = improvement(task.metric, own.metrics[task.metric], today.metrics[task.metric])
        row = Row(
            id=one.id,
            family=one.summary.family,
            title=one.summary.title,
            provable=one.summary.provable,
            cv=one.summary.cv.mean,
            test=own.metrics,
            improvement=gain if math.isfinite(gain) else None,
            **self._rehearsal(one),
            evidence=sure,
            net=net(task, own, today, cost, sure) if measured else None,
            fidelity=found.fidelity if found else None,
            measured=measured,
            usd_per_inference=cost,
            latency_blocks=latency(
                task, inference_seconds=measured.inference_seconds if measured else 0.0, prove_seconds=seconds
            ),
            meets={},
        )
        return row.model_copy(update={"meets": meets(task, row, gain)})

    def _rehearsal(self, one: Candidate) -> dict[str, Any]:
        """What the cross-validation says against the existing process: both were judged on the same folds."""
        metric, cv, base = self.task.metric, one.summary.cv, self.existing.summary.cv
        gain = improvement(metric, cv.mean, base.mean)
        if one is self.existing or not math.isfinite(gain):
            return {}
        better = sum(
            loss_of(metric, own) < loss_of(metric, today) for own, today in zip(cv.folds, base.folds, strict=False)
        )
        return {"cv_improvement": gain, "cv_better": better, "cv_folds": len(cv.folds)}


def _keep(task: Task, job: Job, model: Path, project: Path, *, before: str | None) -> Stored:
    """Circuit and keys of the chosen one, and a row, for `assay prove`, `assay solidity` and `assay bench`."""
    circuit = circuit_of(job, model)
    if task.predict.unit:
        circuit.meta["unit"] = task.predict.unit
    if scales := scales_of(task, [feature.name for feature in circuit.features]):
        circuit.meta["scales"] = scales
    kept = keep_under(project / KEYS_FOLDER, circuit, most=task.protocol.max_batch, prefer=before)
    files.write(kept.folder / ROWS_FILE, row_of(job), secret=job.inputs == "private")
    return kept


def scales_of(task: Task, names: Sequence[str]) -> dict[str, int]:
    """Features that were divided by a power of ten before any model saw them; in a window, each row's of them."""
    known = {spec.name: spec.scale for spec in task.data.features if spec.scale is not None}
    bases = {name: name.partition("@-")[0] for name in names}
    return {name: known[base] for name, base in bases.items() if base in known}


def _key_before(place: Path, root: Path) -> str | None:
    """Identity of the keys that the decision before chose; None if there was none."""
    chosen = place / CHOSEN
    if chosen.is_dir() and not chosen.is_symlink():
        # A folder of keys, as it was before they had a place of their own, or in a copy of a project.
        return adopt(root, chosen).name
    try:
        return Decision.load(place).modelId
    except AssayError:
        return chosen.readlink().name if chosen.is_symlink() else None


def _key(job: Job) -> str:
    """What a measurement follows from: the model, the rows, the machine and the prover."""
    rows = json.dumps([job.rows, job.features, job.wide, job.inputs, job.max_batch])
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
