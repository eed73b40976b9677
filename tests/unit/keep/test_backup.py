"""A backup is everything, or an error; it is taken back into nothing but emptiness."""

import json
import zipfile

import pytest
from sqlalchemy import select
from tests.unit.serve.small import keep

from assay.cli.main import run
from assay.core.errors import ArtefactVersion
from assay.keep import backup as module
from assay.keep.backup import backup, restore
from assay.keep.errors import BackupDamaged, NotEmpty, NothingToKeep
from assay.record import answers, claims, journal, leases
from assay.record.answers import Answer
from assay.record.database import Database
from assay.record.errors import Conflict, DatabaseDamaged
from assay.record.journal import Event
from assay.record.schema import metadata
from assay.record.states import ANSWER
from assay.serve import keys
from assay.serve.work import Worker

ROW = [0.5, -0.25, None]


def fill(database, release):
    """An answer in every state that can be reached without a chain, a lease, keys and events."""
    for number, state in enumerate(["received", "fixed", "fixed", "cancelled", "refused", "expired"]):
        row = Answer("credit", release.digest, request=f"r{number}", owner="me", row=[ROW], evidence={"salt": "00"})
        kept, _ = answers.receive(database, row)
        if state != "received":
            kept = answers.commit(database, kept, "fixed")
        if state not in {"received", "fixed"}:
            answers.commit(database, kept, state)
    assert Worker(database, "one").step()
    keys.make(database, "a key", ["read"], who="test")
    leases.take(database, "something", "somebody", 60)
    [held] = claims.claim(database, ["received"], "somebody", 60)
    return held


def rows_of(database):
    with database.read() as connection:
        found = {}
        for table in metadata.sorted_tables:
            order = list(table.primary_key.columns)
            rows = [row._asdict() for row in connection.execute(select(table).order_by(*order))]
            # Leases end, and the turns of changes are of the server that they were written on.
            found[table.name] = [
                {k: v for k, v in row.items() if k != "turn" and not k.startswith("lease")} for row in rows
            ]
        found.pop("lease")
        return found


@pytest.fixture
def place(tmp_path):
    """A service's folder with a file of its own."""
    folder = tmp_path / "project" / ".assay"
    folder.mkdir(parents=True)
    (folder / "admin.key").write_text("assay_secret\n")
    return folder


def test_everything_comes_back_and_goes_on(database, release, place, tmp_path):
    held = fill(database, release)
    found = backup(database, place, tmp_path / "one.backup")
    assert found.rows["answer"] == 6
    assert (tmp_path / "one.backup").stat().st_mode & 0o777 == 0o600
    restored = restore(tmp_path / "one.backup", tmp_path / "new")
    assert restored.rows == found.rows
    again = Database.of_project(tmp_path / "new")
    assert rows_of(again) == rows_of(database)
    assert (tmp_path / "new" / ".assay" / "admin.key").read_text() == "assay_secret\n"
    assert (tmp_path / "new" / ".assay" / "admin.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new" / "task.toml").read_text() == 'name = "credit"\nseed = 7\n'
    assert (tmp_path / "new" / "features.py").read_text() == "# 7\n"
    # What waited is proven there; what somebody held is free, because that somebody is gone.
    assert answers.get(again, held.id).lease is None
    worker = Worker(again, "two")
    assert worker.step()
    assert answers.count(again, ["answered"]) == 2
    # Events go on from the last one, whatever the database numbers them by.
    journal.append(again, "credit", Event("note", "x", "me"))
    assert journal.verify(again, "credit") == journal.verify(database, "credit") + 1
    again.close()


def test_into_a_server(request, url, database, release, place, tmp_path):
    fill(database, release)
    backup(database, place, tmp_path / "one.backup")
    target = request.getfixturevalue("postgres")
    import psycopg

    name = "restored" + str(abs(hash(request.node.nodeid)) % 10**9)
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    address = target.replace("/postgres?", f"/{name}?")
    restore(tmp_path / "one.backup", tmp_path / "new", address)
    again = Database(address)
    assert rows_of(again) == rows_of(database)
    journal.append(again, "credit", Event("note", "x", "me"))
    again.close()
    with pytest.raises(Conflict, match="has records already"):
        restore(tmp_path / "one.backup", tmp_path / "third", address)


def test_nothing_is_written_over(database, release, place, tmp_path):
    backup(database, place, tmp_path / "one.backup")
    before = (tmp_path / "one.backup").read_bytes()
    with pytest.raises(NotEmpty):
        backup(database, place, tmp_path / "one.backup")
    assert (tmp_path / "one.backup").read_bytes() == before
    restore(tmp_path / "one.backup", tmp_path / "new")
    with pytest.raises(NotEmpty):
        restore(tmp_path / "one.backup", tmp_path / "new")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "features.py").write_text("mine")
    with pytest.raises(NotEmpty, match=r"features\.py"):
        restore(tmp_path / "one.backup", tmp_path / "other")
    assert not (tmp_path / "other" / ".assay").exists()


def test_a_restore_that_is_broken_off_is_run_again(database, release, place, tmp_path, monkeypatch):
    """It left records that made the next one refuse the folder, and no task."""
    backup(database, place, tmp_path / "one.backup")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "copy", killed)
        with pytest.raises(KeyboardInterrupt):
            restore(tmp_path / "one.backup", tmp_path / "new")
    assert not (tmp_path / "new" / ".assay" / "records.sqlite").exists()
    restore(tmp_path / "one.backup", tmp_path / "new")
    assert sorted(one.name for one in (tmp_path / "new" / ".assay").iterdir()) == ["admin.key", "records.sqlite"]


def test_a_machine_without_the_reference_string_is_told_so(database, release, place, tmp_path, monkeypatch, capsys):
    backup(database, place, tmp_path / "one.backup")
    assert restore(tmp_path / "one.backup", tmp_path / "here").lacks == ()
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "empty"))
    assert run(["restore", str(tmp_path / "one.backup"), "-C", str(tmp_path / "there")]) == 0
    said = capsys.readouterr().out
    assert "Nothing is proven here before this is done: the development reference string" in said
    assert str(tmp_path / "empty") in said.replace("\n", "")


def test_what_stands_in_the_way_is_said_before_anything_is_written(database, release, place, tmp_path, capsys):
    backup(database, place, tmp_path / "one.backup")
    (tmp_path / "new" / "features.py").mkdir(parents=True)
    (tmp_path / "file").write_text("no folder")
    for where in ("new", "file"):
        assert run(["restore", str(tmp_path / "one.backup"), "-C", str(tmp_path / where)]) == 2
        assert "error[io/" in capsys.readouterr().err
    assert not (tmp_path / "new" / ".assay").exists()


def test_the_deciding_release_is_the_one_that_is_written(database, release, made_again, place, tmp_path):
    from assay.release import alias

    second = keep(database, made_again)
    alias.promote(database, second, who="me", why="better")
    backup(database, place, tmp_path / "one.backup")
    restore(tmp_path / "one.backup", tmp_path / "new")
    assert "seed = 8" in (tmp_path / "new" / "task.toml").read_text()


def repacked(path, out, change):
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = change(name, source.read(name))
            if content is not None:
                target.writestr(name, content)


def _schema(name, content):
    return json.dumps(json.loads(content) | {"schema": "assay-backup/9"}) if name == "backup.json" else content


def _escape(name, content):
    return json.dumps(json.loads(content) | {"files": ["../x"]}) if name == "backup.json" else content


def _flip(name, content):
    return content[:5000] + bytes([content[5000] ^ 1]) + content[5001:] if name == "records.sqlite" else content


def _without(gone):
    return lambda name, content: None if name == gone else content


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (_schema, ArtefactVersion),
        (_escape, BackupDamaged),
        (_flip, BackupDamaged),
        (_without("records.sqlite"), BackupDamaged),
        (_without("backup.json"), BackupDamaged),
        (_without("files/admin.key"), BackupDamaged),
    ],
)
def test_what_is_not_as_it_was_written_is_refused_whole(database, release, place, tmp_path, change, error):
    backup(database, place, tmp_path / "one.backup")
    repacked(tmp_path / "one.backup", tmp_path / "bad.backup", change)
    with pytest.raises(error):
        restore(tmp_path / "bad.backup", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_history_that_was_altered_is_not_restored(database, release, place, tmp_path):
    from assay.record.schema import events

    with database.begin() as connection:
        connection.execute(events.update().where(events.c.project == "credit").values(why="another reason"))
    backup(database, place, tmp_path / "one.backup")
    with pytest.raises(DatabaseDamaged):
        restore(tmp_path / "one.backup", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_no_backup_at_all(tmp_path):
    (tmp_path / "x").write_bytes(b"nothing")
    with pytest.raises(BackupDamaged):
        restore(tmp_path / "x", tmp_path / "new")


def test_every_state_is_one_that_the_test_knows():
    assert set(ANSWER) == {
        "received", "fixed", "proven", "answered", "settling", "settled", "expired", "refused", "cancelled"
    }  # fmt: skip


def test_a_database_without_a_release_is_no_service_and_its_backup_no_backup(database, place, tmp_path, capsys):
    """Of a wrong folder, or without the address that the service is started with, one would keep nothing."""
    with pytest.raises(NothingToKeep, match="no release"):
        backup(database, place, tmp_path / "one.backup")
    (tmp_path / "elsewhere").mkdir()
    for command in (["backup", "--out", str(tmp_path / "one.backup")], ["key", "list"], ["release", "list"]):
        assert run([*command, "-C", str(tmp_path / "elsewhere")]) == 2
        assert "error[record/none]" in capsys.readouterr().err
    assert not (tmp_path / "one.backup").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []
