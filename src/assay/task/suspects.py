"""What is probably not what it seems: numbers that stand for no value (-999, 1e20), texts that do so among numbers,
columns that only number the rows.

None of it is sure, so nothing is changed for it: it is named, with what to write if it is so. What is found must be
an extreme of its column, be there several times, look like a fill value, and stand apart from all other values.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    import polars as pl

_FEWEST_ROWS = 10
_FEWEST = 3
"""Rows with a value before it is taken for more than an outlier."""
_DISTINCT = 3
_MANY = 10
"""Distinct other values of a column before -1 is more than one of a few codes."""
_FAR = 1e9
_ROUND = 1e15
_BITS = (15, 16, 31, 32, 63, 64, 128, 255, 256)
_LIMITS = (
    *(float((1 << bits) - 1) for bits in _BITS),
    *(-float(1 << bits) for bits in (15, 31, 63, 255)),
    *(sign * size for sign in (1, -1) for size in (1.7976931348623157e308, 3.4028234663852886e38)),
    9.969209968386869e36,  # netCDF's own fill
)
"""The least and the greatest value of usual types."""
_INDEX = re.compile(r"Unnamed: 0(\.\d+)?\Z|__index_level_0__\Z")
"""What pandas calls a frame's index that had no name, in a CSV read again and in Parquet."""
_INDEX_PERHAPS = frozenset({"index", "level_0", "row_number", "rownumber", "row_id", "rowid"})
_NAME = re.compile(r"(?:\A|[_\- .])(?i:id|nr|no|number|key)\Z|(?<=[a-z])(?:ID|Id|Nr|No|Number|Key)\Z")
"""How columns are called that name a case."""
_WORDS = frozenset(
    [
        *("na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "-nan", "nat", "null", "(null)", "none", "nil", "void"),
        *("missing", "unknown", "undefined", "nodata", "empty", "-", "--", "---", ".", "..", "?", "*", "\\n"),
        *("#value!", "#ref!", "#div/0!", "#num!", "#null!", "#name?"),
    ]
)
"""What stands for no value among numbers, in small letters."""
_MOMENTS = (
    *("0001-01-01", "1677-09-21", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01"),
    *("2262-04-11", "9999-12-31"),
)
"""Days that stand for no time: the first and the last of usual types, and where usual counts begin."""


@dataclass(frozen=True)
class Fill:
    """A number that probably stands for no value.

    Attributes
    ----------
    column
        The column's name.
    value
        The number, as an expression writes it.
    rows, of
        In how many rows it is, of how many that have a value.
    low, high
        The least and the greatest other value, for people.
    repair
        What becomes of it: the value is removed, or its row.
    """

    column: str
    value: str
    rows: int
    of: int
    low: str
    high: str
    repair: str = "repair:missing"

    @property
    def what(self) -> str:
        """What is seen, in one clause."""
        return (
            f"{self.column} is {self.value} in {self.rows} of {self.of} rows, and otherwise from {self.low} to "
            f"{self.high}: it may stand for no value"
        )

    @property
    def todo(self) -> str:
        """What to write if it does, and if it does not."""
        sql = self.column if re.fullmatch(r"[A-Za-z_]\w*", self.column) else '"' + self.column.replace('"', '""') + '"'
        return (
            f"If so, add [[data.checks]] column = {_toml(self.column)}, rule = {_toml(f'{sql} <> {self.value}')}, "
            f'on_fail = "{self.repair}"; if not, a check of {self.column} with rule = "finite" says so.'
        )


def _toml(text: str) -> str:
    """A text as TOML writes it: in single quotes where it has double ones."""
    return f"'{text}'" if '"' in text and "'" not in text else json.dumps(text, ensure_ascii=False)


def fills(frame: pl.DataFrame, *, skip: Collection[str | None] = (), needed: str = "") -> list[Fill]:
    """Numbers of the columns that probably stand for no value; a row without one in `needed` is of no use."""
    import polars as pl

    names = [name for name, dtype in frame.schema.items() if dtype.is_numeric() and name not in skip]
    if not names or frame.height < _FEWEST_ROWS:
        return []
    least, most = (frame.select(getattr(pl.col(names), end)()).row(0, named=True) for end in ("min", "max"))
    looking = [name for name in names if _looks(least[name], frame[name]) or _looks(most[name], frame[name])]
    found = [one for name in looking for one in _of(frame[name])]
    return [replace(one, repair="quarantine") if one.column == needed else one for one in found]


def _of(values: pl.Series) -> list[Fill]:
    """The fills of one column: its extremes are taken away while they look like fills, then judged by the rest."""
    there = values.drop_nulls()
    there = there.drop_nans() if there.dtype.is_float() else there
    taken: list[tuple[Any, int]] = []
    rest = there
    for end in (rest.min, rest.max, rest.min, rest.max):
        value: Any = getattr(rest, end.__name__)()
        rows = 0 if value is None or not _looks(value, there) else int((rest == value).sum())
        if rows >= _FEWEST:
            taken.append((value, rows))
            rest = rest.filter(rest != value)
    if len(there) < _FEWEST_ROWS or not len(rest):
        return []
    low, high = float(rest.min()), float(rest.max())  # type: ignore[arg-type]
    if not (math.isfinite(low) and math.isfinite(high)) or rest.head(10_000).n_unique() < _DISTINCT:
        return []
    return [
        Fill(values.name, _written(value), rows, len(there), f"{low:g}", f"{high:g}")
        for value, rows in taken
        if _apart(float(value), rows, rest, low, high)
    ]


def _written(value: Any) -> str:
    """The number exactly, so that a rule that compares with it finds it."""
    number = float(value)
    return str(int(value)) if isinstance(value, int) or (number.is_integer() and abs(number) < _ROUND) else repr(number)


def _looks(value: Any, values: pl.Series) -> bool:
    """Whether a number looks like a fill value, whatever its column holds beside it."""
    if value is None:
        return False
    number = float(value)
    return math.isfinite(number) and (number == -1 or _nines(number) or _limit(number, values) or _power(number))


def _nines(number: float) -> bool:
    """-99, -999, 9999, 999.9: at least three nines, two where they are below 0."""
    if abs(number) >= _ROUND:
        return False
    text = f"{abs(number):.1f}"
    if not math.isclose(abs(number), float(text), rel_tol=1e-6):
        return False
    digits = text.removesuffix(".0").replace(".", "")
    return set(digits) == {"9"} and len(digits) >= (2 if number < 0 and "." not in digits else 3)


def _limit(number: float, values: pl.Series) -> bool:
    """Whether it is the least or the greatest value of a type, rounded as the column's own type does."""
    near = 1e-6 if str(values.dtype) == "Float32" else 0.0
    return any(math.isclose(number, limit, rel_tol=near) for limit in _LIMITS)


def _power(number: float) -> bool:
    """1e20, -1e30: climate data's fills."""
    return abs(number) >= _ROUND and f"{abs(number):.6e}".startswith("1.000000e")


def _apart(number: float, rows: int, rest: pl.Series, low: float, high: float) -> bool:
    """Whether a value that looks like a fill stands apart from all others."""
    if number == -1:
        return low >= 0 and _no_neighbour(rows, rest, low, high)
    gap = low - number if number < low else number - high
    if _power(number) and not _limit(number, rest):
        return abs(number) >= _FAR * max(abs(low), abs(high))
    # The only negative numbers of a column, all of them -999.
    return gap >= high - low or (_nines(number) and number < 0 <= low)


def _no_neighbour(rows: int, rest: pl.Series, low: float, high: float) -> bool:
    """Whether -1 is no step further down: others are no whole numbers, are far, or do not grow rarer towards 0."""
    distinct = rest.n_unique()
    if distinct < _MANY:
        return False
    whole = rest.dtype.is_integer() or bool((rest == rest.round()).all())
    if not whole or (low > 1 and low + 1 >= (high - low) / 10):
        return True
    lowest = [int((rest == value).sum()) for value in rest.unique().sort().head(3)]
    return rows > 2 * max(lowest) or (low == 0 and lowest[0] >= 2 * len(rest) / distinct)


def no_time(values: pl.Series) -> Fill | None:
    """A time that probably stands for none, such as 1970-01-01, before or after all others."""
    import polars as pl

    there = values.drop_nulls()
    if len(there) < _FEWEST_ROWS or not isinstance(there.dtype, pl.Datetime):
        return None
    for end in (there.min(), there.max()):
        rest = there.filter(there != end)
        if str(end)[:10] not in _MOMENTS or rest.n_unique() < _DISTINCT:
            continue
        low, high = rest.min(), rest.max()
        gap = low - end if end < low else end - high  # type: ignore[operator]
        if gap > high - low:  # type: ignore[operator]
            written = f"'{str(end)[:19]}'"
            rows = len(there) - len(rest)
            return Fill(values.name, written, rows, len(there), str(low)[:10], str(high)[:10], "quarantine")
    return None


def counters(frame: pl.DataFrame, *, skip: Collection[str | None] = ()) -> list[str]:
    """Columns that only number the rows: a pandas index that was saved beside the data."""
    found = []
    for name, dtype in frame.schema.items():
        if name in skip or not dtype.is_integer():
            continue
        # pandas' own name says it by itself, also where rows were left out, mixed or put together since.
        if _INDEX.match(name) or (name.lower() in _INDEX_PERHAPS and _steady(frame[name])):
            found.append(name)
    return found


def names(frame: pl.DataFrame, *, skip: Collection[str | None] = ()) -> list[str]:
    """Columns of whole numbers that probably name cases: they are called so, and each row has one of its own."""
    numbered = [name for name, dtype in frame.schema.items() if dtype.is_integer() and name not in skip]
    if frame.height < _FEWEST_ROWS:
        return []
    alike = {*counters(frame), *(name for name in numbered if frame[name].null_count())}
    return [
        name for name in numbered if name not in alike and _NAME.search(name) and frame[name].n_unique() == frame.height
    ]


def named(column: str) -> tuple[str, str]:
    """What is seen of such a column, and what to write if it is so, and if it is not."""
    todo = f"If it names, write [data] drop = [{_toml(column)}] (or keep); if not, a check of {column} with rule = "
    return (
        f"{column} is another whole number in every row, as what names a case is: models learn from it as a quantity",
        f'{todo}"finite" says so.',
    )


def _steady(values: pl.Series) -> bool:
    steps = values.diff().drop_nulls()
    return len(steps) > 0 and not values.null_count() and bool((steps == 1).all() or (steps == -1).all())


def words(values: pl.Series) -> list[str]:
    """Texts that stand for no value in a column whose other texts are all numbers; none if it is no such column."""
    import polars as pl

    if values.dtype != pl.String:
        return []
    there = values.drop_nulls()
    numbers = there.str.strip_chars().cast(pl.Float64, strict=False)
    others = there.filter(numbers.is_null()).unique(maintain_order=True)
    if not len(others) or len(others) > len(_WORDS) or len(others) == len(there):
        return []
    plain = [str(text) for text in others]
    return plain if numbers.count() and all(text.strip().lower() in _WORDS for text in plain) else []
