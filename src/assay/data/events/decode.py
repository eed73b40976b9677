"""Logs of one event as typed columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assay.data.errors import AbiMismatch, DataError, TooFewRows
from assay.data.events import abi, words
from assay.data.expressions import require
from assay.data.tables.gates import Gate, Quarantine

if TYPE_CHECKING:
    import polars as pl

    from assay.data.events.abi import EventAbi, Input
    from assay.data.tables.table import Table
    from assay.task.data import Event

CHAIN = ("block_number", "transaction_index", "log_index", "address")
_BAD = "\x00bad"
_WIDE = "\x00wide"


class IntegersWide(AbiMismatch):
    """An integer has more bits than Int128 holds, and the event was not decoded for that."""


def decode(
    logs: Table, spec: Event, event: EventAbi, quarantine: Quarantine, named: str, *, wide: bool = False
) -> Table:
    """Decode the logs of an event.

    Parameters
    ----------
    logs
        Logs as Cryo writes them: `address`, `topic0` to `topic3` and `data`, as bytes or 0x-hexadecimal.
    spec
        The event's entry in the task.
    event
        Its ABI.
    quarantine
        Takes the logs that do not fit, if the task says so.
    named
        Text that has the names of all columns that are asked for: `NAME_raw` of an amount that is divided and may
        have more than 127 bits is made if it is there.
    wide
        Whether integers that may have more than 64 bits are kept in the type that holds all; else none may have more
        than 127, which is faster.

    Returns
    -------
    Table
        Where the log is in the chain, then a column for each parameter, and `NAME_raw` for each integer.

    Raises
    ------
    AbiMismatch
        When it is read: if a log has the event's topic and does not fit its types, or if no log has it; as IntegersWide
        if an integer has more than 127 bits and `wide` is not set.
    """
    names = logs.schema.names()
    for column in ("topic0", "topic1", "topic2", "topic3", "data", "block_number", "log_index"):
        require(column, names, f"the event {spec.name}")
    for field in spec.decimals:
        require(field, [given.name for given in event.inputs], f"[[data.events]] {spec.name}: decimals")
    gate = Gate((_BAD, _WIDE, "block_number", "log_index"), lambda frame: _judge(frame, spec, logs.path, quarantine))
    decoded = logs.map(lambda part: _decoded(part, spec, event, named, wide=wide))
    return replace(
        decoded,
        name=spec.name,
        gates=(*logs.gates, gate),
        empty=lambda: _none(logs, spec, event),
        order=("block_number", "log_index"),
    )


def _decoded(part: pl.LazyFrame, spec: Event, event: EventAbi, named: str, *, wide: bool) -> pl.LazyFrame:
    import polars as pl

    schema = part.collect_schema()
    part = part.with_columns(
        pl.col(name).str.strip_prefix("0x").str.decode("hex")
        for name in ("topic0", "topic1", "topic2", "topic3", "data", "address")
        if schema.get(name) == pl.String
    )
    part = part.filter(pl.col("topic0") == event.topic)
    contracts = [spec.contract] if isinstance(spec.contract, str) else spec.contract
    if contracts:
        part = part.filter(pl.col("address").is_in([bytes.fromhex(one[2:]) for one in contracts]))
    columns: list[pl.Expr] = []
    fits: list[pl.Expr] = []
    beyond = [pl.lit(value=False)]
    for index, given in enumerate(event.topics):
        word = pl.col(f"topic{index + 1}")
        columns += _columns(word, given, spec, named, wide=wide)
        fits += [word.is_not_null(), _fits(word, given)]
        beyond += [] if wide else _too_wide(word, given, spec, named)
    if len(event.topics) < 3:
        fits.append(pl.col(f"topic{len(event.topics) + 1}").is_null())
    length = pl.col("data").bin.size(unit="b")
    head = words.WORD * len(event.words)
    dynamic = any(given.dynamic for given in event.words)
    fits.append(length >= head if dynamic else length == head)
    for index, given in enumerate(event.words):
        word = pl.col("data").bin.slice(words.WORD * index, words.WORD)
        columns += _tail(word, given) if given.dynamic else _columns(word, given, spec, named, wide=wide)
        if not given.dynamic:
            fits.append(_fits(word, given))
            beyond += [] if wide else _too_wide(word, given, spec, named)
    chain = [pl.col(name) for name in CHAIN if name in schema]
    # And what the gates before this one still look at.
    times = [pl.col(name) for name in schema if name in {"time", "block_hash"} or name.startswith("\x00")]
    bad = (~pl.all_horizontal(fits)).fill_null(value=True).alias(_BAD)
    return part.select(*chain, *times, *columns, bad, pl.any_horizontal(beyond).fill_null(value=False).alias(_WIDE))


def _columns(word: pl.Expr, given: Input, spec: Event, named: str, *, wide: bool) -> list[pl.Expr]:
    """The column of a parameter of one word; for integers also the exact one."""
    name = given.name
    if given.kind in {"uint", "int"}:
        signed = given.kind == "int"
        made = words.small if given.bits <= 64 else words.whole if wide else words.wide
        raw = made(word, signed=signed)
        value = words.scaled(word, spec.decimals[name], signed=signed) if name in spec.decimals else raw
        exact = [raw.alias(f"{name}_raw")] if _has_raw(given, spec, named) else []
        return [value.alias(name), *exact]
    if given.kind == "bool":
        return [(word.bin.slice(31, 1) == b"\x01").alias(name)]
    if given.kind == "address":
        return [word.bin.slice(12, 20).alias(name)]
    if given.kind == "fixed_bytes":
        return [word.bin.slice(0, given.bits // 8).alias(name)]
    return [word.alias(name)]


def _fits(word: pl.Expr, given: Input) -> pl.Expr:
    import polars as pl

    if given.kind in {"uint", "int"}:
        return words.fits(word, given.bits, signed=given.kind == "int")
    if given.kind == "bool":
        return word.is_in([bytes(32), bytes(31) + b"\x01"])
    if given.kind == "address":
        return word.bin.slice(0, 12) == bytes(12)
    if given.kind == "fixed_bytes" and given.bits < 256:
        return word.bin.slice(given.bits // 8, 32) == bytes(32 - given.bits // 8)
    return pl.lit(value=True)


def _has_raw(given: Input, spec: Event, named: str) -> bool:
    return given.bits <= 64 or given.name not in spec.decimals or f"{given.name}_raw" in named


def _too_wide(word: pl.Expr, given: Input, spec: Event, named: str) -> list[pl.Expr]:
    """Whether an integer that stays one has more bits than 128-bit integers hold."""
    if given.kind not in {"uint", "int"} or given.bits <= 64 or not _has_raw(given, spec, named):
        return []
    return [words.wide(word, signed=given.kind == "int").is_null() & word.is_not_null()]


def _tail(word: pl.Expr, given: Input) -> list[pl.Expr]:
    """A parameter of any length: the word is where its length stands, and its bytes follow that."""
    import polars as pl

    data = pl.col("data")
    start = words.small(word, signed=False)
    length = words.small(data.bin.slice(start, words.WORD), signed=False)
    value = data.bin.slice(start + words.WORD, length)
    # Both are the log's own claims: what lies outside the data is no value.
    inside = (start <= data.bin.size()) & (length <= data.bin.size())
    value = pl.when(inside).then(value)
    return [(value.cast(pl.String, strict=False) if given.kind == "string" else value).alias(given.name)]


def _judge(frame: pl.DataFrame, spec: Event, path: str, quarantine: Quarantine) -> pl.DataFrame:
    import polars as pl

    bad = frame.filter(pl.col(_BAD))
    if bad.height:
        block, index = bad.select("block_number", "log_index").row(0)
        if spec.on_mismatch == "refuse":
            raise AbiMismatch(
                f"the log {index} of block {block} in {path} has the topic of {spec.name} and does not fit its types "
                f"({bad.height} such logs in this part)",
                'Check the signature: its types, their order and which are indexed; or set on_mismatch = "quarantine".',
            )
        quarantine.add(bad, table=spec.name, reason="does not fit the event's types")
        frame = frame.filter(~pl.col(_BAD))
    wide = frame.filter(pl.col(_WIDE))
    if wide.height:
        block, index = wide.select("block_number", "log_index").row(0)
        raise IntegersWide(
            f"the log {index} of block {block} in {path} has an integer of more than 127 bits",
            f"Give [[data.events]] {spec.name} the `decimals` of its amounts, and use NAME instead of NAME_raw: it is "
            "then divided exactly.",
        )
    return frame.drop(_BAD, _WIDE)


def _none(logs: Table, spec: Event, event: EventAbi) -> DataError:
    """What to say when no log is of the event: which topics there are instead."""
    import polars as pl

    counted = [frame["topic0"].value_counts() for frame in logs.batches(["topic0"])]
    if not any(frame.height for frame in counted):
        return TooFewRows(f"there is no log in {logs.path}", "Check the contract and the range of blocks, or wait.")
    found = pl.concat(counted).group_by("topic0").agg(pl.col("count").sum()).sort("count", "topic0", descending=True)
    shown = [
        f"{topic if isinstance(topic, str) else '0x' + topic.hex()} ({count})"
        for topic, count in found.head(3).iter_rows()
        if topic is not None
    ]
    return AbiMismatch(
        f"no log in {logs.path} is a {event.signature} (topic 0x{event.topic.hex()})"
        + (" of the contract given" if spec.contract else ""),
        f"Check the signature and the contract. The most frequent topics there: {', '.join(shown) or 'none'}.",
    )


def event_abi(spec: Event, content: bytes | None) -> EventAbi:
    """The ABI of a task's event; `content` is that of its ABI file, if it names one. Raises AbiInvalid."""
    if spec.signature is not None:
        return abi.from_signature(spec.signature)
    return abi.from_json(content or b"", spec.event or spec.name, str(spec.abi))
