"""The exploration: what was tried, and what came of it before anything was proven."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from assay.bench.words import limit_words, percent, plural, seconds
from assay.models.families.registry import EXISTING
from assay.models.metrics import improvement, loss_of
from assay.report.chart import Mark, Scatter, scatter
from assay.report.table import NONE, Cell, Table, count, row, table
from assay.report.words import capital, gain, height_of, metric_at, metric_name, metric_text, thousands

if TYPE_CHECKING:
    from assay.models.candidate import Summary
    from assay.models.search.front import Front
    from assay.task.task import Task


def families(front: Front) -> Table:
    """One row a family: how many were tried, and how the best did in the rehearsal."""
    rows = []
    for family in dict.fromkeys(one.family for one in front.candidates):
        members = [one for one in front.candidates if one.family == family]
        best = min(members, key=lambda one: loss_of(front.metric, one.cv.mean))
        dropped = sum(one.family == family for one in front.pruned)
        rows.append(
            row(
                best.title,
                count(len(members)),
                count(dropped),
                Cell(metric_text(front.metric, best.cv.mean), best.cv.mean),
                "yes" if best.provable else Cell("no", mark="soft"),
                strong=family == EXISTING,
            )
        )
    unmet = {one.family for one in front.pruned} - {one.family for one in front.candidates}
    rows += [
        row(family, count(0), count(sum(one.family == family for one in front.pruned)), NONE, "yes")
        for family in sorted(unmet)
    ]
    return table("Kind of model|#Trained|#Too dear to train|#Best in the rehearsal|Provable", *rows)


def not_tried(front: Front) -> list[str]:
    """Sentences on what was left out, and why."""
    said = [f"{family}: {reason}" for family, reason in front.skipped.items()]
    for limit in dict.fromkeys(name for one in front.pruned for name in one.limits):
        many = sum(limit in one.limits for one in front.pruned)
        said.append(f"{plural(many, 'trial')} not trained: the predicted cost breaks the limit on {limit_words(limit)}")
    said += [f"trial {one.trial} ({one.family}) failed: {one.what}" for one in front.failed]
    return said


def candidates(task: Task, front: Front) -> Table:
    """Everything that was trained."""
    lines = []
    for one in front.candidates:
        cost = one.predicted
        costs = (
            (Cell(seconds(cost.prove_seconds), cost.prove_seconds), count(cost.gas)) if one.provable else (NONE, NONE)
        )
        spread = Cell(metric_text(front.metric, one.cv.std), one.cv.std)
        mean = Cell(metric_text(front.metric, one.cv.mean), one.cv.mean)
        lines.append(
            row(
                one.title, Cell(one.id, mark="code"), mean, spread, *costs, "yes" if one.front else "", strong=one.front
            )
        )
    heads = ("Model", "Id", f"#{capital(metric_name(task, front.metric))}", "#Spread over folds")
    return table((*heads, "#Proving, predicted", "#Gas, predicted", "On the front"), *lines)


def figures(task: Task, front: Front) -> list[Scatter]:
    """Accuracy in the rehearsal against what a proof is predicted to cost."""
    shown = [one for one in front.candidates if one.provable and math.isfinite(one.cv.mean)]
    if not shown:
        return []
    existing = next((one for one in front.candidates if one.family == EXISTING), None)
    base = existing.cv.mean if existing and math.isfinite(existing.cv.mean) and existing.cv.mean else None
    heights = {one.id: _height(front.metric, one, base) for one in shown}
    made = []
    for title, axis, limit in (
        ("proving time", "prove_seconds", task.limits.prove_seconds),
        ("gas", "gas", task.limits.gas),
    ):
        marks = [
            Mark(
                float(getattr(one.predicted, axis)),
                heights[one.id],
                "",
                "front" if one.front else "other",
                _words(one, base),
            )
            for one in sorted(shown, key=lambda one: one.front)
        ]
        made.append(
            scatter(
                f"Accuracy against {title}",
                marks,
                x_title=f"{title} of one proof, predicted",
                x_words=seconds if axis == "prove_seconds" else thousands,
                y_words=percent
                if base is not None
                else lambda height: metric_text(front.metric, metric_at(front.metric, height)),
                about=f"{len(marks)} models by accuracy in the rehearsal and predicted {title}.",
                x_limit=limit,
                zero=0.0 if base is not None else None,
            )
        )
    return made


def against_existing(front: Front) -> bool:
    """Whether the figures' vertical axis is the improvement over the existing process."""
    existing = next((one for one in front.candidates if one.family == EXISTING), None)
    return bool(existing and math.isfinite(existing.cv.mean) and existing.cv.mean)


def _height(metric: str, one: Summary, base: float | None) -> float:
    return height_of(metric, one.cv.mean) if base is None else improvement(metric, one.cv.mean, base)


def _words(one: Summary, base: float | None) -> str:
    better = f", {gain(improvement(one.metric, one.cv.mean, base))}" if base is not None else ""
    return f"{one.title} ({one.id}): {seconds(one.predicted.prove_seconds)}, {one.predicted.gas:,} gas{better}"
