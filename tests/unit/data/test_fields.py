"""Every field of [data] does something: each is changed, and dataset, manifest or error change with it."""

import datetime as dt
import inspect
import random

import polars as pl
import pytest

from assay.core.errors import AssayError
from assay.data.build import build
from assay.task import data as of_data
from assay.task import sources as of_sources
from assay.task import state as of_state
from assay.task.sections import Section

from .small import SWAP, make_task, swaps, write_chain

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
ROWS = 160
CSV = {"name": "rows", "kind": "csv", "path": "rows.csv"}
QUOTES = {"name": "quotes", "kind": "csv", "path": "quotes.csv", "time": "when"}
CHAIN = {"name": "pool", "kind": "cryo", "folder": "chain"}
PARQUET = {"name": "rows", "kind": "parquet", "path": "rows.parquet"}
IRIS = {"may_repeat": ["rows"]}  # one flower is in it twice
SQL = {"name": "rows", "kind": "sql", "url": "sqlite:///rows.db", "query": "SELECT * FROM rows"}
PACKAGE = {"name": "rows", "kind": "package", "load": "sklearn.datasets:load_diabetes"}
EVENT = {"name": "swap", "signature": SWAP}
BAR = {"every": "2 blocks", "columns": [{"name": "y", "op": "sum", "of": "fee"}, {"name": "n", "op": "count"}]}
LAG = {"name": "f", "op": "lag", "of": "x"}
FORWARD = {"op": "forward_mean", "of": "x", "horizon": 3}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A project with one of each: a CSV in time, quotes, Parquet, a database, blocks and logs of a pool."""
    import sqlite3

    home = tmp_path_factory.mktemp("fields")
    random.seed(1)
    frame = pl.DataFrame(
        {
            "at": [(START + dt.timedelta(hours=hour)).isoformat() for hour in range(ROWS)],
            "stamp": [1_704_067_200 + 3600 * hour for hour in range(ROWS)],
            "x": [random.random() for _ in range(ROWS)],
            "z": [float(random.randrange(9)) for _ in range(ROWS)],
            "pool": [random.choice("abc") for _ in range(ROWS)],
            "kind": [random.choice(["up", "down"]) for _ in range(ROWS)],
            "y": [random.random() for _ in range(ROWS)],
        }
    )
    frame.write_csv(home / "rows.csv")
    frame.with_columns(pl.col("x") * 2).write_csv(home / "other.csv")
    pl.concat([frame.select("x", "y")] * 3).write_csv(home / "copies.csv")
    frame.write_csv(home / "semicolon.csv", separator=";")
    frame.write_parquet(home / "rows.parquet")
    frame.head(120).write_parquet(home / "other.parquet")
    quotes = frame.select(pl.col("at").alias("when"), pl.col("x").alias("q"), pl.col("z").alias("z2"), "pool")
    quotes[::3].write_csv(home / "quotes.csv")
    with sqlite3.connect(home / "rows.db") as base:
        base.execute("CREATE TABLE rows (at, x, z, y)")
        base.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", frame.select("at", "x", "z", "y").rows())
    logs, _ = swaps(0, 199)
    write_chain(home / "chain", logs, 0, 199)
    write_chain(home / "shorter", [row for row in logs if row["block_number"] < 150], 0, 149)
    (home / "features.py").write_text(
        "def f(rows):\n    return rows['x'] * 2\ndef g(rows):\n    return rows['x'] * 3\n"
    )
    return home


def outcome(home, data, out):
    """What comes of a task: its manifest but for the hashes of what was asked, or the error."""
    try:
        kind = data.pop("type", "regression")
        dataset = build(make_task(data, kind=kind), home, out)
    except (AssayError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return dataset.manifest.model_dump(mode="json", exclude={"inputs_hash", "code_hash"})


def table(**more):
    return {"sources": [CSV], "time": "at", "drop": ["stamp"], **more}


def source(kind, **more):
    return {"sources": [{**kind, **more}], "time": None if kind is PACKAGE else "at"}


def label(**more):
    return table(label=FORWARD | more)


def split(**more):
    return table(split=more)


def check(**more):
    return table(checks=[{"column": "x", "rule": "at most 0.9", "on_fail": "quarantine"} | more])


def feature(op, **more):
    return table(features=[{"name": "f", "op": op, **more}])


def join(**more):
    entry = {"table": "quotes", "columns": ["q"], **more}
    return {"sources": [CSV, QUOTES], "time": "at", "drop": ["stamp"], "joins": [entry]}


def bars(column=None, **more):
    spec = BAR | more
    if column is not None:
        spec = spec | {"columns": [*BAR["columns"], {"name": "c", "op": "sum", "of": "fee"} | column]}
    target = {"label": {"op": "forward_value", "of": "n"}, "split": {"embargo": 1}}
    return {"sources": [CHAIN], "events": [EVENT], "bars": spec, **target}


def event(**more):
    spec = {name: value for name, value in (EVENT | more).items() if value is not None}
    return bars() | {"events": [spec]}


def chain(**more):
    return bars() | {"sources": [CHAIN | more]}


OTHER_POOL = "0x" + "cd" * 20
CASES = {
    # The section itself.
    "DataSpec.time": (table(), table(time="stamp")),
    "DataSpec.entity": (table(), table(entity="pool")),
    "DataSpec.table": (
        {"sources": [CSV, CSV | {"name": "other", "path": "other.csv"}], "time": "at"},
        {"sources": [CSV, CSV | {"name": "other", "path": "other.csv"}], "time": "at", "table": "other"},
    ),
    "DataSpec.window": (table(), table(window=3)),
    "DataSpec.keep": (table(), table(keep=["z"])),
    "DataSpec.drop": (table(), table(drop=["stamp", "z"])),
    "DataSpec.all_columns": (table(features=[LAG]), table(features=[LAG], all_columns=True)),
    "DataSpec.may_repeat": (
        {"sources": [CSV | {"path": "copies.csv"}]},
        {"sources": [CSV | {"path": "copies.csv"}], "may_repeat": ["rows"]},
    ),
    "DataSpec.trusted": (
        table(features=[{"name": "f", "op": "column", "of": "y * 2"}]),
        table(features=[{"name": "f", "op": "column", "of": "y * 2"}], trusted=["f"]),
    ),
    "DataSpec.sources": (table(), table(sources=[CSV | {"path": "other.csv"}])),
    "DataSpec.events": (event(), bars() | {"events": []}),
    "DataSpec.bars": (bars(), bars(every="4 blocks")),
    "DataSpec.joins": (table(), join()),
    "DataSpec.features": (table(), table(features=[LAG])),
    "DataSpec.label": (table(), label()),
    "DataSpec.split": (table(), split(train=0.5, validation=0.3, test=0.2)),
    "DataSpec.checks": (table(), check()),
    # what all sources share, of a CSV
    "Source.name": (table(), table(sources=[CSV | {"name": "rows2"}])),
    "Source.time": (source(CSV), source(CSV, time="stamp")),
    "Source.time_unit": (source(CSV, time="stamp"), source(CSV, time="stamp", time_unit="d")),
    "Source.time_format": (source(CSV), source(CSV, time_format="%d/%m/%Y")),
    "Source.key": (source(CSV), source(CSV, key=["pool"])),
    "Source.rename": (source(CSV), source(CSV, rename={"x": "x2"})),
    "Source.where": (source(CSV), source(CSV, where="x > 0.1")),
    "CsvSource.path": (source(CSV), source(CSV, path="other.csv")),
    "CsvSource.delimiter": (source(CSV, path="semicolon.csv"), source(CSV, path="semicolon.csv", delimiter=";")),
    "CsvSource.decimal": (source(CSV), source(CSV, decimal=",")),
    "CsvSource.thousands": (source(CSV), source(CSV, thousands=".")),
    "CsvSource.skip_rows": (source(CSV), source(CSV, skip_rows=1)),
    "CsvSource.encoding": (source(CSV), source(CSV, encoding="utf-16")),
    "CsvSource.missing": (source(CSV), source(CSV, missing=["3.0"])),
    "CsvSource.types": (source(CSV), source(CSV, types={"z": "text"})),
    "ParquetSource.path": (source(PARQUET), source(PARQUET, path="other.parquet")),
    "SqlSource.url": (source(SQL), source(SQL, url="sqlite:///absent.db")),
    "SqlSource.query": (source(SQL), source(SQL, query="SELECT * FROM rows WHERE x > 0.1")),
    "PackageSource.load": (
        source(PACKAGE, rename={"target": "y"}),
        source(PACKAGE, rename={"target": "y"}, load="sklearn.datasets:load_iris"),
    ),
    "PackageSource.file": (
        source(PACKAGE, load=None, file="sklearn:datasets/data/iris.csv", rename={"setosa": "y"}) | IRIS,
        source(PACKAGE, load=None, file="sklearn:datasets/data/absent.csv", rename={"setosa": "y"}) | IRIS,
    ),
    "PackageSource.arguments": (
        source(PACKAGE, rename={"target": "y"}),
        source(PACKAGE, rename={"target": "y"}, arguments={"scaled": False}),
    ),
    "ChainSource.datasets": (chain(), chain(datasets=["logs"])),
    "ChainSource.folder": (chain(), chain(folder="shorter")),
    "ChainSource.rpc": (chain(), chain(folder="none", rpc="http://127.0.0.1:9", retries=0)),
    "ChainSource.start_block": (chain(), chain(start_block=50)),
    "ChainSource.end_block": (chain(), chain(end_block=150)),
    # events and bars
    "Event.name": (bars(table="swap"), bars(table="swap") | {"events": [EVENT | {"name": "other"}]}),
    "Event.source": (event(), event(source="nobody")),
    "Event.signature": (event(), event(signature=SWAP.replace("Swap", "Swapped"))),
    "Event.contract": (event(), event(contract=OTHER_POOL)),
    "Event.decimals": (
        bars({"of": "amountIn"}) | {"events": [EVENT | {"decimals": {"amountIn": 18}}]},
        bars({"of": "amountIn"}) | {"events": [EVENT | {"decimals": {"amountIn": 6}}]},
    ),
    "Bars.table": (bars(), bars(table="pool.logs")),
    "Bars.every": (bars(), bars(every="3 blocks")),
    "Bars.columns": (bars(), bars({})),
    "Aggregate.name": (bars({}), bars({"name": "d"})),
    "Aggregate.op": (bars({}), bars({"op": "max"})),
    "Aggregate.of": (bars({}), bars({"of": "fee * 2"})),
    "Aggregate.where": (bars({}), bars({"where": "up"})),
    "Aggregate.table": (bars({}), bars({"table": "pool.blocks"})),
    "Aggregate.empty": (bars({}), bars({"empty": "missing"})),
    # joins
    "Join.table": (join(), join(table="other")),
    "Join.on": (join(), join(on=["pool"])),
    "Join.columns": (join(), join(columns=["z2"])),
    "Join.delay": (join(), join(delay="5h")),
    "Join.tolerance": (join(), join(tolerance="1h")),
    # features
    "_Feature.name": (feature("column", of="x"), table(features=[{"name": "g", "op": "column", "of": "x"}])),
    "_Feature.unit": (feature("column", of="x"), feature("column", of="x", unit="USD")),
    "_Feature.scale": (feature("column", of="z"), feature("column", of="z", scale=3)),
    "ColumnFeature.of": (feature("column", of="x"), feature("column", of="z")),
    "ShiftFeature.op": (feature("lag", of="x"), feature("difference", of="x")),
    "ShiftFeature.of": (feature("lag", of="x"), feature("lag", of="z")),
    "ShiftFeature.periods": (feature("lag", of="x"), feature("lag", of="x", periods=2)),
    "RollingFeature.op": (feature("rolling_mean", of="x", window=4), feature("rolling_max", of="x", window=4)),
    "RollingFeature.of": (feature("rolling_mean", of="x", window=4), feature("rolling_mean", of="z", window=4)),
    "RollingFeature.window": (feature("rolling_mean", of="x", window=4), feature("rolling_mean", of="x", window=5)),
    "ImbalanceFeature.buy": (feature("imbalance", buy="x", sell="z"), feature("imbalance", buy="x * 2", sell="z")),
    "ImbalanceFeature.sell": (feature("imbalance", buy="x", sell="z"), feature("imbalance", buy="x", sell="z * 2")),
    "ImbalanceFeature.window": (
        feature("imbalance", buy="x", sell="z"),
        feature("imbalance", buy="x", sell="z", window=3),
    ),
    "TimeSinceFeature.when": (feature("time_since", when="x > 0.8"), feature("time_since", when="x > 0.6")),
    "TimeSinceFeature.measure": (
        feature("time_since", when="x > 0.8"),
        feature("time_since", when="x > 0.8", measure="seconds"),
    ),
    "CalendarFeature.part": (feature("calendar", part="hour"), feature("calendar", part="weekday")),
    "CategoryFeature.of": (
        feature("category", of="kind", values=["up", "down"]),
        feature("category", of="pool", values=["up", "down"]),
    ),
    "CategoryFeature.values": (
        feature("category", of="kind", values=["up", "down"]),
        feature("category", of="kind", values=["down", "up"]),
    ),
    "FunctionFeature.function": (
        feature("function", function="features.py:f"),
        feature("function", function="features.py:g"),
    ),
    # label, split, checks
    "Label.op": (label(), label(op="forward_sum")),
    "Label.of": (label(), label(of="z")),
    "Label.horizon": (label(), label(horizon=4)),
    "Label.horizon of a ready-made one": (table(), table(label={"horizon": 4})),
    "Label.gap": (label(), label(gap=2)),
    "Label.gap of a ready-made one": (table(label={"horizon": 4}), table(label={"horizon": 4, "gap": 1})),
    "Label.edges": (
        label(edges=[0.5]) | {"type": "binary"},
        label(edges=[0.4]) | {"type": "binary"},
    ),
    "Split.by": (split(), split(by="random")),
    "Split.train": (split(), split(train=0.5, test=0.3)),
    "Split.validation": (split(), split(validation=0.3, test=0.1)),
    "Split.test": (split(), split(validation=0.1, test=0.3)),
    "Split.embargo": (split(), split(embargo=5)),
    "Split.group": (split(by="group", group="pool"), split(by="group", group="kind")),
    "Split.stratify": (
        split(by="random") | {"label": {"of": "x", "edges": [0.5]}, "type": "binary"},
        split(by="random", stratify=False) | {"label": {"of": "x", "edges": [0.5]}, "type": "binary"},
    ),
    "Split.seed": (split(by="random"), split(by="random", seed=8)),
    "Check.column": (check(), check(column="y")),
    "Check.rule": (check(), check(rule="at most 0.8")),
    "Check.on_fail": (check(), check(on_fail="repair:clip")),
    "Check.table": (check(), check(table="quotes")),
}
# What another test holds, as it changes how data is had and not what it is, or what does so of another source.
ELSEWHERE = {
    "ChainSource": {
        "contract": "test_cryo: what is asked of the node",
        "topic0": "test_cryo: what is asked of the node",
        "chunk_size": "test_cryo: the files",
        "requests_per_second": "the pace",
        "max_concurrent_requests": "the pace",
        "retries": "test_cryo: 429",
        "timeout_seconds": "test_cryo: a slow node",
        "reorg_buffer": "test_cryo: blocks before the head",
        "continuity": "test_continuity",
    },
    "Event": {"abi": "test_decode", "event": "test_decode", "on_mismatch": "test_decode"},
    "Aggregate": {"onchain": "features/test_onchain: a market's own history"},
    "_Feature": {"onchain": "features/test_onchain: what a contract computes"},
    "Bars": {"state": "journey/test_state_rows"},
    "StateWord": dict.fromkeys(of_state.StateWord.model_fields, "task/test_onchain and journey/test_state_rows"),
    "WebSource": dict.fromkeys(of_sources.WebSource.model_fields, "test_web"),
}


MODULES = (of_data, of_sources, of_state)


def sections():
    """Every section of [data] with the fields that are its own, by the class that has them first."""
    classes = [found for module in MODULES for _, found in inspect.getmembers(module, inspect.isclass)]
    for found in dict.fromkeys(classes):
        if issubclass(found, Section) and found.__module__ in {module.__name__ for module in MODULES}:
            before = {name for base in found.__mro__[1:] for name in getattr(base, "model_fields", ())}
            own = set(found.model_fields) - before
            yield found.__name__, own - {"kind", "op" if "Feature" in found.__name__ else ""}


def test_no_field_is_left_out():
    tried = {name.partition(" ")[0] for name in CASES}
    missing = [
        f"{name}.{field}"
        for name, fields in sections()
        for field in sorted(fields)
        if f"{name}.{field}" not in tried and field not in ELSEWHERE.get(name, {})
    ]
    assert missing == []


@pytest.mark.parametrize("name", CASES)
def test_a_field_that_is_changed_changes_what_comes_of_it(name, place, tmp_path):
    before, after = (outcome(place, dict(data), tmp_path / str(at)) for at, data in enumerate(CASES[name]))
    assert before != after
    # An error on both sides would say nothing of the field.
    assert not (isinstance(before, str) and isinstance(after, str)), (before, after)
