"""`.assay/state.json`: what each step was made from, what it made, when, and how long it took."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.core import documents, files, jsontext
from assay.core.errors import NotFound
from assay.project.errors import ProjectBusy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = ".assay"
FILE = "state.json"
LOCK = "lock"


class Done(BaseModel):
    """A step that ended well.

    Attributes
    ----------
    inputs
        Digest of each thing it was made from, by a name for people.
    output
        Digest of what it made.
    when
        Seconds since 1970, UTC, when it ended.
    seconds
        How long it took.
    """

    model_config = ConfigDict(frozen=True)

    inputs: dict[str, str]
    output: str
    when: float
    seconds: float


class State(BaseModel):
    """All of a project's steps that ended well, and the digests of files it has read."""

    schema_: Literal["assay-state/1"] = Field("assay-state/1", alias="schema")
    steps: dict[str, Done] = Field(default_factory=dict)
    files: dict[str, list[int | str]] = Field(default_factory=dict)

    @classmethod
    def load(cls, project: Path) -> State:
        """Read the state; none, or one that another release wrote, is an empty one: steps then run anew."""
        try:
            return cls.model_validate(jsontext.parse(files.read(project / FOLDER / FILE)))
        except (NotFound, ValueError):
            return cls(schema="assay-state/1")

    def save(self, project: Path) -> None:
        """Write the state, whole or not at all."""
        documents.write(project / FOLDER / FILE, self)


@contextlib.contextmanager
def locked(project: Path) -> Iterator[None]:
    """Keep other processes of this machine from working in the project; raises ProjectBusy."""
    import fcntl

    place = project / FOLDER / LOCK
    with files.translated(place, "write"):
        place.parent.mkdir(mode=0o700, exist_ok=True)
        file = place.open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProjectBusy(f"another process works in {project}", "Wait until it is done, or end it.") from None
        yield
