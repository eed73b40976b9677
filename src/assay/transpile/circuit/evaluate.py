"""The reference evaluator: what a proof proves, in plain integer arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.categorical import ZERO_THRESHOLD
from assay.transpile.circuit.forest import Forest
from assay.transpile.circuit.keys import KEY_OF_ZERO, float32_keys
from assay.transpile.circuit.network.evaluate import Evaluator
from assay.transpile.errors import MissingValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Circuit
    from assay.transpile.circuit.network.network import Network

    Evaluate = Callable[[NDArray[np.uint64], NDArray[np.bool_]], tuple[NDArray[np.object_], list[int]]]


def evaluate(circuit: Circuit, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Integer outputs of encoded rows, an object array [B, K]; raises `MissingValue` where none may be."""
    return evaluator(circuit)(words, missing)[0]


def evaluator(circuit: Circuit) -> Evaluate:
    """`evaluate` of one circuit and the rows that reach an end of a value, prepared once for many calls.

    The circuit may not change meanwhile.
    """
    if circuit.kind == "linear":
        return _linear(circuit)
    if circuit.network is not None:
        return _network(circuit, circuit.network)
    return _trees(circuit)


def _trees(circuit: Circuit) -> Evaluate:
    forest, views = Forest(circuit.trees), Views(circuit)
    base = np.array(circuit.base, dtype=object)

    def outputs(words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> tuple[NDArray[np.object_], list[int]]:
        sums: NDArray[np.object_] = forest.sums(views.keys(words, missing)) + base
        return sums, []

    return outputs


def trace(circuit: Circuit, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The leaf that each row reaches in each tree: node numbers, int64[B, T]."""
    return Forest(circuit.trees).leaves(Views(circuit).keys(words, missing))


class Views:
    """What the nodes of a circuit compare."""

    def __init__(self, circuit: Circuit) -> None:
        fill = {"low": 0, "high": (1 << circuit.bits) - 1, "zero": KEY_OF_ZERO}
        self._circuit = circuit
        self._feature = np.array([view.feature for view in circuit.views], dtype=np.intp)
        self._fill = np.array([fill.get(view.missing, 0) for view in circuit.views], dtype=np.uint64)
        self._refuse = np.unique([view.feature for view in circuit.views if view.missing == "refuse"]).astype(np.intp)
        self._zero_missing = np.array([view.zero_missing for view in circuit.views], dtype=np.bool_)
        ends = np.array([-ZERO_THRESHOLD, ZERO_THRESHOLD], dtype=np.float32)
        self._smallest, self._largest = float32_keys(ends)

    def keys(self, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> NDArray[np.uint64]:
        """The keys that the nodes compare: uint64[B, V]."""
        for feature in self._refuse[missing[:, self._refuse].any(axis=0)]:
            _refuse(self._circuit, int(feature), missing[:, feature])
        keys, absent = words[:, self._feature], missing[:, self._feature]
        if self._zero_missing.any():
            absent |= (keys >= self._smallest) & (keys <= self._largest) & self._zero_missing
        return np.where(absent, self._fill, keys)


def _linear(circuit: Circuit) -> Evaluate:
    low = np.array([feature.low for feature in circuit.features], dtype=object)
    weights = np.array(circuit.weights, dtype=object).reshape(len(circuit.outputs), len(circuit.features)).T
    base = np.array(circuit.base, dtype=object)

    def outputs(words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> tuple[NDArray[np.object_], list[int]]:
        _refuse_any(circuit, missing)
        result: NDArray[np.object_] = (words.astype(object) + low) @ weights + base
        return result, []

    return outputs


def _network(circuit: Circuit, network: Network) -> Evaluate:
    low = np.array([feature.low for feature in circuit.features], dtype=np.int64)
    centres, steps = np.array(network.input_centres, dtype=np.int64), Evaluator(network)

    def outputs(words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> tuple[NDArray[np.object_], list[int]]:
        _refuse_any(circuit, missing)
        found, ended = steps.told(words.astype(np.int64) + low - centres)
        return found.astype(object), np.flatnonzero(ended).tolist()

    return outputs


def _refuse_any(circuit: Circuit, missing: NDArray[np.bool_]) -> None:
    for feature in np.flatnonzero(missing.any(axis=0)):
        _refuse(circuit, int(feature), missing[:, feature])


def _refuse(circuit: Circuit, feature: int, absent: NDArray[np.bool_]) -> None:
    if absent.any():
        raise missing_value(circuit.features[feature].name, feature, int(np.flatnonzero(absent)[0]))


def missing_value(name: str, column: int, row: int) -> MissingValue:
    """The error for a value that may not be missing."""
    return MissingValue(
        f"row {row}, column {column} ({name}) is missing, and the model does not take missing values there",
        "Fill it in.",
    )
