"""Where there are many rows, the search learns from a sample of them first, and judges on all.

Two rungs of successive halving (Jamieson and Talwalkar, 2016): every trial's models learn from at most `SAMPLE` rows
of each fold, and all rows of the fold judge them, so that losses are as exact as ever and comparable with those of the
existing process. What may be the most accurate is then judged again with models that learned from all rows of each
fold: those that a sample makes may be luckier, or worse. What else is on the front learns from all training rows once.
A sample is drawn at random, not at even steps: rows may have a rhythm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.models.families.family import Family
    from assay.models.rows import Problem, Rows

    Index = NDArray[np.int64]

SAMPLE = 50_000
"""Rows that a model of the first rung learns from."""
MANY = 2 * SAMPLE
"""Training rows above which there is a first rung."""


def sample_of(rows: int) -> int:
    """Rows that the search learns from first, where there are so many training rows; 0 for all."""
    return SAMPLE if rows > MANY else 0


def drawn(problem: Problem, rows: Rows, index: Index, size: int, seed: int) -> Index:
    """At most `size` of the rows `index`, in their order; each class keeps its share, and one row at least."""
    if not size or len(index) <= size:
        return index
    random = np.random.default_rng([seed, len(index)])
    if problem.kind == "regression":
        return np.asarray(index[np.sort(random.choice(len(index), size, replace=False))])
    labels = rows.y[index]
    chosen = []
    for label in np.unique(labels):
        place = np.flatnonzero(labels == label)
        share = int(np.ceil(len(place) * size / len(index)))
        chosen.append(random.choice(place, min(share, len(place)), replace=False))
    return np.asarray(index[np.sort(np.concatenate(chosen))])


def learns_from_sample(kind: Family, size: int) -> bool:
    """Whether a family's models learn from a sample first: references do not, nor what needs neighbours."""
    return bool(size) and kind.searched and not kind.consecutive
