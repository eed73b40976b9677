"""One proof for several questions: only where all of them allow it, and each says what is its own."""

import json
import threading

import pytest
from tests.unit.serve.small import keep

import assay
from assay.keep import dispute
from assay.prove.proof import Proof
from assay.record import answers, artefacts, claims
from assay.serve import keys
from assay.serve.errors import CannotJoin
from assay.serve.models import Models
from assay.serve.work import Worker

PROOFS = "/v2/models/credit/proofs"


def ask(client, *rows, **changes):
    body = {"inputs": list(rows), "join": True} | changes
    answer = client.post(PROOFS, json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def said(client, name):
    return client.get(f"/v1/answers/{name}").json()


def test_one_proof_shows_the_rows_of_all_and_each_answer_says_which_are_its_own(client, database, release):
    first, second = ask(client, [0.5, -0.25, None]), ask(client, [1, 2, 3], [4, 5, 6])
    assert Worker(database).step()
    found = [said(client, name) for name in (first, second)]
    assert [one["state"] for one in found] == ["answered", "answered"]
    assert [one["joined"] for one in found] == [{"first": 0, "rows": 1, "of": 3}, {"first": 1, "rows": 2, "of": 3}]
    assert not Worker(database).step()
    texts = [client.get(f"/v1/answers/{name}/proof").json() for name in (first, second)]
    assert [one.pop("joined") for one in texts] == [one["joined"] for one in found]
    assert texts[0] == texts[1]
    proof = Proof.from_json(json.dumps(texts[0]))
    assay.verify(Models(database).verifying(release.digest), proof)
    for name, one, rows in ((first, found[0], [[0.5, -0.25, None]]), (second, found[1], [[1, 2, 3], [4, 5, 6]])):
        at = one["joined"]["first"]
        shown = [[str(value) for value in row] for row in proof.output_integers[at : at + len(rows)]]
        alone = client.post("/v2/models/credit/infer", json={"inputs": rows}).json()["outputs"][0]["data"]
        assert one["outputs"]["integers"] == shown == [[str(value)] for value in alone]
        assert answers.get(database, name).outputs["values"] == one["outputs"]["values"]


@pytest.mark.parametrize("changes", [{"context": 7}, {"join": False}])
def test_another_context_or_no_leave_is_proven_alone(client, database, changes):
    names = [ask(client, [1, 2, 3]), ask(client, [1, 2, 3], **changes)]
    worker = Worker(database)
    assert worker.step()
    assert sorted(said(client, name)["state"] for name in names) == ["answered", "fixed"]
    assert worker.step()
    assert all(said(client, name)["joined"] is None for name in names)


def test_rows_of_another_api_key_or_release_are_never_in_it(client, database, made_again):
    _, text = keys.make(database, "other", ["read", "prove"], who="test")
    client.app.state.assay.keyring._read = 0.0
    own, other = ask(client, [1, 2, 3]), dict(client.headers)
    client.headers["Authorization"] = f"Bearer {text}"
    theirs = ask(client, [4, 5, 6])
    client.headers.update(other)
    second = keep(database, made_again)
    newer = client.post("/v2/models/credit/versions/2/proofs", json={"inputs": [[1, 2, 3]], "join": True}).json()["id"]
    worker = Worker(database)
    for _ in range(3):
        assert worker.step()
    found = [answers.get(database, name) for name in (own, theirs, newer)]
    assert len({one.proof for one in found}) == 3
    assert (found[2].release, [one.evidence.get("joined") for one in found]) == (second.digest, [None] * 3)


def test_at_most_as_many_rows_as_the_key_takes(client, database):
    names = [ask(client, [1, 2, 3], [4, 5, 6]) for _ in range(3)]  # the key takes four rows
    worker = Worker(database)
    assert worker.step()
    assert [said(client, name)["state"] for name in names] == ["answered", "answered", "fixed"]
    assert worker.step()
    assert said(client, names[2])["joined"] is None


def test_what_is_settled_joins_nothing(client):
    body = {"inputs": [[1, 2, 3]], "join": True, "settle": True}
    client.app.state.assay.settings.__dict__["chain"] = "local"
    refused = client.post(PROOFS, json=body, headers={"Idempotency-Key": "1"})
    assert (refused.status_code, refused.json()["code"]) == (422, CannotJoin.code)


def test_one_that_is_taken_back_meanwhile_does_not_harm_the_others(client, database, monkeypatch):
    names = [ask(client, [1, 2, 3]), ask(client, [4, 5, 6])]
    worker = Worker(database)
    proven = worker._proven

    def slow(held):
        made = proven(held)
        assert client.delete(f"/v1/answers/{names[1]}").json()["state"] == "cancelled"
        return made

    monkeypatch.setattr(worker, "_proven", slow)
    assert worker.step()
    assert [said(client, name)["state"] for name in names] == ["answered", "cancelled"]


def test_rows_that_cannot_be_proven_refuse_their_own_question_alone(client, database):
    names = [ask(client, [1, 2, 3]), ask(client, [4, 5, 6])]
    worker = Worker(database)
    proven = worker._proven

    def picky(held):
        if any(one.id == names[1] for one in held):
            raise CannotJoin("this one is not proven", "")
        return proven(held)

    worker._proven = picky
    assert worker.step()
    found = [said(client, name) for name in names]
    assert [one["state"] for one in found] == ["answered", "refused"]
    assert found[0]["joined"] is None


def test_a_prover_that_slept_through_its_lease_changes_nothing(client, database):
    names = [ask(client, [1, 2, 3]), ask(client, [4, 5, 6])]
    worker = Worker(database, "slow")
    proven = worker._proven

    def asleep(held):
        made = proven(held)
        for one in held:
            claims.renew(database, one, -1)
        fast = Worker(database, "fast")
        assert [fast.step(), fast.step(), fast.step()] == [True, True, False]
        return made

    worker._proven = asleep
    worker.step()
    found = [answers.get(database, name) for name in names]
    assert [one.fence for one in found] == [2, 2]
    assert len({one.proof for one in found}) == 2  # what a prover has left is proven alone
    assert all(artefacts.held(database, one.proof) for one in found)


def test_a_dispute_of_a_joined_answer_checks_its_own_rows(client, database, tmp_path):
    names = [ask(client, [0.5, -0.25, None]), ask(client, [1, 2, 3])]
    Worker(database).step()
    for name in names:
        dispute.make(database, name, tmp_path / f"{name}.dispute")
        found = dispute.verify(tmp_path / f"{name}.dispute")
        assert [one.name for one in found if one.holds is not True] == ["setup", "service"]


def test_two_proofs_at_a_time_and_what_fails_in_one_ends_both(client, database):
    names = [ask(client, [at, 2, 3], join=False) for at in range(4)]
    worker, at_once, most = Worker(database), [0], [0]
    proven, both = worker._proven, threading.Barrier(2)

    def counted(held):
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        both.wait()  # neither goes on without the other
        made = proven(held)
        at_once[0] -= 1
        return made

    worker._proven = counted
    worker.run(lambda: not answers.count(database, ("fixed",)))
    assert [said(client, name)["state"] for name in names] == ["answered"] * 4
    assert most == [2]

    def broken(_):
        raise RuntimeError("out of its mind")

    ask(client, [1, 2, 3])
    worker._proven = broken
    with pytest.raises(RuntimeError, match="out of its mind"):
        worker.run(lambda: False)
