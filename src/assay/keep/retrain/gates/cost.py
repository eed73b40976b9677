"""Gate: the limits on time, memory, gas, money, latency, and those of the task on metrics themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.bench.limits import ACCURACY, CONFIDENCE, FIDELITY, broken
from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.bench.decision import Row
    from assay.task.task import Task

GATE = "cost"
_ELSEWHERE = {ACCURACY, CONFIDENCE, FIDELITY}


def gate(task: Task, row: Row | None) -> Verdict:
    """Whether the measured costs meet every limit of the task."""
    if row is None or row.measured is None:
        return fails(GATE, "Nothing was proven, so no cost was measured.")
    over = [name for name, kept in row.meets.items() if not kept and name not in _ELSEWHERE]
    if over:
        return fails(GATE, f"{row.id} {'; it '.join(broken(task, row, name) for name in over)}.")
    found = f"{row.measured.gas:,} gas, {row.measured.prove_seconds:.3g} s a proof"
    return holds(GATE, f"{row.id} meets every limit on costs ({found}).")
