"""Contracts that follow a registry, with real proofs of real models on a node."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tests.journey.registered import (
    CONTRACTS,
    EXISTING,
    LINE,
    NOBODY,
    PATHS,
    STEP,
    VERIFY_GAS,
    WEEK,
    Fee,
    Version,
    trees,
)

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.errors import TransactionReverted
from assay.chain.node import LocalNode

OVER_PINNING = 15_000
GUIDE = CONTRACTS.parents[1] / "docs" / "guides" / "consumers.md"


@pytest.fixture(scope="module")
def chain():
    with LocalNode() as node:
        yield Chain(node.url)


@pytest.fixture(scope="module")
def compiled():
    return compile_solidity(read_sources(CONTRACTS, paths=PATHS))


@pytest.fixture(scope="module")
def registry(chain, compiled):
    # On a local chain one account may have all three roles, and nothing waits.
    who = chain.account
    return chain.deploy(compiled["ModelRegistry"], bytes(32), who, who, who, 0, NOBODY)


def refused(chain, contract, *call) -> str:
    with pytest.raises(TransactionReverted) as caught:
        chain.send(contract, *call)
    return caught.value.reason


def test_a_fee_follows_the_registry_and_costs_little_more_than_pinning(chain, compiled, registry):
    model, X = trees(0)
    first = Version(chain, registry, model, X)
    first.decide(chain, registry)
    fee = Fee(chain, compiled, registry)
    margins = model.decision_function(X)
    high, low = X[int(np.argmax(margins))], X[int(np.argmin(margins))]

    proof = fee.post(first, high)
    assert fee.now == EXISTING
    tampered = bytes([proof.body[0] ^ 1]) + proof.body[1:]
    assert refused(chain, fee.contract, "settle", tampered, proof.public_inputs) == "InvalidProof"
    unbound = first.prove(high)
    assert refused(chain, fee.contract, "settle", unbound.body, unbound.public_inputs) == "WrongContext"
    forged = [*unbound.public_inputs[:-1], proof.context]
    assert refused(chain, fee.contract, "settle", unbound.body, forged) == "InvalidProof"
    fee.settle(proof)
    assert fee.now == EXISTING + STEP
    assert refused(chain, fee.contract, "settle", proof.body, proof.public_inputs) == "RowNotPending"

    # The same proof settles the contract that pins one model: what following costs is the difference, once no
    # storage slot of either is new.
    terms = (first.verifier.address, first.code, first.model, chain.account, EXISTING, WEEK, LINE)
    pinned = chain.deploy(compiled["ForecastFee"], *terms)
    for row in (high, low):
        proof = fee.post(first, row)
        chain.send(pinned, "postRow", proof.public_inputs[:-2])
        more = fee.settle(proof).gas_used - chain.send(pinned, "settle", proof.body, proof.public_inputs).gas_used
    assert 0 < more <= OVER_PINNING
    said = re.search(r"Following costs ([\d,]+) gas", GUIDE.read_text(encoding="utf-8"))
    assert more == pytest.approx(int(said[1].replace(",", "")), rel=0.1)

    # A retrained model takes over; the row that was posted for the first is still settled by it.
    second = Version(chain, registry, *trees(1))
    proof = fee.post(first, high)
    second.decide(chain, registry)
    before = fee.now
    fee.settle(proof)
    assert fee.now == before + STEP
    assert refused(chain, fee.contract, "postRow", first.number, proof.public_inputs[:-2]) == "NotTheDefault"
    proof = fee.post(second, low)
    fee.settle(proof)
    assert (fee.now, chain.call(fee.contract, "forecastVersion")) == (before, second.number)

    # Frozen: what decided before decides again, at once; then the way back.
    chain.send(registry, "freeze", second.model, "a test")
    assert fee.now == EXISTING
    chain.send(registry, "back", first.number)
    fee.settle(fee.post(first, high))
    assert fee.now == EXISTING + STEP


def test_a_credit_limit_from_a_row_that_nobody_sees(chain, compiled):
    who = chain.account
    registry = chain.deploy(compiled["ModelRegistry"], bytes(32), who, who, who, 0, NOBODY)
    model, X = trees(2)
    version = Version(chain, registry, model, X, inputs="private")
    version.decide(chain, registry)
    existing = chain.deploy(compiled["FixedLimit"], 100)
    margins = model.decision_function(X)
    good, bad = int(np.argmax(margins)), int(np.argmin(margins))
    middle = int(1e18 * (margins[good] + margins[bad]) / 2)
    tiers = [(middle - 10**15, 1_000), (middle, 5_000)]
    credit = chain.deploy(
        compiled["CreditLimit"], registry.address, who, existing.address, WEEK, VERIFY_GAS, False, tiers
    )
    alice, bob = "0x" + "11" * 20, "0x" + "22" * 20

    def limit(borrower):
        return chain.call(credit, "limitOf", borrower)

    def attested(borrower, row, opening):
        """The attester commits to a row with a secret that it shares with the borrower, who then proves."""
        commitment = version.prove(X[row], opening=opening).public_inputs[:2]
        chain.send(credit, "attest", borrower, version.number, commitment)
        period = chain.call(credit, "accounts", borrower)[0]
        proof = version.prove(X[row], opening=opening, context=chain.call(credit, "contextOf", borrower, period))
        assert proof.public_inputs[:2] == commitment
        return proof

    def settle(borrower, proof):
        return chain.send(credit, "settle", borrower, proof.body, proof.public_inputs)

    proof = attested(alice, good, b"a" * 32)
    # What goes on the chain: a commitment of two words, a score, a context.
    assert len(proof.public_inputs) == 4
    assert limit(alice) == 100
    settle(alice, proof)
    assert (limit(alice), limit(bob)) == (5_000, 100)
    assert refused(chain, credit, "settle", alice, proof.body, proof.public_inputs) == "RowNotPending"

    # Alice's good row is not Bob's, by whatever proof; and with a secret of his own he cannot match the commitment.
    proof = attested(bob, bad, b"b" * 32)
    context = chain.call(credit, "contextOf", bob, 1)
    better = version.prove(X[good], opening=b"b" * 32, context=context)
    assert refused(chain, credit, "settle", bob, better.body, better.public_inputs) == "RowNotPending"
    mixed = [*proof.public_inputs[:2], *better.public_inputs[2:]]
    assert refused(chain, credit, "settle", bob, better.body, mixed) == "InvalidProof"
    other = version.prove(X[bad], opening=b"c" * 32, context=context)
    assert refused(chain, credit, "settle", bob, other.body, other.public_inputs) == "RowNotPending"
    settle(bob, proof)
    assert limit(bob) == 0

    chain.send(registry, "freeze", version.model, "a test")
    assert (limit(alice), limit(bob)) == (100, 100)
