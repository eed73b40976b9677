"""Small CSV files that people bring: their rows by column, each with its line; nothing is guessed or left out."""

from __future__ import annotations

import csv
import io


def rows(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a file with a header: the line on which each ends, and its values by column, without spaces.

    Columns that a row is too short for are absent from it.

    Raises
    ------
    ValueError
        In words that follow the file's name: it is no UTF-8 text, a column has no name of its own, a row has more
        values than there are columns (a number with a decimal comma), or a quote has no end.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f" is not UTF-8 text (byte {error.start})") from None
    reader, found = csv.reader(io.StringIO(text, newline=""), strict=True), []
    try:
        names = [name.strip() for name in next((line for line in reader if line), [])]
        if len(set(names)) < len(names):
            raise ValueError(", line 1: a column is there twice")
        for values in reader:
            if any(value.strip() for value in values[len(names) :]):
                raise ValueError(f", line {reader.line_num}: {len(values)} values, and {len(names)} columns")
            if values:
                found.append((reader.line_num, dict(zip(names, (value.strip() for value in values), strict=False))))
    except csv.Error as error:
        raise ValueError(f", line {reader.line_num}: {error}") from None
    return found


def number(text: str) -> float:
    """Return a number in the digits that files have; ValueError for what only Python reads, such as "1_000"."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return float(text)
