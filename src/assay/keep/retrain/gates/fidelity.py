"""Gate: the circuit says what the model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.bench.decision import Row

GATE = "fidelity"


def gate(row: Row | None) -> Verdict:
    """Whether the candidate was proven, and its circuit agrees with it on every row that was compared."""
    if row is None or row.fidelity is None:
        return fails(GATE, "No candidate could be proven, so none was compared with its circuit.")
    if not row.fidelity.ok:
        problem = row.fidelity.problem or f"{row.fidelity.differing:,} of {row.fidelity.rows:,} rows differ"
        return fails(GATE, f"The circuit of {row.id} does not say what the model says: {problem}.")
    return holds(GATE, f"Circuit and model of {row.id} agree on {row.fidelity.rows:,} rows.")
