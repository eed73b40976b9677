"""Two sources of the same blocks side by side."""

import polars as pl
import pytest

from assay.data.compare import compare
from assay.data.errors import Duplicated, SettingsUnfit, SourceUnknown

from .small import SWAP, make_task, swaps, write_chain


def chains(project, change=lambda rows: rows, last=99):
    rows, _ = swaps(0, 99)
    write_chain(project / "a", rows)
    write_chain(project / "b", change([dict(row) for row in rows if row["block_number"] <= last]), 0, last)
    sources = [{"name": name, "kind": "cryo", "folder": name} for name in ("a", "b")]
    return make_task({"sources": sources, "events": [{"name": "swap", "signature": SWAP}]}), rows


def test_equal_sources_are_equal_over_the_blocks_that_both_cover(project):
    task, rows = chains(project)
    found = compare(task, project, "a", "b")
    assert found.equal
    assert [(one.first, one.rows) for one in found.tables] == [("a.blocks", (100, 100)), ("a.logs", (len(rows),) * 2)]
    task, rows = chains(project / "shorter", last=59)
    found = compare(task, project / "shorter", "a.logs", "b.logs")
    assert found.equal
    assert found.tables[0].blocks == (0, 59)
    assert "blocks 0 to 59" in str(found)


def test_what_differs_is_counted_and_named(project):
    def change(rows):
        rows[3]["data"] = bytes(len(rows[3]["data"]))
        rows[7]["topic2"] = b"\1" * 32
        return rows[:-2]

    task, rows = chains(project, change)
    found = compare(task, project, "a.logs", "b.logs")
    assert not found.equal
    assert sorted(one.rows for one in found.tables[0].differences) == [1, 1, 2]
    place = "block_number {block_number}, log_index {log_index}".format
    assert f"2 rows are only in a.logs, first {place(**rows[-2])}" in str(found)
    assert f"data differs in 1 rows, first {place(**rows[3])}: 0x" in str(found)
    assert f"topic2 differs in 1 rows, first {place(**rows[7])}: None and 0x0101" in str(found)


def test_an_event_and_a_table_of_another_kind(project):
    task, rows = chains(project)
    other = pl.DataFrame(
        {
            "block_number": [row["block_number"] for row in rows],
            "log_index": [row["log_index"] for row in rows],
            "address": ["0x" + row["address"].hex().upper() for row in rows],
            "fee": [float(int.from_bytes(row["data"][64:96], "big")) for row in rows],
            "more": ["x"] * len(rows),
        }
    )
    other.write_parquet(project / "other.parquet")
    sources = [
        *task.model_dump(mode="json", by_alias=True)["data"]["sources"],
        {"name": "other", "kind": "parquet", "path": "other.parquet"},
    ]
    task = make_task({"sources": sources, "events": [{"name": "swap", "signature": SWAP}]})
    found = compare(task, project, "swap", "other")
    assert found.equal
    assert {"address", "fee"} <= set(found.tables[0].columns)
    assert "only other has the columns more" in str(found)
    other.with_columns(pl.col("fee") + 1).write_parquet(project / "other.parquet")
    assert f"fee differs in {len(rows)} rows" in str(compare(task, project, "swap", "other"))


def test_amounts_of_all_their_bits_are_compared(project):
    rows, _ = swaps(0, 99)
    for amount, name in ((2**255 + 1, "a"), (2**255 + 2, "b")):
        rows[0]["data"] = amount.to_bytes(32, "big") + rows[0]["data"][32:]
        write_chain(project / name, rows)
    sources = [{"name": name, "kind": "cryo", "folder": name} for name in ("a", "b")]
    events = [{"name": f"swap_{name}", "signature": SWAP, "source": name, "event": "Swap"} for name in ("a", "b")]
    found = compare(make_task({"sources": sources, "events": events}), project, "swap_a", "swap_b")
    assert "amountIn differs in 1 rows" in str(found)
    assert f"{2**255 + 1} and {2**255 + 2}" in str(found)


def test_what_cannot_be_compared(project):
    task, _ = chains(project)
    with pytest.raises(SourceUnknown, match="no source or event makes a table 'c'"):
        compare(task, project, "a", "c")
    with pytest.raises(Duplicated, match=r"a.logs has block_number \d+ more than once"):
        compare(task, project, "a.logs", "b.logs", on=["block_number"])
    pl.DataFrame({"x": [1, 2]}).write_parquet(project / "x.parquet")
    sources = [{"name": name, "kind": "parquet", "path": "x.parquet"} for name in ("x", "y")]
    plain = make_task({"sources": sources})
    with pytest.raises(SettingsUnfit, match="nothing is known to tell the rows of x and y apart"):
        compare(plain, project, "x", "y")
    assert compare(plain, project, "x", "y", on=["x"]).equal
