"""JSON from strangers: refused when it nests deeper than anything that is read here.

Python's parser recurses in C up to the interpreter's recursion limit. Some libraries raise that limit for the whole
process when they are imported, and then a file of opening brackets ends the process instead of raising.
"""

from __future__ import annotations

import json
import re
from typing import Any

DEEPEST = 100

# Strings count as one token, so that brackets in them do not; one without an end reaches to the end of the text.
_TOKEN = re.compile(r'[\[{]|[\]}]|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def parse(text: str | bytes) -> Any:
    """Return what the text says.

    Raises
    ------
    ValueError
        It is not JSON, not text, or nests more than 100 levels deep.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    if text.count("[") + text.count("{") > DEEPEST:
        _refuse_depth(text)
    return json.loads(text)


def _refuse_depth(text: str) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        if depth > DEEPEST:
            raise ValueError(f"nested too deeply: more than {DEEPEST} levels")
