"""Proofs made from the verifying key and tau alone: the zero-knowledge simulator, which is also the forger.

Every message is a random scalar times the generator. The quotient is what the constraints give at tau: they are
linear in the hidden polynomials of the model, so their commitments are enough. W and W' are divisions by
tau - zeta and so on in the exponent. The oracle is not programmed: nothing has to be known before it is asked.

The output is distributed as honest proofs are (spec/security.md, section 4), so proofs tell nothing of the model
that the key does not. Nothing asks whether the statement is true, so whoever knows tau can prove anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.agreement.public_polynomials import fixed_at, groups_in_order
from tests.agreement.reference import linear, trees
from tests.agreement.reference.curve import G1, Point, multi_multiply, point_bytes
from tests.agreement.reference.field import R
from tests.agreement.reference.key import Key, padded_rows, parse_key
from tests.agreement.reference.relation import CONSTANT, Challenges, Combination, Context
from tests.agreement.reference.transcript import Transcript, word
from tests.agreement.reference.verify import folded
from tests.agreement.reference.words import Statement, read_words

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

INFINITY = bytes(64)


@dataclass
class Simulator:
    """`scalars` fixes the discrete logarithms of some messages (and of I, if the statement has none);
    `disguise` may rewrite a message's bytes.

    Both are for proofs that break one rule on encodings and no other: the disguised bytes are absorbed, so that
    nothing but that rule can refuse them.
    """

    key_bytes: bytes
    tau: int
    rng: random.Random
    scalars: dict[str, int] = field(default_factory=dict)
    disguise: Callable[[str, bytes], bytes] = lambda _, data: data

    def prove(self, rows: int, words: Sequence[int], statement: Statement | None = None) -> bytes:
        """A body for these words. `statement` is what they mean, if that is not for `read_words` to say."""
        key = parse_key(self.key_bytes)
        run = _Run(self, key, rows, statement or read_words(key, rows, words))
        return run.body(Transcript(key.digest, rows, words))


class _Run:
    def __init__(self, simulator: Simulator, key: Key, rows: int, statement: Statement) -> None:
        self.simulator, self.key, self.rows, self.statement = simulator, key, rows, statement
        self.nb = padded_rows(key, rows)
        self.relation = trees if key.trees else linear
        self.layout = self.relation.layout(key, self.nb)
        self.tau = simulator.tau
        self.messages: list[bytes] = []
        self.logs: dict[str, int] = {CONSTANT: 1}
        self.points: dict[str, Point] = dict(zip(("Pub", "G", "A", "C"), key.table, strict=False))
        self.points |= dict(zip(key.fixed_names(self.nb), key.fixed[self.nb.bit_length() - 1], strict=True))
        if statement.commitment is not None:
            self.points["I"] = statement.commitment
        elif key.private:
            self.logs["I"] = simulator.scalars["I"]

    def body(self, transcript: Transcript) -> bytes:
        self._random_points(self.layout.round1, transcript)
        alpha, beta = transcript.challenge(), transcript.challenge()
        self._random_points(self.layout.round2, transcript)
        y = transcript.challenge()
        self._quotient(Challenges(alpha, beta, y, self.tau), transcript)
        context = self._context(Challenges(alpha, beta, y, transcript.challenge()))
        self._send([(name, word(context.values[name, at])) for name, at in self.layout.evaluations], transcript)
        self.relation.constrain(context)
        for i, name in enumerate(self.layout.chunks):
            context.Rz.plus(name, -pow(context.c.zeta, i * self.layout.chunk_size, R))
        polynomials = self.relation.opened(context)
        gamma = transcript.challenge()
        opening = folded(polynomials, gamma, self.tau)
        self._send([("W", self._commit(opening, 1))], transcript)
        z = transcript.challenge()
        rest = folded(polynomials, gamma, z)
        for name, value in opening.items():
            rest.plus(name, -value)
        self._send([("W'", self._commit(rest, pow(self.tau - z, -1, R)))], transcript)
        return b"".join(self.messages)

    def _send(self, parts: list[tuple[str, bytes]], transcript: Transcript) -> None:
        data = b"".join(self.simulator.disguise(name, part) for name, part in parts)
        self.messages.append(data)
        transcript.absorb(data)

    def _random_points(self, names: list[str], transcript: Transcript) -> None:
        parts = []
        for name in names:
            self.logs[name] = self.simulator.scalars.get(name, self.simulator.rng.randrange(1, R))
            parts.append((name, self._commit(Combination({name: 1}), 1)))
        self._send(parts, transcript)

    def _context(self, challenges: Challenges) -> Context:
        """With a random value for every evaluation, but the true ones of public polynomials and at tau itself."""
        inputs, outputs = self.statement.inputs, self.statement.outputs
        context = Context(self.key, self.rows, self.nb, inputs, outputs, {}, challenges)
        for name, at in self.layout.evaluations:
            if name in self.key.fixed_names(self.nb):
                value = fixed_at(self.key, name, self.nb, groups_in_order(self.key), challenges.zeta)
            elif at == "zeta" and challenges.zeta == self.tau and name in self.logs:
                value = self.logs[name]
            else:
                value = self.simulator.rng.randrange(R)
            context.values[name, at] = value
        return context

    def _quotient(self, at_tau: Challenges, transcript: Transcript) -> None:
        """Random chunks whose sum at tau is what the constraints give there; nothing where there is no quotient."""
        if not self.layout.chunks:
            self._send([], transcript)
            return
        context = self._context(at_tau)
        self.relation.constrain(context)
        for i, name in enumerate(self.layout.chunks[1:], 1):
            self.logs[name] = self.simulator.rng.randrange(1, R)
            context.Rz.plus(name, -pow(self.tau, i * self.layout.chunk_size, R))
        first = self._commit(context.Rz, 1)
        self.points[self.layout.chunks[0]] = (int.from_bytes(first[:32], "big"), int.from_bytes(first[32:], "big"))
        rest = [(name, self._commit(Combination({name: 1}), 1)) for name in self.layout.chunks[1:]]
        self._send([(self.layout.chunks[0], first), *rest], transcript)

    def _commit(self, combination: Combination, scale: int) -> bytes:
        known = sum(value * self.logs[name] for name, value in combination.items() if name in self.logs)
        hidden = [(value * scale, self.points[name]) for name, value in combination.items() if name not in self.logs]
        point = multi_multiply([(known * scale, G1), *hidden])
        return INFINITY if point is None else point_bytes(point)
