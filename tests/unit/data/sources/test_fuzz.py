"""Columns of every type that sources have, put to every use: a dataset or a sentence, never a library's exception."""

import datetime as dt
import random
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from tests.postgres import running
from tests.unit.data.small import make_task

from assay.core.errors import AssayError
from assay.data.build import build

ROWS = 60
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)

EXPRESSIONS = [
    "v",
    "v + 1",
    "v * v * v * v * v",
    "v / 7",
    "v // 3 + v % 3",
    "-v",
    "POW(v, 3)",
    "ABS(v) - v",
    "ROUND(v, 2)",
    "LENGTH(v)",
    "v || 'x'",
    "v > 0",
    "v = 'a'",
    "v BETWEEN 1 AND 5",
    "v IN (1, 2, 3)",
    "COALESCE(v, 0)",
    "GREATEST(v, 1)",
    "CASE WHEN v IS NULL THEN 0 ELSE n END",
    "CAST(v AS bigint)",
    "CAST(v AS int256) * n",
    "TRY_CAST(v AS double)",
    "CAST(v AS text)",
    "CAST(v AS timestamp)",
    "EXTRACT(hour FROM v)",
    "LN(v) + SQRT(v)",
    "NOT v",
    "ISNAN(v)",
]
FEATURES = [{"op": "column", "of": of} for of in EXPRESSIONS] + [
    {"op": op, "of": "v", **more}
    for op, more in (
        ("lag", {}),
        ("difference", {}),
        ("return", {}),
        ("rolling_mean", {"window": 2}),
        ("rolling_max", {"window": 2}),
        ("realised_volatility", {"window": 2}),
    )
]
FEATURES += [{"op": "time_since", "when": "v > 0"}, {"op": "imbalance", "buy": "v", "sell": "n", "window": 2}]
RULES = ["not missing", "finite", "unique", "increasing", "between 0 and 5", "at least 1", "one of 1, 2", "v > 0"]
REPAIRS = ["quarantine", "repair:missing", "repair:zero", "repair:previous"]


def uses():
    """Everything that a task can do with a column v, beside n, t and y."""
    n = {"name": "n", "op": "column"}
    yield {}
    for feature in FEATURES:
        yield {"features": [n, {"name": "f", **feature}]}
    for rule in RULES:
        for repair in REPAIRS:
            yield {"checks": [{"column": "v", "rule": rule, "on_fail": repair}]}
    for op in ("sum", "mean", "std", "min", "max", "median", "first", "last"):
        columns = [{"name": "b", "op": op, "of": "v"}, {"name": "y", "op": "sum", "of": "y"}]
        yield {"bars": {"every": "2s", "columns": columns}}
    counted = [{"name": "b", "op": "count", "where": "v > 0"}, {"name": "y", "op": "sum", "of": "y"}]
    yield {"bars": {"every": "2s", "columns": counted}}
    for op in ("column", "forward_sum", "forward_return", "forward_max"):
        yield {"label": {"op": op, "of": "v"}}
    yield {"label": {"of": "v", "edges": [1.0]}}
    yield {"where": "v > 0"}
    yield {"where": "v"}
    yield {"key": ["v"]}
    yield {"time": "v"}
    yield {"entity": "v"}
    yield {"keep": ["v"], "features": [n]}


def attempt(project, source, use):
    own = dict(use)
    source = source | {name: own.pop(name) for name in ("where", "key") if name in own}
    data = {"sources": [{"name": "s", **source}], "time": "t", **own}
    task = make_task(data, target="y")
    try:
        build(task, project, project / "data")
    except AssayError as error:
        said = str(error)
        return "" if "\n" not in said and error.code != "internal" else said
    except BaseException as error:  # noqa: BLE001 - polars panics with one
        return f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
    return ""


def every_use(project, source, name, share=1.0):
    chance = random.Random(name)
    chosen = [use for use in uses() if share >= 1 or chance.random() < share]
    wrong = [(use, said) for use in chosen if (said := attempt(project, source, use))]
    assert wrong == []


def repeated(values):
    return [values[row % len(values)] for row in range(ROWS)]


PARQUET = {
    **{
        str(kind): pl.Series([0, 1, 3, None, 100], dtype=kind)
        for kind in (pl.Int8, pl.UInt8, pl.Int32, pl.UInt64, pl.Int128, pl.UInt128)
    },
    "int64": pl.Series([-(2**63), 2**63 - 1, 0, None]),
    "least int128": pl.Series([-(2**127), 2**127 - 1, None], dtype=pl.Int128),
    "most uint128": pl.Series([2**128 - 1, 5, None], dtype=pl.UInt128),
    "float32": pl.Series([0.5, float("nan"), float("inf"), -1.0, None], dtype=pl.Float32),
    "float64": pl.Series([1e308, -1e308, 1e-320, float("nan"), None]),
    "decimal": pl.Series([Decimal("1.5"), Decimal("-2.25"), None], dtype=pl.Decimal(38, 18)),
    "whole decimal": pl.Series([Decimal(10**37), Decimal(1), None], dtype=pl.Decimal(38, 0)),
    "boolean": pl.Series([True, False, None]),
    "text": pl.Series(["a", "", "12", "1e5", "ü\x00", None]),
    "numbers as text": pl.Series(["1", "-20000000000000000000000", "0x10", " 7 "]),
    "bytes": pl.Series([b"\x00" * 32, b"\xff" * 20, b"", None]),
    "date": pl.Series([dt.date(2024, 1, 2), dt.date(1, 1, 1), dt.date(9999, 12, 31), None]),
    "nanoseconds": pl.Series([START, None]).dt.replace_time_zone(None).dt.cast_time_unit("ns"),
    "zoned": pl.Series([START, None]).dt.convert_time_zone("Asia/Tokyo"),
    "time of day": pl.Series([dt.time(12), None]),
    "duration": pl.Series([dt.timedelta(days=1), None]),
    "category": pl.Series(["a", "b", None], dtype=pl.Categorical),
    "enum": pl.Series(["a", "b", None], dtype=pl.Enum(["a", "b"])),
    "list": pl.Series([[1, 2], [], None]),
    "record": pl.Series([{"a": 1, "b": "x"}, None]),
    "null": pl.Series([None, None], dtype=pl.Null),
}


def beside(column):
    chance = random.Random(5)
    return pl.DataFrame(
        {
            "t": [START + dt.timedelta(seconds=row) for row in range(ROWS)],
            "n": [row * row % 17 for row in range(ROWS)],
            "y": [chance.random() for _ in range(ROWS)],
        }
    ).with_columns(column.gather([row % len(column) for row in range(ROWS)]).alias("v"))


@pytest.mark.parametrize("name", PARQUET)
def test_parquet(project, name):
    beside(PARQUET[name]).write_parquet(project / "s.parquet")
    every_use(project, {"kind": "parquet", "path": "s.parquet"}, name, share=0.25)


@pytest.mark.slow
@pytest.mark.parametrize("name", PARQUET)
def test_parquet_in_every_use(project, name):
    beside(PARQUET[name]).write_parquet(project / "s.parquet")
    every_use(project, {"kind": "parquet", "path": "s.parquet"}, name)


CSV = {
    "integers": ["1", "-2", "", "300"],
    "beyond 64 bits": [str(2**64), "-1", "7"],
    "beyond 127 bits": [str(2**255), "-5", "7", ""],
    "beyond 512 bits": ["1" + "0" * 200, "5"],
    "numbers": ["0.5", "1e300", "NaN", "inf", "-0.0"],
    "booleans": ["true", "False", "yes"],
    "text": ["a", '"b, c"', "ü", ""],
    "mostly numbers": ["1", "2", "3", "x"],
    "dates": ["2024-01-02", "2024-01-03"],
    "decimal commas": ['"1,5"', '"2,25"'],
    "currency": ["$1.5", "$2"],
    "hexadecimal": ["0x12", "0xab"],
    "nothing": ["", ""],
}


@pytest.mark.parametrize("name", CSV)
def test_csv(project, name):
    values = repeated(CSV[name])
    lines = [
        f"{(START + dt.timedelta(seconds=row)).isoformat()},{row * row % 17},{row / 7 % 1},{value}"
        for row, value in enumerate(values)
    ]
    (project / "s.csv").write_text("t,n,y,v\n" + "\n".join(lines) + "\n", encoding="utf-8")
    every_use(project, {"kind": "csv", "path": "s.csv"}, name, share=0.25)


DUCKDB = [
    "170141183460469231731687303715884105727::HUGEINT",
    "340282366920938463463374607431768211455::UHUGEINT",
    "18446744073709551615::UBIGINT",
    "1.5::DECIMAL(18, 2)",
    "12345678901234567890123456789012345678::DECIMAL(38, 0)",
    "'nan'::FLOAT",
    "'inf'::DOUBLE",
    "true",
    "'a'",
    "'ab'::BLOB",
    "uuid()",
    "INTERVAL 1 DAY",
    "TIME '12:00:00'",
    "TIMETZ '12:00:00+02'",
    "TIMESTAMPTZ '2024-01-01 12:00:00+02'",
    "TIMESTAMP_NS '2024-01-01 12:00:00'",
    "TIMESTAMP 'infinity'",
    "DATE 'infinity'",
    "DATE '2024-01-01'",
    "[1, 2]",
    "{'a': 1}",
    "MAP {'a': 1}",
    "'101'::BIT",
    "NULL",
    "'a'::ENUM('a', 'b')",
]


@pytest.mark.parametrize("value", DUCKDB)
def test_duckdb(project, value):
    made = "TIMESTAMPTZ '2024-01-01 00:00:00Z' + to_seconds(range) AS t, range * range % 17 AS n, range / 7 % 1 AS y"
    with duckdb.connect(str(project / "base.duckdb")) as connection:
        own = f"CASE WHEN range % 5 <> 0 THEN {value} END AS v"
        connection.execute(f"CREATE TABLE s AS SELECT {made}, {own} FROM range({ROWS})")  # noqa: S608
    source = {"kind": "sql", "url": "duckdb:///base.duckdb", "query": "SELECT * FROM s ORDER BY t"}
    every_use(project, source, value, share=0.1)


POSTGRESQL = [
    "'NaN'::numeric",
    "'Infinity'::numeric",
    "'-Infinity'::float8",
    "1.5::numeric",
    "(2::numeric ^ 255)::numeric(78, 0)",
    "(10::numeric ^ 400)",
    "12.34::money",
    "true",
    "'a'::text",
    "'a'::char(5)",
    "'\\xab'::bytea",
    "gen_random_uuid()",
    "interval '1 day'",
    "interval '1 month'",
    "time '24:00'",
    "timetz '12:00+02'",
    "timestamp '2024-01-01'",
    "timestamptz 'infinity'",
    "timestamp '0044-03-15 BC'",
    "date 'infinity'",
    "date '9999-12-31'",
    "'{\"a\": 1}'::jsonb",
    "'[1]'::json",
    "array[1, 2]",
    "inet '10.0.0.1'",
    "point '(1, 2)'",
    "int4range(1, 5)",
    "b'101'",
    "'a b'::tsvector",
    "row(1, 'a')",
    "xmlelement(name a)",
    "NULL",
]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    yield from running(tmp_path_factory)


@pytest.mark.parametrize("value", POSTGRESQL)
def test_postgresql(project, postgres, monkeypatch, value):
    made = "timestamptz '2024-01-01 00:00Z' + g * interval '1 second' AS t, g * g % 17 AS n, g / 7.0 AS y"
    own = f"CASE WHEN g % 5 <> 0 THEN {value} END AS v"
    query = f"SELECT {made}, {own} FROM generate_series(0, {ROWS - 1}) g ORDER BY g"  # noqa: S608
    every_use(project, {"kind": "sql", "url": postgres, "query": query}, value, share=0.06)


def test_a_numeric_that_is_nan_among_whole_numbers_is_missing(project, postgres):
    made = "timestamptz '2024-01-01 00:00Z' + g * interval '1 second' AS t, random() AS y"
    own = "CASE WHEN g = 5 THEN 'NaN'::numeric ELSE g * g % 13 END AS amount"
    query = f"SELECT {made}, {own} FROM generate_series(0, {ROWS - 1}) g ORDER BY g"  # noqa: S608
    source = {"name": "s", "kind": "sql", "url": postgres, "query": query}
    dataset = build(make_task({"sources": [source], "time": "t"}), project, project / "data")
    frame = dataset.frame()
    assert frame["amount"].dtype == pl.Int64
    assert frame["amount"].null_count() == 1
    assert frame["amount"][5] is None
