"""Folders of Parquet files that Cryo wrote: NETWORK__DATASET__FIRST_to_LAST.parquet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from assay.data.errors import BlocksMissing, Duplicated, SettingsUnfit, SourceEmpty
from assay.data.sources.parquet import table_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from assay.data.tables.table import Table

_NAME = re.compile(
    r"(?P<network>.+?)__(?P<dataset>blocks|transactions|logs|erc20_transfers|native_transfers|contracts|traces)__"
    r"(?P<first>\d+)_to_(?P<last>\d+)(__.+)?\.parquet\Z"
)
ORDER = {
    "blocks": ("block_number",),
    "transactions": ("block_number", "transaction_index"),
    "logs": ("block_number", "log_index"),
    "erc20_transfers": ("block_number", "log_index"),
    "native_transfers": ("block_number",),
    "contracts": ("block_number",),
    "traces": ("block_number",),
}


@dataclass(frozen=True, order=True)
class Chunk:
    """One of Cryo's files.

    Attributes
    ----------
    dataset
        What it holds, such as "logs".
    first, last
        Its blocks, both included.
    network
        Cryo's word for the chain.
    path
        Where it is.
    """

    dataset: str
    first: int
    last: int
    network: str
    path: Path


def chunks(folder: Path) -> list[Chunk]:
    """The files of a folder that have Cryo's names, by dataset and block."""
    found = []
    for path in folder.glob("*.parquet"):
        match = _NAME.fullmatch(path.name)
        if match:
            found.append(Chunk(match["dataset"], int(match["first"]), int(match["last"]), match["network"], path))
    return sorted(found)


def tables(name: str, folder: Path, datasets: Iterable[str], *, continuous: bool) -> dict[str, Table]:
    """Open the datasets in a folder, as tables called NAME.DATASET.

    Raises
    ------
    SourceEmpty
        If a dataset has no files.
    BlocksMissing, Duplicated
        If `continuous`, and the files leave out blocks or hold some twice.
    SourceUnreadable, ColumnMissing, MixedTypes
        If a file is damaged or differs from the first.
    """
    found = chunks(folder)
    networks = sorted({chunk.network for chunk in found})
    if len(networks) > 1:
        raise SettingsUnfit(
            f"{folder} has files of several networks: {', '.join(networks)[:100]}", "Give each its folder."
        )
    opened = {}
    for dataset in datasets:
        own = [chunk for chunk in found if chunk.dataset == dataset]
        if not own:
            raise SourceEmpty(
                f"{folder} has no {dataset} of Cryo's",
                f"Its files are called NETWORK__{dataset}__FIRST_to_LAST.parquet.",
            )
        if continuous:
            _follow(own, folder)
        opened[f"{name}.{dataset}"] = table_of(
            f"{name}.{dataset}", [chunk.path for chunk in own], folder, ORDER[dataset]
        )
    return opened


def span(folder: Path, dataset: str) -> tuple[int, int]:
    """The first and last block that a dataset's files cover."""
    own = [chunk for chunk in chunks(folder) if chunk.dataset == dataset]
    return own[0].first, own[-1].last


def _follow(own: list[Chunk], folder: Path) -> None:
    for before, here in pairwise(own):
        if here.first > before.last + 1:
            raise BlocksMissing(
                f"{folder} has no {here.dataset} of blocks {before.last + 1} to {here.first - 1}",
                "Collect them, or give the parts as sources of their own.",
            )
        if here.first <= before.last:
            raise Duplicated(
                f"{folder} has {here.dataset} of blocks {here.first} to {min(here.last, before.last)} twice, in "
                f"{before.path.name} and {here.path.name}",
                "Remove one of them.",
            )
