"""The reference evaluator: what a proof proves, in plain integer arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.categorical import ZERO_THRESHOLD
from assay.transpile.circuit.keys import KEY_OF_ZERO, float32_keys
from assay.transpile.circuit.network.evaluate import Evaluator
from assay.transpile.errors import MissingValue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Circuit, Tree
    from assay.transpile.circuit.network.network import Network

_LOW_BITS = 31


def evaluate(circuit: Circuit, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Integer outputs of encoded rows, an object array [B, K]; raises `MissingValue` where none may be."""
    if circuit.kind == "linear":
        return _linear(circuit, words, missing)
    if circuit.network is not None:
        return _network(circuit, circuit.network, words, missing)
    leaves = trace(circuit, words, missing)
    high = np.zeros((len(words), len(circuit.outputs)), dtype=np.int64)
    low = np.zeros_like(high)
    # In two halves, since a sum of 62-bit leaves does not fit 64 bits.
    for index, tree in enumerate(circuit.trees):
        values = tree.leaf[leaves[:, index]]
        high += values >> _LOW_BITS
        low += values & ((1 << _LOW_BITS) - 1)
    sums: NDArray[np.object_] = high.astype(object) * (1 << _LOW_BITS) + low.astype(object)
    sums += np.array(circuit.base, dtype=object)
    return sums


def trace(circuit: Circuit, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The leaf that each row reaches in each tree: node numbers, int64[B, T]."""
    keys = view_keys(circuit, words, missing)
    leaves = np.zeros((len(words), len(circuit.trees)), dtype=np.int64)
    for index, tree in enumerate(circuit.trees):
        leaves[:, index] = _descend(tree, keys)
    return leaves


def view_keys(circuit: Circuit, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """The keys that the nodes compare: uint64[B, V]."""
    smallest, largest = float32_keys(np.array([-ZERO_THRESHOLD, ZERO_THRESHOLD], dtype=np.float32))
    keys = np.empty((len(words), len(circuit.views)), dtype=np.uint64)
    fill = {"low": 0, "high": (1 << circuit.bits) - 1, "zero": KEY_OF_ZERO}
    for index, view in enumerate(circuit.views):
        word, absent = words[:, view.feature], missing[:, view.feature]
        if view.missing == "refuse":
            _refuse(circuit, view.feature, absent)
        if view.zero_missing:
            absent = absent | ((word >= smallest) & (word <= largest))
        keys[:, index] = np.where(absent, np.uint64(fill.get(view.missing, 0)), word)
    return keys


def _descend(tree: Tree, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    rows = np.arange(len(keys))
    node = np.zeros(len(keys), dtype=np.int64)
    while rows.size:
        here = node[rows]
        inner = tree.view[here] >= 0
        rows, here = rows[inner], here[inner]
        left = keys[rows, tree.view[here]] < tree.key[here]
        node[rows] = np.where(left, tree.left[here], tree.right[here])
    return node


def _linear(circuit: Circuit, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> NDArray[np.object_]:
    for index in range(len(circuit.features)):
        _refuse(circuit, index, missing[:, index])
    integers = words.astype(object) + np.array([feature.low for feature in circuit.features], dtype=object)
    weights = np.array(circuit.weights, dtype=object).reshape(len(circuit.outputs), len(circuit.features))
    result: NDArray[np.object_] = integers @ weights.T + np.array(circuit.base, dtype=object)
    return result


def _network(
    circuit: Circuit, network: Network, words: NDArray[np.uint64], missing: NDArray[np.bool_]
) -> NDArray[np.object_]:
    for index in range(len(circuit.features)):
        _refuse(circuit, index, missing[:, index])
    low = np.array([feature.low for feature in circuit.features], dtype=np.int64)
    inputs = words.astype(np.int64) + low - np.array(network.input_centres, dtype=np.int64)
    return Evaluator(network).outputs(inputs).astype(object)


def _refuse(circuit: Circuit, feature: int, absent: NDArray[np.bool_]) -> None:
    if absent.any():
        raise missing_value(circuit.features[feature].name, feature, int(np.flatnonzero(absent)[0]))


def missing_value(name: str, column: int, row: int) -> MissingValue:
    """The error for a value that may not be missing."""
    return MissingValue(
        f"row {row}, column {column} ({name}) is missing, and the model does not take missing values there",
        "Fill it in.",
    )
