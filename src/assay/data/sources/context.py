"""What every source is told beside its own entry in the task."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.core.paths import place
from assay.data.errors import SettingsUnfit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Context:
    """Where a project is and how sources are to behave.

    Attributes
    ----------
    project
        The project's folder; relative paths start here.
    work
        An empty folder for files that are gone when the work is done.
    progress
        Is told what happens next.
    chain_id
        The chain that nodes must be on; None if any will do.
    confirmations
        Blocks before the head that count as not final.
    topics
        First topics of the task's events, 0x-hexadecimal; logs of others need not be collected.
    ray
        Address of a Ray cluster that collects; None for this machine.
    """

    project: Path
    work: Path
    progress: Callable[[str], None] = field(default=lambda _: None)
    chain_id: int | None = None
    confirmations: int = 0
    topics: tuple[str, ...] = ()
    ray: str | None = None

    def path(self, written: str) -> Path:
        """A path of the task, from the project's folder."""
        return place(self.project, written)


def from_environment(value: str, field_name: str) -> str:
    """The value of a field, or of the environment's variable that it names with "$".

    Raises
    ------
    DataError
        If there is no such variable.
    """
    if not value.startswith("$"):
        return value
    name = value[1:].strip("{}")
    found = os.environ.get(name)
    if not found:
        raise SettingsUnfit(f"{field_name} is {value}, and the environment has no {name}", f"Set it: export {name}=...")
    return found
