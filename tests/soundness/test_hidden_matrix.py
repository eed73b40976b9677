"""200 proofs of one network as equations of its hidden weights: masks keep all of them, and without masks ten proofs
give every weight away.

All that proofs show of the matrix is `w~` at zeta and 1/zeta as numbers, and at tau and 1/tau as points; each is linear
in the weights, the key's random values of slot 0 and the proof's own masks (spec/security.md, section 7.3).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from tests.agreement.network_circuits import NetworkCircuit, network, stored
from tests.agreement.network_prover import E, Maker, Prover, prove, solved
from tests.agreement.proofs import Proof, native_refusal, proven
from tests.agreement.reference import networks
from tests.agreement.reference.field import R, inverse, lagrange, root

from .algebra import rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .conftest import Known

PROOFS, MASKS = 200, 4
CIRCUIT = NetworkCircuit("dense")
NETWORK = network("dense")
K, M = NETWORK.slots, NETWORK.columns
U, C = root(K), root(M)
# The wiring is public: whoever attacks knows which entries of the matrix there are.
ENTRIES = [
    (block.slot + i, block.column + m)
    for block in NETWORK.weights
    for i in range(block.values.shape[0])
    for m in range(block.values.shape[1])
]
UNKNOWN = [*ENTRIES, *((0, m) for m in range(M))]


def weights() -> list[int]:
    return [int(value) for block in NETWORK.weights for line in block.values.tolist() for value in line]


def of_weights(p: int, x: int) -> list[int]:
    """Coefficients of the unknown entries in `w mod (X^K - p)` at x (networks.md, sections 2.3 and 4.2)."""
    at_p, at_x = [lagrange(M, m, p) for m in range(M)], [lagrange(K, j, x) for j in range(K)]
    found = []
    for j, m in UNKNOWN:
        u = pow(U, j, R)
        scale = E(u, U) * inverse(pow(C, m, R) * (u - pow(U, 5, R))) if j else 1
        found.append(at_p[m] * at_x[j] % R * scale % R)
    return found


def of_masks(p: int, x: int, masks: int = MASKS) -> list[int]:
    return [(pow(x, K, R) - p) * pow(x, t, R) % R for t in range(masks)]


def openings(proofs: Sequence[Proof]) -> list[networks.Opening]:
    key = networks.parse_network_key(proofs[0].key)
    return [networks.replayed(key, proof.rows, proof.words, proof.body) for proof in proofs]


@pytest.fixture(scope="module")
def many(known: Known) -> list[networks.Opening]:
    key, prover = known.workshop.keys(CIRCUIT)
    row = CIRCUIT.random_row(random.Random(1))
    proofs = [proven(key, prover, [row]) for _ in range(PROOFS)]
    assert native_refusal(proofs[-1]) is None
    return openings(proofs)


def test_the_unknowns_are_all_of_the_matrix() -> None:
    """With the true matrix the coefficients give what a proof's `w~` is but for its masks."""
    maker = Maker(NETWORK)
    prover = Prover(maker, stored("dense")["inputs"][:1], {"fold": without_masks}, -1, 5)
    (opening,) = openings([prover.run()])
    true = [*weights(), *maker.W[0]]
    for x, at in ((opening.zeta, "here"), (inverse(opening.zeta), "inverse")):
        value = sum(a * b for a, b in zip(of_weights(opening.c.p, x), true, strict=True)) % R
        assert value == opening.values["w_fold", at]


def without_masks(prover: Prover) -> None:
    prover.witness.masks = [0] * MASKS


def solution(found: Sequence[networks.Opening]) -> list[int]:
    """The weights, as if there were no masks."""
    lines = []
    for opening in found:
        for x, at in ((opening.zeta, "here"), (inverse(opening.zeta), "inverse")):
            lines.append([*of_weights(opening.c.p, x), opening.values["w_fold", at]])
    return solved(lines[: len(UNKNOWN)])


def test_without_masks_ten_proofs_give_the_weights_away(many: list[networks.Opening]) -> None:
    maker, inputs = Maker(NETWORK), stored("dense")["inputs"][:1]
    proofs = [prove(maker, inputs, {"fold": without_masks}, seed=seed) for seed in range(-(-len(UNKNOWN) // 2))]
    assert native_refusal(proofs[0]) is None, "it is a valid proof all the same"
    found = solution(openings(proofs))
    assert found[: len(ENTRIES)] == [value % R for value in weights()]
    # The same attack on the product's own proofs gives numbers that have nothing to do with the weights.
    first, second = solution(many[:10]), solution(many[10:20])
    assert not set(first) & {value % R for value in weights()}
    assert not set(first) & set(second)


def seen(tau: int, opening: networks.Opening) -> list[int]:
    return [tau, inverse(tau), opening.zeta, inverse(opening.zeta)]


def equations(tau: int, many: Sequence[networks.Opening], masks: int) -> int:
    """The rank of what the proofs say of the weights, with so many masks each: combinations that have no mask."""
    lines = []
    for opening in many:
        own = [[*of_masks(opening.c.p, x, masks), *of_weights(opening.c.p, x)] for x in seen(tau, opening)]
        lines += [line[masks:] for line in without(own, masks)]
        if len(lines) > 2 * len(UNKNOWN):
            break
    return rank(lines) if lines else 0


def without(lines: list[list[int]], count: int) -> list[list[int]]:
    """Eliminates the first `count` unknowns: the equations that are left."""
    lines = [list(line) for line in lines]
    for column in range(count):
        pivot = next((line for line in lines if line[column]), None)
        if pivot is None:
            continue
        lines.remove(pivot)
        scale = inverse(pivot[column])
        lines = [[(a - line[column] * scale % R * b) % R for a, b in zip(line, pivot, strict=True)] for line in lines]
    return lines


def test_200_proofs_give_no_equation_of_the_weights(known: Known, many: list[networks.Opening]) -> None:
    """Masks are unknowns of one proof alone, so the proofs' equations are eliminated proof by proof."""
    assert equations(known.tau, many, MASKS) == 0
    assert len({opening.c.p for opening in many}) == PROOFS
    # One mask less, and everything follows.
    assert equations(known.tau, many, MASKS - 1) == len(UNKNOWN)
    assert equations(known.tau, many, 0) == len(UNKNOWN)


def domains(key: networks.NetworkKey, nb: int) -> dict[str, tuple[int, int]]:
    """The order of each blinded column's domain, and its blinding coefficients (networks.md, section 4)."""
    n = key.S * nb
    found = {"a": (n, 5), "b": (n, 5), "m": (key.N, 2), "x": (key.K, 2), "phi": (n, 4), "phi_V": (key.N, 4)}
    return found | dict.fromkeys((*key.parts, *key.helpers), (n, 3))


def test_no_column_is_seen_at_more_points_than_it_has_masks(known: Known, many: list[networks.Opening]) -> None:
    """Evaluations, the pack's commitment, and every place where the quotient or Rz shows it."""
    key = networks.parse_network_key(known.workshop.keys(CIRCUIT)[0])
    widths = {name: len(pack) for packs, _ in key.rounds(1) for pack in packs for name in pack}
    for opening in many:
        points = networks.points_of(key, 1, opening.zeta)
        at_tau = networks.points_of(key, 1, known.tau)
        for name, (order, masks) in domains(key, 1).items():
            where = {at for own, at in key.evaluations(1) if own == name} | {"here"}
            places = {points[at] for at in where} | {at_tau[at] for at in where}
            places.add(pow(known.tau, widths[name], R))
            lines = [[(pow(x, order, R) - 1) * pow(x, t, R) % R for t in range(masks)] for x in places]
            assert rank(lines) == len(places) <= masks, name


def test_the_plain_prover_blinds_as_the_page_says() -> None:
    maker = Maker(NETWORK)
    prover = Prover(maker, stored("dense")["inputs"][:1], None, -1, 5)
    prover.run()
    for name, (order, masks) in domains(prover.key, 1).items():
        assert len(prover.polys[name]) == order + masks, name
