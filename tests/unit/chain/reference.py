"""The verifier's equations in plain Python, from docs/spec/protocol.md and nothing else.

It follows the page line by line and inverts wherever the page divides. Section numbers are the page's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eth_utils import keccak

from .curve import R

if TYPE_CHECKING:
    from assay.chain.key import Key

ORDER = R
"""Scalars must be below it; a test that needs larger ones lifts it."""
CANONICAL = True
"""Whether words are checked (section 3); a test that needs wrong words lifts it."""


class Refused(Exception):
    """The proof is not valid; the text says why."""


@dataclass
class Equation:
    """sum(scalar · point) - W + z·W' must be tau·W'; a point is named by its place."""

    terms: list[tuple[int, str]]
    z: int


def inv(value: int) -> int:
    if value % R == 0:
        raise Refused("denominator")
    return pow(value, -1, R)


def omega(order: int) -> int:
    return pow(5, (R - 1) // order, R)


def lagrange(order: int, row: int, x: int) -> int:
    root = pow(omega(order), row, R)
    return root * (pow(x, order, R) - 1) * inv(order * (x - root)) % R


class Transcript:
    def __init__(self, start: bytes) -> None:
        self.state = keccak(start)

    def absorb(self, message: bytes) -> None:
        self.state = keccak(self.state + message)

    def challenge(self) -> int:
        value = int.from_bytes(self.state, "big") % R
        self.state = keccak(self.state)
        return value


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def point_names(key: Key, log: int) -> list[list[str]]:
    """Names of the proof's points, round by round, then W and W'. A pack's is its columns', with commas."""
    chunks = [f"Quot_{i}" for i in range(key.chunks(log))]
    if key.linear:
        return [[], ["phi"], chunks, ["W", "W'"]]
    if shares(key, log):
        columns, sums = ([",".join(pack) for pack in of_round] for of_round in packs(key))
        return [[*columns, "m"], [*sums, "phi_V"], chunks, ["W", "W'"]]
    limbs = [f"s_{i}" for i in range(1, key.limbs + 1)]
    a = ["a"] if accumulates(key, log) else []
    return [["x", "b", "p", "c", *limbs, "m"], [*helpers(key, log), *a, "phi", "phi_V"], chunks, ["W", "W'"]]


def shares(key: Key, log: int) -> bool:
    """Section 4.3: whether columns share commitments."""
    return log == 0 and not key.linear and 2 * key.block <= key.table


def packs(key: Key) -> list[list[list[str]]]:
    """Section 4.3: the columns that share a commitment, where they do, round by round."""
    limbs, width = [f"s_{i}" for i in range(1, key.limbs + 1)], key.table // key.block
    rounds = [["x", *limbs, "b", "p", "c"], [*helpers(key, 0), "phi"]]
    return [[names[i : i + width] for i in range(0, len(names), width)] for names in rounds]


def helpers(key: Key, log: int) -> list[str]:
    """Section 4.3: three limbs share a helper if there is one block, else two."""
    return [f"h_{i}" for i in range(1, -(-key.limbs // (2 if log else 3)) + 1)]


def accumulates(key: Key, log: int) -> bool:
    return not key.linear and not key.private and log > 0


def evaluation_names(key: Key, log: int) -> list[str]:
    if key.linear:
        return ["phi+"]
    if shares(key, log):
        together = [name for of_round in packs(key) for pack in of_round for name in pack]
        return [*key.fixed_names(0), *together, "phi_V", *(f"{name}+" for name in together), "phi_V+"]
    limbs = [f"s_{i}" for i in range(1, key.limbs + 1)]
    a = ["a+"] if accumulates(key, log) else []
    return ["x", *limbs, *key.fixed_names(log), "b", "p", "phi_V", "b+", "p+", "c+", *a, "phi+", "phi_V+"]


def read_words(key: Key, words: list[int], rows: int) -> tuple[list[list[int]], list[list[int]]]:
    """Section 3: entries (trees) or words (linear) of each row, and packed outputs of each row."""
    inputs = []
    if key.private:
        words = words[2:]
    else:
        for row in range(rows):
            values = words[row * key.features : (row + 1) * key.features]
            inputs.append([*values] if key.linear else entries(key, values))
            largest = (1 << key.bits) - (1 if key.linear else 0)
            if CANONICAL and any(value > largest for value in values):
                raise Refused("input word")
        words = words[rows * key.features :]
    outputs = []
    for row in range(rows):
        values = []
        for value in words[row * key.outputs : (row + 1) * key.outputs]:
            signed = value - (1 << 256) if value >> 255 else value
            lifted = signed + (1 << (key.lane - 1))
            if CANONICAL and not 0 <= lifted < 1 << key.lane:
                raise Refused("output word")
            values.append(lifted)
        groups = [values[i : i + key.lanes] for i in range(0, key.outputs, key.lanes)]
        outputs.append([sum(v << (key.lane * j) for j, v in enumerate(group)) for group in groups])
    return inputs, outputs


def entries(key: Key, values: list[int]) -> list[int]:
    """Section 4.2."""
    result = []
    for j, view in enumerate(key.views):
        w = values[view.feature]
        absent = w == 1 << key.bits
        if view.zero_missing and 0x7AAB52D1 <= w <= 0x8554AD2E:
            absent = True
        if absent:
            if CANONICAL and view.missing == 0:
                raise Refused("missing")
            w = {0: w, 1: 0, 2: (1 << key.bits) - 1, 3: 1 << 31}[view.missing]
        result.append(((j + 1) << key.view_bits) + w)
    return result


def column(key: Key, zeta: int, rows: list[int], values: list[int]) -> int:
    """A polynomial over one block with `values[j]` at `rows[j]`."""
    return sum(value * lagrange(key.block, row, zeta) for row, value in zip(rows, values, strict=True)) % R


def combine(alpha: int, rows: list[list[int]]) -> list[int]:
    """Section 5: the sum of alpha^b times row b."""
    return [sum(pow(alpha, b, R) * value for b, value in enumerate(values)) % R for values in zip(*rows, strict=True)]


def equation(key: Key, digest: bytes, rows: int, words: list[int], body: bytes) -> Equation:
    """All checks but those of points, and the pairing check's terms."""
    if not 1 <= rows <= 1 << key.log_max_rows:
        raise Refused("rows")
    log = 0 if key.linear else (rows - 1).bit_length()
    if len(words) != (2 if key.private else rows * key.features) + rows * key.outputs + 1:
        raise Refused("number of words")
    rounds = point_names(key, log)
    names = evaluation_names(key, log)
    if len(body) != 64 * sum(map(len, rounds)) + 32 * len(names):
        raise Refused("length")
    at = 0
    parts = []
    for size in [64 * len(rounds[0]), 64 * len(rounds[1]), 64 * len(rounds[2]), 32 * len(names), 64]:
        parts.append(body[at : at + size])
        at += size
    values = [int.from_bytes(parts[3][i : i + 32], "big") for i in range(0, len(parts[3]), 32)]
    if any(value >= ORDER for value in values):
        raise Refused("scalar")
    value = dict(zip(names, values, strict=True))
    inputs, outputs = read_words(key, words, rows)

    transcript = Transcript(digest + word(rows) + b"".join(map(word, words)))
    transcript.absorb(parts[0])
    alpha, beta = transcript.challenge(), transcript.challenge()
    transcript.absorb(parts[1])
    y = transcript.challenge()
    transcript.absorb(parts[2])
    zeta = transcript.challenge()
    transcript.absorb(parts[3])
    gamma = transcript.challenge()
    transcript.absorb(parts[4])
    z = transcript.challenge()

    relation = linear if key.linear else trees
    rest, order = relation(key, log, value, inputs, outputs, (alpha, beta, y, zeta))
    # What is evaluated at zeta is a number.
    for name in [name for name in rest if name in value and name != "1"]:
        rest["1"] = (rest.get("1", 0) + rest.pop(name) * value[name]) % R
    step = pow(zeta, key.chunk(log), R)
    for i in range(key.chunks(log)):
        rest[f"Quot_{i}"] = -pow(step, i, R)
    return Equation(opening(key, log, value, rest, order, (zeta, gamma, z)), z)


def opening(key: Key, log: int, value: dict[str, int], rest: dict[str, int], order, challenges):
    """Section 4.7."""
    zeta, gamma, z = challenges
    next_h = zeta * omega(key.block << log) % R
    next_v = zeta * omega(key.table) % R if key.table else next_h
    total: dict[str, int] = {}

    def put(name: str, scalar: int) -> None:
        total[name] = (total.get(name, 0) + scalar) % R

    weight = 1
    for name, points in order:
        if points == "here":
            vanish, interpolated = z - zeta, value[name] if name != "Rz" else 0
        elif points == "next":
            vanish, interpolated = z - next_h, value[f"{name}+"]
        elif points == "half":
            vanish, interpolated = z - theta(key) * zeta, value[f"{name}+"]
        elif points == "pack":
            # Section 2.1, line by line.
            columns = name.split(",")
            power = pow(z, len(columns), R)
            vanish, interpolated = (power - zeta) * (power - next_h), 0
            for i, column_name in enumerate(columns):
                slope = (value[f"{column_name}+"] - value[column_name]) * inv(next_h - zeta)
                interpolated += pow(z, i, R) * (value[column_name] + slope * (power - zeta))
        else:
            other = next_h if points == "both" else next_v
            vanish = (z - zeta) * (z - other)
            slope = (value[f"{name}+"] - value[name]) * inv(other - zeta)
            interpolated = value[name] + slope * (z - zeta)
        scale = weight * inv(vanish)
        if name == "Rz":
            for part, coefficient in rest.items():
                put(part, scale * coefficient)
        else:
            put(name, scale)
        put("1", -scale * interpolated)
        weight = weight * gamma % R
    return [(scalar, name) for name, scalar in total.items()]


def trees(key: Key, log: int, v: dict[str, int], inputs, outputs, challenges):  # noqa: C901, PLR0912, PLR0915  the page's list
    """Section 4.4 at zeta: the coefficients of Rz, and the opening's order."""
    alpha, beta, y, zeta = challenges
    nb = 1 << log
    n = key.block * nb
    u = pow(zeta, n // key.stride, R)
    slot = [lagrange(key.stride, j, u) for j in range(key.stride)]
    q_in = key.input_slots
    s_in, out, first = sum(slot[:q_in]), slot[-1], slot[q_in]
    step = 1 - s_in - out
    kappa = zeta * v["rho"] if log else 1
    o = out + v.get("group", 0)
    s = sum(key.limb_base ** (i - 1) * v[f"s_{i}"] for i in range(1, key.limbs + 1))
    x, b, p = v["x"], v["b"], v["p"]
    d_n = beta + (p + 1 - b) + alpha * (x - s + key.bound * v["b+"]) + alpha**2 * v["p+"] + alpha**3 * v["c+"]
    d_x = beta + kappa + alpha * x + alpha**2 * o + 2 * alpha**4
    d_i = {i: beta + v[f"s_{i}"] + alpha**4 for i in range(1, key.limbs + 1)}
    d_n, d_x = d_n % R, d_x % R

    constraints: list[dict[str, int]] = []
    constraints.append({"1": b * b - b})
    constraints.append({"1": first * (p - pow(zeta, nb, R))})
    constraints.append({"1": first * (b - 1)})
    if key.private or log:
        constraints.append({"1": out * x})
    else:
        rows = [key.input_row(j) for j in range(len(key.views))]
        constraints.append({"1": (s_in + out) * x - column(key, zeta, rows, inputs[0])})
    provided = v["used"] if key.private else s_in
    bus = {"1": v["phi+"] * d_n * d_x - step * d_x - (step + out * v["c+"] - provided * p) * d_n}
    for name in ["phi", *helpers(key, log)]:
        bus[name] = -d_n * d_x
    constraints.append({name: (zeta - 1) * scalar for name, scalar in bus.items()})
    share = 2 if log else 3
    for j, name in enumerate(helpers(key, log)):
        limbs = [share * j + i for i in range(1, share + 1) if share * j + i <= key.limbs]
        product, others = 1, 0
        for i in limbs:
            product = product * d_i[i] % R
            without = 1
            for k in limbs:
                without = without * (d_i[k] if k != i else 1) % R
            others += without
        constraints.append({name: product, "1": -others})
    if key.private:
        e = v["used"]
        constraints.append({"1": e * (x - v["offset"] - s)})
        constraints.append({"I": e, "1": -e * x})
        if key.pairs:
            even, odd = sum(slot[0:q_in:2]), sum(slot[1:q_in:2])
            constraints.append({"1": even * (v["c+"] - s - b * (2**key.bits - 1))})
            constraints.append({"1": even * b * s})
            constraints.append({"c": odd, "1": -odd * s})
    if accumulates(key, log):
        a = zeta - 1
        constraints.append({"1": a * (v["a+"] - s_in * x), "a": -a * (1 + s_in * (alpha - 1))})
    constraints.append({"1": out * (v["c+"] - b * p), "c": -out * (1 - b)})
    rest: dict[str, int] = {}
    weight = 1

    def put(constraint: dict[str, int], divisor: int) -> None:
        nonlocal weight
        for name, scalar in constraint.items():
            rest[name] = (rest.get(name, 0) + weight * scalar * inv(divisor)) % R
        weight = weight * y % R

    for constraint in constraints:
        put(constraint, pow(zeta, n, R) - 1)
    tag = sum(pow(zeta, j * key.table // key.ratio, R) for j in range(key.ratio)) * inv(key.ratio)
    hidden = pow(zeta, key.table // key.ratio, R) - 1
    change = (zeta - 1) * (v["phi_V+"] - v["phi_V"])
    table = {"1": change * (beta + alpha**4 * tag), "Pub": change, "m": -(zeta - 1)}
    table |= {"G": change * hidden * alpha, "A": change * hidden * alpha**2, "C": change * hidden * alpha**3}
    put(table, pow(zeta, key.table, R) - 1)
    total = 0
    for group in range(key.output_groups):
        k = beta + alpha**2 * (1 + group) + 2 * alpha**4
        for block in range(nb):
            row = outputs[block if block < len(outputs) else 0]
            total += row[group] * inv(k + pow(omega(nb), block, R))
    put({"1": v["phi+"]}, zeta - 1)
    put({"1": v["phi_V+"]}, zeta - 1)
    put({"phi": 1, "1": -v["phi_V"] - total}, zeta - 1)
    if accumulates(key, log):
        slots = key.groups * q_in
        stated = 0
        for block in range(nb):
            for j, entry in enumerate(inputs[block if block < len(inputs) else 0]):
                stated += entry * pow(alpha, slots * (nb - block) - 2 - j, R)
        put({"1": v["a+"]}, zeta - 1)
        put({"a": 1, "1": -stated}, zeta - 1)

    if shares(key, log):
        order = [("Rz", "here"), *((name, "here") for name in key.fixed_names(0))]
        order += [(",".join(pack), "pack") for of_round in packs(key) for pack in of_round]
        return rest, [*order, ("phi_V", "table")]
    order = [("Rz", "here"), ("x", "here"), *((f"s_{i}", "here") for i in d_i)]
    order += [(name, "here") for name in key.fixed_names(log)]
    order += [("b", "both"), ("p", "both"), ("c", "next")]
    order += [("a", "next")] if accumulates(key, log) else []
    order += [("phi", "next"), ("phi_V", "table")]
    return rest, order


def theta(key: Key) -> int:
    """Section 5: of order 2S."""
    return omega(2 * key.block)


def linear(key: Key, log: int, v: dict[str, int], inputs, outputs, challenges):
    """Section 5 at zeta."""
    alpha, beta, _, zeta = challenges
    words = combine(alpha, [[*row, 1] for row in inputs])
    x, total = 0, 0
    for g, packed in enumerate(combine(alpha, outputs)):
        total += pow(beta, g, R) * packed
        for f, value in enumerate(words):
            x += pow(beta, g, R) * value * pow(zeta, key.block - 1 - (key.stride * g + f), R)
    constant = theta(key) * v["phi+"] + total * pow(zeta, key.block - 1, R)
    return {"phi": 1, "w": -x, "1": constant}, [("Rz", "here"), ("phi", "half")]
