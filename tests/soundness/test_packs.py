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
from tests.agreement.reference.key import Key

from .false_values import AtAnotherPoint, FalseValue, OtherOrder, ThatSaves, exchange
from .plain_prover import Commitments, PlainProver
from .stump import APART, PAIRS, WHOLE, Stump

if TYPE_CHECKING:
    from collections.abc import Callable

    from .contracts import Contracts

THRESHOLD, VALUES, KEY = 1 << 31, (-5, 7), 123_456_789
# Where no columns share a commitment: values that the constraints take as they are.
SAVING_APART = [("phi", "omega*zeta", "PHI_NEXT"), ("phi_V", "zeta", "PHI_TABLE")]
# Names in the plain verifier and in the contract.
SAVING = [("c", "C"), ("phi", "PHI"), ("h1", "H1"), ("h2", "H2")]
MOVED = [("x", "X_NEXT"), ("s1", "S1_NEXT"), ("h1", "H1_NEXT")]
EXCHANGED = [("b", "p", "B", "P"), ("x", "s1", "X", "S1"), ("s1", "s2", "S1", "S2"), ("h1", "h2", "H1", "H2")]


@pytest.fixture(scope="module")
def commitments() -> Commitments:
    return Commitments(random.SystemRandom().randrange(2, R))


@pytest.fixture(scope="module", params=[PAIRS, WHOLE], ids=["packs of two", "one pack a round"])
def stump(request: pytest.FixtureRequest, commitments: Commitments) -> Stump:
    return Stump(commitments, THRESHOLD, VALUES, (KEY,), request.param)


@pytest.fixture(scope="module")
def apart(commitments: Commitments) -> Stump:
    return Stump(commitments, THRESHOLD, VALUES, (KEY,), APART)


def refused_by_all(contracts: Contracts, proof: Proof) -> None:
    assert native_refusal(proof) == "proof/invalid"
    assert reference_refusal(proof) == "the pairing check fails"
    assert not contracts.accepts(proof)


def without_the_value_apart(value: str, true: int, text: str) -> str:
    """The same where the value's polynomial has a commitment of its own."""
    start = text.index("function openedOfTable")
    assert text[start:].count(f"mload({value})") == 1
    return text[:start] + text[start:].replace(f"mload({value})", str(true))


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
    contracts: Contracts,
    monkeypatch: pytest.MonkeyPatch,
    prover: FalseValue,
    proof: Proof,
    value: str,
    without: Callable[[str, int, str], str] = without_the_value,
) -> None:
    assert prover.claimed != prover.true[prover.name]
    refused_by_all(contracts, proof)
    opened = trees.opened

    def with_the_truth(context):
        context.values[prover.name] = prover.true[prover.name]
        return opened(context)

    monkeypatch.setattr(trees, "opened", with_the_truth)
    assert reference_refusal(proof) is None
    cut: Callable[[str], str] = partial(without, value, prover.true[prover.name])
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


@pytest.mark.parametrize(("column", "point", "value"), SAVING_APART)
def test_a_false_value_where_no_columns_share_a_commitment(
    contracts: Contracts,
    monkeypatch: pytest.MonkeyPatch,
    apart: Stump,
    commitments: Commitments,
    column: str,
    point: str,
    value: str,
) -> None:
    prover, proof = false_value(ThatSaves, apart, commitments, (column, point), 1)
    check_a_false_value(contracts, monkeypatch, prover, proof, value, without_the_value_apart)


@pytest.mark.parametrize(("sizes", "width"), [(APART, 2), (PAIRS, 1), (PAIRS, 13), (WHOLE, 2)])
def test_a_true_statement_in_the_other_layout_is_refused(
    contracts: Contracts, monkeypatch: pytest.MonkeyPatch, commitments: Commitments, sizes: tuple, width: int
) -> None:
    """Whether columns share commitments is not the prover's to choose, nor how many: the shape says it."""
    stump = Stump(commitments, THRESHOLD, VALUES, (KEY,), sizes)
    words = stump.words()
    with monkeypatch.context() as other:
        other.setattr(Key, "pack_width", lambda _key, nb: width if nb == 1 else 1)
        proof = Proof(stump.key, 1, words, PlainProver(stump, commitments, words).prove())
        assert reference_refusal(proof) is None
    # Some layouts have the same length: then what is read as points is none.
    assert native_refusal(proof) == "proof/malformed"
    assert reference_refusal(proof) in {"not the length of a proof", "a point is not on the curve"}
    assert not contracts.accepts(proof)
