"""The field `network` of `circuit.json`: writing it, and reading it from text that nobody vouches for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.circuit.network.network import CELL_FIELDS, Cells, Network, Table, Weights
from assay.transpile.errors import CircuitMalformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AGAIN = "Transpile the model again."
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
    top = _object(content, "network")
    numbers = {
        name: _number(top.get(name), f"network.{name}")
        for name in ("limb_bits", "limbs", "low_bits", "rows", "slots", "columns", "output_bits", "q_table", "q_shift")
    }
    cells = _object(top.get("cells"), "network.cells")
    fields = {name: _numbers(cells.get(name), f"network.cells.{name}") for name in CELL_FIELDS}
    _need(len({len(column) for column in fields.values()}) == 1, "network.cells, whose lists differ in length")
    return Network(
        **numbers,
        tables=[_table(item) for item in _list(top.get("tables"), "network.tables")],
        input_rows=_numbers(top.get("input_rows"), "network.input_rows").tolist(),
        input_centres=_numbers(top.get("input_centres"), "network.input_centres").tolist(),
        one_row=_number(top.get("one_row"), "network.one_row"),
        output_rows=_numbers(top.get("output_rows"), "network.output_rows").tolist(),
        cells=Cells(**fields),
        weights=[_weights(item) for item in _list(top.get("weights"), "network.weights")],
    )


def _table(item: Any) -> Table:
    content = _object(item, "a table")
    name = content.get("name")
    _need(isinstance(name, str) and len(name) <= 100, "a table's name")
    base, low, high = (_number(content.get(key), f"a table's {key}") for key in ("base", "low", "high"))
    slope, offset = (_numbers(content.get(key), f"a table's {key}") for key in ("slope", "offset"))
    _need(0 < high - low < _LARGEST_SEGMENTS and len(slope) == len(offset) == high - low, "a table's segments")
    return Table(str(name), base, low, high, slope, offset)


def _weights(item: Any) -> Weights:
    content = _object(item, "weights")
    slot, column = (_number(content.get(key), f"weights.{key}") for key in ("slot", "column"))
    lines = _list(content.get("values"), "weights.values")
    _need(bool(lines) and all(isinstance(line, str) and _WEIGHTS.match(line) for line in lines), "weights.values")
    values = [list(map(int, line.split(" "))) for line in lines]
    _need(len({len(line) for line in values}) == 1, "weights.values, whose lines differ in length")
    _need(all(abs(value) < _WEIGHT_LIMIT for line in values for value in line), "a weight of more than 62 bits")
    return Weights(slot, column, np.array(values, dtype=np.int64))


def _number(item: Any, where: str) -> int:
    _need(type(item) is int and abs(item) < _NUMBER_LIMIT, where)
    return int(item)


def _numbers(item: Any, where: str) -> NDArray[np.int64]:
    values = _list(item, where)
    _need(all(type(value) is int and abs(value) < _NUMBER_LIMIT for value in values), where)
    return np.array(values, dtype=np.int64)


def _object(item: Any, where: str) -> dict[str, Any]:
    _need(isinstance(item, dict), where)
    return dict(item)


def _list(item: Any, where: str) -> list[Any]:
    _need(isinstance(item, list), where)
    return list(item)


def _need(holds: object, where: str) -> None:
    if not holds:
        raise CircuitMalformed(f"the circuit is malformed: {where}", _AGAIN)
