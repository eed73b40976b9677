"""The whole verifier of a network's proof (protocol.md, section 6, with the changes of networks.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.agreement.reference.curve import G1, Point, multi_multiply, negate, parse_point
from tests.agreement.reference.field import R, check, inverse, root
from tests.agreement.reference.pairing import G2, product_is_one
from tests.agreement.reference.transcript import Transcript, word

from .key import LANE_BITS, LANES, NetworkKey, Pack, padded, parse_network_key
from .relation import Challenges, public_sum, total

if TYPE_CHECKING:
    from collections.abc import Sequence


def unevaluated(key: NetworkKey) -> list[str]:
    """Not evaluated where the constraints are: Rz is linear in them."""
    return ["phi", "m", *key.matrix, *(["I"] if key.private else [])]


@dataclass(frozen=True)
class Statement:
    inputs: list[list[int]]
    commitment: Point | None
    outputs: list[list[int]]


@dataclass(frozen=True)
class Opening:
    """A proof's messages and challenges."""

    nb: int
    statement: Statement
    named: dict[Pack, Point]
    values: dict[tuple[str, str], int]
    c: Challenges
    zeta: int
    gamma: int
    z: int
    w: Point
    w_prime: Point


def verify(key_bytes: bytes, rows: int, words: Sequence[int], body: bytes, removed: int = -1) -> None:
    """Returns if the proof is valid; raises `Refused` with the reason if not. Constraint `removed` is left out."""
    key = parse_network_key(key_bytes)
    o = replayed(key, rows, words, body)
    t_pub = public_sum(key, o.nb, o.c, o.statement.inputs, o.statement.outputs)
    combination = Combination(key, o.nb, o.c, o.values, o.zeta, o.gamma, t_pub, removed)
    terms = [(value, o.named[pack]) for pack, value in combination.at(o.z).items()]
    left = multi_multiply([*terms, (R - 1, o.w), (o.z, o.w_prime)])
    check(product_is_one([(left, G2), (negate(o.w_prime), key.tau)]), "the pairing check fails")


def replayed(key: NetworkKey, rows: int, words: Sequence[int], body: bytes) -> Opening:
    """Cuts a proof and draws its challenges."""
    nb = padded(key, rows)
    names = key.evaluations(nb)
    statement = read_words(key, rows, words)
    transcript, cut, drawn = Transcript(key.digest, rows, words), 0, list[int]()
    named = {CONSTANT: G1, **key.committed(nb)}
    count = sum(len(packs) for packs, _ in key.rounds(nb)) + key.chunks(nb)
    check(len(body) == 64 * (count + 2) + 32 * len(names), "not the length of a proof")

    def absorbed(size: int) -> bytes:
        nonlocal cut
        part, cut = body[cut : cut + size], cut + size
        transcript.absorb(part)
        return part

    for packs, challenges in key.rounds(nb):
        part = absorbed(64 * len(packs))
        named |= {pack: parse_point(part[64 * i : 64 * i + 64]) for i, pack in enumerate(packs)}
        drawn += [transcript.challenge() for _ in range(challenges)]
    part = absorbed(64 * key.chunks(nb))
    named |= {(f"Quot{i}",): parse_point(part[64 * i : 64 * i + 64]) for i in range(key.chunks(nb))}
    zeta = transcript.challenge()
    part = absorbed(32 * len(names))
    values = {name: int.from_bytes(part[32 * i : 32 * i + 32], "big") for i, name in enumerate(names)}
    check(all(value < R for value in values.values()), "an evaluation is not reduced")
    gamma = transcript.challenge()
    w = parse_point(absorbed(64))
    z = transcript.challenge()
    w_prime = parse_point(body[cut:])
    if statement.commitment is not None:
        named["I",] = statement.commitment
    return Opening(nb, statement, named, values, Challenges(*drawn), zeta, gamma, z, w, w_prime)


CONSTANT: Pack = ("1",)


@dataclass(frozen=True)
class Combination:
    """Shplonk's sum for a point z: the sum of gamma^i (f_i - r_i(z)) / Z_i(z)."""

    key: NetworkKey
    nb: int
    c: Challenges
    values: dict[tuple[str, str], int]
    zeta: int
    gamma: int
    t_pub: int
    removed: int = -1

    def at(self, z: int) -> dict[Pack, int]:
        """Coefficients of the commitments, and of the generator as that of `CONSTANT`."""
        key, nb, zeta, values = self.key, self.nb, self.zeta, self.values
        points = points_of(key, nb, zeta)
        scalars: dict[Pack, int] = {}
        constant = remainder(key, nb, self.c, values, zeta, self.t_pub, scalars, self.removed)
        for i in range(key.chunks(nb)):
            scalars[f"Quot{i}",] = -pow(zeta, i * key.chunk(nb), R)
        scale = inverse(z - zeta)
        scalars = {pack: scale * value for pack, value in scalars.items()}
        constant, weight = constant * scale, self.gamma
        for pack, where in key.opened(nb):
            width, scale = len(pack), weight
            for at in where:
                scale = scale * inverse(pow(z, width, R) - points[at]) % R
            scalars[pack] = scalars.get(pack, 0) + scale
            for i, name in enumerate(pack):
                claimed = {points[at]: values[name, at] for at in where}
                check(len(claimed) == len(where), "two points of an opening are one")
                constant -= scale * pow(z, i, R) * interpolated(claimed, pow(z, width, R))
            weight = weight * self.gamma % R
        return {pack: value % R for pack, value in {**scalars, CONSTANT: constant}.items()}


def points_of(key: NetworkKey, nb: int, zeta: int) -> dict[str, int]:
    """The points of section 6."""
    shifted = {"next": zeta * root(key.S * nb) % R, "next_V": zeta * root(key.N) % R}
    return {"here": zeta, **shifted, "inverse": inverse(zeta)}


def remainder(
    key: NetworkKey,
    nb: int,
    c: Challenges,
    values: dict[tuple[str, str], int],
    zeta: int,
    t_pub: int,
    scalars: dict[Pack, int],
    removed: int,
) -> int:
    """The constant of Rz; its coefficients are what changes when one of the others is 1 instead of 0."""
    none = {(name, "here"): 0 for name in unevaluated(key)}
    constant = total(key, nb, c, {**none, **values}, zeta, t_pub, removed)
    for name in none:
        one = {**none, name: 1, **values}
        scalars[name[0],] = total(key, nb, c, one, zeta, t_pub, removed) - constant
    return constant


def interpolated(claims: dict[int, int], z: int) -> int:
    """The value at z of the polynomial of least degree with these values."""
    found = 0
    for point, value in claims.items():
        term = value
        for other in claims:
            if other != point:
                term = term * (z - other) % R * inverse(point - other) % R
        found += term
    return found % R


def read_words(key: NetworkKey, rows: int, words: Sequence[int]) -> Statement:
    """Section 3."""
    first = 2 if key.private else rows * key.G
    check(len(words) == first + rows * key.O + 1, "not the number of public words")
    check(all(0 <= value < 1 << 256 for value in words), "a public word is not a word")
    outputs = []
    for value in words[first:-1]:
        number = value - (1 << 256) if value >> 255 else value
        check(-(1 << (key.lane - 1)) <= number < 1 << (key.lane - 1), "an output word is out of range")
        outputs.append(number)
    by_row = [outputs[b * key.O : (b + 1) * key.O] for b in range(rows)]
    if key.private:
        return Statement([], parse_point(word(words[0]) + word(words[1])), by_row)
    inputs = []
    for b in range(rows):
        row = []
        for g in range(key.G):
            lanes, value = min(LANES, key.F - LANES * g), words[b * key.G + g]
            check(value < 1 << (LANE_BITS * lanes), "an input word is out of range")
            row.append(value - sum(1 << (LANE_BITS * j + LANE_BITS - 1) for j in range(lanes)))
        inputs.append(row)
    return Statement(inputs, None, by_row)
