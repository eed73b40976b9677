"""Ranges of blocks decoded and gathered each by itself, joined: what is made of all rows together, to the last bit."""

import polars as pl
import pytest

from assay.data import spread
from assay.data.events.decode import IntegersWide
from assay.data.opened import Opened, chained, open_tables
from assay.data.rows import _bars, _contracts
from assay.data.tables.gates import Quarantine

from .small import POOL, SWAP, log, make_task, swaps, write_chain

OTHER = "0x" + "77" * 20
COLUMNS = [
    {"name": "swaps", "op": "count"},
    {"name": "large", "op": "count", "where": "fee > 2000000000"},
    {"name": "volume", "op": "sum", "of": "amountIn"},
    {"name": "exact", "op": "sum", "of": "amountIn_raw"},
    {"name": "mean", "op": "mean", "of": "amountIn"},
    {"name": "spread", "op": "std", "of": "fee"},
    {"name": "middle", "op": "median", "of": "amountIn"},
    {"name": "first", "op": "first", "of": "fee"},
    {"name": "last", "op": "last", "of": "fee"},
    {"name": "most", "op": "max", "of": "amountIn_raw"},
    {"name": "logs", "op": "count", "table": "pool.logs"},
]
EVENT = {"name": "swap", "signature": SWAP, "decimals": {"amountIn": 18}}


def task_of(every="10 blocks", event=EVENT, **more):
    data = {
        "sources": [{"name": "pool", "kind": "cryo", "folder": "chain/pool"}],
        "events": [event],
        "bars": {"every": every, "columns": COLUMNS},
        "label": {"op": "forward_sum", "of": "volume"},
        "features": [{"name": "volume", "op": "column"}],
    }
    return make_task(data | more, target="next")


def made(task, project, *, apart):
    """The bars, whether they were made apart, and what was said."""
    told = []
    tables = open_tables(task, project, project, told.append)
    opened = chained(task, project, Opened(tables, {}, Quarantine()), told.append, wide=False)
    _contracts(task.data, opened, project)
    parts = spread.gathered(task, project, opened, wide=False, ray=None, progress=told.append) if apart else {}
    rows = _bars(task.data, opened, told.append, parts)
    return rows, parts, told


def compared(task, project):
    here, _, _ = made(task, project, apart=False)
    there, parts, told = made(task, project, apart=True)
    assert there.frame.equals(here.frame)
    assert there.frame.schema == here.frame.schema
    assert (there.left_out, there.blocks) == (here.left_out, here.blocks)
    return parts, " ".join(told)


@pytest.mark.parametrize("chunk", [7, 40, 150])
@pytest.mark.parametrize("every", ["1 block", "10 blocks", "90 blocks", "5m"])
def test_bars_are_the_same(every, chunk, project):
    # No block of the middle has a log: a range without rows, and bars without.
    rows = [row for row in swaps(0, 299)[0] if not 100 <= row["block_number"] < 142]
    write_chain(project / "chain" / "pool", rows, 0, 299, chunk)
    parts, told = compared(task_of(every), project)
    assert set(parts) == {"swap", "pool.logs"}
    count = -(-300 // chunk)
    assert f"{count} of {count} ranges are here" in told
    assert (len(parts["swap"]) < count) == (chunk == 7)


def test_bars_of_several_series_are_the_same(project):
    rows = sorted(
        [
            *swaps(0, 199)[0],
            *(
                {**row, "address": bytes.fromhex(OTHER[2:]), "log_index": row["log_index"] + 9}
                for row in swaps(37, 199, seed=1)[0]
            ),
        ],
        key=lambda row: (row["block_number"], row["log_index"]),
    )
    write_chain(project / "chain" / "pool", rows, 0, 199, 25)
    parts, _ = compared(task_of(entity="address"), project)
    assert len(parts["swap"]) == 8
    assert compared(task_of(may_repeat=["series"]), project)[0]


def test_what_is_wrong_is_said_by_the_machine_that_has_all_rows(project):
    """Each range has logs of one contract only, and its own rows are in order."""
    rows = swaps(0, 99)[0]
    for row in rows:
        row["address"] = bytes.fromhex((POOL if row["block_number"] < 50 else OTHER)[2:])
    write_chain(project / "chain" / "pool", rows, 0, 99, 50)
    with pytest.raises(Exception, match="rows of several series are in swap") as here:
        made(task_of(), project, apart=False)
    with pytest.raises(type(here.value)) as there:
        made(task_of(), project, apart=True)
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"checks": [{"table": "swap", "column": "fee", "rule": "at least 0"}]}, "looks at all rows of swap"),
        ({"sources": [{"name": "pool", "kind": "cryo", "folder": "chain/pool", "key": ["block_number"]}]}, "has a key"),
        (
            {"sources": [{"name": "pool", "kind": "cryo", "folder": "chain/pool", "continuity": False}]},
            "need not follow",
        ),
        ({"sources": [{"name": "pool", "kind": "cryo", "folder": "chain/pool", "end_block": 9}]}, "is one range"),
    ],
)
def test_what_is_not_spread_is_said(more, said, project):
    rows = [log(block, block, [10**18 + block, -5, block, True]) for block in range(100)]
    write_chain(project / "chain" / "pool", rows, 0, 99, 10)
    parts, told = compared(task_of("2 blocks", **more), project)
    assert parts == {}
    assert "Decoding and gathering bars on this machine alone: " in told
    assert said in told


def test_rows_that_are_set_aside_are_set_aside_once(project):
    rows = [log(block, 0, [10**18 + block, -5, block, True]) for block in range(100)]
    rows[70]["data"] = rows[70]["data"][:-1]
    write_chain(project / "chain" / "pool", rows, 0, 99, 10)
    task = task_of(event=EVENT | {"on_mismatch": "quarantine"})
    here, there = (made(task, project, apart=apart)[0] for apart in (False, True))
    assert there.frame.equals(here.frame)
    assert there.quarantine.frame().equals(here.quarantine.frame())
    assert there.quarantine.rows == 1


def test_wide_integers_are_decoded_again(project):
    rows = [log(block, 0, [(1 << 200) * (block == 70) + 1, -5, block, True]) for block in range(100)]
    write_chain(project / "chain" / "pool", rows, 0, 99, 10)
    task = task_of()
    tables = open_tables(task, project, project, lambda _: None)
    opened = chained(task, project, Opened(tables, {}, Quarantine()), lambda _: None, wide=False)
    with pytest.raises(IntegersWide):
        spread.gathered(task, project, opened, wide=False, ray=None, progress=lambda _: None)
    opened = chained(task, project, Opened(tables, {}, Quarantine()), lambda _: None, wide=True)
    parts = spread.gathered(task, project, opened, wide=True, ray=None, progress=lambda _: None)
    there, here = (_bars(task.data, opened, lambda _: None, one).frame for one in (parts, {}))
    assert there.equals(here)
    assert there.filter(pl.col("block_number") == 79).height == 1
