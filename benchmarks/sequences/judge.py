"""What the best of each family is worth on the test rows, and what its answer costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.bench.decision import Decision
from assay.bench.evaluate import evaluate, job_of
from assay.bench.evidence import Judged, evidence, judged
from assay.data.dataset.dataset import Dataset
from assay.models.candidate import Candidate
from assay.models.cost.economics import latency, usd_per_inference
from assay.models.metrics import improvement
from assay.models.rows import Rows, joined, rows_of
from assay.task.task import Task
from benchmarks.sequences.questions import Question
from benchmarks.sequences.search import Found


def families(question: Question, parts: dict[str, tuple[Dataset, Found]], decision: Decision) -> dict[str, Any]:
    """The best of each family: its loss, against today's process and against the first family, and its costs.

    The rows of all datasets end together; those that all of them test are the last ones of each.
    """
    task, found = question.task, {name: one for name, (_, one) in parts.items()}
    known = {name: joined([rows_of(data, "train"), rows_of(data, "validation")]) for name, (data, _) in parts.items()}
    tests = _together({name: rows_of(data, "test") for name, (data, _) in parts.items()})
    best = {name: one.best for name, one in found.items()}
    said = {name: judged(task, one.problem, one.fitted, tests[name], past=known[name]) for name, one in best.items()}
    start = next(iter(found))
    today, test = _existing(task, found[start], tests[start], known[start]), tests[start]
    first = next(iter(said.values()))
    made: dict[str, Any] = {}
    for name, one in best.items():
        against = {"today": _gain(task, one, test, said[name], today)}
        if said[name] is not first:
            against["first"] = _gain(task, one, test, said[name], first)
        made[name] = {
            "search_seconds": found[name].seconds,
            "search_processor_seconds": found[name].processor_seconds,
            "trials": found[name].front.trials,
            "pruned": len(found[name].front.pruned),
            "failed": len(found[name].front.failed),
            "best": one.id,
            "params": one.summary.params,
            "fit_seconds": one.summary.fit_seconds,
            "cv": one.summary.cv.mean,
            "test": said[name].metrics,
            "against": against,
            "features": len(one.problem.features),
            **_costs(task, one, known[name], tests[name], decision),
        }
    return made


def _together(tests: dict[str, Rows]) -> dict[str, Rows]:
    """As many of the last rows of each as all have; they have the same targets."""
    count = min(map(len, tests.values()))
    found = {name: rows.between(len(rows) - count, len(rows)) for name, rows in tests.items()}
    first = next(iter(found.values()))
    if not all(np.array_equal(first.y, rows.y) for rows in found.values()):
        raise SystemExit("The datasets test other rows.")
    return found


def _existing(task: Task, part: Found, test: Rows, known: Rows) -> Judged:
    summary = next(one for one in part.front.candidates if one.family == "existing")
    one = Candidate.load(part.project / "candidates" / summary.id, part.project)
    return judged(task, one.problem, one.fitted, test, past=known)


def _gain(task: Task, one: Candidate, test: Rows, own: Judged, other: Judged) -> dict[str, Any]:
    """The share of the other's loss that is gone, with its interval."""
    sure = evidence(task, one.problem, test, own, other)
    losses = [which.metrics[task.metric] for which in (own, other)]
    span = sure.improvement
    return {
        "improvement": improvement(task.metric, *losses),
        "low": None if span is None else span.low,
        "high": None if span is None else span.high,
        "confidence": sure.confidence,
    }


def _costs(task: Task, one: Candidate, known: Rows, test: Rows, decision: Decision) -> dict[str, Any]:
    """Measured by the decision, or here in the same way where others have beaten it."""
    row = next((row for row in decision.rows if row.id == one.id), None)
    if row is not None and row.fidelity is not None:
        fidelity, measured = row.fidelity, row.measured
    else:
        made = evaluate(None, job_of(one, known, test, task.protocol.max_batch))
        fidelity, measured = made.fidelity, made.measured
    costs: dict[str, Any] = {"fidelity": fidelity.model_dump(), "measured": None}
    if measured is not None:
        seconds = {"prove_seconds": measured.prove_seconds}
        blocks = latency(task, inference_seconds=measured.inference_seconds, **seconds)
        costs["measured"] = measured.model_dump()
        costs["latency_blocks"] = blocks.total
        costs["usd_per_inference"] = usd_per_inference(task.value, gas=measured.gas, **seconds)
    return costs


def short(decision: Decision) -> dict[str, Any]:
    """The decision and its rows, without what is measured elsewhere."""
    rows = [
        {
            "id": row.id,
            "family": row.family,
            "cv": row.cv,
            "improvement": row.improvement,
            "gas": None if row.measured is None else row.measured.gas,
            "prove_seconds": None if row.measured is None else row.measured.prove_seconds,
            "usd_per_inference": row.usd_per_inference,
            "broken": [name for name, kept in row.meets.items() if not kept],
        }
        for row in decision.rows
        if row.provable
    ]
    chosen = next((row for row in decision.rows if row.id == decision.chosen), None)
    return {
        "chosen": decision.chosen,
        "family": None if chosen is None else chosen.family,
        "headline": decision.headline,
        "reasons": list(decision.reasons),
        "limits": list(decision.limits),
        "rows": rows,
    }
