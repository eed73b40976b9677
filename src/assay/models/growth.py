"""How deep trees will be and how many nodes they will have, before they are grown.

A split divides its rows by a random share, and needs enough of them on both sides. The expected number of
splits of each level then follows by recursion, on a grid of row counts. How often a node of so many rows cannot
be divided although it has enough (all of one class, or all alike) is the data's own: one probe tree says it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.models.rows import Kind

_GRID = 48
_SHARES = (0.06, 0.18, 0.32, 0.44)
"""The smaller side's share of the rows, as splits of real data are: seldom in the middle."""

_SEEN = 0.5
"""A level counts as reached if so many splits of all trees together are expected there."""

_PROBE_DEPTH = 12
_PROBE_ROWS = 8000

Stops = tuple[float, ...]


@dataclass(frozen=True)
class Grown:
    """What is expected of one tree.

    Attributes
    ----------
    depth
        Levels below the root that the deepest of all trees reaches.
    nodes
        Below the root and above that level.
    bottom
        On it.
    """

    depth: int
    nodes: float
    bottom: float

    def at_most(self, leaves: int) -> Grown:
        """The same tree with so many leaves, at most."""
        full = max(min(2 * leaves - 2, (1 << self.depth) - 2), 0)
        return Grown(self.depth, min(self.nodes, full), min(self.bottom, leaves))

    def times(self, trees: int) -> dict[str, int]:
        """Depth, nodes and bottom of so many."""
        return {"depth": self.depth, "nodes": round(trees * self.nodes), "bottom": round(trees * self.bottom)}


def probe(kind: Kind, X: NDArray[np.float32], y: NDArray[np.float64]) -> Stops:
    """Share of nodes that cannot be divided, for 2 to 3 rows, 4 to 7, and so on, in one tree of these rows."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    model = DecisionTreeRegressor if kind == "regression" else DecisionTreeClassifier
    some = np.random.default_rng(0).permutation(len(y))[:_PROBE_ROWS]
    tree = model(max_depth=_PROBE_DEPTH, random_state=0).fit(X[some], y[some]).tree_
    depth = np.zeros(tree.node_count, dtype=np.int64)
    for node in np.flatnonzero(tree.children_left >= 0):
        depth[tree.children_left[node]] = depth[tree.children_right[node]] = depth[node] + 1
    free = (depth < _PROBE_DEPTH) & (tree.n_node_samples >= 2)
    bins = np.log2(np.maximum(tree.n_node_samples, 1)).astype(np.int64)
    shares, last = [], 1.0
    for size in range(1, int(bins.max()) + 1):
        here = free & (bins == size)
        last = float(np.mean(tree.children_left[here] < 0)) if here.any() else last
        shares.append(last)
    return tuple(shares)


@lru_cache(maxsize=4096)
def grown(rows: int, depth: int, least: float, trees: int, stops: Stops = ()) -> Grown:
    """What a tree will be like.

    Parameters
    ----------
    rows
        Rows that a tree is grown on.
    depth
        The largest depth allowed.
    least
        Fewest rows of a leaf.
    trees
        How many there are: one of many goes deeper than most.
    stops
        Of `probe`.
    """
    counts = np.geomspace(1.0, max(rows, 2), _GRID)
    enough = np.clip(counts * 0.5 / max(least, 0.5) - 0.5, 0.0, 1.0)
    splits = enough * (1 - _stop(counts, stops))
    levels = [splits]
    for _ in range(depth - 1):
        below = levels[-1]
        children = [np.interp(counts * s, counts, below) + np.interp(counts * (1 - s), counts, below) for s in _SHARES]
        levels.append(splits * np.mean(children, axis=0))
    expected = [float(level[-1]) for level in levels]
    reached = max((level + 1 for level, count in enumerate(expected) if trees * count >= _SEEN), default=1)
    return Grown(reached, 2 * sum(expected[: reached - 1]), 2 * expected[reached - 1])


def _stop(counts: NDArray[np.float64], stops: Stops) -> NDArray[np.float64]:
    if not stops:
        return np.zeros(len(counts))
    middles = [math.sqrt(2.0 ** (2 * size + 1)) for size in range(1, len(stops) + 1)]
    return np.interp(np.log(counts), np.log(middles), stops)
