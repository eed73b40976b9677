"""A prover of networks in plain Python under a tau that it knows: short, slow, and willing to cheat where it is told.

Written from docs/spec/networks.md, so that its proofs show whether the page itself is whole, and what each constraint
is there for. Commitments are values at tau times the generator.
"""

# ruff: noqa: N802 - the names are the spec's

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.transpile.circuit.network import reference

from .known_tau import Generator
from .proofs import Proof
from .reference.curve import point_bytes
from .reference.field import R, root
from .reference.networks import Challenges, parse_network_key, points_of, total, unevaluated
from .reference.networks.key import HEAD, LANE_BITS, LANES, MAGIC, NetworkKey, Pack
from .reference.networks.relation import public_sum
from .reference.pairing import G2, multiply2
from .reference.transcript import Transcript, word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assay.transpile.circuit.network.network import Network

Poly = list[int]
Cheat = Callable[["Prover"], None]
GENERATOR = Generator()
COSET = 7


def fft(values: Poly, w: int) -> Poly:
    if len(values) == 1:
        return values
    even, odd = fft(values[::2], w * w % R), fft(values[1::2], w * w % R)
    out, x, half = [0] * len(values), 1, len(values) // 2
    for i in range(half):
        t = x * odd[i] % R
        out[i], out[i + half] = (even[i] + t) % R, (even[i] - t) % R
        x = x * w % R
    return out


def interpolate(values: Sequence[int]) -> Poly:
    scale = pow(len(values), -1, R)
    return [c * scale % R for c in fft([value % R for value in values], pow(root(len(values)), -1, R))]


def evaluate(f: Poly, x: int) -> int:
    total_ = 0
    for c in reversed(f):
        total_ = (total_ * x + c) % R
    return total_


def inverses(values: Sequence[int]) -> list[int]:
    """Of all at once; they are not zero."""
    before = list(itertools.accumulate(values, lambda a, b: a * b % R, initial=1))
    rest, out = pow(before[-1], -1, R), [0] * len(values)
    for i in range(len(values) - 1, -1, -1):
        out[i], rest = rest * before[i] % R, rest * values[i] % R
    return out


def divided(f: Poly, width: int, point: int) -> Poly:
    """The quotient of f by X^width - point."""
    out = list(f)
    for i in range(len(out) - 1, width - 1, -1):
        out[i - width] = (out[i - width] + point * out[i]) % R
    return out[width:]


def weave(fs: Sequence[Poly]) -> Poly:
    out = [0] * (len(fs) * max(map(len, fs)))
    for i, f in enumerate(fs):
        for j, c in enumerate(f):
            out[len(fs) * j + i] = c
    return out


def commit(f: Poly, tau: int) -> bytes:
    point = GENERATOR.times(evaluate(f, tau))
    assert point is not None
    return point_bytes(point)


# ------------------------------------------------------------------------------------------ the key


@dataclass
class Maker:
    """Whoever makes the key. A hostile one changes `W` or `wiring` before `key`."""

    network: Network
    private: bool = False
    log_nb_max: int = 1
    tau: int = 123456789123456789
    seed: int = 1
    parts: int = 1
    change_matrix: Callable[[list[list[int]]], None] | None = None
    change_rows: Callable[[list[dict[str, int]]], None] | None = None
    wiring: dict[int, dict[str, list[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        net = self.network
        self.F, self.O, self.S = len(net.input_rows), len(net.output_rows), max(16, net.rows)
        self.table = self._table()
        self.N = len(self.table)
        self.rng = random.Random(self.seed)
        self.W = self._matrix()
        if self.change_matrix:
            self.change_matrix(self.W)
        self.rows = self._rows()
        if self.change_rows:
            self.change_rows(self.rows)
        self.blocks = self._blocks()
        base = net.tables[net.q_table].base
        cell = any(row["qa"] or row["qb"] for row in self.rows)
        mode = self.parts.bit_length() if self.parts > 1 else 0
        flags = any(row["mx"] for row in self.rows) | cell << 1
        self.head = HEAD.pack(
            2, self.private, 0, net.limb_bits, self.F, self.O, 4, max(1, net.output_bits) + 1, 0, 0, self.S, 1, self.N,
            0, net.limbs, self.log_nb_max, 0, net.low_bits, flags, net.q_shift if cell else 0, mode, net.slots,
            net.columns, base if cell else 0,
        )  # fmt: skip
        self.content = self._content()

    def _table(self) -> list[tuple[int, int, int]]:
        net, pad = self.network, (2**50, 2**100, 0)
        rows = [pad, *((2**50 + i, 2**100, 0) for i in range(1 << net.limb_bits))]
        rows += [(2**51 + i, 2**101, 0) for i in range(1 << net.low_bits)]
        for table in net.tables:
            lines = zip(table.slope.tolist(), table.offset.tolist(), strict=True)
            rows += [(table.base + table.low + i, slope, offset) for i, (slope, offset) in enumerate(lines)]
        size = max(32, net.slots)
        while size < len(rows):
            size *= 2
        return rows + [pad] * (size - len(rows))

    def _matrix(self) -> list[list[int]]:
        net = self.network
        W = [[0] * net.columns for _ in range(net.slots)]
        for block in net.weights:
            for i, line in enumerate(block.values.tolist()):
                W[block.slot + i][block.column : block.column + len(line)] = line
        W[0] = [self.rng.randrange(R) for _ in range(net.columns)]
        return W

    def _rows(self) -> list[dict[str, int]]:
        """What each row of a block reads and is; `ra`, `rb` are rows, `qa`, `qb` whether their q is read."""
        net, c = self.network, self.network.cells
        zero = self.S - 1
        plain = {"ra": zero, "rb": zero, "qa": 0, "qb": 0, "slot": 5, "public": -1, "cz": -1, "p": -1, "qm": 0, "mx": 0}
        rows = [dict(plain, io=0, sa=1, used=0) for _ in range(self.S)]
        rows[0] |= {"ra": 0, "rb": 0}
        numbers: dict[int, int] = {}
        for i in range(1, net.listed):
            row, position = rows[i], int(c.position[i])
            for name, address in (("a", int(c.a[i])), ("b", int(c.b[i]))):
                row["r" + name], row["q" + name] = (abs(address) or zero), int(address < 0)
            row["slot"] = int(c.slot[i]) or 5
            row["cz"] = int(c.column[i])
            row["p"] = numbers.setdefault(position, len(numbers) + 1) if position else -1
            row["qm"], row["mx"] = int(c.product[i]), int(c.max[i])
        own = {"qm": 1 << net.shift, "rb": net.one_row, "io": 1}
        G = 0 if self.private else -(-self.F // LANES)
        for j, i in enumerate(net.input_rows):
            rows[i] |= {**own, "ra": i, "used": 1}
            if self.private:
                rows[i]["io"] = 0
            else:
                rows[i] |= {"p": 0, "public": 1 + j // LANES, "sa": 1 << (LANE_BITS * (j % LANES))}
        rows[net.one_row] |= {**own, "ra": net.one_row, "p": 0, "public": 0}
        for o, i in enumerate(net.output_rows):
            rows[i] |= {"p": 0, "public": 1 + G + o}
        return rows

    def _blocks(self) -> dict[int, dict[str, Poly]]:
        """The wiring's polynomials for each nb, as polynomials in X (not X^nb)."""
        found = {}
        for log in range(self.log_nb_max + 1):
            nb = 1 << log
            n = self.S * nb
            w, w2 = root(n), root(2 * n)
            values = {name: [0] * self.S for name in
                      ("delta_a", "delta_b", "ca", "cz", "pi", "mx", "Ein", "mult", "multq", "sa", "qm")}  # fmt: skip
            for i, row in enumerate(self.rows):
                for o in "ab":
                    values["delta_" + o][i] = (5 if row["q" + o] else 1) * pow(w, (row["r" + o] - i) % n, R) % R
                    values["multq" if row["q" + o] else "mult"][row["r" + o]] += 1
                public, u = row["public"], root(self.network.slots)
                values["ca"][i] = pow(u, row["slot"], R) if public < 0 else 5 * pow(root(1 << 14), public, R) % R
                column = pow(root(self.network.columns), row["cz"], R) if row["cz"] >= 0 else 0
                values["cz"][i] = 5 * pow(root(self.S), i, R) % R if row["io"] else column
                values["pi"][i] = 1 if row["p"] < 0 else w2 * pow(w, (row["p"] - i) % n, R) % R
                values["mx"][i], values["Ein"][i], values["sa"][i] = row["mx"], row["used"], row["sa"]
                values["qm"][i] = row["qm"]
            self.wiring[nb] = values
            found[nb] = {name: spread(interpolate(value), nb) for name, value in values.items()}
        return found

    def _content(self) -> bytes:
        K, M = self.network.slots, self.network.columns
        u, wM = root(K), root(M)
        fs = []
        for m in range(M):
            values = [self.W[0][m]] + [0] * (K - 1)
            for j in range(5, K):
                if j > 5 or self.W[5][m]:
                    E2 = (pow(u, j, R) - pow(u, 5, R)) % R or 1
                    values[j] = E(pow(u, j, R), u) * self.W[j][m] * pow(pow(wM, m, R) * E2, -1, R) % R
            fs.append(interpolate(values))
        lines = [interpolate([fs[m][j] for m in range(M)]) for j in range(K)]
        self.w_blocks = [[lines[j][i] for j in range(K)] for i in range(M)]
        each = M // self.parts
        self.matrix = {
            f"w{c + 1}": list(itertools.chain.from_iterable(self.w_blocks[c * each : (c + 1) * each]))
            for c in range(self.parts)
        }
        self.table_polynomials = {
            name: interpolate([row[i] for row in self.table]) for i, name in enumerate(("ID", "S_V", "B_V"))
        }
        # The head says which packs there are; the points follow.
        shape = NetworkKeyOf(self.head)
        points = [
            commit(weave([self.table_polynomials[name] for name in pack]), self.tau) for pack in shape.table_packs
        ]
        points += [commit(part, self.tau) for part in self.matrix.values()]
        for log in range(self.log_nb_max + 1):
            packs = shape.packs(shape.wiring, 1 << log)
            points += [commit(weave([self.blocks[1 << log][name] for name in pack]), self.tau) for pack in packs]
        (x0, x1), (y0, y1) = multiply2(self.tau, G2)
        return MAGIC + self.head + b"".join(points) + b"".join(map(word, (x1, x0, y1, y0)))


def NetworkKeyOf(head: bytes) -> NetworkKey:
    """The shape of a key's first bytes."""
    v = HEAD.unpack(head)
    return NetworkKey(
        b"", v[1] == 1, v[3], v[4], v[5], v[7], v[10], v[12], v[14], v[15], v[17], bool(v[18] & 1), bool(v[18] & 2),
        v[19], v[21], v[22], 1 << max(v[20] - 1, 0), v[23],
    )  # fmt: skip


def E(x: int, u: int) -> int:
    found = 1
    for j in range(1, 5):
        found = found * (x - pow(u, j, R)) % R
    return found


def spread(f: Poly, nb: int) -> Poly:
    return weave([f, *([[0]] * (nb - 1))])


# ------------------------------------------------------------------------------------------ the proof


@dataclass
class Witness:
    """Everything of one proof, for those who change it: columns by name, one entry a row of H."""

    columns: dict[str, list[int]]
    outputs: list[list[int]]
    inputs: list[list[int]]
    x: list[int] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    folded: Poly = field(default_factory=list)


def witness(maker: Maker, rows: Sequence[Sequence[int]], nb: int) -> Witness:
    """The integers of all blocks, by the reference of the compiler."""
    net, names = maker.network, ("a", "b", "k", "l", *(f"r{i + 1}" for i in range(maker.network.limbs)), "S", "y")
    columns: dict[str, list[int]] = {name: [] for name in names}
    outputs = []
    for b in range(nb):
        run = reference._Run(net, list(rows[b if b < len(rows) else 0]))
        for row in run.order():
            run.compute(row)
        z = {row: run.sum(row) for row in range(1, net.listed)}
        y = [run.y.get(i, 0) for i in range(maker.S)]
        q = [run.q.get(i, 0) for i in range(maker.S)]
        for i, row in enumerate(maker.rows):
            fill(columns, maker, z.get(i, 0), y[i])
            for o in "ab":
                columns[o].append((q if row["q" + o] else y)[row["r" + o]])
        if b < len(rows):
            outputs.append([run.read(int(net.cells.a[row])) for row in net.output_rows])
    return Witness(columns, outputs, [list(row) for row in rows])


def parts(maker: Maker, z: int) -> dict[str, int]:
    """k, l, limbs and slope of a sum."""
    net = maker.network
    argument = z >> net.shift
    found = {"k": argument >> net.low_bits, "l": argument & ((1 << net.low_bits) - 1)}
    found |= {f"r{i + 1}": (z >> (net.limb_bits * i)) & ((1 << net.limb_bits) - 1) for i in range(net.limbs)}
    slopes = {row[0]: row[1] for row in maker.table}
    return found | {"S": slopes[found["k"]]}


def fill(columns: dict[str, list[int]], maker: Maker, z: int, y: int) -> None:
    for name, value in (parts(maker, z) | {"y": y}).items():
        columns[name].append(value)


def prove(
    maker: Maker,
    inputs: Sequence[Sequence[int]],
    cheats: Mapping[str, Cheat] | None = None,
    *,
    removed: int = -1,
    seed: int = 2,
) -> Proof:
    """A proof, valid unless a cheat makes it none.

    A cheat changes the prover at one of the stages "witness", "counted", "gathered", "helpers", "fold", "sums",
    "chunks", "values" and "opened". The verifier that is to accept it may lack constraint `removed`.
    """
    return Prover(maker, inputs, cheats, removed, seed).run()


class Prover:
    def __init__(
        self, maker: Maker, inputs: Sequence[Sequence[int]], cheats: Mapping[str, Cheat] | None, removed: int, seed: int
    ) -> None:
        self.maker, self.rows, self.removed = maker, len(inputs), removed
        self.cheats = cheats or {}
        self.key = parse_network_key(maker.content)
        self.nb = 1 << (self.rows - 1).bit_length()
        self.n, self.N, self.K = self.key.S * self.nb, self.key.N, self.key.K
        self.rng = random.Random(seed)
        self.polys: dict[str, Poly] = {**maker.blocks[self.nb], **maker.table_polynomials, **maker.matrix}
        self.wiring = {name: value * self.nb for name, value in maker.wiring[self.nb].items()}
        self.witness = witness(maker, inputs, self.nb)
        self.H = list(itertools.accumulate([root(self.n)] * (self.n - 1), lambda a, b: a * b % R, initial=1))
        self.body = b""

    def blind(self, name: str, values: Sequence[int], count: int) -> None:
        f = interpolate(values)
        for i in range(count):
            c = self.rng.randrange(R)
            f[i] = (f[i] - c) % R
            f.append(c)
        self.polys[name] = f

    def send(self, packs: Sequence[Pack]) -> None:
        part = b"".join(commit(weave([self.polys[name] for name in pack]), self.maker.tau) for pack in packs)
        self.transcript.absorb(part)
        self.body += part

    def stage(self, name: str) -> None:
        if name in self.cheats:
            self.cheats[name](self)

    def run(self) -> Proof:
        self.stage("witness")
        words = self._words()
        self.transcript = Transcript(self.key.digest, self.rows, words)
        drawn: list[int] = []
        steps = (self.round1, self.round2, self.round3, self.round4)
        for step, (packs, challenges) in zip(steps, self.key.rounds(self.nb), strict=True):
            self.c = Challenges(*drawn, *([0] * (9 - len(drawn))))
            step()
            self.send(packs)
            drawn += [self.transcript.challenge() for _ in range(challenges)]
        self.c = Challenges(*drawn)
        self.open()
        return Proof(self.maker.content, self.rows, tuple(words), self.body)

    def _words(self) -> list[int]:
        words, net = [], self.maker.network
        if self.key.private:
            values = [0] * self.n
            for b in range(self.nb):
                for j, i in enumerate(net.input_rows):
                    values[b * self.key.S + i] = self.witness.inputs[b if b < self.rows else 0][j]
            self.blind("I", values, 1)
            point = commit(self.polys["I"], self.maker.tau)
            words = [int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")]
        else:
            for row in self.witness.inputs:
                for g in range(0, len(row), LANES):
                    lanes = row[g : g + LANES]
                    words.append(sum((u + (1 << (LANE_BITS - 1))) << (LANE_BITS * j) for j, u in enumerate(lanes)))
        words += [o % (1 << 256) for row in self.witness.outputs for o in row]
        return [*words, 0]

    def round1(self) -> None:
        key, columns = self.key, self.witness.columns
        index = {row: i for i, row in reversed(list(enumerate(self.maker.table))) if i}
        m = [0] * self.N
        for i in range(1, self.n):
            tuples = [(2**50 + columns[f"r{j + 1}"][i], 2**100, 0) for j in range(key.L)]
            tuples.append((2**51 + columns["l"][i], 2**101, 0))
            offset = columns["y"][i] - columns["S"][i] * columns["l"][i] - self.wiring["mx"][i] * columns["b"][i]
            tuples.append((columns["k"][i], columns["S"][i], offset))
            for entry in tuples:
                if entry in index:
                    m[index[entry]] += 1
        for name in ("a", "b"):
            self.blind(name, columns[name], 5)
        for name in key.parts:
            self.blind(name, columns[name], 3)
        self.m = m
        self.stage("counted")
        self.blind("m", m, 2)

    def round2(self) -> None:
        a, c, K, u = self.witness.columns["a"], self.c, self.K, root(self.K)
        slots = {pow(u, j, R): j for j in range(K)}
        over = inverses([(c.u - x * pi) % R for x, pi in zip(self.H, self.wiring["pi"], strict=True)])
        x = [0] * K
        for i in range(1, self.n):
            j = slots.get(self.wiring["ca"][i])
            if j is not None:
                x[j] = (x[j] + a[i] * over[i]) % R
        x = [value * pow(E(pow(u, j, R), u), -1, R) % R if j > 4 else 0 for j, value in enumerate(x)]
        self.witness.x, self.over = x, over
        self.complete(x)
        self.stage("gathered")
        self.blind("x", x, 2)

    def complete(self, x: list[int]) -> None:
        """Slots 1 to 4, so that the masks of the folded matrix add nothing."""
        u = root(self.K)
        E2 = [(pow(u, j, R) - pow(u, 5, R)) % R for j in range(self.K)]
        for j in range(1, 5):
            x[j] = 0
        lines = [
            [E2[j] * pow(u, j * t, R) % R for j in range(1, 5)]
            + [-sum(x[j] * E2[j] * pow(u, j * t, R) for j in range(5, self.K)) % R]
            for t in range(4)
        ]
        x[1:5] = solved(lines)

    def round3(self) -> None:
        key, c, wiring, columns = self.key, self.c, self.wiring, self.witness.columns
        alpha3 = pow(c.alpha, 3, R)
        fractions: list[list[tuple[int, int]]] = []
        linear = []
        slot = inverses([(c.s - value) % R for value in wiring["ca"]])
        column = inverses([(c.p - value) % R for value in wiring["cz"]])
        for i, X in enumerate(self.H):
            v = {name: values[i] for name, values in columns.items()}
            after = (i + 1) % self.n
            low, own = v["l"], [(1, c.beta + 2**50 + v[f"r{j + 1}"] + c.alpha * 2**100) for j in range(key.L)]
            own.append((1, c.beta + 2**51 + low + c.alpha * 2**101))
            own += [(1, c.beta + v[o] + c.alpha * X * wiring["delta_" + o][i] + alpha3) for o in ("a", "b")]
            if key.cell:
                qv = 2**key.q_shift * ((v["k"] - key.base_c) * 2**key.f + low)
                own.append((-wiring["multq"][i], c.beta + qv + c.alpha * 5 * X + alpha3))
            fractions.append(own)
            z = (v["k"] * 2**key.f + low) * 2**key.shift + sum(v[f"r{j + 1}"] << (key.rho * j) for j in range(key.L))
            pairs = v["a"] * v["b"] + columns["a"][after] * columns["b"][after]
            zl = z - wiring["qm"][i] * pairs - wiring["mx"][i] * (v["a"] - v["b"]) * 2**key.shift
            read = c.nu * (1 if key.private else wiring["sa"][i]) * v["a"] * slot[i]
            linear.append((read + zl * column[i]) * self.over[i] % R)
        flat = inverses([D % R for own in fractions for _, D in own])
        count = len(fractions[0])
        self.helpers = []
        for j in range(key.Hn):
            shared = range(3 * j, min(3 * j + 3, count))
            values = [sum(own[e][0] * flat[count * i + e] for e in shared) % R for i, own in enumerate(fractions)]
            self.helpers.append(values)
        self.linear = linear
        self.stage("helpers")
        for j, values in enumerate(self.helpers):
            self.blind(f"h{j + 1}", values, 3)
        self.blind("h_lin", linear, 3)
        self.fold()

    def fold(self) -> None:
        w, c, K = self.witness, self.c, self.K
        folded = [0] * K
        for block in reversed(self.maker.w_blocks):
            folded = [(value + c.p * f) % R for value, f in zip(block, folded, strict=True)]
        w.folded, w.masks = folded, [self.rng.randrange(R) for _ in range(4)]
        self.stage("fold")
        f = w.folded + [0] * max(0, K + len(w.masks) - len(w.folded))
        for t, mask in enumerate(w.masks):
            f[t] = (f[t] - c.p * mask) % R
            f[K + t] = (f[K + t] + mask) % R
        self.polys["w_fold"] = f

    def public(self) -> int:
        key, inputs = self.key, []
        if not key.private:
            for row in self.witness.inputs:
                cuts = [row[g : g + LANES] for g in range(0, len(row), LANES)]
                inputs.append([sum(u << (LANE_BITS * j) for j, u in enumerate(cut)) for cut in cuts])
        return public_sum(key, self.nb, self.c, inputs, self.witness.outputs)

    def term(self, j: int, folded: int, theta: int) -> int:
        """What slot j adds to the sum on V."""
        c, u = self.c, pow(root(self.K), j, R)
        kappa = self.key.M * pow(pow(c.p, self.key.M, R) - 1, -1, R)
        Theta = sum(pow(theta, t + 1, R) * pow(u, t, R) for t in range(4))
        E2 = u - pow(root(self.K), 5, R)
        return self.witness.x[j] * ((kappa * folded + Theta) * E2 + c.nu * E(u, root(self.K)) * pow(c.s - u, -1, R)) % R

    def missing(self) -> int:
        """What the sum of products lacks with the folded matrix as it is, over kappa·(1 - p): 0 if nothing is wrong."""
        c, u = self.c, root(self.K)
        right = sum(self.term(j, evaluate(self.witness.folded, pow(u, j, R)), 0) for j in range(1, self.K))
        kappa = self.key.M * pow(pow(c.p, self.key.M, R) - 1, -1, R)
        return (sum(self.linear[1:]) - self.public() - right) * pow(kappa * (1 - c.p), -1, R) % R

    def round4(self) -> None:
        c, columns, wiring = self.c, self.witness.columns, self.wiring
        alpha3, square = pow(c.alpha, 3, R), c.alpha * c.alpha
        D_t, D_y = [], []
        for i, X in enumerate(self.H):
            v = {name: values[i] for name, values in columns.items()}
            offset = v["y"] - v["S"] * v["l"] - wiring["mx"][i] * v["b"]
            D_t.append((c.beta + v["k"] + c.alpha * v["S"] + square * offset) % R)
            D_y.append((c.beta + v["y"] + c.alpha * X + alpha3) % R)
        t, y = inverses(D_t), inverses(D_y)
        phi, sum_ = [0] * self.n, 0
        for i in range(1, self.n):
            phi[i] = sum_
            sum_ += sum(h[i] for h in self.helpers) + c.mu * self.linear[i] + t[i] - wiring["mult"][i] * y[i]
        phi[0] = sum_ % R
        over = inverses([(c.beta + a + c.alpha * b + square * d) % R for a, b, d in self.maker.table])
        phi_V, sum_, step = [0] * self.N, 0, self.N // self.K
        for i in range(1, self.N):
            phi_V[i] = sum_
            sum_ += self.m[i] * over[i]
            if i % step == 0:
                j = i // step
                sum_ += c.mu * self.term(j, evaluate(self.polys["w_fold"], pow(root(self.K), j, R)), c.theta)
        phi_V[0] = sum_ % R
        self.phi, self.phi_V = phi, phi_V
        self.stage("sums")
        self.blind("phi", phi, 4)
        self.blind("phi_V", phi_V, 4)

    def open(self) -> None:
        key, nb = self.key, self.nb
        quotient = self.quotient()
        size = key.chunk(nb)
        chunks = [quotient[i * size : (i + 1) * size] or [0] for i in range(key.chunks(nb))]
        for i in range(len(chunks) - 1):  # blinded by what cancels
            c = self.rng.randrange(R)
            chunks[i].append(c)
            chunks[i + 1][0] = (chunks[i + 1][0] - c) % R
        self.polys |= {f"Quot{i}": chunk for i, chunk in enumerate(chunks)}
        self.stage("chunks")
        self.send([(f"Quot{i}",) for i in range(len(chunks))])
        zeta = self.transcript.challenge()
        self.zeta, points = zeta, points_of(key, nb, zeta)
        self.values = values = self.values_at(zeta)
        self.stage("values")
        part = b"".join(word(value) for value in values.values())
        self.transcript.absorb(part)
        self.body += part
        gamma = self.transcript.challenge()
        batch: list[tuple[Poly, int, list[int]]] = [(self.remainder(values, zeta, len(chunks), size), 1, [zeta])]
        for pack, where in key.opened(nb):
            batch.append((weave([self.polys[name] for name in pack]), len(pack), [points[at] for at in where]))
        W, weight = [0] * (size + 8), 1
        for f, width, where in batch:
            for point in where:
                f = divided(f, width, point)  # noqa: PLW2901
            W += [0] * max(0, len(f) - len(W))
            for i, value in enumerate(f):
                W[i] = (W[i] + weight * value) % R
            weight = weight * gamma % R
        self.gamma, self.W = gamma, W
        self.stage("opened")
        W = self.W
        part = commit(W, self.maker.tau)
        self.transcript.absorb(part)
        z = self.transcript.challenge()
        last, weight = [-value for value in W], 1
        for f, width, where in batch:
            scale = weight
            for point in where:
                scale = scale * pow(pow(z, width, R) - point, -1, R) % R
            last += [0] * max(0, len(f) - len(last))
            for i, value in enumerate(f):
                last[i] = (last[i] + scale * value) % R
            weight = weight * gamma % R
        self.body += part + commit(divided(last, 1, z), self.maker.tau)

    def values_at(self, zeta: int) -> dict[tuple[str, str], int]:
        points = points_of(self.key, self.nb, zeta)
        return {(name, at): evaluate(self.polys[name], points[at]) for name, at in self.key.evaluations(self.nb)}

    def quotient(self) -> Poly:
        """All constraints over their vanishing polynomials, from a coset; cut to what the chunks hold."""
        key, nb = self.key, self.nb
        degree = max(3 * self.n + 12, self.N + self.K + 6, key.K * key.M_p - key.K)
        big = 1 << degree.bit_length()
        w = root(big)
        names = {*(name for name, _ in key.evaluations(nb)), *unevaluated(key)}
        on = {name: coset(self.polys[name], big, COSET) for name in names}
        inverse = coset_at_inverses(self.polys["w_fold"], big)
        T_pub, values = self.public(), []
        for i in range(big):
            v = {(name, "here"): f[i] for name, f in on.items()}
            v |= {(name, "next"): on[name][(i + big // self.n) % big] for name in ("a", "b", "phi")}
            v["phi_V", "next_V"] = on["phi_V"][(i + big // self.N) % big]
            v["w_fold", "inverse"] = inverse[i]
            values.append(total(key, nb, self.c, v, COSET * pow(w, i, R) % R, T_pub, self.removed))
        scale = pow(COSET, -1, R)
        found = [value * pow(scale, i, R) % R for i, value in enumerate(interpolate(values))]
        self.whole = not any(found[degree + 1 :])
        return found[: key.chunk(nb) * key.chunks(nb)]

    def remainder(self, values: dict[tuple[str, str], int], zeta: int, chunks: int, size: int) -> Poly:
        none = {(name, "here"): 0 for name in unevaluated(self.key)}
        at = lambda v: total(self.key, self.nb, self.c, v, zeta, self.public(), self.removed)  # noqa: E731
        constant = at({**none, **values})
        terms = [(name, at({**none, (name, "here"): 1, **values}) - constant) for name in unevaluated(self.key)]
        terms += [(f"Quot{i}", -pow(zeta, i * size, R)) for i in range(chunks)]
        found = [constant]
        for name, factor in terms:
            f = self.polys[name]
            found += [0] * max(0, len(f) - len(found))
            for i, value in enumerate(f):
                found[i] = (found[i] + factor * value) % R
        return found


def coset(f: Poly, size: int, shift: int) -> Poly:
    folded, x = [0] * size, 1
    for i, c in enumerate(f):
        folded[i % size] = (folded[i % size] + c * x) % R
        x = x * shift % R
    return fft(folded, root(size))


def coset_at_inverses(f: Poly, size: int) -> Poly:
    """f at the inverses of the coset's points."""
    values = coset(f, size, pow(COSET, -1, R))
    return [values[-i % size] for i in range(size)]


def solved(lines: list[list[int]]) -> list[int]:
    """The solution of a square system that has one."""
    size = len(lines)
    for i in range(size):
        pivot = next(j for j in range(i, size) if lines[j][i])
        lines[i], lines[pivot] = lines[pivot], lines[i]
        scale = pow(lines[i][i], -1, R)
        lines[i] = [value * scale % R for value in lines[i]]
        for j in range(size):
            if j != i:
                factor = lines[j][i]
                lines[j] = [(a - factor * b) % R for a, b in zip(lines[j], lines[i], strict=True)]
    return [line[-1] for line in lines]
