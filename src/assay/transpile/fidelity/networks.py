"""Fidelity of a network's circuit: onnxruntime on the user's file is the judge."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.circuit.evaluate import evaluator
from assay.transpile.errors import ModelError, RowsUnreadable, RowsWidth
from assay.transpile.fidelity.report import FidelityReport, WorstRow
from assay.transpile.importers import importers
from assay.transpile.importers.onnx.labels import numbered
from assay.transpile.importers.onnx.reading import parse
from assay.transpile.networks import features
from assay.transpile.networks.assemble import TOLERANCE, differing
from assay.transpile.networks.oracle import Oracle
from assay.transpile.networks.outputs import Outputs
from assay.transpile.networks.source import as_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Circuit

    Floats = NDArray[np.float64]

DRAWN = 10_000  # rows from the declared ranges, fewer where a row is large
_NUMBERS = 20_000_000  # of all drawn rows together
_WORST = 5


@dataclass(frozen=True)
class NetworkReport(FidelityReport):
    """A network's circuit and its model on the same rows, and on rows drawn from the declared ranges.

    Attributes
    ----------
    tolerance
        The largest error allowed, as a share of the outputs' spread, and the largest share of other decisions.
    error_share, drawn_error_share
        The largest error as such a share: on the rows given, and on those drawn.
    drawn, drawn_differing
        How many rows were drawn, and whose decision differs.
    rows_ended, drawn_ended
        Rows given, and drawn, for which values within the circuit end before the model's own do (`Circuit.ended`).
    layers, blamed
        Of the circuit, as `transpile` found them: where the error comes from.
    """

    tolerance: float = TOLERANCE
    error_share: float = 0.0
    drawn: int = 0
    drawn_differing: int = 0
    drawn_error_share: float = 0.0
    rows_ended: int = 0
    drawn_ended: int = 0
    layers: list[dict[str, Any]] = field(default_factory=list)
    blamed: str | None = None

    @property
    def ok(self) -> bool:
        """Errors and other decisions within the tolerance, on both kinds of rows."""
        return (
            max(self.error_share, self.drawn_error_share) <= self.tolerance
            and self.rows_differing <= self.tolerance * self.rows
            and self.drawn_differing <= self.tolerance * self.drawn
        )

    def __str__(self) -> str:
        """A few lines for people."""
        drawn = f"{self.drawn_differing} of {self.drawn} decided otherwise, {self.drawn_error_share:.2e} of the spread"
        lines = [
            f"{'ok' if self.ok else 'NOT OK'}: {self.rows_differing} of {self.rows} rows are decided otherwise",
            f"largest error          {self.margin_error:.3g}, {self.error_share:.2e} of the outputs' spread",
            f"rows drawn             {drawn}",
            f"tolerance              {self.tolerance:g}",
        ]
        if self.rows_ended or self.drawn_ended:
            ended = f"{self.rows_ended} of {self.rows} rows, {self.drawn_ended} of {self.drawn} drawn"
            lines.append(f"values end             for {ended}: nearer than the model's own do")
        if self.metric is not None:
            lines.append(f"{self.metric:<22} {self.metric_before:.6g} before, {self.metric_after:.6g} after")
        if self.blamed is not None:
            lines.append(f"most of it from        {self.blamed}")
        return "\n".join(lines)


def network_fidelity(circuit: Circuit, model: Any, X: Any, y: Any) -> NetworkReport:
    """Compare; see `fidelity`.

    Raises
    ------
    ModelError
        If the model is no network, or another than the circuit's.
    """
    found = importers.onnx_bytes(model)
    if found is None:
        raise ModelError("the circuit is a network's, and the model is none", "Give the ONNX model.")
    model = parse(*found)
    names = numbered(model)
    oracle = Oracle(model.SerializeToString(), circuit.meta.get("inputs", {}))
    rows = as_rows(X, [feature.name for feature in circuit.features], circuit.meta)
    said = evaluator(circuit)
    wanted, (integers, ended) = oracle.outputs(rows), said(*circuit.encode(rows))
    got = circuit.decode(integers)
    if wanted.shape != got.shape:
        raise ModelError(
            "the circuit was made from another model: their outputs differ in number", "Transpile this one."
        )
    drawn, drawn_wanted = oracle.taken(_drawn(circuit))
    drawn_got, drawn_ended = drawn_wanted, list[int]()
    if len(drawn):
        integers, drawn_ended = said(*circuit.encode(drawn))
        drawn_got = circuit.decode(integers)
    outputs = Outputs.of(circuit.meta, wanted.shape[1])
    error = outputs.errors(wanted, got).max(axis=1)
    name, before, after = _metric(wanted, got, _numbers(y, names), outputs)
    return NetworkReport(
        rows=len(rows),
        rows_differing=differing(wanted, got, outputs),
        rows_tied=0,
        worst_rows=[
            WorstRow(int(row), wanted[row].tolist(), got[row].tolist(), 0.0) for row in np.argsort(-error)[:_WORST]
        ],
        margin_error=float(error.max()),
        margin_error_ulps=0.0,
        unexplained_ulps=0.0,
        metric=name,
        metric_before=before,
        metric_after=after,
        tolerance=float(circuit.meta.get("tolerance", TOLERANCE)),
        error_share=_share(wanted, got, outputs),
        drawn=len(drawn),
        drawn_differing=differing(drawn_wanted, drawn_got, outputs) if len(drawn) else 0,
        drawn_error_share=_share(drawn_wanted, drawn_got, outputs),
        rows_ended=len(ended),
        drawn_ended=len(drawn_ended),
        layers=list(circuit.meta.get("layers", [])),
        blamed=circuit.meta.get("blamed"),
    )


def _drawn(circuit: Circuit) -> Floats:
    """Rows drawn evenly from the declared ranges, from a seed."""
    ranges = [(math.ldexp(f.low, -f.bits), math.ldexp(f.high, -f.bits)) for f in circuit.features]
    count = max(min(DRAWN, _NUMBERS // len(ranges)), 100)
    said = circuit.meta.get("whole", [])
    whole = [index for index, f in enumerate(circuit.features) if f.bits == 0 or index in said]
    return features.draw(ranges, count, whole, seed=1)


def _share(wanted: Floats, got: Floats, outputs: Outputs) -> float:
    return float(outputs.shares(wanted, got).max()) if len(got) else 0.0


def _numbers(y: Any, names: list[str]) -> Any:
    """Targets that are text as the numbers of their classes."""
    if y is None or np.asarray(y).dtype.kind not in "OUS":
        return y
    places = {name: index for index, name in enumerate(names)}
    texts = [str(text) for text in np.asarray(y).reshape(-1)]
    unknown = next((text for text in texts if text not in places), None)
    if unknown is not None:
        raise RowsUnreadable(
            f"the target {unknown!r:.40} is none of the model's classes", "Give numbers, or the names of its classes."
        )
    return np.array([places[text] for text in texts])


def _metric(wanted: Floats, got: Floats, y: Any, outputs: Outputs) -> tuple[str | None, float | None, float | None]:
    if y is None:
        return None, None, None
    targets = np.asarray(y)
    if len(targets) != len(got):
        raise RowsWidth(f"there are {len(targets)} targets for {len(got)} rows", "Give one for each row.")
    said = outputs.class_column()
    if targets.ndim == 1 and said is not None:
        before, after = (float((np.rint(part[:, said]) == targets).mean()) for part in (wanted, got))
        return "accuracy", before, after
    if wanted.shape[1] > 1 and targets.ndim == 1:
        before, after = (float((part.argmax(axis=1) == targets).mean()) for part in (wanted, got))
        return "accuracy", before, after
    targets = targets.reshape(len(targets), -1)
    before, after = (float(np.sqrt(np.mean((part - targets) ** 2))) for part in (wanted, got))
    return "rmse", before, after
