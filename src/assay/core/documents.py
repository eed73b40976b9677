"""Assay's own JSON files: models whose field `schema_` says what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from assay.core import files, jsontext
from assay.core.errors import ArtefactVersion, AssayError

if TYPE_CHECKING:
    from pathlib import Path


class Document(Protocol):
    """A pydantic model with a field `schema_`, whose default says what the file is: ``"assay-decision/1"``."""

    def model_dump_json(self, *, by_alias: bool, indent: int) -> str:
        """The document as JSON."""
        ...

    @classmethod
    def model_validate(cls, obj: Any) -> Any:
        """The document of JSON's content; raises ValueError."""
        ...


D = TypeVar("D", bound=Document)


def write(path: Path, document: Document, *, over: str = "") -> None:
    """Write the document, whole or not at all, over nothing without `over` (`files.write`); raises `StorageError`."""
    files.write(path, document.model_dump_json(by_alias=True, indent=1) + "\n", over=over)


def read(path: Path, kind: type[D], *, damaged: type[AssayError], todo: str) -> D:
    """Read what `write` wrote.

    Parameters
    ----------
    path
        The file.
    kind
        Its model.
    damaged
        What to raise if the file holds no such document.
    todo
        One sentence: how to get a good one.

    Raises
    ------
    StorageError
        There is no such file.
    ArtefactVersion
        It was written by another release.
    """
    model: Any = kind
    own: str = model.model_fields["schema_"].default
    name = own.partition("/")[0]
    try:
        content: Any = jsontext.parse(files.read(path))
    except ValueError as error:
        what = f"{path} holds no {name.removeprefix('assay-')}: it is damaged or no JSON ({str(error)[:100]})"
        raise damaged(what, todo) from None
    schema = content.get("schema") if isinstance(content, dict) else None
    if isinstance(schema, str) and schema != own and schema.startswith(f"{name}/"):
        raise ArtefactVersion(f"{path} has the format {schema:.40}, and {own} is read", todo)
    try:
        found: D = kind.model_validate(content)
    except ValueError:
        raise damaged(f"{path} holds no {name.removeprefix('assay-')}", todo) from None
    return found
