"""What the leaves of an ensemble in ONNX vote for, and what their sums mean to onnxruntime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import ModelMalformed, ModelUnsupported

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.reading import Graph, RawNode

    Floats = NDArray[np.float64]

_TODO = "Export the model again, or transpile the model itself."
# What may stand after the trees: it changes no number.
_AFTER = {"Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze", "ZipMap"}
_NEAR = 1e-4


@dataclass(frozen=True)
class Votes:
    """Leaf values by place of their node, and their reading.

    Attributes
    ----------
    weights
        For each node ``{output: value}``.
    outputs
        Names of the sums.
    base
        float64[K].
    meta
        For `Answers`: task, link, threshold and classes.
    factor
        What the graph multiplies the trees' own sums by; part of the values.
    """

    weights: dict[int, dict[int, float]]
    outputs: list[str]
    base: Floats
    meta: dict[str, Any]
    factor: float = 1.0

    def of(self, places: NDArray[np.int64]) -> tuple[Floats, list[int]]:
        """float64[n, k] of some nodes, and which outputs the k columns are."""
        votes = [self.weights.get(int(place), {}) for place in places.tolist()]
        outputs = sorted({output for vote in votes for output in vote}) or [0]
        return np.array([[vote.get(output, 0.0) for output in outputs] for vote in votes]), outputs


def votes(source: Graph, node: RawNode) -> Votes:
    """Read the votes of a node of trees, and what the graph makes of them."""
    factor = _after(source, node)
    classifier = node.operator == "TreeEnsembleClassifier"
    prefix = "class" if classifier else "target"
    trees, nodes, ids = (_whole(node, f"{prefix}_{name}") for name in ("treeids", "nodeids", "ids"))
    values = _real(node, f"{prefix}_weights")
    if not len(trees) == len(nodes) == len(ids) == len(values) or not len(values):
        raise _malformed(node, "its lists of votes are empty or differ in length")
    if not np.isfinite(values).all():
        raise _malformed(node, "a vote is not finite")
    labels = _labels(node) if classifier else []
    count = len(labels) if classifier else int(node.attributes.get("n_targets", 1))
    if count < 1 or not ((ids >= 0) & (ids < count)).all():
        raise _malformed(node, "it votes for an output that is not there")
    single = classifier and count == 2 and len(set(ids.tolist())) == 1
    _count_is_known(node, classifier=classifier, count=count, single=single)
    base = _base(node, 1 if single else count)
    how = str(node.attributes.get("aggregate_function", "SUM"))
    if how not in {"SUM", "AVERAGE"}:
        raise _unsupported(node, f"takes the {how:.20} of its trees")
    number = len(set(_whole(node, "nodes_treeids").tolist()))
    share = factor / number if how == "AVERAGE" else factor
    nodes_of = zip(_whole(node, "nodes_treeids").tolist(), _whole(node, "nodes_nodeids").tolist(), strict=False)
    place = {pair: index for index, pair in enumerate(nodes_of)}
    weights: dict[int, dict[int, float]] = {}
    for tree, leaf, output, value in zip(trees.tolist(), nodes.tolist(), ids.tolist(), values.tolist(), strict=True):
        if (tree, leaf) not in place:
            raise _malformed(node, f"node {leaf} of tree {tree} votes and is not there")
        vote = weights.setdefault(place[tree, leaf], {})
        column = 0 if single else output
        vote[column] = vote.get(column, 0.0) + value * share
    meta = _meta(node, labels, values, single=single) if classifier else _regression(node)
    if classifier and not single:
        _all_vote(node, weights, values, count)
        meta |= {"link": "probability"} if meta["link"] == "margin" and _shares(weights, number, base) else {}
    width = 1 if single else count
    return Votes(
        weights, ["margin"] if width == 1 else [f"margin[{k}]" for k in range(width)], base * factor, meta, factor
    )


def _count_is_known(node: RawNode, *, classifier: bool, count: int, single: bool) -> None:
    if classifier and count == 2 and not single:
        # onnxruntime answers 1 and -1 there, whatever the labels are.
        raise _unsupported(node, "votes for both of two classes, whose labels onnxruntime does not give")
    if classifier and count < 2:
        raise _unsupported(node, "knows one class only")


def _meta(node: RawNode, labels: list[Any], values: Floats, *, single: bool) -> dict[str, Any]:
    kind = str(node.attributes.get("post_transform", "NONE"))
    meta: dict[str, Any] = {"task": "classification", "classes": labels}
    if single:
        if kind not in {"NONE", "LOGISTIC", "SOFTMAX"}:
            raise _unsupported(node, f"has the transform {kind:.20}")
        # onnxruntime takes votes that are all positive for shares, even before a logistic function.
        threshold = 0.5 if (values >= 0).all() else 0.0
        return meta | {"link": "logit" if kind == "LOGISTIC" else "margin", "threshold": threshold}
    if kind not in {"NONE", "LOGISTIC", "SOFTMAX"}:
        raise _unsupported(node, f"has the transform {kind:.20}")
    return meta | {"link": {"SOFTMAX": "softmax", "LOGISTIC": "margin"}.get(kind, "margin")}


def _regression(node: RawNode) -> dict[str, Any]:
    kind = str(node.attributes.get("post_transform", "NONE"))
    if kind != "NONE":
        # The standard asks for it, and onnxruntime leaves it out.
        raise _unsupported(node, f"has the transform {kind:.20}, which runtimes read in different ways")
    return {"task": "regression", "link": "identity"}


def _all_vote(node: RawNode, weights: dict[int, dict[int, float]], values: Floats, count: int) -> None:
    """A class without a vote on a row is left out by onnxruntime, and has the sum 0 here.

    That is the same if all votes are positive, if there are base values, or if every leaf of some tree votes for it.
    """
    if (values > 0).all() or len(_real(node, "base_values")):
        return
    trees: dict[int, list[set[int]]] = {}
    kinds = zip(_whole(node, "nodes_treeids").tolist(), node.attributes.get("nodes_modes", []), strict=False)
    for place, (tree, mode) in enumerate(kinds):
        if mode == "LEAF":
            trees.setdefault(tree, []).append(set(weights.get(place, {})))
    always = set().union(*(set.intersection(*leaves) for leaves in trees.values()))
    if len(always) < count:
        raise _unsupported(node, "has a class that some rows get no vote for, beside votes that are not positive")


def _shares(weights: dict[int, dict[int, float]], trees: int, base: Floats) -> bool:
    """Whether the votes of every leaf are its share of one."""
    sums = np.array([sum(vote.values()) * trees for vote in weights.values()])
    least = min(min(vote.values()) for vote in weights.values())
    return bool(least >= 0 and not base.any() and (np.abs(sums - 1) < _NEAR).all())


def _after(source: Graph, node: RawNode) -> float:
    """What the graph's outputs are of the trees': themselves, and of a regression some multiple."""
    factor, reach = 1.0, dict.fromkeys(node.outputs, 1.0)
    constants = dict(source.constants)
    for raw in source.nodes:
        if raw is node:
            continue
        if raw.operator == "Constant" and isinstance(raw.attributes.get("value"), np.ndarray):
            constants[raw.outputs[0]] = raw.attributes["value"]
        read = [name for name in raw.inputs if name in reach]
        if not read:
            continue
        found = reach[read[0]]
        if raw.operator in {"Mul", "Div"}:
            found *= _by(raw, read[0], constants)
        elif raw.operator not in _AFTER:
            raise ModelUnsupported(
                f"{raw.operator} node {raw.name!r:.80} computes with what the model's trees say, and a circuit of "
                "trees ends with them",
                "Export the model up to its trees, or transpile the model itself.",
            )
        reach |= dict.fromkeys(raw.outputs, found)
    for declared in source.outputs:
        if declared.name not in reach:
            raise ModelUnsupported(
                f"the output {declared.name!r:.60} does not come from the model's trees", "Export it without."
            )
        factor = reach[declared.name] if reach[declared.name] != 1.0 else factor
    if factor != 1.0 and node.operator == "TreeEnsembleClassifier":
        raise _unsupported(node, "has its scores multiplied")
    return factor


def _by(raw: RawNode, name: str, constants: dict[str, Any]) -> float:
    other = next((constants[one] for one in raw.inputs if one != name and one in constants), None)
    if other is None or np.size(other) != 1 or (raw.operator == "Div" and raw.inputs[0] != name):
        raise ModelUnsupported(f"{raw.operator} node {raw.name!r:.80} computes with what the model's trees say", _TODO)
    value = float(np.asarray(other).reshape(-1)[0])
    if not np.isfinite(value) or value == 0:
        raise ModelMalformed(f"{raw.operator} node {raw.name!r:.80} multiplies by {value:g}", _TODO)
    return 1 / value if raw.operator == "Div" else value


def _labels(node: RawNode) -> list[Any]:
    texts = node.attributes.get("classlabels_strings")
    return [str(text) for text in texts] if texts else [int(k) for k in node.attributes.get("classlabels_int64s", [])]


def _base(node: RawNode, count: int) -> Floats:
    base = _real(node, "base_values")
    if not len(base):
        return np.zeros(count)
    if len(base) != count or not np.isfinite(base).all():
        raise _malformed(node, f"it has {len(base)} base values for {count} sums")
    return base


def _real(node: RawNode, name: str) -> Floats:
    given = node.attributes.get(f"{name}_as_tensor", node.attributes.get(name, []))
    return np.asarray(given, dtype=np.float64).reshape(-1)


def _whole(node: RawNode, name: str) -> NDArray[np.int64]:
    return np.asarray(node.attributes.get(name, []), dtype=np.int64).reshape(-1)


def _malformed(node: RawNode, problem: str) -> ModelMalformed:
    return ModelMalformed(f"{node.operator} node {node.name!r:.80} is malformed: {problem}", _TODO)


def _unsupported(node: RawNode, problem: str) -> ModelUnsupported:
    return ModelUnsupported(f"{node.operator} node {node.name!r:.80} {problem}", _TODO)
