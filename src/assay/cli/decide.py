"""`assay decide`: prove the best candidates, and say which is good enough and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.app import app
from assay.cli.options import Json, Project
from assay.cli.output import Output, progress

if TYPE_CHECKING:
    from assay.bench.decision import Decision, Row

NONE_QUALIFIED = 3


@app.command()
def decide(
    project: Project = Path(),
    *,
    ray: Annotated[
        str | None, typer.Option("--ray", metavar="ADDRESS", help="A Ray cluster whose machines prove.")
    ] = None,
    json: Json = False,
) -> int:
    """Prove and verify the candidates of the front and choose; exit 3 if none meets every limit."""
    from assay.bench.decision import Decision
    from assay.project.project import Project as Opened
    from assay.project.steps import DECISION

    options = {} if ray is None else {"ray": ray}
    with progress("Reading the task") as step:
        Opened(project).step("decide", progress=step, **options)
    decision = Decision.load(project / DECISION)
    Output(json=json).result(decision.model_dump(mode="json", by_alias=True), _text(decision))
    return 0 if decision.chosen is not None else NONE_QUALIFIED


def _text(decision: Decision) -> str:
    costs = ("prove", "memory", "gas", "USD", "blocks")
    heading = ("candidate", decision.metric, "vs existing", "interval", "cross-validation", *costs)
    table = [heading, *(_cells(row, decision) for row in decision.rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(heading))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    verdict = f"chosen: {decision.chosen}" if decision.chosen else f"no candidate meets every limit: {decision.binding}"
    said = (*decision.reasons, *decision.limits, *([decision.key] if decision.key else []))
    return "\n".join([decision.headline, "", *lines, "", verdict, *(f"- {sentence}" for sentence in said)])


def _cells(row: Row, decision: Decision) -> tuple[str, ...]:
    from assay.bench.words import amount, change, span

    interval = row.evidence.improvement if row.evidence else None
    sure = "" if interval is None else span(interval.low, interval.high)
    accuracy = (row.id, f"{row.test[decision.metric]:.5g}", change(row.improvement), sure, change(row.cv_improvement))
    if row.measured is None:
        return (*accuracy, "not proven", "", "", "", str(row.latency_blocks.total))
    memory = "" if row.measured.memory_mb is None else amount("memory_mb", row.measured.memory_mb)
    return (
        *accuracy,
        amount("prove_seconds", row.measured.prove_seconds),
        memory,
        f"{row.measured.gas:,}",
        f"{row.usd_per_inference:.3g}",
        str(row.latency_blocks.total),
    )
