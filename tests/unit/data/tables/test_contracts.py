import json
import math

import polars as pl
import pytest

from assay.data.errors import ColumnMissing, ContractBroken, DataError, ExpressionInvalid
from assay.data.sources.sorting import sorted_copy
from assay.data.tables.contracts import apply, gated
from assay.data.tables.gates import Quarantine
from assay.data.tables.table import Table
from assay.task.data import Check

FRAME = pl.DataFrame(
    {
        "n": [1.0, -2.0, None, float("nan"), float("inf"), 30.0],
        "i": [1, 2, 2, 4, 3, 6],
        "t": ["a", "b", "c", None, "a", "b"],
        "raw": [b"\x01\x02"] * 6,
    }
)

RULES = {
    ("n", "not missing"): [2, 3],
    ("n", "finite"): [3, 4],
    ("n", "between 0 and 20"): [1, 3, 4, 5],
    ("n", "at least 0"): [1],
    ("n", "at most 20"): [3, 4, 5],
    ("i", "unique"): [2],
    ("i", "increasing"): [4],
    ("i", "one of 1, 2, 3"): [3, 5],
    ("t", "one of a, b"): [2],
    ("t", "not missing"): [3],
    ("n", "n > 0 AND i < 6"): [1, 5],
    ("i", "i % 2 = 0 OR t = 'a'"): [],
}


def broken(column, rule):
    quarantine = Quarantine()
    marked = FRAME.with_row_index("row")
    kept = apply(marked, [Check(column=column, rule=rule, on_fail="quarantine")], table="rows", quarantine=quarantine)
    aside = [] if quarantine.frame() is None else [json.loads(row)["row"] for row in quarantine.frame()["row"]]
    assert sorted([*kept["row"].to_list(), *aside]) == list(range(6))
    return aside


@pytest.mark.parametrize(("column", "rule"), RULES)
def test_rows_that_break_a_rule_are_found(column, rule):
    # NaN is above every bound, as polars orders it.
    assert broken(column, rule) == RULES[column, rule]


def test_refusing_names_the_first_row():
    with pytest.raises(
        ContractBroken, match=r"1 of 6 rows of rows break the rule n 'at least 0'; the first is row 2, with -2\.0"
    ):
        apply(FRAME, [Check(column="n", rule="at least 0")], table="rows", quarantine=Quarantine())


def test_quarantined_rows_keep_their_values_and_the_reason():
    quarantine = Quarantine()
    apply(FRAME, [Check(column="n", rule="at least 0", on_fail="quarantine")], table="rows", quarantine=quarantine)
    aside = quarantine.frame()
    assert aside.row(0)[:2] == ("rows", "n: not at least 0")
    assert json.loads(aside["row"][0]) == {"n": -2.0, "i": 2, "t": "b", "raw": "0x0102"}


@pytest.mark.parametrize(
    ("column", "rule", "repair", "expected"),
    [
        ("n", "finite", "missing", [1.0, -2.0, None, None, None, 30.0]),
        ("n", "at least 0", "zero", [1.0, 0.0, None, None, float("inf"), 30.0]),
        ("i", "increasing", "previous", [1, 2, 2, 4, 4, 6]),
        ("i", "between 2 and 4", "clip", [2, 2, 2, 4, 3, 4]),
        ("i", "increasing", "sort", [1, 2, 2, 3, 4, 6]),
        ("i", "unique", "first", [1, 2, 4, 3, 6]),
    ],
)
def test_repairs(column, rule, repair, expected):
    check = Check(column=column, rule=rule, on_fail=f"repair:{repair}")
    found = apply(FRAME, [check], table="rows", quarantine=Quarantine())[column].to_list()
    assert [None if value is not None and math.isnan(value) else value for value in found] == expected


def test_a_repair_that_changes_nothing_when_nothing_is_broken():
    good = pl.DataFrame({"n": [1.0, 2.0]})
    assert apply(
        good, [Check(column="n", rule="finite", on_fail="repair:zero")], table="rows", quarantine=Quarantine()
    ).equals(good)


@pytest.mark.parametrize(
    ("check", "error"),
    [
        ({"column": "absent", "rule": "finite"}, ColumnMissing),
        ({"column": "n", "rule": "n > SUM(n)"}, ExpressionInvalid),
        ({"column": "n", "rule": "positive"}, ColumnMissing),
        ({"column": "n", "rule": "always > 0"}, ColumnMissing),
    ],
)
def test_checks_that_cannot_be_read(check, error):
    with pytest.raises(error):
        apply(FRAME, [Check.model_validate(check)], table="rows", quarantine=Quarantine())


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"column": "i", "rule": "one of a, b"}, "'a' is no number, and the column is of type Int64"),
        ({"column": "i", "rule": "one of ,"}, "'' is no number"),
        ({"column": "t", "rule": "between 1 and 2"}, "between 1 and 2 needs numbers, .* type String"),
        ({"column": "t", "rule": "at least 1"}, "needs numbers"),
        ({"column": "t", "rule": "not missing", "on_fail": "repair:zero"}, "repair:zero needs numbers"),
        ({"column": "l", "rule": "increasing"}, "needs one value a row"),
        ({"column": "l", "rule": "one of 1, 2"}, "needs one value a row"),
        ({"column": "n", "rule": "t || 'x'"}, "a condition is true or false, .* type String"),
    ],
)
def test_rules_that_do_not_fit_the_column_s_type(check, words):
    frame = FRAME.with_columns(l=pl.concat_list("i"))
    with pytest.raises(DataError, match=words):
        apply(frame, [Check.model_validate(check)], table="rows", quarantine=Quarantine())


def table(frame, parts, **options):
    size = -(-frame.height // parts)
    pieces = tuple(frame.lazy().slice(start, size) for start in range(0, frame.height, size))
    return Table("trades", pieces, "", "trades.parquet", **options)


def test_a_table_read_in_parts_keeps_its_contracts():
    quarantine = Quarantine()
    checks = [Check(column="n", rule="at least 0", on_fail="quarantine", table="trades")]
    found = gated(table(FRAME, 4), checks, quarantine)
    assert found.frame(["i"])["i"].to_list() == [1, 2, 4, 3, 6]
    assert quarantine.rows == 1
    with pytest.raises(ContractBroken, match="of trades"):
        gated(table(FRAME, 4), [Check(column="n", rule="finite", table="trades")], quarantine).frame()


@pytest.mark.parametrize(
    "check",
    [
        {"column": "i", "rule": "unique", "on_fail": "quarantine"},
        {"column": "i", "rule": "at least 0", "on_fail": "repair:previous"},
    ],
)
def test_what_needs_all_rows_at_once_is_refused_for_parts(check):
    with pytest.raises(DataError, match=r"[Ll]eave out `table`"):
        gated(table(FRAME, 2), [Check.model_validate(check)], Quarantine())


def test_sorting_goes_through_the_disk_and_keeps_the_order_of_equals(tmp_path):
    frame = pl.DataFrame({"t": [3, 1, 2, 1, 3, 0] * 50, "n": range(300)})
    found = sorted_copy(table(frame, 7, order=("t",), time="t"), "t", tmp_path)
    assert found.frame().equals(frame.sort("t", maintain_order=True))
    assert list(found.ordered())
