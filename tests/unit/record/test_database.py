import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, make_url
from tests.unit.record.small import asked, release

from assay.record import answers, changes, deliveries, migrate, releases
from assay.record import database as module
from assay.record.database import Database
from assay.record.errors import DatabaseBusy, DatabaseDamaged, DatabaseUnreachable, DatabaseUrl, DatabaseVersion, Unfit
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


def test_the_newest_version_is_alembics_and_a_database_that_has_it_is_opened_without(database, url):
    assert ScriptDirectory(str(Path(migrate.__file__).parent / "migrations")).get_current_head() == migrate.head()
    program = (
        "import sys; from assay.record.database import Database; Database(sys.argv[1]); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_database_of_a_newer_release_is_refused_and_unchanged(database, url):
    release(database)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseVersion, match="has version 9999"):
        Database(url)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0004'")
    Database(url).close()


def test_opening_again_keeps_everything(database, url):
    release(database)
    kept, new = answers.receive(database, asked())
    again = Database(url)
    assert new
    assert answers.get(again, kept.id) == kept
    again.close()


def test_the_mark_is_another_one_after_every_transaction_that_wrote(database, url):
    other, seen = Database(url), [database.mark()]
    assert database.mark() == seen[0]
    for writer in (other, database):
        release(writer, len(seen), f"{len(seen):064x}")
        seen.append(database.mark())
        with writer.read() as connection:
            connection.exec_driver_sql("SELECT 1")
        assert database.mark() == seen[-1]
    assert len(set(seen)) == 3
    other.close()


def test_addresses_that_cannot_be(tmp_path):
    odd = (
        "postgresql://me:secret@127.0.0.1:x/base",
        "postgresql://me:a@secret@127.0.0.1/base",
        "sqlite:///",
        "sqlite://",
    )
    for url in ("nonsense", "mysql://host/base", "", *odd):
        with pytest.raises(DatabaseUrl) as refused:
            Database(url)
        assert "secret" not in str(refused.value)
    with pytest.raises(DatabaseUnreachable) as caught:
        Database("postgresql://someone:secret@127.0.0.1:9/base")
    assert "secret" not in str(caught.value)
    with pytest.raises(DatabaseUnreachable):
        Database(f"sqlite:///{tmp_path / 'absent' / 'folder' / 'x.sqlite'}")


@pytest.mark.parametrize("name", ["what?x=1", "a#b", "50% é 日", "a b;c", "line\nbreak", "?"])
def test_a_folder_may_have_any_name(tmp_path, name):
    place = tmp_path / name
    place.mkdir()
    database = Database.of_project(place)
    release(database)
    again = Database(database.address)  # as another process opens it
    assert [one.project for one in releases.find(again)] == ["fee"]
    assert [one.name for one in tmp_path.iterdir()] == [name]
    for one in (database, again):
        one.close()


def test_what_no_database_keeps_is_refused(database):
    for asked_ in ({"period": 10**30}, {"project": "a\0"}, {"project": "\ud800"}):
        try:
            found = answers.find(database, asked_.pop("project", None), **asked_)
        except Unfit:
            found = []
        assert found == []


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
from assay.record import answers, claims
from tests.unit.record.small import asked, release
database = Database(sys.argv[1])
release(database)
kept, _ = answers.receive(database, asked(request="1", owner="k"))
print(kept.id, flush=True)
with database.begin() as connection:
    held = claims.claim(database, ["received"], "x", 60)[0] if not database.sqlite else kept
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
        assert plain.execute("SELECT version_num FROM alembic_version").fetchone() == ("0004",)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_or_replaced_under_a_process_is_said(tmp_path, replaced):
    """SQLite went on writing where nobody would ever read it."""
    path = tmp_path / "x.sqlite"
    database = Database(f"sqlite:///{path}")
    release(database)
    away = path.rename(tmp_path / "away")
    if replaced:
        Database(f"sqlite:///{path}").close()
    for use in (lambda: answers.receive(database, asked()), lambda: answers.count(database, ["fixed"]), database.mark):
        with pytest.raises(DatabaseDamaged, match="was deleted or replaced while it was in use"):
            use()
    if not replaced:  # another one has used the first one's log by then
        away.replace(path)
        assert answers.receive(database, asked())[1]
    database.close()


def test_more_at_once_than_there_are_connections_is_said_in_words(database):
    database.engine.pool._timeout = 0.05
    with ExitStack() as held, pytest.raises(DatabaseBusy, match=r"too much is asked of .* at once"):
        [held.enter_context(database.read()) for _ in range(20)]
    with database.read():
        pass


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_process_that_is_stopped_in_a_transaction_keeps_nobody_waiting(url):
    stopped, other = Database(url), Database(url)
    release(stopped)
    one, _ = answers.receive(stopped, asked())
    limit = "idle_in_transaction_session_timeout"

    def stop_in_the_middle():
        with stopped.begin() as connection:
            answers.outcome_in(connection, one.id)
            assert connection.exec_driver_sql(f"SHOW {limit}").scalar() == "2min"
            connection.exec_driver_sql(f"SET LOCAL {limit} = '1s'")
            answers.observe(other, one.id, 1.0)  # waits until the server has ended that transaction
            answers.observe_in(connection, one.id, 2.0)

    with pytest.raises(DatabaseUnreachable):
        stop_in_the_middle()
    assert answers.get(stopped, one.id).outcome == 1.0
    stopped.close()
    other.close()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_lock_that_is_not_given_back_is_not_waited_for_for_ever(url, monkeypatch):
    monkeypatch.setattr(module, "_LIMITS", {"lock_timeout": 1})
    one, other = Database(url), Database(url)
    release(one)
    held, _ = answers.receive(one, asked())
    with one.begin() as connection:
        answers.outcome_in(connection, held.id)
        with pytest.raises(DatabaseBusy):
            answers.observe(other, held.id, 1.0)
    one.close()
    other.close()


def test_a_server_that_says_nothing_is_given_up_and_the_address_may_say_when():
    args = module._patience(make_url("postgresql://a@b/c?connect_timeout=3"))
    assert (args["tcp_user_timeout"], "connect_timeout" in args) == (60_000, False)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(DatabaseUnreachable, match="timeout"):
            Database(f"postgresql://a@127.0.0.1:{port}/c?connect_timeout=2")


def test_how_far_an_output_was_goes_over_to_each_project(database, url):
    """Before version 4 an output was known by its name alone; what waits belongs to the project of its answer."""
    release(database)
    release(database, 1, "cd" * 32, "loans")
    ours, theirs = (
        answers.receive(database, asked(project=name, request=name, owner="k"))[0] for name in ("fee", "loans")
    )
    found = changes.read(database, changes.START)
    changes.reach(database, "desk", "there", changes.Reached(found[-1].place))
    for one in found:
        deliveries.put_aside(database, "desk", "there", one, attempts=1, error=None, due=0.0)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    again = Database(url)
    for name, answer in (("fee", ours), ("loans", theirs)):
        key = changes.key_of("desk", name)
        assert changes.reached(again, key, "there").place == found[-1].place
        assert deliveries.next_due(again, key, "there", 1.0).change.answer == answer.id
        assert deliveries.stand(again, key, "there")[0] == 1
    assert changes.reached(again, "desk", "there") == changes.Reached()
    again.close()


def test_the_longest_names_of_outputs_fit_and_stay_apart():
    names = [changes.key_of("alarms of " + "o" * 32, "p" * 62 + last) for last in "ab"]
    assert (len(set(names)), {len(name) for name in names}) == (2, {64})
