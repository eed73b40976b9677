"""Aggregates of whole numbers of every width, against Python's integers."""

import random
import statistics

import polars as pl
import pytest

from assay.data.expressions import wide
from assay.data.features import wholes

ROWS = 60
WIDTHS = {"int64": (-(2**63), 2**63 - 1), "int128": (-(2**127) + 1, 2**127 - 1), "wide": (-(2**255), 2**256 - 1)}


def rows(width):
    chance = random.Random(width)
    low, high = WIDTHS[width]
    values = [chance.choice([None, chance.randint(low, high), low, high, 5]) for _ in range(ROWS)]
    if width == "wide":
        keys = wide.encode(values, "v", "test").to_frame()
        column = keys.select(wide.record(pl.col("v")).alias("v")).to_series()
    else:
        column = pl.Series("v", values, dtype=pl.Int64 if width == "int64" else pl.Int128)
    groups = [chance.randrange(5) for _ in values]
    return values, groups, pl.DataFrame([pl.Series("g", groups), column])


def integers(column):
    own = column.struct.field(wide.FIELD) if wide.is_wide(column.dtype) else column
    numbers = column.to_list() if column.dtype == pl.Float64 else wide.integers(own).tolist()
    return [None if gone else number for number, gone in zip(numbers, own.is_null(), strict=True)]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("op", ["sum", "mean", "min", "max", "median", "first", "last"])
def test_aggregates(width, op):
    values, groups, frame = rows(width)
    dtype = frame.schema["v"]
    value = pl.col("v").filter(pl.col("g") < 4)
    found = frame.group_by("g").agg(wholes.gathered(value, dtype, op, "made"))
    found = wholes.finished(found, {"made": (dtype, op)}).sort("g")
    for group, got in zip(found["g"], integers(found["made"]), strict=True):
        every = [v for v, g in zip(values, groups, strict=True) if g == group and g < 4]
        there = [v for v in every if v is not None]
        want = {
            "sum": sum(there),
            "mean": sum(there) / len(there) if there else None,
            "min": min(there, default=None),
            "max": max(there, default=None),
            "median": statistics.median(map(float, there)) if there else None,
            "first": every[0] if every else None,
            "last": every[-1] if every else None,
        }[op]
        assert got == want or got == pytest.approx(want, rel=1e-15)
