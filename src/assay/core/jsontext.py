"""JSON from strangers: refused when it nests deeper than anything that is read here, or names a thing twice.

Of two values under one name Python takes the last, other readers the first, and a person sees either: a file that two
readers understand differently says nothing.

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
        It is not JSON, not text, nests more than 100 levels deep, or an object has a name twice.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    if text.count("[") + text.count("{") > DEEPEST:
        _refuse_depth(text)
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has the name {twice[:40]!r} twice")
    return found


def _refuse_depth(text: str) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        if depth > DEEPEST:
            raise ValueError(f"nested too deeply: more than {DEEPEST} levels")
