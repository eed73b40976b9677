"""Which keys a model's splits need: of float32 values, or of doubles.

A library that compares doubles (LightGBM, HistGradientBoosting) sets its thresholds half way between two values of
the training rows. So thresholds tell what those rows were: the mean of two float32 values that lie near each other
has few binary digits, that of two doubles all 53. Models trained on float32 rows get 32-bit keys, which cost less;
all others 64-bit keys, with which every comparison is exact for every double.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.ensemble import Ensemble, Precision, Ranges

# A mean of two float32 values with the same or the next exponent has at most so many binary digits.
_FEW_BITS = 26
# LightGBM writes infinite thresholds so.
_AVOIDED_INFINITY = 1e300


def precision_of(ensemble: Ensemble, integers: Ranges) -> Precision:
    """The type whose keys decide as the model does, by its thresholds; float32 wherever its library rounds to it."""
    if ensemble.reads == "float32":
        return "float32"
    by_feature: dict[int, list[NDArray[np.float64]]] = {}
    for tree in ensemble.trees:
        numeric = tree.feature >= 0
        numeric[[node for node in tree.categories if node < len(numeric)]] = False
        for feature in np.unique(tree.feature[numeric]).tolist():
            by_feature.setdefault(feature, []).append(tree.threshold[numeric & (tree.feature == feature)])
        for node, category in tree.categories.items():
            if category.thresholds:
                by_feature.setdefault(int(tree.feature[node]), []).append(_compared(category.thresholds))
    for feature, thresholds in by_feature.items():
        if feature not in integers and not _between_float32(np.unique(np.concatenate(thresholds))):
            return "float64"
    return "float32"


def _compared(ends: tuple[float, ...]) -> NDArray[np.float64]:
    """What a split compares with: the ends of its regions, or the doubles above them where it asks for less than."""
    found = np.array([end for end in ends if abs(end) < _AVOIDED_INFINITY], dtype=np.float64)
    above = np.nextafter(found, np.inf)
    return np.where(_bits(above) < _bits(found), above, found)


def _between_float32(thresholds: NDArray[np.float64]) -> bool:
    """Whether all lie half way between two float32 values, and most between two that are near each other."""
    finite = thresholds[np.abs(thresholds) < _AVOIDED_INFINITY]
    # LightGBM stores the next double above the mean.
    below = np.nextafter(finite, -np.inf)
    means = _is_mean(finite) | _is_mean(below)
    near = np.minimum(_bits(finite), _bits(below)) <= _FEW_BITS
    return bool(means.all() and 2 * near.sum() >= len(finite))


def _is_mean(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each is half the sum of two float32 values (or the double nearest to it)."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        twice = 2 * numbers
        larger = twice.astype(np.float32).astype(np.float64)
        rest = twice - larger
        return np.asarray(rest.astype(np.float32).astype(np.float64) == rest)


def _bits(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Binary digits from the first to the last that is set."""
    whole = np.abs(np.ldexp(np.frexp(numbers)[0], 53)).astype(np.int64)
    lowest = np.maximum(whole & -whole, 1)
    return np.where(whole > 0, 54 - np.frexp(lowest.astype(np.float64))[1], 0)
