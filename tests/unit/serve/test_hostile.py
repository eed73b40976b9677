"""What goes wrong around a service: each is said with a code, nothing is lost, and nothing is answered twice."""

import base64
import time

import pytest
from sqlalchemy import event, update
from tests.unit.serve.small import keep

from assay.record import answers, claims, schema
from assay.record.answers import Answer
from assay.release.make import private_digests
from assay.serve.api.tensors import exact
from assay.serve.work import Worker

PROOFS = "/v2/models/credit/proofs"
ROW = [0.5, -0.25, None]


def ask(client, **headers):
    return client.post(PROOFS, json={"inputs": [ROW]}, headers=headers)


@pytest.mark.parametrize("part", ["circuit.json", "proving.key"])
def test_a_release_that_was_changed_answers_nothing(client, database, release, part):
    waiting = ask(client)
    client.app.state.assay.models._loaded.clear()
    with database.begin() as connection:
        where = schema.artefacts.c.digest == private_digests(release)[part]
        connection.execute(update(schema.artefacts).where(where).values(content=b"something else"))
    said = client.post("/v2/models/credit/infer", json={"inputs": [ROW]})
    assert (said.status_code, said.json()["code"]) == (503, "record/artefact-absent")
    assert client.get("/v2/health/ready").json()["ready"] is False
    Worker(database).step()
    ended = answers.get(database, waiting.json()["id"])
    assert (ended.state, ended.error["code"]) == ("refused", "record/artefact-absent")


def test_a_release_whose_private_part_is_missing_says_so(client, database, made_again):
    second = keep(database, made_again, private=False)
    said = client.post("/v2/models/credit/versions/2/infer", json={"inputs": [ROW]})
    assert (said.status_code, said.json()["code"]) == (409, "release/private-part-absent")
    assert second.version == 2
    served = {one["version"]: one["served"] for one in client.get("/v1/releases").json()["items"]}
    assert served == {1: True, 2: False}


def test_a_disk_that_is_full_in_the_middle_of_a_proof_loses_nothing(client, database):
    name = ask(client).json()["id"]

    def full(connection, _record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(database.engine, "connect", full)
    database.engine.dispose()
    for attempt in range(8):  # more often than an answer's own fault is tried again
        assert Worker(database).step()
        waiting = answers.get(database, name)
        assert (waiting.state, waiting.error["code"], waiting.attempts) == ("fixed", "record/full", attempt + 1)
        with database.begin() as connection:
            connection.execute(update(schema.answers).values(due=0.0))
    refused = client.post(PROOFS, json={"inputs": [ROW] * 4}, headers={"Idempotency-Key": "x" * 190})
    while refused.status_code == 202:  # what is free within the file is used up first
        refused = ask(client)
    assert (refused.status_code, refused.json()["code"]) in {(503, "record/full"), (429, "serve/queue-full")}
    assert refused.headers["Retry-After"]
    event.remove(database.engine, "connect", full)
    database.engine.dispose()
    with database.begin() as connection:
        connection.execute(update(schema.answers).values(lease_until=0.0, due=0.0))
    worker = Worker(database)
    while worker.step():
        pass
    ended = answers.get(database, name)
    assert [state for state, _ in ended.timeline] == ["fixed", "proven", "answered"]


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_keeps_nothing_waiting(client, database, monkeypatch, jump):
    name = ask(client).json()["id"]
    held = claims.claim(database, ["fixed"], "somebody who is gone", 60)
    assert held[0].id == name
    answers.commit(database, held[0], "fixed", due=time.time() + 60, error={"code": "x", "what": "y", "todo": ""})
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() + jump)
    assert Worker(database).step()
    assert answers.get(database, name).state == "answered"
    later = ask(client).json()["id"]
    monkeypatch.setattr(time, "time", true)
    assert Worker(database).step()
    assert answers.get(database, later).state == "answered"


def test_a_lease_of_before_the_clock_was_set_back_is_over(client, database, monkeypatch):
    name = ask(client).json()["id"]
    late = claims.claim(database, ["fixed"], "somebody", 60)[0]
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() - 86_400.0)
    assert Worker(database).step()
    assert answers.get(database, name).fence == late.fence + 1


@pytest.mark.parametrize(
    "text", ['[NaN, "ans_1"]', '[1e400, "x"]', '["1", "x"]', '{"1.0": 1, "x": 2}', '[1.0, "\\u0000"]', "[" * 99]
)
def test_a_cursor_that_was_altered_is_refused_and_is_no_end(client, text):
    cursor = base64.urlsafe_b64encode(text.encode()).decode()
    refused = client.get(f"/v1/answers?cursor={cursor}")
    assert (refused.status_code, refused.json()["code"]) == (422, "serve/request-malformed")


def test_pages_go_on_by_cursor_until_the_end(client, database, release):
    owner = answers.get(database, ask(client).json()["id"]).owner
    for number in range(120):
        fields = {"project": "credit", "release": release.digest, "owner": owner, "request": str(number), "row": [ROW]}
        answers.receive(database, Answer(**fields, state="answered"))
    found, cursor = [], ""
    while True:
        page = client.get(f"/v1/answers?cursor={cursor}" if cursor else "/v1/answers").json()
        found += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert len(found) == len(set(found)) == 121


@pytest.mark.parametrize(("value", "shown"), [(2**53, 2**53), (2**53 + 1, str(2**53 + 1)), (-(2**60), str(-(2**60)))])
def test_integers_that_json_readers_round_are_text(value, shown):
    assert exact(value) == shown
