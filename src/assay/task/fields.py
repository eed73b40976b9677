"""Types of the fields of `task.toml`: what a name, an address, a count or a duration may be."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from assay.task.sections import LARGEST

COLUMN = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
DURATION = re.compile(r"([1-9][0-9]{0,8}) ?(s|m|h|d|w)\Z")
SPAN = re.compile(r"([1-9][0-9]{0,8}) ?(s|m|h|d|w|blocks?)\Z")
MOST = 1_000_000_000
"""Rows, blocks or requests: more is a slip of the keyboard."""
LONGEST = 10_000_000_000
"""Seconds in a duration: some 300 years."""
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "None")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]
Column = Annotated[str, StringConstraints(pattern=COLUMN)]
Address = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$")]
Topic = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{64}$")]
Dataset = Literal[
    "blocks", "transactions", "logs", "erc20_transfers", "native_transfers", "contracts", "traces"
]  # those of Cryo that are read
Fraction = Annotated[float, Field(strict=True, ge=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=0, le=MOST)]
Positive = Annotated[int, Field(strict=True, ge=1, le=MOST)]
Block = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
Switch = Annotated[bool, Field(strict=True)]


def seconds(duration: str) -> int:
    """Seconds in a duration such as "1h"; ValueError if it is none."""
    match = DURATION.match(duration)
    if match is None:
        raise ValueError(f'"{duration}" is no duration; write for example "12s", "30m", "1h" or "7d"')
    found = int(match[1]) * SECONDS[match[2]]
    if found > LONGEST:
        raise ValueError(f'"{duration}" is longer than 300 years')
    return found
