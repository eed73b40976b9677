"""Rows are forgotten for good: by their asker, by a command, after the time that was agreed; digests stay."""

import json
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import select, update
from tests.unit.serve.small import keep, parts

from assay.cli.main import run
from assay.keep.backup import backup
from assay.record import answers, journal, schema
from assay.record import database as base
from assay.record.database import Database
from assay.record.errors import DatabaseBusy
from assay.serve import keys
from assay.serve.forget import forget, keep_to
from assay.serve.outputs.loop import Output
from assay.serve.work import Worker
from assay.task.outputs import OutputSpec

SECRET = 123456.0625  # in no other number here
PROOFS = "/v2/models/credit/proofs"
TASK = """
name = "credit"
existing = {kind = "constant", value = 0.0}
predict = {target = "y", type = "binary"}
[[data.sources]]
name = "rows"
kind = "csv"
path = "rows.csv"
"""


def ask(client, database, row=SECRET, **headers):
    place = client.post(PROOFS, json={"inputs": [[row, 2.5, None]]}, headers=headers).headers["Location"]
    Worker(database).step()
    return place


def test_an_asker_deletes_the_row_of_an_answer_and_the_proof_that_shows_it(client, database):
    place = ask(client, database)
    before = client.get(place)
    assert client.get(f"{place}/proof").status_code == 200
    said = client.delete(place).json()
    assert (said["state"], said["outputs"]) == ("answered", before.json()["outputs"])
    assert said["forgotten"] == pytest.approx(time.time(), abs=60)
    assert "proof" not in said["links"]
    after = client.get(place, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200  # another document than before
    gone = client.get(f"{place}/proof")
    assert (gone.status_code, gone.json()["code"]) == (404, "serve/no-proof")
    kept = answers.get(database, place.rpartition("/")[2])
    assert (kept.row, len(kept.row_digest), len(kept.proof)) == (None, 64, 64)
    assert client.delete(place).status_code == 200
    assert [one.what["rows"] for one in journal.read(database, "credit", ["rows.forgotten"])] == [1]
    assert journal.verify(database, "credit") == 2


def test_an_answer_that_waits_is_taken_back_and_its_row_forgotten_at_once(client, database):
    place = client.post(PROOFS, json={"inputs": [[SECRET, 2, 3]]}).headers["Location"]
    said = client.delete(place).json()
    assert said["state"] == "cancelled"
    assert answers.get(database, said["id"]).row is None


def test_somebody_else_s_row_is_not_theirs_to_delete(client, database):
    place = ask(client, database)
    _, text = keys.make(database, "other", ["read", "prove"], who="test")
    client.app.state.assay.keyring._read = 0.0
    assert client.delete(place, headers={"Authorization": f"Bearer {text}"}).status_code == 403
    assert answers.get(database, place.rpartition("/")[2]).row is not None


def test_the_question_with_its_key_is_still_the_same_one(client, database):
    place = ask(client, database, **{"Idempotency-Key": "1"})
    client.delete(place)
    again = client.post(PROOFS, json={"inputs": [[SECRET, 2.5, None]]}, headers={"Idempotency-Key": "1"})
    assert again.headers["Location"] == place
    other = client.post(PROOFS, json={"inputs": [[1, 2.5, None]]}, headers={"Idempotency-Key": "1"})
    assert other.json()["code"] == "record/conflict"


def test_nothing_of_a_row_is_left_in_the_file(client, database, tmp_path):
    place = ask(client, database)
    words = answers.get(database, place.rpartition("/")[2])
    shown = client.get(f"{place}/proof").json()["public_inputs"][0]

    def found(text):
        return any(text.encode() in path.read_bytes() for path in tmp_path.glob("records.sqlite*"))

    assert found(str(SECRET))
    assert found(shown)
    client.delete(place)
    assert not found(str(SECRET))
    assert not found(shown)
    assert not found(words.fingerprint)


def test_the_command_forgets_by_id_by_key_and_by_age(client, database, tmp_path, capsys):
    def said(*arguments):
        code = run(["forget", *arguments, "-C", str(tmp_path), "--database", str(database.url), "--json"])
        text = capsys.readouterr()
        return code, json.loads(text.out) if text.out else text.err

    first, second, third = (ask(client, database, float(number)) for number in range(3))
    owner = answers.get(database, first.rpartition("/")[2]).owner
    assert said(first.rpartition("/")[2]) == (0, {"rows": 1, "proofs": 1, "on_chain": 0})
    assert said("--older-than", "1h")[1]["rows"] == 0
    with database.begin() as connection:
        where = schema.answers.c.id == second.rpartition("/")[2]
        connection.execute(update(schema.answers).where(where).values(created=time.time() - 7200))
    assert said("--older-than", "1h")[1]["rows"] == 1
    assert said("--key", owner)[1]["rows"] == 1
    assert answers.get(database, third.rpartition("/")[2]).row is None
    waiting = client.post(PROOFS, json={"inputs": [[1, 2, 3]]}).json()["id"]
    for arguments, what in (((), "whose rows"), ((waiting,), "has not ended"), (("--older-than", "x"), "no duration")):
        code, text = said(*arguments)
        assert (code, what in str(text)) == (2, True)
    assert said("ans_absent")[0] == 2
    assert answers.get(database, waiting).row is not None


def test_rows_are_forgotten_when_their_time_is_over(client, database, made):
    place = ask(client, database)
    waiting = client.post(PROOFS, json={"inputs": [[1, 2, 3]]}).json()["id"]
    with database.begin() as connection:
        connection.execute(update(schema.answers).values(created=time.time() - 7200))
    young = ask(client, database, 7.0)  # proves the one that waits, which is older
    other = {"project": "other", "release": keep(database, made, project="other").digest, "id": "", "request": "1"}
    theirs, _ = answers.receive(database, replace(answers.get(database, place.rpartition("/")[2]), **other))
    with database.begin() as connection:
        where = schema.answers.c.id == theirs.id
        connection.execute(update(schema.answers).where(where).values(created=time.time() - 7200))
    stop = threading.Event()
    thread = threading.Thread(target=keep_to, args=(database, "credit", 3600, stop.is_set, pytest.fail))
    thread.start()
    while answers.get(database, place.rpartition("/")[2]).row is not None:
        time.sleep(0.02)
    stop.set()
    thread.join()
    assert answers.get(database, young.rpartition("/")[2]).row is not None
    assert answers.get(database, theirs.id).row is not None  # whose own task says how long
    assert answers.get(database, waiting).row is None
    events = journal.read(database, "credit", ["rows.forgotten"])
    assert [(one.who, one.why) for one in events] == [("the service", "[serve] keep_rows")]


def test_an_age_alone_is_about_the_project_of_the_folder(client, database, made_again, tmp_path, capsys):
    theirs = keep(database, made_again, "loans")
    place = ask(client, database)
    row = {"project": "loans", "release": theirs.digest, "row": [[1, 2, 3]], "state": "answered"}
    other, _ = answers.receive(database, answers.Answer(**row))
    with database.begin() as connection:
        connection.execute(update(schema.answers).values(created=time.time() - 7200))
    (tmp_path / "task.toml").write_text(TASK)
    assert run(["forget", "--older-than", "1h", "-C", str(tmp_path), "--database", database.address]) == 0
    assert "the rows of 1 answers" in capsys.readouterr().out
    assert answers.get(database, place.rpartition("/")[2]).row is None
    assert answers.get(database, other.id).row == [[1, 2, 3]]


def test_a_proof_that_hides_its_row_stays(client, database, tmp_path_factory):
    keep(database, parts(tmp_path_factory.mktemp("hidden"), hidden=True))
    body = {"inputs": [[SECRET, 2.5, None]]}
    place = client.post("/v2/models/credit/versions/2/proofs", json=body).headers["Location"]
    Worker(database).step()
    assert client.delete(place).json()["forgotten"]
    proof = client.get(f"{place}/proof").json()
    assert client.post("/v1/verify", json={"proof": proof}).json()["valid"] is True
    joined = client.post("/v2/models/credit/versions/2/proofs", json=body | {"join": True})
    assert (joined.status_code, joined.json()["code"]) == (422, "serve/cannot-join")


def test_a_table_that_has_rows_forgets_them_too(client, database, tmp_path):
    place = ask(client, database)
    spec = OutputSpec.model_validate({"name": "o", "kind": "sqlite", "path": "out.sqlite", "rows": True})
    loop = Output(database, spec, tmp_path)
    loop.step()

    def rows():
        with closing(sqlite3.connect(tmp_path / "out.sqlite")) as connection:
            return connection.execute("SELECT rows FROM answers").fetchall()

    assert rows() == [(f"[[{SECRET}, 2.5, null]]",)]
    client.delete(place)
    loop.step()
    loop.close()
    assert rows() == [(None,)]


def test_backups_say_whose_rows_they_hold(client, database, tmp_path):
    place = ask(client, database)
    assert backup(database, tmp_path, tmp_path / "a.backup").with_rows == 1
    client.delete(place)
    assert backup(database, tmp_path, tmp_path / "b.backup").with_rows == 0


def test_forgetting_twice_is_nothing_the_second_time(client, database):
    ask(client, database)
    assert forget(database, who="me", why="x").rows == 1
    assert forget(database, who="me", why="x").rows == 0


def test_a_log_that_somebody_reads_still_has_the_row_and_that_is_said(client, database, tmp_path, monkeypatch):
    ask(client, database)
    monkeypatch.setattr(base, "BUSY_SECONDS", 0.1)
    impatient = Database(database.address)
    with database.read() as reader:
        reader.execute(select(schema.answers)).all()
        with pytest.raises(DatabaseBusy, match="still in the log"):
            forget(impatient, who="me", why="x")
        assert [one.what["rows"] for one in journal.read(impatient, "credit", ["rows.forgotten"])] == [1]
    assert forget(impatient, who="me", why="x").rows == 0
    assert not any(str(SECRET).encode() in path.read_bytes() for path in tmp_path.glob("records.sqlite*"))
    impatient.close()
