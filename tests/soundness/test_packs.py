"""Columns that share a commitment: every value, every point and every place is held by the opening.

Each attack is refused by the plain verifier, by Rust and by the contract; and accepted by a plain verifier and a
contract from which that one check is cut out, so that nothing else stands in the way.
"""

from __future__ import annotations

import random
import re
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.agreement.proofs import Proof, native_refusal, reference_refusal
from tests.agreement.reference import trees
from tests.agreement.reference.field import R

from .false_values import AtAnotherPoint, FalseValue, OtherOrder, ThatSaves, exchange
from .plain_prover import Commitments
from .stump import Stump

if TYPE_CHECKING:
    from collections.abc import Callable

    from .contracts import Contracts

THRESHOLD, VALUES, KEY = 1 << 31, (-5, 7), 123_456_789
# Names in the plain verifier and in the contract.
SAVING = [("c", "C"), ("phi", "PHI"), ("h1", "H1"), ("h2", "H2")]
MOVED = [("x", "X_NEXT"), ("s1", "S1_NEXT"), ("h1", "H1_NEXT")]
EXCHANGED = [("b", "p", "B", "P"), ("x", "s1", "X", "S1"), ("s1", "s2", "S1", "S2"), ("h1", "h2", "H1", "H2")]


@pytest.fixture(scope="module")
def commitments() -> Commitments:
    return Commitments(random.SystemRandom().randrange(2, R))


@pytest.fixture(scope="module")
def stump(commitments: Commitments) -> Stump:
    return Stump(commitments, THRESHOLD, VALUES, (KEY,))


def refused_by_all(contracts: Contracts, proof: Proof) -> None:
    assert native_refusal(proof) == "proof/invalid"
    assert reference_refusal(proof) == "the pairing check fails"
    assert not contracts.accepts(proof)


def without_the_value(value: str, true: int, text: str) -> str:
    """The contract, with a constant in the place of one claimed value in its pack's opening."""
    start = text.index("function openedPacks")
    pattern = rf"((?:here|after) := (?:add\(mulmod\(\w+, z, r\), )?)mload\({value}\)"
    changed, places = re.subn(pattern, rf"\g<1>{true}", text[start:])
    assert places == 1
    return text[:start] + changed


def in_another_order(first: str, second: str, text: str) -> str:
    """The contract, with two values in each other's place in their pack's opening."""
    start = text.index("function openedPacks")
    names = {first: second, second: first}
    names |= {f"{a}_NEXT": f"{b}_NEXT" for a, b in names.items()}
    pattern = r"((?:here|after) := (?:add\(mulmod\(\w+, z, r\), )?)mload\((\w+)\)"
    changed = re.sub(pattern, lambda m: f"{m[1]}mload({names.get(m[2], m[2])})", text[start:])
    assert changed != text[start:]
    return text[:start] + changed


def false_value(
    attack: type[FalseValue], stump: Stump, commitments: Commitments, name: tuple[str, str], change: int
) -> tuple[FalseValue, Proof]:
    words = stump.words(change)
    prover = attack(stump, commitments, words, name=name)
    return prover, Proof(stump.key, 1, words, prover.prove())


def check_a_false_value(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch, prover: FalseValue, proof: Proof, value: str
) -> None:
    assert prover.claimed != prover.true[prover.name]
    refused_by_all(contracts, proof)
    opened = trees.opened

    def with_the_truth(context):
        context.values[prover.name] = prover.true[prover.name]
        return opened(context)

    monkeypatch.setattr(trees, "opened", with_the_truth)
    assert reference_refusal(proof) is None
    cut: Callable[[str], str] = partial(without_the_value, value, prover.true[prover.name])
    assert contracts.accepts(proof, cut)


@pytest.mark.parametrize(("column", "value"), SAVING)
def test_a_false_value_at_zeta(
    contracts: Contracts,
    monkeypatch: pytest.MonkeyPatch,
    stump: Stump,
    commitments: Commitments,
    column: str,
    value: str,
) -> None:
    """With it a false statement satisfies the constraints at zeta."""
    prover, proof = false_value(ThatSaves, stump, commitments, (column, "zeta"), 1)
    check_a_false_value(contracts, monkeypatch, prover, proof, value)


@pytest.mark.parametrize(("column", "value"), MOVED)
def test_a_value_at_another_point(
    contracts: Contracts,
    monkeypatch: pytest.MonkeyPatch,
    stump: Stump,
    commitments: Commitments,
    column: str,
    value: str,
) -> None:
    """Of columns whose next row no constraint reads: the opening alone holds them."""
    prover, proof = false_value(AtAnotherPoint, stump, commitments, (column, "omega*zeta"), 0)
    check_a_false_value(contracts, monkeypatch, prover, proof, value)


@pytest.mark.parametrize(("first", "second", "one", "other"), EXCHANGED)
def test_columns_in_each_others_place(
    contracts: Contracts,
    monkeypatch: pytest.MonkeyPatch,
    stump: Stump,
    commitments: Commitments,
    first: str,
    second: str,
    one: str,
    other: str,
) -> None:
    words = stump.words()
    prover = OtherOrder(stump, commitments, words)
    prover.exchanged = (first, second)
    proof = Proof(stump.key, 1, words, prover.prove())
    refused_by_all(contracts, proof)
    opened = trees.opened

    def exchanged(context):
        return exchange(opened(context), trees.packs(context.key), prover.exchanged)

    monkeypatch.setattr(trees, "opened", exchanged)
    assert reference_refusal(proof) is None
    assert contracts.accepts(proof, partial(in_another_order, one, other))
