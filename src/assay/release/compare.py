"""What differs between two releases, in the order in which a person asks."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.record import artefacts

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.releases import Release

_TEXTS = ("task.toml", "model-card.md")


@dataclass(frozen=True)
class Difference:
    """One thing that differs: its name and both values, or the lines of a text that changed."""

    name: str
    before: Any
    after: Any
    lines: tuple[str, ...] = ()


def compare(database: Database, one: Release, other: Release) -> list[Difference]:
    """Everything that differs, texts line by line; an empty list if only note and version do."""
    found = [
        Difference(name, one.public.get(name), other.public.get(name))
        for name in ("model_id", "dataset", "despite")
        if one.public.get(name) != other.public.get(name)
    ]
    found += _nested("measured", one.public.get("measured"), other.public.get("measured"))
    found += _nested("fidelity", one.public.get("fidelity"), other.public.get("fidelity"))
    found += _nested("made_with", one.public["made_with"], other.public["made_with"])
    before, after = one.public["parts"], other.public["parts"]
    for name in sorted(before.keys() | after.keys()):
        texts = [about[name]["digest"] if name in about else None for about in (before, after)]
        if texts[0] != texts[1]:
            lines = _lines(database, name, texts) if name in _TEXTS else ()
            found.append(Difference(name, texts[0], texts[1], lines))
    return found + _code(one, other)


def _nested(name: str, one: Any, other: Any) -> list[Difference]:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return [] if one == other else [Difference(name, one, other)]
    return [
        Difference(f"{name}.{key}", one.get(key), other.get(key))
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    ]


def _code(one: Release, other: Release) -> list[Difference]:
    """Private parts are compared by their digests where both are held; their salted names differ always."""
    found = []
    for name in sorted(one.private.keys() | other.private.keys()):
        digests = [about[name]["digest"] if name in about else None for about in (one.private, other.private)]
        if digests[0] != digests[1]:
            found.append(Difference(f"private {name}", digests[0], digests[1]))
    return found


def _lines(database: Database, name: str, digests: list[str | None]) -> tuple[str, ...]:
    before, after = [
        artefacts.get(database, one).decode(errors="replace").splitlines() if one else [] for one in digests
    ]
    return tuple(difflib.unified_diff(before, after, name, name, lineterm="", n=1))
