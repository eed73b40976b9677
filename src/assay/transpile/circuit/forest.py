"""All trees of a circuit as one list of nodes, so that rows descend all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Tree

_AT_ONCE = 1 << 20
"""Values that are held at once: rows times trees times outputs."""
_LOW_BITS = 31
_LOOK = 4
"""Levels after which those that have arrived are left behind, in trees of which few branches are long."""


class Forest:
    """T trees of N nodes together.

    A leaf is a node whose children are the leaf itself, and which no key is below: whoever is there stays.

    Parameters
    ----------
    trees
        At least one, all of K outputs.
    """

    def __init__(self, trees: Sequence[Tree]) -> None:
        sizes = np.array([len(tree.view) for tree in trees], dtype=np.int64)
        self._roots = np.cumsum(sizes) - sizes
        view = np.concatenate([tree.view for tree in trees])
        inner, own = view >= 0, np.arange(len(view))
        self._view = np.where(inner, view, 0).astype(np.intp)
        self._key = np.where(inner, np.concatenate([tree.key for tree in trees]), np.uint64(0))
        start = np.repeat(self._roots, sizes)
        # Both children of a node beside each other, the left one second, where a comparison that holds finds it.
        right, left = (
            np.where(inner, np.concatenate([getattr(tree, side) for tree in trees]) + start, own)
            for side in ("right", "left")
        )
        self._children = np.stack([right, left], axis=1).ravel()
        self._leaf = np.concatenate([tree.leaf for tree in trees])
        self._inner, self._depth = inner, self._deepest(inner)
        largest = max(int(self._leaf.max()), -int(self._leaf.min()))
        self._fits = largest * len(trees) < 1 << 63

    def _deepest(self, inner: NDArray[np.bool_]) -> int:
        """Comparisons on the longest path."""
        depth, here = 0, self._roots
        while (here := here[inner[here]]).size:
            here = np.unique(self._children.reshape(-1, 2)[here])
            depth += 1
        return depth

    def leaves(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Which node of each tree, counted from its root, is the leaf that rows reach: int64[B, T] of keys [B, V]."""
        parts = [self._descend(keys[rows]) for rows in self._chunks(len(keys))]
        return np.concatenate(parts).reshape(-1, len(self._roots)) - self._roots

    def sums(self, keys: NDArray[np.uint64]) -> NDArray[np.object_]:
        """The sums of the leaves that rows reach, as Python integers: object[B, K] of keys [B, V]."""
        return np.concatenate([self._sum(keys[rows]) for rows in self._chunks(len(keys))])

    def _chunks(self, rows: int) -> Iterator[slice]:
        size = max(1, _AT_ONCE // (len(self._roots) * self._leaf.shape[1]))
        return (slice(start, start + size) for start in range(0, max(rows, 1), size))

    def _descend(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Nodes, row by row and tree by tree: int64[B * T]."""
        rows, views = keys.shape
        flat = np.ascontiguousarray(keys).ravel()
        row = np.repeat(np.arange(rows) * views, len(self._roots))
        node = np.tile(self._roots, rows)
        going: slice | NDArray[np.int64] = slice(None)
        for level in range(1, self._depth + 1):
            here = node[going]
            left = flat[row[going] + self._view[here]] < self._key[here]
            node[going] = self._children[2 * here + left]
            if level % _LOOK == 0:
                going = np.flatnonzero(self._inner[node])
        return node

    def _sum(self, keys: NDArray[np.uint64]) -> NDArray[np.object_]:
        values = self._leaf[self._descend(keys)].reshape(len(keys), len(self._roots), self._leaf.shape[1])
        found: NDArray[np.object_]
        if self._fits:
            found = values.sum(axis=1).astype(object)
        else:  # in two halves, since a sum of 62-bit leaves does not fit 64 bits
            high, low = (values >> _LOW_BITS).sum(axis=1), (values & ((1 << _LOW_BITS) - 1)).sum(axis=1)
            found = high.astype(object) * (1 << _LOW_BITS) + low.astype(object)
        return found
