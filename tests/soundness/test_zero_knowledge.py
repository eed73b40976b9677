"""What proofs say beyond their statement: nothing.

The argument is in spec/security.md, section 4; the simulator is tested in test_known_tau.py. Here are the parts of
the argument that can be read off bytes: what is revealed at all, that all of it is fresh in every proof, and that
the equations which 200 proofs of one model give do not determine anything of the model.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from tests.agreement.circuits import FLOAT, Circuit, forest, views_of
from tests.agreement.network_circuits import NetworkCircuit
from tests.agreement.proofs import Proof, Workshop, native_refusal, proven
from tests.agreement.reference import is_network, networks, parse_key, trees
from tests.agreement.reference import linear as linear_relation
from tests.agreement.reference.field import R
from tests.agreement.reference.key import padded_rows
from tests.agreement.reference.relation import CONSTANT
from tests.agreement.reference.transcript import Transcript
from tests.agreement.reference.verify import Messages, replay
from tests.agreement.reference.words import read_words

from .algebra import rank
from .attacks import body_words
from .targets import SHAPES, target_of

if TYPE_CHECKING:
    from tests.agreement.reference.relation import Context

PROOFS = 200
MODEL = {"Pub", "G", "A", "C", "w"}
SECRET = {"G", "A", "C", "w", "I"}
STUMP = forest(51, trees=1, depth=1, features=[FLOAT])
NETWORK = NetworkCircuit("dense")


def opened(proof: Proof) -> tuple[Context, dict[str, int]]:
    """The verifier's context of a proof and the coefficients of Rz."""
    key = parse_key(proof.key)
    nb = padded_rows(key, proof.rows)
    layout = (trees if key.trees else linear_relation).layout(key, nb)
    statement = read_words(key, proof.rows, proof.words)
    transcript = Transcript(key.digest, proof.rows, proof.words)
    context = replay(key, proof.rows, nb, statement, Messages(layout, proof.body), transcript)
    return context, context.Rz


def many_of(workshop: Workshop, circuit: Circuit | NetworkCircuit) -> list[Proof]:
    """200 proofs of one witness of one model."""
    key, prover = workshop.keys(circuit)
    row = circuit.random_row(random.Random(1))
    proofs = [proven(key, prover, [row]) for _ in range(PROOFS)]
    assert native_refusal(proofs[-1]) is None
    return proofs


@pytest.fixture(scope="module")
def many(workshop: Workshop) -> list[Proof]:
    return many_of(workshop, STUMP)


@pytest.fixture(scope="module")
def many_of_a_network(workshop: Workshop) -> list[Proof]:
    return many_of(workshop, NETWORK)


@pytest.fixture(params=["many", "many_of_a_network"], ids=["trees", "networks"])
def many_of_each(request: pytest.FixtureRequest) -> list[Proof]:
    found: list[Proof] = request.getfixturevalue(request.param)
    return found


def test_no_hidden_polynomial_is_evaluated(proof: Proof) -> None:
    target = target_of(proof)
    # Nothing is sent that the layout does not name.
    assert len(proof.body) == 64 * (target.points + 2) + 32 * target.evaluations
    if is_network(proof.key):
        shape = networks.parse_network_key(proof.key)
        hidden = {*shape.matrix, "m", "I"}
        for nb in (1, 2, 4):
            assert not {name for name, _ in shape.evaluations(nb)} & hidden
            assert [at for name, at in shape.evaluations(nb) if name == "phi"] == ["next"]
            assert not {name for pack, _ in shape.opened(nb) for name in pack} & hidden
        return
    key = parse_key(proof.key)
    for nb in (1, 2, 4):
        layout = (trees if key.trees else linear_relation).layout(key, nb)
        assert not {name for name, _ in layout.evaluations} & (SECRET | {*layout.chunks})
        assert not {name for pack in layout.packs.values() for name in pack} & (SECRET | {*layout.chunks})
    hidden = SECRET & set(opened(proof)[1])
    assert hidden == ({"G", "A", "C"} if key.trees else {"w"}) | ({"I"} if key.private else set())


def test_two_proofs_of_one_witness_share_no_word(workshop: Workshop) -> None:
    for shape in SHAPES.values():
        words = [word for _ in range(4) for word in body_words(target_of(shape.proof(workshop)))]
        assert len(set(words)) == len(words)


def test_no_word_repeats_in_200_proofs(many_of_each: list[Proof]) -> None:
    many = many_of_each
    words = [word for proof in many for word in body_words(target_of(proof))]
    assert len(set(words)) == len(words)
    assert len({proof.words for proof in many}) == 1


def test_the_length_depends_on_the_shape_alone(workshop: Workshop) -> None:
    """Not on the path, not on the thresholds or the leaves, not on how deep the tree of a given bound grows."""
    rng = random.Random(3)
    lengths, headers = set(), set()
    for seed in range(6):
        circuit = forest(60 + seed, trees=2, depth=3, full=seed % 2 == 0)
        key, prover = workshop.keys(circuit)
        headers.add((parse_key(key).S, parse_key(key).N, len(key)))
        for row in ([0, 0], [(1 << 32) - 1] * 2, [None, None], circuit.random_row(rng)):
            lengths.add(len(proven(key, prover, [row]).body))
    assert len(headers) == 1
    assert len(lengths) == 1


def test_a_hidden_input_shows_in_no_length_and_no_word(workshop: Workshop) -> None:
    circuit = forest(71, inputs="private")
    key, prover = workshop.keys(circuit)
    rows = [[0] * len(circuit.features), [1] * len(circuit.features), [0] * len(circuit.features)]
    proofs = [proven(key, prover, [row]) for row in rows]
    assert len({len(proof.body) for proof in proofs}) == 1
    # The same input under fresh secrets gives commitments that cannot be told from another input's.
    assert len({word for proof in proofs for word in proof.words[:2]}) == 6


def revealed(many: list[Proof]) -> tuple[int, list[int], dict[tuple[str, str], list[int]]]:
    """Rows of a block, zeta of every proof, and the values of every evaluation but those of public polynomials."""
    if is_network(many[0].key):
        key = networks.parse_network_key(many[0].key)
        openings = [networks.replayed(key, proof.rows, proof.words, proof.body) for proof in many]
        names = [own for own in openings[0].values if own[0] not in {*key.wiring, "ID", "S_V", "B_V"}]
        return key.S, [o.zeta for o in openings], {name: [o.values[name] for o in openings] for name in names}
    contexts = [opened(proof)[0] for proof in many]
    values = {name: [context.values[name] for context in contexts] for name in contexts[0].values}
    return parse_key(many[0].key).S, [context.c.zeta for context in contexts], values


def powers(point: int, count: int) -> list[int]:
    row = [1]
    while len(row) < count:
        row.append(row[-1] * point % R)
    return row


def test_revealed_values_are_fresh_and_unrelated(many_of_each: list[Proof]) -> None:
    """The witness is one, so a column of round 1 is one polynomial of degree below n (32) plus its blinding.

    Values at 200 points of a column that is not blinded, or blinded alike in all proofs, lie on a polynomial of degree
    below n + 5; so does the difference of two values of a column with a single blinding coefficient. The matrix of the
    powers of zeta, the revealed values, and zeta times these has full rank: no relation of this kind holds, in no
    column and between no columns.
    """
    block, points, values = revealed(many_of_each)
    width = block + 5
    rows = [
        [*powers(zeta, width), *row, *(zeta * value % R for value in row)]
        for zeta, row in zip(points, zip(*values.values(), strict=True), strict=True)
    ]
    full = width + 2 * len(values)
    assert rank(rows) == full < PROOFS
    # What the test would see: a column with fixed blinding, and a sum of others.
    rng = random.Random(4)
    fixed = [rng.randrange(R) for _ in range(width)]
    unblinded = [sum(c * power for c, power in zip(fixed, powers(point, width), strict=True)) % R for point in points]
    assert rank([[*row, value] for row, value in zip(rows, unblinded, strict=True)]) == full
    assert rank([[*row, (row[width] + 5 * row[width + 1] + 7) % R] for row in rows]) == full
    assert rank([[*row, rng.randrange(R)] for row in rows]) == full + 1


# Coefficients that the attacker tries to find in each hidden column of the model: as few as he likes.
GUESSED = 8


def test_200_proofs_give_no_equation_for_the_model(many: list[Proof]) -> None:
    """All that a proof says of G, A, C is Rz(zeta) = 0: one linear equation in their values at zeta.

    Give the attacker all that he could wish: the hidden columns are polynomials of degree below 8, so that 24 numbers
    are all he lacks, and 200 equations are far more than he needs. But every equation also has the values at zeta of
    polynomials of that proof alone (m and the quotient), which are blinded afresh and never revealed. The equations
    for the model that follow are those combinations of rows in which these cancel: their number is the rank of the
    whole system less the rank of its fresh columns, and it is 0.
    An implementation which opened those polynomials too would leave 24 equations: it would give the model away.
    """
    fresh_columns: list[dict[str, int]] = []
    model_rows = []
    for proof in many:
        context, Rz = opened(proof)
        at = powers(context.c.zeta, GUESSED)
        model_rows.append([Rz[name] * power % R for name in ("G", "A", "C") for power in at])
        fresh_columns.append({name: value for name, value in Rz.items() if name not in {*MODEL, CONSTANT}})
    names = sorted(fresh_columns[0])
    assert names == ["Quot0", "m"]

    # A fresh polynomial is another unknown in every proof, so these columns are a block for each proof.
    def equations_for_the_model(still_unknown: list[str]) -> int:
        free = [any(fresh[name] for name in still_unknown) for fresh in fresh_columns]
        return rank([row for row, covered in zip(model_rows, free, strict=True) if not covered])

    assert equations_for_the_model(names) == 0
    assert equations_for_the_model([]) == 3 * GUESSED
    # Each of them alone would be enough to cover the model.
    for name in names:
        assert equations_for_the_model([name]) == 0, name


def test_a_feature_that_no_tree_reads_looks_like_one_that_is_read(workshop: Workshop) -> None:
    """Views of all features are in the key, used or not."""
    one = forest(81, trees=2, depth=2, full=True, features=[FLOAT] * 3, views=views_of(3))
    unused = forest(81, trees=2, depth=2, full=True, features=[FLOAT] * 3, views=views_of(3))
    for tree in unused.trees:
        for node in tree:
            if "view" in node:
                node["view"] = 0
    first, second = (parse_key(workshop.keys(circuit)[0]) for circuit in (one, unused))
    assert first.views == second.views
    assert first.fixed == second.fixed
    assert first.table[0] == second.table[0]
    assert not set(first.table[1:]) & set(second.table[1:])
