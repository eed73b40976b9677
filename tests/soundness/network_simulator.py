"""The simulator of simulator.py for networks: proofs from the key, the public circuit and tau alone.

A pack's commitment and the values at tau of its columns are drawn apart: each column has one blinding coefficient more
for that (spec/security.md, section 7.3). Of the hidden matrix only its commitment is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from tests.agreement.network_circuits import network
from tests.agreement.network_prover import Maker, Poly, evaluate
from tests.agreement.reference.curve import G1, Point, multi_multiply, point_bytes
from tests.agreement.reference.field import R
from tests.agreement.reference.networks import (
    CONSTANT,
    Challenges,
    Combination,
    Statement,
    padded,
    parse_network_key,
    points_of,
    public_sum,
    read_words,
    total,
    unevaluated,
)
from tests.agreement.reference.transcript import Transcript, word

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from tests.agreement.network_circuits import NetworkCircuit

INFINITY = bytes(64)
Pack = tuple[str, ...]


def message(pack: Pack) -> str:
    """The name of a commitment."""
    return "+".join(pack)


@cache
def public_polynomials(circuit: NetworkCircuit, log_nb_max: int, nb: int) -> dict[str, Poly]:
    """Table and wiring, which everybody can compute from the public circuit."""
    maker = Maker(network(circuit.name), circuit.inputs == "private", log_nb_max=log_nb_max)
    return maker.table_polynomials | maker.blocks[nb]


@dataclass
class NetworkSimulator:
    """As `simulator.Simulator`; `circuit` is what whoever checks the key has."""

    key_bytes: bytes
    tau: int
    rng: random.Random
    circuit: NetworkCircuit
    scalars: dict[str, int] = field(default_factory=dict)
    disguise: Callable[[str, bytes], bytes] = lambda _, data: data

    def prove(self, rows: int, words: Sequence[int], statement: Statement | None = None) -> bytes:
        key = parse_network_key(self.key_bytes)
        return _Run(self, rows, statement or read_words(key, rows, words)).body(Transcript(key.digest, rows, words))


class _Run:
    def __init__(self, simulator: NetworkSimulator, rows: int, statement: Statement) -> None:
        self.simulator, self.statement, self.tau = simulator, statement, simulator.tau
        self.key = key = parse_network_key(simulator.key_bytes)
        self.nb = padded(key, rows)
        self.public = public_polynomials(simulator.circuit, key.log_nb_max, self.nb)
        self.messages: list[bytes] = []
        self.logs: dict[Pack, int] = {CONSTANT: 1}
        self.points: dict[Pack, Point] = dict(key.committed(self.nb))
        if statement.commitment is not None:
            self.points["I",] = statement.commitment
        elif key.private:
            self.logs["I",] = simulator.scalars["I"]

    def body(self, transcript: Transcript) -> bytes:
        drawn: list[int] = []
        for packs, challenges in self.key.rounds(self.nb):
            for pack in packs:
                self.logs[pack] = self.simulator.scalars.get(message(pack), self._random())
            self._send([(message(pack), self._commit({pack: 1}, 1)) for pack in packs], transcript)
            drawn += [transcript.challenge() for _ in range(challenges)]
        self.c = Challenges(*drawn)
        statement = self.statement
        self.t_pub = public_sum(self.key, self.nb, self.c, statement.inputs, statement.outputs)
        self._quotient(transcript)
        zeta = transcript.challenge()
        values = self._values(zeta)
        self._send([(f"{name} at {at}", word(value)) for (name, at), value in values.items()], transcript)
        gamma = transcript.challenge()
        combination = Combination(self.key, self.nb, self.c, values, zeta, gamma, self.t_pub)
        opening = combination.at(self.tau)
        self._send([("W", self._commit(opening, 1))], transcript)
        z = transcript.challenge()
        rest = {pack: value - opening[pack] for pack, value in combination.at(z).items()}
        self._send([("W'", self._commit(rest, pow(self.tau - z, -1, R)))], transcript)
        return b"".join(self.messages)

    def _random(self) -> int:
        return self.simulator.rng.randrange(1, R)

    def _send(self, parts: list[tuple[str, bytes]], transcript: Transcript) -> None:
        data = b"".join(self.simulator.disguise(name, part) for name, part in parts)
        self.messages.append(data)
        transcript.absorb(data)

    def _values(self, point: int) -> dict[tuple[str, str], int]:
        """Random, but for public polynomials."""
        points, found = points_of(self.key, self.nb, point), {}
        for name, at in self.key.evaluations(self.nb):
            public = self.public.get(name)
            found[name, at] = self._random() if public is None else evaluate(public, points[at])
        return found

    def _quotient(self, transcript: Transcript) -> None:
        """Random chunks whose sum at tau is what the constraints give there."""
        key, nb = self.key, self.nb
        values = self._values(self.tau)
        # What is committed alone shows its value at tau.
        values |= {(name, at): self.logs[name,] for name, at in values if at == "here" and (name,) in self.logs}
        none = {(name, "here"): 0 for name in unevaluated(key)}

        def at_tau(**one: int) -> int:
            own = {(name, "here"): value for name, value in one.items()}
            return total(key, nb, self.c, {**none, **values, **own}, self.tau, self.t_pub)

        constant = at_tau()
        terms: dict[Pack, int] = {CONSTANT: constant}
        terms |= {(name,): at_tau(**{name: 1}) - constant for name in unevaluated(key)}
        for i in range(1, key.chunks(nb)):
            self.logs[f"Quot{i}",] = self._random()
            terms[f"Quot{i}",] = -pow(self.tau, i * key.chunk(nb), R)
        first = self._commit(terms, 1)
        self.points["Quot0",] = int.from_bytes(first[:32], "big"), int.from_bytes(first[32:], "big")
        rest = [(f"Quot{i}", self._commit({(f"Quot{i}",): 1}, 1)) for i in range(1, key.chunks(nb))]
        self._send([("Quot0", first), *rest], transcript)

    def _commit(self, terms: dict[Pack, int], scale: int) -> bytes:
        known = sum(value * self.logs[pack] for pack, value in terms.items() if pack in self.logs)
        hidden = [(value * scale % R, self.points[p]) for p, value in terms.items() if p not in self.logs]
        point = multi_multiply([(known * scale % R, G1), *hidden])
        return INFINITY if point is None else point_bytes(point)
