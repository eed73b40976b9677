"""Proofs of a real node's state: checked here, and taken or refused by both contracts that read them."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.errors import NodeRefused, NoStorage, SlotEmpty, StateAltered, StateNotServed, TransactionReverted
from assay.chain.node import LocalNode
from assay.chain.state import StateProof, header_of, prove_state, require_served

ROOT = Path(__file__).parents[3]
CONTRACTS = ROOT / "contracts"
GUIDE = ROOT / "docs" / "guides" / "state-proofs.md"
sys.path.insert(0, str(ROOT))

from benchmarks import results, state  # noqa: E402

SLOTS = {0: 7, 8: (1 << 256) - 1, 9: 1 << 128, 1 << 255: 0x80, 3: 0x7F}
BOTH = ["row", "walk"]


class Place:
    """A node with a contract that keeps SLOTS, and the two readers."""

    def __init__(self, node: LocalNode) -> None:
        self.code = code = state.compiled()
        self.url = node.url
        self.chain = Chain(node.url)
        self.rows = self.chain.deploy(code["Rows"])
        self.keeper = self.chain.deploy(code["Keeper"])
        self.bare = self.chain.deploy(code["Keeper"])
        # Slots enough for branches below branches.
        crowd = {1000 + i: i + 1 for i in range(120)}
        for part in (SLOTS, crowd):
            self.keep(part)
        self.block = int(self.ask("eth_blockNumber"), 16)
        self.mine(2)
        self.proof = self.prove(*SLOTS)

    def keep(self, part: dict[int, int]) -> None:
        self.chain.send(self.keeper, "keep", [slot_bytes(slot) for slot in part], list(part.values()))

    def ask(self, method: str, *parameters):
        from web3 import HTTPProvider

        answer = HTTPProvider(self.url).make_request(method, list(parameters))
        if "error" in answer:
            raise NodeRefused(str(answer["error"]["message"]))
        return answer["result"]

    def mine(self, count: int) -> None:
        self.ask("anvil_mine", hex(count))

    def prove(self, *slots: int, **more) -> StateProof:
        return prove_state(self.ask, self.block, self.keeper.address, list(slots), **more)

    def read(self, how: str, proof: StateProof, account: str | None = None, oldest: int = 0):
        slots = [slot_bytes(slot) for slot in proof.slots]
        head, words = self.chain.call(self.rows, how, proof.argument(), oldest, account or self.keeper.address, slots)
        return head, list(words)

    def refusal(self, how: str, proof: StateProof, **more) -> str:
        with pytest.raises(TransactionReverted) as caught:
            self.read(how, proof, **more)
        return caught.value.reason


def slot_bytes(slot: int) -> bytes:
    return slot.to_bytes(32, "big")


@pytest.fixture(scope="module")
def place():
    with LocalNode(hardfork="prague") as node:
        yield Place(node)


@pytest.mark.parametrize("how", BOTH)
def test_a_contract_reads_what_another_one_keeps(place, how):
    head, words = place.read(how, place.proof)
    assert words == place.proof.words() == list(SLOTS.values())
    said = place.ask("eth_getBlockByNumber", hex(place.block), False)
    assert (head[0], head[1], head[2].hex()) == (
        place.block, int(said["timestamp"], 16), said["stateRoot"][2:]
    )  # fmt: skip
    assert (place.proof.number, place.proof.timestamp) == (head[0], head[1])


@pytest.mark.parametrize("how", BOTH)
def test_a_slot_that_holds_nothing_is_refused_by_name(place, how):
    with pytest.raises(SlotEmpty, match="0x5 "):
        place.prove(5)
    absent = place.prove(5, absent=True)
    assert absent.words(absent=True) == [0]
    # OpenZeppelin's TrieProof knows no absence: an empty child is to it a node that is none.
    assert place.refusal(how, absent) in {"row": {"SlotNotProven", "RLPInvalidEncoding"}, "walk": {"SlotAbsent"}}[how]


def test_a_zero_is_proven_where_it_may_be(place):
    absent = place.prove(5, absent=True)
    assert place.chain.call(place.rows, "walkOrZero", absent.argument(), place.keeper.address, slot_bytes(5)) == 0
    # What is there is not said to be absent by another slot's proof.
    other = replace(absent, slots=(8,))
    with pytest.raises(TransactionReverted) as caught:
        place.chain.call(place.rows, "walkOrZero", other.argument(), place.keeper.address, slot_bytes(8))
    assert caught.value.reason == "SlotNotProven"
    with pytest.raises(StateAltered):
        other.words(absent=True)


@pytest.mark.parametrize("how", BOTH)
def test_a_proof_of_another_account_is_refused(place, how):
    named = {"AccountNotProven"} | ({"RLPInvalidEncoding"} if how == "row" else set())
    assert place.refusal(how, place.proof, account=place.rows.address) in named
    with pytest.raises(StateAltered, match="account"):
        replace(place.proof, account=place.rows.address).words()


@pytest.mark.parametrize("how", BOTH)
def test_an_account_that_keeps_nothing_is_refused(place, how):
    bare = place.bare.address
    with pytest.raises(NoStorage, match=bare):
        prove_state(place.ask, place.block, bare, [0])
    said = place.ask("eth_getProof", bare, [], hex(place.block))
    nodes = b"".join(bytes.fromhex(node[2:]) for node in said["accountProof"])
    made = replace(place.proof, account=bare, account_proof=nodes)
    assert place.refusal(how, made, account=bare) == "AccountWithoutStorage"


@pytest.mark.parametrize("how", BOTH)
def test_blocks_are_the_chains_own_and_not_too_old(place, how):
    assert place.refusal(how, place.proof, oldest=place.block + 1) == "BlockTooOld"
    # A header of the future, whose hash the chain would say is zero.
    header = bytearray(place.proof.header)
    at = bytes(header).index(bytes([place.block]), 448)
    header[at] += 100
    assert place.refusal(how, replace(place.proof, header=bytes(header))) == "BlockUnknown"
    header[at] = place.block - 1
    assert place.refusal(how, replace(place.proof, header=bytes(header))) == "WrongHeader"
    with pytest.raises(StateAltered, match="hashes to"):
        place.proof.words(block_hash=bytes(32))


@pytest.mark.parametrize("how", BOTH)
def test_every_slot_has_a_proof_of_its_own(place, how):
    assert place.refusal(how, replace(place.proof, slot_proofs=place.proof.slot_proofs[:-1])) == "WrongCount"
    turned = replace(place.proof, slot_proofs=place.proof.slot_proofs[::-1])
    assert place.refusal(how, turned) == "SlotNotProven"
    with pytest.raises(StateAltered, match="slot"):
        turned.words()


@pytest.mark.parametrize("how", BOTH)
def test_an_old_block_is_known_by_the_history_contract_alone(place, how):
    """EIP-2935; where it is not, where it refuses, and where it says zero, the block is not known."""
    history = "0x0000F90827F1C53a10cb7A02335B175320002935"
    code = place.ask("eth_getCode", history, "latest")
    if int(place.ask("eth_blockNumber"), 16) - place.block < 257:
        place.mine(300)
    assert place.read(how, place.proof)[1] == list(SLOTS.values())
    for other in ("0x", "0x60006000fd", "0x60206000f3"):
        place.ask("anvil_setCode", history, other)
        assert place.refusal(how, place.proof) == "BlockUnknown"
    place.ask("anvil_setCode", history, code)


def test_a_node_without_proofs_is_found_at_the_start(place):
    require_served(place.ask, place.keeper.address, 1)
    head = place.ask("eth_blockNumber")

    def forgets(method, *parameters):
        if method == "eth_getProof" and parameters[2] != head:
            raise NodeRefused("distance to target block exceeds maximum proof window")
        return place.ask(method, *parameters)

    require_served(forgets, place.keeper.address, 0)
    with pytest.raises(StateNotServed, match=r"proof window.*--rpc\.eth-proof-window"):
        require_served(forgets, place.keeper.address, 1)
    with pytest.raises(StateNotServed, match="not with the proofs"):
        require_served(lambda method, *_: "0x1" if method == "eth_blockNumber" else {}, place.keeper.address, 0)


def test_a_header_with_unknown_fields_is_not_guessed_at(place):
    def newer(method, *parameters):
        return place.ask(method, *parameters) | {"requestsHash": "0x" + "11" * 32}

    with pytest.raises(StateNotServed, match="not known here"):
        header_of(newer, place.block)
    with pytest.raises(StateNotServed, match="no block"):
        header_of(place.ask, 1 << 40)


def test_a_proof_is_read_back_from_json(place):
    import json

    again = StateProof.from_dict(json.loads(json.dumps(place.proof.to_dict())))
    assert again == place.proof
    whole = place.proof.to_dict()
    more = [{"header": 3}, {"slots": ["x"]}, {"slots": []}, {"slots": ["0x" + "11" * 33]}, {"account": "0x"}]
    for broken in ({}, None, *(whole | one for one in more)):
        with pytest.raises(StateAltered):
            StateProof.from_dict(broken)


def test_the_guides_figures_are_those_of_the_command(place):
    """`python -m benchmarks.state` on this node, small: what does not hang on the size is what the page says."""
    found = state.measured(place.url, place.code, [1], 0)
    kept = results.read(state.NAME)
    assert state.table(kept) in GUIDE.read_text(encoding="utf-8"), "run `python -m benchmarks.state --render`"
    smallest = next(one for one in kept["parts"] if one["slots"] == 1)
    for how in ("openzeppelin", "assay"):
        assert found["parts"][0]["slot"][how] == pytest.approx(smallest["slot"][how], rel=0.02)
        # A header's numbers grow with the chain.
        assert found["parts"][0]["header"][how] == pytest.approx(smallest["header"][how], rel=0.1)


def test_what_the_guide_shows_happens(place, capsys):
    solidity, python = (
        re.search(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[1]
        for language in ("solidity", "python")
    )
    source = CONTRACTS / "src" / "state"
    sources = {f"assay/state/{name}": text for name, text in read_sources(source, paths=["StateWalk.sol"]).items()}
    vault = place.chain.deploy(place.code["Keeper"])
    place.chain.send(vault, "keep", [slot_bytes(2)], [77])
    block = int(place.ask("eth_blockNumber"), 16)
    place.mine(2)
    own = solidity.replace("0x1111111111111111111111111111111111111111", vault.address)
    assert own != solidity
    code = compile_solidity({"Own.sol": f"pragma solidity ^0.8.24;\n{own}", **sources})
    reader = place.chain.deploy(code["ReadsAnother"])
    names = {"url": place.url, "vault": vault.address, "block": block}
    exec(compile(python, GUIDE.name, "exec"), names)  # noqa: S102  our own page
    assert capsys.readouterr().out == f"{block} [77]\n"
    assert StateProof.from_dict(names["kept"]).words() == [77]
    place.mine(90 - int(place.ask("eth_blockNumber"), 16) + block)
    place.chain.send(reader, "read", names["argument"])
    assert place.chain.call(reader, "shares") == 77
    place.mine(20)
    with pytest.raises(TransactionReverted) as caught:
        place.chain.send(reader, "read", names["argument"])
    assert caught.value.reason == "BlockTooOld"
