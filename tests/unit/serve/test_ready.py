"""Ready means that a question would be answered and settled: what of a chain is not as it must be is said."""

import re
import shutil
import time
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from sqlalchemy import update
from tests.unit.serve.chain import task
from tests.unit.serve.small import keep

from assay.chain.node import LocalNode
from assay.record import claims, holder, schema
from assay.serve import models
from assay.serve.api import public
from assay.serve.api import ready as module
from assay.serve.api.ready import ChainReady
from assay.settle.node import Node
from assay.settle.signer import development_key


@pytest.fixture
def anvil():
    with LocalNode() as node:
        yield node


@pytest.fixture
def ready(database, release, tmp_path, client):
    """What `/v2/health/ready` says of a chain that is declared so."""

    def of(url, **chain):
        client.app.state.assay.__dict__["chain"] = ChainReady(database, tmp_path, task(url, **chain), "local")
        answer = client.get("/v2/health/ready")
        assert answer.json()["ready"] == (answer.status_code == 200) == (not answer.json()["problems"])
        return answer.json()["problems"]

    return of


def test_a_chain_that_is_as_it_must_be(ready, anvil, client):
    assert ready(anvil.url) == []
    assert 'assay_chain_problems{chain="local"} 0.0' in client.get("/metrics").text


def test_a_node_of_another_chain(ready, anvil, client):
    problems = ready(anvil.url, id=1)
    assert len(problems) == 1
    assert "settle/wrong-chain" in problems[0]
    assert 'assay_chain_problems{chain="local"} 1.0' in client.get("/metrics").text


def test_no_node(ready):
    assert "local: [settle/" in ready("http://127.0.0.1:9")[0]


def test_an_account_without_funds(ready, anvil):
    Node("local", 31337, (anvil.url,)).ask("anvil_setBalance", development_key().address, "0x0")
    assert "no funds" in ready(anvil.url)[0]


def test_a_chain_whose_blocks_do_not_come(ready):
    for age, stale in ((0, False), (10_000, True)):
        with LocalNode(chain_id=77, began=int(time.time()) - age) as node:
            found = ready(node.url, id=77)
        assert any("the newest block is" in one for one in found) == stale


def test_nodes_are_asked_every_few_seconds_at_most(database, release, tmp_path, anvil, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS", 600.0)
    chain = ChainReady(database, tmp_path, task(anvil.url), "local")
    assert chain.problems() == []
    Node("local", 31337, (anvil.url,)).ask("anvil_setBalance", development_key().address, "0x0")
    assert chain.problems() == []
    chain._looked = 0.0 - 10**9
    assert len(chain.problems()) == 1


def test_those_who_ask_while_nodes_hang_do_not_wait_for_them(database, release, tmp_path, monkeypatch):
    chain, began, over = ChainReady(database, tmp_path, task("http://127.0.0.1:9"), "local"), Event(), Event()
    assert len(chain.problems()) == 1
    before, chain._looked = chain.problems(), 0.0 - 10**9

    def hangs(_):
        began.set()
        over.wait()
        return []

    monkeypatch.setattr(ChainReady, "_look", hangs)
    found = []
    thread = Thread(target=lambda: found.append(chain.problems()))
    thread.start()
    began.wait()
    assert chain.problems() == before
    over.set()
    thread.join()
    assert found == [chain.problems()] == [[]]


def test_a_full_disk_is_said(client, monkeypatch):
    """Every question was refused, and whoever asked was told that the service is ready."""
    assert client.get("/v2/health/ready").json()["ready"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    answer = client.get("/v2/health/ready")
    assert (answer.status_code, "record/full" in answer.json()["problems"][0]) == (503, True)


def test_many_projects_are_not_loaded_with_each_look(client, database, made_again, monkeypatch):
    """Only so many are kept: who asked whether the service is ready made it read the keys of all others each time."""
    keep(database, made_again, "loans")
    loads, load = [], models.load
    monkeypatch.setattr(models, "load", lambda *given: (loads.append(1), load(*given))[1])
    monkeypatch.setattr(models, "_MOST_LOADED", 1)
    for _ in range(3):
        assert client.get("/v2/health/ready").json()["ready"]
    assert len(loads) == 2


def test_answers_that_no_prover_takes_are_said(client, database, monkeypatch):
    """A prover that hangs, or is not there, was ready: who asked was told so, and waited for ever."""

    def ready():
        answer = client.get("/v2/health/ready")
        assert answer.json()["ready"] == (answer.status_code == 200)
        return answer.json()["problems"]

    assert ready() == []
    monkeypatch.setattr(public, "LEFT_SECONDS", 90.0)
    for _ in range(2):
        client.post("/v2/models/credit/proofs", json={"inputs": [[0.5, 1.0, 2.0]]})
    assert ready() == []
    with database.begin() as connection:
        connection.execute(update(schema.answers).values(due=time.time() - 100, created=time.time() - 100))
    [said] = ready()
    assert re.search(r"answers that wait for a prover: 2, the first for [1-9]\d\d s; none takes them", said)
    assert re.search(r"\nassay_left_seconds [1-9]\d\d\.", client.get("/metrics").text)
    [held] = claims.claim(database, ["fixed"], holder.me(), 600)
    assert ready() == []  # one is being proven
    gone = holder.me().rpartition(":")[0] + ":0"
    with database.begin() as connection:
        connection.execute(update(schema.answers).where(schema.answers.c.id == held.id).values(lease=gone))
    assert "answers that wait for a prover: 1" in ready()[0]
