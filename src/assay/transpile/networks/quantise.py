"""From planned rows to integers: tables, and calls with integer weights."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.circuit.network.network import LANE_BITS, Table
from assay.transpile.circuit.network.wiring import in_lanes
from assay.transpile.errors import ModelUnsupported
from assay.transpile.flow.flow import ZERO
from assay.transpile.flow.functions import IDENTITY, Function
from assay.transpile.networks.exponents import Exponents, choose
from assay.transpile.networks.tables import Profile, beyond, clipped, exact, interval, margin, segments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.networks.plan import Plan, Row

    Integers = NDArray[np.int64]

ONE = -1  # a read of the constant
_WEIGHT_BITS = 61
_BASES = 64  # offsets of a table that are tried
_WIDE = Function("wide", (0.0,))


@dataclass(frozen=True, eq=False)
class IntegerCall:
    """A position to be: it uses some slots and columns of a rectangle of weights that others share.

    Attributes
    ----------
    reads
        int64[k], numbers of values or `ONE`; 0 for a slot that is not read, since what it would read is 0.
    weights
        int64[k, m].
    outputs
        The m output rows; None for a column that nobody needs here.
    """

    reads: Integers
    weights: Integers
    outputs: list[Row | None]
    layer: int
    place: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[tuple[int, ...], bytes]:
        """What calls share that share weights."""
        return self.weights.shape, self.weights.tobytes()

    @property
    def rows(self) -> int:
        """How many rows it takes: a row can read and be an output, but for one that multiplies or compares."""
        hosts = sum(row is not None and not row.pairs for row in self.outputs)
        others = sum(row is not None and bool(row.pairs) for row in self.outputs)
        return max(int((self.reads != ZERO).sum()), hosts) + others


@dataclass
class Quantised:
    """A plan in integers, before its rows are laid out."""

    plan: Plan
    profile: Profile
    exponents: Exponents
    tables: list[Table]
    index: dict[Function, int]
    calls: list[IntegerCall] = field(default_factory=list)
    factors: dict[int, int] = field(default_factory=dict)


def quantise(plan: Plan, profile: Profile) -> Quantised:
    """Round a plan to a format.

    Raises
    ------
    ModelUnsupported
        If weights or tables are beyond what the format holds.
    """
    exponents = choose(plan, profile)
    tables, index = tables_of(plan, profile, exponents)
    made = Quantised(plan, profile, exponents, tables, index)
    for row in plan.rows.values():
        if row.pairs and row.kind == "sum":
            made.factors[row.base] = _factor(made, row)
    siblings: dict[int, list[int]] = {}
    for call in plan.calls:
        siblings.setdefault(id(plan.flow.calls[call].matrix), []).append(call)
    for calls in siblings.values():
        made.calls += _shared(made, calls)
    made.calls += _offsets(made)
    return made


def tables_of(plan: Plan, profile: Profile, exponents: Exponents) -> tuple[list[Table], dict[Function, int]]:
    """The identity first, then the others; ids follow one another."""
    reach: dict[Function, tuple[int, int]] = {IDENTITY: (0, 0)}
    for row in plan.rows.values():
        if row.function.homogeneous or row.function.one_step:
            bits = exponents.argument[row.base]
            first, last = (int(np.floor(np.ldexp(end, bits))) for end in row.reach)
            room, function = margin(first, last), _holder(row, profile)
            low, high = reach.get(function, (0, 0))
            reach[function] = (min(low, first - room), max(high, last + room))
    tables: list[Table] = []
    index: dict[Function, int] = {}
    for function, (low, high) in reach.items():
        index[function] = len(tables)
        ends = interval(low, high, profile.low_bits)
        if function.one_step:
            bits = next(exponents.value[row.base] for row in plan.rows.values() if row.function == function)
            table = clipped(function, bits, ends, profile.low_bits)
            tables.append(replace(table, ends=beyond(function, bits, ends, profile.low_bits)))
        else:
            tables.append(exact(function, ends, profile.low_bits))
    for function, sampled in exponents.sampled.items():
        value_bits = next(exponents.value[row.base] for row in plan.rows.values() if row.function == function)
        index[function] = len(tables)
        slope, offset = segments(function, replace(sampled, value_bits=value_bits), profile.low_bits)
        ended = beyond(function, sampled.step_bits, (sampled.low, sampled.high), profile.low_bits)
        tables.append(Table(str(function), 0, sampled.low, sampled.high, slope, offset, ended))
    return _placed(tables, profile.low_bits), index


def _holder(row: Row, profile: Profile) -> Function:
    """Whose table a row uses: the first identity holds inputs alone where values are wider than an input's lane."""
    wide = row.function == IDENTITY and row.kind != "input" and profile.value_bits >= LANE_BITS
    return _WIDE if wide else row.function


def _placed(tables: list[Table], low_bits: int) -> list[Table]:
    """Give each table ids above those of the last that are none of its values beyond a lane (rule 3)."""
    placed, above = [tables[0]], tables[0].high
    for table in tables[1:]:
        top = int((np.abs(table.offset) + (np.abs(table.slope) << low_bits)).max())
        first = above - table.low
        bases = [*range(first, first + _BASES), max(first, (top >> low_bits) + 1 - table.low)]
        base = next((base for base in bases if in_lanes(replace(table, base=base), low_bits)), None)
        if base is None:
            raise ModelUnsupported(f"the table of {table.name} meets its own ids everywhere", "Report this model.")
        placed.append(replace(table, base=base))
        above = base + table.high
    return placed


def _factor(made: Quantised, row: Row) -> int:
    """``product`` of a row: what its pairs must be multiplied by to be arguments times ``2^s``."""
    exponents = made.exponents
    totals = {exponents.value[a] + exponents.value[b] for a, b in row.pairs}
    if len(totals) > 1:
        raise ModelUnsupported(
            f"{_layer(made, row)} adds two products whose scales cannot be made one", "Report this model."
        )
    exact_factor = float(np.ldexp(row.coefficient, exponents.argument[row.base] + made.profile.shift - totals.pop()))
    factor = round(exact_factor)
    if not 0 < abs(factor) < 1 << 52 or abs(exact_factor - factor) > 2.0**-10 * abs(exact_factor):
        raise ModelUnsupported(
            f"a product in {_layer(made, row)} needs the factor {exact_factor:g}, which no format holds",
            "Rescale the model.",
        )
    return factor


def _layer(made: Quantised, row: Row) -> str:
    return made.plan.flow.layers[made.plan.flow.layer_of[row.base]]


def _half(made: Quantised) -> int:
    return 1 << (made.profile.shift - 1)


def _table(made: Quantised, row: Row) -> int:
    return made.index[_holder(row, made.profile)]


def _base(made: Quantised, row: Row) -> int:
    return made.tables[_table(made, row)].base << (made.profile.low_bits + made.profile.shift)


def _shared(made: Quantised, calls: list[int]) -> list[IntegerCall]:
    """Calls of one matrix: as many as have the same steps share their weights, whichever columns each of them needs."""
    flow, exponents = made.plan.flow, made.exponents
    columns: dict[tuple[object, ...], Row] = {}
    for call in calls:
        for column, row in _columns(made, call).items():
            columns.setdefault(column, row)
    ordered = sorted(columns, key=lambda column: (columns[column].column, str(column)))
    bits = np.array(
        [
            [np.nan if read == ZERO else exponents.value[read] for read in flow.calls[call].reads.tolist()]
            for call in calls
        ]
    ).reshape(len(calls), -1)
    made_weights: dict[bytes, Integers] = {}
    result = []
    for call, own in zip(calls, _filled(bits), strict=True):
        if own.tobytes() not in made_weights:
            made_weights[own.tobytes()] = _weights(made, call, own, [columns[column] for column in ordered])
        rows = _columns(made, call)
        found = flow.calls[call]
        result.append(
            IntegerCall(
                np.append(found.reads, ONE),
                made_weights[own.tobytes()],
                [rows.get(column) for column in ordered],
                found.layer,
                found.place,
            )
        )
    return result


def _columns(made: Quantised, call: int) -> dict[tuple[object, ...], Row]:
    """The rows of a call by what other calls share with them; those that differ in their products alone are counted."""
    found: dict[tuple[object, ...], Row] = {}
    seen: Counter[tuple[object, ...]] = Counter()
    for row in made.plan.calls[call]:
        column = _column(made, row)
        found[*column, seen[column]] = row
        seen[column] += 1
    return found


def _column(made: Quantised, row: Row) -> tuple[object, ...]:
    return row.column, row.scale, row.shift, row.function, bool(row.pairs), made.exponents.argument[row.base]


def _filled(bits: NDArray[np.float64]) -> NDArray[np.int64]:
    """Steps of reads that are 0 in one call are those of the same read in another."""
    known = np.zeros(bits.shape[1])
    for own in reversed(bits):
        known = np.where(np.isnan(own), known, own)
    return np.where(np.isnan(bits), known, bits).astype(np.int64)


def _weights(made: Quantised, number: int, bits: NDArray[np.int64], rows: list[Row]) -> Integers:
    call, shift = made.plan.flow.calls[number], made.profile.shift
    columns = [row.column for row in rows]
    scales = np.array([row.scale for row in rows])
    arguments = np.array([made.exponents.argument[row.base] for row in rows], dtype=np.int64)
    real = call.matrix.weights[:, columns] * scales
    weights = np.rint(np.ldexp(real, arguments[np.newaxis] - bits[:, np.newaxis] + shift))
    bias = call.matrix.bias[columns] * scales + np.array([row.shift for row in rows])
    constant = np.rint(np.ldexp(bias, arguments + shift))
    bases = [_half(made) + _base(made, row) for row in rows]
    largest = max(float(np.abs(weights).max(initial=0)), float(np.abs(constant).max(initial=0)) + max(map(abs, bases)))
    if not largest < 2.0**_WEIGHT_BITS:
        raise ModelUnsupported(
            f"{made.plan.flow.layers[call.layer]} needs weights of more than {_WEIGHT_BITS} bits", "Rescale the model."
        )
    offsets = np.array(bases, dtype=np.int64)
    return np.concatenate([weights.astype(np.int64), (constant.astype(np.int64) + offsets)[np.newaxis]])


def _offsets(made: Quantised) -> list[IntegerCall]:
    """Rows without a linear part read the constant, which rounds them and chooses their table."""
    calls = []
    for row in made.plan.rows.values():
        if row.kind == "input" or row.call >= 0:
            continue
        offset = _base(made, row)
        if row.kind == "sum":
            shift = round(math.ldexp(row.shift, made.exponents.argument[row.base] + made.profile.shift))
            offset += _half(made) + shift
        if abs(offset) >= 1 << _WEIGHT_BITS:
            raise ModelUnsupported(f"{_layer(made, row)} reaches too large numbers", "Declare narrower ranges.")
        weights = np.array([[offset]], dtype=np.int64)
        calls.append(IntegerCall(np.array([ONE]), weights, [row], -1 - _table(made, row)))
    return calls
