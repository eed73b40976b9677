"""How far an output is belongs to its project: two projects of one database may call theirs alike."""

from hashlib import sha256

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"

_LONGEST = 64


def upgrade() -> None:
    base = op.get_bind()
    projects = base.execute(text("SELECT DISTINCT project FROM release")).scalars().all()
    for name in base.execute(text("SELECT name FROM output")).scalars().all() if projects else ():
        for project in projects:
            values = {"old": name, "new": _key(name, project), "project": project}
            base.execute(
                text(
                    "INSERT INTO output (name, target, turn, number, attempts, error, due) "
                    "SELECT :new, target, turn, number, attempts, error, due FROM output WHERE name = :old"
                ),
                values,
            )
            base.execute(
                text(
                    "UPDATE delivery SET output = :new WHERE output = :old AND change IN (SELECT change.number FROM "
                    "change JOIN answer ON answer.id = change.answer WHERE answer.project = :project)"
                ),
                values,
            )
        base.execute(text("DELETE FROM output WHERE name = :old"), {"old": name})


def _key(name: str, project: str) -> str:
    whole = f"{name}@{project}"
    return whole if len(whole) <= _LONGEST else f"{name}@{sha256(project.encode()).hexdigest()}"[:_LONGEST]
