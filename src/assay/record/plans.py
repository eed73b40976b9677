"""Plans: agreed files by digest, never edited, only superseded, and each only once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exc, select

from assay.core.hashing import digest
from assay.record.errors import Conflict, Unknown
from assay.record.schema import plans

if TYPE_CHECKING:
    from assay.record.database import Database


@dataclass(frozen=True)
class Plan:
    """A plan: `kind` is "experiment" or "retraining", `content` the file's text, `digest` its SHA-256."""

    digest: str
    project: str
    kind: str
    content: str
    supersedes: str | None = None
    created: float = 0.0


def agree(database: Database, project: str, kind: str, content: str, supersedes: str | None = None) -> Plan:
    """Keep a plan; the same text again is the same plan.

    Raises
    ------
    Conflict
        The plan that it would supersede was superseded by another.
    """
    name = digest(content.encode())
    try:
        with database.begin() as connection:
            made = Plan(name, project, kind, content, supersedes, database.now(connection))
            connection.execute(plans.insert().values(**asdict(made)))
    except exc.IntegrityError:
        there = _find(database, name)
        if there is None or (there.project, there.kind, there.supersedes) != (project, kind, supersedes):
            raise Conflict("this plan, or the one it supersedes, is taken", "Supersede the newest plan.") from None
        return there
    return made


def get(database: Database, name: str) -> Plan:
    """A plan by its digest; raises `Unknown`."""
    found = _find(database, name)
    if found is None:
        raise Unknown(f"there is no plan {name[:16]}", "Check its digest.")
    return found


def _find(database: Database, name: str) -> Plan | None:
    with database.read() as connection:
        row = connection.execute(select(plans).where(plans.c.digest == name)).first()
    return None if row is None else Plan(**row._asdict())
