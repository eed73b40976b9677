"""The whole verifier (spec, section 6)."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from . import linear, networks, trees
from .curve import G1, Point, multi_multiply, negate, parse_point
from .field import R, check, inverse
from .key import MAGIC, Key, padded_rows, parse_key
from .pairing import G2, product_is_one
from .relation import CONSTANT, Challenges, Combination, Context, Layout, Opened
from .transcript import Transcript
from .words import Statement, read_words

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD, POINT = 32, 64
NETWORK = bytes([2])


def is_network(key_bytes: bytes) -> bool:
    return key_bytes[len(MAGIC) : len(MAGIC) + 1] == NETWORK


def verify(key_bytes: bytes, rows: int, words: Sequence[int], body: bytes) -> None:
    """Returns if the proof is valid; raises `Refused` with the reason if not."""
    if is_network(key_bytes):
        networks.verify(key_bytes, rows, words, body)
        return
    key = parse_key(key_bytes)
    nb = padded_rows(key, rows)
    layout = (trees if key.trees else linear).layout(key, nb)
    messages = Messages(layout, body)
    statement = read_words(key, rows, words)
    transcript = Transcript(key.digest, rows, words)
    context = replay(key, rows, nb, statement, messages, transcript)
    gamma = transcript.challenge()
    transcript.absorb(body[-2 * POINT : -POINT])
    z = transcript.challenge()
    check_opening(context, commitments(key, nb, statement, messages), messages, gamma, z)


class Messages:
    """A proof's body, cut and checked (rules 1 and 2)."""

    def __init__(self, layout: Layout, body: bytes) -> None:
        self.layout = layout
        names = [*layout.round1, *layout.round2, *layout.chunks]
        first = POINT * len(names)
        second = first + WORD * len(layout.evaluations)
        check(len(body) == second + 2 * POINT, "not the length of a proof")
        self.body, self.first, self.second = body, first, second
        self.points: dict[str, Point] = {}
        for i, name in enumerate(names):
            self.points[name] = parse_point(body[POINT * i : POINT * (i + 1)])
        self.values: dict[tuple[str, str], int] = {}
        for i, name_point in enumerate(layout.evaluations):
            value = int.from_bytes(body[first + WORD * i : first + WORD * (i + 1)], "big")
            check(value < R, "an evaluation is not reduced")
            self.values[name_point] = value
        self.W = parse_point(body[second : second + POINT])
        self.W_prime = parse_point(body[second + POINT :])

    def rounds(self) -> list[bytes]:
        """Rounds 1 to 4 as they are absorbed."""
        one = POINT * len(self.layout.round1)
        two = one + POINT * len(self.layout.round2)
        cuts = [0, one, two, self.first, self.second]
        return [self.body[start:end] for start, end in itertools.pairwise(cuts)]


def replay(key: Key, rows: int, nb: int, statement: Statement, messages: Messages, transcript: Transcript) -> Context:
    """Draws the challenges up to zeta, absorbs the evaluations, and builds Rz."""
    one, two, three, four = messages.rounds()
    transcript.absorb(one)
    alpha, beta = transcript.challenge(), transcript.challenge()
    transcript.absorb(two)
    y = transcript.challenge()
    transcript.absorb(three)
    zeta = transcript.challenge()
    transcript.absorb(four)
    check(zeta != 0, "zeta is zero")
    context = Context(
        key, rows, nb, statement.inputs, statement.outputs, messages.values, Challenges(alpha, beta, y, zeta)
    )
    (trees if key.trees else linear).constrain(context)
    for i, name in enumerate(messages.layout.chunks):
        context.Rz.plus(name, -pow(zeta, i * messages.layout.chunk_size, R))
    return context


def commitments(key: Key, nb: int, statement: Statement, messages: Messages) -> dict[str, Point]:
    named = {CONSTANT: G1, **messages.points}
    named |= dict(zip(("Pub", "G", "A", "C"), key.table, strict=False))
    named |= dict(zip(key.fixed_names(nb), key.fixed[nb.bit_length() - 1], strict=True))
    if statement.commitment is not None:
        named["I"] = statement.commitment
    return named


def check_opening(context: Context, named: dict[str, Point], messages: Messages, gamma: int, z: int) -> None:
    """Section 4.7."""
    polynomials = (trees if context.key.trees else linear).opened(context)
    total = folded(polynomials, gamma, z)
    terms = [(value, named[name]) for name, value in total.items()]
    left = multi_multiply([*terms, (R - 1, messages.W), (z, messages.W_prime)])
    valid = product_is_one([(left, G2), (negate(messages.W_prime), context.key.tau)])
    check(valid, "the pairing check fails")


def folded(polynomials: list[Opened], gamma: int, z: int) -> Combination:
    """The sum of gamma^i (f_i - r_i(z)) / Z_i(z), where Z_i(z) is the product of z^c - p over the points p."""
    total, weight = Combination(), 1
    for polynomial in polynomials:
        power = pow(z, len(polynomial.claims), R)
        scale = weight
        for point in polynomial.claims[0]:
            scale = scale * inverse(power - point) % R
        for name, value in polynomial.commitment.items():
            total.plus(name, scale * value)
        for i, claims in enumerate(polynomial.claims):
            total.plus(CONSTANT, -scale * pow(z, i, R) * interpolated(claims, power))
        weight = weight * gamma % R
    return total


def interpolated(claims: dict[int, int], z: int) -> int:
    """The value at z of the polynomial of least degree with these values."""
    total = 0
    for point, value in claims.items():
        term = value
        for other in claims:
            if other != point:
                term = term * (z - other) % R * inverse(point - other) % R
        total += term
    return total % R
