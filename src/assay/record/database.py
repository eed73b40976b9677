"""Opening the database: SQLite by default, PostgreSQL by address; the same tables, the same guarantees."""

from __future__ import annotations

import errno
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, exc, func, make_url, select

from assay.core.errors import MissingLibrary
from assay.record import migrate
from assay.record.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseFull,
    DatabaseUnreachable,
    DatabaseUrl,
    RecordError,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import URL, Connection, Engine

FILE = "records.sqlite"
BUSY_SECONDS = 30


class Database:
    """The records.

    Parameters
    ----------
    url
        ``postgresql://user@host/name`` or ``sqlite:///path``. Its tables are made or upgraded.

    Raises
    ------
    DatabaseUrl, DatabaseUnreachable, DatabaseVersion, DatabaseDamaged
        Each with what to do.
    """

    def __init__(self, url: str) -> None:
        self.url = _read(url)
        self.engine: Engine = _engine(self.url)
        try:
            with said(self.url):
                migrate.upgrade(self.engine)
        except BaseException:
            self.engine.dispose()
            raise

    @staticmethod
    def of_project(folder: Path, url: str | None = None) -> Database:
        """The database at `url`, or the project's own: one file in its folder `.assay`."""
        if url is not None:
            return Database(url)
        place = folder / ".assay"
        place.mkdir(mode=0o700, exist_ok=True)
        return Database(f"sqlite:///{(place / FILE).absolute()}")

    @property
    def address(self) -> str:
        """Where it is, password and all, for another process that opens it."""
        return self.url.render_as_string(hide_password=False)

    @property
    def sqlite(self) -> bool:
        """Whether it is one file on this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: all that happens in it is there afterwards, or nothing is. SQLite's excludes all others."""
        with said(self.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One view of what is there, for reading only: it holds nobody up."""
        with said(self.url), self.engine.execution_options(reads=True).begin() as connection:
            yield connection

    def now(self, connection: Connection) -> float:
        """The time by the database's own clock, which all machines share."""
        if self.sqlite:
            return time.time()
        found: float = connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one()
        return float(found)

    def scrub(self) -> None:
        """Leave nothing of what was deleted in SQLite's log; a server cleans up by itself (its autovacuum)."""
        if not self.sqlite:
            return
        with said(self.url):
            connection = self.engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            finally:
                connection.close()

    def close(self) -> None:
        """Give back what is open."""
        self.engine.dispose()


def _read(url: str) -> URL:
    try:
        found = make_url(url)
    except exc.ArgumentError:
        raise DatabaseUrl("the database's address cannot be read", _FORMS) from None
    name = found.get_backend_name()
    if name == "sqlite" and found.database:
        return found.set(drivername="sqlite")
    if name in {"postgresql", "postgres"}:
        return found.set(drivername="postgresql+psycopg")
    raise DatabaseUrl(f'the database\'s address begins with "{name:.40}"', _FORMS)


_FORMS = "Give sqlite:///PATH or postgresql://USER@HOST/NAME."


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED")
    except ModuleNotFoundError as error:
        raise MissingLibrary("PostgreSQL needs the package psycopg", "Run `pip install 'assay[sql]'`.") from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver would begin transactions lazily, so that a read before a write could be of an older state.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # what was answered is on the disk
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that writes takes its place in the queue at once: one that began by reading might have to give up.
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def said(url: URL) -> Iterator[None]:
    """Turn a driver's errors into Assay's."""
    try:
        yield
    except exc.IntegrityError:
        raise  # each record says what it means
    except exc.DBAPIError as error:
        raise _translated(error, url) from error


def _translated(error: exc.DBAPIError, url: URL) -> RecordError:
    text = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
    where = url.render_as_string(hide_password=True)
    lower = text.lower()
    if "locked" in lower or "lock timeout" in lower:
        return DatabaseBusy(f"another process holds {where} for more than {BUSY_SECONDS} s", "Try again.")
    if "disk is full" in lower or "no space left" in lower or getattr(error.orig, "errno", None) == errno.ENOSPC:
        return DatabaseFull(f"no space is left for {where}; nothing of this was written", "Free some space.")
    if "not a database" in lower or "malformed" in lower:
        return DatabaseDamaged(f"{where} is no database, or is damaged ({text})", "Restore it: `assay restore`.")
    return DatabaseUnreachable(f"{where} cannot be used ({text:.200})", "Check that it runs and that you may use it.")
