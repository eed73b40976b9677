"""What must hold of a tree before anything walks it: model files are not trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.errors import ModelMalformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.ensemble import RawTree

_TODO = "Save the model again with its own library."


def check_tree(raw: RawTree, features: int, outputs: int, where: str) -> None:
    """Refuse a tree that is none: raises `ModelMalformed` naming `where`.

    Afterwards every node reachable from the root is reached once, its features and children exist, its
    thresholds are numbers and its leaves are finite.
    """
    count = len(raw.feature)
    arrays = (raw.threshold, raw.left, raw.right, raw.default_left, raw.value, raw.runtime_leaf)
    if count == 0 or any(len(array) != count for array in arrays):
        raise malformed(where, "its lists of nodes are empty or differ in length")
    if raw.value.ndim != 2 or raw.value.shape[1] != len(raw.outputs):
        raise malformed(where, "its leaves do not have one value for each of their outputs")
    if any(not 0 <= output < outputs for output in raw.outputs) or len(set(raw.outputs)) != len(raw.outputs):
        raise malformed(where, "it adds to an output that the model does not have")
    seen = _reach(raw, where)
    inner = seen & (raw.feature >= 0)
    if (raw.feature[inner] >= features).any():
        raise malformed(where, f"it splits on a feature that is not among the model's {features}")
    plain = inner.copy()
    plain[list(raw.categories)] = False
    if np.isnan(raw.threshold[plain]).any():
        raise malformed(where, "it has a threshold that is not a number")
    if not np.isfinite(raw.value[seen & ~inner]).all():
        raise malformed(where, "it has a leaf that is not a finite number")


def _reach(raw: RawTree, where: str) -> NDArray[np.bool_]:
    """Nodes reachable from the root, level by level; a second visit is a cycle or a shared child."""
    count = len(raw.feature)
    seen = np.zeros(count, dtype=np.bool_)
    level = np.array([0])
    while level.size:
        seen[level] = True
        inner = level[raw.feature[level] >= 0]
        level = np.concatenate([raw.left[inner], raw.right[inner]])
        if ((level < 0) | (level >= count)).any():
            raise malformed(where, "a node has a child that does not exist")
        if seen[level].any() or len(np.unique(level)) != len(level):
            raise malformed(where, "a node is reached in two ways: its links form a cycle")
    return seen


def malformed(where: str, problem: str) -> ModelMalformed:
    """The error for a model that contradicts itself."""
    return ModelMalformed(f"the model is malformed: {where}: {problem}", _TODO)
