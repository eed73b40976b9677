"""`compare`: do two sources of the same blocks say the same?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core import files
from assay.data import rows as rows_of
from assay.data.errors import Duplicated, SettingsUnfit, SourceUnknown
from assay.data.events.decode import IntegersWide
from assay.data.expressions import wide
from assay.data.expressions.names import require
from assay.data.opened import open_tables
from assay.data.sources import cryo_files
from assay.data.sources.context import Context
from assay.data.sources.cryo import place
from assay.task.sources import ChainSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from assay.data.tables.table import Table
    from assay.task.task import Task

_KEYS = (
    ("block_number", "log_index"),
    ("block_number", "transaction_index", "trace_address"),
    ("block_number", "transfer_index"),
    ("block_number", "create_index"),
    ("block_number", "transaction_index"),
    ("block_number",),
)
_BLOCK = "block_number"
_THERE, _OTHER = "\x00there", "\x00other"


@dataclass(frozen=True)
class Difference:
    """How two tables differ in one way.

    Attributes
    ----------
    what
        A sentence.
    rows
        How many rows it is about; 0 if it is about a column.
    """

    what: str
    rows: int


@dataclass(frozen=True)
class Compared:
    """Two tables side by side.

    Attributes
    ----------
    first, second
        Their names.
    rows
        The rows of each that were compared.
    on, columns
        What tells rows apart, and the other columns that were compared.
    blocks
        The blocks that both cover, where they are of chain sources; only those were compared.
    differences
        What is not the same.
    """

    first: str
    second: str
    rows: tuple[int, int]
    on: tuple[str, ...]
    columns: tuple[str, ...]
    blocks: tuple[int, int] | None
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        """Return what a person reads."""
        where = f", blocks {self.blocks[0]} to {self.blocks[1]}" if self.blocks else ""
        verdict = "DIFFERENT" if any(one.rows for one in self.differences) else "equal"
        head = (
            f"{self.first} and {self.second}: {verdict} ({self.rows[0]} and {self.rows[1]} rows{where}, told apart by "
            f"{', '.join(self.on)}, {len(self.columns)} columns compared)"
        )
        return "\n".join([head, *(f"  {one.what}" for one in self.differences)])


@dataclass(frozen=True)
class Comparison:
    """What `compare` found, one entry for each pair of tables."""

    tables: tuple[Compared, ...]

    @property
    def equal(self) -> bool:
        """Whether no row differs."""
        return not any(one.rows for table in self.tables for one in table.differences)

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as JSON values."""
        return {"equal": self.equal, **asdict(self)}

    def __str__(self) -> str:
        """Return what a person reads."""
        return "\n".join(str(table) for table in self.tables)


def compare(
    task: Task,
    project: str | Path,
    first: str,
    second: str,
    *,
    on: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Compare two tables of a task, row by row.

    Parameters
    ----------
    task, project
        The task and its folder.
    first, second
        Names of tables: a source, a source's dataset ("NAME.logs"), or an event. Two chain sources are compared in
        every dataset that both have, over the blocks that both cover.
    on
        Columns that tell rows apart; by default those that do so on a chain.
    progress
        Is told what happens next.

    Raises
    ------
    SourceUnknown
        If there is no such table.
    SettingsUnfit, Duplicated
        If nothing tells their rows apart, or two rows have the same key.
    DataError, StorageError
        If a source cannot be read.
    """
    step = progress or (lambda _: None)
    home = Path(project)

    def each(tables: dict[str, Table]) -> Comparison:
        found = []
        for a, b in _pairs(tables, first, second):
            step(f"Comparing {a} with {b}")
            found.append(_compared(tables[a], tables[b], on, _both(task, home, a, b)))
        return Comparison(tuple(found))

    with files.scratch() as work:
        opened = open_tables(task, home, work, step)
        tables = rows_of.decoded(task, home, opened, step, wide=False)
        try:
            return each(tables)
        except IntegersWide:
            step("Reading again: there are integers of more than 127 bits")
            return each(rows_of.decoded(task, home, opened, step, wide=True))


def _pairs(tables: dict[str, Table], first: str, second: str) -> list[tuple[str, str]]:
    """The tables to compare: two of those names, or the datasets that two chain sources share."""
    if first in tables and second in tables:
        return [(first, second)]
    own = {name.partition(".")[2] for name in tables if name.startswith(f"{first}.")}
    shared = [name for name in sorted(own) if f"{second}.{name}" in tables]
    if shared:
        return [(f"{first}.{name}", f"{second}.{name}") for name in shared]
    wrong = first if first not in tables and not own else second
    raise SourceUnknown(f"no source or event makes a table {wrong!r:.80}", f"There are: {', '.join(tables)}.")


def _both(task: Task, home: Path, first: str, second: str) -> tuple[int, int] | None:
    """The blocks that the files of two chain sources cover; None if one is none."""
    spans = []
    for name in (first, second):
        source, _, dataset = name.partition(".")
        spec = next((one for one in task.data.sources if one.name == source), None)
        if not isinstance(spec, ChainSource) or not dataset:
            return None
        low, high = cryo_files.span(place(spec, Context(home, home)), dataset)
        bound = spec.end_block if isinstance(spec.end_block, int) else high
        spans.append((max(low, spec.start_block), min(high, bound)))
    low, high = max(span[0] for span in spans), min(span[1] for span in spans)
    if high < low:
        raise SettingsUnfit(f"{first} and {second} have no block in common", "Collect the same blocks of both.")
    return low, high


def _compared(first: Table, second: Table, on: Sequence[str], blocks: tuple[int, int] | None) -> Compared:
    shared = [name for name in first.columns if name in second.columns]
    key = _key(first, second, on, shared)
    differences = _columns(first, second)
    alike, unlike = _alike(first, second, [name for name in shared if name not in key])
    differences += unlike
    a, b = (_rows(table, [*key, *alike], key, blocks) for table in (first, second))
    broad = [name for name in alike if wide.is_wide(a.schema[name]) or wide.is_wide(b.schema[name])]
    a, b = _widened(a, broad), _widened(b, broad)
    b = _as(b, a)
    joined = a.with_columns(_true(_THERE)).join(
        b.with_columns(_true(_OTHER)), on=list(key), how="full", coalesce=True, suffix="\x00", nulls_equal=True
    )
    differences += _absent(joined, first.name, second.name, key)
    differences += _changed(joined, alike, key)
    return Compared(first.name, second.name, (a.height, b.height), key, tuple(alike), blocks, tuple(differences))


def _widened(rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The rows with some columns as integers of any width."""
    import polars as pl

    return rows.with_columns(wide.widened(pl.col(name)) for name in names if not wide.is_wide(rows.schema[name]))


def _true(name: str) -> pl.Expr:
    import polars as pl

    return pl.lit(value=True).alias(name)


def _key(first: Table, second: Table, on: Sequence[str], shared: list[str]) -> tuple[str, ...]:
    for name in on:
        for table in (first, second):
            require(name, table.columns, table.name)
    if on:
        return tuple(on)
    known = [*_KEYS, *([(first.time,)] if first.time is not None and first.time == second.time else [])]
    found = next((key for key in known if set(key) <= set(shared)), None)
    if found is None:
        raise SettingsUnfit(
            f"nothing is known to tell the rows of {first.name} and {second.name} apart", "Say what does: --on COLUMN."
        )
    return found


def _columns(first: Table, second: Table) -> list[Difference]:
    found = []
    for one, other in ((first, second), (second, first)):
        only = [name for name in one.columns if name not in other.columns]
        if only:
            found.append(Difference(f"only {one.name} has the columns {', '.join(only)[:200]}", 0))
    return found


def _alike(first: Table, second: Table, names: list[str]) -> tuple[list[str], list[Difference]]:
    """Columns whose types can be compared, and a word on the others."""
    alike, unlike = [], []
    for name in names:
        one, other = first.schema[name], second.schema[name]
        if one == other or _numbers(one, other) or _hexadecimal(one, other):
            alike.append(name)
        else:
            unlike.append(Difference(f"{name} is {one} in {first.name} and {other} in {second.name}: not compared", 0))
    return alike, unlike


def _numbers(one: pl.DataType, other: pl.DataType) -> bool:
    return (one.is_numeric() and other.is_numeric()) or (wide.is_whole(one) and wide.is_whole(other))


def _hexadecimal(one: pl.DataType, other: pl.DataType) -> bool:
    import polars as pl

    return {one, other} == {pl.Binary(), pl.String()}


def _rows(table: Table, columns: list[str], key: tuple[str, ...], blocks: tuple[int, int] | None) -> pl.DataFrame:
    import polars as pl

    rows = pl.concat(list(table.batches(columns)) or [table.parts[0].select(columns).collect().head(0)])
    if blocks is not None:
        rows = rows.filter(pl.col(_BLOCK).is_between(*blocks))
    twice = rows.select(pl.struct(key).is_duplicated()).to_series()
    if twice.any():
        row = rows.select(key).filter(twice).row(0, named=True)
        raise Duplicated(
            f"{table.name} has {_shown(row)} more than once, and rows are told apart by it",
            "Say what tells them apart: --on COLUMN.",
        )
    return rows


def _as(rows: pl.DataFrame, model: pl.DataFrame) -> pl.DataFrame:
    """The rows with bytes where the model has bytes, and text of bytes where it has text."""
    import polars as pl

    changed = []
    for name, dtype in model.schema.items():
        own = rows.schema[name]
        if own == pl.String and dtype == pl.Binary:
            changed.append(pl.col(name).str.strip_prefix("0x").str.to_lowercase().str.decode("hex", strict=False))
        elif own == pl.Binary and dtype == pl.String:
            changed.append(pl.lit("0x") + pl.col(name).bin.encode("hex").alias(name))
        elif own != dtype and own.is_integer() and dtype.is_integer():
            changed.append(pl.col(name).cast(dtype, strict=False))
        elif own != dtype and own.is_numeric() and dtype.is_numeric():
            changed.append(pl.col(name).cast(pl.Float64))
    return rows.with_columns(changed)


def _absent(joined: pl.DataFrame, first: str, second: str, key: tuple[str, ...]) -> list[Difference]:
    import polars as pl

    found = []
    for name, mark in ((first, _OTHER), (second, _THERE)):
        only = joined.filter(pl.col(mark).is_null())
        if only.height:
            place_ = _shown(only.select(key).sort(key).row(0, named=True))
            found.append(Difference(f"{only.height} rows are only in {name}, first {place_}", only.height))
    return found


def _changed(joined: pl.DataFrame, columns: list[str], key: tuple[str, ...]) -> list[Difference]:
    """Columns in which rows of one key differ, with the first."""
    import polars as pl

    both = joined.filter(pl.col(_THERE) & pl.col(_OTHER)).sort(key)
    found = []
    for name in columns:
        own, their = both[name], both[f"{name}\x00"]
        differ = own.ne_missing(their.cast(own.dtype, strict=False) if own.dtype.is_integer() else their)
        count = int(differ.sum())
        if count:
            at = int(differ.arg_max() or 0)
            row = _shown(both.select(key).row(at, named=True))
            found.append(
                Difference(
                    f"{name} differs in {count} rows, first {row}: {_value(own[at])} and {_value(their[at])}", count
                )
            )
    return found


def _shown(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in row.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):  # an integer of more than 127 bits
        return str(wide.decoded(*value.values()))
    text = f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
