"""CSV files: types are found from all rows, not from the first few."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.core.files import translated
from assay.data.errors import MixedTypes, SourceEmpty, SourceUnreadable
from assay.data.expressions import require, wide
from assay.data.sources.parquet import matching, table_of
from assay.data.tables.content import hash_files
from assay.data.tables.store import write_parquet
from assay.data.tables.table import unreadable
from assay.task import suspects
from assay.task.dialect import FOREIGN, INDEX, called, dialect_of, ends_as_old_macs, guess, numbers, records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from assay.data.sources.context import Context
    from assay.data.tables.table import Table
    from assay.task.dialect import Dialect
    from assay.task.sources import CsvSource

# From the narrowest on; whole numbers beyond 512 bits are numbers like others.
_KINDS = ("integer", "wide", "exact", "boolean", "number")
_WHOLE = ("integer", "wide", "exact")
_DIGITS = r"^[+-]?[0-9]{1,154}$"
"""What is a whole number of at most 512 bits."""
_TRUE, _FALSE = ("true", "True", "TRUE", "t", "yes"), ("false", "False", "FALSE", "f", "no")
# What looks like numbers with some text among it is taken for a mistake from this share of numbers on.
_MOSTLY = 0.5
_FOREIGN = "foreign"
_BLOCK = 1 << 20
_FEW = 40
"""Distinct texts among numbers from which on they are no words for a missing value."""


def open_csv(spec: CsvSource, context: Context) -> Table:
    """Open the files of a source, through a typed copy in the work folder.

    Raises
    ------
    NotFound, SourceEmpty
        If there are none, or they have no rows.
    SourceUnreadable
        If one is no CSV in UTF-8 with one header.
    MixedTypes
        If a column of numbers holds text; the message names the row.
    """
    files, root = matching(spec.path, context, ".csv")
    texts, blank = _texts(files, spec, context.work)
    found = _types(texts, spec, files[0])
    copy = context.work / f"{spec.name}.parquet"
    typed = texts.select(_typed(name, kind, dialect_of(spec)) for name, kind in found.items())
    write_parquet(typed, copy, source=str(files[0]))
    table = table_of(spec.name, [copy], context.work)
    digest = hash_files(files, root)
    notes = (f"{blank} lines of {spec.name} hold no value and are left out",) if blank else ()
    return replace(table, digest=digest, path=str(files[0] if len(files) == 1 else root), notes=notes)


def _texts(files: list[Path], spec: CsvSource, work: Path) -> tuple[pl.LazyFrame, int]:
    """All values as text, null where missing; and how many lines are left out since they hold none."""
    import polars as pl

    dialect = dialect_of(spec)
    for file in files:
        _header(file, dialect)
    read = [
        file if spec.encoding == "utf-8" and not ends_as_old_macs(file, dialect) else _in_utf8(file, spec, work, at)
        for at, file in enumerate(files)
    ]
    try:
        texts = _scan(read, spec, list(spec.missing))
        written = texts.collect_schema().names()
        columns = called(written)
        texts = texts.rename(dict(zip(written, columns, strict=True)))
        held = _held(columns)
        rows, kept = texts.select(pl.len(), held.sum().alias("\x00kept")).collect(engine="streaming").row(0)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise unreadable(files[0], error) from None
    if not kept:
        raise SourceEmpty(f"{files[0]} has a header and no rows", "Check the file.")
    if kept == rows:
        return texts, 0
    # A line of "NA,NA" is a row, a blank one is none: they are told apart before the words for missing values count.
    plain = _scan(read, spec, [""] if "" in spec.missing else []).rename(dict(zip(written, columns, strict=True)))
    worded = [text for text in spec.missing if text]
    found = plain.filter(held).with_columns(pl.when(~pl.all().is_in(worded)).then(pl.all()))
    return found, rows - found.select(pl.len()).collect(engine="streaming").item()


def _scan(files: list[Path], spec: CsvSource, missing: list[str]) -> pl.LazyFrame:
    import polars as pl

    return pl.scan_csv(
        files,
        skip_lines=spec.skip_rows,
        separator=spec.delimiter,
        infer_schema=False,
        null_values=missing,
        glob=False,
        encoding="utf8",
    )


def _held(columns: list[str]) -> pl.Expr:
    """Whether a line holds any value; a file of one column has missing ones instead of blank lines."""
    import polars as pl

    if len(columns) == 1:
        return pl.col(columns[0]).is_null() | pl.col(columns[0]).is_not_null()
    first = (pl.col(columns[0]).str.strip_chars() != "").fill_null(value=False)
    return pl.any_horizontal(first, *(pl.col(name).is_not_null() for name in columns[1:]))


def _in_utf8(file: Path, spec: CsvSource, work: Path, at: int) -> Path:
    """A copy in the encoding, and with the line ends, that polars reads."""
    copy = work / f"{spec.name}-{at}.csv"
    newline = None if ends_as_old_macs(file, dialect_of(spec)) else ""
    with (
        translated(copy, "write"),
        file.open(encoding=spec.encoding, newline=newline) as lines,
        copy.open("w", encoding="utf-8", newline="") as made,
    ):
        while block := lines.read(_BLOCK):
            made.write(block)
    return copy


def _packed(file: Path) -> str | None:
    """What a file is by its first bytes where it is a compressed one or a workbook."""
    with file.open("rb") as opened:
        start = opened.read(4)
    marks = {b"\x1f\x8b": "compressed by gzip", b"PK\x03\x04": "a zip file or a workbook", b"PAR1": "Parquet"}
    marks |= {
        b"\x28\xb5\x2f\xfd": "compressed by zstd",
        b"\xd0\xcf\x11\xe0": "an old workbook (.xls)",
        b"BZh": "compressed by bzip2",
    }
    return next((name for mark, name in marks.items() if start.startswith(mark)), None)


def _header(file: Path, dialect: Dialect) -> None:
    """Refuse what polars would read in its own way: no header, names twice, another delimiter, another encoding."""
    import csv

    packed = _packed(file)
    if packed is not None:
        raise SourceUnreadable(f"{file} is no text but {packed}", "Unpack it, or save it as CSV.")
    found = records(file, dialect)
    try:
        _, first = next(found, (0, []))
        names = called(first)
        odd = _odd_line(found, len(names))
    except UnicodeError as error:
        raise SourceUnreadable(
            f"{file} is not written in {dialect.encoding} ({' '.join(str(error).split())[:80]})",
            _looks(file, dialect) or 'Set `encoding`, such as "cp1252", or save it as UTF-8.',
        ) from None
    except csv.Error as error:
        raise unreadable(file, error) from None
    if not names:
        what = "begins with a blank line, where the header is looked for" if odd else "is empty"
        raise SourceEmpty(f"{file} {what}", _looks(file, dialect) if odd else "Check the file.")
    if odd is not None:
        todo = "Complete or remove it; if it is the last line, the file was cut short: get it again."
        if odd[1] > len(names):
            todo = "Remove what is too much, or put quotes around a value that has a delimiter in it."
        raise SourceUnreadable(
            f"line {odd[0]} of {file} has {odd[1]} values, and the header {len(names)}", _looks(file, dialect) or todo
        )
    _require_names(names, file, dialect)


def _require_names(names: list[str], file: Path, dialect: Dialect) -> None:
    """Refuse a header that has a name twice, an empty one, or none."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceUnreadable(f"{file} has two columns called {twice[0]!r}", "Name them apart.")
    if any(not name.strip() for name in names):
        raise SourceUnreadable(f"{file} has a column without a name", "Name every column in its first line.")
    indexed = names[0].startswith(INDEX)
    # pandas calls the columns of an array 0, 1, 2, and saves them beside an index without a name.
    counted = indexed and names[1:] == [str(at) for at in range(len(names) - 1)]
    if all(_is_number(name) for name in names[indexed:]) and not counted:
        raise SourceUnreadable(f"{file} has no header: its first line is numbers", "Put the columns' names first.")
    if len(names) == 1 and any(sign in names[0] for sign in ";\t|,"):
        raise SourceUnreadable(
            f"{file} has one column, {names[0]!r:.60}: its values are not separated by {dialect.delimiter!r}",
            f"Set `delimiter`. {_looks(file, dialect)}".strip(),
        )


def _odd_line(found: Iterator[tuple[int, list[str]]], width: int) -> tuple[int, int] | None:
    """The first record with fewer or more values than the header: its line, and how many it has.

    Blank lines, and those of nothing but delimiters, are left out when the rows are read.
    """
    for line, values in found:
        if len(values) > width or (len(values) != width and any(map(str.strip, values))):
            return line, len(values)
    return None


def _looks(file: Path, dialect: Dialect) -> str:
    """What fields of the source would fit the file better; nothing if none would."""
    try:
        guessed = guess(file)
    except OSError:
        return ""
    other = {name: value for name, value in guessed.named.items() if getattr(dialect, name) != value}
    if not other:
        return ""
    return f"It looks as if {', '.join(f'{name} = {json.dumps(value)}' for name, value in other.items())} would fit."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _types(texts: pl.LazyFrame, spec: CsvSource, file: Path) -> dict[str, str]:
    """The type of each column: the task's, else the narrowest that all its values have."""
    import polars as pl

    names = texts.collect_schema().names()
    for name in spec.types:
        require(name, names, f"[[data.sources]] {spec.name}: types")
    counts = [pl.col(name).count().alias(f"{name}\x00all") for name in names]
    for kind in (*_KINDS, _FOREIGN):
        counts += [_fitting(name, kind, dialect_of(spec)).alias(f"{name}\x00{kind}") for name in names]
    try:
        found = texts.select(counts).collect(engine="streaming").row(0, named=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise unreadable(file, error) from None
    kinds = {}
    for name in names:
        everything = found[f"{name}\x00all"]
        fitting = [kind for kind in _KINDS if found[f"{name}\x00{kind}"] == everything]
        if name in spec.key and fitting[:1] == ["exact"]:
            fitting = ["text"]  # identifiers rather than amounts
        if name in spec.key and fitting == ["number"] and not _fractions(texts, name):
            fitting = ["text"]  # whole numbers beyond 512 bits: as floats, different keys would be equal
        kinds[name] = _kind(texts, name, spec, file, fitting=fitting, found=found)
    return kinds


def _kind(
    texts: pl.LazyFrame, name: str, spec: CsvSource, file: Path, *, fitting: list[str], found: dict[str, int]
) -> str:
    """The type of one column, from the types that fit all its values and how many fit each."""
    everything = found[f"{name}\x00all"]
    given: str | None = spec.types.get(name)
    if given == "integer":
        given = next((kind for kind in _WHOLE if kind in fitting), given)
    if given in {"integer", "number", "boolean"} and found[f"{name}\x00{given}"] != everything:
        raise _mixed(texts, name, str(given), file, spec)
    if given is None and not fitting and found[f"{name}\x00number"] > _MOSTLY * everything:
        raise _mixed(texts, name, "number", file, spec)
    if given is None and not fitting and found[f"{name}\x00number"]:
        _require_no_words(texts, name, file, spec)
    if given is None and not fitting and found[f"{name}\x00{_FOREIGN}"] == everything:
        raise _foreign(texts, name, file, spec)
    return given or (fitting[0] if fitting and everything else "number" if not everything else "text")


def _typed(name: str, kind: str, dialect: Dialect) -> pl.Expr:
    """A column of text as another type; null where a value does not have it."""
    import polars as pl

    value = pl.col(name)
    if kind in {"text", "time"}:
        return value
    value = value.str.strip_chars()
    if kind != "boolean":
        value = numbers(value, dialect)
    if kind == "boolean":
        return pl.when(value.is_in(_TRUE)).then(True).when(value.is_in(_FALSE)).then(False).alias(name)  # noqa: FBT003
    if kind == "exact":
        made = value.map_batches(_exact, return_dtype=pl.Binary, is_elementwise=True)
        return wide.record(made).alias(name)
    types = {"integer": pl.Int64, "wide": pl.Int128}
    return value.cast(types.get(kind, pl.Float64), strict=False)


def _exact(texts: pl.Series) -> pl.Series:
    return wide.encode([None if text is None else int(text) for text in texts], texts.name, texts.name)


def _fitting(name: str, kind: str, dialect: Dialect) -> pl.Expr:
    """How many values a column has of a type."""
    import polars as pl

    if kind == "exact":
        return numbers(pl.col(name).str.strip_chars(), dialect).str.contains(_DIGITS).sum()
    if kind == _FOREIGN:
        return pl.col(name).str.strip_chars().str.contains(FOREIGN).sum()
    return _typed(name, kind, dialect).count()


def _fractions(texts: pl.LazyFrame, name: str) -> bool:
    """Whether any value is written with more than digits."""
    import polars as pl

    plain = pl.col(name).str.strip_chars().str.contains(r"^[+-]?\d+$")
    return not texts.select(plain.all()).collect(engine="streaming").item()


def _foreign(texts: pl.LazyFrame, name: str, file: Path, spec: CsvSource) -> MixedTypes:
    """A column of numbers in a notation that the source does not state."""
    import polars as pl

    row = "\x00row"
    plain = _typed(name, "number", dialect_of(spec)).is_null() & pl.col(name).is_not_null()
    bad = texts.select(name).with_row_index(row, offset=1).filter(plain).head(1).collect(engine="streaming")
    guessed = _looks(file, dialect_of(spec))
    return MixedTypes(
        f"the column {name} of {file} holds numbers in another notation, such as {bad[name][0]!r:.40} in row "
        f"{bad[row][0]}",
        f"{guessed or 'Set `decimal` and `thousands`, or take signs such as $ and % away.'} "
        f'If it is text, set types = {{"{name}" = "text"}}.',
    )


def _require_no_words(texts: pl.LazyFrame, name: str, file: Path, spec: CsvSource) -> None:
    """Refuse a column that is all numbers but for texts that stand for no value, however many they are."""
    import polars as pl

    plain = _typed(name, "number", dialect_of(spec)).is_null() & pl.col(name).is_not_null()
    others = texts.select(name).filter(plain).unique(maintain_order=True).head(_FEW).collect(engine="streaming")
    found = suspects.words(pl.concat([others[name], pl.Series(name, ["0"])])) if len(others) < _FEW else []
    if found:
        missing = json.dumps([*spec.missing, *found], ensure_ascii=False)
        raise MixedTypes(
            f"the column {name} of {file} holds numbers, and {found[0]!r:.40}, which stands for no value",
            f'Write missing = {missing} in its [[data.sources]], or set types = {{"{name}" = "text"}}.',
        )


def _mixed(texts: pl.LazyFrame, name: str, kind: str, file: Path, spec: CsvSource) -> MixedTypes:
    import polars as pl

    bad = (
        texts.select(pl.col(name), _typed(name, kind, dialect_of(spec)).alias("\x00typed"))
        .with_row_index("\x00row", offset=1)
        .filter(pl.col(name).is_not_null() & pl.col("\x00typed").is_null())
        .head(1)
        .collect(engine="streaming")
    )
    row, value = bad["\x00row"][0], bad[name][0]
    return MixedTypes(
        f"the column {name} of {file} holds numbers, and {value!r:.40} in row {row}",
        f'Correct it, add that text to `missing`, or set types = {{"{name}" = "text"}}.',
    )
