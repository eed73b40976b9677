"""The integer semantics for many rows at once: equal to `reference`, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.circuit.network.network import submatrix
from assay.transpile.circuit.network.reference import NoProof
from assay.transpile.circuit.network.wiring import order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.circuit.network.network import Network

    Integers = NDArray[np.int64]

_WORD = 1 << 62


class Evaluator:
    """A network's rows grouped into steps that many rows of inputs pass together.

    Every sum is held as ``high * 2^s + low`` in two int64, which a bound on each step shows to suffice.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._steps = _steps(network)
        ids = np.concatenate([table.base + np.arange(table.low, table.high) for table in network.tables])
        self._first = int(ids.min())
        self._known = np.zeros(int(ids.max()) - self._first + 1, dtype=np.bool_)
        self._slope, self._offset = (np.zeros(len(self._known), dtype=np.int64) for _ in range(2))
        self._known[ids - self._first] = True
        self._slope[ids - self._first] = np.concatenate([table.slope for table in network.tables])
        self._offset[ids - self._first] = np.concatenate([table.offset for table in network.tables])
        self._ends = np.zeros(len(self._known), dtype=np.bool_)
        for table in network.tables:
            for first, behind in table.ends:
                self._ends[table.base + first - self._first : table.base + behind - self._first] = True
        self._ended = bool(self._ends.any())

    def outputs(self, inputs: Integers) -> Integers:
        """Outputs int64[B, K] of inputs ``u`` int64[B, F]; raises `NoProof` as the reference does."""
        return self.told(inputs)[0]

    def told(self, inputs: Integers) -> tuple[Integers, NDArray[np.bool_]]:
        """The same, and which of the B reached an end of a value."""
        trace = self.trace(inputs)
        return trace.read(self.network.cells.a[self.network.output_rows]).T, trace.ended

    def trace(self, inputs: Integers) -> Trace:
        """Every row's value and argument."""
        network = self.network
        y, q = (np.zeros((network.listed, len(inputs)), dtype=np.int64) for _ in range(2))
        trace = Trace(y, q, np.zeros(len(inputs), dtype=np.bool_))
        given = [*network.input_rows, network.one_row]
        start = np.concatenate([inputs.T, np.ones((1, len(inputs)), dtype=np.int64)])
        self._write(trace, np.array(given), start)
        for step in self._steps:
            self._write(trace, step.rows, step.arguments(trace, network))
        return trace

    def _write(self, trace: Trace, rows: Integers, arguments: Integers) -> None:
        network, cells = self.network, self.network.cells
        segment = (arguments >> network.low_bits) - self._first
        inside = (segment >= 0) & (segment < len(self._known))
        inside &= self._known[np.where(inside, segment, 0)]
        if not inside.all():
            place = tuple(np.argwhere(~inside)[0])
            found = int(arguments[place]) >> network.low_bits
            raise NoProof(f"row {int(rows[place[0]])} needs the segment {found}, which no table has")
        if self._ended:
            trace.ended[self._ends[segment].any(axis=0)] = True
        low = arguments & ((1 << network.low_bits) - 1)
        values = self._offset[segment] + self._slope[segment] * low
        largest = cells.max[rows] != 0
        values[largest] += trace.read(cells.b[rows[largest]])
        trace.y[rows] = values
        base = network.tables[network.q_table].base << network.low_bits
        trace.q[rows] = (arguments - base) << network.q_shift


@dataclass(frozen=True)
class Trace:
    """Values of rows: ``y`` and ``q``, int64[R, B]; and whether a row of inputs reached an end, bool[B]."""

    y: Integers
    q: Integers
    ended: NDArray[np.bool_]

    def read(self, addresses: Integers) -> Integers:
        """The values at addresses; int64[len(addresses), B]."""
        return np.where((addresses >= 0)[:, np.newaxis], self.y[np.abs(addresses)], self.q[np.abs(addresses)])


@dataclass(frozen=True)
class _Step:
    """Rows of one position, or without any, that can be computed together."""

    rows: Integers
    reads: Integers
    high: Integers
    low: Integers

    def arguments(self, trace: Trace, network: Network) -> Integers:
        """``q`` of the rows, int64[rows, B]."""
        values = trace.read(self.reads)
        where = f"the position of row {self.rows[:1]}"
        high, (carried, low) = _product(self.high, values, where), _low_product(self.low, values, where, network.shift)
        cells = network.cells
        factor = cells.product[self.rows]
        if factor.any():
            pairs = self._pair(trace, network, self.rows) + self._pair(trace, network, self.rows + 1)
            parts = _scaled(factor, pairs, network.shift)
            high, low = high + parts[0], low + parts[1]
        largest = cells.max[self.rows][:, np.newaxis]
        if largest.any():
            high = high + largest * (trace.read(cells.a[self.rows]) - trace.read(cells.b[self.rows]))
        half = network.shift // 2
        return high + ((carried + (low >> half)) >> (network.shift - half))

    @staticmethod
    def _pair(trace: Trace, network: Network, rows: Integers) -> Integers:
        listed = rows < network.listed
        inside = np.where(listed, rows, 0)
        a, b = trace.read(network.cells.a[inside]), trace.read(network.cells.b[inside])
        _within(_largest(a) * _largest(b) * 2, "a product")
        return a * b * listed[:, np.newaxis]


def _scaled(factor: Integers, pairs: Integers, shift: int) -> tuple[Integers, Integers]:
    """``factor * pairs`` as high and low parts of a shift."""
    upper, lower = pairs >> shift, pairs & ((1 << shift) - 1)
    size = _largest(factor)
    _within(size * max(_largest(upper), 1 << shift), "a product")
    column = factor[:, np.newaxis]
    return column * upper, column * lower


def _low_product(matrix: Integers, values: Integers, where: str, shift: int) -> tuple[Integers, Integers]:
    """A product of weights below ``2^shift`` as ``first * 2^(shift // 2) + second``, where a word is too little."""
    if int(np.abs(matrix).sum(axis=1, initial=0).max(initial=0)) * max(_largest(values), 1) < _WORD:
        found = _product(matrix, values, where)
        return np.zeros_like(found), found
    half = shift // 2
    return _product(matrix >> half, values, where), _product(matrix & ((1 << half) - 1), values, where)


def _product(matrix: Integers, values: Integers, where: str) -> Integers:
    if not matrix.size:
        return np.zeros((matrix.shape[0], values.shape[1]), dtype=np.int64)
    bound = int(np.abs(matrix).sum(axis=1).max()) * max(_largest(values), 1)
    _within(bound, where)
    if bound < 1 << 53:  # exact in floats, whose product is many times faster
        return (matrix.astype(np.float64) @ values.astype(np.float64)).astype(np.int64)
    product: Integers = matrix @ values
    return product


def _largest(values: Integers) -> int:
    return int(np.abs(values).max(initial=0))


def _within(bound: int, where: str) -> None:
    if bound >= _WORD:
        raise NoProof(f"{where} needs numbers of more than 62 bits")


def _steps(network: Network) -> list[_Step]:
    cells, level = network.cells, order(network)
    given = {0, network.one_row, *network.input_rows}
    groups: dict[tuple[int, int], list[int]] = {}
    for row in range(network.listed):
        if row not in given:
            groups.setdefault((int(level[row]), int(cells.position[row]) if cells.column[row] >= 0 else 0), []).append(
                row
            )
    positions = network.positions()
    return [_step(network, rows, positions.get(position, [])) for (_, position), rows in sorted(groups.items())]


def _step(network: Network, rows: list[int], members: list[int]) -> _Step:
    cells = network.cells
    reading = np.array([row for row in members if cells.slot[row] > 0], dtype=np.int64)
    weights = submatrix(network, cells.slot[reading], cells.column[np.array(rows)]).T
    return _Step(
        np.array(rows, dtype=np.int64),
        cells.a[reading],
        weights >> network.shift,
        weights & ((1 << network.shift) - 1),
    )
