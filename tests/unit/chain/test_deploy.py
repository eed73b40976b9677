from __future__ import annotations

import random
import sys
from dataclasses import replace

import pytest

from assay.chain.compile import compile_solidity
from assay.chain.context import LOCAL_CHAIN_IDS
from assay.chain.deploy import Chain
from assay.chain.errors import (
    DevelopmentKeyRefused,
    NodeRefused,
    NodeUnreachable,
    TransactionReverted,
)
from assay.chain.node import LocalNode
from assay.chain.solidity import render
from assay.core.errors import MissingLibrary
from assay.prove.check import KeyCheck
from assay.prove.errors import KeyUnchecked

from .trapdoor import linear_model

# Anvil's first test account.
TEST_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
STORE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
contract Store {
    error Zero(uint256 value, address sender);
    uint256 public value;
    constructor(uint256 start) { set(start); }
    function set(uint256 next) public {
        if (next == 0) revert Zero(next, msg.sender);
        require(next != 13, "thirteen");
        value = next;
    }
}"""


@pytest.fixture(scope="module")
def store():
    return compile_solidity({"Store.sol": STORE})["Store"]


@pytest.mark.parametrize("key", [None, TEST_KEY])
def test_deploy_send_call(node, store, key):
    chain = Chain(node.url, private_key=key)
    deployment = chain.deploy(store, 5)
    assert chain.call(deployment, "value") == 5
    receipt = chain.send(deployment, "set", 7)
    assert receipt.gas_used > 21_000
    assert receipt.transaction.startswith("0x")
    assert receipt.block > deployment.receipt.block
    assert chain.call(deployment, "value") == 7


def test_a_revert_names_the_contracts_error(chain, store):
    deployment = chain.deploy(store, 5)
    for act in (chain.send, chain.call):
        with pytest.raises(TransactionReverted) as caught:
            act(deployment, "set", 0)
        assert (caught.value.reason, caught.value.code) == ("Zero", "chain/reverted")
        with pytest.raises(TransactionReverted, match="thirteen"):
            act(deployment, "set", 13)
    with pytest.raises(TransactionReverted, match="Zero"):
        chain.deploy(store, 0)


def test_a_reverted_transaction_that_was_mined(chain, store):
    deployment = chain.deploy(store, 5)
    selector = bytes.fromhex("60fe47b1")  # set(uint256)
    with pytest.raises(TransactionReverted, match="mined but reverted"):
        chain.send_calldata(deployment, selector + bytes(32), gas=100_000)


def test_what_the_node_does_not_take(chain, store):
    deployment = chain.deploy(store, 5)
    with pytest.raises(NodeRefused) as caught:
        chain.send_calldata(deployment, b"", gas=1)
    assert caught.value.code == "chain/node-refused"


def test_nobody_answers():
    with pytest.raises(NodeUnreachable) as caught:
        Chain("http://user:secret@127.0.0.1:9/key-of-the-provider")
    assert "secret" not in str(caught.value)
    assert "key-of-the-provider" not in str(caught.value)


def test_the_node_stops_in_between(store):
    with LocalNode() as node:
        chain = Chain(node.url)
        deployment = chain.deploy(store, 5)
    with pytest.raises(NodeUnreachable, match="stopped answering"):
        chain.call(deployment, "value")


def test_without_web3(monkeypatch, node):
    monkeypatch.setitem(sys.modules, "web3", None)
    with pytest.raises(MissingLibrary, match="web3"):
        Chain(node.url)


def test_a_development_key_stays_on_local_chains():
    rng = random.Random(1)
    development, ceremony = (render(linear_model(rng, srs=kind).vk, unchecked=bool(kind)) for kind in (0, 1))
    assert "KEY NOT CHECKED" in ceremony.text
    assert "DEVELOPMENT KEY" in development.text
    assert "DEVELOPMENT KEY" not in ceremony.text
    contracts = [compile_solidity({"V.sol": source.text})[source.name] for source in (development, ceremony)]
    with LocalNode(chain_id=10) as node:
        chain = Chain(node.url)
        with pytest.raises(DevelopmentKeyRefused, match="assay srs import") as caught:
            chain.deploy_verifier(contracts[0], development)
        assert caught.value.code == "chain/development-key"
        # A ceremony's key may go anywhere if the stamp is true.
        with pytest.raises(KeyUnchecked, match="says that it is of a ceremony") as caught:
            chain.deploy_verifier(contracts[1], ceremony)
        assert caught.value.code == "key/unchecked"
        assert "assay srs import" in str(caught.value)
        chain.deploy_verifier(
            contracts[1], replace(ceremony, check=KeyCheck(checked=True, srs="0x00", note="The key agrees."))
        )
        verifier = chain.deploy_verifier(contracts[1], ceremony, unchecked=True)
        assert chain.call(verifier, "shape")[-1] is False
        # The contract itself refuses the chain's id, whoever sends it and whatever is said of the node.
        with pytest.raises(TransactionReverted, match="DevelopmentKey"):
            chain.deploy(contracts[0])
    for chain_id in sorted(LOCAL_CHAIN_IDS):
        with LocalNode(chain_id=chain_id) as node:
            chain = Chain(node.url)
            assert chain.call(chain.deploy_verifier(contracts[0], development), "shape")[-1] is True
            with pytest.raises(KeyUnchecked):
                chain.deploy_verifier(contracts[1], ceremony)
