"""The expression language again, in plain Python: integers, floats and None, one row at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


class TooWide(Exception):
    """A whole number of more than 512 bits was kept."""


def number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def both(function):
    """Of two values, missing where one is."""
    return lambda a, b: None if a is None or b is None else function(a, b)


def arithmetic(whole, real):
    return both(lambda a, b: whole(a, b) if isinstance(a, int) and isinstance(b, int) else real(number(a), number(b)))


def divide(a, b):
    a, b = number(a), number(b)
    if b == 0 or math.isnan(b):
        if a == 0 or math.isnan(a) or math.isnan(b):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)
    try:
        return a / b
    except OverflowError:
        return math.copysign(math.inf, a) * math.copysign(1.0, b)


def quotient(a, b):
    return None if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def remainder(a, b):
    return None if b == 0 else abs(a) % abs(b) * (-1 if a < 0 else 1)


def times(a, b):
    try:
        return a * b
    except OverflowError:
        return math.inf


def order(a, b):
    """-1, 0 or 1: NaN equals itself and is above all others; a whole number beside a float is one too."""
    if isinstance(a, float) or isinstance(b, float):
        a, b = number(a), number(b)
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) - math.isnan(b)
    return (a > b) - (a < b)


def kept(value):
    if isinstance(value, int) and abs(value) >= 1 << 512:
        raise TooWide
    return value


def rounded(value, places):
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return value
    unit = Fraction(10) ** places
    scaled = abs(Fraction(value)) * unit
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator) / unit
    if isinstance(value, int):
        return int(whole) if value >= 0 else -int(whole)
    return math.copysign(float(whole), value)


@dataclass(frozen=True)
class Part:
    """SQL, what it is ("whole", "number" or "truth"), and the same in Python, of a row by column."""

    sql: str
    kind: str
    value: Any


def column(name, kind):
    return Part(name, kind, lambda row: row[name])


def literal(value):
    if isinstance(value, int):
        text = str(value) if value >= 0 else f"(-{abs(value)})"
        return Part(text, "whole", lambda _: value)
    return Part(f"({value!r})" if "e" in repr(value) or "." in repr(value) else repr(value), "number", lambda _: value)


def joined(kind_of, sql, function, a, b):
    return Part(sql.format(a.sql, b.sql), kind_of(a, b), lambda row: function(a.value(row), b.value(row)))


def wider(a, b):
    return "number" if "number" in {a.kind, b.kind} else "whole"


OPERATORS = {
    "({} + {})": (wider, arithmetic(lambda a, b: a + b, lambda a, b: a + b)),
    "({} - {})": (wider, arithmetic(lambda a, b: a - b, lambda a, b: a - b)),
    "({} * {})": (wider, arithmetic(lambda a, b: a * b, times)),
    "({} / {})": (lambda a, b: "number", both(divide)),
}
WHOLE_OPERATORS = {
    "({} // {})": (wider, both(quotient)),
    "({} % {})": (wider, both(remainder)),
}
COMPARISONS = {
    "({} < {})": lambda at: at < 0,
    "({} <= {})": lambda at: at <= 0,
    "({} = {})": lambda at: at == 0,
    "({} <> {})": lambda at: at != 0,
    "({} >= {})": lambda at: at >= 0,
    "({} > {})": lambda at: at > 0,
}


def compared(sql, a, b):
    holds = COMPARISONS[sql]

    def value(row):
        one, other = a.value(row), b.value(row)
        if a.kind == b.kind == "whole":
            kept(one), kept(other)
        return None if one is None or other is None else holds(order(one, other))

    return Part(sql.format(a.sql, b.sql), "truth", value)


def _as(kind, value):
    return value if value is None or kind == "whole" else number(value)


def case(condition, a, b):
    kind = wider(a, b)

    def value(row):
        found = a.value(row) if condition.value(row) else b.value(row)
        return _as(kind, kept(found))

    return Part(f"CASE WHEN {condition.sql} THEN {a.sql} ELSE {b.sql} END", kind, value)


def coalesce(a, b):
    kind = wider(a, b)

    def value(row):
        one = a.value(row)
        return _as(kind, kept(b.value(row) if one is None else one))

    return Part(f"COALESCE({a.sql}, {b.sql})", kind, value)


def extreme(name, a, b):
    kind, sign = wider(a, b), 1 if name == "GREATEST" else -1

    def value(row):
        one, other = _as(kind, kept(a.value(row))), _as(kind, kept(b.value(row)))
        if one is None or other is None:
            return other if one is None else one
        return one if sign * order(one, other) >= 0 else other

    return Part(f"{name}({a.sql}, {b.sql})", kind, value)


def negative(a):
    return Part(f"(-{a.sql})", a.kind, lambda row: None if a.value(row) is None else -a.value(row))


def absolute(a):
    return Part(f"ABS({a.sql})", a.kind, lambda row: None if a.value(row) is None else abs(a.value(row)))


def power(a, n):
    def value(row):
        base = a.value(row)
        return None if base is None else base**n

    return Part(f"POW({a.sql}, {n})", "whole", value)


def as_double(a):
    return Part(
        f"CAST({a.sql} AS double)", "number", lambda row: None if a.value(row) is None else number(a.value(row))
    )


def round_to(a, places):
    return Part(f"ROUND({a.sql}, {places})", a.kind, lambda row: rounded(a.value(row), places))
