"""ONNX-ML: what scikit-learn's pipelines export to beside their networks and linear models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.flow import Input
from assay.transpile.flow.functions import SIGMOID, Function
from assay.transpile.flow.tensor import (
    Tensor,
    apply,
    concatenate,
    constant,
    linear,
    multiply,
    readable,
    stack,
    total,
)
from assay.transpile.importers.onnx.operators.activations import along_last
from assay.transpile.importers.onnx.operators.logic import at_least, equal
from assay.transpile.importers.onnx.operators.reduce import best
from assay.transpile.importers.onnx.registry import ML, operator

if TYPE_CHECKING:
    from assay.transpile.importers.onnx.node import Node, Operand


def matrix(node: Node) -> Tensor:
    """The input as rows."""
    tensor = node.tensor(0)
    if len(tensor.shape) == 1:
        return tensor.moved(lambda part: part[np.newaxis])
    return tensor


@operator("Scaler", domain=ML, rows="0 after a linear call or before one")
def scaler(node: Node) -> Tensor:
    """An offset and a scale for each column."""
    offset = np.asarray(node.attribute("offset", [0.0]), dtype=np.float64)
    scale = np.asarray(node.attribute("scale", [1.0]), dtype=np.float64)
    return node.tensor(0).scaled(scale, -offset * scale)


@operator("LinearRegressor", domain=ML, rows="a linear call a row")
def linear_regressor(node: Node) -> Tensor:
    """A linear model."""
    return transformed(node, _linear(node, int(node.attribute("targets", 1))))


@operator(
    "LinearClassifier", domain=ML, rows="a linear call a row, and the choice of a label", limits="labels that are text"
)
def linear_classifier(node: Node) -> list[Operand]:
    """Labels and scores."""
    labels = node.attribute("classlabels_ints", None)
    if labels is None:
        raise node.refuse("its labels are text", "Train with labels that are whole numbers.")
    weights = np.asarray(node.attribute("coefficients", []), dtype=np.float64)
    width = matrix(node).shape[1]
    scores = _linear(node, weights.size // width)
    kind = str(node.attribute("post_transform", "NONE"))
    if len(labels) == 2 and scores.shape[1] == 1:
        above = at_least(node.flow, scores, constant(np.full((1, 1), 0.5 if kind == "NONE" else 0.0)))
        label = above.scaled(float(labels[1]) - float(labels[0]), float(labels[0])).moved(lambda part: part[:, 0])
        found = apply(node.flow, scores, SIGMOID) if kind == "LOGISTIC" else scores
        other = found.scaled(-1.0, 1.0) if kind == "LOGISTIC" else found.scaled(-1.0)
        return [label, concatenate([other, found], 1)]
    scores = readable(node.flow, scores)
    _, index = best(node, scores, smallest=False, last=False)
    return [labelled(node, index, [float(label) for label in labels]), transformed(node, scores)]


def labelled(node: Node, index: Tensor, labels: list[float]) -> Tensor:
    """Labels of indices: as they are if they count from some number, else by comparisons."""
    step = labels[1] - labels[0] if len(labels) > 1 else 1.0
    if labels == [labels[0] + step * place for place in range(len(labels))]:
        return index.scaled(step, labels[0])
    result = None
    index = readable(node.flow, index)
    for place, label in enumerate(labels):
        part = equal(node, index, constant(np.full((), float(place)))).scaled(label)
        result = part if result is None else _sum(node, result, part)
    assert result is not None  # noqa: S101 - there are labels
    return result


def _sum(node: Node, left: Tensor, right: Tensor) -> Tensor:
    pairs = stack([left, right], axis=-1)
    return total(node.flow, pairs)


def _linear(node: Node, outputs: int) -> Tensor:
    rows = matrix(node)
    weights = np.asarray(node.attribute("coefficients", []), dtype=np.float64).reshape(outputs, -1)
    bias = np.asarray(node.attribute("intercepts", [0.0] * outputs), dtype=np.float64)
    return linear(node.flow, rows, np.ascontiguousarray(weights.T), bias)


def transformed(node: Node, scores: Tensor) -> Tensor:
    kind = str(node.attribute("post_transform", "NONE"))
    if kind == "NONE":
        return scores
    if kind == "LOGISTIC":
        return apply(node.flow, scores, SIGMOID)
    if kind == "SOFTMAX":
        return along_last(node, scores)
    raise node.refuse(f"its transform is {kind:.40}")


@operator("Normalizer", domain=ML, rows="about 3 an element", limits="the largest as a norm")
def normalizer(node: Node) -> Tensor:
    """Each row divided by its norm."""
    rows = readable(node.flow, matrix(node))
    kind = str(node.attribute("norm", "MAX"))
    if kind == "L2":
        sums = total(node.flow, multiply(node.flow, rows, rows))
        inverse = apply(node.flow, sums, Function("inverse_sqrt"))
    elif kind == "L1":
        inverse = apply(node.flow, total(node.flow, apply(node.flow, rows, Function("abs"))), Function("reciprocal"))
    else:
        raise node.refuse(
            f"its norm is {kind:.40}, which runtimes and scikit-learn read in different ways", "Use L1 or L2."
        )
    return multiply(node.flow, rows, inverse.moved(lambda part: part[:, np.newaxis]))


@operator("Imputer", domain=ML, rows="0; of a number that stands for a missing one 3 an element")
def imputer(node: Node) -> Operand:
    """The input: a circuit takes no row with missing values, so there is nothing to fill in but for a number."""
    kind = "int64" if "imputed_value_int64s" in node.attributes else "float"
    replaced = float(node.attribute(f"replaced_value_{kind}", 0.0))
    if np.isinf(replaced):  # no number of a circuit is
        return node.moved(0, lambda part: part)
    if not np.isnan(replaced):
        tensor, values = node.tensor(0), np.asarray(node.attribute(f"imputed_value_{kind}s", []), dtype=np.float64)
        if not np.isfinite(values).all():
            raise node.refuse("it puts in what is no number")
        found = equal(node, tensor, constant(np.full((), replaced)))
        return _sum(node, *(part.broadcast(tensor.shape) for part in (tensor, found.scaled(values - replaced))))
    node.flow.notes.append("rows with missing values are refused, though the model fills them in")
    return node.moved(0, lambda part: part)


@operator("OneHotEncoder", domain=ML, rows="2 an element and category", limits="categories that are text")
def one_hot_encoder(node: Node) -> Tensor:
    """1 for the category that the number is."""
    categories = node.attribute("cats_int64s", None)
    if categories is None:
        raise node.refuse("its categories are text", "Encode them as whole numbers.")
    tensor = node.tensor(0).moved(lambda part: part[..., np.newaxis])
    bases = [node.flow.bases[base] for base in tensor.base.ravel().tolist()]
    node.flow.meta.setdefault("whole", []).extend(base.index for base in bases if isinstance(base, Input))
    node.fits((tensor.base.size, len(categories)))
    return equal(node, tensor, constant(np.asarray(categories, dtype=np.float64)))


@operator("LabelEncoder", domain=ML, rows="2 an element and key", limits="text")
def label_encoder(node: Node) -> Tensor:
    """A number for each key, and one for all others."""
    keys = node.attribute("keys_int64s", node.attribute("keys_floats", None))
    values = node.attribute("values_int64s", node.attribute("values_floats", None))
    if keys is None or values is None:
        raise node.refuse("it encodes text", "Encode it before the model.")
    default = float(node.attribute("default_int64" if "values_int64s" in node.attributes else "default_float", -1))
    tensor = readable(node.flow, node.tensor(0).moved(lambda part: part[..., np.newaxis]))
    node.fits((tensor.base.size, len(keys)))
    found = equal(node, tensor, constant(np.asarray(keys, dtype=np.float64)))
    result = total(node.flow, found.scaled(np.asarray(values, dtype=np.float64) - default))
    kind = "int64" if "values_int64s" in node.attributes else "float32"  # the tables of types do not say it
    return replace(result.scaled(1.0, default), kind=kind)


@operator("Binarizer", domain=ML, rows="1 an element")
def binarizer(node: Node) -> Tensor:
    """1 above a threshold."""
    threshold = constant(np.full((), float(node.attribute("threshold", 0.0))))
    return at_least(node.flow, threshold, node.tensor(0)).scaled(-1.0, 1.0)


@operator("FeatureVectorizer", domain=ML, rows="0")
def feature_vectorizer(node: Node) -> Tensor:
    """Columns side by side."""
    parts = [node.tensor(index) for index in range(len(node.inputs))]
    return concatenate([part.moved(lambda part: part.reshape(part.shape[0], -1)) for part in parts], 1)


@operator("ArrayFeatureExtractor", domain=ML, rows="0", limits="indices that are not constant")
def array_feature_extractor(node: Node) -> Operand:
    """Columns by constant indices; of constant labels by an index, the label."""
    data, index = node.inputs[0], node.inputs[1]
    if isinstance(index, Tensor) and not index.constant and not isinstance(data, Tensor) and data is not None:
        if data.dtype.kind not in "iuf":
            raise node.refuse("its labels are text", "Train with labels that are whole numbers.")
        return labelled(node, index, [float(label) for label in data.reshape(-1)]).moved(lambda p: p.reshape(1, -1))
    picks = node.integers(1)
    return node.moved(0, lambda part: part[..., picks])


@operator("ZipMap", domain=ML, rows="0")
def zip_map(node: Node) -> Operand:
    """The scores, without the names that ZipMap gives them."""
    return node.moved(0, lambda part: part)


@operator(
    "TreeEnsembleClassifier",
    "TreeEnsembleRegressor",
    "TreeEnsemble",
    domain=ML,
    rows="none: with the steps before it, it becomes a [circuit of trees](../guides/networks.md#trees-in-onnx)",
    limits="two of them, steps before them that mix features, and whatever computes with what they say",
)
def tree_ensemble(node: Node) -> Operand:
    """Trees are read by `pipelines.onnx`; in the middle of a network they cannot be."""
    raise node.refuse("its trees stand in a network", "Export the model up to its trees.")
