"""From a tree ensemble to a circuit: views, keys, integer leaves."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.categorical import zero_is_missing
from assay.transpile.circuit.circuit import Circuit, Feature, Tree, View
from assay.transpile.circuit.keys import WORD_BITS, flush_zero, integer_split, split_keys
from assay.transpile.circuit.quantise import choose_scale, to_integer, to_integers
from assay.transpile.errors import ModelUnsupported
from assay.transpile.trees.grow import grow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Inputs, Missing
    from assay.transpile.ensemble import Ensemble, Precision, Ranges, RawTree
    from assay.transpile.trees.grow import Grown

# Leaf values in memory: nodes times outputs. Real models stay far below; a hostile file must not fill the machine.
MAX_VALUES = 1 << 26


def assemble(ensemble: Ensemble, integers: Ranges, inputs: Inputs, precision: Precision = "float32") -> Circuit:
    """Make the circuit of an ensemble.

    Parameters
    ----------
    ensemble
        Checked here; nothing in it is trusted.
    integers
        Inclusive ranges of the features that are compared as integers, by index.
    inputs
        "public" or "private".
    precision
        What the keys of all other features are keys of.

    Raises
    ------
    ModelMalformed, ModelUnsupported
        If the trees contradict themselves or do not fit a circuit.
    """
    double = precision == "float64"
    if double:
        ensemble = without_zero_rules(ensemble)
    grown = grow(ensemble, integers)
    if sum(len(tree.feature) for tree in grown) * len(ensemble.outputs) > MAX_VALUES:
        raise ModelUnsupported("the model has too many nodes for its number of outputs", "Train a smaller model.")
    views = _views(ensemble, grown, integers, inputs)
    place = {view: index for index, view in enumerate(views)}
    leaves = [_leaf_values(ensemble, index, tree) for index, tree in enumerate(grown)]
    scale = choose_scale(
        np.concatenate([ensemble.base, *map(np.ravel, leaves)]),
        _largest_sum(ensemble, leaves),
        len(ensemble.outputs),
    )
    keys = [_keys(ensemble, tree, integers, double=double) for tree in grown]
    return Circuit(
        kind="trees",
        inputs=inputs,
        features=[
            Feature(name, "integer", *integers[index]) if index in integers else _feature(ensemble, index, precision)
            for index, name in enumerate(ensemble.features)
        ],
        outputs=ensemble.outputs,
        scale_bits=scale.bits,
        base=[to_integer(float(value), scale.bits) for value in ensemble.base],
        views=views,
        trees=[
            Tree(
                view=np.array(
                    [place[view] if view else -1 for view in _node_views(ensemble, tree, integers)], np.int32
                ),
                key=key,
                left=np.array(tree.left, dtype=np.int32),
                right=np.array(tree.right, dtype=np.int32),
                leaf=to_integers(values, scale.bits),
            )
            for tree, key, values in zip(grown, keys, leaves, strict=True)
        ],
        meta=ensemble.meta | {"leaves_exact": scale.exact, "reads": ensemble.reads},
        missing_value=ensemble.missing_value,
    )


def _feature(ensemble: Ensemble, index: int, precision: Precision) -> Feature:
    feature = Feature(
        ensemble.features[index], categories=ensemble.categories.get(index), fill=ensemble.fill.get(index)
    )
    if precision == "float32":
        return feature
    return replace(feature, kind="float64", high=(1 << WORD_BITS) - 1)


def without_zero_rules(ensemble: Ensemble) -> Ensemble:
    """The same ensemble without rules that name the key of 0.0, which are for keys of float32 (spec 4.2)."""
    if ensemble.missing == "zero":
        # The encoder writes the key of 0.0 itself.
        fill = dict.fromkeys(range(len(ensemble.features)), 0.0) | ensemble.fill
        return replace(ensemble, missing="refuse", fill=fill)
    return replace(ensemble, trees=[_zeros_as_regions(tree) for tree in ensemble.trees])


def _zeros_as_regions(raw: RawTree) -> RawTree:
    if raw.zero_missing is None or not raw.zero_missing.any():
        return raw
    regions = {
        node: zero_is_missing(float(raw.threshold[node]), default_left=bool(raw.default_left[node]))
        for node in np.flatnonzero(raw.zero_missing & (raw.feature >= 0)).tolist()
    }
    return replace(raw, zero_missing=None, categories=raw.categories | regions)


def _leaf_values(ensemble: Ensemble, index: int, tree: Grown) -> NDArray[np.float64]:
    """Leaf values, float64[n, K]; 0 at inner nodes."""
    raw = ensemble.trees[index]
    values = np.zeros((len(tree.feature), len(ensemble.outputs)))
    leaf = np.array(tree.feature) < 0
    values[np.flatnonzero(leaf)[:, np.newaxis], raw.outputs] = raw.value[np.array(tree.source)[leaf]]
    return values


def _largest_sum(ensemble: Ensemble, leaves: list[NDArray[np.float64]]) -> float:
    bound = np.abs(ensemble.base)
    with np.errstate(over="ignore"):
        for values in leaves:
            bound = bound + np.abs(values).max(axis=0)
    largest = float(bound.max())
    if not math.isfinite(largest):
        raise ModelUnsupported("the sum of the model's leaf values overflows", "Train on a rescaled target.")
    return largest


def _views(ensemble: Ensemble, grown: list[Grown], integers: Ranges, inputs: Inputs) -> list[View]:
    """The views of all features, used or not: a list of used ones would give away the trees."""
    rules: list[tuple[Missing, bool]] = [("refuse", False)]
    if ensemble.missing == "zero":
        rules = [("zero", False)]
    elif ensemble.missing == "directions":
        rules = [("low", False), ("high", False)]
        if any(any(tree.zero_missing) for tree in grown):
            rules += [("low", True), ("high", True)]
            if inputs == "private":
                raise ModelUnsupported(
                    "the model treats zeros as missing (LightGBM's zero_as_missing), which private inputs do not allow",
                    "Use public inputs, or train with zero_as_missing=false.",
                )
    views = []
    for index in range(len(ensemble.features)):
        if index in integers or index in ensemble.required:
            views.append(View(index, "refuse"))
        else:
            views += [View(index, missing, zero) for missing, zero in rules]
    return views


def _node_views(ensemble: Ensemble, tree: Grown, integers: Ranges) -> list[View | None]:
    """The view that each node reads; None at leaves."""
    views: list[View | None] = []
    for feature, default_left, zero in zip(tree.feature, tree.default_left, tree.zero_missing, strict=True):
        if feature < 0:
            views.append(None)
        elif feature in integers:
            if zero or feature in ensemble.fill:
                raise ModelUnsupported(
                    f"feature {ensemble.features[feature]} is declared an integer, and the model reads its zeros as "
                    "missing or fills its missing values in",
                    "Leave it out of integer_features, or train without that.",
                )
            views.append(View(feature, "refuse"))
        elif feature in ensemble.required:
            views.append(View(feature, "refuse"))
        elif ensemble.missing == "directions":
            views.append(View(feature, "low" if default_left else "high", zero))
        else:
            views.append(View(feature, "zero" if ensemble.missing == "zero" else "refuse"))
    return views


def _keys(ensemble: Ensemble, tree: Grown, integers: Ranges, *, double: bool) -> NDArray[np.uint64]:
    thresholds = np.array(tree.threshold)
    thresholds = flush_zero(thresholds) if ensemble.flush_tiny else thresholds
    keys = split_keys(thresholds, strict=ensemble.strict, double=double)
    for node, feature in enumerate(tree.feature):
        if feature < 0:
            keys[node] = 0
        elif feature in integers:
            low, high = integers[feature]
            keys[node] = integer_split(tree.threshold[node], strict=ensemble.strict, low=low, high=high)
    return keys
