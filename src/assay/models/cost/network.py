"""What proving a network is expected to cost: a prior, from the design of its proof.

Circuits are measured on the machine at hand (`assay.models.cost.cost`). For a calibration without networks, or with
few, the design's own counts are used here, whose unit times were taken on two cores at the sizes of a proof
(multiplications with window tables), and whose gas is that of operations counted; its measurements scale them. Times
are those of `assay.transpile.networks.cost`, which a test holds equal.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from assay.models.cost.shape import power_of_two

if TYPE_CHECKING:
    from assay.models.cost.shape import Size

PRIOR = "the design's counts and unit times of two cores, not measured here"
"""What predictions for networks are from."""

_LONGEST_PART, _MOST_PARTS = 4, 128
_SLACK = 16
_DEGREE = 32
_SMALLEST_BLOCK = 8
# Milliseconds of a multiplication of full scalars by size, interpolated by powers.
_FULL = ((10, 2.19), (13, 12.9), (14, 27.4), (17, 180.0))
_SMALL_PER_ROW = 1.1e-3
_ROW, _TABLE_ROW = 8.1e-3, 1.0e-3
# Gas of a transaction and the pairing; of the arithmetic of one row and of several; of a term of the sum beside its
# multiplication and addition. The second ones are for several rows (`several.sol.j2` goes through its packs in loops).
_GAS, _MUL_ADD = 21_000 + 113_000, 6_150
_ARITHMETIC, _TERM = (22_700, 29_000), (400, 600)
_GAS_A_ROW, _GAS_A_WORD = 400, 170
# Of bytes that are rarely zero, of the argument's lengths and the context, of an output.
_POINT_CALLDATA, _SCALAR_CALLDATA, _CALLDATA, _OUTPUT_CALLDATA = 1_012, 508, 750, 320
_LANES, _LANE_BITS = 13, 19
_MEMORY_MB, _MEMORY_A_ROW = 20.0, 4.5e-3
_SETUP_A_ROW = 5e-5
# Of a matrix in parts: summed for every proof, its entries held as numbers of the field.
_FOLDED_WEIGHT, _MEMORY_A_WEIGHT = 1.2e-5, 4e-5


def block(size: Size) -> int:
    """Rows of the witness, `n`."""
    return max(power_of_two(size.rows), _SMALLEST_BLOCK)


def milliseconds(size: Size) -> float:
    """To prove one row on two cores."""
    n, table = block(size), max(size.table, size.slots)
    chunk, degree, chunks = quotient(size)
    helpers = -(-(size.limbs + 3) // 3)
    full = (helpers + 2) * _full(n) + _full(table) + 2 * _full(size.slots)
    full += sum(_full(min(chunk, degree + 1 - index * chunk)) for index in range(chunks))
    full += 2 * _full(max(n, table, _part(size)))
    full += _FOLDED_WEIGHT * _weights(size) if parts(size) > 1 else 0
    return full + _SMALL_PER_ROW * n * (size.limbs + 5) / 3 + _ROW * n + _TABLE_ROW * table


def parts(size: Size) -> int:
    """In how many parts the hidden matrix is committed (`assay.transpile.networks.cost.parts_of`)."""
    if size.columns < 2:
        return 1
    needed = -(-_weights(size) // (_LONGEST_PART * max(block(size), size.table, size.slots)))
    return min(power_of_two(needed), _MOST_PARTS, size.columns // 2)


def _weights(size: Size) -> int:
    return size.slots * size.columns


def _part(size: Size) -> int:
    return _weights(size) // parts(size)


def quotient(size: Size) -> tuple[int, int, int]:
    """Length of a chunk of the quotient, its degree, and how many chunks it has."""
    n, table, part = block(size), max(size.table, size.slots), _part(size)
    chunk = max(n, table, part) + size.slots + _SLACK
    degree = max(3 * n, table + size.slots, part - size.slots) + _DEGREE
    return chunk, degree, -(-(degree + 1) // chunk)


def prior(size: Size) -> dict[str, float]:
    """The four costs of a proof of one row, by the names of `assay.models.cost.cost.Cost`."""
    rows = block(size) + size.table
    return {
        "prove_seconds": milliseconds(size) / 1e3,
        "memory_mb": _MEMORY_MB + _MEMORY_A_ROW * rows + (_MEMORY_A_WEIGHT * _weights(size) if parts(size) > 1 else 0),
        "gas": gas(size),
        "setup_seconds": _SETUP_A_ROW * (rows + _weights(size)),
    }


def gas(size: Size, rows: int = 1) -> float:
    """To verify a proof of so many rows on chain, its points and words counted (docs/spec/networks.md, 4.3 and 6)."""
    one, table, part = block(size), max(size.table, size.slots), _part(size)
    n = one * power_of_two(rows)
    chunk = max(n, table, part) + size.slots + _SLACK
    chunks = -(-(max(3 * n + 12, table + size.slots + 6, part - size.slots) + 1) // chunk)
    of_rows, helpers, wiring = size.limbs + 4, -(-(size.limbs + 3) // 3) + 1, 8
    width = max(1, (chunk + 1) // (n + 5))
    of_table = max(1, (max(one, table, part) + size.slots + _SLACK + 1) // (table + 5))
    of_proof = sum(-(-columns // width) for columns in (2, of_rows, helpers)) + 5 + chunks
    of_key = -(-3 // of_table) + parts(size) - (-wiring // width) + size.private
    # The generator and W' are multiplied, W is not.
    terms, several = of_proof + of_key + 2, int(rows > 1)
    found = _GAS + terms * (_MUL_ADD + _TERM[several]) + _ARITHMETIC[several]
    scalars = of_rows + helpers + wiring + 3 + 10
    found += (of_proof + 2 + size.private) * _POINT_CALLDATA + scalars * _SCALAR_CALLDATA + _CALLDATA
    inputs = 0 if size.private else size.features
    words = -(-inputs // _LANES)
    row = _GAS_A_ROW + _GAS_A_WORD * (words + size.outputs) + _OUTPUT_CALLDATA * size.outputs
    return float(found + rows * (row + 4 * 32 * words + 12 * (inputs * _LANE_BITS // 8)))


def _full(size: int) -> float:
    exponent = math.log2(max(size, 2))
    low = max((index for index, (power, _) in enumerate(_FULL[:-1]) if power <= exponent), default=0)
    (power, known), (next_power, next_known) = _FULL[low], _FULL[low + 1]
    slope = math.log2(next_known / known) / (next_power - power)
    return float(known * 2.0 ** (slope * (exponent - power)))
