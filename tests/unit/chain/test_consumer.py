"""The example pool with a real generated verifier: its state moves for a valid proof of the posted row only."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import pytest

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.errors import TransactionReverted
from assay.chain.solidity import render

from .trapdoor import forge

CONTRACTS = Path(__file__).parents[3] / "contracts" / "src"
POOL = ["examples/RegimeFeePool.sol", "interfaces/IAssayVerifier.sol"]
CALM, TURBULENT = 500, 3_000
DAY = 86_400
ROW, OTHER_ROW = [7, 1 << 32, 9], [7, 8, 9]


@pytest.fixture(scope="module")
def pool_code():
    return compile_solidity(read_sources(CONTRACTS, paths=POOL))["RegimeFeePool"]


@pytest.fixture
def pool(chain, deployed, pool_code):
    model, verifier = deployed("one row")
    return chain.deploy(pool_code, *pinned(model, verifier), chain.account, DAY, CALM, TURBULENT)


@cache
def code_hash(vk):
    """Of the code that the key's source compiles to; the node's own is compared with it by the pool."""
    source = render(vk)
    return compile_solidity({"Verifier.sol": source.text})[source.name].code_hash


def pinned(model, verifier):
    return verifier.address, code_hash(model.vk), model.digest


def proof_of(model, row, margin, seed=0):
    proof = forge(random.Random(seed), model, 1, [*row, margin % (1 << 256), 0])
    return proof.body, proof.words


def refused(chain, pool, *call) -> str:
    with pytest.raises(TransactionReverted) as caught:
        chain.send(pool, *call)
    return caught.value.reason


@pytest.mark.parametrize(("margin", "fee"), [(5, TURBULENT), (1, TURBULENT), (0, CALM), (-1, CALM), (-(1 << 59), CALM)])
def test_the_margins_sign_sets_the_fee(chain, deployed, pool, margin, fee):
    model, _ = deployed("one row")
    chain.send(pool, "postRow", ROW)
    receipt = chain.send(pool, "settle", *proof_of(model, ROW, margin))
    assert receipt.gas_used < 500_000
    assert chain.call(pool, "fee") == fee


def test_no_proof_counts_twice(chain, deployed, pool):
    model, _ = deployed("one row")
    chain.send(pool, "postRow", ROW)
    proof = proof_of(model, ROW, 5)
    chain.send(pool, "settle", *proof)
    # The same bytes, and a fresh proof of the same statement.
    assert refused(chain, pool, "settle", *proof) == "AlreadyProven"
    assert refused(chain, pool, "settle", *proof_of(model, ROW, 5, seed=1)) == "AlreadyProven"
    # Nor on a later day, whatever is pending, or if the row comes back: then the forecast is known.
    chain.send(pool, "postRow", OTHER_ROW)
    assert refused(chain, pool, "settle", *proof) == "AlreadyProven"
    chain.send(pool, "settle", *proof_of(model, OTHER_ROW, -5))
    assert chain.call(pool, "fee") == CALM
    chain.send(pool, "postRow", ROW)
    assert chain.call(pool, "fee") == TURBULENT
    assert refused(chain, pool, "settle", *proof) == "AlreadyProven"


def test_only_the_posted_row_and_a_valid_proof(chain, deployed, pool):
    model, _ = deployed("one row")
    body, words = proof_of(model, ROW, 5)
    assert refused(chain, pool, "settle", body, words) == "RowNotPending"
    chain.send(pool, "postRow", OTHER_ROW)
    assert refused(chain, pool, "settle", body, words) == "RowNotPending"
    chain.send(pool, "postRow", ROW)
    assert refused(chain, pool, "settle", body, [*ROW, 6, 0]) == "InvalidProof"
    assert refused(chain, pool, "settle", body[:-1] + bytes([body[-1] ^ 1]), words) == "InvalidProof"
    assert refused(chain, pool, "settle", b"", words) == "InvalidProof"
    assert refused(chain, pool, "settle", body, [*words, 0]) == "WrongLength"
    assert refused(chain, pool, "settle", body, words[:2]) == "WrongLength"
    assert chain.call(pool, "fee") == CALM
    chain.send(pool, "settle", body, words)
    assert chain.call(pool, "fee") == TURBULENT


def test_the_model_is_pinned(chain, deployed, pool_code):
    terms = (chain.account, DAY, CALM, TURBULENT)
    model, verifier = deployed("one row")
    address, code, digest = pinned(model, verifier)
    with pytest.raises(TransactionReverted, match="WrongModel"):
        chain.deploy(pool_code, address, code, bytes(32), *terms)
    # Another contract may call itself by the same digest: its code is not the reviewed one.
    other, impostor = deployed("linear")
    with pytest.raises(TransactionReverted, match="WrongCode"):
        chain.deploy(pool_code, impostor.address, code, digest, *terms)
    with pytest.raises(TransactionReverted, match="WrongModel"):
        chain.deploy(pool_code, impostor.address, code_hash(other.vk), digest, *terms)
    for shape in ("several output groups", "private"):
        with pytest.raises(TransactionReverted, match="UnsuitableModel"):
            chain.deploy(pool_code, *pinned(*deployed(shape)), *terms)
