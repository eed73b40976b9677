"""Ready means that a question would be answered and settled: what of a chain is not as it must be is said."""

import time

import pytest
from tests.unit.serve.chain import task

from assay.chain.node import LocalNode
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


def test_nodes_are_asked_every_few_seconds_at_most(database, release, tmp_path, anvil):
    chain = ChainReady(database, tmp_path, task(anvil.url), "local")
    assert chain.problems() == []
    Node("local", 31337, (anvil.url,)).ask("anvil_setBalance", development_key().address, "0x0")
    assert chain.problems() == []
    chain._looked = 0.0 - 10**9
    assert len(chain.problems()) == 1
