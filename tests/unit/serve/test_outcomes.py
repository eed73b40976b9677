"""What came of answers of the endpoint: brought once, corrected with a reason, and never lost or made up."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.unit.serve.small import keep

from assay.cli.main import run
from assay.core.errors import AssayError
from assay.record import answers, journal
from assay.record.answers import Answer
from assay.release.parts import Parts
from assay.serve import keys
from assay.serve.forget import forget
from assay.serve.outcome_file import bring_file
from assay.serve.outcomes import Brought, bring
from assay.serve.work import Worker

PROOFS = "/v2/models/credit/proofs"


@pytest.fixture
def release(database, made):
    """One that says which classes it knows."""
    manifest = json.dumps({"type": "binary", "classes": ["repaid", "defaulted"], "features": []}).encode()
    return keep(database, Parts(made.model_id, made.public | {"manifest.json": manifest}, made.private))


@pytest.fixture
def client(client, database):
    _, text = keys.make(database, "outcomes", ["observe"], who="test")
    client.app.state.assay.keyring._read = 0.0
    client.observer = {"Authorization": f"Bearer {text}"}
    return client


@pytest.fixture
def answer(client):
    return client.post(PROOFS, json={"inputs": [[0.5, -0.25, None]]}).json()["id"]


def post(client, answer, outcome, key=None, **more):
    own = {} if key is None else {"Idempotency-Key": key}
    return client.post(f"/v1/answers/{answer}/outcome", json={"outcome": outcome} | more, headers=client.observer | own)


def history(database):
    return [
        (one.kind, one.what["before"], one.what["now"], one.why)
        for one in journal.read(database, "credit", ["outcome.given", "outcome.changed"])
    ]


def test_it_is_kept_once_and_the_answer_shows_it(client, database, answer):
    tag = client.get(f"/v1/answers/{answer}").headers["etag"]
    first, again = (post(client, answer, "defaulted", "a") for _ in range(2))
    assert first.json() == {"id": answer, "outcome": "defaulted", "changed": True}
    assert again.json() == {"id": answer, "outcome": "defaulted", "changed": False}
    assert post(client, answer, "defaulted").json()["changed"] is False
    assert history(database) == [("outcome.given", None, "defaulted", "as it came")]
    read = client.get(f"/v1/answers/{answer}", headers={"If-None-Match": tag})
    assert (read.status_code, read.json()["outcome"]) == (200, "defaulted")


def test_another_one_is_refused_without_a_reason_and_the_history_keeps_both(client, database, answer):
    post(client, answer, "defaulted", "a")
    refused = post(client, answer, "repaid", "b")
    assert (refused.status_code, refused.json()["code"]) == (422, "record/conflict")
    assert answers.get(database, answer).outcome == "defaulted"
    assert post(client, answer, "repaid", reason="paid late").json()["code"] == "serve/idempotency-key-needed"
    assert post(client, answer, "repaid", "c", reason="  ").json()["code"] == "record/conflict"
    assert post(client, answer, "repaid", "c", reason="paid late").json()["changed"] is True
    assert history(database)[1:] == [("outcome.changed", "defaulted", "repaid", "paid late")]
    assert journal.verify(database, "credit") == len(journal.read(database, "credit"))


def test_a_correction_that_arrives_again_undoes_no_later_one(client, database, answer):
    post(client, answer, "defaulted", "a")
    post(client, answer, "repaid", "b", reason="paid late")
    post(client, answer, "defaulted", "c", reason="the payment bounced")
    late = post(client, answer, "repaid", "b", reason="paid late")
    assert late.json() == {"id": answer, "outcome": "defaulted", "changed": False}
    other = post(client, answer, "defaulted", "b", reason="paid late")
    assert (other.status_code, other.json()["code"]) == (422, "record/conflict")
    assert len(history(database)) == 3


def test_a_correction_that_changed_nothing_undoes_no_later_one_either(client, database, answer):
    post(client, answer, "defaulted", "a")
    same = post(client, answer, "defaulted", "b", reason="the bank says so too")
    assert same.json() == {"id": answer, "outcome": "defaulted", "changed": False}
    post(client, answer, "repaid", "c", reason="paid late")
    late = post(client, answer, "defaulted", "b", reason="the bank says so too")
    assert late.json() == {"id": answer, "outcome": "repaid", "changed": False}


def test_brought_by_many_at_once_it_is_kept_once(database, release, client, answer):
    def one(place):
        return bring(database, answer, Brought("defaulted", f"who {place}"))[1]

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(8))) == 1
    assert len(history(database)) == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [("repaid", "repaid"), ("late", None), (7, None), (True, None), (float("1e999"), None), ([], None)],
)
def test_only_a_class_of_the_model_is_taken(client, database, answer, given, kept):
    said = client.post(
        f"/v1/answers/{answer}/outcome",
        content=json.dumps({"outcome": given}),
        headers=client.observer | {"Content-Type": "application/json"},
    )
    assert answers.get(database, answer).outcome == kept
    if kept is None:
        assert (said.status_code, said.json()["code"]) == (422, "serve/request-malformed")
        assert history(database) == []


@pytest.mark.parametrize(
    ("classes", "given", "kept"),
    [
        (["0", "1"], 1, "1"),
        (["0", "1"], 1.0, "1"),
        (["0", "1"], True, "1"),
        (["false", "true"], True, "true"),
        ([], 0.25, 0.25),
        ([], 3, 3),
        ([], True, None),
        ([], "0.25", None),
        ([], 10**400, None),
        ([], 1e200, None),  # whose square is no number
    ],
)
def test_numbers_and_names_of_classes_are_the_dataset_s(database, made, classes, given, kept):
    kind = "binary" if classes else "regression"
    manifest = json.dumps({"type": kind, "classes": classes, "features": []}).encode()
    release = keep(database, Parts(made.model_id, made.public | {"manifest.json": manifest}, made.private))
    one, _ = answers.receive(database, Answer("credit", release.digest, row=[[1, 2, 3]], request="r", owner="o"))
    if kept is None:
        with pytest.raises(Exception, match="no finite number"):
            bring(database, one.id, Brought(given, "me"))
    else:
        found = bring(database, one.id, Brought(given, "me"))[0].outcome
        assert (found, type(found)) == (kept, type(kept))


def test_of_several_rows_there_is_one_for_each_and_the_rest_comes_later(client, database):
    name = client.post(PROOFS, json={"inputs": [[1, 2, 3], [4, 5, 6]]}).json()["id"]
    assert "has 2 rows" in post(client, name, "repaid").json()["detail"]
    assert "3 outcomes" in post(client, name, ["repaid"] * 3).json()["detail"]
    assert post(client, name, [None, "repaid"]).json()["outcome"] == [None, "repaid"]
    assert post(client, name, ["defaulted", None]).json()["outcome"] == ["defaulted", "repaid"]
    assert post(client, name, ["defaulted", "repaid"]).json()["changed"] is False
    assert post(client, name, [None, "defaulted"]).json()["code"] == "record/conflict"


def test_who_may(client, answer):
    own = client.post(f"/v1/answers/{answer}/outcome", json={"outcome": "repaid"})
    assert (own.status_code, own.json()["code"]) == (403, "serve/not-permitted")
    assert client.get(f"/v1/answers/{answer}", headers=client.observer).status_code == 403
    assert post(client, "ans_none", "repaid").status_code == 404
    assert post(client, answer, "repaid", more=1).status_code == 422
    assert post(client, answer, "repaid", "x" * 201).status_code == 422
    assert post(client, answer, "repaid", "x", reason="a\0b").status_code == 422


def test_nothing_came_of_what_was_not_answered_or_is_forgotten(client, database, release, answer):
    client.delete(f"/v1/answers/{answer}")
    refused = post(client, answer, "repaid")
    assert (refused.status_code, refused.json()["code"]) == (409, "serve/answer-ended")
    name = client.post(PROOFS, json={"inputs": [[1, 2, 3]]}).json()["id"]
    assert Worker(database).step()
    forget(database, who="test", why="asked to", ids=[name])
    assert "forgotten" in post(client, name, "repaid").json()["detail"]
    period, _ = answers.receive(database, Answer("credit", release.digest, chain="local", period=7, row=[[1, 2, 3]]))
    assert "read from its chain" in post(client, period.id, "repaid").json()["detail"]


@pytest.fixture
def file(tmp_path):
    def write(*lines):
        place = tmp_path / "outcomes.csv"
        place.write_text("\n".join(["answer,outcome", *lines]) + "\n", encoding="utf-8")
        return place

    return write


def test_a_file_brings_all_or_none(client, database, file):
    names = [client.post(PROOFS, json={"inputs": [[place, 2, 3]]}).json()["id"] for place in range(3)]
    for bad, says in (
        (f"{names[1]},late", "line 3: the outcome 'late' is no class"),
        ("ans_none,repaid", "line 3: there is no answer"),
        (f"{names[0]},defaulted", "line 3: .* two outcomes"),
        (f"{names[1]},", "line 3: there is no answer with an outcome"),
        (f"{names[1]},0,5", "line 3: 3 values, and 2 columns"),
    ):
        with pytest.raises(AssayError, match=says):
            bring_file(database, file(f"{names[0]},repaid", bad), who="me")
    assert history(database) == []
    whole = [f"{names[0]},repaid", f"{names[1]},defaulted", f"{names[0]},repaid"]
    assert bring_file(database, file(*whole), who="me") == (2, 0)
    assert bring_file(database, file(*whole), who="me") == (0, 2)
    more = [f"{names[0]},defaulted", f"{names[2]},repaid"]
    with pytest.raises(AssayError, match=r"line 2: what came of .* is kept already"):
        bring_file(database, file(*more), who="me")
    assert bring_file(database, file(*more), who="me", correct="the payment bounced") == (2, 0)
    assert bring_file(database, file(f"{names[0]},repaid"), who="me", correct="it was a mistake") == (1, 0)
    assert bring_file(database, file(*more), who="me", correct="the payment bounced") == (0, 2)
    assert [answers.get(database, name).outcome for name in names] == ["repaid", "defaulted", "repaid"]


def test_the_command_says_how_many(database, client, file, settings, answer, capsys):
    place = file(f"{answer},repaid")
    command = ["outcomes", str(place), "-C", str(settings.project), "--database", settings.database]
    for new in (1, 0):
        assert run([*command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"new": new, "known": 1 - new}
    place.write_text(f"answer,outcome\n{answer},defaulted\n", encoding="utf-8")
    assert run(command) == 2
    assert "kept already" in capsys.readouterr().err
    assert run([*command, "--correct", "the payment bounced"]) == 0
