"""Ten thousand random mutations of valid proofs of trees and linear models and as many of one network, none of which
Rust accepts.

Most are well formed, so that the pairing decides: other points of the curve, other reduced scalars, messages of
another proof of the same statement, sums of messages.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from tests.agreement.proofs import Proof, Workshop, native_refusal, reference_refusal
from tests.agreement.reference.curve import G1, add, affine, multi_multiply, negate, point_bytes

from .attacks import R, Target
from .targets import SHAPES, target_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.agreement.reference.curve import Point

MUTATIONS = {name: 10_000 if name == "networks" else 2_100 for name in SHAPES}
THROUGH_THE_PLAIN_VERIFIER = 45
# A test that only ever meets malformed bytes proves little.
LEAST_WELL_FORMED = 600


class Mutator:
    """Random changes of one proof; `twin` is a proof of the same statement, `other` one of another."""

    def __init__(self, rng: random.Random, target: Target, twin: Proof, other: Proof) -> None:
        self.rng, self.target, self.twin, self.other = rng, target, twin, other
        self.pool = [multi_multiply([(rng.randrange(1, R), G1)]) for _ in range(40)]
        self.kinds: list[Callable[[bytearray], None]] = [
            self.flip_bits,
            self.random_bytes,
            self.random_scalars,
            self.shifted_scalars,
            self.random_points,
            self.sums_of_points,
            self.messages_of_twin,
            self.messages_of_other,
            self.exchange,
        ]

    def mutated(self, proof: Proof) -> Proof:
        while True:
            body = bytearray(proof.body)
            for kind in self.rng.sample(self.kinds, self.rng.choice([1, 1, 1, 2, 3])):
                kind(body)
            words = proof.words if self.rng.random() < 0.8 else self.changed_words(proof.words)
            changed = proof.with_(body=bytes(body), words=words)
            # The twin's messages all taken together would be a valid proof.
            if changed.body not in {proof.body, self.twin.body, self.other.body} or words != proof.words:
                return changed

    def some_scalars(self) -> list[int]:
        return self.rng.sample(self.target.scalars, self.rng.randint(1, len(self.target.scalars)))

    def some_points(self) -> list[int]:
        return self.rng.sample(self.target.point_starts, self.rng.choice([1, 1, 2, 3]))

    def flip_bits(self, body: bytearray) -> None:
        for _ in range(self.rng.choice([1, 1, 2, 8])):
            body[self.rng.randrange(len(body))] ^= 1 << self.rng.randrange(8)

    def random_bytes(self, body: bytearray) -> None:
        start = self.rng.randrange(len(body))
        length = self.rng.randint(1, min(96, len(body) - start))
        body[start : start + length] = self.rng.randbytes(length)

    def random_scalars(self, body: bytearray) -> None:
        for i in self.some_scalars():
            body[32 * i : 32 * i + 32] = self.rng.randrange(R).to_bytes(32, "big")

    def shifted_scalars(self, body: bytearray) -> None:
        """One value added to several evaluations: sums and differences of them keep their value."""
        shift = self.rng.choice([1, R - 1, self.rng.randrange(R)])
        for i in self.some_scalars():
            value = int.from_bytes(body[32 * i : 32 * i + 32], "big")
            body[32 * i : 32 * i + 32] = ((value + shift) % R).to_bytes(32, "big")

    def random_points(self, body: bytearray) -> None:
        for i in self.some_points():
            _put(body, i, self.rng.choice(self.pool))

    def sums_of_points(self, body: bytearray) -> None:
        """A point plus and another minus the same point, or a message negated."""
        first, second = self.rng.sample(self.target.point_starts, 2)
        shift = self.rng.choice(self.pool)
        assert shift is not None
        _put(body, first, _sum(_get(body, first), shift))
        _put(body, second, _sum(_get(body, second), negate(shift)))

    def messages_of_twin(self, body: bytearray) -> None:
        self._splice(body, self.twin.body)

    def messages_of_other(self, body: bytearray) -> None:
        self._splice(body, self.other.body)

    def _splice(self, body: bytearray, source: bytes) -> None:
        cuts = sorted(self.rng.sample([*self.target.point_starts, *self.target.scalars], 2))
        body[32 * cuts[0] : 32 * cuts[1]] = source[32 * cuts[0] : 32 * cuts[1]]

    def exchange(self, body: bytearray) -> None:
        first, second = self.rng.sample(self.target.point_starts, 2)
        a, b = body[32 * first : 32 * first + 64], body[32 * second : 32 * second + 64]
        body[32 * first : 32 * first + 64], body[32 * second : 32 * second + 64] = b, a

    def changed_words(self, words: tuple[int, ...]) -> tuple[int, ...]:
        changed = list(words)
        for i in self.rng.sample(range(len(words)), self.rng.randint(1, len(words))):
            changed[i] = self.rng.choice(
                [
                    self.other.words[i],
                    (words[i] + self.rng.choice([1, -1, R, -R])) % (1 << 256),
                    self.rng.getrandbits(self.rng.choice([16, 32, 64, 256])),
                ]
            )
        return tuple(changed)


def _get(body: bytearray, start: int) -> Point:
    data = bytes(body[32 * start : 32 * start + 64])
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")


def _put(body: bytearray, start: int, point: Point | None) -> None:
    body[32 * start : 32 * start + 64] = point_bytes(point) if point else bytes(64)


def _sum(a: Point, b: Point) -> Point | None:
    return affine(add((*a, 1), (*b, 1)))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_no_mutated_proof_is_accepted(workshop: Workshop, name: str) -> None:
    shape = SHAPES[name]
    proof, twin, other = shape.proof(workshop), shape.proof(workshop), shape.proof(workshop, seed=2)
    assert proof.words == twin.words != other.words
    assert [native_refusal(valid) for valid in (proof, twin, other)] == [None] * 3
    rng = random.Random(name)
    mutator = Mutator(rng, target_of(proof), twin, other)
    codes = []
    for number in range(MUTATIONS[name]):
        mutated = mutator.mutated(proof)
        code = native_refusal(mutated)
        assert code is not None, (number, mutated)
        codes.append(code)
        if number < THROUGH_THE_PLAIN_VERIFIER:
            plain = reference_refusal(mutated)
            assert (plain == "the pairing check fails") == (code == "proof/invalid"), (number, code, plain)
            assert plain is not None
    assert codes.count("proof/invalid") >= LEAST_WELL_FORMED
    assert set(codes) == {"proof/invalid", "proof/malformed"}


def test_there_are_ten_thousand_of_ensembles_and_of_one_network() -> None:
    assert sum(count for name, count in MUTATIONS.items() if "networks" not in name) >= 10_000
    assert MUTATIONS["networks"] >= 10_000
    assert THROUGH_THE_PLAIN_VERIFIER * len(SHAPES) >= 200
