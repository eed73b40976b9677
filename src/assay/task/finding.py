"""What the check of a task finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from assay.task.positions import Path


@dataclass(frozen=True)
class Finding:
    """One thing that cannot be, or that is worth a look.

    Attributes
    ----------
    severity
        "contradiction": no work can end well; "warning": it may be meant so.
    path
        The field, as a path in the file.
    what, todo
        One clause each.
    """

    severity: Literal["contradiction", "warning"]
    path: Path
    what: str
    todo: str

    def to_dict(self, field: str, line: int | None) -> dict[str, Any]:
        """JSON-compatible values, with the field as it is written and its line."""
        return {"severity": self.severity, "field": field, "line": line, "what": self.what, "todo": self.todo}


def contradiction(path: Path, what: str, todo: str) -> Finding:
    """Something that cannot be."""
    return Finding("contradiction", path, what, todo)


def warning(path: Path, what: str, todo: str) -> Finding:
    """Something that is worth a look."""
    return Finding("warning", path, what, todo)
