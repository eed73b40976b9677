"""Gate: the same columns, in the same units, in ranges that the champion could have known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.data.dataset.manifest import FeatureInfo, Manifest
    from assay.models.rows import Rows

GATE = "schema"
_SMALLER = 300.0
"""By how much all values have to have shrunk before their unit is doubted: a quiet time shrinks them by less, and a
thousandth of a new record, thrice the old one, is still less than that."""
_MEANING = ("target", "target_unit", "type", "classes", "horizon", "time", "entity", "window")


def gate(before: Manifest, now: Manifest, fresh: Rows | None, drift: float) -> Verdict:
    """Whether the fresh rows mean what the champion's rows meant.

    Parameters
    ----------
    fresh
        None where the columns are others, so that no rows can be compared.
    drift
        How many times a feature's former range its values may lie outside of it.
    """
    problem = shape(before, now) or ("" if fresh is None else _ranges(before, fresh, drift))
    if problem:
        return fails(GATE, f"The schema has drifted: {problem}.")
    return holds(GATE, f"{len(now.features)} features in the units and ranges that the champion knew.")


def shape(before: Manifest, now: Manifest) -> str:
    """What of the columns is other than it was; empty if nothing is."""
    for name in _MEANING:
        old, new = getattr(before, name), getattr(now, name)
        if old != new:
            return f"{name} was {old!r} and is {new!r}"
    names, there = [one.name for one in before.features], [one.name for one in now.features]
    gone, added = [n for n in names if n not in there], [n for n in there if n not in names]
    if gone or added:
        said = [f"the feature {gone[0]} is gone"] if gone else []
        return " and ".join([*said, *([f"the feature {added[0]} is new"] if added else [])])
    if names != there:
        return "the features stand in another order"
    for old_, new_ in zip(before.features, now.features, strict=True):
        for what in ("unit", "kind", "dtype"):
            if getattr(old_, what) != getattr(new_, what):
                return f"the {what} of {old_.name} was {getattr(old_, what)!r} and is {getattr(new_, what)!r}"
    return ""


def _ranges(before: Manifest, fresh: Rows, drift: float) -> str:
    for one in before.features:
        if one.min is None or one.max is None or one.name not in fresh.frame.columns:
            continue
        values = np.asarray(fresh.frame[one.name].cast(_float()).to_numpy(), dtype=np.float64)
        values = values[np.isfinite(values)]
        if not len(values):
            if one.missing < _rows(before) / 2:
                return f"{one.name} is missing in every fresh row"
            continue
        if problem := _range(one, float(one.min), float(one.max), values, drift):
            return problem
    return ""


def _range(one: FeatureInfo, low: float, high: float, values: np.ndarray[Any, Any], drift: float) -> str:
    span = max(high - low, abs(high), abs(low)) if high == low else high - low
    least, most = float(values.min()), float(values.max())
    if least < low - drift * span or most > high + drift * span:
        return (
            f"{one.name} was between {low:.6g} and {high:.6g} and is now between {least:.6g} and {most:.6g}, more than "
            f"{drift:g} times that range away: has its unit changed? ([retrain] drift)"
        )
    largest, before = float(np.abs(values).max()), max(abs(low), abs(high))
    if 0 < largest < before / _SMALLER:
        return (
            f"{one.name} was up to {before:.6g} and is at most {largest:.6g} in every fresh row, less than a "
            f"{_SMALLER:,.0f}th: has its unit changed?"
        )
    return ""


def _rows(manifest: Manifest) -> int:
    return sum(part.rows for part in manifest.rows.values())


def _float() -> Any:
    import polars as pl

    return pl.Float64
