"""What other contracts keep at the end of each bar: asked of a node word by word, and kept in the source's folder.

A node that has only the newest states cannot be asked later, so what was read is kept in `state.parquet` beside the
chain's files, one row a word, and never asked for again. Each row has the hash of its block, so that after a
reorganisation the words of blocks that are no more are asked for anew, and the others stay.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from assay.data.errors import RpcRefused, SettingsUnfit, StateAbsent
from assay.data.sources import cryo_files
from assay.data.sources.context import from_environment
from assay.data.sources.cryo import place as folder_of
from assay.data.sources.http import Client
from assay.data.sources.parquet import table_of
from assay.data.sources.rpc import Rpc
from assay.data.sources.rpc_collect import Node, Refused
from assay.data.tables.store import write_parquet
from assay.task.sources import ChainSource
from assay.task.state import may_be_zero, places

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from assay.data.sources.context import Context
    from assay.data.tables.table import Table
    from assay.task.data import DataSpec
    from assay.task.state import Place, StateWord

STATE = "state"
"""The table's name behind that of its source."""
STATE_FILE = "state.parquet"
_AT_ONCE = 2000
"""Bars after which what was read is kept."""
_BLOCK, _HASH, _ACCOUNT, _SLOT, _WORD = "block_number", "block_hash", "account", "slot", "word"

Words = dict[tuple[int, str, int], int]
"""What is kept: by block, account and slot."""


def open_state(data: DataSpec, context: Context) -> dict[str, Table]:
    """The table of `[[data.bars.state]]`: a row a bar, the words' numbers as text; none if the task names no words.

    Raises
    ------
    SettingsUnfit
        If the bars are not of blocks, the source has no blocks, or what is missing cannot be asked for without a node.
    StateAbsent
        If a slot holds nothing, and the task does not say that it may.
    RpcRefused
        If the node does not have so old a state.
    """
    import polars as pl

    words = data.bars.state if data.bars else ()
    read = [word for word in words if word.slot is not None]
    if data.bars is None or not read:
        return {}
    spec, length = _source(data), data.bars.blocks
    if spec is None or length is None or "blocks" not in spec.datasets:
        raise SettingsUnfit(
            "[[data.bars.state]] is read at the end of bars of blocks, of a chain's source",
            'Write every = "50 blocks", and "blocks" among the datasets of a source of kind "rpc" or "cryo".',
        )
    folder = folder_of(spec, context)
    ends = _ends(spec, folder, length)
    hashes = _hashes(spec, folder, ends)
    kept = _kept(folder / STATE_FILE, hashes)
    for start in range(0, len(ends), _AT_ONCE):
        part = ends[start : start + _AT_ONCE]
        if _collected(spec, read, part, kept, context):
            for block in part:
                _numbers(read, block, kept)  # what is refused is not kept: another node may know it
            _keep(folder / STATE_FILE, kept, hashes)
    rows = [
        {_BLOCK: block} | {name: str(value) for name, value in _numbers(read, block, kept).items()} for block in ends
    ]
    made = pl.DataFrame(rows, schema={_BLOCK: pl.UInt32} | dict.fromkeys((word.name for word in read), pl.String))
    path = context.work / f"{spec.name}.{STATE}.parquet"
    write_parquet(made, path)
    name = f"{spec.name}.{STATE}"
    return {name: table_of(name, [path], context.work, (_BLOCK,))}


def _source(data: DataSpec) -> ChainSource | None:
    """The chain whose blocks the bars are of."""
    assert data.bars is not None  # noqa: S101 - the caller looked
    main = data.bars.table or (data.events[0].name if data.events else data.sources[0].name)
    event = next((one for one in data.events if one.name == main), None)
    named = ((event.source or "") if event else main).partition(".")[0]
    chains = [one for one in data.sources if isinstance(one, ChainSource)]
    return next((one for one in chains if one.name == named), chains[0] if chains else None)


def _ends(spec: ChainSource, folder: Path, length: int) -> list[int]:
    """The last block of each bar that the collected blocks cover from beginning to end."""
    low, high = cryo_files.span(folder, "blocks")
    low = max(low, spec.start_block)
    if isinstance(spec.end_block, int):
        high = min(high, spec.end_block)
    return [(bar + 1) * length - 1 for bar in range(-(-low // length), (high + 1) // length)]


def _collected(
    spec: ChainSource, words: Sequence[StateWord], ends: Sequence[int], kept: Words, context: Context
) -> bool:
    """Ask for what is not kept yet, first the slots that are known beforehand; whether anything was asked."""
    account = str(words[0].account).lower()
    found = places(words)
    asked = False
    for known in (True, False):
        these = [place for place in found if (place.plus is None) == known]
        wanted = [
            (block, account, slot)
            for block in ends
            for slot in dict.fromkeys(_slots(these, words, block, account, kept))
            if (block, account, slot) not in kept
        ]
        if not wanted:
            continue
        context.progress(f"Reading {len(wanted)} words of {account} up to block {wanted[-1][0]}")
        kept |= dict(zip(wanted, _ask(spec, wanted, context), strict=True))
        asked = True
    return asked


def _slots(these: Sequence[Place], words: Sequence[StateWord], block: int, account: str, kept: Words) -> list[int]:
    """The numbers of slots at a block, where the words are kept that are added to them."""
    added = {
        word.name: word.read(kept[block, account, word.place.slot])
        for word in words
        if any(place.plus == word.name for place in these)
    }
    return [place.at(added) for place in these]


def _ask(spec: ChainSource, wanted: Sequence[tuple[int, str, int]], context: Context) -> list[int]:
    if spec.rpc is None:
        raise SettingsUnfit(
            f"{spec.name} has no node, and its folder no state of block {wanted[0][0]}",
            f"Give it `rpc`, or a folder with the {STATE_FILE} that another build has kept.",
        )
    rpc = Rpc(from_environment(spec.rpc, f"[[data.sources]] {spec.name}: rpc"), retries=spec.retries)
    rpc.require_chain(context.chain_id)
    client = Client(timeout=spec.timeout_seconds, retries=spec.retries)
    node = Node(rpc.url, client, workers=spec.max_concurrent_requests, per_second=spec.requests_per_second)
    try:
        found = node.many("eth_getStorageAt", [(account, hex(slot), hex(block)) for block, account, slot in wanted])
        return [int(word, 16) for word in found]
    except (Refused, TypeError, ValueError) as error:
        raise RpcRefused(
            f"{rpc.host} does not give what {wanted[0][1]} kept in blocks {wanted[0][0]} to {wanted[-1][0]}: "
            f"{error!s:.100}",
            "Use a node that keeps so old states (an archive node), or begin later: start_block.",
        ) from None


def _numbers(words: Sequence[StateWord], block: int, kept: Words) -> dict[str, int]:
    """A bar's numbers by their names."""
    account = str(words[0].account).lower()
    found: dict[str, int] = {}
    for word in sorted(words, key=lambda word: word.plus is not None):
        slot = word.place.at(found)
        held = kept[block, account, slot]
        if not held and not may_be_zero(words, word.place):
            raise StateAbsent(
                f"slot {slot:#x} of {word.account} holds nothing in block {block} ([[data.bars.state]] {word.name})",
                "Check account and slot, begin later (start_block), or write may_be_zero = true.",
            )
        found[word.name] = word.read(held)
    return found


def _hashes(spec: ChainSource, folder: Path, ends: Sequence[int]) -> dict[int, str]:
    """The hashes of these blocks, in hexadecimal, as the collected blocks have them; empty where they have none."""
    import polars as pl

    (blocks,) = cryo_files.tables(spec.name, folder, ["blocks"], continuous=False).values()
    if _HASH not in blocks.schema:
        return {}
    wanted = pl.Series(ends, dtype=blocks.schema[_BLOCK])
    found: dict[int, str] = {}
    for part in blocks.batches([_BLOCK, _HASH]):
        for block, hash_ in part.filter(pl.col(_BLOCK).is_in(wanted.implode())).iter_rows():
            found[block] = hash_.hex() if isinstance(hash_, bytes) else str(hash_).lower().removeprefix("0x")
    return found


def _kept(path: Path, hashes: dict[int, str]) -> Words:
    """What is kept of the chain as it is: words of a block that is no more, of another hash than now, count no more.

    Parameters
    ----------
    hashes
        Of the blocks that are known; those of other blocks that are kept are put in.
    """
    if not path.is_file():
        return {}
    table = table_of(STATE, [path], path.parent)
    if _HASH not in table.schema:
        return {}
    found: Words = {}
    for block, hash_, account, slot, word in table.frame([_BLOCK, _HASH, _ACCOUNT, _SLOT, _WORD]).iter_rows():
        if hashes.setdefault(block, hash_) == hash_:
            found[block, account, int(slot, 16)] = int(word, 16)
    return found


def _keep(path: Path, words: Words, hashes: dict[int, str]) -> None:
    """Whole or not at all: another build may be reading it."""
    import polars as pl

    rows: list[tuple[Any, ...]] = [
        (block, hashes.get(block, ""), account, hex(slot), hex(word)) for (block, account, slot), word in words.items()
    ]
    frame = pl.DataFrame(
        rows,
        schema={_BLOCK: pl.Int64} | dict.fromkeys((_HASH, _ACCOUNT, _SLOT, _WORD), pl.String),
        orient="row",
    ).sort(_BLOCK, _ACCOUNT, _SLOT)
    own = path.with_name(f".partial-{os.getpid()}-{path.name}")
    write_parquet(frame, own)
    own.replace(path)
