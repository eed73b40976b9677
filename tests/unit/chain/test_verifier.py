"""The generated contract against the plain-Python reading of the protocol, on proofs made with the trapdoor."""

from __future__ import annotations

import random

import pytest
from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.chain.compile import RUNTIME_LIMIT, compile_solidity
from assay.chain.errors import NodeRefused, TransactionReverted
from assay.chain.solidity import render
from assay.prove.calldata import verify_calldata

from . import reference
from .curve import P, R
from .shapes import SHAPES
from .trapdoor import Forged, forge

TRUE, FALSE = bytes(31) + b"\x01", bytes(32)
CASES = [(name, rows) for name, (_, _, numbers) in SHAPES.items() for rows in numbers]
ALL_SHAPES = list(SHAPES)


def valid_proof(model, rows, seed=0) -> Forged:
    """A valid proof of a random statement that the key's missing rules allow."""
    rng = random.Random(f"{rows} {seed}")
    while True:
        try:
            return forge(rng, model, rows)
        except reference.Refused:
            continue


def verdict(chain, verifier, proof: Forged, body: bytes | None = None, words: list[int] | None = None) -> bytes:
    calldata = verify_calldata(proof.body if body is None else body, proof.words if words is None else words)
    return chain.call_calldata(verifier, calldata)


@pytest.mark.parametrize(("name", "rows"), CASES)
def test_accepts_what_the_equations_accept(chain, deployed, name, rows):
    model, verifier = deployed(name)
    for seed in range(2):
        assert verdict(chain, verifier, valid_proof(model, rows, seed)) == TRUE


@pytest.mark.parametrize(("name", "rows"), CASES)
def test_refuses_a_change_of_any_word(chain, deployed, name, rows):
    model, verifier = deployed(name)
    proof = valid_proof(model, rows)
    rng = random.Random(f"{name} {rows}")
    size = len(proof.body) // 32
    for position in rng.sample(range(size), min(12, size)):
        body = bytearray(proof.body)
        body[32 * position + rng.randrange(32)] ^= 1 << rng.randrange(8)
        assert verdict(chain, verifier, proof, bytes(body)) == FALSE
    for position in rng.sample(range(len(proof.words)), min(6, len(proof.words))):
        words = list(proof.words)
        words[position] ^= 1 << rng.randrange(32)
        assert verdict(chain, verifier, proof, words=words) == FALSE


def test_missing_where_it_is_refused(chain, deployed):
    model, verifier = deployed("every missing rule")
    proof = valid_proof(model, 1)
    for feature, word in [(0, 1 << 32), (4, 1 << 32), (4, 0x80000000), (6, (1 << 32) + 1), (5, (1 << 32) + 1)]:
        words = list(proof.words)
        words[feature] = word
        with pytest.raises(reference.Refused):
            reference.equation(model.key, model.digest, 1, words, proof.body)
        assert verdict(chain, verifier, proof, words=words) == FALSE


@pytest.mark.parametrize("name", ["one row", "linear", "private"])
def test_points_that_are_none(chain, deployed, name):
    model, verifier = deployed(name)
    proof = valid_proof(model, 1)
    key = model.key
    rounds = reference.point_names(key, 0)
    before = sum(len(names) for names in rounds[:3])
    evaluations = 32 * len(reference.evaluation_names(key, 0))
    places = [64 * i for i in range(before)] + [64 * before + evaluations, 64 * before + evaluations + 64]
    for place in places:
        x, y = (int.from_bytes(proof.body[place + i : place + i + 32], "big") for i in (0, 32))
        for point in [(0, 0), (x, P - y), (x, (y + 1) % P), (x + P, y), (x, y + P), (0, P), (P, 0), (P, P)]:
            if max(point) < 1 << 256:
                pair = b"".join(reference.word(c) for c in point)
                body = proof.body[:place] + pair + proof.body[place + 64 :]
                assert verdict(chain, verifier, proof, body) == FALSE


@pytest.mark.parametrize("name", ["one row", "linear", "private"])
def test_scalars_are_reduced(chain, deployed, name):
    model, verifier = deployed(name)
    proof = valid_proof(model, 1)
    count = len(reference.evaluation_names(model.key, 0))
    start = len(proof.body) - 128 - 32 * count
    for i in range(count):
        at = start + 32 * i
        value = int.from_bytes(proof.body[at : at + 32], "big")
        for other in (value + R, R, (1 << 256) - 1):
            body = proof.body[:at] + reference.word(other) + proof.body[at + 32 :]
            assert verdict(chain, verifier, proof, body) == FALSE


@pytest.mark.parametrize("name", ["one row", "linear", "private"])
def test_lengths_and_offsets(chain, deployed, name):
    model, verifier = deployed(name)
    proof = valid_proof(model, 1)
    calldata = verify_calldata(proof.body, proof.words)
    assert chain.call_calldata(verifier, calldata) == TRUE
    for body in (b"", proof.body[:-32], proof.body + bytes(32), proof.body[:-1], proof.body + b"\0"):
        assert verdict(chain, verifier, proof, body) == FALSE
    for words in ([], proof.words[:-1], [*proof.words, 0], proof.words * 2, proof.words * 3):
        assert verdict(chain, verifier, proof, words=words) == FALSE
    # The same content behind other offsets, or with something behind it.
    assert chain.call_calldata(verifier, calldata + bytes(32)) == FALSE
    assert chain.call_calldata(verifier, calldata + b"\0") == FALSE
    assert chain.call_calldata(verifier, moved(calldata, 32)) == FALSE


FORWARDED = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
interface Verifier { function verify(bytes calldata, uint256[] calldata) external view returns (bool); }
contract Consumer {
    function settle(Verifier verifier, bytes calldata proof, uint256[] calldata words) external view returns (bool) {
        return verifier.verify(proof, words);
    }
}
"""


def test_what_a_forwarder_appends_reaches_the_consumer_and_not_the_verifier(chain, deployed):
    """ERC-2771: a trusted forwarder appends the sender's 20 bytes to the calldata of what it calls."""
    model, verifier = deployed("one row")
    proof = valid_proof(model, 1)
    sender = bytes.fromhex(chain.account[2:])
    assert chain.call_calldata(verifier, verify_calldata(proof.body, proof.words) + sender) == FALSE
    consumer = chain.deploy(compile_solidity({"Consumer.sol": FORWARDED})["Consumer"])
    arguments = encode(["address", "bytes", "uint256[]"], [verifier.address, proof.body, proof.words])
    called = function_signature_to_4byte_selector("settle(address,bytes,uint256[])") + arguments
    assert chain.call_calldata(consumer, called) == TRUE
    assert chain.call_calldata(consumer, called + sender) == TRUE


def moved(calldata: bytes, gap: int) -> bytes:
    """The arguments behind a gap that the offsets skip."""
    first, second = (int.from_bytes(calldata[i : i + 32], "big") + gap for i in (4, 36))
    return calldata[:4] + reference.word(first) + reference.word(second) + bytes(gap) + calldata[68:]


@pytest.mark.parametrize(("name", "rows"), CASES)
def test_no_answer_without_enough_gas(chain, deployed, name, rows):
    """A starved call must not call a valid proof invalid."""
    model, verifier = deployed(name)
    proof = valid_proof(model, rows)
    calldata = verify_calldata(proof.body, proof.words)
    used = chain.send_calldata(verifier, calldata).gas_used
    verdicts = set()
    # A call's limit is also for the calldata, whose least price can exceed what is used.
    for gas in range(max(used - 90_000, 60_000), used + 12_000, 2_000):
        try:
            verdicts.add(chain.call_calldata(verifier, calldata, gas=gas))
        except TransactionReverted as error:
            verdicts.add(error.reason)
        except NodeRefused:  # out of gas before the check
            continue
    assert FALSE not in verdicts
    assert verdicts <= {TRUE, "NotEnoughGas"}


def test_sums_do_not_overflow(chain, deployed):
    """Six limbs, fixed polynomials and a batch: as many addends as any shape has, whatever their size."""
    model, verifier = deployed("private, six limbs")
    for seed in range(80):
        proof = forge(random.Random(seed), model, 2)
        assert chain.call_calldata(verifier, verify_calldata(proof.body, proof.words)) == TRUE, seed


@pytest.mark.parametrize("name", ["one row", "linear", "private", "100 x 6"])
def test_garbage_costs_no_more_than_a_proof(chain, deployed, name):
    model, verifier = deployed(name)
    proof = valid_proof(model, 1)
    enough = chain.send_calldata(verifier, verify_calldata(proof.body, proof.words)).gas_used
    rng = random.Random(name)
    for body in (bytes(len(proof.body)), b"\xff" * len(proof.body), rng.randbytes(len(proof.body))):
        calldata = verify_calldata(body, proof.words)
        assert chain.call_calldata(verifier, calldata) == FALSE
        assert chain.send_calldata(verifier, calldata).gas_used <= enough + 16 * len(body)


@settings(max_examples=60)
@given(st.data())
def test_any_bytes_end_in_a_verdict(chain, deployed, data):
    model, verifier = deployed(data.draw(st.sampled_from(["batch", "linear", "private", "every missing rule"])))
    proof = valid_proof(model, data.draw(st.integers(1, 2)))
    valid = verify_calldata(proof.body, proof.words)
    calldata = bytearray(valid)
    for _ in range(data.draw(st.integers(1, 4))):
        calldata[data.draw(st.integers(4, len(calldata) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert (chain.call_calldata(verifier, bytes(calldata)) == TRUE) == (calldata == valid)
    except TransactionReverted:
        # Only Solidity's own decoder reverts: on offsets and lengths that point outside the calldata.
        heads = [*range(4, 100), *range(100 + len(proof.body), 132 + len(proof.body))]
        assert any(calldata[at] != valid[at] for at in heads)


def test_a_proof_for_another_key_is_refused(chain, deployed):
    model, _ = deployed("one row")
    proof = valid_proof(model, 1)
    _, other = deployed("batch")
    assert verdict(chain, other, proof) == FALSE


def test_shape_and_identity(chain, deployed):
    model, verifier = deployed("several output groups")
    assert chain.call(verifier, "modelId") == model.digest
    assert tuple(chain.call(verifier, "shape")) == (3, 6, 44, 32, 4, False, True)


def test_gas_and_size_of_a_hundred_trees(chain, deployed):
    """The figures that the README promises; the node runs the newest fork's prices."""
    model, verifier = deployed("100 x 6")
    proof = valid_proof(model, 1)
    assert chain.send_calldata(verifier, verify_calldata(proof.body, proof.words)).gas_used < 262_000
    source = render(model.vk)
    assert compile_solidity({"V.sol": source.text})[source.name].runtime_size < RUNTIME_LIMIT * 3 // 4


def test_the_abi_names_both_arguments(deployed):
    _, verifier = deployed("linear")
    (verify,) = (entry for entry in verifier.abi if entry.get("name") == "verify")
    assert [entry["name"] for entry in verify["inputs"]] == ["proof", "publicInputs"]
