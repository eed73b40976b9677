"""Rows of several contracts or pools are one series only if the task says so."""

import random

import polars as pl
import pytest

from assay.data.build import build
from assay.data.errors import Duplicated

from .small import POOL, SWAP, make_task, swaps, write_chain

OTHER = "0x" + "cd" * 20
BARS = {"every": "2 blocks", "columns": [{"name": "y", "op": "sum", "of": "fee"}, {"name": "n", "op": "count"}]}
LATER = {"label": {"op": "forward_value", "of": "n"}, "split": {"embargo": 1}}


@pytest.fixture
def project(tmp_path):
    """A chain of 200 blocks with the swaps of two pools, in many parts."""
    logs, _ = swaps(0, 199)
    second = [row | {"address": bytes.fromhex(OTHER[2:]), "log_index": row["log_index"] + 10} for row in logs[150:]]
    rows = sorted([*logs, *second], key=lambda row: (row["block_number"], row["log_index"]))
    write_chain(tmp_path / "chain", rows, 0, 199, chunk=40)
    return tmp_path


def built(project, *, bars=BARS, event=(), **more):
    data = {
        "sources": [{"name": "pool", "kind": "cryo", "folder": "chain"}],
        "events": [{"name": "swap", "signature": SWAP} | dict(event)],
        "bars": bars,
        **LATER,
        **more,
    }
    return build(make_task(data, target="next"), project, project / "data")


def test_bars_over_several_contracts_are_refused_unless_declared(project):
    with pytest.raises(Duplicated) as caught:
        built(project)
    assert f"rows of several series are in swap, and go into one bar: {POOL} and {OTHER} in address" in str(
        caught.value
    )
    for way in ('[data] entity = "address"', "`contract` of the event", '[data] may_repeat = ["series"]'):
        assert way in str(caught.value)
    together = built(project, may_repeat=["series"]).frame()
    apart = built(project, entity="address").frame()
    assert apart["address"].n_unique() == 2
    alone = built(project, event={"contract": POOL}).frame()
    both = together.join(alone, on="time", suffix="_alone")
    assert (both["n"] >= both["n_alone"]).all()
    assert (both["n"] > both["n_alone"]).any()


def test_raw_logs_and_rows_of_events_as_well(project):
    counts = {"every": "2 blocks", "table": "pool.logs", "columns": [{"name": "n", "op": "count"}]}
    with pytest.raises(Duplicated, match=r"rows of several series are in pool\.logs, and go into one bar"):
        built(project, bars=counts)
    lag = [{"name": "before", "op": "lag", "of": "fee"}]
    label = {"op": "forward_value", "of": "fee"}
    with pytest.raises(Duplicated, match="rows of several series are in swap, and go into one series"):
        built(project, bars=None, features=lag, label=label)
    assert built(project, bars=None, features=lag, label=label, may_repeat=["series"]).frame().height > 200


@pytest.mark.parametrize(
    ("column", "known", "refused"),
    [("pool", False, True), ("symbol", False, True), ("side", False, False), ("pool", True, False)],
)
def test_trades_of_a_file_as_well(tmp_path, column, known, refused):
    """A column of another name tells nothing, and whoever writes it into an expression knows of it."""
    random.seed(1)
    hours = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 20), "10m", eager=True)
    amounts = [random.random() for _ in hours]
    pl.DataFrame({"at": hours, column: ["A", "B"] * (len(hours) // 2) + ["A"], "amount": amounts}).write_csv(
        tmp_path / "trades.csv"
    )
    source = {"name": "trades", "kind": "csv", "path": "trades.csv", "time": "at"}
    bars = {"every": "1h", "columns": [{"name": "volume", "op": "sum", "of": "amount"}]}
    if known:
        bars["columns"].append({"name": "a", "op": "sum", "of": "amount", "where": f"{column} = 'A'"})
    data = {"sources": [source], "bars": bars, "label": {"op": "forward_value", "of": "volume"}}
    if not refused:
        build(make_task(data, target="next"), tmp_path, tmp_path / "data")
        return
    with pytest.raises(Duplicated, match=rf"A and B in {column}"):
        build(make_task(data, target="next"), tmp_path, tmp_path / "data")
    build(make_task(data | {"may_repeat": ["series"]}, target="next"), tmp_path, tmp_path / "data")
    build(make_task(data | {"entity": column}, target="next"), tmp_path, tmp_path / "data")
