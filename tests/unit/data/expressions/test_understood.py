"""Nothing that is written in an expression is ignored: it is computed as DuckDB does, or refused by name."""

import math

import duckdb
import polars as pl
import pytest

from assay.data.errors import ExpressionInvalid
from assay.data.expressions import check, evaluated

ROW = {"a": 7, "b": -3, "x": 2.5, "s": "abc", "t": "50%_x", "n": None, "p": True}
ROWS = pl.DataFrame(ROW, schema_overrides={"n": pl.Int64})
TABLE = "SELECT 7::bigint a, -3::bigint b, 2.5::double x, 'abc' s, '50%_x' t, NULL::bigint n, true p"


def computed(sql):
    return evaluated(ROWS, {"v": sql}, "the feature v")["v"][0]


@pytest.mark.parametrize(
    "sql",
    [
        "s NOT LIKE 'a%'",
        "s NOT LIKE 'b%'",
        "s NOT ILIKE 'A%'",
        "s !~~ 'a%'",
        "NOT s NOT LIKE 'a%'",
        "t NOT LIKE '50!%!_x' ESCAPE '!'",
        "t LIKE '50!%!_x' ESCAPE '!'",
        "s NOT LIKE 'a%' OR s || 'c' NOT LIKE '%cc'",
        "CAST(n AS text) NOT LIKE 'a%'",
        "x NOT BETWEEN 1 AND 2",
        "n NOT BETWEEN NULL AND 0",
        "a NOT IN (1, n)",
        "a IN (7, n)",
        "a > 1 IS TRUE",
        "a = b IS NULL",
        "NOT a = b",
        "(1 < a) = p",
        "a - b - 2",
        "-a ^ 2",
        "2 ^ 3 ^ 2",
        "a % b",
        "-a % 3 * 2",
        "a // b",
        "1 + 2 || s",
        "CASE n WHEN NULL THEN 1 ELSE 2 END",
        "IF(n = 1, 1, 2)",
        "s ~ 'B'",
        "REGEXP_MATCHES(s, '^a.c$')",
        "x::real = 2.5",
        ".5 + 1_000 + 1e3 + 1.",
    ],
)
def test_as_duckdb(sql):
    ((expected,),) = duckdb.sql(f"SELECT {sql} FROM ({TABLE})").fetchall()  # noqa: S608
    assert computed(sql) == expected


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("x BETWEEN SYMMETRIC 3 AND 1", "symmetric"),
        ("REGEXP_LIKE(s, 'A', 'i')", "flag"),
        ("ROUND(x, 0, 1)", "truncate"),
        ("TRUNC(x, 1)", "decimals"),
        ("CEIL(x, 1)", "decimals"),
        ("FLOOR(x TO DAY)", "to"),
        ("STRPOS(s, 'a', 2)", "position"),
        ("CAST(s AS bigint FORMAT 'x')", "format"),
        ("LENGTH(s, 'x')", "binary"),
        ("LEFT(s, 1, 2)", "negative length"),
        ("SUBSTR(s, 1, 2, 3)", "zero start"),
        ("LOG2(x, 3)", "3"),
        ("LOG10(x, 3)", "3"),
        ("1 < a < 3", "comparison"),
        ("a = b = n", "comparison"),
    ],
)
def test_what_would_be_ignored_is_refused(sql, named):
    with pytest.raises(ExpressionInvalid, match=named):
        computed(sql)
    with pytest.raises(ExpressionInvalid, match=named):
        check(sql, ROW, "the feature v")


@pytest.mark.parametrize("sql", ["CAST(1e300 * x AS real)", "CAST(POW(10, 39) * a AS real)", "CAST(a * 1e39 AS float)"])
def test_numbers_beyond_float32_are_no_float32(sql):
    with pytest.raises(ExpressionInvalid, match="row 1"):
        computed(sql)
    assert computed(sql.replace("CAST", "TRY_CAST")) is None


@pytest.mark.parametrize("sql", ["POW(10, 400) * x", "CAST(POW(2, 1100) AS double)", "POW(2, 1100) * 1.0"])
def test_whole_constants_beyond_float64_are_infinite(sql):
    assert computed(sql) == math.inf


@pytest.mark.parametrize("rows", [ROWS, ROWS.lazy()])
def test_too_wide_a_result_names_who_asked(rows):
    with pytest.raises(Exception, match=r"the feature v: the value in row .?1.? has"):
        evaluated(rows, {"v": "POW(a, 300)"}, "the feature v").lazy().collect()


@pytest.mark.parametrize(("kind", "bits"), [(pl.Int8, 8), (pl.Int16, 16), (pl.Int32, 32), (pl.Int64, 64)])
@pytest.mark.parametrize(
    ("sql", "expected"), [("1 // b", 0), ("-1 // b", 0), ("5 % b", 5), ("-5 % b", -5), ("b // 2", None)]
)
def test_the_least_integer_divides(sql, expected, kind, bits):
    least = -(1 << (bits - 1))
    found = evaluated(pl.DataFrame({"b": pl.Series([least], dtype=kind)}), {"v": sql}, "test")["v"][0]
    assert int(found) == (least // 2 if expected is None else expected)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_quotient_by_a_constant_is_the_same_whatever_stands_beside_it(count):
    rows = pl.DataFrame({"a": [3] * count, "b": [3.0] * count})
    constant = "CASE WHEN a < a THEN a ELSE 1000000000000000000 END"
    found = evaluated(rows, {"v": f"a / {constant}", "w": "b / 49.0"}, "the feature v")
    assert found.select("v", "w").rows() == [(3 / 10**18, 3.0 / 49.0)] * count
