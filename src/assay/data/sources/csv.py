"""CSV files: types are found from all rows, not from the first few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.data.content import hash_files
from assay.data.errors import MixedTypes, SourceEmpty, SourceUnreadable
from assay.data.expressions import require
from assay.data.sources.parquet import matching, table_of
from assay.data.store import write_parquet
from assay.data.table import unreadable

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from assay.data.sources.context import Context
    from assay.data.table import Table
    from assay.task.data import CsvSource

_TRUE, _FALSE = ("true", "True", "TRUE", "t", "yes"), ("false", "False", "FALSE", "f", "no")
# What looks like numbers with some text among it is taken for a mistake from this share of numbers on.
_MOSTLY = 0.5


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
    texts = _texts(files, spec)
    found = _types(texts, spec, files[0])
    copy = context.work / f"{spec.name}.parquet"
    typed = texts.select(_typed(name, kind) for name, kind in found.items())
    write_parquet(typed, copy, source=str(files[0]))
    table = table_of(spec.name, [copy], context.work)
    digest = hash_files(files, root)
    return type(table)(table.name, table.parts, digest, str(files[0] if len(files) == 1 else root))


def _texts(files: list[Path], spec: CsvSource) -> pl.LazyFrame:
    """All values as text, null where missing."""
    import polars as pl

    for file in files:
        _header(file, spec.delimiter)
    try:
        texts = pl.scan_csv(
            files,
            separator=spec.delimiter,
            infer_schema=False,
            null_values=list(spec.missing),
            glob=False,
            encoding="utf8",
        )
        rows = texts.select(pl.len()).collect(engine="streaming").item()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise unreadable(files[0], error) from None
    if not rows:
        raise SourceEmpty(f"{files[0]} has a header and no rows", "Check the file.")
    return texts


def _header(file: Path, delimiter: str) -> None:
    """Refuse what polars would read in its own way: no header, names twice, another delimiter, another encoding."""
    import csv

    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            names = next(csv.reader(lines, delimiter=delimiter, strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise unreadable(file, error) from None
    if not names:
        raise SourceEmpty(f"{file} is empty", "Check the file.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceUnreadable(f"{file} has two columns called {twice[0]!r}", "Name them apart.")
    if any(not name.strip() for name in names):
        raise SourceUnreadable(f"{file} has a column without a name", "Name every column in its first line.")
    if all(_is_number(name) for name in names):
        raise SourceUnreadable(f"{file} has no header: its first line is numbers", "Put the columns' names first.")
    if len(names) == 1 and any(sign in names[0] for sign in ";\t|,"):
        raise SourceUnreadable(
            f"{file} has one column, {names[0]!r:.60}: its values are not separated by {delimiter!r}",
            "Set `delimiter`.",
        )


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
    for kind in ("integer", "number", "boolean"):
        counts += [_typed(name, kind).count().alias(f"{name}\x00{kind}") for name in names]
    try:
        found = texts.select(counts).collect(engine="streaming").row(0, named=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise unreadable(file, error) from None
    kinds = {}
    for name in names:
        everything = found[f"{name}\x00all"]
        fitting = [kind for kind in ("integer", "boolean", "number") if found[f"{name}\x00{kind}"] == everything]
        given: str | None = spec.types.get(name)
        if given in {"integer", "number", "boolean"} and found[f"{name}\x00{given}"] != everything:
            raise _mixed(texts, name, str(given), file)
        if given is None and not fitting and found[f"{name}\x00number"] > _MOSTLY * everything:
            raise _mixed(texts, name, "number", file)
        kinds[name] = given or (fitting[0] if fitting and everything else "number" if not everything else "text")
    return kinds


def _typed(name: str, kind: str) -> pl.Expr:
    """A column of text as another type; null where a value does not have it."""
    import polars as pl

    value = pl.col(name)
    if kind in {"text", "time"}:
        return value
    value = value.str.strip_chars()
    if kind == "boolean":
        return pl.when(value.is_in(_TRUE)).then(True).when(value.is_in(_FALSE)).then(False).alias(name)  # noqa: FBT003
    return value.cast(pl.Int64 if kind == "integer" else pl.Float64, strict=False)


def _mixed(texts: pl.LazyFrame, name: str, kind: str, file: Path) -> MixedTypes:
    import polars as pl

    bad = (
        texts.select(pl.col(name), _typed(name, kind).alias("\x00typed"))
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
