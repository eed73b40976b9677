"""Makes and upgrades the tables, by Alembic: forward only; a database of a newer release is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import column, inspect, select, table

from assay.record.errors import DatabaseVersion

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

# Two processes that start at once upgrade one after the other.
_LOCK = 0x6173736179
_TABLE = "alembic_version"
_VERSIONS = Path(__file__).parent / "migrations" / "versions"


def upgrade(engine: Engine) -> None:
    """Bring the database to this release's version; raises `DatabaseVersion` if it is a newer one's."""
    newest = head()
    with engine.execution_options(reads=True).begin() as connection:
        if version(connection) == newest:
            return  # every command opens the records, and importing Alembic takes longer than many a command
    from alembic import command
    from alembic.util import CommandError

    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        if version(connection) == newest:
            return
        try:
            command.upgrade(_config(connection), "head")
        except CommandError:
            raise DatabaseVersion(
                f"the database has version {version(connection)}, and this release knows versions up to {newest}",
                "Use the release of Assay that wrote it, or a newer one.",
            ) from None


def version(connection: Connection) -> str | None:
    """The version that the database says it has; None if it has no tables yet."""
    if not inspect(connection).has_table(_TABLE):
        return None
    found: str | None = connection.execute(select(column("version_num")).select_from(table(_TABLE))).scalar()
    return found


def head() -> str:
    """The newest version that this release knows: its files are numbered."""
    return max(path.name[1:5] for path in _VERSIONS.glob("v*.py"))


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
