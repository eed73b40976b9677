"""Three networks small enough to be checked by hand, laid out row by row, and the same functions as plain formulas.

`python -m tests.unit.transpile.networks.tiny` (or running this file) writes them to `cases/`, where the native core's
tests read them too.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from assay.transpile.circuit.network import schema
from assay.transpile.circuit.network.network import CELL_FIELDS, Cells, Network, Table, Weights

CASES = Path(__file__).parent / "cases"
RHO, LIMBS, F = 4, 2, 2
SHIFT = RHO * LIMBS


def table(name, base, low, high, function):
    ends = [round(function(segment << F)) for segment in range(low, high + 1)]
    slope = [math.floor((after - before) / (1 << F) + 0.5) for before, after in itertools.pairwise(ends)]
    return Table(name, base, low, high, np.array(slope), np.array(ends[:-1]))


IDENTITY = table("identity", 0, -64, 64, lambda q: q)
RELU = table("relu", 128, -64, 64, lambda q: max(q, 0))
SIGMOID = table("sigmoid", 256, -64, 64, lambda q: 32 / (1 + math.exp(-q / 16)))
TANH = table("tanh", 384, -64, 64, lambda q: 32 * math.tanh(q / 16))


class Rows:
    """Rows by name, so that a layout can be read."""

    def __init__(self):
        self.fields = [{}]

    def add(self, **fields):
        self.fields.append(fields)
        return len(self.fields) - 1

    def cells(self):
        default = dict.fromkeys(CELL_FIELDS, 0) | {"column": -1}
        return Cells(**{name: np.array([(default | row)[name] for row in self.fields]) for name in CELL_FIELDS})


def offset(table):
    """What the constant's weight adds for a table."""
    return table.base << (F + SHIFT)


def network(rows, inputs, one, outputs, tables, weights, **rest):
    cells = rows.cells()
    return Network(
        limb_bits=RHO,
        limbs=LIMBS,
        low_bits=F,
        rows=1 << (len(cells.a)).bit_length(),
        slots=32,
        columns=8,
        output_bits=12,
        tables=tables,
        input_rows=inputs,
        input_centres=[3] * len(inputs),
        one_row=one,
        output_rows=outputs,
        cells=cells,
        weights=[Weights(slot, column, np.array(values)) for slot, column, values in weights],
        **rest,
    )


def look(table, total):
    """A table's value and the argument, by the specification."""
    argument = total >> SHIFT
    segment, low = argument >> F, argument & ((1 << F) - 1)
    return int(table.offset[segment - table.low] + table.slope[segment - table.low] * low), argument


# Dense: two relus of three inputs, then one identity.
FIRST = [[130, -75], [-201, 64], [33, 300], [4000, -2500]]
LAST = [[150], [-99], [700]]


def dense():
    rows = Rows()
    inputs, one = [], 0
    for _ in range(4):  # three inputs and the constant, each above a row that reads nothing by b
        one = rows.add()
        inputs.append(one)
        rows.add()
    hidden = []
    for index, address in enumerate(inputs):
        fields = {"column": index} if index < 2 else {}
        hidden.append(rows.add(a=address, slot=6 + index, position=1, **fields))
    result = rows.add(a=hidden[0], slot=10, column=0, position=2)
    rows.add(a=hidden[1], slot=11, position=2)
    rows.add(a=one, slot=12, position=2)
    out = rows.add(a=result)
    first = np.array(FIRST)
    first[-1] += offset(RELU)
    return network(rows, inputs[:3], one, [out], [IDENTITY, RELU], [(6, 0, first), (10, 0, LAST)])


def dense_formula(u):
    hidden = [look(RELU, sum(w[j] * x for w, x in zip(FIRST, [*u, 1], strict=True)))[0] for j in range(2)]
    return [look(IDENTITY, sum(w[0] * x for w, x in zip(LAST, [*hidden, 1], strict=True)))[0]]


def ended():
    """The dense network as if its relu ended at 28."""
    made = dense()
    return replace(made, tables=[made.tables[0], replace(made.tables[1], ends=((7, 64),))])


def ended_formula(u):
    return any(sum(w[j] * x for w, x in zip(FIRST, [*u, 1], strict=True)) >> SHIFT >= 28 for j in range(2))


# A recurrent cell of one unit over two inputs: i, f, o, g of the input, the last h and 1; c by product, its tanh, h.
GATES = [[90, -60, 120, 200], [-50, 80, 30, -110], [300, 500, -200, 100]]
CELL = 1  # values are in 1/32, arguments in 1/16: a product times 4 is an argument times 2^8; c is read as 2c


def recurrent():
    rows = Rows()
    inputs, one = [], 0
    for _ in range(3):
        one = rows.add()
        inputs.append(one)
        rows.add()
    h, c = 0, 0
    for step in range(2):
        call, cell = 2 * step + 1, 2 * step + 2
        where = len(rows.fields)
        i, cell_row, f, o, h_row, g = range(where, where + 6)
        rows.add(a=inputs[step], slot=6, column=0, position=call)
        # The cell's second pair stands in the row of gate f, whose own reads are not needed.
        rows.add(a=f, b=c, product=CELL << 2, column=0, position=cell)
        rows.add(a=i, b=g, column=1, position=call)
        rows.add(a=h, slot=7, column=2, position=call)
        rows.add(a=o, b=cell_row, product=1 << 3)
        rows.add(a=one, slot=8, column=3, position=call)
        rows.add(a=one, slot=9, position=cell)
        h, c = h_row, -cell_row
    out = rows.add(a=h)
    gates = np.array(GATES)
    gates[-1, :3] += offset(SIGMOID)
    gates[-1, 3] += offset(TANH)
    return network(
        rows,
        inputs[:2],
        one,
        [out],
        [IDENTITY, SIGMOID, TANH],
        [(6, 0, gates), (9, 0, [[offset(TANH)]])],
        q_table=2,
        q_shift=1,
    )


def recurrent_formula(u):
    h = c = 0
    for x in u:
        i, f, o, g = (
            look(SIGMOID if gate < 3 else TANH, GATES[0][gate] * x + GATES[1][gate] * h + GATES[2][gate])[0]
            for gate in range(4)
        )
        tanh, argument = look(TANH, (CELL << 2) * (f * c + i * g))
        c = 2 * argument
        h = look(IDENTITY, (o * tanh) << 3)[0]
    return [h]


# The largest of three weighted inputs, and a row that is fused: a linear part and a product in one.
POOL = [[128, 60, -70, 0], [40, -128, 90, 80], [-300, 200, 500, 900]]


def pooled():
    rows = Rows()
    inputs, one = [], 0
    for _ in range(3):
        one = rows.add()
        inputs.append(one)
        rows.add()
    where = len(rows.fields)
    for index, address in enumerate(inputs):
        rows.add(a=address, slot=6 + index, column=index, position=1)
    largest = rows.add(a=where, b=where + 1, max=1, column=0, position=2)
    rows.add(a=one, slot=9, position=2)
    largest = rows.add(a=largest, b=where + 2, max=1, column=1, position=2)
    fused = rows.add(a=largest, b=inputs[0], product=3, column=3, position=1)
    rows.add()
    outs = [rows.add(a=largest), rows.add(a=fused)]
    values = np.array(POOL)
    return network(
        rows, inputs[:2], one, outs, [IDENTITY, RELU], [(6, 0, values), (9, 0, [[offset(RELU), offset(RELU)]])]
    )


def pooled_formula(u):
    x = [*u, 1]
    sums = [sum(POOL[j][m] * x[j] for j in range(3)) for m in range(4)]
    largest = max(look(IDENTITY, total)[0] for total in sums[:3])
    return [largest, look(IDENTITY, sums[3] + 3 * largest * u[0])[0]]


ALL = {"dense": (dense, dense_formula), "recurrent": (recurrent, recurrent_formula), "pooled": (pooled, pooled_formula)}


def case(name):
    """A circuit, rows of inputs and outputs, as the file of the case holds them."""
    build, formula = ALL[name]
    made = build()
    generator = np.random.default_rng(7)
    inputs = generator.integers(-32, 32, size=(8, len(made.input_rows))).tolist()
    inputs += [[-32] * len(made.input_rows), [31] * len(made.input_rows)]
    outputs = [formula(u) for u in inputs]
    circuit = {
        "schema": "assay-circuit/1",
        "kind": "network",
        "inputs": "public",
        "features": [
            {"name": f"x{index}", "kind": "fixed", "bits": 3, "min": "-29", "max": "34"}
            for index in range(len(made.input_rows))
        ],
        "outputs": [f"y{index}" for index in range(len(outputs[0]))],
        "scale_bits": 4,
        "base": ["0"] * len(outputs[0]),
        "network": schema.to_dict(made),
        "meta": {},
    }
    return {"circuit": circuit, "inputs": inputs, "outputs": outputs}


if __name__ == "__main__":
    CASES.mkdir(exist_ok=True)
    for case_name in ALL:
        (CASES / f"{case_name}.json").write_text(json.dumps(case(case_name), separators=(",", ":")) + "\n")
