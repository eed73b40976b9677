"""What rows say of being a series: columns that look like times, what tells several series apart, how far the target
looks ahead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.task.times import END, UNITS, Reading, moments, own_unit, readings

if TYPE_CHECKING:
    from collections.abc import Collection

    import polars as pl
    from numpy.typing import NDArray

_WORDS = {
    *("time", "timestamp", "datetime", "date", "day", "dt", "ds", "ts", "t", "unix", "epoch", "utc", "gmt", "stamp"),
    *("period", "month", "week", "hour", "minute", "when", "at"),
}
_ENDINGS = ("time", "date", "stamp")
_BLOCK = re.compile(r"(\w+_)?block_?(number|num|no|height|id)", re.IGNORECASE)
_ORDERS = frozenset(
    ["block", "slot", "height", "step", "tick", "round", "seq", "sequence", "t", "time", "timestamp", "epoch", "period"]
)
_SERIES = (
    *("pool", "symbol", "ticker", "token", "asset", "market", "pair", "address", "contract", "account", "borrower"),
    *("user", "customer", "entity", "coin", "exchange", "chain", "series", "group", "id", "name"),
)
"""What columns are called that tell series apart, the likeliest first."""
_YEARS = frozenset({"year", "yr", "fyear", "fiscal_year", "calendar_year", "jahr", "annee"})
_CLOCK = frozenset({"time", "hour", "hr", "minute", "min", "second", "sec", "clock"})
_PARTS = _CLOCK | _YEARS | {"month", "mon", "day", "week", "weekday", "dayofweek", "quarter"}
"""What columns are called that hold a part of a time: they tell no series apart."""
_FEWEST = 3
"""Distinct times of a series."""
_REGULAR = 10
"""Rows whose numbers grow by equal steps before they are taken for times whatever their name."""
_MISSING = 0.1
_FARTHEST = 60
_COLUMNS = 64
_ROWS = 5_000
_SAME = 0.9995
"""A correlation that only rounding keeps below 1."""


@dataclass(frozen=True)
class TimeLike:
    """A column that looks like times.

    Attributes
    ----------
    column
        Its name.
    readings
        Every way in which it reads as times; of several, only a person knows.
    direction
        "up" or "down" if no value falls, or none rises; else None.
    unique
        Whether no two rows have the same value.
    """

    column: str
    readings: tuple[Reading, ...]
    direction: str | None
    unique: bool

    @property
    def declared(self) -> str:
        """What `task.toml` has to say of it beside its name, for messages; empty if nothing."""
        return " or ".join(dict.fromkeys(one.written for one in self.readings if one.written))


def lately() -> float:
    """Seconds from 1970 to the end of next year: rows that were observed lie before it."""
    return datetime(datetime.now(UTC).year + 2, 1, 1, tzinfo=UTC).timestamp()


def time_like(frame: pl.DataFrame, *, skip: Collection[str | None] = (), end: float = END) -> list[TimeLike]:
    """Columns that look like times: by their type, their text, or numbers with a usual name; the likeliest first."""
    found = []
    for place, name in enumerate(frame.columns):
        one = None if name in skip else _look(frame[name], end) or _year(frame, name, end)
        if one is not None:
            order = all(reading.unit == "order" for reading in one.readings)
            key = (order, not _named(name), one.direction is None, not one.unique, place)
            found.append((key, one))
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def random_split(found: TimeLike) -> tuple[str, str]:
    """What is wrong where rows have a time that the task does not name, and what to do."""
    how = f" with {found.declared} in its [[data.sources]]" if found.declared else ""
    what = f"the column {found.column} looks like times, and rows split at random have their neighbours in time"
    return (
        f"{what} among the training rows",
        f'Write [data] time = "{found.column}"{how}; if the rows have no order, [data.split] by = "random".',
    )


def _look(values: pl.Series, end: float) -> TimeLike | None:
    if not (values.dtype.is_numeric() or values.dtype.is_temporal() or values.dtype.base_type().__name__ == "String"):
        return None
    missing = values.null_count()
    if missing > _MISSING * len(values) or values.n_unique() - bool(missing) < _FEWEST:
        return None
    found = _readings(values, end) or _nearly(values, end)
    if not found:
        return None
    return TimeLike(values.name, tuple(found), *course(values, found[0]))


def _year(frame: pl.DataFrame, name: str, end: float) -> TimeLike | None:
    """A column of years: if it is called so, and months stand beside it, it is in order, or it counts in series."""
    values = frame[name]
    if name.lower() not in _YEARS or not values.dtype.is_integer() or values.null_count():
        return None
    last = datetime.fromtimestamp(end, UTC).year
    if not bool(values.is_between(1800, last).all()):
        return None
    found = TimeLike(name, (Reading(form="%Y"),), *course(values, Reading(form="%Y")))
    beside = {other.lower() for other in frame.columns} & {"month", "mon", "quarter", "week"}
    steady = values.n_unique() > 1 and (found.direction or apart(frame, name, ""))
    return found if beside or steady else None


def clocks(columns: Collection[str]) -> list[str]:
    """Columns that by their names hold the time of day, or another part of a time."""
    return [name for name in columns if name.strip("<>_ ").lower() in _PARTS]


def course(values: pl.Series, reading: Reading) -> tuple[str | None, bool]:
    """Which way a column's times go ("up", "down", None), and whether none is there twice."""
    found = moments(values, reading).drop_nulls()
    up, down = bool(found.is_sorted()), bool(found.is_sorted(descending=True))
    return ("up" if up else "down" if down else None), found.n_unique() == len(found)


def _readings(values: pl.Series, end: float) -> list[Reading]:
    name = values.name
    if not values.dtype.is_numeric():
        return readings(values, end)
    if _BLOCK.fullmatch(name):
        return [Reading(unit="order")] if values.dtype.is_integer() else []
    found = readings(values, end)
    steady = _monotone(values)
    if not _named(name):
        counts = [one for one in found if one.unit in UNITS]
        return counts if counts and steady and _regular(values) else _order(name, steady=steady)
    if any(one.unit in {"d", "excel"} for one in found) and not steady:
        found = []  # 20,000 of something
    if not found and bool(values.drop_nulls().to_frame("value").select(_known(end)).item()):
        found = [Reading()]  # of several units, each value in its own
    return found or _order(name, steady=steady)


def _nearly(values: pl.Series, end: float) -> list[Reading]:
    """How nearly all texts read, where a few are something else, such as "Total": building then names the first."""
    if values.dtype.base_type().__name__ != "String" or not _named(values.name):
        return []
    there = values.drop_nulls()
    sample = there.filter(there.str.contains(r"^\d")) if len(there) else there
    if len(sample) < _FEWEST or len(sample) == len(there) or len(sample) < (1 - _MISSING) * len(there):
        return []
    return readings(sample, end)


def _known(end: float) -> pl.Expr:
    import polars as pl

    return own_unit(pl.col("value"), end).is_not_null().all()


def _order(name: str, *, steady: bool) -> list[Reading]:
    return [Reading(unit="order")] if steady and name.lower() in _ORDERS else []


def _monotone(values: pl.Series) -> bool:
    """Whether the numbers always grow, or always fall."""
    steps = values.cast(float).diff().drop_nulls()
    return len(steps) > 0 and (bool((steps > 0).all()) or bool((steps < 0).all()))


def _regular(values: pl.Series) -> bool:
    steps = values.cast(float).diff().drop_nulls()
    return len(values) >= _REGULAR and steps.n_unique() == 1


def _named(name: str) -> bool:
    """Whether a column is called as times are."""
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    return bool(_WORDS & set(words)) or name.lower().endswith(_ENDINGS)


def apart(frame: pl.DataFrame, time: str, target: str) -> str | None:
    """The column that tells series apart where times repeat: none has two rows of one time."""
    import polars as pl

    found = []
    for place, name in enumerate(frame.columns):
        dtype = frame.schema[name]
        if name in {time, target, *clocks([name])} or not (
            dtype.is_integer() or dtype in {pl.String, pl.Binary, pl.Categorical}
        ):
            continue
        count = frame[name].n_unique()
        if frame[name].null_count() or not 1 < count <= frame.height // 2:
            continue
        if not frame.select(pl.struct(time, name).is_duplicated().any()).item():
            usual = next((rank for rank, word in enumerate(_SERIES) if word in name.lower()), len(_SERIES))
            found.append((usual, dtype.is_integer(), place, name))
    return min(found)[-1] if found else None


def looks_ahead(frame: pl.DataFrame, target: str, entity: str | None = None) -> tuple[int, str] | None:
    """How many rows ahead a ready-made target looks, found where it is made of another column's later value.

    Parameters
    ----------
    frame
        Rows of one series, or of several with `entity`, in the order of time.
    target
        The column of the answers.

    Returns
    -------
    int, str
        The rows, and how the target is made; None if no column's later value, change, return or direction is it.
    """
    if not frame.schema[target].is_numeric():
        return None
    if entity is not None:
        sizes = frame[entity].value_counts(sort=True)
        frame = frame.filter(frame[entity] == sizes[entity][0])
    frame = frame.head(_ROWS)
    y = _floats(frame[target])
    numbers = [name for name, dtype in frame.schema.items() if dtype.is_numeric() and name != target][:_COLUMNS]
    for ahead in range(1, min(_FARTHEST, frame.height // 2) + 1):
        for name in numbers:
            x = _floats(frame[name])
            how = _made_of(y[:-ahead], x[:-ahead], x[ahead:])
            if how is not None:
                return ahead, f"{how} of {name} {ahead} row{'s' * (ahead > 1)} later"
    return None


def _floats(values: pl.Series) -> NDArray[np.float64]:
    import polars as pl

    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _made_of(y: NDArray[np.float64], now: NDArray[np.float64], later: NDArray[np.float64]) -> str | None:
    """How labels are made of a column's later values; None if they are not."""
    there = np.isfinite(y) & np.isfinite(now) & np.isfinite(later)
    y, now, later = y[there], now[there], later[there]
    if len(y) < 20 or len(np.unique(later)) < 10:
        return None
    if np.mean(y == later) > 0.99:
        return "the value"
    if len(np.unique(y)) == 2:
        rises = later > now
        return "the direction" if rises.any() and np.mean(rises == (y == y.max())) > 0.99 else None
    with np.errstate(all="ignore"):
        ways: dict[str, Any] = {"the change": later - now, "the return": later / now - 1}
        if (now > 0).all() and (later > 0).all():
            ways["the log return"] = np.log(later / now)
        for how, made in ways.items():
            if np.isfinite(made).all() and made.std() > 0 and y.std() > 0 and np.corrcoef(y, made)[0, 1] > _SAME:
                return how
    return None
