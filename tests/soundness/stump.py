"""The smallest model of trees, with its key and its columns, written down from sections 4.1 to 4.3 of the spec.

One tree of one split on one feature that may not be missing. How many columns share a commitment follows from how
much longer the table is than the block.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.agreement.public_polynomials import block_values, groups_in_order, public_column
from tests.agreement.reference import parse_key, trees
from tests.agreement.reference.curve import G1
from tests.agreement.reference.field import R, ceil_div, root
from tests.agreement.reference.key import REFUSE, Key

from .plain_prover import hidden
from .polynomials import interpolated

if TYPE_CHECKING:
    from .plain_prover import Columns, Commitments

BITS, LANE, DEPTH, RATIO = 32, 32, 1, 2
MAX_ROWS_LOG = 1
# st, N and L: packs of two columns, of all columns of a round, and none.
PAIRS, WHOLE, APART = (16, 32, 9), (16, 256, 5), (32, 32, 9)
CONTEXT = 0xC0FFEE


@dataclass
class Stump:
    """`values[0]` if the feature's key is below `threshold`, else `values[1]`; `keys` are the rows."""

    commitments: Commitments
    threshold: int
    values: tuple[int, int]
    keys: tuple[int, ...]
    sizes: tuple[int, int, int] = PAIRS
    model: Columns = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape: Key = parse_key(self._bytes([G1] * (4 + MAX_ROWS_LOG), [[0, 1]]))
        self.shape, self.rng = shape, random.Random(0)
        self.nb = 1 << (len(self.keys) - 1).bit_length()
        self._fill_table()
        rho = [self._rho(1 << log) for log in range(1, MAX_ROWS_LOG + 1)]
        points = [self.commitments.commit(f) for f in (*self.model.values(), *rho)]
        self.key = self._bytes(points, [self.model["Pub"], *rho])
        if self.nb > 1:
            self.model["rho"] = rho[self.nb.bit_length() - 2]

    def _rho(self, nb: int) -> list[int]:
        """Section 4.6: f(X^nb)."""
        f = interpolated(block_values(self.shape, "rho", nb, groups_in_order(self.shape)))
        spread = [0] * (len(f) * nb)
        spread[::nb] = f
        return spread

    @property
    def outputs(self) -> list[int]:
        return [self.values[key >= self.threshold] for key in self.keys]

    def words(self, change: int = 0) -> tuple[int, ...]:
        """The public words, with a change of the first output."""
        first, *others = self.outputs
        return (*self.keys, *(value % (1 << 256) for value in (first + change, *others)), CONTEXT)

    def _bytes(self, points, public) -> bytes:
        stride, table, limbs = self.sizes
        fields = (1, 1, 0, LANE, 1, DEPTH, stride, 1, table, RATIO, limbs, MAX_ROWS_LOG)
        head = struct.pack(">4B13I", 0, 0, 0, BITS, *fields, 1) + struct.pack(">I2B", 0, REFUSE, 0)
        return self.commitments.key(head, points, public)

    def _fill_table(self) -> None:
        """Section 4.2. Rows that no tree uses hold anything."""
        shape = self.shape
        left, right = (value + shape.off for value in self.values)
        root_row = {"G": (1 << shape.W) + self.threshold, "A": left, "C": right}
        self.visited = next(p for p in range(shape.N) if p % RATIO)
        self.table = {"Pub": public_column(shape)}
        for name, value in root_row.items():
            self.table[name] = [self.rng.randrange(R) for _ in range(shape.N)]
            self.table[name][self.visited] = value
        self.model["Pub"] = interpolated(self.table["Pub"])
        for name in root_row:
            # The committed polynomial is divided by X^(N/q) - 1, whose zeros are the range rows.
            column = list(self.table[name])
            for p in range(shape.N):
                divisor = pow(root(shape.N), p * (shape.N // RATIO), R) - 1
                column[p] = column[p] * pow(divisor, -1, R) % R if p % RATIO else self.rng.randrange(R)
            # Node rows are where X^(N/2) = -1: the upper half counts there as its negative.
            half, blind = shape.N // RATIO, self.rng.randrange(1, R)
            f = interpolated(column)
            low = [(a - b) % R for a, b in zip(f[:half], f[half:], strict=True)]
            self.model[name] = [(low[0] + blind) % R, *low[1:], blind]

    def round1(self) -> Columns:
        self.fill_columns()
        columns = {name: hidden(values) for name, values in self.columns.items()}
        return columns | {"m": hidden(self.uses)}

    def fill_columns(self) -> None:
        """Section 4.3. Blocks behind the last row repeat the first."""
        shape, n = self.shape, self.shape.st * self.nb
        names = ["x", "b", "p", "c", *trees.limbs(shape)]
        self.columns = {name: [0] * n for name in names}
        self.uses = [0] * shape.N
        (entry_row,) = shape.entry_rows()
        for block in range(self.nb):
            key = self.keys[block if block < len(self.keys) else 0]
            start, left = shape.st * block, key < self.threshold
            entry = (1 << shape.W) + key
            self._put(start + entry_row, x=entry, p=1)
            step = start + shape.q_in
            self._put(step, x=entry, b=1, p=pow(root(n), self.nb * step, R))
            s = key - self.threshold + (shape.Bnd if left else 0)
            for name in trees.limbs(shape):
                s, self.columns[name][step] = divmod(s, shape.R)
            self._put(step + 1, b=int(left), p=self.table["A"][self.visited], c=self.table["C"][self.visited])
            # The output row hands its value on to the row behind it.
            self._put((step + 2) % n, c=self.table["A" if left else "C"][self.visited])
            self.uses[self.visited] += 1
        for name in trees.limbs(shape):
            # The reserved row's limbs do not count.
            for value in self.columns[name][1:]:
                self.uses[RATIO * (value + 1)] += 1

    def _put(self, row: int, **values: int) -> None:
        for name, value in values.items():
            self.columns[name][row] = value

    def round2(self, alpha: int, beta: int) -> Columns:
        helpers, phi = self.sums(alpha, beta)
        phi_V = self.table_sum(alpha, beta)
        columns = {name: hidden(values) for name, values in helpers.items()}
        if "a" in trees.layout(self.shape, self.nb).round2:
            columns["a"] = hidden(self._accumulator(alpha))
        return columns | {"phi": hidden(phi), "phi_V": hidden(phi_V)}

    def sums(self, alpha: int, beta: int) -> tuple[dict[str, list[int]], list[int]]:
        shape, n, columns = self.shape, self.shape.st * self.nb, self.columns
        limbs = trees.limbs(shape)
        names = list(trees.helpers(shape, self.nb))
        shared = ceil_div(len(limbs), len(names))
        helpers = {name: [0] * n for name in names}
        phi = [0] * n
        running = 0
        for row in range(1, n):
            phi[row] = running
            for j, name in enumerate(names):
                terms = [beta + columns[limb][row] + alpha**4 for limb in limbs[shared * j : shared * (j + 1)]]
                helpers[name][row] = sum(pow(term, -1, R) for term in terms) % R
                running += helpers[name][row]
            running += self._row_term(row, alpha, beta)
        phi[0] = running % R
        # No lookup of the reserved row counts, but its helpers must be right.
        for j, name in enumerate(names):
            terms = [beta + columns[limb][0] + alpha**4 for limb in limbs[shared * j : shared * (j + 1)]]
            helpers[name][0] = sum(pow(term, -1, R) for term in terms) % R
        return helpers, [value % R for value in phi]

    def _row_term(self, row: int, alpha: int, beta: int) -> int:
        """step/Dn + num/Dx."""
        shape, columns = self.shape, self.columns
        x, b, p, c = (columns[name][row] for name in "xbpc")
        slot, block = row % shape.st, row // shape.st
        kappa = pow(root(self.nb), block, R)
        out = slot == shape.st - 1
        d_x = beta + kappa + alpha * x + alpha**2 * out + 2 * alpha**4
        if slot < shape.q_in:
            return -p * pow(d_x, -1, R)
        if out:
            return (b * p + (1 - b) * c) * pow(d_x, -1, R)
        s = sum(shape.R**i * columns[name][row] for i, name in enumerate(trees.limbs(shape)))
        below, left, right = (columns[name][row + 1] for name in "bpc")
        d_n = beta + p + 1 - b + alpha * (x - s + shape.Bnd * below) + alpha**2 * left + alpha**3 * right
        return pow(d_n, -1, R) + pow(d_x, -1, R)

    def table_row(self, p: int, alpha: int, beta: int) -> int:
        """t of section 4.2."""
        if p % RATIO == 0:
            return (beta + self.table["Pub"][p] + alpha**4) % R
        pub, g, a, c = (self.table[name][p] for name in ("Pub", "G", "A", "C"))
        return (beta + pub + alpha * g + alpha**2 * a + alpha**3 * c) % R

    def table_sum(self, alpha: int, beta: int) -> list[int]:
        values, running = [0] * self.shape.N, 0
        for p in range(1, self.shape.N):
            values[p] = running % R
            running += self.uses[p] * pow(self.table_row(p, alpha, beta), -1, R)
        values[0] = running % R
        return values

    def _accumulator(self, alpha: int) -> list[int]:
        """Horner's rule over the input slots, the reserved row left out."""
        n = self.shape.st * self.nb
        values, running = [0] * n, 0
        for row in range(1, n):
            values[row] = running
            if row % self.shape.st < self.shape.q_in:
                running = (running * alpha + self.columns["x"][row]) % R
        values[0] = running
        return values
