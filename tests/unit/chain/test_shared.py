"""One verifier for all models of a shape says of each what the model's own says."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assay.chain import networks
from assay.chain.compile import compile_solidity
from assay.chain.errors import KeyNotSupported, ModelElsewhere, TransactionReverted
from assay.chain.key import MAGIC, Key
from assay.chain.shared import create_model, model_code, shape_digest
from assay.chain.solidity import render_shared
from assay.core.keccak import keccak256
from assay.prove.calldata import verify_calldata

from .curve import R, multiply
from .reference import word
from .shapes import SHAPES
from .test_verifier import FALSE, TRUE, valid_proof, verdict

if TYPE_CHECKING:
    from assay.chain.deploy import Deployment

NAMES = ["one row", "batch", "private", "several output groups", "linear"]
GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "retraining.md"
OVER_ITS_OWN = 6_000
"""Gas that a call through a model's contract may cost more than one of its own verifier."""


def retrained(model, seed):
    """A model of the same shape and reference string: other hidden points, the same public ones."""
    rng, vk = random.Random(f"{seed} again"), bytearray(model.vk)
    logs = {name: list(values) for name, values in model.logs.items()}
    for name in ["w"] if model.key.linear else ["G", "A", "C"]:
        at = bytes(vk).index(b"".join(map(word, multiply(logs[name][0]))))
        logs[name][0] = rng.randrange(1, R)
        vk[at : at + 64] = b"".join(map(word, multiply(logs[name][0])))
    fresh = bytes(vk)
    return replace(model, vk=fresh, key=Key.parse(fresh), digest=keccak256(fresh), logs=logs)


@pytest.fixture(scope="module")
def shared(chain, deployed):
    """The shared verifier of a named shape."""
    made: dict[str, Deployment] = {}

    def get(name):
        if name not in made:
            source = render_shared(deployed(name)[0].vk)
            contract = compile_solidity({"Shared.sol": source.text})[source.name]
            assert source.model_id == "0x" + shape_digest(deployed(name)[0].vk).hex()
            made[name] = chain.deploy_verifier(contract, source)
        return made[name]

    return get


def created(chain, shared, model) -> Deployment:
    made = create_model(chain, shared, model.vk)
    assert chain._web3.to_checksum_address(made.address) == made.address
    return made


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_the_models_own_verifier_says(chain, deployed, shared, name):
    model, own = deployed(name)
    other = retrained(model, name)
    assert other.digest != model.digest
    assert shape_digest(other.vk) == shape_digest(model.vk)
    first, second = (created(chain, shared(name), one) for one in (model, other))
    assert [chain.call(one, "modelId") for one in (first, second)] == [model.digest, other.digest]
    assert chain.call(first, "shape") == chain.call(second, "shape") == chain.call(own, "shape")
    rng = random.Random(name)
    for rows in SHAPES[name][2]:
        proof, its = valid_proof(model, rows), valid_proof(other, rows)
        assert [verdict(chain, first, proof), verdict(chain, second, its)] == [TRUE, TRUE]
        # A proof of one model is none of the other.
        assert [verdict(chain, first, its), verdict(chain, second, proof), verdict(chain, own, its)] == [FALSE] * 3
        for position in rng.sample(range(len(proof.body) // 32), 6):
            body = bytearray(proof.body)
            body[32 * position + rng.randrange(32)] ^= 1 << rng.randrange(8)
            assert verdict(chain, first, proof, bytes(body)) == verdict(chain, own, proof, bytes(body)) == FALSE
        words = list(proof.words)
        words[-1] ^= 1
        assert verdict(chain, first, proof, words=words) == FALSE


@pytest.mark.parametrize("name", ["batch", "linear"])
def test_a_retrained_model_brings_data_only(chain, deployed, shared, name):
    model, own = deployed(name)
    made = created(chain, shared(name), retrained(model, "gas"))
    # The same key, through both.
    first = created(chain, shared(name), model)
    calldata = valid_proof(model, 1)
    calldata = verify_calldata(calldata.body, calldata.words)
    more = chain.send_calldata(first, calldata).gas_used - chain.send_calldata(own, calldata).gas_used
    assert 0 < more <= OVER_ITS_OWN
    assert made.receipt.gas_used < own.receipt.gas_used / 6
    # The guide's figures are what happened.
    said = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]{3,}", GUIDE.read_text(encoding="utf-8"))]
    for gas in (more, own.receipt.gas_used, made.receipt.gas_used, shared(name).receipt.gas_used):
        assert any(number == pytest.approx(gas, rel=0.1) for number in said), gas


def test_only_keys_of_the_shape(chain, deployed, shared):
    model, _ = deployed("batch")
    at = shared("batch")

    def refused(contract, *call):
        with pytest.raises(TransactionReverted) as caught:
            chain.send(contract, *call)
        return caught.value.reason

    # Another shape; another length; another public point; another reference string; another field of the shape.
    assert refused(at, "create", deployed("one row")[0].vk) == "OtherShape"
    assert refused(at, "create", model.vk[:-1]) == "OtherShape"
    pub = model.vk.index(b"".join(map(word, multiply(model.logs["Pub"][0]))))
    for position in (0, 11, 14, pub, len(model.vk) - 1, len(model.vk) - 128):
        changed = bytearray(model.vk)
        changed[position] ^= 1
        assert refused(at, "create", bytes(changed)) == "OtherShape"
    # Only a model's contract has a model, and it makes no others.
    first = created(chain, at, model)
    assert refused(first, "create", model.vk) == "NotTheShared"
    proof = valid_proof(model, 1)
    for call in (("modelId",), ("verify", proof.body, proof.words)):
        with pytest.raises(TransactionReverted, match="NotAModel"):
            chain.call(at, *call)
    # Made twice, it is at one address.
    again = created(chain, at, model)
    assert again.address == first.address
    assert again.receipt.gas_used < 100_000


def test_no_answer_without_enough_gas(chain, deployed, shared):
    model, _ = deployed("batch")
    first = created(chain, shared("batch"), model)
    proof = valid_proof(model, 1)
    calldata = verify_calldata(proof.body, proof.words)
    used = chain.send_calldata(first, calldata).gas_used
    answers = set()
    for gas in range(used - 120_000, used + 60_000, 15_000):
        try:
            answers.add(chain.call_calldata(first, calldata, gas=gas))
        except TransactionReverted as error:
            answers.add(error.reason)
    assert TRUE in answers
    assert "NotEnoughGas" in answers
    assert FALSE not in answers


def test_an_address_is_one(deployed):
    for wrong in ("0x12", "shared", "0x" + "g" * 40):
        with pytest.raises(KeyNotSupported, match="is not an address"):
            model_code(deployed("linear")[0].vk, wrong)


PRETENDER = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;
contract Pretender { function create(bytes calldata) external returns (address) {} }
"""


def test_a_contract_that_pretends_to_be_the_shared_one_is_found_out(chain, deployed):
    pretender = chain.deploy(compile_solidity({"Pretender.sol": PRETENDER})["Pretender"])
    with pytest.raises(ModelElsewhere, match="is not that of the model"):
        create_model(chain, pretender, deployed("linear")[0].vk)


def test_networks_share_none():
    network = MAGIC + bytes([networks.KIND]) + bytes(100)
    for call in (shape_digest, render_shared, lambda vk: model_code(vk, "0x" + "00" * 20)):
        with pytest.raises(KeyNotSupported, match="Networks cannot share a verifier yet"):
            call(network)
