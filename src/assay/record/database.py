"""Opening the database: SQLite by default, PostgreSQL by address; the same tables, the same guarantees."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event, exc, func, make_url, select, text

from assay.core import files
from assay.core.errors import MissingLibrary
from assay.record import migrate
from assay.record.errors import (
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseFull,
    DatabaseUnreachable,
    DatabaseUrl,
    RecordError,
    Unfit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

FILE = "records.sqlite"
BUSY_SECONDS = 30
_LEAST_ROOM = 4 << 20
"""Bytes: some answers with their proofs."""
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""libpq's: seconds, and milliseconds, until a server that says nothing is given up."""
_LIMITS = {"lock_timeout": BUSY_SECONDS, "idle_in_transaction_session_timeout": 120}
"""PostgreSQL's, in seconds: for a lock of another transaction, and for a transaction in which nothing happens."""
_SNAPSHOT = text("SELECT pg_current_snapshot()::text")  # which transactions have ended: another one with each


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
        self.url = read_url(url)
        self.engine: Engine = _engine(self.url)
        self._watch: Any = None
        self._watching, self._writing = threading.Lock(), threading.RLock()
        self._file: tuple[int, int] | None = None
        try:
            with said(self.url):
                migrate.upgrade(self.engine)
            self._file = self._on_disk()
        except BaseException:
            self.engine.dispose()
            raise

    @staticmethod
    def of_project(folder: Path, url: str | None = None) -> Database:
        """The database at `url`, or the project's own: one file in its folder `.assay`."""
        if url is not None:
            return Database(url)
        place = folder / ".assay"
        with files.translated(place, "write"):
            place.mkdir(mode=0o700, exist_ok=True)
        return Database(f"sqlite:///{(place / FILE).absolute()}")

    @property
    def address(self) -> str:
        """Where it is, password and all, for another process that opens it."""
        return f"{_SQLITE}{self.url.database}" if self.sqlite else self.url.render_as_string(hide_password=False)

    @property
    def shown(self) -> str:
        """Where it is, as messages have it."""
        return _shown(self.url)

    @property
    def sqlite(self) -> bool:
        """Whether it is one file on this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: all that happens in it is there afterwards, or nothing is. SQLite's excludes all others."""
        self.require_file()
        # SQLite lets a writer who finds it busy sleep, up to 100 ms at a time: those of this process queue here.
        with self._writing if self.sqlite else nullcontext(), said(self.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One view of what is there, for reading only: it holds nobody up."""
        self.require_file()
        with said(self.url), self.engine.execution_options(reads=True).begin() as connection:
            yield connection

    def now(self, connection: Connection) -> float:
        """The time by the database's own clock, which all machines share."""
        if self.sqlite:
            return time.time()
        found: float = connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one()
        return float(found)

    def mark(self) -> str:
        """A short text that is another one once any transaction that wrote has ended, here or in another process.

        It takes microseconds of SQLite and a round trip of a server: what is read often need not be read in vain.
        """
        if not self.sqlite:
            with self.read() as connection:
                return str(connection.execute(_SNAPSHOT).scalar_one())
        self.require_file()
        with self._watching, said(self.url):
            if self._watch is None:
                self._watch = self.engine.raw_connection()
                self._watch.detach()  # it counts what other connections did, so that nobody else may use it
            return str(self._watch.cursor().execute("PRAGMA data_version").fetchone()[0])

    def scrub(self) -> None:
        """Leave nothing of what was deleted in SQLite's log; a server cleans up by itself (its autovacuum).

        Raises
        ------
        DatabaseBusy
            Somebody reads what the log is still needed for.
        """
        if not self.sqlite:
            return
        with said(self.url):
            connection = self.engine.raw_connection()
            try:
                busy, _, _ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.close()
        if busy:
            where = self.shown
            raise DatabaseBusy(
                f"what was deleted is still in the log of {where}, which another process reads",
                "Run it again when that has ended, such as a backup.",
            )

    def _on_disk(self) -> tuple[int, int] | None:
        if not self.sqlite or not self.url.database:
            return None
        try:
            found = os.stat(self.url.database)  # noqa: PTH116  it is asked often, and a path takes longer
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def require_file(self) -> None:
        """SQLite goes on writing into a file that has no name any more, and nobody would ever read it there."""
        if self._file is not None and self._on_disk() != self._file:
            raise DatabaseDamaged(
                f"the file of {self.shown} was deleted or replaced while it was in use; nothing is written",
                "End what uses it; then put the file back, or a backup: `assay restore`.",
            )

    def require_room(self) -> None:
        """Raise `DatabaseFull` where the next answers would not fit on the disk; a server's disk cannot be seen."""
        self.require_file()
        if self._file is not None and shutil.disk_usage(str(self.url.database)).free < _LEAST_ROOM:
            raise DatabaseFull(f"no space is left for {self.shown}", "Free some space.")

    def close(self) -> None:
        """Give back what is open."""
        with self._watching:
            if self._watch is not None:
                self._watch.close()
            self._watch = None
        self.engine.dispose()


def read_url(url: str) -> URL:
    """An address as drivers take it; raises `DatabaseUrl`, which shows nothing of it: it may hold a password."""
    if (path := url.removeprefix(_SQLITE)) and path != url:  # a file's name may have any character
        return URL.create("sqlite", database=path)
    try:
        found = make_url(url)
    except (exc.ArgumentError, ValueError):  # the latter of a port that is none
        raise DatabaseUrl("the database's address cannot be read", _FORMS) from None
    name = found.get_backend_name()
    if name not in {"postgresql", "postgres"}:
        raise DatabaseUrl(f'the database\'s address begins with "{name:.40}"', _FORMS)
    if "@" in (found.host or ""):
        raise DatabaseUrl("the database's address has more than one @", "Write @ in a password as %40.")
    return found.set(drivername="postgresql+psycopg")


def _shown(url: URL) -> str:
    """An address as messages have it: a file as it is called, a server without its password."""
    return (
        f"{_SQLITE}{url.database}" if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    )


_SQLITE = "sqlite:///"
_FORMS = "Give sqlite:///PATH or postgresql://USER@HOST/NAME."


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED", connect_args=_patience(url))
    except ModuleNotFoundError as error:
        raise MissingLibrary("PostgreSQL needs the package psycopg", "Run `pip install 'assay[sql]'`.") from error
    event.listen(engine, "connect", _prepare_server)
    return engine


def _patience(url: URL) -> dict[str, int]:
    """How long a server is waited for whose machine or network is gone; what the address says counts first."""
    return {name: value for name, value in _PATIENCE.items() if name not in url.query}


def _prepare_server(connection: Any, _record: Any) -> None:
    # A process that is stopped within a transaction would keep its locks from all others for as long.
    with connection.cursor() as cursor:
        for name, seconds in _LIMITS.items():
            cursor.execute(f"SET {name} = '{seconds}s'")
    connection.commit()


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
    except (exc.DataError, OverflowError, UnicodeEncodeError) as error:
        what = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise Unfit(
            f"no database keeps or knows this ({what:.120})", "Use shorter numbers, and text without NUL."
        ) from None
    except exc.DBAPIError as error:
        raise _translated(error.orig, url) from error
    except exc.TimeoutError:  # all connections of this process are in use
        where = _shown(url)
        raise DatabaseBusy(f"too much is asked of {where} at once by this process", "Try again.") from None
    except sqlite3.Error as error:
        raise _translated(error, url) from error


def _translated(error: BaseException | None, url: URL) -> RecordError:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    where = _shown(url)
    lower = text.lower()
    if "locked" in lower or "lock timeout" in lower:
        return DatabaseBusy(f"another process holds {where} for more than {BUSY_SECONDS} s", "Try again.")
    if "disk is full" in lower or "no space left" in lower or getattr(error, "errno", None) == errno.ENOSPC:
        return DatabaseFull(f"no space is left for {where}; nothing of this was written", "Free some space.")
    if "not a database" in lower or "malformed" in lower:
        return DatabaseDamaged(f"{where} is no database, or is damaged ({text})", "Restore it: `assay restore`.")
    return DatabaseUnreachable(f"{where} cannot be used ({text:.200})", "Check that it runs and that you may use it.")
