"""Laying out a model's tree for a circuit: checked, in preorder, with threshold splits only."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from assay.transpile.circuit.keys import integer_split
from assay.transpile.errors import ModelUnsupported
from assay.transpile.importers.check import check_tree

if TYPE_CHECKING:
    from assay.transpile.ensemble import Ensemble, Ranges, RawTree

# A categorical split repeats the subtrees below it; a model that needs more nodes than this is refused.
MAX_NODES = 1 << 22


@dataclass
class Grown:
    """A tree in preorder; -1 in `feature` marks a leaf, `source` is the node in the model's own tree."""

    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    default_left: list[bool] = field(default_factory=list)
    zero_missing: list[bool] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    source: list[int] = field(default_factory=list)


class _Split(NamedTuple):
    feature: int
    threshold: float
    default_left: bool
    zero_missing: bool
    source: int


class _Known(NamedTuple):
    """What the path says of a categorical feature: right of `low`, left of `high`, and whether it can be missing."""

    low: float = -math.inf
    high: float = math.inf
    missing: bool = True


class _Part(NamedTuple):
    """What to lay out: a node, or some regions of a categorical one; and the link that will point to it.

    `target` is the region that missing values walk to.
    """

    node: int
    regions: tuple[int, int] | None
    target: int
    known: dict[int, _Known]
    links: list[int]
    slot: int


def grow(ensemble: Ensemble, integers: Ranges) -> list[Grown]:
    """Check every tree and lay it out.

    Raises
    ------
    ModelMalformed
        If a tree contradicts itself.
    ModelUnsupported
        If there are too many nodes.
    """
    grown: list[Grown] = []
    nodes = 0
    for index, raw in enumerate(ensemble.trees):
        check_tree(raw, len(ensemble.features), len(ensemble.outputs), f"tree {index}")
        grown.append(_Grower(raw, integers, MAX_NODES - nodes, strict=ensemble.strict).tree())
        nodes += len(grown[-1].feature)
    return grown


class _Grower:
    def __init__(self, raw: RawTree, integers: Ranges, budget: int, *, strict: bool) -> None:
        self.raw, self.integers, self.budget, self.strict = raw, integers, budget, strict
        # Plain lists: element by element they are several times faster than arrays.
        self.feature, self.threshold = raw.feature.tolist(), raw.threshold.tolist()
        self.left, self.right = raw.left.tolist(), raw.right.tolist()
        self.default_left = raw.default_left.tolist()
        self.zero = [False] * len(self.feature) if raw.zero_missing is None else raw.zero_missing.tolist()
        self.grown = Grown()

    def tree(self) -> Grown:
        work = [_Part(0, None, 0, {}, [0], 0)]
        while work:
            work += self._lay(work.pop())
        return self.grown

    def _lay(self, part: _Part) -> list[_Part]:
        """Lay out one part; return what remains of it, the left side last so that it comes next."""
        node = part.node
        if self.feature[node] < 0:
            part.links[part.slot] = self._add(_Split(-1, 0.0, default_left=False, zero_missing=False, source=node))
            return []
        if node in self.raw.categories:
            part = part if part.regions else self._enter(part)
            first, last = part.regions or (0, 1)
            if last - first == 1:
                return [self._leave(part, first)]
            split, left, right = self._search(part, first, last)
        else:
            split = _Split(self.feature[node], self.threshold[node], self.default_left[node], self.zero[node], node)
            left = part._replace(node=self.left[node], regions=None)
            right = part._replace(node=self.right[node], regions=None)
        side = self._constant(split)
        if side is not None:
            return [left if side else right]
        here = part.links[part.slot] = self._add(split)
        return [
            right._replace(links=self.grown.right, slot=here),
            left._replace(links=self.grown.left, slot=here),
        ]

    def _enter(self, part: _Part) -> _Part:
        """Begin the search for a category's region among those that the path has left open."""
        category = self.raw.categories[part.node]
        known = part.known.get(self.feature[part.node], _Known())
        if known.low >= known.high:  # the path is a missing value's alone
            side = self.default_left[part.node]
            region = category.goes_left.index(side) if side in category.goes_left else 0
            return part._replace(regions=(region, region + 1), target=region)
        first = bisect_right(category.thresholds, known.low)
        last = bisect_left(category.thresholds, known.high) + 1
        side = self.default_left[part.node]
        if side not in category.goes_left[first:last] and known.missing:
            # Only missing values go that way here: keep a region for them.
            if first > 0:
                first -= 1
            elif last < len(category.goes_left):
                last += 1
        sides = category.goes_left[first:last]
        return part._replace(regions=(first, last), target=first + sides.index(side) if side in sides else first)

    def _search(self, part: _Part, first: int, last: int) -> tuple[_Split, _Part, _Part]:
        """One step of that search."""
        middle = (first + last) // 2
        threshold = self.raw.categories[part.node].thresholds[middle - 1]
        split = _Split(self.feature[part.node], threshold, part.target < middle, zero_missing=False, source=part.node)
        return split, part._replace(regions=(first, middle)), part._replace(regions=(middle, last))

    def _leave(self, part: _Part, region: int) -> _Part:
        """Go on below a category once its region is found."""
        node, feature = part.node, self.feature[part.node]
        category = self.raw.categories[node]
        known = part.known.get(feature, _Known())
        ends = (-math.inf, *category.thresholds, math.inf)
        now = _Known(
            max(known.low, ends[region]), min(known.high, ends[region + 1]), known.missing and part.target == region
        )
        child = self.left[node] if category.goes_left[region] else self.right[node]
        return part._replace(node=child, regions=None, known=part.known | {feature: now})

    def _constant(self, split: _Split) -> bool | None:
        """Which way all integers of the declared range go, if they all go one way."""
        if split.feature not in self.integers:
            return None
        low, high = self.integers[split.feature]
        key = integer_split(split.threshold, strict=self.strict, low=low, high=high)
        return None if 0 < key <= high - low else key > 0

    def _add(self, split: _Split) -> int:
        grown = self.grown
        if len(grown.feature) >= self.budget:
            raise ModelUnsupported(
                f"the trees have more than {MAX_NODES} nodes once categorical splits are spelled out",
                "Train with fewer or smaller trees.",
            )
        grown.feature.append(split.feature)
        grown.threshold.append(split.threshold)
        grown.default_left.append(split.default_left)
        grown.zero_missing.append(split.zero_missing)
        grown.source.append(split.source)
        grown.left.append(0)
        grown.right.append(0)
        return len(grown.feature) - 1
