import polars as pl
import pytest
from tests.unit.data.small import make_task

from assay.data.build import build
from assay.data.errors import ColumnMissing, ExpressionInvalid
from assay.data.expressions import check, evaluated, selected
from assay.data.tables.table import Table

FRAME = pl.LazyFrame({"x": [1, 2, 3], "y": [1.0, 2.0, 4.0], "a b": [7, 8, 9], "t": ["p", "q", None]})


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("x", [1, 2, 3]),
        ("x / y", [1.0, 1.0, 0.75]),
        ("ABS(-x) + 1", [2, 3, 4]),
        ('"a b" * 2', [14, 16, 18]),
        ("a b", [7, 8, 9]),
        ("CASE WHEN x > 1 THEN 10 ELSE 0 END", [0, 10, 10]),
        ("x BETWEEN 2 AND 3", [False, True, True]),
        ("x IN (1, 3)", [True, False, True]),
        ("t IS NULL", [False, False, True]),
        ("t = 'p''q'", [False, False, None]),
        ("CAST(x AS DOUBLE) / 2", [0.5, 1.0, 1.5]),
        ("x::double", [1.0, 2.0, 3.0]),
        ("COALESCE(t, 'none')", ["p", "q", "none"]),
        ("GREATEST(x, 2)", [2, 2, 3]),
        ("1e1 * x", [10.0, 20.0, 30.0]),
    ],
)
def test_expressions_of_one_row(sql, expected):
    assert evaluated(FRAME, {"v": sql}, "test").collect()["v"].to_list() == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SUM(x)",
        "x - AVG(x)",
        "CASE WHEN x > 99 THEN MAX(x) ELSE 0 END",
        "LAG(x) OVER (ORDER BY x)",
        "LEAD(x)",
        "FIRST(x)",
        "COUNT(*)",
        "ROW_NUMBER() OVER ()",
        "(SELECT MAX(x) FROM self)",
        "x FROM self UNION SELECT y",
        "x; DROP TABLE self",
        "x -- comment",
        "read_parquet('/etc/passwd')",
        "x +",
        "x), (y",
        "(x",
        "x)",
        "x AS y, SUM(x)",
        "\x00",
        "",
    ],
)
def test_what_could_see_other_rows_or_is_no_expression_is_refused(sql):
    with pytest.raises((ExpressionInvalid, ColumnMissing)):
        evaluated(FRAME, {"v": sql}, "the feature v").collect()


def test_a_missing_column_is_named_with_the_nearest():
    with pytest.raises(ColumnMissing, match=r"the feature v needs the column amout.*Did you mean amount\?"):
        check("amout * 2", ["amount", "price"], "the feature v")


def test_expressions_do_not_see_each_other():
    found = evaluated(FRAME, {"x": "y * 2", "y": "x * 2"}, "test").collect()
    assert found["x"].to_list() == [2.0, 4.0, 8.0]
    assert found["y"].to_list() == [2, 4, 6]


def test_whole_numbers_do_not_wrap_around():
    frame = pl.LazyFrame(
        {"gas": [4, 2**64 - 1], "limit": [95, 1], "tiny": [250, 255], "wei": [9 * 10**18, -(9 * 10**18)]},
        schema={"gas": pl.UInt64, "limit": pl.UInt64, "tiny": pl.UInt8, "wei": pl.Int64},
    )
    expressions = {"a": "gas - limit", "b": "-gas", "c": "tiny + tiny", "d": "wei * 10", "e": "POW(tiny, 4)"}
    found = evaluated(frame, expressions | {"limit": "limit + 1"}, "test").collect()
    assert found["a"].to_list() == [-91, 2**64 - 2]
    assert found["b"].to_list() == [-4, 1 - 2**64]
    assert found["c"].to_list() == [500, 510]
    assert found["d"].to_list() == [9 * 10**19, -9 * 10**19]
    assert found["e"].to_list() == [250**4, 255**4]
    assert found["limit"].to_list() == [96, 2]
    # The columns themselves are what they were.
    assert [found.schema[name] for name in ("gas", "tiny", "wei")] == [pl.UInt64, pl.UInt8, pl.Int64]


def test_conditions_select():
    assert selected(FRAME, "x > 1 AND t IS NOT NULL", "test").collect()["x"].to_list() == [2]
    assert selected(FRAME, None, "test").collect().height == 3


def parts(*lists):
    """A table of several parts; its column s holds texts."""
    return Table("t", tuple(pl.LazyFrame({"s": values}) for values in lists), "", "there")


def test_a_row_is_named_by_its_number_in_the_whole_table():
    table = parts(["1", "2", "3"], ["4", "5"], ["6", "x", "8"]).map(
        lambda part: evaluated(part, {"v": "CAST(s AS BIGINT)"}, "the feature v")
    )
    with pytest.raises(ExpressionInvalid, match=r"the feature v: CAST\(s AS BIGINT\) has no value in row 7 of .*'x'"):
        table.frame()


def test_bars_name_the_row_of_their_table(tmp_path):
    at = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 3), "1h", eager=True, time_zone="UTC")
    for part in range(7):
        texts = [str(number) if number != 40 else "x" for number in range(7 * part, 7 * part + 7)]
        pl.DataFrame({"at": at[7 * part : 7 * part + 7], "s": texts}).write_parquet(tmp_path / f"{part}.parquet")
    bars = {"every": "2h", "columns": [{"name": "v", "op": "sum", "of": "CAST(s AS BIGINT)"}]}
    source = {"name": "t", "kind": "parquet", "path": "*.parquet", "time": "at", "where": "s <> '3'"}
    label = {"op": "forward_value", "of": "v"}
    with pytest.raises(ExpressionInvalid, match=r"\[data.bars\] of t: CAST\(s AS BIGINT\) has no value in row 40 of"):
        build(make_task({"sources": [source], "bars": bars, "label": label}), tmp_path, tmp_path / "data")


@pytest.mark.parametrize("bad", [0, 2, 3, 5, 8])
@pytest.mark.parametrize("key", [[], ["s"]])
def test_a_condition_names_the_row_of_the_source_whatever_was_left_out_before(tmp_path, bad, key):
    texts = [str(number) for number in range(9)]
    texts[bad] = "x"
    for part in range(3):
        pl.DataFrame({"s": texts[3 * part : 3 * part + 3], "n": [1.0, 2.0, 3.0]}).write_parquet(
            tmp_path / f"{part}.parquet"
        )
    # All rows but the last are left out: numbers count those too.
    spec = {"name": "t", "kind": "parquet", "path": "*.parquet", "where": "CAST(s AS BIGINT) > 7", "key": key}
    with pytest.raises(
        ExpressionInvalid, match=rf"has no value in row {bad + 1} of what is read there, where s gives 'x'"
    ):
        build(make_task({"sources": [spec]}, target="n"), tmp_path, tmp_path / "data")
