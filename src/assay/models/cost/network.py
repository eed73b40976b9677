"""What proving a network is expected to cost: a prior, from the design of its proof.

Trees and linear models are measured on the machine at hand (`assay.models.cost.cost`). The networks' prover is not
among what is measured: here the design's own counts are used, whose unit times were taken on two cores at the sizes
of a proof (multiplications with window tables), and whose gas is that of operations counted. Times are those of
`assay.transpile.networks.cost`, which a test holds equal. Where a calibration has measured networks, its own
measurements scale the prior.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from assay.models.cost.shape import power_of_two

if TYPE_CHECKING:
    from assay.models.cost.shape import Size

PRIOR = "the design's counts and unit times of two cores, not measured here"
"""What predictions for networks are from."""

_LIMBS = 2
_SLACK = 16
_DEGREE = 32
_SMALLEST_BLOCK = 8
# Milliseconds of a multiplication of full scalars by size, interpolated by powers.
_FULL = ((10, 2.19), (13, 12.9), (14, 27.4), (17, 180.0))
_SMALL_PER_ROW = 1.1e-3
_ROW, _TABLE_ROW = 8.1e-3, 1.0e-3
# The design's gas of an LSTM of 80 input words, without the second power of the reference string.
_GAS, _GAS_A_WORD, _WORDS = 423_000, 350, 80
_MEMORY_MB, _MEMORY_A_ROW = 20.0, 4.5e-3
_SETUP_A_ROW = 5e-5


def block(size: Size) -> int:
    """Rows of the witness, `n`."""
    return max(power_of_two(size.rows), _SMALLEST_BLOCK)


def milliseconds(size: Size) -> float:
    """To prove one row on two cores."""
    n, table = block(size), max(size.table, size.slots)
    matrix = size.slots * size.columns
    chunk = max(n, table, matrix) + size.slots + _SLACK
    degree = max(3 * n, table + size.slots, matrix - size.slots) + _DEGREE
    chunks = -(-(degree + 1) // chunk)
    helpers = -(-(_LIMBS + 3) // 3)
    full = (helpers + 2) * _full(n) + _full(table) + 2 * _full(size.slots)
    full += sum(_full(min(chunk, degree + 1 - index * chunk)) for index in range(chunks))
    full += 2 * _full(max(n, table, matrix))
    return full + _SMALL_PER_ROW * n * (_LIMBS + 5) / 3 + _ROW * n + _TABLE_ROW * table


def prior(size: Size) -> dict[str, float]:
    """The four costs of a proof of one row, by the names of `assay.models.cost.cost.Cost`."""
    rows = block(size) + size.table
    return {
        "prove_seconds": milliseconds(size) / 1e3,
        "memory_mb": _MEMORY_MB + _MEMORY_A_ROW * rows,
        "gas": float(_GAS + _GAS_A_WORD * (0 if size.private else size.features - _WORDS)),
        "setup_seconds": _SETUP_A_ROW * (rows + size.slots * size.columns),
    }


def _full(size: int) -> float:
    exponent = math.log2(max(size, 2))
    low = max((index for index, (power, _) in enumerate(_FULL[:-1]) if power <= exponent), default=0)
    (power, known), (next_power, next_known) = _FULL[low], _FULL[low + 1]
    slope = math.log2(next_known / known) / (next_power - power)
    return float(known * 2.0 ** (slope * (exponent - power)))
