"""Makes and upgrades the tables, by Alembic: forward only; a database of a newer release is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assay.record.errors import DatabaseVersion

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

# Two processes that start at once upgrade one after the other.
_LOCK = 0x6173736179


def upgrade(engine: Engine) -> None:
    """Bring the database to this release's version; raises `DatabaseVersion` if it is a newer one's."""
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config = _config(connection)
        head = ScriptDirectory.from_config(config).get_current_head()
        if version(connection) == head:
            return
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise DatabaseVersion(
                f"the database has version {version(connection)}, and this release knows versions up to {head}",
                "Use the release of Assay that wrote it, or a newer one.",
            ) from None


def version(connection: Connection) -> str | None:
    """The version that the database says it has; None if it has no tables yet."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
