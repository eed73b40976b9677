"""A graph of steps and one node of trees as an ensemble of trees over the rows' own features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.categorical import Values
from assay.transpile.ensemble import Ensemble, RawTree
from assay.transpile.errors import LibraryRefuses, ModelMalformed, ModelUnsupported
from assay.transpile.importers.onnx.inlining import inlined
from assay.transpile.importers.onnx.reading import Graph, graph
from assay.transpile.importers.onnx.registry import ML
from assay.transpile.pipelines.onnx.columns import follow
from assay.transpile.pipelines.onnx.newer import NEWER, as_older, sound
from assay.transpile.pipelines.onnx.session import Session, Wide, part
from assay.transpile.pipelines.onnx.splits import COMPARE, MEMBER, Rows, Split, find
from assay.transpile.pipelines.onnx.votes import Votes, votes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.reading import Declared, RawNode
    from assay.transpile.pipelines.onnx.splits import Found

_TREES = {"TreeEnsembleClassifier", "TreeEnsembleRegressor", NEWER}
_ALONE = "Export the model up to its trees, or transpile the model itself."
_DOUBLES = {"float64", "int64", "uint64", "uint32", "int32"}
_FLOATS = {"float16", "float32", "float64"}
_LARGEST_WIDTH = 1 << 20


@dataclass(frozen=True)
class Trees:
    """A model of trees: where they stand, what goes into the graph, and what its votes mean."""

    graph: Graph
    node: RawNode
    inputs: list[Wide]
    votes: Votes


def holds_trees(model: Any) -> bool:
    """Whether a parsed model has a node of trees."""
    return any(node.op_type in _TREES for node in model.graph.node)


def trees_of(model: Any) -> Trees:
    """Find the trees of a model that is inlined.

    Raises
    ------
    ModelUnsupported
        If they are not all that the model computes, but for steps before them.
    """
    source = as_older(graph(model))
    nodes = [node for node in source.nodes if node.domain == ML and node.operator in _TREES]
    if len(nodes) != 1:
        raise ModelUnsupported(f"the model has {len(nodes)} ensembles of trees, and one is read", _ALONE)
    inputs = [_wide(declared) for declared in source.inputs]
    with sound(nodes[0]):
        return Trees(source, nodes[0], inputs, votes(source, nodes[0]))


def read(model: Any, precision: str) -> Ensemble:
    """Read a parsed model.

    Parameters
    ----------
    precision
        What rows hold at most; what the model's inputs take may be less.
    """
    model = inlined(model)
    found = trees_of(model)
    node, inputs = found.node, found.inputs
    columns, used = follow(found.graph, inputs, node)
    session = Session(part(model, node.inputs[:1], lenient=True), inputs)
    width = sum(one.width for one in inputs)
    double = precision == "float64" and any(one.type in _DOUBLES for one in inputs)
    texts = {source: tuple(known) for source, known in columns.texts.items()}

    def transform(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return session.matrix(rows, texts)

    compared = session.kind()
    rows = Rows(used, width, transform, "float64" if compared == "float64" else "float32", double, texts)
    with sound(node):
        splits, links = _splits(node, len(used))
        members = _members(node)
    kinds = _each(inputs)
    required = {source for source, one in enumerate(kinds) if one.type not in _FLOATS} | _refusing(rows)
    regions = find(rows, [split for split in splits if split is not None], required - set(texts))
    parts = _Parts(splits, links, regions, [column.source for column in used], found.votes)
    raw = [parts.tree(places) for places in members]
    lenient = {source for source in texts if source not in columns.strict}
    notes = [
        *(
            f"{name} is of whole numbers in the model: what follows a point is cut off"
            for name, one in zip(_names(inputs), kinds, strict=True)
            if one.whole
        ),
        *(
            f"values of {_names(inputs)[source]} that the model refuses as unknown are read as none of its categories"
            for source in sorted(columns.strict - set(texts))
        ),
    ]
    return Ensemble(
        trees=raw,
        features=_names(inputs),
        outputs=found.votes.outputs,
        base=found.votes.base,
        strict=False,
        missing="directions",
        meta={"library": "onnx", "model": found.graph.producer or "trees in ONNX", "notes": notes} | found.votes.meta,
        reads="float64" if double else "float32",
        categories={
            source: Values(known, "missing" if source in lenient else "refuse") for source, known in texts.items()
        },
        required=frozenset(required - lenient),
    )


def _wide(declared: Declared) -> Wide:
    shape = declared.shape
    width = 1 if len(shape) == 1 else shape[1] if len(shape) == 2 else None
    if not isinstance(width, int) or not 0 < width <= _LARGEST_WIDTH:
        raise ModelUnsupported(
            f"the input {declared.name!r:.60} has the shape {shape}, and a model of trees takes rows of numbers",
            "Export it with inputs of the shape [None, width].",
        )
    return Wide(declared.name, declared.type, width, len(shape))


def _each(inputs: Sequence[Wide]) -> list[Wide]:
    return [one for one in inputs for _ in range(one.width)]


def _names(inputs: Sequence[Wide]) -> list[str]:
    return [one.name if one.width == 1 else f"{one.name}[{index}]" for one in inputs for index in range(one.width)]


def _numbers(node: RawNode, name: str, kind: type) -> NDArray[Any]:
    given = node.attributes.get(f"{name}_as_tensor", node.attributes.get(name, []))
    return np.asarray(given, dtype=kind).reshape(-1)


def _members(node: RawNode) -> list[NDArray[np.int64]]:
    """Places in the lists of nodes, tree by tree."""
    trees = _numbers(node, "nodes_treeids", np.int64)
    order = np.argsort(trees, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(trees[order])) + 1)


def _splits(node: RawNode, width: int) -> tuple[list[Split | None], NDArray[np.int64]]:
    """The comparison of each node (None: a leaf), and the places of its true and false branch."""
    modes = [str(mode) for mode in node.attributes.get("nodes_modes", [])]
    trees, ids = _numbers(node, "nodes_treeids", np.int64), _numbers(node, "nodes_nodeids", np.int64)
    features, limits = _numbers(node, "nodes_featureids", np.int64), _numbers(node, "nodes_values", np.float64)
    branches = [_numbers(node, f"nodes_{side}nodeids", np.int64) for side in ("true", "false")]
    tracks = _numbers(node, "nodes_missing_value_tracks_true", np.int64)
    tracks = tracks if len(tracks) else np.zeros(len(modes), dtype=np.int64)
    lists = [trees, ids, features, limits, *branches, tracks]
    if not modes or any(len(found) != len(modes) for found in lists):
        raise _malformed(node, "its lists of nodes are empty or differ in length")
    members = node.attributes.get("nodes_members", [()] * len(modes))
    place = {pair: index for index, pair in enumerate(zip(trees.tolist(), ids.tolist(), strict=True))}
    if len(place) != len(modes):
        raise _malformed(node, "two nodes of a tree have one number")
    splits: list[Split | None] = []
    links = np.zeros((len(modes), 2), dtype=np.int64)
    for index, mode in enumerate(modes):
        if mode == "LEAF":
            splits.append(None)
            continue
        if mode not in COMPARE and not (mode == MEMBER and members[index]):
            raise ModelUnsupported(f"{node.operator} node {node.name!r:.80} has the mode {mode:.40}", _ALONE)
        if not 0 <= features[index] < width or np.isnan(limits[index]):
            raise _malformed(node, f"node {ids[index]} splits on a column or at a number that is not there")
        splits.append(
            Split(int(features[index]), float(limits[index]), mode, bool(tracks[index]), tuple(members[index]))
        )
        for side, branch in enumerate(branches):
            links[index, side] = place.get((int(trees[index]), int(branch[index])), -1)
    return splits, links


@dataclass(frozen=True)
class _Parts:
    """All nodes: their comparisons (None: a leaf), the places of their branches, and what leaves vote for."""

    splits: list[Split | None]
    links: NDArray[np.int64]
    regions: dict[Split, Found]
    sources: list[int]
    votes: Votes

    def tree(self, members: NDArray[np.int64]) -> RawTree:
        """The tree of some nodes, its root first."""
        count = len(members)
        own = {place: index for index, place in enumerate(members.tolist())}
        inner = [self.splits[place] for place in members.tolist()]
        left, right = ([own.get(int(self.links[place, side]), -1) for place in members.tolist()] for side in (0, 1))
        order = self._order(inner, left, right)
        new = {old: index for index, old in enumerate(order)} | {-1: -1}
        feature, threshold = np.full(count, -1, dtype=np.int64), np.zeros(count)
        default, categories = np.zeros(count, dtype=np.bool_), {}
        for index, old in enumerate(order):
            split = inner[old]
            if split is None:
                continue
            found = self.regions[split]
            feature[index], default[index] = self.sources[split.column], found.missing
            if found.regions.goes_left == (True, False):
                threshold[index] = found.regions.thresholds[0]
            else:
                categories[index] = found.regions
        value, outputs = self.votes.of(members[order])
        return RawTree(
            feature=feature,
            threshold=threshold,
            left=np.array([new[left[old]] for old in order], dtype=np.int64),
            right=np.array([new[right[old]] for old in order], dtype=np.int64),
            default_left=default,
            value=value,
            outputs=outputs,
            runtime_leaf=np.arange(count),
            categories=categories,
        )

    @staticmethod
    def _order(inner: list[Split | None], left: list[int], right: list[int]) -> list[int]:
        branches = zip(inner, left, right, strict=True)
        children = {child for split, *pair in branches if split is not None for child in pair}
        roots = [index for index in range(len(inner)) if index not in children]
        reached = list(roots)
        for index in reached:
            if inner[index] is not None and len(reached) <= len(inner):
                reached += [child for child in (left[index], right[index]) if child >= 0]
        if len(roots) != 1 or len(reached) != len(inner):
            raise ModelMalformed(
                "a tree of the model has no root or several, a cycle, or branches that are not there",
                "Export the model again.",
            )
        return [roots[0], *(index for index in range(len(inner)) if index != roots[0])]


def _refusing(rows: Rows) -> set[int]:
    """Features whose missing values a step before the trees refuses."""
    found = set()
    for source in {column.source for column in rows.columns} - set(rows.texts):
        row = np.zeros((1, rows.width))
        row[0, source] = np.nan
        try:
            rows.transform(row)
        except LibraryRefuses:
            found.add(source)
    return found


def _malformed(node: RawNode, problem: str) -> ModelMalformed:
    return ModelMalformed(f"{node.operator} node {node.name!r:.80} is malformed: {problem}", "Export the model again.")
