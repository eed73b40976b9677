"""Which rows train, which validate, which test; and which are left out between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.data.errors import SettingsUnfit, TooFewRows
from assay.data.expressions import require
from assay.data.features import series

if TYPE_CHECKING:
    import polars as pl

    from assay.task.data import Split

PARTS = ("train", "validation", "test")
FEWEST = 10
"""Rows that a part must have: below that no metric means anything."""


def split(
    rows: pl.DataFrame,
    spec: Split,
    *,
    timed: bool,
    target: str,
    classes: bool,
    reach: int,
    time: str | None = None,
    entity: str | None = None,
    window: int = 1,
) -> pl.Series:
    """Assign each row to a part.

    Parameters
    ----------
    rows
        The rows that have features and a label; in the order of time, if they have one.
    spec
        The section [data.split].
    timed
        Whether they have a time.
    target
        The column of the labels.
    classes
        Whether labels are classes.
    reach
        Rows ahead that a label sees.
    time, entity
        The columns of the time, if rows of one time are to be in one part and the embargo counts times, and of what
        tells series apart, if there are several. With `series.KNOWN`, the time by which each label is known.
    window
        Rows that a model sees at once: the embargo counts them too.

    Returns
    -------
    Series
        "train", "validation" or "test"; missing for rows of the embargo. A row before a boundary whose label
        sees rows behind it is always left out, so no label is made of rows of another part, or of rows that a window
        of another part holds.

    Raises
    ------
    TooFewRows
        If a part would have fewer than `FEWEST` rows.
    DataError
        If the split makes no sense for these rows.
    """
    import polars as pl

    by = spec.by or ("time" if timed else "random")
    if by == "time" and not timed:
        raise SettingsUnfit(
            '[data.split] is by = "time", and the rows have no time', "Set [data] time, or split at random."
        )
    # A label sees rows of its own series only, and so may parts that divide the series.
    if by != "time" and (reach or window > 1) and (entity is None or spec.group != entity):
        sees = f"the label sees {reach} rows ahead" if reach else f"windows hold {window} rows"
        raise SettingsUnfit(
            f'[data.split] is by = "{by}", and {sees}: parts would know each other', 'Split by = "time".'
        )
    apart = max(spec.embargo or 0, reach + window - 1)
    shares = np.array([spec.train, spec.validation, spec.test])
    if by == "time":
        parts = _by_time(rows, shares, apart, time)
    elif by == "group":
        parts = _by_group(rows[require(str(spec.group), rows.columns, "[data.split]")], shares, spec.seed)
    else:
        stratify = classes if spec.stratify is None else spec.stratify
        parts = _at_random(rows[target] if stratify else None, rows.height, shares, spec.seed)
    counts = [int((parts == number).sum()) for number in range(3)]
    for name, count, share in zip(PARTS, counts, shares, strict=True):
        if count < FEWEST:
            least = int(np.ceil(FEWEST / share)) + 2 * apart
            if time is not None and entity is not None:
                at_once = rows.height / rows[time].n_unique()
                least = int(np.ceil((max(FEWEST, at_once) + apart * at_once) / share))
            raise TooFewRows(
                f"the {name} part would have {count} of {rows.height} rows, and needs {FEWEST}",
                f"Collect more (about {least} rows with label and features are needed), or change [data.split].",
            )
    names = np.array([*PARTS, None], dtype=object)
    return pl.Series("split", names[parts].tolist(), dtype=pl.String)


def boundaries(height: int, shares: np.ndarray) -> list[int]:
    """The first rows of the second and the third part."""
    return [round(height * float(share)) for share in np.cumsum(shares)[:2]]


def _by_time(rows: pl.DataFrame, shares: np.ndarray, embargo: int, time: str | None) -> np.ndarray:
    parts = np.zeros(rows.height, dtype=np.int64)
    moments = series.moments(rows, time)
    for number, near in enumerate(boundaries(rows.height, shares), start=1):
        start = series.whole(moments, near)
        parts[start:] = number
        parts[series.embargoed(moments, start, embargo) : start] = 3
        if time is not None and series.KNOWN in rows.columns and start < rows.height:
            # The next row of a series may be many times away.
            # What a ready-made label sees behind a series' last row may be of any time.
            late = (rows[series.KNOWN] >= rows[time][start]).fill_null(value=True)
            parts[:start][late.to_numpy()[:start]] = 3
    return parts


def _at_random(labels: pl.Series | None, height: int, shares: np.ndarray, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    if labels is None:
        return _dealt(random.permutation(height), height, shares)
    parts = np.zeros(height, dtype=np.int64)
    values = labels.to_numpy()
    for value in np.unique(values):
        place = np.flatnonzero(values == value)
        parts[place] = _dealt(random.permutation(len(place)), len(place), shares)
    return parts


def _dealt(order: np.ndarray, height: int, shares: np.ndarray) -> np.ndarray:
    parts = np.zeros(height, dtype=np.int64)
    first, second = boundaries(height, shares)
    parts[order[first:second]] = 1
    parts[order[second:]] = 2
    return parts


def _by_group(groups: pl.Series, shares: np.ndarray, seed: int) -> np.ndarray:
    """Whole groups, in random order, each to the part that lacks the most rows."""
    import polars as pl

    text = groups.bin.encode("hex") if groups.dtype == pl.Binary else groups.cast(str)
    keys = text.fill_null("\x00missing").to_numpy()
    names, place, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    wanted = shares * len(keys)
    given = np.zeros(3)
    of_group = np.zeros(len(names), dtype=np.int64)
    for group in np.random.default_rng(seed).permutation(len(names)):
        number = int(np.argmax((wanted - given) / wanted))
        of_group[group] = number
        given[number] += sizes[group]
    return of_group[place]
