"""What the training rows lack that the test rows have: entities, values beyond any seen, and whole regimes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    Floats = np.ndarray[Any, np.dtype[np.float64]]

_BINS = 10
_MUCH = 0.05
"""A tenth of the values counts as a regime that is lacking if so many of the test rows are in it ..."""
_LITTLE = 0.01
"""... and so few of the training rows."""
_NAMED = 20


def lacking(rows: pl.DataFrame, columns: Sequence[str], entity: str | None) -> dict[str, Any]:
    """Compare the training rows with the test rows of a finished dataset.

    Parameters
    ----------
    rows
        With the column `split`.
    columns
        Features and target.
    entity
        The column that tells series apart, or None.

    Returns
    -------
    dict
        JSON-compatible: `beyond`, the columns with test rows outside the range of the training rows, and how many;
        `regimes`, ranges of values that many test rows and hardly any training rows have; `entities`, how many of the
        test rows' entities no training row has, and the first of their names.
    """
    train, test = (rows.filter(rows["split"] == part) for part in ("train", "test"))
    beyond, regimes = [], []
    for name in columns:
        known, new = _numbers(train[name]), _numbers(test[name])
        if not len(known) or not len(new):
            continue
        low, high = float(known.min()), float(known.max())
        below, above = int((new < low).sum()), int((new > high).sum())
        if below or above:
            beyond.append({"column": name, "low": low, "high": high, "below": below, "above": above})
        regimes += [{"column": name, **found} for found in _regimes(known, new)]
    return {"test_rows": test.height, "beyond": beyond, "regimes": regimes, "entities": _entities(train, test, entity)}


def _regimes(known: Floats, new: Floats) -> list[dict[str, float]]:
    """Neighbouring tenths of all values that are lacking are one regime."""
    edges = np.unique(np.quantile(np.concatenate([known, new]), np.linspace(0, 1, _BINS + 1)))
    if len(edges) < _BINS // 2:  # few different values, which are no tenths
        return []
    shares = [np.histogram(values, edges)[0] / len(values) for values in (known, new)]
    lacks = (shares[0] < _LITTLE) & (shares[1] >= _MUCH)
    found: list[dict[str, float]] = []
    for at in np.flatnonzero(lacks).tolist():
        one = {"low": float(edges[at]), "high": float(edges[at + 1]), "train": shares[0][at], "test": shares[1][at]}
        if found and found[-1]["high"] == one["low"]:
            last = found.pop()
            one |= {"low": last["low"], "train": last["train"] + one["train"], "test": last["test"] + one["test"]}
        found.append({key: float(value) for key, value in one.items()})
    return found


def _entities(train: pl.DataFrame, test: pl.DataFrame, entity: str | None) -> dict[str, Any] | None:
    if entity is None:
        return None
    new = test.filter(~test[entity].is_in(train[entity].unique().implode()))
    names = sorted({str(value) for value in new[entity].unique().to_list()})
    return {"count": len(names), "rows": new.height, "names": names[:_NAMED]}


def _numbers(column: pl.Series) -> Floats:
    import polars as pl

    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.asarray(values[np.isfinite(values)], dtype=np.float64)
