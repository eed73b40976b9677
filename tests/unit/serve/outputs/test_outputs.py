"""Each answer in somebody's own tables: as it now stands, once, whoever is killed when; and what fails is said."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import duckdb
import psycopg
import pytest
from sqlalchemy import update
from tests.postgres import running
from tests.unit.serve.small import keep

from assay.record import answers, changes, schema
from assay.record.answers import Answer
from assay.record.database import Database
from assay.serve.outputs import loop as loop_module
from assay.serve.outputs.loop import Output, standing
from assay.serve.work import Worker
from assay.task.outputs import OutputSpec

ROW = [[0.5, -0.25, None]]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    yield from running(tmp_path_factory)


@pytest.fixture
def output():
    """Makes outputs that are closed in the end."""
    made = []

    def make(*arguments):
        made.append(Output(*arguments))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(params=["postgresql", "sqlite", "duckdb", "parquet"])
def spec(request, tmp_path, monkeypatch):
    fields = {"name": "warehouse", "kind": request.param}
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS answers")
        monkeypatch.setenv("WAREHOUSE", server)
        return OutputSpec.model_validate(fields | {"url": "$WAREHOUSE"})
    return OutputSpec.model_validate(fields | {"path": f"out/{request.param}"})


def there(spec, tmp_path):
    """(id, state, first output, rows) as each kind's own reader has them, by id."""
    asked = "SELECT id, state, output, rows FROM {} ORDER BY id"
    place = tmp_path / str(spec.path)
    if spec.kind == "postgresql":
        with psycopg.connect(os.environ["WAREHOUSE"]) as connection:
            return connection.execute(asked.format("answers")).fetchall()
    if spec.kind == "sqlite":
        with closing(sqlite3.connect(place)) as connection, connection:
            return connection.execute(asked.format("answers")).fetchall()
    table = "answers" if spec.kind == "duckdb" else f"read_parquet('{place}/answers-*.parquet')"
    with duckdb.connect(str(place) if spec.kind == "duckdb" else ":memory:") as connection:
        return connection.execute(asked.format(table)).fetchall()


def clock(database):
    with database.read() as connection:
        return database.now(connection)


def ask(database, release, request, **changes_):
    fields = {"project": "credit", "release": release.digest, "owner": "me", "request": request, "row": ROW}
    return answers.receive(database, Answer(**(fields | {"state": "fixed"} | changes_)))[0]


def test_answers_are_there_as_they_now_stand_and_once(database, release, spec, tmp_path, output):
    names = sorted(ask(database, release, str(number)).id for number in range(3))
    loop = output(database, spec, tmp_path)
    assert loop.step()
    assert not loop.step()
    assert [(name, state) for name, state, _, _ in there(spec, tmp_path)] == [(name, "fixed") for name in names]
    Worker(database).step()
    done = next(one for one in answers.find(database, "credit") if one.ended)
    assert loop.step()
    rows = {name: (state, output, row) for name, state, output, row in there(spec, tmp_path)}
    assert rows[done.id] == ("answered", done.outputs["values"][0][0], None)
    assert sorted(state for state, _, _ in rows.values()) == ["answered", "fixed", "fixed"]
    assert standing(database, spec) == (0, None)
    # What was given and not kept as given is given again: nothing is there twice.
    changes.reach(database, spec.name, loop.target, changes.Reached())
    assert loop.step()
    assert len(there(spec, tmp_path)) == 3


def test_rows_go_there_only_where_that_is_declared(database, release, spec, tmp_path, output):
    ask(database, release, "1")
    output(database, spec.model_copy(update={"rows": True}), tmp_path).step()
    assert [row for _, _, _, row in there(spec, tmp_path)] == ["[[0.5, -0.25, null]]"]


def test_a_table_of_another_form_is_named_and_unchanged(database, release, spec, tmp_path, output):
    place = tmp_path / str(spec.path)
    if spec.kind == "postgresql":
        with psycopg.connect(os.environ["WAREHOUSE"], autocommit=True) as connection:
            connection.execute("CREATE TABLE answers (id TEXT PRIMARY KEY)")
    elif spec.kind == "sqlite":
        place.parent.mkdir()
        with closing(sqlite3.connect(place)) as connection, connection:
            connection.execute("CREATE TABLE answers (id TEXT PRIMARY KEY)")
    elif spec.kind == "duckdb":
        place.parent.mkdir()
        with duckdb.connect(str(place)) as connection:
            connection.execute("CREATE TABLE answers (id TEXT PRIMARY KEY)")
    else:
        place.mkdir(parents=True)
        one = ask(database, release, "0")
        day = output(database, spec, tmp_path)
        day.step()
        file = next(place.iterdir())
        file.unlink()
        duckdb.sql(f"COPY (SELECT 1 AS id) TO '{file}' (FORMAT parquet)")
        assert one.id
    ask(database, release, "1")
    said = []
    loop = output(database, spec, tmp_path, said.append)
    assert not loop.step()
    assert standing(database, spec)[1]["code"] == "output/table"
    assert "output warehouse: [output/table]" in said[0]


def test_what_fails_is_said_once_and_waits_longer_each_time(database, release, tmp_path, output):
    (tmp_path / "file").write_text("no database, but long enough to be looked at" * 20)
    spec = OutputSpec.model_validate({"name": "o", "kind": "sqlite", "path": "file"})
    ask(database, release, "1")
    said = []
    loop = output(database, spec, tmp_path, said.append)
    for wait in (1, 2, 4):
        before = clock(database)
        assert not loop.step()
        due = changes.reached(database, "o", loop.target).due
        assert before + wait <= due <= clock(database) + wait
        with database.begin() as connection:
            connection.execute(update(schema.outputs).values(due=0.0))
    assert len(said) == 1
    assert "nothing waits for it" in said[0]
    assert Worker(database).step()  # proving goes on
    (tmp_path / "file").unlink()
    assert loop.step()
    assert standing(database, spec) == (0, None)


def test_what_waits_does_not_wait_for_a_clock_that_was_set_back(database, release, tmp_path, output, monkeypatch):
    (tmp_path / "file").write_text("no database, but long enough to be looked at" * 20)
    spec = OutputSpec.model_validate({"name": "o", "kind": "sqlite", "path": "file"})
    ask(database, release, "1")
    loop = output(database, spec, tmp_path, lambda _: None)
    assert not loop.step()
    (tmp_path / "file").unlink()
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() - 86_400.0)
    assert loop.step()


def test_another_target_of_the_same_name_is_filled_from_the_beginning(database, release, tmp_path, output):
    ask(database, release, "1")
    for name in ("a", "b"):
        spec = OutputSpec.model_validate({"name": "o", "kind": "sqlite", "path": name})
        assert output(database, spec, tmp_path).step()
        assert len(there(spec, tmp_path)) == 1


def test_an_address_in_the_environment_that_is_not_there(database, release, tmp_path, output):
    spec = OutputSpec.model_validate({"name": "o", "kind": "postgresql", "url": "$NOT_THERE"})
    ask(database, release, "1")
    output(database, spec, tmp_path).step()
    assert standing(database, spec)[1]["code"] == "output/settings"


KILLED = """
import os, signal, sys
from pathlib import Path
from assay.record import changes
from assay.record.database import Database
from assay.serve.outputs.loop import Output
from assay.task.outputs import OutputSpec
when = sys.argv[3]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
spec = OutputSpec.model_validate({"name": "o", "kind": "sqlite", "path": "out.sqlite"})
loop = Output(Database(sys.argv[1]), spec, Path(sys.argv[2]))
if when == "before":
    loop._give = die
else:
    changes.reach = die
loop.step()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_before_or_after_it_was_given_it_is_there_once(database, release, tmp_path, when, output):
    one = ask(database, release, "1")
    command = [sys.executable, "-c", KILLED, str(database.url), str(tmp_path), when]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    again = Database(str(database.url))
    spec = OutputSpec.model_validate({"name": "o", "kind": "sqlite", "path": "out.sqlite"})
    assert output(again, spec, tmp_path).step()
    assert [name for name, _, _, _ in there(spec, tmp_path)] == [one.id]
    again.close()


def test_metrics_say_what_an_output_lacks(client, settings, database, release, tmp_path, output):
    spec = OutputSpec.model_validate({"name": "o", "kind": "sqlite", "path": "out.sqlite"})
    client.app.state.assay.settings.__dict__["outputs"] = (spec,)
    ask(database, release, "1")
    assert 'assay_output_behind{output="o"} 1.0' in client.get("/metrics").text
    output(database, spec, tmp_path).step()
    text = client.get("/metrics").text
    assert 'assay_output_behind{output="o"} 0.0' in text
    assert 'assay_output_failing{output="o"} 0.0' in text


def test_answers_of_two_releases_stand_beside_each_other(database, release, made_again, tmp_path, output):
    second = keep(database, made_again)
    ask(database, release, "1")
    ask(database, second, "2")
    spec = OutputSpec.model_validate({"name": "o", "kind": "sqlite", "path": "out.sqlite"})
    output(database, spec, tmp_path).step()
    with closing(sqlite3.connect(tmp_path / "out.sqlite")) as connection:
        found = connection.execute("SELECT version, model_id FROM answers ORDER BY version").fetchall()
    assert found == [(1, release.public["model_id"]), (2, second.public["model_id"])]


@pytest.mark.parametrize("spec", ["duckdb"], indirect=True)
def test_whatever_is_wrong_with_an_output_is_said_and_tried_again(
    database, release, spec, tmp_path, output, monkeypatch
):
    """It ended the output's thread: it was never filled again, and nothing said so."""
    ask(database, release, "1")
    loop = output(database, spec, tmp_path)
    monkeypatch.setattr(loop, "_give", lambda _: {}["x"])
    assert not loop.step()
    behind, error = standing(database, spec)
    assert (behind, error["code"], error["what"]) == (1, "output/fails", "KeyError: 'x': this is a mistake in Assay")


# DuckDB itself opens no file below a "?".
@pytest.mark.parametrize(("kind", "odd"), [("sqlite", "a?b[c]"), ("duckdb", "a[b]*'"), ("parquet", "a[b]?*'")])
def test_a_place_of_any_name_takes_answers_and_one_that_is_none_is_said(database, release, tmp_path, output, kind, odd):
    (tmp_path / "file").write_text("x")
    fields = {"name": "o", "kind": kind}
    for path, code in ((f"{odd}/x", None), ("file/below/x", "io/")):
        spec = OutputSpec.model_validate(fields | {"path": path})
        loop = output(database, spec, tmp_path)
        for _ in range(2):
            ask(database, release, f"{path} {_}")
            loop.step()
        found = standing(database, spec)[1]
        assert (found is None) if code is None else found["code"].startswith(code), found


def test_two_projects_of_one_database_have_outputs_of_one_name(database, release, made_again, tmp_path, output):
    """Each has its own project's answers, all of them, whoever goes first."""
    theirs = keep(database, made_again, "loans")
    spec = OutputSpec.model_validate({"name": "warehouse", "kind": "sqlite", "path": "out.sqlite"})
    asked = {"credit": ask(database, release, "1"), "loans": ask(database, theirs, "2", project="loans")}
    for name in asked:
        (tmp_path / name).mkdir()
        loop = output(database, spec, tmp_path / name, pytest.fail)
        loop.owner = name
        assert loop.step()
        assert not loop.step()
        assert standing(database, spec, name) == (0, None)
    for name, one in asked.items():
        assert [row[0] for row in there(spec, tmp_path / name)] == [one.id]


@pytest.mark.parametrize("kind", ["sqlite", "webhook"])
def test_what_others_do_is_not_looked_through_again_and_again(
    database, release, made_again, tmp_path, output, monkeypatch, kind
):
    """A quiet project's output beside a busy one read the other's changes with every look."""
    monkeypatch.setattr(loop_module, "_MUCH", 5)
    theirs = keep(database, made_again, "loans")
    fields = {"name": "desk", "kind": kind, "path": "out.sqlite"}
    if kind == "webhook":
        fields = {"name": "desk", "kind": kind, "url": "http://127.0.0.1:9/", "secret_file": "x", "local": True}
    spec = OutputSpec.model_validate(fields)
    loop = output(database, spec, tmp_path, pytest.fail)
    loop.owner = "credit"
    for number in range(4):
        ask(database, theirs, str(number), project="loans")
    assert not loop.step()
    assert loop._reached() == changes.Reached()
    ask(database, theirs, "5", project="loans")
    assert not loop.step()
    assert loop._reached() == changes.Reached(changes.last(database))
    assert standing(database, spec, "credit") == (0, None)
    ask(database, release, "6", state="answered")
    assert standing(database, spec, "credit")[0] == 1
    if kind == "sqlite":
        assert loop.step()
        assert len(there(spec, tmp_path)) == 1
