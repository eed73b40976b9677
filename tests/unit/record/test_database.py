import os
import signal
import sqlite3
import subprocess
import sys

import pytest
from sqlalchemy import create_engine, inspect
from tests.unit.record.small import asked, release

from assay.record import answers
from assay.record.database import Database
from assay.record.errors import DatabaseDamaged, DatabaseUnreachable, DatabaseUrl, DatabaseVersion
from assay.record.schema import metadata


def described(engine):
    """Tables, columns and what must be unique, as the database itself says."""
    seen = inspect(engine)
    return {
        name: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in seen.get_columns(name)],
            sorted((tuple(rule["column_names"])) for rule in seen.get_unique_constraints(name)),
            sorted((tuple(index["column_names"])) for index in seen.get_indexes(name) if not index["unique"]),
            seen.get_pk_constraint(name)["constrained_columns"],
        )
        for name in seen.get_table_names()
        if name != "alembic_version"
    }


def test_migrations_make_what_the_schema_says(database, tmp_path, url):
    made = described(database.engine)
    assert set(made) == set(metadata.tables)
    if database.sqlite:
        other = create_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
        metadata.create_all(other)
        assert described(other) == made
    else:
        metadata.drop_all(database.engine)
        metadata.create_all(database.engine)
        assert described(database.engine) == made


def test_a_database_of_a_newer_release_is_refused_and_unchanged(database, url):
    release(database)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseVersion, match="has version 9999"):
        Database(url)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0002'")
    Database(url).close()


def test_opening_again_keeps_everything(database, url):
    release(database)
    kept, new = answers.receive(database, asked())
    again = Database(url)
    assert new
    assert answers.get(again, kept.id) == kept
    again.close()


def test_addresses_that_cannot_be(tmp_path):
    for url in ("nonsense", "mysql://host/base", ""):
        with pytest.raises(DatabaseUrl):
            Database(url)
    with pytest.raises(DatabaseUnreachable) as caught:
        Database("postgresql://someone:secret@127.0.0.1:9/base")
    assert "secret" not in str(caught.value)
    with pytest.raises(DatabaseUnreachable):
        Database(f"sqlite:///{tmp_path / 'absent' / 'folder' / 'x.sqlite'}")


def test_a_file_that_is_no_database(tmp_path):
    place = tmp_path / "x.sqlite"
    place.write_bytes(b"something else, and long enough to be looked at " * 50)
    with pytest.raises(DatabaseDamaged):
        Database(f"sqlite:///{place}")
    assert place.read_bytes().startswith(b"something else")


def test_processes_that_start_at_once_make_the_tables_once(url):
    program = "import sys; from assay.record.database import Database; Database(sys.argv[1]).close()"
    started = [subprocess.Popen([sys.executable, "-c", program, url]) for _ in range(4)]
    assert [one.wait() for one in started] == [0, 0, 0, 0]


KILLED = """
import os, signal, sys
from assay.record.database import Database
from assay.record import answers
from tests.unit.record.small import asked, release
database = Database(sys.argv[1])
release(database)
kept, _ = answers.receive(database, asked(request="1", owner="k"))
print(kept.id, flush=True)
with database.begin() as connection:
    held = answers.claim(database, ["received"], "x", 60)[0] if not database.sqlite else kept
    answers.commit_in(database, connection, held, "fixed", row=[[2]])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_committed_survives_a_kill_and_the_rest_does_not(database, url):
    program = subprocess.run(
        [sys.executable, "-c", KILLED, url],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert program.returncode == -signal.SIGKILL, program.stderr
    found = answers.get(database, program.stdout.strip())
    assert found.state == "received"
    assert found.row == [[1, None]]


def test_sqlite_is_durable_and_checks_references(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with database.begin() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys")
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()
    with sqlite3.connect(tmp_path / "x.sqlite") as plain:
        assert plain.execute("SELECT version_num FROM alembic_version").fetchone() == ("0002",)
