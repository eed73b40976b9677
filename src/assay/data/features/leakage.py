"""Does a feature know what it cannot know? The future is changed, and no earlier value may move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.data.errors import Leaks
from assay.data.expressions import wide
from assay.data.features import features, series

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    from assay.task.data import Feature

CUTS = 4
ALMOST = 0.999
"""A rank correlation, or an area under the curve, that no honest feature of a hard question has."""
FEWEST = 30
_TODO = {
    "future": "Make it of rows up to its own only.",
    "target": "Leave it out; if it is honest, name it in [data] trusted.",
    "copies": 'Remove the copies from their source, or divide by = "group"; if they are meant (a state that comes '
    'again), write [data] may_repeat = ["rows"].',
}


@dataclass(frozen=True)
class Leak:
    """A feature that knows too much.

    Attributes
    ----------
    feature
        Its name.
    kind
        "future": an earlier value moved when later rows were changed; "target": it is nearly the target; "copies":
        the rows themselves, of no one feature.
    what
        A sentence.
    """

    feature: str
    kind: str
    what: str


def future(
    rows: pl.DataFrame,
    made: features.Made,
    specs: Sequence[Feature],
    *,
    time: str | None,
    project: Path,
    entity: str | None = None,
    seed: int = 7,
) -> list[Leak]:
    """Make the features anew from rows whose future was cut off or changed, and compare.

    Parameters
    ----------
    rows
        The rows that features are made of, in the order of time.
    made
        What `features.make` gave for them.
    specs
        The features.
    time
        The time column; without one the rows have no future, and nothing is compared.
    project
        The project's folder.
    entity
        The column that tells series apart, if there are several; the future is that of all of them.

    Returns
    -------
    list of Leak
        One for each feature of which an earlier value moved.
    """
    import polars as pl

    if time is None or rows.height < 2:
        return []
    random = np.random.default_rng(seed)
    cuts = sorted({int(cut) for cut in random.integers(1, rows.height, CUTS)} | {rows.height - 1})
    if entity is not None:
        # From the first row of that time on, whatever its series.
        times = rows[time].to_physical()
        cuts = sorted({int(times.search_sorted(times[cut], side="left")) for cut in cuts} - {0})
    found: dict[str, Leak] = {}
    for index, cut in enumerate(cuts):
        head, tail = rows.head(cut), rows.tail(rows.height - cut)
        changed = head if index % 2 else pl.concat([head, _changed(tail, {time, entity}, random)])
        again = features.make(changed, specs, time=time, project=project, entity=entity)
        # The only row of a series says nothing: polars divides one number by another otherwise, in the last bit.
        lone = again.frame.select(series.before(entity) + series.after(entity) == 0).to_series().head(cut)
        for name in made.names:
            before, after = made.frame[name].head(cut), again.frame[name].head(cut)
            same = _same(before, after) | lone
            if not same.all():
                row = int((~same).arg_max() or 0)
                found.setdefault(
                    name,
                    Leak(
                        name,
                        "future",
                        f"the feature {name} of row {row + 1} changed from {before[row]!r:.30} to {after[row]!r:.30} "
                        f"when rows after row {cut} were changed",
                    ),
                )
    return list(found.values())


def _same(before: pl.Series, after: pl.Series) -> pl.Series:
    import polars as pl

    if before.dtype == after.dtype:
        return before.eq_missing(after)
    # Whole numbers have the type that holds those that are there.
    pairs = zip(wide.plain(before).tolist(), wide.plain(after).tolist(), strict=True)
    return pl.Series([one == other or (one != one and other != other) for one, other in pairs], dtype=pl.Boolean)  # noqa: PLR0124


def _changed(rows: pl.DataFrame, kept: set[str | None], random: np.random.Generator) -> pl.DataFrame:
    """Other values in the same columns: shuffled, and numbers also scaled. Those of `kept` stay."""
    import polars as pl

    columns = []
    for column in rows:
        if column.name in kept:
            columns.append(column)
            continue
        shuffled = column.gather(random.permutation(rows.height))
        if column.dtype.is_float():
            shuffled = (shuffled * random.uniform(2, 9)).alias(column.name)
        elif column.dtype.is_integer():
            shuffled = shuffled.reverse()
        columns.append(shuffled)
    return pl.DataFrame(columns)


def target(rows: pl.DataFrame, names: Sequence[str], label: str, *, classes: int, trusted: Sequence[str]) -> list[Leak]:
    """Find features that alone nearly are the target.

    Parameters
    ----------
    rows
        Training rows, typed and coded.
    names
        The features.
    label
        The target.
    classes
        How many classes it has; 0 for a regression.
    trusted
        Features that are left alone.
    """
    import polars as pl

    found = []
    for name in names:
        if name in trusted:
            continue
        pair = rows.select(pl.col(name).cast(pl.Float64).alias("x"), pl.col(label).cast(pl.Float64).alias("y"))
        pair = pair.drop_nulls()
        if pair.height < FEWEST:
            continue
        strength = _separation(pair) if classes else _rank_correlation(pair)
        if strength > ALMOST:
            how = "separates its classes" if classes else "has a rank correlation with it"
            found.append(
                Leak(name, "target", f"the feature {name} alone nearly is the target: it {how} ({strength:.4f})")
            )
    return found


def refuse(leaks: Sequence[Leak]) -> None:
    """Raise Leaks if there are any."""
    if not leaks:
        return
    first = leaks[0]
    others = f" So do {', '.join(leak.feature for leak in leaks[1:6])}." if leaks[1:] else ""
    raise Leaks(first.what, _TODO[first.kind] + others)


def _rank_correlation(pair: pl.DataFrame) -> float:
    import polars as pl

    x, y = (pair[name].rank("average").cast(pl.Float64).to_numpy() for name in ("x", "y"))
    if x.std() == 0 or y.std() == 0:
        return 0.0
    return abs(float(np.corrcoef(x, y)[0, 1]))


def _separation(pair: pl.DataFrame) -> float:
    """The least area under the curve (or its complement) of one class against the rest."""
    ranks = pair["x"].rank("average").to_numpy()
    y = pair["y"].to_numpy()
    areas = []
    for value in np.unique(y):
        own = y == value
        count, rest = int(own.sum()), int((~own).sum())
        if count == 0 or rest == 0:
            return 0.0
        area = (ranks[own].sum() - count * (count + 1) / 2) / (count * rest)
        areas.append(max(area, 1 - area))
    # Of three or more classes only the outer ones can be separated by one bound each.
    areas.sort(reverse=True)
    return float(min(areas[:2], default=0.0))
