"""Proven answers onto a real node: sent once, followed until final, expired when late, said why when refused."""

import dataclasses

import pytest
from sqlalchemy import update
from tests.unit.serve.chain import deploy, settled, settler, task
from tests.unit.serve.small import another, keep
from tests.unit.settle.small import Key, mine, taken

import assay
from assay.chain.node import LocalNode
from assay.record import answers, artefacts, journal, schema, transactions
from assay.record.answers import Answer
from assay.record.database import Database
from assay.record.errors import DatabaseBusy
from assay.record.journal import Event
from assay.release import alias
from assay.serve import keys
from assay.serve.api.ready import ChainReady
from assay.serve.errors import NothingSettles
from assay.serve.models import Models
from assay.serve.settle import moved, open_settler, settling
from assay.settle.deploy import DEPLOYED
from assay.settle.errors import NoConsumer
from assay.settle.network import selector
from assay.settle.node import Node
from assay.settle.signer import sign_transaction


@pytest.fixture
def anvil():
    with LocalNode() as node:
        yield node


@pytest.fixture
def node(anvil):
    return Node("local", 31337, (anvil.url,))


@pytest.fixture
def key():
    return Key()


@pytest.fixture
def consumer(node, key):
    return deploy(node, key.address)


@pytest.fixture
def loop(database, anvil, key, consumer):
    return settler(database, anvil.url, key, consumer)


@pytest.fixture(scope="module")
def proof(made, tmp_path_factory):
    """A real proof; what each answer shows is its context, and one is enough for all that reaches no verifier."""
    base = Database(f"sqlite:///{tmp_path_factory.mktemp('proof') / 'records.sqlite'}")
    model = Models(base).of(keep(base, made).digest)
    proof = assay.prove(model.proving, [[0.5, -0.25, None]], context=7)
    base.close()
    return proof.to_json().encode()


@pytest.fixture
def proven(database, release, proof):
    """Answers that are proven and wait for settlement."""
    kept = artefacts.put(database, proof)

    def make(name, **changes):
        fields = {"project": "credit", "release": release.digest, "owner": "me", "request": name, "chain": "local"}
        fields |= {"state": "proven", "settle": True, "context": "7", "proof": kept}
        return answers.receive(database, Answer(**(fields | changes)))[0]

    return make


def due_now(database):
    with database.begin() as connection:
        connection.execute(update(schema.answers).values(due=0.0))


def state(database, answer):
    return answers.get(database, answer.id).state


def step(loop, node):
    """One turn of the loop; a node that makes a block for each transaction has then done so."""
    loop.step()
    for one in transactions.find(loop.database, "local", states=["broadcast"]):
        taken(node, one)


def test_from_proven_to_settled(loop, proven, database, node, consumer, client):
    one = proven("one")
    assert loop.step()
    found = answers.get(database, one.id)
    assert (found.state, transactions.get(database, found.transaction).state) == ("settling", "signed")
    assert settled(node, consumer) == []
    step(loop, node)
    loop.step()
    assert transactions.get(database, found.transaction).state == "mined"
    mine(node, 3)
    loop.step()
    ended = answers.get(database, one.id)
    assert [name for name, _ in ended.timeline] == ["proven", "settling", "settled"]
    assert settled(node, consumer) == [(7, 1)]
    assert not loop.step()
    client.headers["Authorization"] = f"Bearer {_admin(database)}"
    said = client.get(f"/v1/answers/{one.id}").json()
    assert (said["state"], said["settlement"]["state"], said["settlement"]["ok"]) == ("settled", "final", True)
    assert int(said["settlement"]["paid_wei"]) > 0
    assert said["settlement"]["hash"] == transactions.get(database, found.transaction).mined["hash"]


def _admin(database):
    return keys.make(database, "a", ["admin"], who="test")[1]


def test_the_etag_of_an_answer_changes_with_its_transaction(loop, proven, database, node, client):
    client.headers["Authorization"] = f"Bearer {_admin(database)}"
    one, tags = proven("one"), set()
    for blocks in (0, 0, 0, 0, 3, 0):
        mine(node, blocks) if blocks else None
        tags.add(client.get(f"/v1/answers/{one.id}").headers["ETag"])
        step(loop, node)
    assert len(tags) == 5  # proven, signed, broadcast, mined, settled


def test_what_is_not_to_be_settled_is_left_alone(loop, proven, database, node):
    other, elsewhere = proven("a", settle=False), proven("b", chain="far")
    for _ in range(3):
        loop.step()
    assert {state(database, other), state(database, elsewhere)} == {"proven"}
    assert node.count(loop.outbox.account) == 0


def test_a_refusal_is_named_tried_again_and_ends(loop, proven, database, node, consumer):
    refuse = selector("refuse(uint256)") + (7).to_bytes(32, "big").hex()
    node.ask("eth_sendTransaction", {"from": node.ask("eth_accounts")[1], "to": consumer, "data": refuse})
    one = proven("one")
    loop.step()
    waiting = answers.get(database, one.id)
    assert (waiting.state, waiting.error["code"]) == ("proven", "settle/reverts")
    assert "Refused(context=7)" in waiting.error["what"]
    for _ in range(8):
        due_now(database)
        loop.step()
    ended = answers.get(database, one.id)
    assert (ended.state, ended.error["what"]) == ("refused", "the consumer refuses: Refused(context=7)")
    assert (node.count(loop.outbox.account), transactions.find(database, "local")) == (0, [])


def test_late_answers_are_never_sent(loop, proven, database, node, consumer):
    mine(node, 5)
    one = proven("one", deadline=node.head() - 1)
    loop.step()
    assert answers.get(database, one.id).error["code"] == "settle/late"
    assert (state(database, one), transactions.find(database, "local")) == ("expired", [])


def test_what_no_block_takes_in_time_is_taken_back(loop, proven, database, node, consumer):
    node.ask("evm_setAutomine", False)
    one = proven("one", deadline=node.head())
    for _ in range(2):
        loop.step()
    sent = transactions.get(database, answers.get(database, one.id).transaction)
    assert sent.state == "broadcast"
    node.ask("anvil_dropTransaction", sent.attempts[0]["hash"])
    mine(node, 2)
    for _ in range(3):
        loop.step()
    mine(node, 3)
    for _ in range(3):
        loop.step()
    assert (state(database, one), settled(node, consumer)) == ("expired", [])
    assert transactions.get(database, sent.id).state == "cancelled"


def test_a_reorg_takes_it_back_and_it_is_settled_once(loop, proven, database, node, consumer):
    mine(node, 3)
    one = proven("one")
    for _ in range(3):
        step(loop, node)
    node.ask("anvil_reorg", 2, [])
    for _ in range(3):
        loop.step()
    assert state(database, one) == "settling"
    mine(node, 3)
    loop.step()
    assert (state(database, one), settled(node, consumer)) == ("settled", [(7, 1)])


def test_a_nonce_that_another_program_took_is_sent_anew(loop, proven, database, node, consumer):
    node.ask("evm_setAutomine", False)
    one = proven("one")
    loop.step()
    fields = {"chainId": 31337, "nonce": 0, "to": "0x" + "33" * 20, "value": 5, "data": "0x", "gas": 21_000}
    _, raw = sign_transaction(loop.outbox.signer, fields | {"maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**10})
    node.broadcast(raw)
    mine(node, 4)
    for _ in range(4):
        loop.step()
    mine(node, 4)
    for _ in range(2):
        loop.step()
    found = answers.get(database, one.id)
    assert [name for name, _ in found.timeline] == ["proven", "settling", "proven", "settling", "settled"]
    assert settled(node, consumer) == [(7, 1)]
    assert [one.subject for one in transactions.find(database, "local")] == [found.id, f"{found.id}/2"]


def test_two_loops_on_one_account_are_safe(loop, proven, database, anvil, key, consumer, node):
    other = settler(database, anvil.url, key, consumer, name="other")
    made = [proven(f"{number}") for number in range(6)]
    for _ in range(4):
        loop.step()
        other.step()
    mine(node, 4)
    for _ in range(2):
        other.step()
        loop.step()
    assert {state(database, one) for one in made} == {"settled"}
    assert sorted(count for _, count in settled(node, consumer)) == list(range(1, 7))
    assert node.count(key.address) == 6


def test_without_a_node_answers_wait_and_it_is_said_once(proven, database, anvil, key, consumer):
    said = []
    gone = settler(database, "http://127.0.0.1:9", key, consumer)
    gone.told = said.append
    one = proven("one")
    for _ in range(3):
        gone.step()
    assert state(database, one) == "proven"
    assert (len(said), "settle/unreachable" in said[0]) == (1, True)
    again = settler(database, anvil.url, key, consumer)
    for _ in range(3):
        again.step()
    assert state(database, one) == "settling"


def test_limits_of_the_account_hold_and_the_answer_waits(proven, database, anvil, key, consumer, node):
    poor = settler(database, anvil.url, key, consumer, spend_per_day=1e-9)
    one = proven("one")
    poor.step()
    found = answers.get(database, one.id)
    assert (found.state, found.error["code"]) == ("proven", "settle/spend-limit")
    assert found.due > found.created
    assert transactions.find(database, "local") == []
    strict = settler(database, anvil.url, key, consumer)
    strict.outbox.policy = dataclasses.replace(strict.outbox.policy, allowed={})
    due_now(database)
    strict.step()
    assert answers.get(database, one.id).error["code"] == "settle/not-allowed"


def test_it_goes_over_to_the_contract_of_the_release_that_decides_and_back(database, made, release, anvil, tmp_path):
    """Without a registry a consumer may pin its model: each release is settled by the one that was deployed for it."""
    second, contracts = another(database, release), {}
    for one, address in ((release, "0x" + "11" * 20), (second, "0x" + "22" * 20)):
        what = {"address": address, "code_hash": "0x", "release": one.digest, "chain_id": 31337}
        journal.append(database, "credit", Event(DEPLOYED, "consumer", "me", what, "deployed", chain="local"))
        contracts[one.digest] = address
    found = task(anvil.url)
    opened = open_settler(database, tmp_path, found, "local")
    assert opened.project == "credit"
    assert (opened.consumer.address, moved(opened, found)) == (contracts[release.digest], False)
    alias.promote(database, second, who="me", why="better")
    assert moved(opened, found)
    assert open_settler(database, tmp_path, found, "local").consumer.address == contracts[second.digest]
    alias.back(database, "credit", who="me", why="worse")
    assert not moved(opened, found)


def test_an_answer_goes_to_the_contract_of_its_context_or_of_its_own_release(database, release, anvil, tmp_path):
    second, first, other, newer = another(database, release), *("0x" + digit * 40 for digit in "123")

    def brought(address, one):
        what = {"address": address, "code_hash": "0x", "release": one.digest, "chain_id": 31337}
        journal.append(database, "credit", Event(DEPLOYED, "consumer", "me", what, "deployed", chain="local"))

    brought(first, release)
    brought(other, second)
    found = open_settler(database, tmp_path, task(anvil.url), "local")
    ours, theirs = (Answer("credit", one.digest) for one in (release, second))
    bound = dataclasses.replace(theirs, evidence={"consumer": first})
    assert [found.at(one) for one in (ours, theirs, bound)] == [first, other, first]
    stranger = dataclasses.replace(theirs, evidence={"consumer": newer})
    assert found.at(stranger) == other  # what the account may not call does not count
    assert set(found.outbox.policy.allowed) == {first, other}

    # Where a registry says what counts, the one that was deployed last acts for every release, at once.
    followed = task(anvil.url, registry="0x" + "44" * 20)
    found = open_settler(database, tmp_path, followed, "local")
    assert [found.at(one) for one in (ours, theirs, bound)] == [other, other, first]
    assert not moved(found, followed)
    brought(newer, second)
    assert moved(found, followed)
    found = open_settler(database, tmp_path, followed, "local")
    assert [found.at(one) for one in (ours, theirs, bound)] == [newer, newer, first]


def test_which_chain_is_settled_on(database, anvil, tmp_path):
    said = []
    plain = task(anvil.url)
    assert settling(database, plain, "none", said.append) is None
    assert settling(database, plain, None, said.append) is None
    assert said == ["nothing is settled: nothing on local acts on answers"]
    with pytest.raises(NoConsumer):
        settling(database, plain, "local", said.append)
    declared = task(anvil.url, consumer="0x" + "11" * 20)
    assert settling(database, declared, None, said.append) == "local"
    assert open_settler(database, tmp_path, declared, None).consumer.address == "0x" + "11" * 20


def test_a_service_without_a_chain_takes_no_settlement(client):
    body = {"inputs": [[0.5, -0.25, None]], "settle": True}
    said = client.post("/v2/models/credit/proofs", json=body, headers={"Idempotency-Key": "x"}).json()
    assert said["code"] == NothingSettles.code


def test_answers_of_another_project_of_the_database_are_left_to_its_own_loop(loop, proven, database, node):
    loop.project = "credit"
    other, own = proven("other", project="other"), proven("own")
    for _ in range(3):
        loop.step()
    found = answers.get(database, other.id)
    assert (found.state, found.attempts, found.error) == ("proven", 0, None)
    assert state(database, own) == "settling"


def test_a_database_that_is_busy_refuses_nothing(loop, proven, database, monkeypatch):
    """What was proven and paid for was refused for ever, because a lock was not given back in time."""
    one = proven("one")

    def busy(*_):
        raise DatabaseBusy("another process holds it", "Try again.")

    with monkeypatch.context() as patch:
        patch.setattr(type(loop.outbox), "submit_anew", busy)
        with pytest.raises(DatabaseBusy):
            loop.step()
    assert state(database, one) == "proven"
    with database.begin() as connection:
        connection.execute(update(schema.answers).values(lease_until=0.0))
    loop.step()
    assert state(database, one) == "settling"


def test_what_cannot_be_paid_for_days_waits_all_the_same(database, anvil, key, consumer, proven):
    loop, one = settler(database, anvil.url, key, consumer, spend_per_day=1e-12), proven("one")
    with database.begin() as connection:
        connection.execute(update(schema.answers).values(attempts=5000))
    loop.step()
    found = answers.get(database, one.id)
    assert (found.state, found.error["code"]) == ("proven", "settle/spend-limit")


def test_a_service_settles_nothing_of_another_project(client, database, tmp_path, anvil, consumer):
    client.app.state.assay.settings.__dict__["chain"] = "local"
    other = task(anvil.url).model_copy(update={"name": "other"})
    client.app.state.assay.__dict__["chain"] = ChainReady(database, tmp_path, other, "local")
    body = {"inputs": [[1, 2, 3]], "settle": True}
    refused = client.post("/v2/models/credit/proofs", json=body, headers={"Idempotency-Key": "1"})
    assert refused.json()["code"] == "serve/nothing-settles"
    assert "settles for other" in refused.json()["detail"]
