"""`assay.fidelity`: does the circuit say what the model says?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.arguments import expect
from assay.transpile.api import read
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.circuit.evaluate import evaluate, trace
from assay.transpile.ensemble import Ensemble
from assay.transpile.errors import ModelError, RowsWidth
from assay.transpile.fidelity.metrics import classes_of, metric
from assay.transpile.fidelity.report import ULP_LIMIT, FidelityReport, WorstRow
from assay.transpile.fidelity.runtime import runtime
from assay.transpile.rows.columns import to_floats, to_table
from assay.transpile.rows.encode import arrange
from assay.transpile.trees.grow import grow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["FidelityReport", "WorstRow", "fidelity"]

_WORST = 5


def fidelity(circuit: Circuit, model: Any, X: Any, y: Any = None) -> FidelityReport:
    """Compare a circuit with the model it was made from, as the model's own library predicts.

    Parameters
    ----------
    circuit
        From `transpile`.
    model
        The model or the path of its file.
    X
        Rows, as for `Circuit.encode`.
    y
        Targets, for the metric before and after: accuracy for classifiers, else root mean square error.

    Raises
    ------
    ModelError, RowsError
        As `transpile` and `Circuit.encode` do.
    """
    expect(circuit, Circuit, name="circuit", call="assay.fidelity(circuit, model, X)")
    iterations = circuit.meta.get("iterations") if circuit.meta.get("iterations_given") else None
    source = read(model, iterations)
    if len(source.features) != len(circuit.features) or len(source.outputs) != len(circuit.outputs):
        raise ModelError(
            "the circuit was made from another model: the numbers of features or outputs differ",
            "Transpile this model.",
        )
    words, missing = circuit.encode(X)
    values = to_floats(arrange(to_table(X), [f.name for f in circuit.features]), [f.name for f in circuit.features])
    library = runtime(model, iterations, len(circuit.outputs))
    expected = library.margins(values)
    got = circuit.decode(evaluate(circuit, words, missing))
    if circuit.kind == "trees":
        leaves = trace(circuit, words, missing)
        size, rounding = _sums(circuit, leaves, got, float32=library.float32)
        disagreements = None
        if library.leaves is not None and isinstance(source, Ensemble):
            disagreements = _leaf_disagreements(circuit, source, leaves, library.leaves(values))
    else:
        size, rounding = _terms(circuit, words, got, float32=library.float32)
        disagreements = None
    margins = _Margins(expected, got, size, rounding, float32=library.float32)
    name, before, after = metric(circuit, expected, got, _targets(y, len(got)))
    return replace(
        _report(circuit, margins),
        leaf_disagreements=disagreements,
        rows_rounded=_rounded(circuit, values),
        metric=name,
        metric_before=before,
        metric_after=after,
    )


@dataclass(frozen=True)
class _Margins:
    """All float64[B, K]: margins of both sides, the sum of absolute leaf values, the library's own rounding."""

    expected: Floats
    got: Floats
    size: Floats
    rounding: Floats
    float32: bool


def _report(circuit: Circuit, margins: _Margins) -> FidelityReport:
    expected, got = margins.expected, margins.got
    ulp = np.spacing(margins.size.astype(np.float32)).astype(np.float64)
    error = np.abs(expected - got)
    ulps = error / ulp
    allowed = ULP_LIMIT * ulp + margins.rounding
    tied = np.zeros(len(got), dtype=np.bool_)
    if circuit.meta.get("task") == "classification":
        differing = classes_of(circuit, expected) != classes_of(circuit, got)
        noise = allowed if margins.float32 else margins.size * (len(circuit.trees) + 2) * 2.0**-52
        tied = differing & (_gap(expected) <= 2 * noise.max(axis=1))
        differing &= ~tied
    else:
        differing = (error > allowed).any(axis=1)
    order = np.lexsort((-ulps.max(axis=1), ~differing))[:_WORST]
    worst = [
        WorstRow(int(row), expected[row].tolist(), got[row].tolist(), float(ulps[row].max()))
        for row in order
        if error[row].any() or differing[row]
    ]
    return FidelityReport(
        rows=len(got),
        rows_differing=int(differing.sum()),
        rows_tied=int(tied.sum()),
        worst_rows=worst,
        margin_error=float(error.max()),
        margin_error_ulps=float(ulps.max()),
        unexplained_ulps=float(np.maximum((error - margins.rounding) / ulp, 0).max()),
    )


def _rounded(circuit: Circuit, values: Floats) -> int:
    """How many rows have numbers of float32 features that are no float32."""
    floats = values[:, [index for index, feature in enumerate(circuit.features) if feature.kind == "float32"]]
    with np.errstate(over="ignore", under="ignore"):
        rounded = floats.astype(np.float32) != floats
    return int((rounded & ~np.isnan(floats)).any(axis=1).sum())


def _sums(circuit: Circuit, leaves: NDArray[np.int64], got: Floats, *, float32: bool) -> tuple[Floats, Floats]:
    """The sum of absolute leaf values and base, and how far a float32 sum of them in order strays."""
    base = circuit.decode(np.array(circuit.base, dtype=object))
    size = np.broadcast_to(np.abs(base), got.shape).copy()
    running = np.broadcast_to(base.astype(np.float32), got.shape).copy()
    for index, tree in enumerate(circuit.trees):
        values = np.ldexp(tree.leaf.astype(np.float64), -circuit.scale_bits)[leaves[:, index]]
        size += np.abs(values)
        running += values.astype(np.float32)
    return size, np.abs(running - got) if float32 else np.zeros_like(got)


def _terms(circuit: Circuit, words: NDArray[np.uint64], got: Floats, *, float32: bool) -> tuple[Floats, Floats]:
    """The same for the terms of a linear model."""
    bits = np.array([feature.bits for feature in circuit.features])
    integers = words.astype(object) + np.array([feature.low for feature in circuit.features], dtype=object)
    values = np.ldexp(integers.astype(np.float64), -bits)
    weights = np.ldexp(np.array(circuit.weights, dtype=object).astype(np.float64), bits - circuit.scale_bits)
    base = circuit.decode(np.array(circuit.base, dtype=object))
    size = np.abs(values) @ np.abs(weights).T + np.abs(base)
    running = np.broadcast_to(base.astype(np.float32), got.shape).copy()
    for value, weight in zip(values.T.astype(np.float32), weights.T.astype(np.float32), strict=True):
        running += value[:, np.newaxis] * weight
    return size, np.abs(running - got) if float32 else np.zeros_like(got)


def _leaf_disagreements(
    circuit: Circuit, source: Ensemble, leaves: NDArray[np.int64], told: NDArray[np.int64]
) -> int | None:
    """Count them; None if the circuit's trees are not this model's."""
    ranges = {i: (f.low, f.high) for i, f in enumerate(circuit.features) if f.kind == "integer"}
    grown = grow(source, ranges)
    if len(grown) != len(circuit.trees) or told.shape != leaves.shape:
        return None
    count = 0
    for index, (tree, own) in enumerate(zip(grown, circuit.trees, strict=True)):
        if not np.array_equal(np.array(tree.feature) < 0, own.view < 0):
            return None
        numbers = source.trees[index].runtime_leaf[np.array(tree.source)]
        count += int((numbers[leaves[:, index]] != told[:, index]).sum())
    return count


def _gap(margins: Floats) -> Floats:
    """How far each row is from another class."""
    if margins.shape[1] == 1:
        return np.abs(margins[:, 0])
    ordered = np.sort(margins, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2])


def _targets(y: Any, rows: int) -> NDArray[Any] | None:
    if y is None:
        return None
    targets = np.asarray(y)
    if len(targets) != rows:
        raise RowsWidth(f"there are {len(targets)} targets for {rows} rows", "Give one for each row.")
    return targets
