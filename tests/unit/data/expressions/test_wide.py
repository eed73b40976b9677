"""Whole numbers beyond 127 bits as keys, in order, and in the types that hold them."""

import polars as pl
import pytest

from assay.data.expressions import evaluated, wide
from assay.data.expressions.failures import Failure
from assay.data.features.joins import join
from assay.data.tables.table import Table
from assay.task.data import Join

IDS = [2**255 + 7, 5, 2**127 - 1, -(2**200)]


def column(values):
    keys = wide.encode(values, "id", "test").to_frame()
    return keys.select(wide.record(pl.col("id")).alias("id"))


def integers(series):
    return wide.integers(series.struct.field(wide.FIELD)).tolist()


def test_the_order_of_the_bytes_is_that_of_the_numbers():
    assert integers(column(IDS).sort("id")["id"]) == sorted(IDS)


def test_more_than_512_bits_is_an_error_with_its_row():
    with pytest.raises(Failure, match=r"row .2. has 513 bits"):
        wide.encode([1, 2**512], "v", "the feature v")


@pytest.mark.parametrize("narrow", [False, True])
def test_tables_are_joined_by_keys_of_any_width(narrow):
    """Token ids of 256 bits on one side, whatever type the other side's have."""
    rows = pl.DataFrame({"id": [5, 9]}) if narrow else column(IDS)
    theirs = column(IDS).with_columns(v=pl.Series(range(4)))
    other = Table("t", (theirs.lazy(),), "", "t")
    found = join(rows, Join(table="t", on=["id"]), other, time=None)
    assert found["v"].to_list() == ([1, None] if narrow else [0, 1, 2, 3])


def test_narrow_keys_find_wide_ones():
    other = Table("t", (pl.DataFrame({"id": [5, 6], "v": [1.0, 2.0]}).lazy(),), "", "t")
    assert join(column(IDS), Join(table="t", on=["id"]), other, time=None)["v"].to_list() == [None, 1.0, None, None]


def test_an_error_names_row_and_value_wherever_the_rows_are():
    frame = pl.DataFrame({"s": ["1", "x", "3"], "kind": ["n", "t", "n"]})
    with pytest.raises(Exception, match=r"CAST\(s AS BIGINT\) has no value in row .?2.? .* s gives 'x'"):
        evaluated(frame, {"v": "CAST(s AS bigint)"}, "the feature v")
    with pytest.raises(Failure, match=r"row .2."):
        evaluated(frame.lazy(), {"v": "CAST(s AS bigint)"}, "the feature v").collect()
    guarded = "CASE WHEN kind = 'n' THEN CAST(s AS bigint) END"
    assert evaluated(frame, {"v": guarded}, "the feature v")["v"].to_list() == [1, None, 3]
    assert evaluated(frame, {"v": "TRY_CAST(s AS bigint)"}, "the feature v")["v"].to_list() == [1, None, 3]
