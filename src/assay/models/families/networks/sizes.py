"""How large the circuit of a network will be, by its shape: the layout of `assay.transpile.networks`, counted.

A dense layer or a place of a convolution is a call that reads its inputs once for every `columns` of its outputs, and
takes a row for each read or each output, whichever are more. A unit of a recurrent layer takes six rows a step. How
many rows the table has depends on the format that keeps the trained network: it is estimated from how many numbers
the layers add up, which is how far their sums can reach. Tests compare all of it with compiled networks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from assay.models.cost.network import milliseconds
from assay.models.cost.shape import Size, power_of_two

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.models.families.networks.architecture import Architecture

_A_STEP = {"lstm": 6, "bilstm": 6, "gru": 6}
_FIRST = 3  # slots and rows before the first
_SMALLEST = 8
_WIDTHS = tuple(1 << bits for bits in range(3, 9))
_WIDEST = 32  # times as many outputs of one call as columns
_RECURRENT_TABLE = 8192
_TABLES = ((5.4, 2048), (7.2, 4096), (math.inf, 8192))


def size_of(architecture: Architecture, *, private: bool) -> Size:
    """The size of the cheapest layout, among widths of the hidden matrix."""
    found = [_with(architecture, columns, private=private) for columns in _widths(architecture)]
    return min(found, key=lambda size: (milliseconds(size), size.rows))


def _widths(architecture: Architecture) -> list[int]:
    most = max(outputs for _, outputs, _ in _calls(architecture))
    return [width for width in _WIDTHS if most <= _WIDEST * width] or [_WIDTHS[-1]]


def _with(architecture: Architecture, columns: int, *, private: bool) -> Size:
    one = architecture
    inputs = one.window * one.features
    rows, slots = inputs + one.outputs + _FIRST, _FIRST
    for reads, outputs, times in _calls(one):
        parts = -(-outputs // columns)
        slots += parts * reads
        rows += times * max(parts * reads, outputs)
    if one.kind in _A_STEP:
        # Cells and states, beside the gates.
        rows += one.window * one.directions * sum(one.widths) * (_A_STEP[one.kind] - 4)
    return Size(
        kind="network",
        features=inputs,
        outputs=one.outputs,
        rows=rows,
        slots=max(power_of_two(slots), _SMALLEST),
        columns=columns,
        table=_table(one),
        private=private,
    )


def _calls(architecture: Architecture) -> Iterator[tuple[int, int, int]]:
    """Numbers that are read, numbers that are made, and how often the same weights are used."""
    one = architecture
    inputs = one.window * one.features if one.kind == "mlp" else one.features
    for layer, width in enumerate(one.widths):
        if one.kind in _A_STEP:
            for _ in range(one.directions):
                yield inputs + width, 4 * width, one.window
            inputs = one.directions * width
        else:
            yield inputs * (one.kernel or 1), width, one.lengths[layer + 1] if one.kind == "cnn1d" else 1
            inputs = width
    yield one.read, one.outputs, 1


def _table(architecture: Architecture) -> int:
    if architecture.kind in _A_STEP:
        return _RECURRENT_TABLE
    reach = sum(math.log2(reads) / 2 for reads, _, _ in _calls(architecture))
    return next(table for most, table in _TABLES if reach <= most)
