import polars as pl
import pytest
from tests.unit.data.small import GENESIS, block_hash, blocks_frame

from assay.data.errors import BlocksMissing, Duplicated, Reorganised, TimeBackwards
from assay.data.events.continuity import read_blocks, with_times
from assay.data.tables.table import Table


def table(frame, parts=3, name="pool.blocks", order=("block_number",)):
    if "timestamp" in frame.columns:
        stamp = (pl.col("timestamp").cast(pl.Int64) * 1_000_000).cast(pl.Datetime("us", "UTC"))
        frame = frame.with_columns(stamp.alias("time"))
    size = max(1, -(-frame.height // parts))
    return Table(
        name, tuple(frame.lazy().slice(s, size) for s in range(0, frame.height, size)), "", "chain/pool", order
    )


BLOCKS = blocks_frame(100, 160)


@pytest.mark.parametrize("parts", [1, 2, 7, 61])
def test_a_whole_chain_passes(parts):
    found = read_blocks(table(BLOCKS, parts))
    assert found["block_number"].to_list() == list(range(100, 161))
    assert found["time"].to_physical()[0] == (GENESIS + 1200) * 1_000_000
    assert found["block_hash"][3] == block_hash(103)


@pytest.mark.parametrize("parts", [1, 2, 7, 60])
@pytest.mark.parametrize("at", [1, 20, 30, 59])
def test_what_is_broken_is_found_wherever_the_parts_are_cut(parts, at):
    number = 100 + at
    gap = pl.concat([BLOCKS.head(at), BLOCKS.slice(at + 1)])
    with pytest.raises(BlocksMissing, match=f"blocks {number} to {number} "):
        read_blocks(table(gap, parts))
    twice = pl.concat([BLOCKS.head(at + 1), BLOCKS.slice(at)])
    with pytest.raises(Duplicated, match=f"block_number {number} more than once"):
        read_blocks(table(twice, parts))
    other = pl.when(pl.col("block_number") == number).then(pl.lit(b"\x01" * 32))
    reorg = BLOCKS.with_columns(other.otherwise(pl.col("parent_hash")).alias("parent_hash"))
    with pytest.raises(Reorganised, match=f"block {number} of pool.blocks does not follow"):
        read_blocks(table(reorg, parts))
    early = pl.when(pl.col("block_number") == number).then(pl.col("timestamp") - 100)
    late = BLOCKS.with_columns(early.otherwise(pl.col("timestamp")).alias("timestamp"))
    with pytest.raises(TimeBackwards, match=f"block {number} of pool.blocks is older"):
        read_blocks(table(late, parts))
    backwards = pl.concat([BLOCKS.head(at), BLOCKS.slice(at).reverse()])
    if at < 59:
        with pytest.raises((TimeBackwards, BlocksMissing)):
            read_blocks(table(backwards, parts))


def test_checks_can_be_left_off():
    gap = pl.concat([BLOCKS.head(3), BLOCKS.slice(9)])
    assert read_blocks(table(gap), strict=False).height == 55


LOGS = pl.DataFrame(
    {"block_number": [100, 100, 130], "log_index": [0, 1, 0], "block_hash": [block_hash(n) for n in (100, 100, 130)]}
)


def logs(frame):
    return table(frame, 2, "pool.logs", ("block_number", "log_index"))


def test_rows_get_the_time_of_their_block():
    found = with_times(logs(LOGS), read_blocks(table(BLOCKS))).frame(["block_number", "time"])
    assert [t.timestamp() for t in found["time"]] == [GENESIS + 12 * n for n in (100, 100, 130)]


def test_rows_of_blocks_that_were_not_collected():
    beyond = pl.concat([LOGS, LOGS.tail(1).with_columns(block_number=pl.lit(161, dtype=pl.Int64))])
    with pytest.raises(BlocksMissing, match="block 161"):
        with_times(logs(beyond), read_blocks(table(BLOCKS))).frame()


def test_rows_of_another_branch():
    torn = LOGS.with_columns(
        pl.when(pl.col("block_number") == 130).then(pl.lit(b"\x02" * 32)).otherwise("block_hash").alias("block_hash")
    )
    with pytest.raises(Reorganised, match="another block 130"):
        with_times(logs(torn), read_blocks(table(BLOCKS))).frame(["log_index"])
