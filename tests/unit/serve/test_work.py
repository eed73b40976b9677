"""The prover: what it made is looked at before it is an answer, and what it has under way is neither lost nor left."""

import itertools
import tempfile
import threading
import time

import pytest
from sqlalchemy import update
from tests.unit.serve.small import keep, parts

from assay.prove.prove import prove
from assay.record import answers, claims, schema
from assay.record.errors import DatabaseFull
from assay.release.parts import Parts
from assay.serve import models as module
from assay.serve import under_way, work
from assay.serve.models import Models, load
from assay.serve.work import Worker

PROOFS = "/v2/models/credit/proofs"


def test_a_release_whose_two_keys_are_of_two_models_answers_nothing(client, database, tmp_path):
    one, other = parts(tmp_path), parts(tmp_path, seed=8)
    private = one.private | {"proving.key": other.private["proving.key"], "circuit.json": other.private["circuit.json"]}
    mixed = keep(database, Parts(one.model_id, one.public, private))
    asked = client.post(f"/v2/models/credit/versions/{mixed.version}/proofs", json={"inputs": [[0.5, 1.0, 2.0]]}).json()
    assert Worker(database).step()
    found = client.get(f"/v1/answers/{asked['id']}").json()
    assert found["state"] == "refused"
    assert found["error"]["code"] == "serve/self-check-failed"
    assert "another key" in found["error"]["what"]


@pytest.fixture
def lanes(database, monkeypatch):
    """Start a prover with its two lanes, in this process; what it says, and why it hangs."""
    stop, said, hung = threading.Event(), [], []
    threads = []

    def start(prove, hangs=lambda: None):
        monkeypatch.setattr(work, "prove", prove)
        worker = Worker(database, told=said.append, hung=lambda why: (hung.append(why), hangs()))
        threads.append(threading.Thread(target=worker.run, args=(stop.is_set,)))
        threads[-1].start()
        return said, hung

    yield start
    stop.set()
    for thread in threads:
        thread.join()


def ask(client, **changes):
    return client.post(PROOFS, json={"inputs": [[0.5, 1.0, 2.0]]} | changes).json()["id"]


def until_ended(database, *names):
    while not all(answers.get(database, name).ended for name in names):
        time.sleep(0.02)
    return [answers.get(database, name) for name in names]


def test_a_proof_that_takes_longer_than_a_lease_is_made_once(client, database, lanes, monkeypatch):
    """It was claimed by the other lane when its lease was over, then by the first, and so on: never kept, by nobody."""
    monkeypatch.setattr(work, "LEASE_SECONDS", 600.0)  # longer than this machine lets anybody wait
    monkeypatch.setattr(under_way, "_RENEWALS", 6000)  # every tenth of a second
    name, ends = ask(client), set()

    def slow(*given, **context):
        while len(ends) < 4:  # until it was held longer, and longer again
            ends.add(answers.get(database, name).lease_until)
        return prove(*given, **context)

    said, hung = lanes(slow)
    [found] = until_ended(database, name)
    assert (found.state, found.fence, said, hung) == ("answered", 1, [], [])


def test_a_proof_that_nobody_works_on_is_said_and_ends_the_prover(client, lanes, monkeypatch):
    monkeypatch.setattr(under_way, "STILL_SECONDS", 0.5)
    over = threading.Event()

    def hangs(*given, **context):
        over.wait()
        return prove(*given, **context)

    ask(client)
    _, hung = lanes(hangs, over.set)
    over.wait()
    assert hung[0].startswith("no thread has worked on its proof for ")


def test_nor_does_one_go_on_for_ever(client, lanes, monkeypatch):
    monkeypatch.setattr(under_way, "LONGEST_SECONDS", 0.5)
    over = threading.Event()

    def spins(*given, **context):
        while not over.is_set():
            pass
        return prove(*given, **context)

    ask(client)
    _, hung = lanes(spins, over.set)
    over.wait()
    assert "and none takes so long" in hung[0]


@pytest.fixture
def watched(database, monkeypatch):
    """What is under way in a prover one of whose threads is always at work."""
    ticks = itertools.count()
    monkeypatch.setattr(under_way, "_worked", lambda _: next(ticks))
    return under_way.UnderWay(database, 600.0)


@pytest.mark.parametrize(
    ("known", "rows", "most"),
    [({1: 3.0, 8: 4.0}, 1, 120.0), ({1: 3.0, 8: 4.0}, 64, 5760.0), ({1: 0.1}, 1, 60.0), ({}, 1, 3600.0)],
    ids=["as the slowest", "of more rows", "as short as any", "unknown"],
)
def test_a_lane_that_hangs_beside_one_that_works_is_known_by_what_others_took(watched, known, rows, most):
    watched.took("a", known)
    watched.took("b", {1: 0.1})
    most = min(most, under_way.LONGEST_SECONDS)
    with watched.proof("a", rows):
        assert watched._hung(most - 1) == ""
        assert f"has taken {most:.0f} s, and " in watched._hung(1.0)


def test_nor_is_an_answer_under_way_for_ever_outside_of_a_proof(watched):
    with watched.held([]):
        with watched.proof("a", 1):
            assert watched._hung(3599.0) == ""
        assert watched._hung(7199.0) == ""  # since its last proof
        assert watched._hung(1.0) == "an answer has been under way for 7200 s"


def test_how_long_a_release_s_proofs_take_is_known_after_a_start(client, database, release):
    ask(client)
    Worker(database).step()
    known = answers.times(database, "credit", release.digest)
    assert (list(known), known[1] > 0.0) == ([1], True)
    for _ in range(2):
        ask(client, join=True)
    worker = Worker(database)
    worker.step()
    assert worker._under_way._took[release.digest].keys() == {1, 2}
    assert worker._under_way._took[release.digest][1] == known[1]
    assert answers.times(database, "credit", release.digest)[2] >= worker._under_way._took[release.digest][2]


def test_a_release_that_was_proven_before_waits_for_no_other_one_s_first_proof(client, database):
    worker, names = Worker(database), [ask(client)]
    assert worker.step()
    names.append(ask(client))
    with worker._first:  # as the other lane does while it reads a reference string
        assert worker.step()
    assert {answers.get(database, name).state for name in names} == {"answered"}


def lose(database, count=1):
    """What provers do that end: they claim, and never give back."""
    for number in range(count):
        assert claims.claim(database, ["fixed"], f"prover {number}", 60)
        with database.begin() as connection:
            connection.execute(update(schema.answers).values(lease_until=0.0))


def test_what_ended_a_prover_is_proven_alone_and_refused_when_it_ended_several(client, database):
    name, other = ask(client, join=True), ask(client, join=True)
    lose(database)
    said = []
    assert Worker(database, told=said.append).step()
    found = answers.get(database, name)
    assert (found.state, found.evidence.get("joined")) == ("answered", None)
    assert said == [f"{name} is proven again: the prover that had it ended or hung"]
    lose(database, work.MOST_ATTEMPTS)
    worker = Worker(database)
    assert worker.step()
    found = answers.get(database, other)
    assert (found.state, found.error["code"]) == ("refused", "serve/prover-lost")
    assert found.error["what"] == "5 provers ended or hung while they proved this"
    assert not worker.step()


def due_now(database):
    with database.begin() as connection:
        connection.execute(update(schema.answers).values(due=0.0))


@pytest.mark.parametrize("lacks", ["the reference string", "a place for temporary files"])
def test_what_the_prover_s_machine_lacks_is_said_and_waited_for(client, database, monkeypatch, tmp_path, lacks):
    """Questions were refused while a machine had no reference string, and ended the prover while its disk was full."""
    name, said = ask(client), []
    worker = Worker(database, told=said.append)
    with monkeypatch.context() as patch:
        if lacks == "the reference string":
            patch.setenv("ASSAY_CACHE", str(tmp_path / "empty"))
        else:
            patch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
        for _ in range(3):
            due_now(database)
            assert worker.step()
        found = answers.get(database, name)
        assert (found.state, found.error["code"]) == ("fixed", "srs/missing" if "string" in lacks else "io")
        why = f"nothing is proven: [{found.error['code']}] {found.error['what']}"
        assert client.get("/v2/health/ready").json()["problems"] == [why]
        assert (len(said), said[0].startswith(why)) == (1, True)
    due_now(database)
    assert worker.step()
    assert answers.get(database, name).state == "answered"
    assert client.get("/v2/health/ready").json()["problems"] == []


def test_what_fails_for_days_is_tried_again_all_the_same(client, database, monkeypatch):
    name = ask(client)
    with database.begin() as connection:
        connection.execute(update(schema.answers).values(attempts=5000))

    def full(*_):
        raise DatabaseFull("no space is left", "Free some.")

    worker = Worker(database)
    monkeypatch.setattr(worker, "_end", full)
    assert worker.step()
    found = answers.get(database, name)
    assert (found.state, found.error["code"]) == ("fixed", "record/full")
    assert found.due - time.time() < 61


def test_a_release_that_is_loaded_keeps_nobody_from_another(database, release, made_again, monkeypatch):
    second, models = keep(database, made_again), Models(database)
    loaded, began, over = models.of(release.digest), threading.Event(), threading.Event()

    def slow(*given):
        began.set()
        over.wait()
        return load(*given)

    monkeypatch.setattr(module, "load", slow)
    found = []
    thread = threading.Thread(target=lambda: found.append(models.of(second.digest)))
    thread.start()
    began.wait()
    assert models.of(release.digest) is loaded
    over.set()
    thread.join()
    assert found[0].release.digest == second.digest
    monkeypatch.setattr(module, "_MOST_LOADED", 1)
    assert models.of(second.digest) is found[0]
    assert models.of(release.digest) is loaded
    models._loaded.pop(second.digest)
    models.of(second.digest)
    assert list(models._loaded) == [second.digest]  # what was asked for longest ago makes room
