"""`TreeEnsemble` of ai.onnx.ml 5 written as the older operators are: nodes and votes in lists, tree by tree."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import ModelMalformed, ModelUnsupported
from assay.transpile.importers.onnx.registry import ML

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.reading import Graph, RawNode

NEWER = "TreeEnsemble"
_MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER"]
_SUMS = ["AVERAGE", "SUM", "MIN", "MAX"]
_TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]
_MOST = 1 << 22  # nodes: trees may share them, and are written out


def as_older(source: Graph) -> Graph:
    """The graph with the attributes of older operators in its newer nodes of trees.

    Raises
    ------
    ModelMalformed
        If lists differ in length, or nodes are not there, have two parents or are their own.
    """
    if not any(_newer(node) for node in source.nodes):
        return source
    return replace(source, nodes=[_older(node) if _newer(node) else node for node in source.nodes])


@contextmanager
def sound(node: RawNode) -> Iterator[None]:
    """Lists of the wrong types, or that contradict each other, surface as NumPy's errors: a malformed node."""
    try:
        yield
    except (ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
        problem = " ".join(str(error).split())[:100]
        raise ModelMalformed(
            f"{node.operator} node {node.name!r:.80} is malformed: {problem}", "Export the model again."
        ) from None


def _older(node: RawNode) -> RawNode:
    with sound(node):
        return _Lists(node).older()


def _newer(node: RawNode) -> bool:
    return node.domain == ML and node.operator == NEWER


@dataclass
class _Made:
    """The lists of the older operators."""

    trees: list[int]
    ids: list[int]
    places: list[int]  # of the node in the file; -1: a leaf
    sides: list[tuple[int, int]]
    leaves: list[tuple[int, int, int]]  # tree, node, place of the leaf in the file


class _Lists:
    """The attributes of a node."""

    def __init__(self, node: RawNode) -> None:
        self.node = node
        self.features = self._whole("nodes_featureids")
        self.count = len(self.features)
        self.splits = self._tensor("nodes_splits")
        self.modes = self._tensor("nodes_modes").astype(np.int64)
        self.branches = [self._whole(f"nodes_{side}nodeids") for side in ("true", "false")]
        self.ends = [self._whole(f"nodes_{side}leafs") for side in ("true", "false")]
        self.tracks = self._whole("nodes_missing_value_tracks_true")
        self.tracks = self.tracks if len(self.tracks) else np.zeros(self.count, dtype=np.int64)
        self.targets, self.weights = self._whole("leaf_targetids"), self._tensor("leaf_weights")
        lists = [self.splits, self.modes, *self.branches, *self.ends, self.tracks]
        if not self.count or any(len(found) != self.count for found in lists):
            raise self._malformed("its lists of nodes are empty or differ in length")
        if len(self.targets) != len(self.weights):
            raise self._malformed("its lists of leaves differ in length")
        if ((self.modes < 0) | (self.modes >= len(_MODES))).any():
            raise self._malformed("a node has a mode that is not there")
        self.members = self._members()

    def older(self) -> RawNode:
        """The node with the older attributes."""
        made = self._walked()
        inner = [place >= 0 for place in made.places]
        places = [max(place, 0) for place in made.places]
        trees, ids, leaves = (
            np.array(part, dtype=np.int64)
            for part in (
                [tree for tree, _, _ in made.leaves],
                [own for _, own, _ in made.leaves],
                [at for *_, at in made.leaves],
            )
        )
        attributes = {
            "nodes_treeids": made.trees,
            "nodes_nodeids": made.ids,
            "nodes_featureids": np.where(inner, self.features[places], 0),
            "nodes_values": [
                self.splits[p] if own and p not in self.members else 0.0 for p, own in zip(places, inner, strict=True)
            ],
            "nodes_modes": [_MODES[self.modes[p]] if own else "LEAF" for p, own in zip(places, inner, strict=True)],
            "nodes_members": [self.members.get(p, ()) if own else () for p, own in zip(places, inner, strict=True)],
            "nodes_truenodeids": [side[0] for side in made.sides],
            "nodes_falsenodeids": [side[1] for side in made.sides],
            "nodes_missing_value_tracks_true": np.where(inner, self.tracks[places], 0),
            "target_treeids": trees,
            "target_nodeids": ids,
            "target_ids": self.targets[leaves],
            "target_weights": self.weights[leaves],
            "n_targets": int(self.node.attributes.get("n_targets", 1)),
            "aggregate_function": self._named("aggregate_function", _SUMS, 1),
            "post_transform": self._named("post_transform", _TRANSFORMS, 0),
        }
        return replace(self.node, attributes=attributes)

    def _walked(self) -> _Made:
        """Every tree from its root."""
        made = _Made([], [], [], [], [])
        roots = self._whole("tree_roots").tolist()
        if not roots:
            raise self._malformed("it has no trees")
        for tree, root in enumerate(roots):
            seen: set[int] = set()
            start = len(made.ids)
            self._add(made, tree, start, root)
            waiting = [start]
            for own in waiting:  # grows as nodes are found
                place = made.places[own]
                if place in seen:
                    raise self._malformed(f"node {place} has two parents in a tree, or is its own")
                seen.add(place)
                sides = []
                for branch, end in zip(self.branches, self.ends, strict=True):
                    target, leaf = int(branch[place]), bool(end[place])
                    sides.append(len(made.ids) - start)
                    if leaf:
                        self._leaf(made, tree, start, target)
                    else:
                        waiting.append(len(made.ids))
                        self._add(made, tree, start, target)
                made.sides[own] = sides[0], sides[1]
        return made

    def _add(self, made: _Made, tree: int, start: int, place: int) -> None:
        if not 0 <= place < self.count:
            raise self._malformed(f"node {place} is not there")
        if len(made.ids) > _MOST:
            raise ModelUnsupported(
                f"{self.node.operator} node {self.node.name!r:.80} has more than {_MOST} nodes", "Use a smaller model."
            )
        made.trees.append(tree)
        made.ids.append(len(made.ids) - start)
        made.places.append(place)
        made.sides.append((0, 0))

    def _leaf(self, made: _Made, tree: int, start: int, leaf: int) -> None:
        if not 0 <= leaf < len(self.targets):
            raise self._malformed(f"leaf {leaf} is not there")
        made.leaves.append((tree, len(made.ids) - start, leaf))
        made.trees.append(tree)
        made.ids.append(len(made.ids) - start)
        made.places.append(-1)
        made.sides.append((0, 0))

    def _members(self) -> dict[int, tuple[float, ...]]:
        """Of nodes that ask for a set its values; sets are parted by NaN."""
        asking = np.flatnonzero(self.modes == _MODES.index("BRANCH_MEMBER")).tolist()
        if not asking:
            return {}
        values = self._tensor("membership_values")
        parts = np.split(values, np.flatnonzero(np.isnan(values)))
        sets = [tuple(part[~np.isnan(part)].tolist()) for part in parts]
        sets = sets[:-1] if len(sets) == len(asking) + 1 and not sets[-1] else sets
        if len(sets) != len(asking):
            raise self._malformed(f"{len(sets)} sets for {len(asking)} nodes that ask for one")
        return dict(zip(asking, sets, strict=True))

    def _named(self, name: str, names: list[str], default: int) -> str:
        number = self.node.attributes.get(name, default)
        if not isinstance(number, int) or not 0 <= number < len(names):
            raise self._malformed(f"{name} is {number!r:.20}")
        return names[number]

    def _whole(self, name: str) -> NDArray[np.int64]:
        return np.asarray(self.node.attributes.get(name, []), dtype=np.int64).reshape(-1)

    def _tensor(self, name: str) -> NDArray[np.float64]:
        return np.asarray(self.node.attributes.get(name, []), dtype=np.float64).reshape(-1)

    def _malformed(self, problem: str) -> ModelMalformed:
        node: Any = self.node
        return ModelMalformed(
            f"{node.operator} node {node.name!r:.80} is malformed: {problem}", "Export the model again."
        )
