"""What a network will cost before any setup: from counts, and unit times of two cores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.transpile.circuit.network.network import Network

# Milliseconds of a multiplication of full scalars with window tables, by size: docs/spec has no say in these; they
# were measured on two cores and are interpolated by powers.
_FULL = {10: 2.19, 13: 12.9, 14: 27.4, 17: 180.0}
_SMALL_PER_ROW = 1.1e-3  # ms: the columns of small numbers
_ROW, _TABLE_ROW = 8.1e-3, 1.0e-3  # ms: transforms and constraints
_FOLDED_WEIGHT = 1.2e-5  # ms: to sum the parts of a matrix, for each of its entries
# The rule of crates/circuit/src/networks/model.rs.
_LONGEST_PART, _MOST_PARTS = 4, 128


@dataclass(frozen=True)
class Cost:
    """Predicted size and time of a proof.

    Attributes
    ----------
    rows
        In use; a block has the next power of two, `n`.
    table
        ``N``: rows of the public table, a power of two.
    slots, columns, parts
        ``K`` and ``M`` of the hidden matrix, and in how many parts it is committed.
    powers
        Of the reference string, without ``[tau^K]_2``.
    milliseconds
        To prove one row on two cores.
    """

    rows: int
    n: int
    table: int
    slots: int
    columns: int
    parts: int
    powers: int
    milliseconds: float

    @property
    def matrix(self) -> int:
        """``K M``: coefficients of the committed weights."""
        return self.slots * self.columns

    def __str__(self) -> str:
        return (
            f"{self.rows} rows of {self.n}, table of {self.table}, matrix of {self.slots} x {self.columns}"
            f"{f' in {self.parts} parts' if self.parts > 1 else ''}, "
            f"{self.powers} powers, about {self.milliseconds:.0f} ms a proof"
        )


def of_network(network: Network) -> Cost:
    """The cost of a finished network."""
    segments = sum(len(table.slope) for table in network.tables)
    cells = network.cells
    shape = bool(cells.b.any()) or bool(cells.max.any())
    return predict(
        network.listed + 1,
        network.rows,
        table_rows(network.limb_bits, network.low_bits, segments, network.slots),
        network.slots,
        network.columns,
        limbs=network.limbs,
        pairs=shape,
    )


def table_rows(limb_bits: int, low_bits: int, segments: int, slots: int) -> int:
    """``N``: row 0, limbs, low parts and segments; no fewer than the slots, which lie among them."""
    needed = 1 + (1 << limb_bits) + (1 << low_bits) + segments
    return max(1 << (needed - 1).bit_length(), slots)


def parts_of(n: int, table: int, slots: int, columns: int) -> int:
    """``P``: in how many parts a matrix is committed, so that none is much longer than everything else of a proof."""
    needed = -(-slots * columns // (_LONGEST_PART * max(n, table)))
    return min(1 << (needed - 1).bit_length(), _MOST_PARTS, columns // 2)


def predict(rows: int, n: int, table: int, slots: int, columns: int, *, limbs: int, pairs: bool) -> Cost:
    """Predict from sizes."""
    parts = parts_of(n, table, slots, columns)
    part = slots * columns // parts
    chunk = max(n, table, part) + slots + 16
    degree = max(3 * n, table + slots, part - slots) + 32
    chunks = -(-(degree + 1) // chunk)
    helpers = -(-(limbs + 1 + 1 + int(pairs)) // 3)
    opening = max(n, table, part)
    full = (helpers + 2) * _full(n) + _full(table) + 2 * _full(slots)
    full += sum(_full(min(chunk, degree + 1 - index * chunk)) for index in range(chunks)) + 2 * _full(opening)
    other = _SMALL_PER_ROW * n * (limbs + 5) / 3 + _ROW * n + _TABLE_ROW * table
    other += _FOLDED_WEIGHT * slots * columns if parts > 1 else 0
    return Cost(rows, n, table, slots, columns, parts, max(part, chunk) + slots + 32, full + other)


def _full(size: int) -> float:
    exponent = math.log2(max(size, 2))
    known = sorted(_FULL)
    low = max([power for power in known[:-1] if power <= exponent], default=known[0])
    high = known[known.index(low) + 1]
    slope = math.log2(_FULL[high] / _FULL[low]) / (high - low)
    return float(_FULL[low] * 2 ** (slope * (exponent - low)))
