"""How a CSV file is written: its encoding, the lines above its header, what separates values and writes numbers."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl

DELIMITERS = (",", ";", "\t", "|")
INDEX = "Unnamed: 0"
"""What pandas calls a first column without a name."""
_LOOKED = 300
_BYTES = 1 << 18
_LONGEST_FIELD = 1 << 30
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SIGNS = r"[$€£¥₿Ξ%]"
_DIGITS = r"(?:[0-9]{1,3}(?:[,. '\u2019\u00a0][0-9]{3})+|[0-9]+)(?:[.,][0-9]+)?"
FOREIGN = rf"^{_SIGNS}?\s*[+-]?\s*{_SIGNS}?\s*{_DIGITS}\s*{_SIGNS}?$"
"""A number, perhaps with a currency, a percent sign, thousands apart or a decimal comma."""
_COMMA = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:[. '\u2019\u00a0][0-9]{3})+),[0-9]+\Z")
_GROUPS = re.compile(r"[+-]?[0-9]{1,3}(?:([,. '\u2019\u00a0])[0-9]{3})+(?:[.,][0-9]+)?\Z")


@dataclass(frozen=True)
class Dialect:
    """How one CSV file is written.

    Attributes
    ----------
    delimiter
        What stands between values.
    decimal, thousands
        What stands before the decimal places of a number, and between its thousands ("" for nothing).
    skip_rows
        Lines above the header.
    encoding
        As Python calls it; a byte order mark is read in any case.
    """

    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    skip_rows: int = 0
    encoding: str = "utf-8"

    @property
    def named(self) -> dict[str, Any]:
        """The fields that are not what they are by default."""
        plain = Dialect()
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if value != getattr(plain, name)}

    @property
    def plain_numbers(self) -> bool:
        """Whether numbers are written as Python writes them."""
        return self.decimal == "." and not self.thousands


def dialect_of(source: Any) -> Dialect:
    """The dialect that a CSV source states."""
    return Dialect(**{one.name: getattr(source, one.name) for one in fields(Dialect)})


def records(file: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """The records from the header on, each with the number of its last line; raises UnicodeError and csv.Error."""
    csv.field_size_limit(_LONGEST_FIELD)
    encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
    with file.open(encoding=encoding, newline="") as lines:
        for _ in itertools.islice(lines, dialect.skip_rows):
            pass
        reader = csv.reader(lines, delimiter=dialect.delimiter)
        for values in reader:
            yield reader.line_num + dialect.skip_rows, values


def numbers(value: pl.Expr, dialect: Dialect) -> pl.Expr:
    """Text as Python writes numbers; missing where a sign in it means something else in this dialect."""
    import polars as pl

    if dialect.plain_numbers:
        return value
    apart, point = re.escape(dialect.thousands), re.escape(dialect.decimal)
    made = value
    if dialect.thousands:
        grouped = rf"^[+-]?[0-9]{{1,3}}(?:{apart}[0-9]{{3}})+(?:{point}[0-9]*)?$"
        made = pl.when(value.str.contains(grouped)).then(value.str.replace_all(dialect.thousands, "", literal=True))
        made = made.otherwise(pl.when(~value.str.contains(dialect.thousands, literal=True)).then(value))
    if dialect.decimal != ".":
        made = pl.when(~made.str.contains(".", literal=True)).then(
            made.str.replace_all(dialect.decimal, ".", literal=True)
        )
    return made


def guess(file: Path) -> Dialect:
    """The dialect that a file most plausibly has, from its first lines.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with file.open("rb") as opened:
        head = opened.read(_BYTES)
        whole = not opened.read(1)
    encoding = _encoding(head)
    text = head.decode(encoding, "ignore").removeprefix("\ufeff")
    lines = text.splitlines(keepends=True)
    if not whole and len(lines) > 1:
        lines = lines[:-1]  # cut within
    delimiter, skipped = _layout(lines[:_LOOKED])
    rows = list(csv.reader(lines[skipped + 1 : _LOOKED], delimiter=delimiter))
    decimal, thousands = _notation(rows, delimiter)
    return Dialect(delimiter, decimal, thousands, skipped, encoding)


def _encoding(head: bytes) -> str:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if head[1:200:2].count(0) > len(head[1:200:2]) // 2:
        return "utf-16-le"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _layout(lines: Sequence[str]) -> tuple[str, int]:
    """The delimiter that gives the most lines the same number of values, and how many lines are above them."""
    best = (0.0, ",", 0)
    for delimiter in DELIMITERS:
        try:
            reader = csv.reader(lines, delimiter=delimiter)
            starts, table, at = [], [], 0
            for values in reader:
                starts.append(at)
                table.append(values)
                at = reader.line_num
        except csv.Error:
            continue
        widths = [len(values) for values in table]
        counted = Counter(width for width in widths if width > 1)
        if not counted:
            continue
        width, count = counted.most_common(1)[0]
        # More values a line tell more: a text with one comma in each line is no table of two columns.
        score = count / max(1, sum(width > 0 for width in widths)) * min(width, 10)
        if score > best[0]:
            best = (score, delimiter, starts[_header(table, widths.index(width))])
    return best[1], best[2]


def _header(table: Sequence[Sequence[str]], first: int) -> int:
    """Which record is the header: the first of the usual width, or the one above where that holds numbers already: its
    rows then have a value more than it, which reading them says.
    """
    above = next((place for place in range(first - 1, -1, -1) if table[place]), None)
    if above is None or len(table[above]) < 2 or any(map(_is_number, table[above])):
        return first
    return above if any(map(_is_number, table[first])) else first


def _is_number(text: str) -> bool:
    return re.match(FOREIGN, text.strip()) is not None


def _notation(rows: Sequence[Sequence[str]], delimiter: str) -> tuple[str, str]:
    """What stands before decimal places and between thousands, from columns that are all numbers so written."""
    decimal, thousands = ".", ""
    for column in itertools.zip_longest(*rows, fillvalue=""):
        there = [value.strip() for value in column if value.strip()]
        if not there or not all(re.match(FOREIGN, value) for value in there):
            continue
        if delimiter != "," and any(_COMMA.match(value) for value in there):
            decimal = ","
    for column in itertools.zip_longest(*rows, fillvalue=""):
        there = [value.strip() for value in column if value.strip()]
        groups = [match for value in there if (match := _GROUPS.match(value))]
        signs = {match[1] for match in groups} - {decimal}
        plain = all(re.match(FOREIGN, value) for value in there)
        # One group alone may be decimal places: 1.234 is one number here and another there.
        sure = any(len(re.findall(r"[,. '\u2019\u00a0]", match[0])) > 1 for match in groups)
        if plain and len(signs) == 1 and sure:
            (thousands,) = signs
    return decimal, thousands


def reading(file: Path, dialect: Dialect, rows: int) -> io.BytesIO:
    """The header and the first lines of a file in UTF-8, for a reader that knows no other encoding."""
    encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
    with file.open(encoding=encoding, newline="") as lines:
        below = (line.rstrip("\r\n") for line in itertools.islice(lines, dialect.skip_rows, None))
        kept = itertools.islice((line for line in below if line.strip()), rows + 1)
        return io.BytesIO("".join(f"{line}\n" for line in kept).encode())


def called(written: Sequence[str]) -> list[str]:
    """What the columns of a header are called: without spaces around ("a, b"), and the first as pandas calls it where
    it has no name, which is how pandas saves an index.
    """
    found = [name.strip() for name in written]
    if found[1:] and not found[0]:
        found[0] = next(name for name in (INDEX, *(f"{INDEX}.{at}" for at in range(1, 99))) if name not in found)
    return found


def plain(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The rows with texts that are stored as numbers of a list (categories) as the texts that they are."""
    import polars as pl

    coded = [name for name, dtype in frame.collect_schema().items() if isinstance(dtype, pl.Categorical | pl.Enum)]
    return frame.with_columns(pl.col(coded).cast(pl.String)) if coded else frame


def ends_as_old_macs(file: Path, dialect: Dialect) -> bool:
    """Whether lines end with a carriage return alone."""
    with file.open(encoding=dialect.encoding, newline="") as lines:
        head = lines.read(_BYTES)
    return "\r" in head and "\n" not in head
