"""Proofs that satisfy the pairing equation and break one rule: refused, and accepted once that check is cut out.

The second half is what gives the first its worth: nothing but the check stands in the way.
"""

from __future__ import annotations

import random
import re

import pytest

from assay.chain.compile import compile_solidity
from assay.chain.solidity import VerifierSource, render
from assay.prove.calldata import verify_calldata

from . import reference
from .curve import P, R
from .shapes import SHAPES
from .trapdoor import forge, random_words

TRUE, FALSE = bytes(31) + b"\x01", bytes(32)


def large_scalars(rng, model):
    return forge(rng, model, 1, scalar=lambda: rng.randrange(R) + R)


def point_at_infinity(name):
    return lambda rng, model: forge(rng, model, 1, logs={name: 0})


def words_with(position, change, rows=1):
    def make(rng, model):
        words = random_words(rng, model.key, rows)
        words[position] = change(words[position]) % (1 << 256)
        return forge(rng, model, rows, words)

    return make


# What is broken; the shape; how the forger does it; the check in the source.
RULES = [
    ("a scalar is below r", "one row", large_scalars, r"good := and\(good, lt\(mload\(\w+\), R\)\)"),
    ("a scalar is below r", "linear", large_scalars, r"good := and\(good, lt\(mload\(\w+\), R\)\)"),
    ("no point is infinity", "one row", point_at_infinity("m"), r"gt\(mload\(sub\(M_SCALAR, 0x20\)\), 0\)"),
    ("no point is infinity", "linear", point_at_infinity("phi"), r"gt\(mload\(sub\(PHI_SCALAR, 0x20\)\), 0\)"),
    ("W is not infinity", "one row", point_at_infinity("W"), r"iszero\(mload\(add\(SUM, 0x20\)\)\)"),
    (
        "an output fits its lane",
        "one row",
        words_with(-2, lambda _: 1 << 59),
        r"good := and\(good, iszero\(shr\(60, word\)\)\)",
    ),
    (
        "an output fits its lane",
        "linear",
        words_with(-2, lambda _: -(1 << 99) + (1 << 101)),
        r"good := and\(good, iszero\(shr\(100, word\)\)\)",
    ),
    (
        "a key is below 2^bits",
        "every missing rule",
        words_with(0, lambda _: (1 << 32) + 5),
        r"good := and\(good, lt\(word, 0x100000000\)\)",
    ),
    (
        "a word is below 2^64",
        "linear",
        words_with(0, lambda word: word + (1 << 64)),
        r"iszero\(shr\(64, seen\)\)",
    ),
    (
        "a key of a batch is below 2^bits",
        "batch, none missing",
        words_with(4, lambda _: (1 << 32) + 5, rows=2),
        r"gt\(seen, 0xffffffff\)",
    ),
    (
        "a missing value is refused",
        "every missing rule",
        words_with(0, lambda _: 1 << 32),
        r"good := and\(good, lt\(word, 0x100000000\)\)",
    ),
    (
        "a zero that counts as missing is refused",
        "every missing rule",
        words_with(4, lambda _: 0x80000000),
        r"good := and\(good, iszero\(lt\(sub\(word, 0x7aab52d1\), \w+\)\)\)",
    ),
]


# What stands in the place of a check that was cut out, by the check's first word; some conditions say what is wrong.
NEUTRAL = {"gt": "1", "iszero": "0"}
WRONG_IF = {r"iszero\(shr\(64, seen\)\)": "1", r"gt\(seen, 0xffffffff\)": "0"}


@pytest.mark.parametrize(("rule", "shape", "make", "check"), RULES)
def test_only_the_check_refuses(chain, monkeypatch, rule, shape, make, check):
    monkeypatch.setattr(reference, "ORDER", 1 << 256)
    monkeypatch.setattr(reference, "CANONICAL", False)
    maker, changes, _ = SHAPES[shape]
    model = maker(random.Random(rule), **changes)
    proof = make(random.Random(shape), model)
    calldata = verify_calldata(proof.body, proof.words)
    source = render(model.vk)
    neutral = WRONG_IF.get(check, NEUTRAL.get(check.split("\\")[0], ""))
    weakened, cuts = re.subn(check, neutral, source.text)
    assert cuts
    assert chain.call_calldata(deploy(chain, source, source.text), calldata) == FALSE
    assert chain.call_calldata(deploy(chain, source, weakened), calldata) == TRUE


def deploy(chain, source: VerifierSource, text: str):
    return chain.deploy_verifier(compile_solidity({"V.sol": text})[source.name], source)


def test_the_second_writing_of_infinity_is_refused(chain, deployed):
    """(0, p) is (0, 0) to whoever reduces coordinates."""
    model, verifier = deployed("one row")
    proof = forge(random.Random(3), model, 1, logs={"m": 0})
    at = 64 * reference.point_names(model.key, 0)[0].index("m")
    for pair in [(0, 0), (0, P), (P, 0), (P, P)]:
        body = proof.body[:at] + b"".join(map(reference.word, pair)) + proof.body[at + 64 :]
        assert chain.call_calldata(verifier, verify_calldata(body, proof.words)) == FALSE
