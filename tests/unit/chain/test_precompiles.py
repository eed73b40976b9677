"""Chains without the precompiles: nothing deploys there, and nothing is accepted there.

Anvil cannot lose them: code that is set there, state overrides and `movePrecompileToAddress` change nothing, and the
hardforks before them have no STATICCALL either. So the contract is made to call accounts without code in their place:
what such a chain answers, by the same machine. A call of an empty account succeeds, writes nothing and returns nothing.
"""

from __future__ import annotations

import random
import re
from itertools import product

import pytest

from assay.chain.compile import compile_solidity
from assay.chain.errors import TransactionReverted
from assay.chain.solidity import render
from assay.prove.calldata import verify_calldata

from . import reference
from .curve import R, multiply
from .shapes import SHAPES
from .trapdoor import Forged, forge

TRUE, FALSE = bytes(31) + b"\x01", bytes(32)
PRECOMPILES = ["0x05", "0x06", "0x07", "0x08"]
RELATIONS = ["batch", "linear"]

# What each guard is replaced by in a contract without it.
PAIRING_SIZE = (r"eq\(returndatasize\(\), 0x20\), staticcall\(gas\(\), 0x(\w*)08", r"1, staticcall(gas(), 0x\g<1>08")
PAIRING_STALE = (r"mstore\(0x00, 0\)\n(?=\s+holds)", "mstore(0x00, 1)\n")
CURVE_SIZES = (r"eq\(returndatasize\(\), 0x40\)(?=, staticcall)", "1")
# Calls of `verify`, and of the constructor; an account above 2^16 has no code on any chain.
VERIFY = (r"(staticcall\((?:gas\(\)|\d+), 0x)({})", r"\g<1>dead\g<2>")
CONSTRUCTOR = (r"answers\(0x({})", r"answers(0xdead\g<1>")


def model_of(shape):
    maker, changes, _ = SHAPES[shape]
    return maker(random.Random(shape), **changes)


def changed(text: str, *changes: tuple[str, str]) -> str:
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text)
        assert count, pattern
    return text


def without(change: tuple[str, str], precompiles) -> tuple[str, str]:
    """The calls of these precompiles, to empty accounts."""
    return change[0].format("|".join(name[2:] for name in precompiles)), change[1]


def deploy(chain, source, text):
    return chain.deploy_verifier(compile_solidity({"V.sol": text})[source.name], source)


def nonsense(model, seed=0) -> Forged:
    """A statement that nothing proves, with points that are on the curve: W = -a·tau, W' = a."""
    rng = random.Random(seed)
    a = rng.randrange(1, R)
    proof = forge(rng, model, 1, logs={"W": -a * model.tau % R})
    return Forged(1, proof.words, proof.body[:-64] + b"".join(map(reference.word, multiply(a))))


def verdict(chain, verifier, proof):
    return chain.call_calldata(verifier, verify_calldata(proof.body, proof.words))


@pytest.mark.parametrize(("shape", "precompile"), product(RELATIONS, PRECOMPILES))
def test_nothing_deploys_where_one_is_missing(chain, shape, precompile):
    source = render(model_of(shape).vk)
    text = changed(source.text, without(CONSTRUCTOR, [precompile]))
    with pytest.raises(TransactionReverted) as caught:
        deploy(chain, source, text)
    assert caught.value.reason == "MissingPrecompile"


@pytest.mark.parametrize(("shape", "precompile"), product(RELATIONS, PRECOMPILES))
def test_verify_accepts_nothing_where_one_is_missing(chain, shape, precompile):
    model = model_of(shape)
    source = render(model.vk)
    verifier = deploy(chain, source, changed(source.text, without(VERIFY, [precompile])))
    for seed in range(6):
        for proof in (forge(random.Random(seed), model, 1), nonsense(model, seed)):
            assert verdict(chain, verifier, proof) == FALSE


@pytest.mark.parametrize("shape", RELATIONS)
def test_a_missing_pairing_is_caught_twice(chain, shape):
    """Without both guards any proof is accepted; either is enough."""
    model = model_of(shape)
    source = render(model.vk)
    gone = changed(source.text, without(VERIFY, ["0x08"]))
    proof = nonsense(model)
    assert verdict(chain, deploy(chain, source, changed(gone, PAIRING_SIZE, PAIRING_STALE)), proof) == TRUE
    assert verdict(chain, deploy(chain, source, changed(gone, PAIRING_SIZE)), proof) == FALSE
    assert verdict(chain, deploy(chain, source, changed(gone, PAIRING_STALE)), proof) == FALSE


@pytest.mark.parametrize("shape", RELATIONS)
def test_missing_curve_operations_are_caught(chain, shape):
    """Without addition the sum is [W] alone, which whoever knows [tau]_1 cancels with W'."""
    model = model_of(shape)
    source = render(model.vk)
    proof = nonsense(model)
    for missing in (["0x06"], ["0x06", "0x07"]):
        gone = changed(source.text, without(VERIFY, missing))
        assert verdict(chain, deploy(chain, source, changed(gone, CURVE_SIZES)), proof) == TRUE
        assert verdict(chain, deploy(chain, source, gone), proof) == FALSE
    assert verdict(chain, deploy(chain, source, source.text), proof) == FALSE


def test_what_answers_wrongly_is_no_precompile(chain):
    """An account that answers each call with as many bytes, but others, is refused like an empty one."""
    source = render(model_of("linear").vk)
    # The identity precompile answers with what it was sent.
    echo = "0x04"
    for precompile in PRECOMPILES:
        text = changed(source.text, (rf"answers\({precompile}", f"answers({echo}"))
        with pytest.raises(TransactionReverted, match="MissingPrecompile"):
            deploy(chain, source, text)
