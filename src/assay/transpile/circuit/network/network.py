"""`Network`: rows, tables and weights of a circuit of kind "network" (docs/spec/networks-circuit.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_SLOT = 6  # 0 blinds, 1 to 4 are reserved, 5 is the null slot
LANE_BITS = 19
LANES = 13
INPUT_LIMIT = 1 << (LANE_BITS - 1)  # |u| of an input, so that lanes of a public word never meet
IDENTITY = 0  # the table that input and output rows use


@dataclass(frozen=True)
class Table:
    """A piecewise linear function: segment ``k`` in ``low <= k < high`` has the id ``base + k``.

    Attributes
    ----------
    name
        Of the activation, for people.
    slope, offset
        int64[high - low]; a value is ``offset + slope * low_part``.
    ends
        Runs of segments, ``first <= k < behind``, in which values end before the function's own do.
    """

    name: str
    base: int
    low: int
    high: int
    slope: NDArray[np.int64]
    offset: NDArray[np.int64]
    ends: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Cells:
    """The rows' fields, one entry a row from row 0; int64[R] each."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    slot: NDArray[np.int64]
    column: NDArray[np.int64]
    position: NDArray[np.int64]
    product: NDArray[np.int64]
    max: NDArray[np.int64]


CELL_FIELDS = tuple(Cells.__dataclass_fields__)


@dataclass(frozen=True)
class Weights:
    """A rectangle of the hidden matrix: int64[slots, columns], with its first slot and column."""

    slot: int
    column: int
    values: NDArray[np.int64]


@dataclass(frozen=True)
class Network:
    """A network as rows of the machine.

    Attributes
    ----------
    limb_bits, limbs, low_bits
        Fixed-point format: every row shifts by ``limb_bits * limbs`` and keeps ``low_bits`` for its segment.
    rows, slots, columns
        Powers of two: rows of a block, and the shape of the hidden matrix.
    output_bits
        Outputs lie in ``[-2^output_bits, 2^output_bits)``.
    q_table, q_shift
        How a read of a row's argument is scaled.
    input_rows, one_row, output_rows
        Where a block meets its public words.
    input_centres
        What is taken from each feature's integer to give the input ``u``.
    """

    limb_bits: int
    limbs: int
    low_bits: int
    rows: int
    slots: int
    columns: int
    output_bits: int
    tables: list[Table]
    input_rows: list[int]
    input_centres: list[int]
    one_row: int
    output_rows: list[int]
    cells: Cells
    weights: list[Weights] = field(default_factory=list)
    q_table: int = 0
    q_shift: int = 0

    @property
    def shift(self) -> int:
        """Bits that every row's sum is shifted by."""
        return self.limb_bits * self.limbs

    @property
    def listed(self) -> int:
        """Rows that have fields: 0 to ``listed - 1``."""
        return len(self.cells.a)

    def positions(self) -> dict[int, list[int]]:
        """The rows of each linear call, by its position number."""
        found: dict[int, list[int]] = {}
        for row, position in enumerate(self.cells.position.tolist()):
            if position > 0:
                found.setdefault(position, []).append(row)
        return found


def empty(network: Network) -> Network:
    """The inputs and outputs of a network around nothing: every output is 0."""
    features, outputs = len(network.input_rows), len(network.output_rows)
    listed = 2 * (features + 1) + outputs + 1
    nothing = np.zeros(listed, dtype=np.int64)
    fields = {name: nothing.copy() for name in CELL_FIELDS} | {"column": nothing - 1}
    return Network(
        limb_bits=4,
        limbs=1,
        low_bits=1,
        rows=max(8, 1 << listed.bit_length()),
        slots=8,
        columns=2,
        output_bits=network.output_bits,
        tables=[Table("identity", 0, 0, 1, nothing[:1] + 1, nothing[:1])],
        input_rows=list(range(1, 2 * features, 2)),
        input_centres=network.input_centres,
        one_row=2 * features + 1,
        output_rows=list(range(listed - outputs, listed)),
        cells=Cells(**fields),
    )


def submatrix(network: Network, slots: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Weights of some slots and columns: int64[slots, columns]."""
    found = np.zeros((len(slots), len(columns)), dtype=np.int64)
    for block in network.weights:
        height, width = block.values.shape
        inside_slots = (slots >= block.slot) & (slots < block.slot + height)
        inside_columns = (columns >= block.column) & (columns < block.column + width)
        if inside_slots.any() and inside_columns.any():
            picked = block.values[np.ix_(slots[inside_slots] - block.slot, columns[inside_columns] - block.column)]
            found[np.ix_(inside_slots, inside_columns)] = picked
    return found
