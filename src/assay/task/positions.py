"""Where each field of a TOML text stands, for messages that name a line.

`tomllib` gives values without places. This walk gives places without values: it follows headers, keys,
strings and brackets of a text that `tomllib` has accepted before, and so need not check anything itself.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=")
# What can change whether the next line starts a key: comments, strings, brackets.
_TOKEN = re.compile(
    r'#[^\n]*|"""(?:[^\\]|\\.)*?"{3,5}|' r"'''(?:.|\n)*?'{3,5}|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'|[\[\]{}]|\n",
    re.DOTALL,
)


def positions(text: str) -> dict[Path, int]:
    """Line, counted from 1, of every table, key and element of an array of tables, by its path."""
    walk = _Walk(text)
    walk.run()
    return walk.found


def line_of(found: dict[Path, int], path: Path) -> int | None:
    """Line of `path`, or of the nearest thing around it that has one; None if nothing has."""
    for length in range(len(path), 0, -1):
        if (line := found.get(path[:length])) is not None:
            return line
    return None


class _Walk:
    """One pass over the text; `at` is the place, `table` the path of the current header."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.table: Path = ()
        self.counts: dict[Path, int] = {}
        self.found: dict[Path, int] = {}

    def run(self) -> None:
        while self.at < len(self.text):
            if header := _HEADER.match(self.text, self.at):
                self._enter(header)
                self.at = self._value(header.end(), None)
            elif key := _KEY.match(self.text, self.at):
                path = self.table + _parts(key[1])
                self._note(path, key.start(1))
                self.at = self._value(key.end(), path)
            else:  # an empty line or a comment
                self.at = self._value(self.at, None)

    def _enter(self, header: re.Match[str]) -> None:
        path: Path = ()
        parts = _parts(header[2])
        for index, part in enumerate(parts):
            path = (*path, part)
            is_last = index == len(parts) - 1
            if is_last and header[1] == "[[":
                self._note(path, header.start(1))
                self.counts[path] = self.counts.get(path, -1) + 1
            if path in self.counts:
                path = (*path, self.counts[path])
        self.table = path
        self._note(path, header.start(1))

    def _value(self, start: int, path: Path | None) -> int:
        """Walk to the end of the line, or of the value that began on it; return where the next line starts."""
        depth, elements = 0, 0
        for token in _TOKEN.finditer(self.text, start):
            if token[0] in "[{":
                if path is not None and depth == 1 and token[0] == "{":
                    self._note((*path, elements), token.start())
                    elements += 1
                depth += 1
            elif token[0] in "]}":
                depth -= 1
            elif token[0] == "\n" and depth <= 0:
                return token.end()
        return len(self.text)

    def _note(self, path: Path, place: int) -> None:
        self.found.setdefault(path, self.text.count("\n", 0, place) + 1)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
