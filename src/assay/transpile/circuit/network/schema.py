"""The field `network` of `circuit.json`: writing it, and reading it from text that nobody vouches for."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.circuit.need import list_, need, object_
from assay.transpile.circuit.network.network import CELL_FIELDS, Cells, Network, Table, Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NUMBER_LIMIT = 1 << 52
_WEIGHT_LIMIT = 1 << 62
_WEIGHTS = re.compile(r"-?[0-9]{1,19}(?: -?[0-9]{1,19})*\Z", re.ASCII)
_LARGEST_SEGMENTS = 1 << 24


def to_dict(network: Network) -> dict[str, Any]:
    """The network as JSON-compatible values, in a fixed order."""
    return {
        "limb_bits": network.limb_bits,
        "limbs": network.limbs,
        "low_bits": network.low_bits,
        "rows": network.rows,
        "slots": network.slots,
        "columns": network.columns,
        "output_bits": network.output_bits,
        "q_table": network.q_table,
        "q_shift": network.q_shift,
        "tables": [
            {
                "name": table.name,
                "base": table.base,
                "low": table.low,
                "high": table.high,
                "slope": table.slope.tolist(),
                "offset": table.offset.tolist(),
            }
            | ({"ends": [list(run) for run in table.ends]} if table.ends else {})
            for table in network.tables
        ],
        "input_rows": network.input_rows,
        "input_centres": network.input_centres,
        "one_row": network.one_row,
        "output_rows": network.output_rows,
        "cells": {name: getattr(network.cells, name).tolist() for name in CELL_FIELDS},
        "weights": [
            {
                "slot": block.slot,
                "column": block.column,
                "values": [" ".join(map(str, line)) for line in block.values.tolist()],
            }
            for block in network.weights
        ],
    }


def from_dict(content: Any) -> Network:
    """Read what `to_dict` gave, whose types and sizes are checked here and whose sense by `wiring.check`.

    Raises
    ------
    CircuitMalformed
        On anything else.
    """
    top = object_(content, "network")
    numbers = {
        name: _number(top.get(name), f"network.{name}")
        for name in ("limb_bits", "limbs", "low_bits", "rows", "slots", "columns", "output_bits", "q_table", "q_shift")
    }
    cells = object_(top.get("cells"), "network.cells")
    fields = {name: _numbers(cells.get(name), f"network.cells.{name}") for name in CELL_FIELDS}
    need(len({len(column) for column in fields.values()}) == 1, "network.cells, whose lists differ in length")
    return Network(
        **numbers,
        tables=[_table(item) for item in list_(top.get("tables"), "network.tables")],
        input_rows=_numbers(top.get("input_rows"), "network.input_rows").tolist(),
        input_centres=_numbers(top.get("input_centres"), "network.input_centres").tolist(),
        one_row=_number(top.get("one_row"), "network.one_row"),
        output_rows=_numbers(top.get("output_rows"), "network.output_rows").tolist(),
        cells=Cells(**fields),
        weights=[_weights(item) for item in list_(top.get("weights"), "network.weights")],
    )


def _table(item: Any) -> Table:
    content = object_(item, "a table")
    name = content.get("name")
    need(isinstance(name, str) and len(name) <= 100, "a table's name")
    base, low, high = (_number(content.get(key), f"a table's {key}") for key in ("base", "low", "high"))
    slope, offset = (_numbers(content.get(key), f"a table's {key}") for key in ("slope", "offset"))
    need(0 < high - low < _LARGEST_SEGMENTS and len(slope) == len(offset) == high - low, "a table's segments")
    return Table(str(name), base, low, high, slope, offset, _ends(content.get("ends", []), low, high))


def _ends(item: Any, low: int, high: int) -> tuple[tuple[int, int], ...]:
    """Runs of segments, apart and ascending; none where nothing ends."""
    runs = [_numbers(run, "a table's ends").tolist() for run in list_(item, "a table's ends")]
    need(all(len(run) == 2 for run in runs), "a table's ends")
    need(all(low <= first < behind <= high for first, behind in runs), "a table's ends, which leave its segments")
    need(all(one[1] < other[0] for one, other in pairwise(runs)), "a table's ends, which are not apart")
    return tuple((first, behind) for first, behind in runs)


def _weights(item: Any) -> Weights:
    content = object_(item, "weights")
    slot, column = (_number(content.get(key), f"weights.{key}") for key in ("slot", "column"))
    lines = list_(content.get("values"), "weights.values")
    need(bool(lines) and all(isinstance(line, str) and _WEIGHTS.match(line) for line in lines), "weights.values")
    values = [list(map(int, line.split(" "))) for line in lines]
    need(len({len(line) for line in values}) == 1, "weights.values, whose lines differ in length")
    need(all(abs(value) < _WEIGHT_LIMIT for line in values for value in line), "a weight of more than 62 bits")
    return Weights(slot, column, np.array(values, dtype=np.int64))


def _number(item: Any, where: str) -> int:
    need(type(item) is int and abs(item) < _NUMBER_LIMIT, where)
    return int(item)


def _numbers(item: Any, where: str) -> NDArray[np.int64]:
    values = list_(item, where)
    need(all(type(value) is int and abs(value) < _NUMBER_LIMIT for value in values), where)
    return np.array(values, dtype=np.int64)
