"""How columns read as times: whole numbers since 1970, dates written as numbers, texts of many forms.

A reading counts only if *all* values lie in plausible years. The units of numbers since 1970 then exclude each other:
no number of seconds in these years is a number of milliseconds in them. Where two readings fit, nobody guesses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

Unit = Literal["s", "ms", "us", "ns", "d", "excel", "order"]

PER_SECOND: dict[str, float] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
DAY = 86_400
EXCEL = -25_569
"""Days from 1970 to day 0 of a spreadsheet's serial numbers, 30 December 1899."""
FIRST, END = 315_532_800, 4_102_444_800
"""Seconds from 1970 to the first and the end of the plausible years, 1980 and 2100."""
UNITS = ("s", "ms", "us", "ns")

_WIDTHS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "y": 2, "j": 3}
_DIGITS = ("%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m")
_DATES = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y.%m.%d",
    "%b %d, %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b-%d-%Y",
    "%b %d %Y",
    "%a %b %d %Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%Y%m%d",
    "%Y-%m-%d",
    "%Y-%m",
    "%Y/%m",
    "%b %Y",
    "%b-%Y",
)
_CLOCKS = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S%.f",
    "T%H:%M:%S%.f%#z",
    " %H:%M:%S%.f %#z",
    " %I:%M %p",
    " %I:%M:%S %p",
)
_ZONE = r"( ?[+-]00:?00)? ?\+?(UTC|GMT)$|[Zz]$"
"""How texts end that say that they are in UTC: Etherscan's +UTC and Go's +0000 UTC as well."""
_TRIED = 200
"""Values that a form is tried on before it is tried on all."""

DIRECTIVES = "YymdejbBhaAHIMSpfzZFTD"


@dataclass(frozen=True)
class Reading:
    """One way to read a column as times.

    Attributes
    ----------
    unit
        What `time_unit` would say; None for texts and dates written as digits.
    form
        What `time_format` would say; None if the values are ISO 8601, typed, or counted.
    """

    unit: Unit | None = None
    form: str | None = None

    @property
    def written(self) -> str:
        """The field that declares it, as `task.toml` writes it; empty if none needs to."""
        if self.unit is not None:
            return f'time_unit = "{self.unit}"'
        return "" if self.form is None else f'time_format = "{self.form}"'


def seconds(value: pl.Expr, unit: str) -> pl.Expr:
    """Seconds since 1970 of numbers that count in `unit`, as Float64; NaN is missing."""
    import polars as pl

    number = value.cast(pl.Float64).fill_nan(None)
    if unit == "d":
        return number * DAY
    return (number + EXCEL) * DAY if unit == "excel" else number / PER_SECOND[unit]


def plausible(value: pl.Expr, unit: str, end: float = END) -> pl.Expr:
    """Whether numbers that count in `unit` lie in plausible years; missing where the value is."""
    found = seconds(value, unit)
    return (found >= FIRST) & (found < end)


def parsed(text: pl.Expr, form: str) -> pl.Expr:
    """Texts of a form as times in UTC, missing where they do not have it; a text without a zone is UTC."""
    import polars as pl

    zoned = re.search(r"%#?z", form) is not None
    text = text.str.strip_chars()
    if not form.rstrip().endswith(("UTC", "GMT", "Z")):
        text = text.str.replace(_ZONE, "+00:00" if zoned else "")
    text, form = _complete(text, form.replace(".%f", "%.f"))
    made = text.str.to_datetime(form, time_unit="us", strict=False)
    return made if zoned else made.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _complete(text: pl.Expr, form: str) -> tuple[pl.Expr, str]:
    """With the day or the minute that polars wants and the form leaves out: the first of the month, the full hour."""
    import polars as pl

    said = set(re.findall(r"%[#.]?([A-Za-z])", form))
    for needs, lacks, more, sign in (
        ({"Y", "y"}, {"d", "e", "j", "F", "D"}, " 01", " %d"),
        ({"H", "I"}, {"M", "T"}, " 00", " %M"),
    ):
        if said & needs and not said & lacks:
            text, form = text + pl.lit(more), form + sign
    if not said & {"m", "b", "B", "h", "j", "F", "D"}:
        text, form = text + pl.lit(" 01"), form + " %m"
    return text, form


def digits(value: pl.Expr, form: str) -> pl.Expr:
    """Numbers as the texts that a form reads: without a fraction, and with the zeros that a number loses in front."""
    import polars as pl

    text = value.cast(pl.Int64, strict=False).cast(pl.String)
    parts = re.findall(r"%([A-Za-z])", form)
    if "".join(f"%{part}" for part in parts) == form and all(part in _WIDTHS for part in parts):
        return text.str.zfill(sum(_WIDTHS[part] for part in parts))
    return text


def problem(form: str) -> str | None:
    """Why a text is no `time_format`; None if it is one."""
    for found in re.finditer(r"%(\.\d?f|\dD?f|#z|.?)", form):
        sign = found[1]
        if not (sign in {"%", "#z"} or sign.endswith("f") or (len(sign) == 1 and sign in DIRECTIVES)):
            return f"%{sign} is no part of a time"
    said = set(re.findall(r"%([A-Za-z])", form.replace("%%", "")))
    if not said & {"Y", "y", "F", "D"}:
        return "it names no year (%Y)"
    if "f" in said and ".%f" not in form:
        return "write a fraction of a second as %.f"
    return None


def readings(values: pl.Series, end: float = END) -> list[Reading]:
    """Every way in which all values that are there read as times of plausible years."""
    import polars as pl

    there = values.drop_nulls()
    if there.dtype.is_float():
        there = there.drop_nans()
    if not len(there):
        return []
    if isinstance(there.dtype, pl.Datetime) or there.dtype == pl.Date:
        return [Reading()]
    if there.dtype.is_numeric():
        return _of_numbers(there, end)
    return _of_texts(there) if there.dtype == pl.String else []


def _all(values: pl.Series, fits: pl.Expr) -> bool:
    """Whether each value fits; the expression speaks of the column "value"."""
    frame = values.alias("value").to_frame()
    return bool(frame.select(fits.fill_null(value=False).all()).item())


def _of_numbers(values: pl.Series, end: float) -> list[Reading]:
    import polars as pl

    value = pl.col("value")
    found = [Reading(unit=unit) for unit in UNITS if _all(values, plausible(value, unit, end))]  # type: ignore[arg-type]
    found += [Reading(form=form) for form in _DIGITS if _all(values, written_as(value, form))]
    if not found:
        days = [unit for unit in ("d", "excel") if _all(values, plausible(value, unit, end))]
        found = [Reading(unit=unit) for unit in days]  # type: ignore[arg-type]
    return found


def written_as(value: pl.Expr, form: str) -> pl.Expr:
    """Whether numbers are dates of plausible years, written as digits of this form; missing where the value is."""
    import polars as pl

    text = digits(value, form)
    whole = value.cast(pl.Float64) == value.cast(pl.Int64, strict=False).cast(pl.Float64)
    fits = text.str.len_chars() == sum(_WIDTHS[part] for part in form.split("%")[1:])
    year = parsed(text, form).dt.year()
    return pl.when(value.is_not_null()).then((whole & fits & (year >= 1980) & (year < 2100)).fill_null(value=False))


def own_unit(value: pl.Expr, end: float = END) -> pl.Expr:
    """The unit in which each number lies in plausible years: at most one of s, ms, us and ns; missing if none."""
    import polars as pl

    found = pl.lit(None, dtype=pl.String)
    for unit in UNITS:
        found = pl.when(plausible(value, unit, end)).then(pl.lit(unit)).otherwise(found)
    return found


def counted(value: pl.Expr, unit: str, *, whole: bool) -> pl.Expr:
    """Numbers that count since 1970, or days of a spreadsheet, as times in UTC; NaN is a missing one."""
    import polars as pl

    per = PER_SECOND.get(unit)
    if per is None or not whole:
        micro = (seconds(value, unit) * 1_000_000).round().cast(pl.Int64)
    elif per <= 1_000_000:
        micro = value.cast(pl.Int64) * int(1_000_000 // per)
    else:
        micro = (value // 1_000).cast(pl.Int64)
    return micro.cast(pl.Datetime("us", "UTC"))


def moments(values: pl.Series, reading: Reading) -> pl.Series:
    """The column as times by one of its readings, or as the numbers it is ordered by."""
    import polars as pl

    value, dtype = pl.col("value"), values.dtype
    if reading.form is not None:
        text = value if dtype == pl.String else digits(value, reading.form)
        made = parsed(text, reading.form)
    elif dtype == pl.String:
        made = iso(value)
    elif reading.unit not in {None, "order"}:
        made = counted(value, str(reading.unit), whole=dtype.is_integer())
    elif dtype.is_numeric() and reading.unit is None:
        made = mixed(value, whole=dtype.is_integer())
    else:
        made = value
    return values.alias("value").to_frame().select(made).to_series()


def mixed(value: pl.Expr, *, whole: bool) -> pl.Expr:
    """Numbers as times, each in the unit in which it lies in plausible years."""
    import polars as pl

    unit = own_unit(value)
    each = [pl.when(unit == name).then(value) for name in UNITS]
    return pl.coalesce(*(counted(own, name, whole=whole) for own, name in zip(each, UNITS, strict=True)))


def iso(text: pl.Expr) -> pl.Expr:
    """Text that begins with year, month and day, and goes on with a time or not; a time without a zone is UTC."""
    import polars as pl

    plain = text.str.strip_chars().str.replace(r"^(\d{4}-\d{2}-\d{2})[Tt]", "$1 ").str.replace(_ZONE, "+00:00")
    naive = [
        plain.str.to_datetime(form, time_unit="us", strict=False) for form in ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
    ]
    naive.append(plain.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")))
    zoned = [
        plain.str.to_datetime(form, time_unit="us", strict=False)
        for form in ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z")
    ]
    known = pl.coalesce(*(time.dt.replace_time_zone("UTC") for time in naive), *zoned)
    return pl.when(plain.str.contains(r"^\d{4}-\d{2}-\d{2}")).then(known)


def _of_texts(values: pl.Series) -> list[Reading]:
    import polars as pl

    value = pl.col("value")
    few = values.unique(maintain_order=True).head(_TRIED)
    if _all(few, iso(value).is_not_null()):
        return [Reading()] if _all(values, iso(value).is_not_null()) else []
    # Without digits, or with letters only, nothing below fits either.
    if not _all(few, value.str.contains(r"\d\d")):
        return []
    forms = [f"{date}{clock}" for date in _DATES for clock in _CLOCKS]
    found: list[Reading] = []
    for form in forms:
        fits = parsed(value, form).dt.year().is_between(1900, 2200)
        if _all(few.head(3), fits) and _all(few, fits) and _all(values, fits):
            found.append(Reading(form=form))
    return _shortest(found)


def _shortest(found: list[Reading]) -> list[Reading]:
    """Without forms that say the same as a shorter one (a fraction of a second that is never there)."""
    forms = [reading.form or "" for reading in found]
    plain = [form.replace("%.f", "").replace(" %#z", "") for form in forms]
    return [one for one, form, bare in zip(found, forms, plain, strict=True) if form == bare or bare not in forms]
