"""What `fidelity` finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.core.shown import Told

ULP_LIMIT = 2.0


@dataclass(frozen=True)
class WorstRow:
    """A row where the circuit is furthest from the model: its number, both margins, and the distance."""

    row: int
    model: list[float]
    circuit: list[float]
    error_ulps: float


@dataclass(frozen=True, repr=False)
class FidelityReport(Told):
    """A circuit and its model on the same rows.

    Attributes
    ----------
    rows
        How many were compared.
    rows_differing
        Classifiers: rows of another class. Others: rows whose margins differ by more than the limit.
    rows_tied
        Rows where the model's own rounding, not its trees, decides between two classes, and which the
        exact sums decide the other way. They are not counted as differing.
    worst_rows
        Up to five.
    margin_error
        Largest absolute difference of a margin.
    margin_error_ulps
        The same in float32 ulps of the sum of absolute leaf values (and base) of its row.
    unexplained_ulps
        What is left of it beyond the library's own rounding: a library that adds in float32 strays from
        the exact sum of the very same leaves, and by how much is computed row by row. The limit is 2.
    leaf_disagreements
        Pairs of row and tree that end in different leaves; None where the library does not tell leaves.
    rows_rounded
        Rows with numbers that are no float32 and were rounded for the circuit.
    metric
        Name of the metric, if targets were given: "accuracy" or "rmse".
    metric_before, metric_after
        Its value for the model and for the circuit.
    """

    rows: int
    rows_differing: int
    rows_tied: int
    worst_rows: list[WorstRow]
    margin_error: float
    margin_error_ulps: float
    unexplained_ulps: float
    leaf_disagreements: int | None = None
    rows_rounded: int = 0
    metric: str | None = None
    metric_before: float | None = None
    metric_after: float | None = None

    @property
    def ok(self) -> bool:
        """Same classes, same leaves, and margins within 2 float32 ulps beyond the library's own rounding."""
        within = self.unexplained_ulps <= ULP_LIMIT
        return self.rows_differing == 0 and not self.leaf_disagreements and within

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values, `ok` among them."""
        content = {name: value for name, value in vars(self).items() if name != "worst_rows"}
        return content | {"ok": self.ok, "worst_rows": [vars(row) for row in self.worst_rows]}

    def __str__(self) -> str:
        """A few lines for people."""
        leaves = "not told by the library" if self.leaf_disagreements is None else f"{self.leaf_disagreements}"
        lines = [
            f"{'ok' if self.ok else 'NOT OK'}: {self.rows_differing} of {self.rows} rows differ",
            f"leaves that differ     {leaves}",
            f"largest margin error   {self.margin_error:.3g}, {self.margin_error_ulps:.2f} float32 ulps",
            f"beyond its own rounding {self.unexplained_ulps:.2f} float32 ulps",
        ]
        if self.rows_tied:
            lines.append(f"ties                   {self.rows_tied} rows are decided by the library's rounding alone")
        if self.rows_rounded:
            lines.append(f"rounded                {self.rows_rounded} rows have numbers that are no float32")
        if self.metric is not None:
            lines.append(f"{self.metric:<22} {self.metric_before:.6g} before, {self.metric_after:.6g} after")
        if not self.ok:
            lines += [
                f"row {worst.row}: model {_short(worst.model)}, circuit {_short(worst.circuit)} "
                f"({worst.error_ulps:.2f} ulps)"
                for worst in self.worst_rows
            ]
        return "\n".join(lines)


def _short(values: list[float]) -> str:
    return ", ".join(f"{value:.7g}" for value in values[:4]) + (", ..." if len(values) > 4 else "")
