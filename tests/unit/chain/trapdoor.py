"""Keys and proofs made with the secret of the reference string.

Whoever knows tau can make a proof of anything: choose every message at will, then solve the pairing
equation for W'. That is why development strings stay on local chains, and it gives tests valid
proofs for every shape of key without a prover: all that a verifier computes is exercised, and one
wrong coefficient anywhere makes it refuse.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eth_utils import keccak
from tests.agreement.reference import Refused, itself, parse_key

from assay.chain.key import Key, View

from . import reference
from .curve import R, multiply, multiply2
from .reference import word

if TYPE_CHECKING:
    import random
    from collections.abc import Callable


@dataclass
class Model:
    """A key with the logarithms of its points."""

    vk: bytes
    key: Key
    digest: bytes
    tau: int
    logs: dict[str, list[int]] = field(repr=False)


@dataclass
class Forged:
    rows: int
    words: list[int]
    body: bytes


def tree_model(rng: random.Random, **changes) -> Model:
    """A key of a tree ensemble; `changes` are fields of section 7."""
    fields = {
        "private": 0, "bits": 32, "features": 3, "outputs": 1, "scale_bits": 44, "lane": 60, "trees": 3, "depth": 2,
        "stride": 4, "groups": 8, "table": 64, "ratio": 2, "limbs": 7, "log_max_rows": 0,
    }  # fmt: skip
    fields |= changes
    views = fields.pop("views", None) or [View(f, m, False) for f in range(fields["features"]) for m in (1, 2)]
    return _model(rng, 0, fields, views)


def linear_model(rng: random.Random, **changes) -> Model:
    """A key of a linear model."""
    fields = {
        "private": 0, "bits": 64, "features": 5, "outputs": 1, "scale_bits": 30, "lane": 100, "trees": 0, "depth": 0,
        "stride": 16, "groups": 1, "table": 0, "ratio": 0, "limbs": 0, "log_max_rows": 0,
    }  # fmt: skip
    return _model(rng, 1, fields | changes, [])


def _model(rng: random.Random, kind: int, fields: dict, views: list[View]) -> Model:
    private, bits = fields.pop("private"), fields.pop("bits")
    development = fields.pop("srs", 0)
    head = struct.pack(">4B13I", kind, private, development, bits, *fields.values(), len(views))
    head += b"".join(struct.pack(">I2B", v.feature, v.missing, v.zero_missing) for v in views)
    # A key without points tells how many points it needs.
    blank = Key(kind == 1, bool(private), True, bits, **fields, views=tuple(views), tau=(0, 0, 0, 0))
    logs: dict[str, list[int]] = {}
    points = []

    def new(name: str) -> None:
        logs.setdefault(name, []).append(rng.randrange(1, R))
        points.append(logs[name][-1])

    for name in [] if blank.linear else ["Pub", "G", "A", "C"]:
        new(name)
    for log in range(blank.max_log + 1):
        for name in ["w"] if blank.linear else blank.fixed_names(log):
            # Lists are by log2 of the blocks: there is no rho for one block.
            if name == "rho" and not logs.get("rho"):
                logs["rho"] = [0]
            new(name)
    tau = rng.randrange(1, R)
    (x0, x1), (y0, y1) = multiply2(tau)
    vk = b"assay-vk/3\0" + head + b"".join(word(c) for log in points for c in multiply(log))
    end = b"".join(map(word, (x1, x0, y1, y0)))
    vk += b"" if blank.linear else _proof_of_itself(vk, end, logs, tau)
    vk += end
    return Model(vk, Key.parse(vk), keccak(vk), tau, logs)


def _proof_of_itself(before: bytes, end: bytes, logs: dict[str, list[int]], tau: int) -> bytes:
    """Section 7.1, of commitments that are not the protocol's: whoever knows tau can prove anything."""
    blank = b"".join(map(word, multiply(1)))
    try:
        key = parse_key(before + blank + end)
    except Refused:
        return blank  # of no shape at all: nobody looks at its proof
    where = itself.drawn(before + end)
    names = [key.fixed_names(1 << log) for log in range(key.log_nb_max + 1)]
    public = [logs["Pub"][0]]
    for log, fixed in enumerate(names):
        public += [_log(logs, {"Gamma": "group", "E": "used", "Psi": "offset"}.get(name, name), log) for name in fixed]
    total = sum(pow(where.weight, i, R) * value for i, value in enumerate(public))
    proof = (total - itself.combined_value(key, where)) * pow(tau - where.point, -1, R) % R
    return b"".join(map(word, multiply(proof)))


def _log(logs: dict[str, list[int]], name: str, log: int) -> int:
    return logs[name][log]


def random_words(rng: random.Random, key: Key, rows: int) -> list[int]:
    """Public words of a statement, missing values and both signs included."""
    words = []
    if not key.private:
        refused = {v.feature for v in key.views if v.missing == 0} if not key.linear else set(range(key.features))
        for _ in range(rows):
            for feature in range(key.features):
                value = rng.choice([rng.randrange(1 << key.bits), 0, (1 << key.bits) - 1])
                if feature not in refused and rng.random() < 0.4:
                    value = rng.choice([1 << key.bits, 0x80000000, 0x8554AD2E, 0x8554AD2F, 0x7AAB52D1, 0x7AAB52D0])
                words.append(value)
    for _ in range(rows * key.outputs):
        half = 1 << (key.lane - 1)
        words.append(rng.choice([rng.randrange(-half, half), -half, half - 1]) % (1 << 256))
    # The context.
    words.append(rng.choice([0, rng.randrange(1 << 256), (1 << 256) - 1]))
    return words


def forge(
    rng: random.Random,
    model: Model,
    rows: int,
    words: list[int] | None = None,
    scalar: Callable[[], int] | None = None,
    logs: dict[str, int] | None = None,
) -> Forged:
    """A valid proof of any statement; `scalar` draws its evaluations, `logs` fixes logarithms of its points."""
    scalar = scalar or (lambda: rng.randrange(R))
    chosen = logs or {}
    key = model.key
    log = 0 if key.linear else (rows - 1).bit_length()
    words = random_words(rng, key, rows) if words is None else words
    exponent = {"1": 1}
    for name, known in model.logs.items():
        exponent[name] = known[0] if len(known) == 1 else known[log]
    if key.private and len(words) == rows * key.outputs + 1:
        exponent["I"] = rng.randrange(1, R)
        words = [*multiply(exponent["I"]), *words]
    rounds = reference.point_names(key, log)
    body = b""
    for i, names in enumerate([*rounds[:3], ["W"]]):
        if i == 3:
            body += b"".join(word(scalar()) for _ in reference.evaluation_names(key, log))
        for name in names:
            exponent[name] = chosen.get(name, rng.randrange(1, R))
            body += b"".join(map(word, multiply(exponent[name])))
    # W' is absorbed by nobody: any value will do to learn the equation's terms.
    terms = reference.equation(key, model.digest, rows, words, body + bytes(64))
    left = sum(scalar * exponent[name] for scalar, name in terms.terms) - exponent["W"]
    last = left * pow(model.tau - terms.z, -1, R) % R
    return Forged(rows, words, body + b"".join(map(word, multiply(last))))
