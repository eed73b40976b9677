"""The integer semantics row by row in plain Python: slow, and short enough to be read beside the specification."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.transpile.circuit.network.network import Network


class NoProof(ArithmeticError):
    """A row's sum lies in no table: the machine has no proof for this input."""


def outputs(network: Network, inputs: Sequence[int]) -> list[int]:
    """The integers that a proof says for one row of inputs ``u``.

    Raises
    ------
    NoProof
        If a value leaves its table, which `circuit.network.bounds` rules out for the declared range.
    """
    run = _Run(network, inputs)
    for row in run.order():
        run.compute(row)
    return [run.read(int(network.cells.a[row])) for row in network.output_rows]


def ended(network: Network, inputs: Sequence[int]) -> bool:
    """Whether one row of inputs ``u`` reached an end of a value (section 8); raises as `outputs`."""
    run = _Run(network, inputs)
    for row in run.order():
        run.compute(row)
    return run.ended


class _Run:
    def __init__(self, network: Network, inputs: Sequence[int]) -> None:
        self.network, self.cells = network, network.cells
        self.positions = network.positions()
        self.segments = {
            table.base + segment: (int(slope), int(offset))
            for table in network.tables
            for segment, slope, offset in zip(
                range(table.low, table.high), table.slope.tolist(), table.offset.tolist(), strict=True
            )
        }
        self.ends = {
            table.base + segment
            for table in network.tables
            for first, behind in table.ends
            for segment in range(first, behind)
        }
        self.ended = False
        self.given = dict(zip(network.input_rows, inputs, strict=True)) | {network.one_row: 1}
        self.y: dict[int, int] = {}
        self.q: dict[int, int] = {}

    def read(self, address: int) -> int:
        """The value at an address; 0 is the zero cell."""
        if address == 0:
            return 0
        return self.y[address] if address > 0 else self.q[-address]

    def order(self) -> list[int]:
        """The rows, each after those it needs."""
        done: dict[int, None] = {}
        for start in range(1, self.network.listed):
            stack = [(start, False)]
            while stack:
                row, ready = stack.pop()
                if ready:
                    done[row] = None
                elif row not in done:
                    stack.append((row, True))
                    stack.extend((need, False) for need in self.needs(row) if need not in done)
        return list(done)

    def needs(self, row: int) -> list[int]:
        """The rows whose values this row's sum is made of (rule 10 of the specification)."""
        if row in self.given:
            return []
        cells, found = self.cells, []
        if cells.column[row] >= 0:
            found = [cells.a[other] for other in self.positions[int(cells.position[row])] if cells.slot[other] > 0]
        pairs = [(int(cells.a[row]), int(cells.b[row]))]
        if cells.product[row] and row + 1 < self.network.listed:
            pairs.append((int(cells.a[row + 1]), int(cells.b[row + 1])))
        if cells.product[row]:
            found += [address for pair in pairs if all(pair) for address in pair]
        elif cells.max[row]:
            found += pairs[0]
        return [abs(int(address)) for address in found if address]

    def compute(self, row: int) -> None:
        network, cells = self.network, self.cells
        total = self.sum(row)
        argument = total >> network.shift
        segment, low = argument >> network.low_bits, argument & ((1 << network.low_bits) - 1)
        if segment not in self.segments:
            raise NoProof(f"row {row} needs the segment {segment}, which no table has")
        self.ended |= segment in self.ends
        slope, offset = self.segments[segment]
        self.y[row] = offset + slope * low + (self.read(int(cells.b[row])) if cells.max[row] else 0)
        base = network.tables[network.q_table].base << network.low_bits
        self.q[row] = (argument - base) << network.q_shift

    def sum(self, row: int) -> int:
        """The row's ``z``."""
        network, cells = self.network, self.cells
        if row in self.given:
            return self.given[row] << network.shift
        total, column = 0, int(cells.column[row])
        if column >= 0:
            for other in self.positions[int(cells.position[row])]:
                slot = int(cells.slot[other])
                if slot > 0:
                    total += self.weight(slot, column) * self.read(int(cells.a[other]))
        if cells.product[row]:
            total += int(cells.product[row]) * (self.pair(row) + self.pair(row + 1))
        if cells.max[row]:
            total += (self.read(int(cells.a[row])) - self.read(int(cells.b[row]))) << network.shift
        return total

    def pair(self, row: int) -> int:
        """The product of what a row reads; 0 with the zero cell, whatever the other is."""
        addresses = (int(self.cells.a[row]), int(self.cells.b[row])) if row < self.network.listed else (0, 0)
        return self.read(addresses[0]) * self.read(addresses[1]) if all(addresses) else 0

    def weight(self, slot: int, column: int) -> int:
        for block in self.network.weights:
            row, place = slot - block.slot, column - block.column
            if 0 <= row < block.values.shape[0] and 0 <= place < block.values.shape[1]:
                return int(block.values[row, place])
        return 0
