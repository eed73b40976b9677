"""`assay.fidelity`: does the circuit say what the model says?"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.arguments import expect
from assay.transpile.api import read
from assay.transpile.circuit.answers import Answers
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.circuit.evaluate import evaluate, trace
from assay.transpile.ensemble import Ensemble
from assay.transpile.errors import ModelError, RowsWidth
from assay.transpile.fidelity.metrics import metric
from assay.transpile.fidelity.networks import network_fidelity
from assay.transpile.fidelity.onnx_trees import margins_and_answers
from assay.transpile.fidelity.own import own_rows
from assay.transpile.fidelity.report import ULP_LIMIT, FidelityReport, WorstRow
from assay.transpile.fidelity.runtime import Runtime, runtime
from assay.transpile.importers import importers
from assay.transpile.importers.onnx.reading import parse
from assay.transpile.rows.encode import rounded
from assay.transpile.trees.assemble import without_zero_rules
from assay.transpile.trees.grow import grow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["FidelityReport", "WorstRow", "fidelity"]

_WORST = 5


def fidelity(circuit: Circuit, model: Any, X: Any, y: Any = None) -> FidelityReport:
    """Compare a circuit with the model it was made from, as the model's own predict answers.

    Parameters
    ----------
    circuit
        From `transpile`.
    model
        The model or the path of its file.
    X
        Rows, as for `Circuit.encode`. The model gets them in the types that they have: libraries round an array
        of integers otherwise than one of doubles.
    y
        Targets, for the metric before and after: accuracy for classifiers, else root mean square error.

    A network is judged on these rows and on 10,000 drawn from the declared ranges, within the circuit's tolerance.

    Raises
    ------
    ModelError, RowsError
        As `transpile` and `Circuit.encode` do; `LibraryRefuses` where the model's own predict takes no such rows.
    """
    expect(circuit, Circuit, name="circuit", call="assay.fidelity(circuit, model, X)")
    if circuit.kind == "network":
        return network_fidelity(circuit, model, X, y)
    iterations = circuit.meta.get("iterations") if circuit.meta.get("iterations_given") else None
    double = any(feature.kind == "float64" for feature in circuit.features)
    source = read(model, iterations, "float64" if double else "float32")
    if len(source.features) != len(circuit.features) or len(source.outputs) != len(circuit.outputs):
        raise ModelError(
            "the circuit was made from another model: the numbers of features or outputs differ",
            "Transpile this model.",
        )
    words, missing = circuit.encode(X)
    rows = own_rows(circuit, X, from_file=isinstance(model, str | os.PathLike))
    answers = Answers.of(source.meta, len(source.outputs))
    library = _library(circuit, model, iterations, answers)
    expected = library.margins(rows)
    got = circuit.decode(evaluate(circuit, words, missing))
    if circuit.kind == "trees":
        leaves = trace(circuit, words, missing)
        size, rounding = _sums(circuit, leaves, got, float32=library.float32)
        if not library.ordered:
            # Each addition rounds by half a unit of a partial sum, which is no larger than the absolute values.
            rounding = size * len(circuit.trees) * 2.0**-24
        disagreements = None
        if library.leaves is not None and isinstance(source, Ensemble):
            disagreements = _leaf_disagreements(circuit, source, leaves, library.leaves(rows))
    else:
        size, rounding = _terms(circuit, words, got, float32=library.float32)
        disagreements = None
    own = None if library.answers is None else library.answers(rows)
    margins = _Margins(expected, got, size, rounding, float32=library.float32)
    name, before, after = metric(answers, *_answered(answers, margins, own), _targets(y, len(got)))
    return replace(
        _report(circuit, answers, margins, own),
        leaf_disagreements=disagreements,
        rows_rounded=rounded(circuit, X),
        metric=name,
        metric_before=before,
        metric_after=after,
    )


def _library(circuit: Circuit, model: Any, iterations: int | None, answers: Answers) -> Runtime:
    found = importers.onnx_bytes(model)
    if found is None:
        return runtime(model, iterations, len(circuit.outputs), answers)
    margins, own = margins_and_answers(parse(*found), circuit, answers)
    return Runtime(margins, own, None, float32=True, ordered=False)


def _answered(answers: Answers, margins: _Margins, own: Any) -> tuple[Any, Any]:
    """Labels or values of the model (from its margins where its predict gives none) and of the circuit."""
    read = answers.labels if answers.task in {"classification", "multilabel"} else answers.values
    return read(margins.expected) if own is None else own, read(margins.got)


_LINK = 1e-4
"""How far predict's values, made by its link in float32, may stray from those of the same margins in doubles."""


@dataclass(frozen=True)
class _Margins:
    """All float64[B, K]: margins of both sides, the sum of absolute leaf values, the library's own rounding."""

    expected: Floats
    got: Floats
    size: Floats
    rounding: Floats
    float32: bool


def _report(circuit: Circuit, answers: Answers, margins: _Margins, own: Any) -> FidelityReport:
    expected, got = margins.expected, margins.got
    ulp = np.spacing(margins.size.astype(np.float32)).astype(np.float64)
    error = np.abs(expected - got)
    ulps = error / ulp
    allowed = ULP_LIMIT * ulp + margins.rounding
    tied = np.zeros(len(got), dtype=np.bool_)
    if answers.task in {"classification", "multilabel"}:
        before, after = _answered(answers, margins, own)
        differing = np.array([a != b for a, b in zip(before, after, strict=True)], dtype=np.bool_)
        noise = allowed if margins.float32 else margins.size * (len(circuit.trees) + 2) * 2.0**-52
        # Of several labels those that differ must all be near the threshold.
        apart = answers.task == "multilabel"
        gap = _gap(expected - answers.threshold) if not apart else _gaps_where(expected, got, answers.threshold)
        tied = np.asarray(differing & (gap <= 2 * noise.max(axis=1)))
        differing &= ~tied
    else:
        differing = np.asarray((error > allowed).any(axis=1))
        if own is not None:
            # Of the same margins: whether what the answers make of them is what predict does.
            told, said = answers.values(expected), np.asarray(own, dtype=np.float64).reshape(expected.shape)
            differing |= ~np.isclose(said, told, rtol=_LINK, atol=_LINK, equal_nan=True).all(axis=1)
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
    if any(feature.kind == "float64" for feature in circuit.features):
        source = without_zero_rules(source)
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


def _gaps_where(expected: Floats, got: Floats, threshold: float) -> Floats:
    """How far the furthest of the labels that differ is from the threshold."""
    other = (expected > threshold) != (got > threshold)
    return np.asarray(np.where(other, np.abs(expected - threshold), 0.0).max(axis=1))


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
