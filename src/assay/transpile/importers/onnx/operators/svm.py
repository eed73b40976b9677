"""Support vector machines of ONNX-ML: kernels between the row and the support vectors, weighed."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.functions import SIGMOID, TANH, Function
from assay.transpile.flow.tensor import Tensor, add, apply, concatenate, constant, linear, multiply, readable, total
from assay.transpile.importers.onnx.operators.activations import to_the
from assay.transpile.importers.onnx.operators.logic import at_least
from assay.transpile.importers.onnx.operators.ml import labelled, matrix, transformed
from assay.transpile.importers.onnx.operators.reduce import best
from assay.transpile.importers.onnx.registry import ML, operator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node

    Floats = NDArray[np.float64]

_KERNELS = {"LINEAR", "RBF", "POLY", "SIGMOID"}


def _floats(node: Node, name: str) -> Floats:
    return np.asarray(node.attribute(name, []), dtype=np.float64)


def _kernels(node: Node, rows: Tensor, vectors: Floats) -> Tensor:
    """[rows, vectors]."""
    flow = node.flow
    gamma, start, degree = [*_floats(node, "kernel_params").tolist(), 0.0, 0.0, 3.0][:3]
    kind = str(node.attribute("kernel_type", "LINEAR"))
    if kind not in _KERNELS:
        raise node.malformed(f"kernel {kind!r:.40}")
    if kind == "RBF":
        squares = total(flow, multiply(flow, rows, rows)).moved(lambda part: part[:, np.newaxis])
        cross = linear(flow, rows, np.ascontiguousarray(-2 * vectors.T), (vectors**2).sum(axis=1))
        return apply(flow, add(flow, cross, squares).scaled(-gamma), Function("exp_negative"))
    products = linear(flow, rows, np.ascontiguousarray(vectors.T))
    if kind == "LINEAR":
        return products
    products = products.scaled(gamma, start)
    return to_the(node, products, degree) if kind == "POLY" else apply(flow, products, TANH)


@operator(
    "SVMRegressor",
    domain=ML,
    rows="a linear call a row, and 1 a support vector",
    limits="one class",
)
def svm_regressor(node: Node) -> Tensor:
    """The sum of the kernels."""
    flow, rows = node.flow, readable(node.flow, matrix(node))
    weights, rho, count = _floats(node, "coefficients"), _floats(node, "rho"), int(node.attribute("n_supports", 0))
    if node.attribute("one_class", 0):
        raise node.refuse("it tells one class from all else")
    if not count:
        return transformed(node, linear(flow, rows, weights[:, np.newaxis], rho[:1]))
    kernels = _kernels(node, rows, _floats(node, "support_vectors").reshape(count, -1))
    return transformed(node, linear(flow, kernels, weights[:, np.newaxis], rho[:1]))


@operator(
    "SVMClassifier",
    domain=ML,
    rows="a linear call a row, 1 a support vector, and votes of each two classes",
    limits="labels that are text, probabilities of three classes and more, which are found step by step",
)
def svm_classifier(node: Node) -> list[Tensor]:
    """Decisions between each two classes, and the first that wins most; of two with signs as runtimes have them."""
    flow, rows = node.flow, readable(node.flow, matrix(node))
    labels = node.attribute("classlabels_ints", None)
    if labels is None:
        raise node.refuse("its labels are text", "Train with labels that are whole numbers.")
    supports = [int(count) for count in node.attribute("vectors_per_class", [])]
    if len(supports) != len(labels) or len(labels) < 2 or str(node.attribute("post_transform", "NONE")) != "NONE":
        raise node.refuse(f"it has {len(supports)} groups of vectors for {len(labels)} labels, or a transform")
    vectors = _floats(node, "support_vectors").reshape(sum(supports), -1)
    weights = _floats(node, "coefficients").reshape(len(labels) - 1, sum(supports))
    pairs = list(combinations(range(len(labels)), 2))
    decisions = readable(
        flow, linear(flow, _kernels(node, rows, vectors), _between(supports, weights, pairs), _floats(node, "rho"))
    )
    names = [float(label) for label in labels]
    slopes, offsets = _floats(node, "prob_a"), _floats(node, "prob_b")
    if len(slopes):
        return _probable(node, decisions, (slopes, offsets), names)
    above = at_least(flow, constant(np.zeros(1)), decisions).scaled(-1.0, 1.0)  # more than 0: the first of the two
    ballots = np.zeros((len(pairs), len(labels)))
    shares = np.zeros(len(labels))
    for place, (one, two) in enumerate(pairs):
        ballots[place, one], ballots[place, two] = 1.0, -1.0
        shares[two] += 1.0
    _, index = best(node, linear(flow, above, ballots, shares), smallest=False, last=False)
    if len(labels) == 2:
        decisions = concatenate([decisions.scaled(-1.0), decisions], 1)
    return [labelled(node, index, names), decisions]


def _between(supports: list[int], weights: Floats, pairs: list[tuple[int, int]]) -> Floats:
    """[vectors, pairs]: what each vector weighs in the decision between two classes."""
    starts = np.concatenate([[0], np.cumsum(supports)])
    found = np.zeros((sum(supports), len(pairs)))
    for index, (one, two) in enumerate(pairs):
        for own, other in ((one, two - 1), (two, one)):
            span = slice(starts[own], starts[own + 1])
            found[span, index] = weights[other, span]
    return found


def _probable(node: Node, decisions: Tensor, calibration: tuple[Floats, Floats], names: list[float]) -> list[Tensor]:
    """Two classes by the sigmoid of their decision; the label by the larger."""
    if len(names) != 2:
        raise node.refuse(
            "probabilities of more than two classes are found step by step", "Train without `probability=True`."
        )
    node.flow.notes.append("probabilities are the sigmoids themselves, which runtimes approach in steps, to 0.005")
    argument = decisions.scaled(calibration[0], calibration[1])
    first = apply(node.flow, argument.scaled(-1.0), SIGMOID)
    second = apply(node.flow, argument, SIGMOID)
    label = at_least(node.flow, decisions.scaled(-calibration[0], -calibration[1]), constant(np.zeros(1)))
    index = label.scaled(-1.0, 1.0).moved(lambda part: part[:, 0])
    return [labelled(node, index, names), concatenate([first, second], 1)]
