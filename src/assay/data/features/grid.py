"""Which bars there are: those that the data covers from beginning to end, and those of each series.

A series has bars from the first whole one after its first row to the end of the data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.data.errors import ColumnMissing, TooFewRows
from assay.data.tables.table import TIME

if TYPE_CHECKING:
    import polars as pl

    from assay.task.data import Bars

BLOCK = "block_number"
BAR = "\x00bar"
LOW, HIGH = "\x00low", "\x00high"
_FIRST = "\x00first"
_MICRO = 1_000_000


@dataclass(frozen=True)
class Grid:
    """Which bars there are: those that the data covers from beginning to end.

    Attributes
    ----------
    first, count
        Number of the first bar, and how many.
    incomplete
        Bars left out at the ends because the data (or a series) begins or ends within them.
    """

    first: int
    count: int
    incomplete: int


@dataclass(frozen=True)
class Extent:
    """Where a table's rows lie, in microseconds or blocks.

    Attributes
    ----------
    low, high
        The first and the last place.
    starts
        The entity and `LOW`, the first place of each series; None for one series.
    """

    low: int
    high: int
    starts: pl.DataFrame | None


def length_of(spec: Bars) -> int:
    """A bar's length in microseconds, or blocks."""
    return spec.blocks or (spec.seconds or 0) * _MICRO


def covered(spec: Bars, blocks: pl.DataFrame | None, extent: Extent) -> tuple[int, int]:
    """From where to where there is data: by the blocks if there are any, else by the rows themselves."""
    low, high = extent.low, extent.high
    if blocks is not None:
        known = blocks[TIME].to_physical() if spec.blocks is None else blocks[BLOCK]
        low, high = int(known[0]), int(known[-1])
    # The end itself is not covered: a bar in which the last row lies is not over, even if it begins there.
    return low, high + 1


def grid_of(spec: Bars, low: int, high: int) -> Grid:
    """The bars within what is covered."""
    length = length_of(spec)
    first, end = -(-low // length), high // length
    if end <= first:
        unit = "of the time" if spec.blocks is None else "blocks"
        raise TooFewRows(
            f"the data covers no bar of {spec.every} from beginning to end", f"Collect more {unit}, or shorten `every`."
        )
    return Grid(first, end - first, (low % length != 0) + (high % length != 0))


def frame_of(grid: Grid, spec: Bars, blocks: pl.DataFrame | None) -> pl.DataFrame:
    """Number, time and last block of each bar."""
    import polars as pl

    number = pl.int_range(grid.first, grid.first + grid.count, dtype=pl.Int64)
    frame = pl.select(number.alias(BAR))
    if spec.blocks is None:
        end = ((pl.col(BAR) + 1) * ((spec.seconds or 0) * _MICRO)).cast(pl.Datetime("us", "UTC"))
        frame = frame.with_columns(end.alias(TIME))
        if blocks is None:
            return frame
        # The last block before the bar's end.
        known = blocks.select(TIME, pl.col(BLOCK).cast(pl.Int64))
        return frame.join_asof(known, on=TIME, strategy="backward", allow_exact_matches=False, check_sortedness=False)
    if blocks is None:
        raise ColumnMissing("bars of blocks need the blocks' times", 'Collect the dataset "blocks" as well.')
    frame = frame.with_columns(((pl.col(BAR) + 1) * spec.blocks - 1).alias(BLOCK))
    known = blocks.select(pl.col(BLOCK).cast(pl.Int64), TIME)
    return frame.join(known, on=BLOCK, how="left", maintain_order="left")


def of_each(frame: pl.DataFrame, grid: Grid, starts: pl.DataFrame, high: int, length: int) -> tuple[pl.DataFrame, Grid]:
    """The bars of every series, series after series, and how many of all of them are incomplete."""
    import polars as pl

    end = grid.first + grid.count
    # Rounded up: the bar that a series begins within is not whole.
    whole = pl.max_horizontal(-(-pl.col(LOW) // length), pl.lit(grid.first))
    each = starts.with_columns(whole.clip(upper_bound=end).alias(_FIRST))
    touched = (-(-high // length) - each[LOW] // length).clip(lower_bound=0).sum()
    numbers = each.with_columns(pl.int_ranges(_FIRST, end).alias(BAR)).explode(BAR).drop_nulls(BAR)
    if not numbers.height:
        raise TooFewRows("no series has a bar from beginning to end", "Collect more, or shorten `every`.")
    made = numbers.drop(LOW, _FIRST).join(frame, on=BAR, how="left", maintain_order="left")
    return made, replace(grid, incomplete=int(touched) - made.height)
