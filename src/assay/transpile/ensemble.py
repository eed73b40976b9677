"""What every importer returns: a tree ensemble or a linear model, in the model's own numbers.

Nothing is rounded here. `assemble` turns an `Ensemble` and `linear` a `Linear` into a `Circuit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.categorical import Category, Values

# Features declared as integers: the smallest and largest value of each, by index.
Ranges = dict[int, tuple[int, int]]

MissingRule = Literal["directions", "zero", "refuse"]
Precision = Literal["float32", "float64"]


@dataclass
class RawTree:
    """One tree of ``n`` nodes as its library stores it; node 0 is the root.

    Attributes
    ----------
    feature
        int64[n]; -1 marks a leaf.
    threshold
        float64[n]; unused at leaves.
    left, right
        int64[n]; children of inner nodes.
    default_left
        bool[n]; where a missing value goes.
    value
        float64[n, k]; read at leaves only.
    outputs
        The outputs that the k columns of `value` add to.
    runtime_leaf
        int64[n]; what the library's own leaf-index prediction says at that leaf.
    zero_missing
        bool[n] or None; nodes where values of at most 1e-35 count as missing.
    categories
        Inner nodes that test membership in a set instead of a threshold.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    default_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    outputs: list[int]
    runtime_leaf: NDArray[np.int64]
    zero_missing: NDArray[np.bool_] | None = None
    categories: dict[int, Category] = field(default_factory=dict)


@dataclass
class Ensemble:
    """A sum of trees.

    Attributes
    ----------
    features
        Names, one for each feature.
    outputs
        Names, one for each output.
    base
        float64[K]; added to the sums.
    strict
        True if a split is ``x < t``, False if it is ``x <= t``.
    missing
        "directions": every node says where missing values go; "zero": they are read as 0.0; "refuse":
        the library refuses them.
    flush_tiny
        Whether the library reads ``|x| <= 1e-35`` as zero.
    reads
        The type that the library's own predict compares: values of another are rounded to it first.
    categories
        What the model records of its categorical features, by index.
    missing_value
        A number that stands for a missing value, besides NaN.
    fill
        What is read in place of missing values of a feature, by index.
    required
        Features that may not be missing, whatever `missing` says of the others.
    meta
        Facts for people and for `fidelity`; no part of what is proven.
    """

    trees: list[RawTree]
    features: list[str]
    outputs: list[str]
    base: NDArray[np.float64]
    strict: bool
    missing: MissingRule
    meta: dict[str, Any]
    flush_tiny: bool = False
    reads: Precision = "float32"
    categories: dict[int, Values] = field(default_factory=dict)
    missing_value: float | None = None
    fill: dict[int, float] = field(default_factory=dict)
    required: frozenset[int] = frozenset()


@dataclass
class Linear:
    """``X @ weights.T + base``; `weights` is float64[K, F], `base` float64[K]; `fill` as in `Ensemble`."""

    weights: NDArray[np.float64]
    base: NDArray[np.float64]
    features: list[str]
    outputs: list[str]
    meta: dict[str, Any]
    fill: dict[int, float] = field(default_factory=dict)


Source = Ensemble | Linear


def class_labels(classes: Any) -> list[Any]:
    """Class labels as JSON-compatible values: numbers and texts as they are, others as text."""
    plain = np.asarray(classes).tolist()
    return [label if isinstance(label, bool | int | str) or _is_finite(label) else str(label) for label in plain]


def _is_finite(label: Any) -> bool:
    return isinstance(label, float) and bool(np.isfinite(label))
