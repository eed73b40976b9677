import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import update
from tests.unit.serve.small import FEATURES, keep, model

import assay
from assay.core.errors import StorageError
from assay.prove.proof import Proof
from assay.record import answers, schema
from assay.release import alias
from assay.serve import keys
from assay.serve.work import Worker

ROW = [0.5, -0.25, None]
PROOFS = "/v2/models/credit/proofs"


def ask(client, key=None, headers=None, **changes):
    own = {} if key is None else {"Idempotency-Key": key}
    return client.post(PROOFS, json={"inputs": [ROW]} | changes, headers=own | (headers or {}))


def test_what_answers(client, release):
    assert client.get("/v2").json()["name"] == "assay"
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True, "problems": [], "warnings": []}
    about = client.get("/v2/models/credit").json()
    assert [one["name"] for one in about["inputs"]] == FEATURES
    assert about["parameters"] == {"release": release.digest, "model_id": release.public["model_id"]}
    listed = client.get("/v1/releases").json()["items"]
    assert [(one["name"], one["version"], one["aliases"]) for one in listed] == [("credit", 1, ["champion"])]


def test_infer_says_what_the_model_says(client):
    rows = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    said = client.post("/v2/models/credit/infer", json={"inputs": rows.tolist()}).json()
    values = next(one for one in said["outputs"] if one["name"] == "values")
    margins = model().predict(rows, output_margin=True)
    assert np.allclose(np.array(values["data"]), margins, atol=1e-6)


@pytest.mark.parametrize(
    "inputs",
    [
        [ROW, [1, 2, 3]],
        [{"name": "rows", "shape": [2, 3], "datatype": "FP64", "data": [*ROW, 1, 2, 3]}],
        [{"name": "rows", "shape": [2, 3], "datatype": "FP64", "data": [ROW, [1, 2, 3]]}],
        [
            {"name": "age", "shape": [2], "datatype": "FP64", "data": [None, 3]},
            {"name": "income", "shape": [2], "datatype": "FP64", "data": [0.5, 1]},
            {"name": "savings", "shape": [2], "datatype": "FP64", "data": [-0.25, 2]},
        ],
    ],
)
def test_rows_and_tensors_are_the_same(client, inputs):
    plain = client.post("/v2/models/credit/infer", json={"inputs": [ROW, [1, 2, 3]]}).json()
    assert client.post("/v2/models/credit/infer", json={"inputs": inputs}).json()["outputs"] == plain["outputs"]


@pytest.mark.usefixtures("worker")
def test_a_proof_in_one_call(client, made):
    answer = ask(client, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["state"] == "answered"
    proof = Proof.from_json(json.dumps(body["proof"]))
    assert proof.verifying_key == made.model_id
    said = client.post("/v2/models/credit/infer", json={"inputs": [ROW]}).json()
    integers = next(one for one in said["outputs"] if one["name"] == "integers")["data"]
    assert [str(one) for one in integers] == body["outputs"]["integers"][0]
    assert client.post("/v1/verify", json={"proof": body["proof"]}).json()["valid"] is True
    assert client.get(body["links"]["proof"]).json() == body["proof"]
    steps = [one["state"] for one in body["timeline"]]
    assert steps == ["fixed", "proven", "answered"]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("context", [7, "0x07", "7"])
def test_the_context_that_was_asked_for_is_the_proof_s(client, context):
    body = ask(client, headers={"Prefer": "wait=60"}, context=context).json()
    proof = Proof.from_json(json.dumps(body["proof"]))
    assert (body["context"], proof.context) == ("7", 7)
    assert client.post("/v1/verify", json={"proof": body["proof"]}).json()["valid"] is True


def test_a_question_is_accepted_and_answered_later(client, database):
    accepted = ask(client, "one")
    assert accepted.status_code == 202
    place = accepted.headers["Location"]
    assert client.get(place).json()["state"] == "fixed"
    assert client.get(f"{place}/proof").status_code == 404
    assert Worker(database).step()
    found = client.get(place)
    assert found.json()["state"] == "answered"
    assert client.get(place, headers={"If-None-Match": found.headers["ETag"]}).status_code == 304


def test_the_same_key_is_the_same_answer(client):
    first, again = ask(client, "one"), ask(client, "one")
    assert first.json()["id"] == again.json()["id"]
    other = ask(client, "one", inputs=[[1, 2, 3]])
    assert (other.status_code, other.json()["code"]) == (422, "record/conflict")


def test_the_same_key_is_the_same_answer_whatever_was_promoted_meanwhile(client, database, made_again, release):
    """Who lost the connection asked again, and was told that the key was used for another question."""
    first = ask(client, "one").json()
    alias.promote(database, keep(database, made_again), who="test", why="better")
    client.app.state.assay.settings.__dict__["most_waiting"] = 0
    again = ask(client, "one")
    assert (again.status_code, again.json()["id"], again.json()["version"]) == (202, first["id"], 1)
    assert ask(client, "one", inputs=[[1, 2, 3]]).json()["code"] == "record/conflict"
    named = client.post(
        "/v2/models/credit/versions/2/proofs", json={"inputs": [ROW]}, headers={"Idempotency-Key": "one"}
    )
    assert named.json()["code"] == "record/conflict"


def test_who_waits_is_told_where_the_answer_will_be_when_the_service_ends(client):
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(ask, client, headers={"Prefer": "wait=60"})
        while not client.app.state.assay.waiting._for:
            time.sleep(0.01)
        client.app.state.assay.stopping.set()
        answer = waits.result()
    assert (answer.status_code, answer.json()["state"]) == (202, "fixed")
    assert answer.headers["Location"] == f"/v1/answers/{answer.json()['id']}"


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready", "/v2/models/credit", "/metrics", "/v1/none"])
def test_what_can_be_read_says_its_headers_alone(client, path):
    read, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (read.status_code, b"")
    assert head.headers["Content-Type"] == read.headers["Content-Type"]
    assert client.head("/v2/models/credit/proofs").status_code == 405


def test_an_answer_that_waits_can_be_cancelled(client, database):
    place = ask(client).headers["Location"]
    assert client.delete(place).json()["state"] == "cancelled"
    assert client.delete(place).status_code == 200
    assert not Worker(database).step()
    done = ask(client).headers["Location"]
    Worker(database).step()
    assert client.delete(done).json()["state"] == "answered"


def test_the_queue_is_bounded(client):
    for number in range(5):
        assert ask(client, str(number)).status_code == 202
    full = ask(client, "5")
    assert (full.status_code, full.json()["code"]) == (429, "serve/queue-full")
    assert full.headers["Retry-After"]
    assert ask(client, "4").status_code == 202  # that one is kept already


def test_what_is_promoted_answers_the_next_question(client, database, made_again, release):
    body = {"inputs": [[1, 2, 3]]}
    asked = [client.post("/v2/models/credit/infer", json=body).json()["model_version"] for _ in range(2)]
    second = keep(database, made_again)
    asked.append(client.post("/v2/models/credit/infer", json=body).json()["model_version"])
    alias.promote(database, second, who="test", why="it is better")
    asked.append(client.post("/v2/models/credit/infer", json=body).json()["model_version"])
    alias.back(database, "credit", who="test", why="it was not")
    asked.append(client.post("/v2/models/credit/infer", json=body).json()["model_version"])
    assert asked == ["1", "1", "1", "2", "1"]


def test_many_wait_at_once_and_each_hears_of_its_own(client, database):
    def ask(at):
        return client.post(PROOFS, json={"inputs": [[at, 2, 3]]}, headers={"Prefer": "wait=60"}).json()

    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(ask, at) for at in range(4)]
        late = client.post(PROOFS, json={"inputs": [[9, 2, 3]]}, headers={"Prefer": "wait=1"})
        assert late.status_code == 202
        worker = Worker(database)
        while not all(one.done() for one in waiting):
            worker.step()
        found = [one.result() for one in waiting]
    for at, one in enumerate(found):
        said = client.post("/v2/models/credit/infer", json={"inputs": [[at, 2, 3]]}).json()["outputs"][0]["data"]
        assert (one["state"], one["outputs"]["integers"]) == ("answered", [[str(value) for value in said]])


def test_pages(client):
    names = {ask(client, str(number)).json()["id"] for number in range(4)}
    found = client.get("/v1/answers").json()
    assert {one["id"] for one in found["items"]} == names
    assert found["next"] is None
    assert client.get("/v1/answers?cursor=x").json()["code"] == "serve/request-malformed"


def test_versions_answer_beside_each_other(client, database, made_again, release):
    second = keep(database, made_again)
    bodies = [
        client.post(f"/v2/models/credit{version}/infer", json={"inputs": [ROW]}).json()
        for version in ("", "/versions/1", "/versions/2", f"/versions/{second.digest[:8]}")
    ]
    assert [body["model_version"] for body in bodies] == ["1", "1", "2", "2"]
    alias.promote(database, second, who="me", why="better")
    assert client.post("/v2/models/credit/infer", json={"inputs": [ROW]}).json()["model_version"] == "2"
    moves = client.get("/v1/releases/history?name=credit").json()["items"]
    assert [(one["version"], one["why"]) for one in moves] == [(1, "the first release"), (2, "better")]


BAD = [
    ({"inputs": []}, 422),
    ({"inputs": [[1, 2]]}, 422),
    ({"inputs": [[1, 2, 3, 4]]}, 422),
    ({"inputs": [["a", 2, 3]]}, 422),
    ({"inputs": [[1, 2, {"x": 1}]]}, 422),
    ({"inputs": "rows"}, 422),
    ({"inputs": [[1, 2, 3], {"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}]}, 422),
    ({"inputs": [{"name": "x", "shape": [2, 3], "datatype": "FP64", "data": [1]}]}, 422),
    ({"inputs": [{"name": "x", "shape": [0, 0], "datatype": "FP64", "data": []}]}, 422),
    ({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "TEXT", "data": [1, 2, 3]}]}, 422),
    ({"inputs": [[1, 2, 3]] * 1000}, 422),
    ({"inputs": [[1e300, 2, 3]]}, 422),
    ({"inputs": [ROW], "more": 1}, 422),
    ({"inputs": [ROW], "context": "x"}, 422),
    ({"inputs": [ROW], "context": -1}, 422),
    ({"inputs": [ROW], "context": True}, 422),
    ({"inputs": [ROW], "context": 1.0}, 422),
    ({"inputs": [ROW], "context": "1_0"}, 422),
    ({"inputs": [ROW], "context": "٣"}, 422),
    ({"inputs": [ROW], "context": " 3"}, 422),
    ({"inputs": [ROW], "context": "0x" + "f" * 65}, 422),
    ({"inputs": [ROW], "settle": True}, 409),
    ({}, 422),
    ([], 422),
]


@pytest.mark.parametrize(("body", "status"), BAD)
def test_bodies_that_do_not_fit(client, database, body, status):
    answer = client.post(PROOFS, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    said = answer.json()
    assert said["code"]
    assert "\n" not in said["error"]
    assert answers.count(database, ["fixed", "received"]) == 0


def test_long_bodies_are_not_read(client):
    assert client.post(PROOFS, content=b"[" * (2 << 20)).json()["code"] == "serve/request-too-large"
    parts = (b"x" * 65536 for _ in range(64))
    assert client.post(PROOFS, content=parts).json()["code"] == "serve/request-too-large"


def test_half_a_character_and_numbers_without_end_are_refused(client):
    for body in (
        b'{"inputs": [[1, 2, 3]], "\\ud800": 1}',
        b'{"inputs": [[1, 2, "\\ud800"]]}',
        b'{"inputs": [[1, 2, NaN]]}',
    ):
        assert client.post(PROOFS, content=body).status_code == 422
    for period in ("1" * 18, "1" * 30, "-" + "1" * 5000):
        assert client.get(f"/v1/answers?period={period}").status_code in {200, 422}


def test_a_key_of_no_length_is_refused(client):
    assert client.post(PROOFS, json={"inputs": [ROW]}, headers={"Idempotency-Key": ""}).status_code == 422


def test_deep_json_is_refused(client):
    answer = client.post(PROOFS, content=b'{"inputs":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    assert answer.status_code == 422


def test_what_is_not_there(client):
    for path in (
        "/v2/models/absent",
        "/v2/models/%00",
        "/v2/models/credit/versions/9",
        "/v1/answers/ans_absent",
        "/v1/answers/%F0%9F%98%80%00",
        "/nowhere",
    ):
        assert client.get(path).status_code == 404
    assert client.put("/v2").json()["code"] == "serve/method-not-allowed"


def test_other_hosts_are_refused(client):
    answer = client.get("/v2/health/live", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "serve/not-permitted")
    for host in ("localhost:8787", "127.0.0.1", "[::1]:80", "testserver"):
        assert client.get("/v2/health/live", headers={"Host": host}).status_code == 200


def test_api_keys(client, database):
    for header in ("", "Bearer x", "Bearer assay_000000000000_" + "0" * 64, "Basic eDp4"):
        answer = client.get("/v1/releases", headers={"Authorization": header})
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    reader, text = keys.make(database, "reader", ["read"], who="me", per_minute=3)
    service = client.app.state.assay.keyring
    service._read = 0.0
    header = {"Authorization": f"Bearer {text}"}
    assert client.post("/v2/models/credit/infer", json={"inputs": [ROW]}, headers=header).status_code == 403
    place = ask(client).headers["Location"]
    assert client.get(place, headers=header).status_code == 403
    assert client.get("/v1/answers", headers=header).json()["items"] == []
    assert client.get("/v1/answers", headers=header).status_code == 429
    keys.revoke(database, reader.id, who="me", why="done")
    service._read = 0.0
    assert client.get("/v1/releases", headers=header).status_code == 401
    assert text.split("_")[2] not in str(keys.current(database))


def test_the_budget_of_proving_counts_what_nobody_waited_for(client, database):
    _, text = keys.make(database, "small", ["prove", "read"], who="me", proof_seconds_per_hour=0.000001)
    client.app.state.assay.keyring._read = 0.0
    header = {"Authorization": f"Bearer {text}"}
    place = client.post(PROOFS, json={"inputs": [ROW]}, headers=header).headers["Location"]
    Worker(database).step()
    assert client.get(place, headers=header).json()["state"] == "answered"
    assert client.post(PROOFS, json={"inputs": [ROW]}, headers=header).json()["code"] == "serve/budget-spent"
    assert ask(client).status_code == 202  # another key has its own
    with database.begin() as connection:
        connection.execute(update(schema.answers).values(created=schema.answers.c.created - 3601))
    assert client.post(PROOFS, json={"inputs": [ROW]}, headers=header).status_code == 202


def test_forged_and_foreign_proofs(client, database, made_again, tmp_path):
    place = ask(client).headers["Location"]
    Worker(database).step()
    proof = client.get(f"{place}/proof").json()
    assert client.post("/v1/verify", json={"proof": proof}).json()["valid"]
    altered = json.loads(json.dumps(proof).replace('"', '"', 1))
    body = altered["proof"]
    altered["proof"] = body[:-4] + ("0000" if body[-4:] != "0000" else "1111")
    assert client.post("/v1/verify", json={"proof": altered}).json().get("valid") is not True
    assert client.post("/v1/verify", json={"proof": {"x": 1}}).status_code == 422


def test_metrics_count_states(client):
    ask(client)
    text = client.get("/metrics").text
    assert 'assay_answers{state="fixed"} 1.0' in text


def test_the_first_key_is_written_once(database, tmp_path):
    place = keys.first_admin(database, tmp_path / ".assay")
    assert place.stat().st_mode & 0o777 == 0o600
    assert keys.first_admin(database, tmp_path / ".assay") is None


def test_a_first_start_that_is_killed_leaves_a_key_that_can_be_read(database, tmp_path, monkeypatch):
    """The key was made, and its text was on no disk: nobody could sign in."""

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keys, "_named", killed)
        with pytest.raises(KeyboardInterrupt):
            keys.first_admin(database, tmp_path / ".assay")
    place = keys.first_admin(database, tmp_path / ".assay")
    assert place == tmp_path / ".assay" / "admin.key"
    assert keys.Keyring(database).of(f"Bearer {place.read_text().strip()}").scopes == {"admin"}
    assert keys.first_admin(database, tmp_path / ".assay") is None
    assert list((tmp_path / ".assay").iterdir()) == [place]


def test_a_key_whose_text_no_disk_takes_is_not_made(database, tmp_path):
    (tmp_path / ".assay").write_text("a file where the folder belongs")
    with pytest.raises(StorageError):
        keys.first_admin(database, tmp_path / ".assay")
    assert keys.current(database) == {}


def test_of_two_first_starts_at_once_one_makes_the_key(database, tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "current", lambda _: {})  # both have looked before either made one
    assert [keys.first_admin(database, tmp_path / ".assay") is None for _ in range(2)] == [False, True]
    monkeypatch.undo()
    [key] = keys.current(database).values()
    assert (tmp_path / ".assay" / "admin.key").read_text().split("_")[1] == key.id
    assert assay.__version__
