"""Gate: enough rows that came after the champion's training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.keep.retrain.material import Fresh

GATE = "fresh"


def gate(found: Fresh, wanted: int, seen_until: object) -> Verdict:
    """Whether there are as many fresh test rows as [retrain] wants."""
    count = len(found.rows)
    older = f"; {found.left_out:,} test rows before that are left out" if found.left_out else ""
    if count < wanted:
        said = f"Only {count:,} test rows are later than {seen_until}, of {wanted:,} that [retrain] wants{older}."
        return fails(GATE, said)
    return holds(GATE, f"{count:,} test rows from {found.first} on, all after {seen_until}{older}.")
