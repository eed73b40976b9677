"""The rules of a network's weights (section 7 of docs/spec/networks-circuit.md): every declared input has a proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.circuit.network.network import IDENTITY, INPUT_LIMIT, Network, Table, submatrix
from assay.transpile.circuit.network.wiring import order
from assay.transpile.errors import CircuitMalformed

if TYPE_CHECKING:
    from collections.abc import Sequence

Interval = tuple[int, int]


def check(network: Network, inputs: Sequence[Interval]) -> dict[int, Interval]:
    """Bound every row by interval arithmetic, and refuse a network in which one could leave its table.

    Parameters
    ----------
    inputs
        The least and the largest ``u`` of each feature, both included.

    Returns
    -------
    dict
        The interval of ``y`` of each row.

    Raises
    ------
    CircuitMalformed
        Names the rule and the row.
    """
    _received(network)
    bounds = _Bounds(network, inputs)
    for row in np.argsort(order(network), kind="stable").tolist():
        bounds.compute(row)
    limit = 1 << network.output_bits
    for row in network.output_rows:
        low, high = bounds.read(int(network.cells.a[row]))
        _need(-limit <= low and high < limit, 4, row, f"an output reaches from {low} to {high}")
    return bounds.y


def _received(network: Network) -> None:
    """Every column with weights for a position's reads has a row there."""
    cells = network.cells
    everywhere = np.arange(network.columns)
    checked: set[tuple[bytes, bytes]] = set()
    for position, rows in network.positions().items():
        slots, columns = cells.slot[rows], cells.column[rows]
        slots, columns = np.unique(slots[slots > 0]), np.unique(columns[columns >= 0])
        if (slots.tobytes(), columns.tobytes()) in checked:
            continue
        checked.add((slots.tobytes(), columns.tobytes()))
        lost = np.setdiff1d(everywhere[submatrix(network, slots, everywhere).any(axis=0)], columns)
        _need(not lost.size, 5, rows[0], f"column {lost[:1]} has weights at position {position} and no row")


@dataclass(frozen=True)
class _Lookup:
    """A table with the least and largest value of each segment."""

    table: Table
    least: list[int]
    largest: list[int]

    @staticmethod
    def of(table: Table, low_bits: int) -> _Lookup:
        ends = np.stack([table.offset, table.offset + table.slope * ((1 << low_bits) - 1)])
        return _Lookup(table, ends.min(axis=0).tolist(), ends.max(axis=0).tolist())


class _Bounds:
    def __init__(self, network: Network, inputs: Sequence[Interval]) -> None:
        self.network, self.cells = network, network.cells
        self.positions = network.positions()
        self.lookups = [_Lookup.of(table, network.low_bits) for table in network.tables]
        self.given = dict(zip(network.input_rows, inputs, strict=True)) | {network.one_row: (1, 1)}
        self.y: dict[int, Interval] = {}
        self.q: dict[int, Interval] = {}
        self.table: dict[int, int] = {}
        self.columns: dict[int, dict[int, Interval]] = {}

    def read(self, address: int) -> Interval:
        if address == 0:
            return 0, 0
        if address > 0:
            return self.y[address]
        table = self.table[-address]
        _need(table == self.network.q_table, 3, -address, f"its argument is read and it is in table {table}")
        return self.q[-address]

    def compute(self, row: int) -> None:
        network, cells = self.network, self.cells
        low, high = (end >> network.shift for end in self.sum(row))
        index = self.find(row, low >> network.low_bits, high >> network.low_bits)
        self.table[row] = index
        start = network.tables[network.q_table].base << network.low_bits
        self.q[row] = ((low - start) << network.q_shift, (high - start) << network.q_shift)
        if row in self.given:
            within = low >= -INPUT_LIMIT and high < INPUT_LIMIT and index == IDENTITY
            _need(within, 4, row, f"an input reaches from {low} to {high}")
        if cells.max[row]:
            _need(_is_relu(network.tables[index], network.low_bits), 2, row, "the table of a max row is not exact")
            ends = zip(self.read(int(cells.a[row])), self.read(int(cells.b[row])), strict=True)
            least, largest = (max(pair) for pair in ends)
            self.y[row] = (least, largest)
        else:
            self.y[row] = self.values(index, low, high)

    def values(self, index: int, low: int, high: int) -> Interval:
        """The interval of a table over arguments that lie in it."""
        network, lookup = self.network, self.lookups[index]
        table, mask = lookup.table, (1 << network.low_bits) - 1
        first, last = ((end >> network.low_bits) - table.base - table.low for end in (low, high))
        ends = [
            int(table.offset[segment]) + int(table.slope[segment]) * part
            for segment, part in (
                (first, low & mask),
                (first, high & mask if first == last else mask),
                (last, low & mask if first == last else 0),
                (last, high & mask),
            )
        ]
        inner = slice(first + 1, last)
        return min([*ends, *lookup.least[inner]]), max([*ends, *lookup.largest[inner]])

    def find(self, row: int, first: int, last: int) -> int:
        for index, table in enumerate(self.network.tables):
            if table.base + table.low <= first and last < table.base + table.high:
                return index
        raise _broken(1, row, f"it can reach the segments {first} to {last}, which are not of one table")

    def sum(self, row: int) -> Interval:
        network, cells = self.network, self.cells
        if row in self.given:
            low, high = self.given[row]
            return low << network.shift, high << network.shift
        low = high = 0
        if cells.column[row] >= 0:
            low, high = self.linear(int(cells.position[row]))[int(cells.column[row])]
        if cells.product[row]:
            factor = int(cells.product[row])
            for pair in (row, row + 1):
                ends = [factor * end for end in self.pair(pair)]
                low, high = low + min(ends), high + max(ends)
        if cells.max[row]:
            (a_low, a_high), (b_low, b_high) = self.read(int(cells.a[row])), self.read(int(cells.b[row]))
            low, high = low + ((a_low - b_high) << network.shift), high + ((a_high - b_low) << network.shift)
        return low, high

    def linear(self, position: int) -> dict[int, Interval]:
        """The intervals of all columns of a position, once all that it reads is bounded."""
        if position in self.columns:
            return self.columns[position]
        cells, rows = self.cells, self.positions[position]
        reading = [row for row in rows if cells.slot[row] > 0]
        columns = np.array([int(cells.column[row]) for row in rows if cells.column[row] >= 0])
        ends = np.array([self.read(int(cells.a[row])) for row in reading], dtype=object).reshape(-1, 2)
        weights = submatrix(self.network, cells.slot[np.array(reading)], columns).astype(object)
        above, below = np.where(weights > 0, weights, 0), np.where(weights < 0, weights, 0)
        low, high = ends[:, 0] @ above + ends[:, 1] @ below, ends[:, 1] @ above + ends[:, 0] @ below
        found = dict(zip(columns.tolist(), zip(low.tolist(), high.tolist(), strict=True), strict=True))
        self.columns[position] = found
        return found

    def pair(self, row: int) -> Interval:
        if row >= self.network.listed:
            return 0, 0
        address_a, address_b = int(self.cells.a[row]), int(self.cells.b[row])
        if not (address_a and address_b):
            return 0, 0
        a, b = self.read(address_a), self.read(address_b)
        ends = [first * second for first in a for second in b]
        if address_a == address_b:  # a square is not negative
            return 0 if a[0] <= 0 <= a[1] else min(ends), max(ends)
        return min(ends), max(ends)


def _is_relu(table: Table, low_bits: int) -> bool:
    segments = np.arange(table.low, table.high)
    above = segments >= 0
    return bool((table.slope == above).all() and (table.offset == np.where(above, segments << low_bits, 0)).all())


def _need(holds: object, rule: int, row: int, problem: str) -> None:
    if not holds:
        raise _broken(rule, row, problem)


def _broken(rule: int, row: int, problem: str) -> CircuitMalformed:
    return CircuitMalformed(
        f"the network breaks rule {rule} of its weights at row {row}: {problem}", "Transpile the model again."
    )
