"""The runbook: what to do for each error code, as docs/guides/runbook.md has it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from assay.keep.errors import NoEntry

RUNBOOK = "runbook.md"
_CODE = re.compile(r"[a-z]+/[a-z-]+\Z")


@dataclass(frozen=True)
class Entry:
    """One entry: its heading (a code, or what happened) and its text."""

    name: str
    text: str

    @property
    def is_code(self) -> bool:
        """Whether it is of an error code."""
        return bool(_CODE.match(self.name))


@cache
def runbook() -> str:
    """The page."""
    return resources.files("assay.keep").joinpath(RUNBOOK).read_text(encoding="utf-8")


def entries() -> list[Entry]:
    """All entries, in their order."""
    parts = re.split(r"^#{2,3} (.+)$", runbook(), flags=re.MULTILINE)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return [Entry(name.strip(), text.strip()) for name, text in pairs if text.strip()]


def explain(code: str) -> Entry:
    """The entry of a code; raises `NoEntry`."""
    for one in entries():
        if one.name == code:
            return one
    family = code.partition("/")[0]
    near = [one.name for one in entries() if one.is_code and one.name.startswith(f"{family}/")]
    known = near or sorted({one.name.partition("/")[0] + "/.." for one in entries() if one.is_code})
    raise NoEntry(f'the runbook has no entry "{code:.40}"', f"There are: {', '.join(known)}.")
