"""Releases: what was decided, by its digest; never changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import exc, func, select, update

from assay.record.errors import Conflict, Unknown
from assay.record.schema import releases

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from assay.record.database import Database


@dataclass(frozen=True)
class Release:
    """A release as it stands in the database.

    Attributes
    ----------
    digest
        Of the public part: what goes on chain, and what a stranger computes again.
    project, version
        Its name: ``fee@3``.
    public
        The public part, JSON values: what a stranger checks.
    private
        Part name -> {"digest", "salt", "content"}: where the private parts are kept. Empty if they are not held here.
    note
        What its maker said of it.
    """

    digest: str
    project: str
    version: int
    public: dict[str, Any]
    private: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    created: float = 0.0

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.project}@{self.version}"


def next_version(connection: Connection, project: str) -> int:
    """1 for the first release of a project, then one more each time."""
    asked = select(func.max(releases.c.version)).where(releases.c.project == project)
    return (connection.execute(asked).scalar() or 0) + 1


def keep_in(database: Database, connection: Connection, made: Release) -> Release:
    """Keep a release within a transaction; raises `Conflict` if its digest or version is taken."""
    kept = asdict(made) | {"created": database.now(connection)}
    try:
        with connection.begin_nested():
            connection.execute(releases.insert().values(**kept))
    except exc.IntegrityError:
        raise Conflict(
            f"{made.name} or a release of the same content is there already", "See `assay release list`."
        ) from None
    return Release(**kept)


def held_in(connection: Connection, digest: str) -> Release | None:
    """The release of a digest, within a transaction; None if there is none."""
    row = connection.execute(select(releases).where(releases.c.digest == digest)).first()
    return None if row is None else _release(row)


def complete_in(connection: Connection, held: Release, private: dict[str, Any]) -> Release:
    """Say where the private parts of a release are, of which only the public part was held; nothing else changes."""
    connection.execute(update(releases).where(releases.c.digest == held.digest).values(private=private))
    return Release(**(asdict(held) | {"private": private}))


def get(database: Database, project: str, wanted: str | int) -> Release:
    """A release by its version or by the beginning of its digest (at least 6 digits).

    Raises
    ------
    Unknown
        There is none, or the beginning fits several.
    """
    text = str(wanted).removeprefix(f"{project}@").removeprefix("0x")
    asked = select(releases).where(releases.c.project == project)
    if text.isdecimal() and len(text) < 6:
        asked = asked.where(releases.c.version == int(text))
    elif len(text) >= 6 and all(digit in "0123456789abcdef" for digit in text):
        asked = asked.where(releases.c.digest.startswith(text))
    else:
        raise Unknown(f'"{wanted}" names no release', "Give a version such as 3, or the beginning of a digest.")
    with database.read() as connection:
        found = connection.execute(asked.limit(2)).all()
    if len(found) != 1:
        what = "there is no release" if not found else "several releases begin with"
        raise Unknown(f'{what} "{wanted}" of {project}', "See `assay release list`.")
    return _release(found[0])


def find(database: Database, project: str | None = None) -> list[Release]:
    """Releases of a project, or of all, oldest first."""
    asked = select(releases).order_by(releases.c.project, releases.c.version)
    if project is not None:
        asked = asked.where(releases.c.project == project)
    with database.read() as connection:
        return [_release(row) for row in connection.execute(asked)]


def by_digest(database: Database, digest: str) -> Release:
    """A release by its whole digest; raises `Unknown`."""
    with database.read() as connection:
        row = connection.execute(select(releases).where(releases.c.digest == digest)).first()
    if row is None:
        raise Unknown(f"there is no release {digest[:16]}", "See `assay release list`.")
    return _release(row)


def _release(row: Row[Any]) -> Release:
    return Release(**row._asdict())
