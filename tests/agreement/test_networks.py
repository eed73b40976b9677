"""Networks: honest proofs are accepted by both verifiers, and each constraint refuses what only it refuses.

The proofs are those of the plain prover (`network_prover`), which is written from the page alone.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from . import network_prover
from .network_circuits import NAMES, network, stored
from .network_prover import Challenges, Maker, Prover, R, evaluate, fill, parts, prove, root
from .proofs import Proof, native_refusal, reference_refusal
from .reference import Refused, networks

if TYPE_CHECKING:
    from collections.abc import Callable

    from .network_prover import Cheat

# The constraints of `recurrent` in their order.
OF_LIMBS, OF_READS, PRODUCTS, STEP, ON_TABLE, START, START_OF_TABLE, TIE, FOLD, DEGREE = range(10)
OF_INPUTS = 4  # with private inputs, and all behind it one later


@cache
def case(name: str, *, private: bool = False) -> tuple[Maker, list[list[int]], list[list[int]]]:
    content = stored(name)
    return Maker(network(name), private), content["inputs"], content["outputs"]


def lacking(proof: Proof, removed: int) -> str | None:
    """Why a verifier without constraint `removed` refuses, if it does."""
    try:
        networks.verify(proof.key, proof.rows, proof.words, proof.body, removed)
    except Refused as refused:
        return str(refused)
    return None


def outputs_of(proof: Proof, count: int) -> list[list[int]]:
    words = proof.words[-1 - proof.rows * count : -1]
    signed = [value - (1 << 256) if value >> 255 else value for value in words]
    return [signed[i : i + count] for i in range(0, len(signed), count)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
def test_both_verifiers_accept_what_the_circuit_says(name: str, rows: int, *, private: bool) -> None:
    maker, inputs, outputs = case(name, private=private)
    proof = prove(maker, inputs[:rows])
    assert reference_refusal(proof) is None
    assert native_refusal(proof) is None
    assert outputs_of(proof, len(outputs[0])) == outputs[:rows]


def test_three_rows_fill_four_blocks() -> None:
    network = case("dense")[0].network
    maker, inputs = Maker(network, log_nb_max=2), case("dense")[1]
    proof = prove(maker, inputs[:3])
    assert reference_refusal(proof) is None
    assert native_refusal(proof) is None


def test_one_bit_anywhere_is_noticed() -> None:
    maker, inputs, _ = case("recurrent")
    proof = prove(maker, inputs[:1])
    for at in range(5, len(proof.body), 97):
        body = bytearray(proof.body)
        body[at] ^= 1
        changed = proof.with_(body=bytes(body))
        assert reference_refusal(changed) is not None, at
        assert native_refusal(changed) is not None, at
    for at in range(len(proof.words)):
        words = list(proof.words)
        words[at] ^= 1
        changed = proof.with_(words=tuple(words))
        assert reference_refusal(changed) is not None, at
        assert native_refusal(changed) is not None, at


def test_a_word_has_one_form() -> None:
    maker, inputs, _ = case("recurrent")
    proof = prove(maker, inputs[:1])
    for at, value in ((0, proof.words[0] + R), (0, proof.words[0] + (1 << 38)), (1, (proof.words[1] + R) % (1 << 256))):
        words = list(proof.words)
        words[at] = value
        changed = proof.with_(words=tuple(words))
        assert "out of range" in str(reference_refusal(changed))
        assert native_refusal(changed) == "proof/malformed"


# ------------------------------------------------------------------------------------------ cheating provers


def forged_read(prover: Prover) -> None:
    """The output row reads what nobody wrote."""
    row = prover.maker.network.output_rows[0]
    prover.witness.columns["a"][row] += 5
    prover.witness.outputs[0][0] += 5


def forged_sum(prover: Prover) -> None:
    """The row that the output reads has another z, and all that follows from it."""
    rewrite(prover, prover.maker.network.output_rows[0], 5)


def rewrite(prover: Prover, output: int, more: int) -> None:
    maker, columns = prover.maker, prover.witness.columns
    row = int(maker.network.cells.a[output])
    key = prover.key
    z = (columns["k"][row] * 2**key.f + columns["l"][row]) * 2**key.shift
    z += sum(columns[f"r{i + 1}"][row] << (key.rho * i) for i in range(key.L))
    new = parts(maker, z + (more << key.shift))
    for name, value in new.items():
        columns[name][row] = value
    offset = {entry[0]: entry[2] for entry in maker.table}[new["k"]]
    columns["y"][row] = offset + new["S"] * new["l"]
    columns["a"][output] = columns["y"][row]
    prover.witness.outputs[0][0] = columns["y"][row]


def helper_of_true_read(prover: Prover) -> None:
    """The helper has the fraction of what was written."""
    c, row = prover.c, prover.maker.network.output_rows[0]
    address = prover.H[row] * prover.wiring["delta_a"][row]
    told = prover.witness.columns["a"][row]
    key = [c.beta + value + c.alpha * address + pow(c.alpha, 3, R) for value in (told, told - 5)]
    prover.helpers[1][row] += pow(key[1], -1, R) - pow(key[0], -1, R)


def wide_limb(prover: Prover) -> None:
    """A limb beyond its range, the next one so much less: z is the same."""
    columns, base = prover.witness.columns, 1 << prover.key.rho
    row = next(i for i in range(1, prover.n) if columns["r2"][i] > 0)
    columns["r1"][row] += base
    columns["r2"][row] -= 1
    prover.cheats = {**prover.cheats, "helpers": lambda p: helper_of_true_limbs(p, row)}


def helper_of_true_limbs(prover: Prover, row: int) -> None:
    c, columns, base = prover.c, prover.witness.columns, 1 << prover.key.rho
    start = c.beta + 2**50 + c.alpha * 2**100
    wide, less = columns["r1"][row], columns["r2"][row]
    # Only the limb out of range needs another fraction: that of 0, which the table then has to count.
    prover.helpers[0][row] += pow(start, -1, R) - pow(start + wide, -1, R)
    assert wide >= base > less


def count_zero_limb(prover: Prover) -> None:
    """One more limb of 0 in the table's count."""
    wide_limb(prover)
    round1 = prover.round1

    def counted() -> None:
        round1()
        prover.m[1] += 1
        prover.blind("m", prover.m, 2)

    prover.round1 = counted  # type: ignore[method-assign]


def linear_of_true_sum(prover: Prover) -> None:
    """h_lin has what the row's z should have been."""
    row = int(prover.maker.network.cells.a[prover.maker.network.output_rows[0]])
    column = pow((prover.c.p - prover.wiring["cz"][row]) % R, -1, R)
    prover.linear[row] -= (5 << prover.key.shift) * column * prover.over[row]


def total_gap(prover: Prover) -> int:
    return (prover.phi[0] - prover.phi_V[0] - prover.c.mu * prover.public()) % R


def jump(prover: Prover) -> None:
    gap = total_gap(prover)
    for i in [0, *range(9, prover.n)]:
        prover.phi[i] -= gap


def jump_on_table(prover: Prover) -> None:
    gap = total_gap(prover)
    for i in [0, *range(9, prover.N)]:
        prover.phi_V[i] += gap


def late_start(prover: Prover) -> None:
    gap = total_gap(prover)
    prover.phi[:] = [value - gap for value in prover.phi]


def late_start_on_table(prover: Prover) -> None:
    gap = total_gap(prover)
    prover.phi_V[:] = [value + gap for value in prover.phi_V]


def slots(prover: Prover) -> list[int]:
    return [pow(root(prover.K), j, R) for j in range(prover.K)]


def bent_fold(prover: Prover) -> None:
    """The forgery C1 of the review: w~ + e·X^5, e chosen so that the sum closes."""
    w, u = prover.witness, slots(prover)
    reach = sum(w.x[j] * (u[j] - u[5]) * pow(u[j], 5, R) for j in range(1, prover.K))
    w.folded[5] += prover.missing() * (1 - prover.c.p) * pow(reach, -1, R)


def fifth_mask(prover: Prover) -> None:
    w, u = prover.witness, slots(prover)
    reach = sum(w.x[j] * (u[j] - u[5]) * pow(u[j], 4, R) for j in range(1, prover.K))
    w.masks.append(prover.missing() * pow(reach, -1, R) % R)


CHEATS: dict[int, dict[str, Cheat]] = {
    OF_LIMBS: {"witness": count_zero_limb},
    OF_READS: {"witness": forged_read, "helpers": helper_of_true_read},
    PRODUCTS: {"witness": forged_sum, "helpers": linear_of_true_sum},
    STEP: {"witness": forged_read, "sums": jump},
    ON_TABLE: {"witness": forged_read, "sums": jump_on_table},
    START: {"witness": forged_read, "sums": late_start},
    START_OF_TABLE: {"witness": forged_read, "sums": late_start_on_table},
    TIE: {"witness": forged_read},
    FOLD: {"witness": forged_sum, "fold": bent_fold},
    DEGREE: {"witness": forged_sum, "fold": fifth_mask},
}


def shifted_gathered(prover: Prover) -> None:
    """One of the slots that make the masks vanish is another value."""
    prover.witness.x[1] += 1


def chosen_mask(prover: Prover) -> None:
    """The mask is no longer hidden from the sum: it makes up for what is missing."""
    w, u = prover.witness, slots(prover)
    rest = sum(w.masks[t] * pow(u[1], t, R) for t in (1, 2, 3))
    w.masks[0] = (prover.missing() * pow(u[1] - u[5], -1, R) - rest) % R


def without_theta(*drawn: int) -> Challenges:
    return replace(Challenges(*drawn), theta=0)


def test_the_four_conditions_keep_the_masks_out(monkeypatch: pytest.MonkeyPatch) -> None:
    maker, inputs, outputs = case("recurrent")
    cheats: dict[str, Cheat] = {"witness": forged_sum, "gathered": shifted_gathered, "fold": chosen_mask}
    assert refused(prove(maker, inputs[:1], cheats))
    for module in (network_prover, networks.verify.__globals__):
        target = module if isinstance(module, dict) else vars(module)
        monkeypatch.setitem(target, "Challenges", without_theta)
    forged = prove(maker, inputs[:1], cheats)
    assert lacking(forged, -1) is None
    assert outputs_of(forged, 1) != outputs[:1]


@pytest.mark.parametrize("constraint", CHEATS)
def test_a_cheat_is_refused_and_only_by_its_constraint(constraint: int) -> None:
    maker, inputs, outputs = case("recurrent")
    cheats = CHEATS[constraint]
    proof = prove(maker, inputs[:1], cheats)
    assert reference_refusal(proof) is not None
    assert native_refusal(proof) is not None
    without = prove(maker, inputs[:1], cheats, removed=constraint)
    assert lacking(without, constraint) is None
    assert reference_refusal(without) is not None
    assert native_refusal(without) is not None
    if constraint != OF_LIMBS:
        assert outputs_of(without, 1) != outputs[:1], "the cheat forges nothing"


def other_inputs(prover: Prover) -> None:
    """What is committed is not what was computed with."""
    prover.witness.inputs = [[value + 1 for value in row] for row in prover.witness.inputs]


def test_private_inputs_are_those_that_are_committed() -> None:
    maker, inputs, _ = case("recurrent", private=True)
    cheats: dict[str, Cheat] = {"witness": other_inputs}
    assert native_refusal(prove(maker, inputs[:1], cheats)) is not None
    without = prove(maker, inputs[:1], cheats, removed=OF_INPUTS)
    assert lacking(without, OF_INPUTS) is None
    assert reference_refusal(without) is not None


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
def test_inputs_are_within_the_tables(private: bool) -> None:
    """An input that no table holds, all else computed from it as by a machine whose tables are wider."""
    maker, _, _ = case("dense", private=private)
    net = maker.network
    identity = net.tables[0]
    more = 40
    # Below it there are no ids of other tables.
    slope = np.concatenate([[identity.slope[0]] * more, identity.slope])
    first = int(identity.offset[0])
    offset = np.concatenate([[first - (i << net.low_bits) for i in range(more, 0, -1)], identity.offset])
    wide = replace(
        net, tables=[replace(identity, low=identity.low - more, slope=slope, offset=offset), *net.tables[1:]]
    )
    row = [(identity.low - 1) << net.low_bits, 0, 0]

    def witness(prover: Prover) -> None:
        prover.witness = network_prover.witness(Maker(wide, private), [row], 1)

    cheats: dict[str, Cheat] = {"witness": witness}
    assert refused(prove(maker, [[0, 0, 0]], cheats))
    tie = TIE + private
    assert lacking(prove(maker, [[0, 0, 0]], cheats, removed=tie), tie) is None


# ------------------------------------------------------------------------------------------ the review's forgeries


def refused(proof: Proof) -> bool:
    verdicts = {reference_refusal(proof) is None, native_refusal(proof) is None}
    assert len(verdicts) == 1, "the verifiers do not agree"
    return verdicts == {False}


def other_one(value: int) -> Callable[[Prover], None]:
    """H4: the constant 1 is another number, and everything is computed with it."""

    def change(prover: Prover) -> None:
        maker, columns, row = prover.maker, prover.witness.columns, prover.maker.network.one_row
        start: dict[str, list[int]] = {name: [] for name in columns if name not in {"a", "b"}}
        fill(start, maker, value << prover.key.shift, value)
        for name, found in start.items():
            columns[name][row] = found[0]
        for i, own in enumerate(maker.rows):
            for o in "ab":
                if own["r" + o] == row and not own["q" + o]:
                    columns[o][i] = value

    return change


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
@pytest.mark.parametrize("value", [0, 2, -1])
def test_one_is_one(value: int, *, private: bool) -> None:
    maker, inputs, _ = case("dense", private=private)
    assert refused(prove(maker, inputs[:1], {"witness": other_one(value)}))


def across_blocks(first: int, second: int) -> Cheat:
    """M6: what one block's output has too much the other's has too little."""

    def change(prover: Prover) -> None:
        maker, columns = prover.maker, prover.witness.columns
        output = maker.network.output_rows[0]
        for b, more in enumerate((first, second)):
            row = int(maker.network.cells.a[output]) + b * prover.key.S
            columns["l"][row] += more if 0 <= columns["l"][row] + more < 1 << prover.key.f else 0
            columns["y"][row] = columns["y"][row] + more
            columns["a"][output + b * prover.key.S] += more
            prover.witness.outputs[b][0] += more

    return change


def test_errors_of_two_blocks_do_not_cancel() -> None:
    maker, inputs, _ = case("dense")
    assert refused(prove(maker, inputs[:2], {"witness": across_blocks(1, -1)}))


def test_range_and_low_rows_are_not_mistaken_for_each_other() -> None:
    """H1: a z among the range rows has one slope."""
    maker, _, _ = case("dense")
    ids = [entry[0] for entry in maker.table]
    for entry in maker.table:
        assert all(other == entry for other in maker.table if other[0] == entry[0]), "an id has two meanings"
    assert {2**50, 2**51} <= set(ids)


def test_the_null_slot_meets_no_weight() -> None:
    """H2: whatever a hostile matrix has in slot 5, the function is the same."""

    def weights(matrix: list[list[int]]) -> None:
        matrix[5] = [1 << 8] * len(matrix[5])

    maker, inputs, outputs = case("recurrent")
    hostile = Maker(maker.network, change_matrix=weights)
    assert hostile.content != maker.content
    proof = prove(hostile, inputs[:1])
    assert not refused(proof)
    assert outputs_of(proof, 1) == outputs[:1]


def test_the_last_row_multiplies_nothing() -> None:
    """H3: with a product there, row 0 would be an operand that no sum counts. The wiring's rules refuse it."""
    maker, inputs, _ = case("dense")

    def rows(found: list[dict[str, int]]) -> None:
        found[-1]["qm"] = 1 << maker.network.shift

    hostile = Maker(maker.network, change_rows=rows)
    assert hostile.content != maker.content, "the key shows it to whoever recomputes the wiring"
    assert maker.network.listed <= maker.network.rows - 1
    assert not refused(prove(hostile, inputs[:1])), "with honest reads of row 0 it changes nothing"


# ------------------------------------------------------------------------------------------ zero-knowledge


def rank(lines: list[list[int]]) -> int:
    lines, found = [list(line) for line in lines], 0
    for column in range(len(lines[0])):
        pivot = next((i for i in range(found, len(lines)) if lines[i][column] % R), None)
        if pivot is None:
            continue
        lines[found], lines[pivot] = lines[pivot], lines[found]
        scale = pow(lines[found][column], -1, R)
        for i in range(found + 1, len(lines)):
            factor = lines[i][column] * scale
            if factor % R:
                lines[i] = [(a - factor * b) % R for a, b in zip(lines[i], lines[found], strict=True)]
        found += 1
    return found


@pytest.mark.parametrize(("masks", "known"), [(4, 1), (3, 10)])
def test_nine_proofs_show_one_equation_of_the_weights(masks: int, known: int) -> None:
    """All that proofs show of the matrix is [w] and w~ at tau, 1/tau, zeta, 1/zeta; four masks hide the latter.

    With three, every proof gives an equation. The unknowns are the coefficients of w, then the masks of each proof.
    """
    K, M, tau, proofs = 8, 4, 987654321, 9
    width = K * M + proofs * masks
    lines = [[pow(tau, i, R) for i in range(K * M)] + [0] * (proofs * masks)]
    for number in range(proofs):
        p, zeta = 1000003 + 17 * (number % 2), 5000011 + 23 * number
        for x in (tau, pow(tau, -1, R), zeta, pow(zeta, -1, R)):
            line = [0] * width
            for i in range(K * M):
                line[i] = pow(p, i // K, R) * pow(x, i % K, R) % R
            for t in range(masks):
                line[K * M + masks * number + t] = (pow(x, K, R) - p) * pow(x, t, R) % R
            lines.append(line)
    of_weights = rank(lines) - rank([line[K * M :] for line in lines[1:]])
    assert of_weights == known


def test_proofs_of_one_statement_have_nothing_in_common() -> None:
    maker, inputs, _ = case("dense")
    bodies = [prove(maker, inputs[:1], seed=seed).body for seed in (3, 4)]
    words = [{body[i : i + 32] for i in range(0, len(body), 32)} for body in bodies]
    assert not words[0] & words[1]


def test_the_plain_prover_divides_without_rest() -> None:
    for name, private in itertools.product(NAMES, (False, True)):
        maker, inputs, _ = case(name, private=private)
        prover = Prover(maker, inputs[:1], None, -1, 2)
        prover.run()
        assert prover.whole
        assert len(prover.polys["w_fold"]) == maker.network.slots + 4
        assert evaluate(prover.polys["phi"], root(prover.n)) == 0


def test_pairing_mode_is_refused() -> None:
    maker, inputs, _ = case("dense")
    proof = prove(maker, inputs[:1])
    key = bytearray(proof.key)
    mode = proof.key.index(maker.head) + 4 + 13 * 4 + 3
    key[mode] = 1
    assert native_refusal(replace(proof, key=bytes(key))) == "key/malformed"
    assert "reserved" in str(reference_refusal(replace(proof, key=bytes(key))))
