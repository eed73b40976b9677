"""What became of the rows that the champion learned from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from assay.keep.retrain.material import time_of

if TYPE_CHECKING:
    import polars as pl

    from assay.data.dataset.dataset import Dataset


@dataclass(frozen=True)
class Compared:
    """How many of the champion's rows are gone, and how many differ in a feature or the target.

    Rows that lie where the embargo of a new boundary leaves them out are not gone.
    """

    rows: int
    gone: int
    altered: int


def compare(before: Dataset, now: Dataset) -> Compared:
    """Find each row of the champion in the dataset of now, by its time, its entity and its place among those."""
    import polars as pl

    keys = [name for name in (before.time, before.manifest.entity) if name is not None]
    columns = [*before.features, before.target]
    old, new = in_parts(before), in_parts(now)
    # Rows of one moment are told apart by their place in it.
    old, new = (frame.with_columns(pl.int_range(pl.len()).over(keys).alias(_PLACE)) for frame in (old, new))
    both = old.select(*keys, _PLACE, *columns).join(
        new.select(*keys, _PLACE, *(pl.col(name).alias(_NOW + name) for name in columns), pl.lit(1).alias(_THERE)),
        on=[*keys, _PLACE],
        how="left",
    )
    absent = both.filter(pl.col(_THERE).is_null())
    for low, high in _gaps(now):
        absent = absent.filter(~((pl.col(keys[0]) > low) & (pl.col(keys[0]) < high)))
    same = pl.all_horizontal(*(pl.col(name).eq_missing(pl.col(_NOW + name)) for name in columns))
    altered = both.filter(pl.col(_THERE).is_not_null() & ~same).height
    return Compared(old.height, absent.height, altered)


_PLACE, _NOW, _THERE = "\x00place", "\x00now ", "\x00there"


def in_order(dataset: Dataset) -> pl.Series:
    """The times of all rows that are in a part."""
    return in_parts(dataset)[time_of(dataset)]


def in_parts(dataset: Dataset) -> pl.DataFrame:
    """All rows that are in a part."""
    import polars as pl

    return dataset.frame().filter(pl.col("split").is_not_null())


def _gaps(dataset: Dataset) -> list[tuple[Any, Any]]:
    """The times between two parts, whose rows the embargo leaves out."""
    parts = [dataset.frame(part)[time_of(dataset)] for part in ("train", "validation", "test")]
    return [(one.max(), other.min()) for one, other in pairwise(parts)]
