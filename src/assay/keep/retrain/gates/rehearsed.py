"""Gate: everything was played before it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.record.journal import Event

GATE = "rehearsed"


def gate(last: Event | None, name: str, *, wanted: bool) -> Verdict:
    """Whether the release passed its last rehearsal."""
    if not wanted:
        return holds(GATE, f"{name} was not rehearsed: [retrain] rehearse is false.")
    if last is None:
        return fails(GATE, f"{name} was not rehearsed.")
    if not last.what["passed"]:
        failed = ", ".join(last.what["failed"])
        return fails(GATE, f"{name} did not pass its rehearsal: {failed}.")
    return holds(GATE, f"{name} passed its rehearsal of {last.what['periods']} periods.")
