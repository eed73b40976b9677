"""Queries to real databases: DuckDB and SQLite files, and a PostgreSQL that the tests start."""

import sqlite3
from decimal import Decimal

import duckdb
import polars as pl
import pytest
from tests.postgres import running
from tests.unit.data.small import make_task

from assay.core.errors import NotFound
from assay.data.errors import DataError, MixedTypes, SourceEmpty, SqlFailed
from assay.data.sources import sql
from assay.data.sources.context import Context
from assay.data.sources.open import open_source

WIDE = 2**100 + 1


def opened(project, url, query, **options):
    source = {"name": "rows", "kind": "sql", "url": url, "query": query, **options}
    data = make_task({"sources": [source]}).data
    work = project / f"work{len(list(project.iterdir()))}"
    work.mkdir()
    return open_source(data.sources[0], data, Context(project, work))["rows"]


@pytest.fixture
def sqlite(project):
    with sqlite3.connect(project / "my base.db") as connection:
        connection.execute("CREATE TABLE trades (id INTEGER, price REAL, side TEXT, raw)")
        rows = [(n, n / 2 if n % 3 else None, "buy" if n % 2 else "sell", n) for n in range(500)]
        connection.executemany("INSERT INTO trades VALUES (?, ?, ?, ?)", rows)
    connection.close()
    return "sqlite:///my%20base.db"


def test_sqlite(project, sqlite, monkeypatch):
    monkeypatch.setattr(sql, "BATCH_ROWS", 100)
    found = opened(project, sqlite, "SELECT id, price, side FROM trades WHERE id < 250 ORDER BY id")
    assert len(found.parts) == 3
    frame = found.frame()
    assert frame.schema == {"id": pl.Int64, "price": pl.Float64, "side": pl.String}
    assert frame["id"].to_list() == list(range(250))
    assert frame["price"][:4].to_list() == [None, 0.5, 1.0, None]


def test_sqlite_types_that_differ_from_row_to_row(project, sqlite, monkeypatch):
    monkeypatch.setattr(sql, "BATCH_ROWS", 100)
    mixed = "SELECT CASE WHEN id = {} THEN 'x' ELSE id END AS v FROM trades ORDER BY id"
    for row in (50, 450):
        with pytest.raises(MixedTypes, match="the column v holds"):
            opened(project, sqlite, mixed.format(row))
    both = "SELECT CASE WHEN id >= 400 THEN id + 0.5 ELSE id END AS v FROM trades ORDER BY id"
    assert opened(project, sqlite, both).frame()["v"][-1] == 499.5
    nulls = "SELECT CASE WHEN id >= 400 THEN id END AS v FROM trades ORDER BY id"
    assert opened(project, sqlite, nulls).frame()["v"].null_count() == 400


def test_duckdb(project):
    with duckdb.connect(str(project / "base.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT range AS n, range / 4 AS q, 2::DECIMAL(9, 2) AS d FROM range(1000)"
        )
    found = opened(project, "duckdb:///base.duckdb", "SELECT * FROM t WHERE n % 2 = 0 ORDER BY n").frame()
    assert found["n"].to_list() == list(range(0, 1000, 2))
    assert found["d"].dtype == pl.Float64


def test_two_columns_of_one_name_in_duckdb(project):
    duckdb.connect(str(project / "base.duckdb")).close()
    with pytest.raises(SqlFailed, match="two columns called a"):
        opened(project, "duckdb:///base.duckdb", "SELECT 1 AS a, 2 AS a")


def test_the_same_query_has_the_same_digest(project, sqlite):
    query = "SELECT id, price FROM trades ORDER BY id"
    assert opened(project, sqlite, query).digest == opened(project, sqlite, query).digest
    assert opened(project, sqlite, query).digest != opened(project, sqlite, query + " DESC").digest


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_databases_are_not_written_to(project, kind):
    path = project / f"base.{kind}"
    with (sqlite3 if kind == "sqlite" else duckdb).connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS n")
    connection.close()
    before = path.read_bytes()
    for query in ("DROP TABLE t", "INSERT INTO t VALUES (2)", "CREATE TABLE u AS SELECT 2"):
        with pytest.raises((SqlFailed, SourceEmpty)):
            opened(project, f"{kind}:///base.{kind}", query)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "query", "error"),
    [
        ("sqlite:///my%20base.db", "SELECT * FROM absent", SqlFailed),
        ("sqlite:///my%20base.db", "SELEC", SqlFailed),
        ("sqlite:///my%20base.db", "SELECT * FROM trades WHERE id < 0", SourceEmpty),
        ("sqlite:///my%20base.db", "SELECT id, id + 1 AS id FROM trades", SqlFailed),
        ("sqlite:///absent.db", "SELECT 1", NotFound),
        ("duckdb:///absent.db", "SELECT 1", NotFound),
        ("duckdb:///my%20base.db", "SELECT 1", SqlFailed),
        ("mysql://host/base", "SELECT 1", DataError),
        ("postgresql://secret:password@127.0.0.1:9/base", "SELECT 1", SqlFailed),
    ],
)
def test_databases_and_queries_that_fail(project, sqlite, url, query, error):
    with pytest.raises(error) as caught:
        opened(project, url, query)
    assert "\n" not in str(caught.value)
    assert "password" not in str(caught.value)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    yield from running(tmp_path_factory)


def test_postgresql(project, postgres, monkeypatch):
    import psycopg

    monkeypatch.setattr(sql, "BATCH_ROWS", 40)
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE TABLE t (n int, wide numeric, part numeric, at timestamptz, name text, ok bool)")
        for n in range(100):
            connection.execute(
                "INSERT INTO t VALUES (%s, %s, %s, to_timestamp(%s), %s, %s)",
                (n, Decimal(WIDE + n), Decimal(n) / 4, 1_700_000_000 + n, f"ü{n}", n % 2 == 0),
            )
    monkeypatch.setenv("ASSAY_TEST_BASE", postgres)
    table = opened(project, "$ASSAY_TEST_BASE", "SELECT * FROM t ORDER BY n", time="at")
    assert len(table.parts) == 3
    frame = table.frame()
    # Exact: a float64 cannot tell these from each other.
    assert frame["wide"].to_list() == [WIDE + n for n in range(100)]
    assert frame["part"].to_list() == [n / 4 for n in range(100)]
    assert frame["at"].to_physical()[0] == 1_700_000_000_000_000
    assert (frame["name"][7], frame["ok"][7]) == ("ü7", False)


def test_postgresql_refuses_to_write(project, postgres):
    for query in ("DROP TABLE IF EXISTS t", "SELECT * FROM absent", "SELECT 1/0"):
        with pytest.raises(SqlFailed, match="refused the query") as caught:
            opened(project, postgres, query)
        assert postgres not in str(caught.value)
