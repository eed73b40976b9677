"""A prover in plain Python that knows no constraint: it asks the plain verifier what they are.

A witness gives the columns; the quotient is what the verifier's own equations give at the points of a coset; the
openings are divisions of polynomials. It is slow, works for any relation of the plain verifier, and is made to be
cheated with: every step is a method that an attack replaces (frozen.py).

Nobody but `Commitments` knows tau, so that no attack can owe its success to the trapdoor.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from tests.agreement.known_tau import Generator
from tests.agreement.reference import linear, parse_key, trees
from tests.agreement.reference.curve import Point, point_bytes
from tests.agreement.reference.field import R, root
from tests.agreement.reference.itself import drawn
from tests.agreement.reference.key import MAGIC, padded_rows
from tests.agreement.reference.pairing import G2, multiply2
from tests.agreement.reference.relation import CONSTANT, Challenges, Combination, Context, Opened, shift_of
from tests.agreement.reference.transcript import Transcript, word
from tests.agreement.reference.verify import folded
from tests.agreement.reference.words import read_words

from .polynomials import (
    Polynomial,
    add,
    divided,
    evaluate,
    interpolated,
    parted,
    scaled,
    times_binomial,
    times_linear,
    woven,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Columns = dict[str, Polynomial]


class Commitments:
    """[f(tau)]_1 of known polynomials, as everyone can compute it from the powers of tau, and keys with this tau."""

    def __init__(self, tau: int) -> None:
        self._tau = tau
        self._generator = Generator()

    def commit(self, f: Sequence[int]) -> Point | None:
        return self._generator.times(evaluate(f, self._tau))

    def key(self, head: bytes, points: Sequence[Point | None], public: Sequence[Sequence[int]] = ()) -> bytes:
        """A verifying key: magic, shape, points, tau in G2 (spec, section 7).

        `public` are its public polynomials, if there are any: before tau stands the opening of their sum.
        """
        (x_re, x_im), (y_re, y_im) = multiply2(self._tau, G2)
        body = b"".join(point_bytes(point) for point in points if point is not None)
        before, tau = MAGIC + head + body, b"".join(map(word, (x_im, x_re, y_im, y_re)))
        if not public:
            return before + tau
        where, total = drawn(before + tau), [0]
        for i, f in enumerate(public):
            total = add(total, scaled(f, pow(where.weight, i, R)))
        quotient, _ = divided(total, where.point)
        proof = self.commit(quotient)
        assert proof is not None
        return before + point_bytes(proof) + tau


def hidden(values: Sequence[int]) -> Polynomial:
    """A column's polynomial, plus a random multiple of its vanishing polynomial."""
    blind, f = random.randrange(1, R), interpolated(values)
    return [(f[0] - blind) % R, *f[1:], blind]


class Witness(Protocol):
    """A model that the attacker made, and what it computes for some rows."""

    key: bytes
    model: Columns

    def round1(self) -> Columns: ...

    def round2(self, alpha: int, beta: int) -> Columns: ...


class NoQuotient(Exception):
    """The constraints do not hold: what they add up to is no polynomial of the quotient's degree."""


@dataclass
class PlainProver:
    """One proof of a statement, true or not, from a witness."""

    witness: Witness
    commitments: Commitments
    words: tuple[int, ...]
    rows: int = 1
    polynomials: Columns = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = parse_key(self.witness.key)
        self.nb = padded_rows(self.key, self.rows)
        self.relation = trees if self.key.trees else linear
        self.layout = self.relation.layout(self.key, self.nb)
        self.statement = read_words(self.key, self.rows, self.words)

    def prove(self, transcript: Transcript | None = None) -> bytes:
        """The body of a proof; the transcript is the verifier's, or one of which more is known."""
        transcript = transcript or Transcript(self.key.digest, self.rows, self.words)
        self.polynomials = dict(self.witness.model)
        body = self._send(transcript, self.round1(), self.layout.round1)
        self.alpha, self.beta = transcript.challenge(), transcript.challenge()
        body += self._send(transcript, self.round2(), self.layout.round2)
        self.y = transcript.challenge()
        self.zeta = 0
        body += self._send(transcript, self.quotient(), self.layout.chunks)
        self.zeta = transcript.challenge()
        values = self.evaluations()
        body += self._absorbed(transcript, b"".join(word(values[name]) for name in self.layout.evaluations))
        self.gamma = transcript.challenge()
        W = self.opening(values)
        body += self._absorbed(transcript, self._point(W))
        z = transcript.challenge()
        return body + self._point(self.proof_of_opening(values, W, z))

    # What an attack may replace.

    def round1(self) -> Columns:
        return self.witness.round1()

    def round2(self) -> Columns:
        return self.witness.round2(self.alpha, self.beta)

    def quotient(self) -> Columns:
        if not self.layout.chunks:
            # The constraints themselves are an identity of polynomials.
            point = random.randrange(R)
            if self.value_of(self.context(point, self.true_values(point)).Rz, point):
                raise NoQuotient
            return {}
        whole = self.whole_quotient()
        size = self.layout.chunk_size
        if any(whole[size * len(self.layout.chunks) :]):
            raise NoQuotient
        return self.chunks(whole)

    def evaluations(self) -> dict[tuple[str, str], int]:
        return self.true_values(self.zeta)

    def opening(self, values: Mapping[tuple[str, str], int]) -> Polynomial:
        W, remainders = self.fraction(self.opened(values), self.gamma)
        assert not any(map(any, remainders.values())), "a claimed value is not the polynomial's"
        return W

    def proof_of_opening(self, values: Mapping[tuple[str, str], int], W: Polynomial, z: int) -> Polynomial:
        F = add(self.combined(folded(self.opened(values), self.gamma, z)), scaled(W, -1))
        quotient, remainder = divided(F, z)
        assert remainder == 0
        return quotient

    # What they are made of.

    def context(self, point: int, values: Mapping[tuple[str, str], int]) -> Context:
        """The verifier's view, its equations added up."""
        challenges = Challenges(self.alpha, self.beta, self.y, point)
        inputs, outputs = self.statement.inputs, self.statement.outputs
        context = Context(self.key, self.rows, self.nb, inputs, outputs, dict(values), challenges)
        self.relation.constrain(context)
        return context

    def true_values(self, point: int) -> dict[tuple[str, str], int]:
        n = self.key.S * self.nb
        return {
            (name, at): evaluate(self.polynomials[name], shift_of(at, self.key, n) * point % R)
            for name, at in self.layout.evaluations
        }

    def whole_quotient(self) -> Polynomial:
        """The sum of all constraints over their vanishing polynomials, from its values on a coset."""
        size = 1 << (2 * self.layout.chunk_size * len(self.layout.chunks) - 1).bit_length()
        shift, omega = random.randrange(2, R), root(size)
        values = []
        point = shift
        for _ in range(size):
            values.append(self.value_of(self.context(point, self.true_values(point)).Rz, point))
            point = point * omega % R
        return interpolated(values, shift)

    def chunks(self, whole: Polynomial) -> Columns:
        """Cut, and blinded by terms that cancel: no chunk is the zero polynomial."""
        size, names = self.layout.chunk_size, self.layout.chunks
        cut = {name: add(whole[size * i : size * (i + 1)], [0]) for i, name in enumerate(names)}
        for name, following in pairwise(names):
            blind = random.randrange(1, R)
            cut[name] = add(cut[name], [0] * size + [blind])
            cut[following] = add(cut[following], [-blind])
        return cut

    def with_quotient(self, values: Mapping[tuple[str, str], int]) -> Context:
        """The verifier's view at zeta, with the quotient in Rz."""
        context = self.context(self.zeta, values)
        for i, name in enumerate(self.layout.chunks):
            context.Rz.plus(name, -pow(self.zeta, i * self.layout.chunk_size, R))
        return context

    def opened(self, values: Mapping[tuple[str, str], int]) -> list[Opened]:
        return self.relation.opened(self.with_quotient(values))

    def woven(self, pack: str) -> Polynomial:
        """The polynomial that a pack's commitment is of."""
        return woven([self.polynomials[column] for column in self.layout.packs[pack]])

    def value_of(self, combination: Combination, point: int) -> int:
        return evaluate(self.combined(combination), point)

    def combined(self, combination: Combination) -> Polynomial:
        total: Polynomial = []
        for name, factor in combination.items():
            total = add(total, scaled([1] if name == CONSTANT else self.polynomials[name], factor))
        return total

    def fraction(self, opened: Sequence[Opened], gamma: int) -> tuple[Polynomial, dict[tuple[int, int], Polynomial]]:
        """Sum of gamma^i (f_i - r_i) / Z_i as a polynomial, and what is left over modulo each X^c - p."""
        factors = list(dict.fromkeys((len(one.claims), point) for one in opened for point in one.claims[0]))
        total, weight = [0], 1
        for one in opened:
            term = add(self.combined(one.commitment), scaled(woven(list(map(_through, one.claims))), -1))
            for width, point in factors:
                if width != len(one.claims) or point not in one.claims[0]:
                    term = times_binomial(term, width, point)
            total = add(total, scaled(term, weight))
            weight = weight * gamma % R
        remainders = {factor: parted(total, *factor)[1] for factor in factors}
        for factor in factors:
            total, _ = parted(total, *factor)
        return total, remainders

    def _send(self, transcript: Transcript, columns: Columns, names: Sequence[str]) -> bytes:
        self.polynomials |= columns
        for name in set(names) & set(self.layout.packs):
            self.polynomials[name] = self.woven(name)
        return self._absorbed(transcript, b"".join(self._point(self.polynomials[name]) for name in names))

    def _absorbed(self, transcript: Transcript, data: bytes) -> bytes:
        transcript.absorb(data)
        return data

    def _point(self, f: Polynomial) -> bytes:
        point = self.commitments.commit(f)
        assert point is not None, "no message is infinity"
        return point_bytes(point)


def _through(claims: Mapping[int, int]) -> Polynomial:
    """The polynomial of least degree with these values."""
    total: Polynomial = [0]
    for point, value in claims.items():
        term, scale = [1], value
        for other in claims:
            if other != point:
                term = times_linear(term, other)
                scale = scale * pow(point - other, -1, R) % R
        total = add(total, scaled(term, scale))
    return total
