"""Rows as text: the same table again, whatever its columns are, and another root for whatever is changed."""

import datetime as dt
import math

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assay.data.dataset.canonical import Canonical, canonical
from assay.data.errors import RowsDamaged
from assay.data.expressions import wide

WHOLE = [None, 2**400, -(2**300)]
FRAME = pl.DataFrame(
    {
        "at": [dt.datetime(2024, 1, 1, 1, 2, 3, 456, dt.UTC), None, dt.datetime(1969, 1, 1, tzinfo=dt.UTC)],
        "day": [dt.date(2024, 1, 1), dt.date(1960, 2, 3), None],
        "hour": [dt.time(1, 2, 3), None, dt.time(0)],
        "took": [dt.timedelta(seconds=1), None, dt.timedelta(days=-2)],
        "small": pl.Series([1, None, -3], dtype=pl.Int8),
        "large": pl.Series([2**63 + 1, 0, None], dtype=pl.UInt64),
        "huge": pl.Series([2**100, None, -(2**90)], dtype=pl.Int128),
        "single": pl.Series([0.1, math.nan, None], dtype=pl.Float32),
        "double": [0.1 + 0.2, math.inf, -math.inf],
        "flag": [True, None, False],
        "text": ["a", 'ü \N{SNOWMAN} "', None],
        "bytes": [b"\0\xff", None, b""],
    }
).with_columns(pl.DataFrame([wide.encode(WHOLE, "wide", "wide")]).select(wide.record(pl.col("wide")).alias("wide")))


def test_the_same_table_comes_back():
    found = canonical(FRAME)
    assert_frame_equal(found.frame(), FRAME)
    assert wide.plain(found.frame()["wide"]).tolist() == WHOLE


def test_lists_records_and_categories_are_text():
    frame = pl.DataFrame({"list": [[1, 2], None], "kind": pl.Series(["a", "b"], dtype=pl.Categorical)})
    assert canonical(frame).frame()["kind"].to_list() == ["a", "b"]
    assert canonical(frame).frame()["list"].dtype == pl.String


@pytest.mark.parametrize("place", range(FRAME.width))
def test_any_other_value_is_another_root(place):
    found = canonical(FRAME)
    for row in range(3):
        changed = [list(one) for one in found.rows]
        changed[row][place] = "0" if changed[row][place] is None else None
        assert Canonical(found.columns, changed).root != found.root


def test_names_types_and_order_are_in_the_root():
    frame = pl.DataFrame({"a": [1, 2], "b": [1, 2]})
    others = [
        frame.rename({"a": "c"}),
        frame.select("b", "a"),
        frame.reverse(),
        frame.with_columns(pl.col("a").cast(pl.Int32)),
        frame[:1],
    ]
    assert len({canonical(frame).root, *(canonical(one).root for one in others)}) == 6


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ([["a", "Int64"]], [[1, 2]]),
        ([["a", "Int64"], ["a", "Int64"]], [[1, 2]]),
        ([["a", "Int64"]], [["x"]]),
        ([["a", "Object"]], [[1]]),
        ([["a", "Datetime parsecs"]], [[1]]),
        ([["a", "Datetime us Nowhere/Land"]], [[1]]),
        ([["a", "Binary"]], [["xy"]]),
        ([["a", "Float64"]], [["infinite"]]),
        ([["a", "Wide"]], [[str(2**600)]]),
        ([["a", "Int8"]], [[300]]),
    ],
)
def test_what_does_not_fit_is_refused(columns, rows):
    with pytest.raises(RowsDamaged):
        Canonical(columns, rows).frame()
