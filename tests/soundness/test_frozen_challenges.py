"""Every challenge that combines something is drawn after what it combines.

For each challenge a false statement is proven to verifiers which know that challenge in advance: the plain one with a
constant in its place, and the generated contract with a constant in its place. Both accept, so the attack is a real
one; the same bytes are refused by the verifiers as they are. (Rust has no such switch: there only the refusal is seen.)
"""

from __future__ import annotations

import random
import re
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.agreement import network_prover
from tests.agreement.network_circuits import network, stored
from tests.agreement.network_prover import Maker
from tests.agreement.proofs import Proof, native_refusal, reference_refusal
from tests.agreement.reference import is_network, parse_key
from tests.agreement.reference.curve import G1, multi_multiply
from tests.agreement.reference.field import R

from .frozen import ATTACKS, ATTACKS_ON_LINE, ORDER, Attack, Frozen, OnAlphaOfRows, OnBetaOfGroups
from .line import Line
from .network_frozen import NETWORK_ATTACKS, NETWORK_ORDER
from .plain_prover import Commitments, NoQuotient, PlainProver
from .stump import Stump

if TYPE_CHECKING:
    from collections.abc import Callable

    from .contracts import Contracts
    from .network_frozen import Attack as Attacked

    NetworkAttack = Callable[[Maker], Attacked]

THRESHOLD = 1 << 31
VALUES = (-5, 7)
WEIGHTS, BASE = (3, -2), 11
NAMES = [
    *(f"trees, {attack.__name__}" for attack in ATTACKS),
    *(f"linear, {attack.__name__}" for attack in ATTACKS_ON_LINE),
    "trees, rows",
    "linear, rows",
    "linear, groups",
    *(f"networks, {attack.__name__}" for attack in NETWORK_ATTACKS),
]
Forgery = tuple[dict[str, int], Proof]


@pytest.fixture(scope="module")
def commitments() -> Commitments:
    return Commitments(random.SystemRandom().randrange(2, R))


@pytest.fixture(scope="module")
def stump(commitments: Commitments) -> Stump:
    return Stump(commitments, THRESHOLD, VALUES, (123_456_789,))


@pytest.fixture(scope="module")
def line(commitments: Commitments) -> Line:
    return Line(commitments, WEIGHTS, BASE, ((5, 1 << 40),))


@pytest.fixture(scope="module")
def forgeries(stump: Stump, line: Line, commitments: Commitments) -> dict[str, Forgery]:
    """For each attack what it knew, and its proof of an output that is wrong by one."""
    made = {}
    for kind, model, attacks in (("trees", stump, ATTACKS), ("linear", line, ATTACKS_ON_LINE)):
        for attack in attacks:
            known = {name: random.randrange(R) for name in attack.KNOWS}
            made[f"{kind}, {attack.__name__}"] = forged(attack, model, commitments, model.words(1), known)
    return made | {
        "trees, rows": changed_inputs(commitments),
        "linear, rows": changed_outputs(commitments),
        "linear, groups": changed_groups(commitments),
        **{f"networks, {attack.__name__}": forged_network(attack) for attack in NETWORK_ATTACKS},
    }


def forged(
    attack: type[Attack], model: Stump | Line, commitments: Commitments, words: tuple[int, ...], known: dict[str, int]
) -> Forgery:
    rows = len(model.outputs)
    forger = attack(model, commitments, words, rows, known=known)
    return known, Proof(model.key, rows, words, forger.forge())


def forged_network(attack: NetworkAttack) -> Forgery:
    """By the plain prover of networks, whose transcript is frozen as the verifier's will be."""
    maker = Maker(network("recurrent"))
    known, rows, cheats = attack(maker)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_prover, "Transcript", partial(Frozen, known=known, order=NETWORK_ORDER))
        proof = network_prover.prove(maker, stored("recurrent")["inputs"][:rows], cheats)
    true = [stored("recurrent")["outputs"][row][0] % (1 << 256) for row in range(rows)]
    assert list(proof.words[-1 - rows : -1]) != true
    return known, proof


def changed_inputs(commitments: Commitments) -> Forgery:
    """Two rows of trees: the first is said to be above the threshold, and to have the output of one below it."""
    keys = THRESHOLD - 1, THRESHOLD + 99_999
    model = Stump(commitments, THRESHOLD, VALUES, keys)
    shape, alpha = parse_key(model.key), 2
    # A block's input slots lie between the two entries.
    claimed = keys[0] + 1, keys[1] - alpha ** (shape.g * shape.q_in)
    return forged(OnAlphaOfRows, model, commitments, (*claimed, *model.words()[2:]), {"alpha": alpha})


def changed_outputs(commitments: Commitments) -> Forgery:
    """Two rows of a linear model: what one output has too much the other has too little."""
    model = Line(commitments, WEIGHTS, BASE, ((5, 6), (7, 8)))
    alpha = 1000
    return forged(OnAlphaOfRows, model, commitments, model.words(alpha, -1), {"alpha": alpha})


def changed_groups(commitments: Commitments) -> Forgery:
    """Two groups of outputs: what one has too much the other has too little."""
    model = Line(commitments, WEIGHTS, BASE, ((5, 6),), groups=2)
    beta = 1000
    return forged(OnBetaOfGroups, model, commitments, model.words(beta, -1), {"beta": beta})


@pytest.fixture
def freeze(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, int]], None]:
    """Put constants in the place of the plain verifier's challenges."""

    def put(known: dict[str, int]) -> None:
        reference = "tests.agreement.reference"
        monkeypatch.setattr(sys.modules[f"{reference}.verify"], "Transcript", partial(Frozen, known=known))
        of_networks = partial(Frozen, known=known, order=NETWORK_ORDER)
        monkeypatch.setattr(sys.modules[f"{reference}.networks.verify"], "Transcript", of_networks)

    return put


def frozen_source(known: dict[str, int], text: str) -> str:
    """The contract with constants in the place of its challenges."""
    of_network = "@title Verifier of the network" in text
    for name, value in known.items():
        place = name.upper() + "C" * (of_network and name in {"u", "p", "s", "y"})
        pattern, constant = rf"mstore\({place}, mod\(.+, R\)\)", f"mstore({place}, {value})"
        if of_network and name != "z":  # where the challenge is drawn the state goes on
            pattern, constant = rf"mstore\({place}, challenge\(\)\)", f"pop(challenge()) {constant}"
        text, places = re.subn(pattern, constant, text)
        assert places == 1, name
    return text


def refused_by_all(contracts: Contracts, proof: Proof) -> None:
    assert native_refusal(proof) == "proof/invalid"
    assert reference_refusal(proof) == "the pairing check fails"
    assert not contracts.accepts(proof)


def test_commitments_are_sums_of_powers_of_tau(commitments: Commitments) -> None:
    """So whoever has the reference string can make them: no attack uses tau."""
    rng = random.Random(1)
    f = [rng.randrange(R) for _ in range(6)]
    powers = [commitments.commit([0] * i + [1]) for i in range(len(f))]
    assert powers[0] == G1
    assert commitments.commit(f) == multi_multiply([(c, p) for c, p in zip(f, powers, strict=True) if p])


@pytest.mark.parametrize("keys", [(THRESHOLD - 1,), (THRESHOLD,), (0, (1 << 32) - 1)])
def test_an_honest_proof_of_the_plain_prover_is_accepted_by_all(
    contracts: Contracts, commitments: Commitments, keys: tuple[int, ...]
) -> None:
    model = Stump(commitments, THRESHOLD, VALUES, keys)
    words = model.words()
    proof = Proof(model.key, len(keys), words, PlainProver(model, commitments, words, len(keys)).prove())
    assert native_refusal(proof) is None
    assert reference_refusal(proof) is None
    assert contracts.accepts(proof)


@pytest.mark.parametrize("rows", [((0, 0),), ((5, 6), (7, 8), (1 << 63, 9))])
def test_an_honest_proof_of_a_line_is_accepted_by_all(
    contracts: Contracts, commitments: Commitments, rows: tuple[tuple[int, ...], ...]
) -> None:
    model = Line(commitments, WEIGHTS, BASE, rows)
    words = model.words()
    proof = Proof(model.key, len(rows), words, PlainProver(model, commitments, words, len(rows)).prove())
    assert native_refusal(proof) is None
    assert reference_refusal(proof) is None
    assert contracts.accepts(proof)


def test_the_honest_prover_cannot_prove_a_false_statement(stump: Stump, line: Line, commitments: Commitments) -> None:
    for model in (stump, line):
        with pytest.raises(NoQuotient):
            PlainProver(model, commitments, model.words(1)).prove()


@pytest.mark.parametrize("name", NAMES)
def test_the_attack_succeeds_when_its_challenge_is_known(
    contracts: Contracts, forgeries: dict, freeze: Callable, name: str
) -> None:
    known, proof = forgeries[name]
    freeze(known)
    assert reference_refusal(proof) is None
    assert contracts.accepts(proof, partial(frozen_source, known))


@pytest.mark.parametrize("name", NAMES)
def test_the_attack_fails_when_its_challenge_is_drawn(contracts: Contracts, forgeries: dict, name: str) -> None:
    refused_by_all(contracts, forgeries[name][1])


@pytest.mark.parametrize("name", NAMES)
def test_knowing_other_challenges_does_not_help(forgeries: dict, freeze: Callable, name: str) -> None:
    """Each attack is on its own challenge: with all others known and this one drawn, it fails."""
    known, proof = forgeries[name]
    order = NETWORK_ORDER if is_network(proof.key) else ORDER
    freeze({other: random.randrange(R) for other in order if other not in known})
    assert reference_refusal(proof) == "the pairing check fails"
    for one in known:
        freeze({other: value for other, value in known.items() if other != one})
        assert reference_refusal(proof) == "the pairing check fails", one


def test_every_challenge_is_attacked() -> None:
    assert [name for attack in ATTACKS for name in attack.KNOWS] == list(ORDER)
    maker = Maker(network("recurrent"))
    assert {name for attack in NETWORK_ATTACKS for name in attack(maker)[0]} == set(NETWORK_ORDER)
