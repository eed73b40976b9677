"""Which rows a flow needs: one for each value, and how they hang together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import ModelUnsupported
from assay.transpile.flow.flow import ZERO, Call, Flow, Input, Largest, Pending, Value
from assay.transpile.flow.functions import IDENTITY, Function

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Row:
    """A row to be: a value and what makes it.

    Attributes
    ----------
    base
        The value's number in the flow; it names the row.
    kind
        "input", "sum" (a column of a call, products, or both) or "max".
    call, column, scale, shift
        The linear part, ``scale * column + shift``; call -1 without one.
    pairs, coefficient
        The products.
    function
        What the table holds.
    reach
        The least and largest argument over the declared range.
    """

    base: int
    kind: str
    call: int = -1
    column: int = 0
    scale: float = 1.0
    shift: float = 0.0
    pairs: tuple[tuple[int, int], ...] = ()
    coefficient: float = 0.0
    function: Function = IDENTITY
    reach: Interval = (0.0, 0.0)


@dataclass
class Plan:
    """The rows of a network, in an order in which each follows those it reads.

    Attributes
    ----------
    rows
        By the number of their value.
    values
        The least and largest value of each.
    alias
        Values that are read as the argument of another row.
    calls
        Calls in use, and the rows that are their outputs.
    outputs
        The values that output rows read.
    saturated
        Arguments that can leave a function's domain, for the report.
    ends
        Where values end that bounds let go further (`caps`), by number.
    """

    flow: Flow
    rows: dict[int, Row] = field(default_factory=dict)
    values: dict[int, Interval] = field(default_factory=dict)
    alias: dict[int, int] = field(default_factory=dict)
    calls: dict[int, list[Row]] = field(default_factory=dict)
    outputs: list[int] = field(default_factory=list)
    saturated: list[str] = field(default_factory=list)
    ends: dict[int, float] = field(default_factory=dict)
    classes: Any = None  # of values with one step; kept by `exponents`
    _levels: dict[int, int] = field(default_factory=dict)

    def reads(self, call: int) -> NDArray[np.int64]:
        """The values that a call reads."""
        return self.flow.calls[call].reads

    def levels(self) -> dict[int, int]:
        """For each value a number above those of what it needs."""
        level = self._levels
        if not level:
            of_call: dict[int, int] = {}
            for number, row in self.rows.items():
                needs = [value for pair in row.pairs for value in pair]
                found = [level[self.alias.get(value, value)] for value in needs if value != ZERO]
                if row.call >= 0:
                    if row.call not in of_call:
                        reads = [self.alias.get(value, value) for value in self.reads(row.call).tolist()]
                        of_call[row.call] = max((level[value] for value in reads if value != ZERO), default=0)
                    found.append(of_call[row.call])
                level[number] = max(found, default=0) + 1
            level |= {alias: level[row] for alias, row in self.alias.items() if row in level}
        return level


def plan(
    flow: Flow,
    ranges: list[Interval],
    output_gain: int = 0,
    ends: Mapping[int, float] | None = None,
) -> Plan:
    """Plan the rows of a flow for features in their ranges; outputs may be counted in a power of two.

    Parameters
    ----------
    ends
        Sizes that values do not exceed (`caps`), by number.
    """
    made = Plan(flow, ends=dict(ends or {}))
    direct = not output_gain and _one_scale(flow)
    made.outputs = [_output(flow, *result, output_gain, direct=direct) for result in flow.results]
    needed = _needed(flow, made.outputs)
    reach = _Reach(flow, ranges)
    for base in sorted(needed):
        row = _row(flow, base, reach)
        if row is None:
            continue
        if base in made.ends:
            row = replace(row, function=row.function.ended(made.ends[base]))
        made.rows[base] = row
        made.values[base] = reach.of_value(base, row)
        if not all(map(math.isfinite, made.values[base])):
            raise ModelUnsupported(
                f"{row.function} in {flow.layers[flow.layer_of[base]]} can reach infinity over the declared ranges",
                "Declare narrower ranges.",
            )
        if row.call >= 0:
            made.calls.setdefault(row.call, []).append(row)
        if row.kind == "sum" and _leaves_domain(row):
            if row.function.definition.strict:
                layer, (start, end) = flow.layers[flow.layer_of[base]], row.reach
                raise ModelUnsupported(
                    f"{layer} is asked from {start:g} to {end:g}, over a pole",
                    "Declare narrower ranges.",
                )
            made.saturated.append(f"{row.function} in {flow.layers[flow.layer_of[base]]}")
    _aliases(made)
    return made


def _one_scale(flow: Flow) -> bool:
    """Whether all outputs are values of one function, so that they have one scale as they are."""
    found = {base.function if isinstance(base := flow.bases[number], Value) else None for number, *_ in flow.results}
    return len(found) == 1 or all(function is not None and function.homogeneous for function in found)


def _output(flow: Flow, base: int, scale: float, shift: float, output_gain: int, *, direct: bool) -> int:
    """The value of an output: its own if it is one, else a row that makes it so."""
    if direct and base != ZERO and flow.is_value(base) and scale == 1.0 and shift == 0.0:
        found = flow.bases[base]
        if not isinstance(found, Input):
            return base
    return flow.apply(base, scale, shift, Function("wide", (float(output_gain),)) if output_gain else IDENTITY)


def _needed(flow: Flow, outputs: list[int]) -> set[int]:
    """Values that outputs depend on, and all inputs."""
    needed: set[int] = {number for number, base in enumerate(flow.bases) if isinstance(base, Input)}
    waiting = list(outputs)
    while waiting:
        number = waiting.pop()
        if number == ZERO or number in needed:
            continue
        needed.add(number)
        base = flow.bases[number]
        if isinstance(base, Largest):
            waiting += [base.first, base.second]
        elif isinstance(base, Value):
            pending = flow.bases[base.pending]
            assert isinstance(pending, Pending)  # noqa: S101 - `Flow.value` is given no other
            waiting += [value for pair in pending.pairs for value in pair]
            if pending.call >= 0:
                waiting += flow.calls[pending.call].reads.tolist()
    return needed


def _row(flow: Flow, number: int, reach: _Reach) -> Row | None:
    base = flow.bases[number]
    if isinstance(base, Input):
        return Row(number, "input", reach=reach.inputs[base.index])
    if isinstance(base, Largest):
        return Row(number, "max", pairs=((base.first, base.second),), function=Function("relu"), reach=reach.gap(base))
    if isinstance(base, Value):
        pending = flow.bases[base.pending]
        assert isinstance(pending, Pending)  # noqa: S101 - as above
        row = Row(
            number,
            "sum",
            pending.call,
            pending.column,
            pending.scale * base.scale,
            pending.shift * base.scale + base.shift,
            pending.pairs,
            pending.coefficient * base.scale,
            base.function,
        )
        found = reach.of_sum(row)
        function = base.function
        period = function.definition.period
        if period and (turns := round(sum(found) / 2 / period)):  # a table holds one period
            row = replace(row, shift=row.shift - turns * period)
            found = reach.of_sum(row)
        if function.definition.singular and not function.parameters:
            function = Function(function.name, (_floor(found, function.definition.singular),))
        return replace(row, reach=found, function=function)
    return None


def _leaves_domain(row: Row) -> bool:
    """Whether arguments within the bounds are where the function is taken for flat."""
    if row.function.definition.sure:
        return False
    low, high = row.function.definition.domain
    if row.function.definition.singular:
        low = row.function.parameters[0] if row.reach[0] > -row.function.parameters[0] else low
    return row.reach[0] < low or row.reach[1] > high


def _floor(reach: Interval, bits: int) -> float:
    """Where a function that is infinite at 0 becomes flat: a table over equal steps holds no more of it."""
    top = max(abs(end) for end in reach)
    return math.ldexp(1.0, math.frexp(max(top, 2.0**-60))[1] - bits)


class _Reach:
    """Interval arithmetic over the flow, a call at a time."""

    def __init__(self, flow: Flow, ranges: list[Interval]) -> None:
        self.flow, self.inputs = flow, ranges
        self.low = np.zeros(len(flow.bases))
        self.high = np.zeros(len(flow.bases))
        self.columns: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}

    def of_value(self, number: int, row: Row) -> Interval:
        """The interval of a row's value, which later rows will ask for."""
        if row.kind == "input":
            interval = row.reach
        elif row.kind == "max":
            ends = [(self.low[value], self.high[value]) for value in row.pairs[0]]
            interval = float(max(end[0] for end in ends)), float(max(end[1] for end in ends))
        else:
            interval = row.function.interval(*row.reach)
        self.low[number], self.high[number] = interval
        return interval

    def gap(self, base: Largest) -> Interval:
        first, second = base.first, base.second
        return float(self.low[first] - self.high[second]), float(self.high[first] - self.low[second])

    def of_sum(self, row: Row) -> Interval:
        low = high = row.shift
        if row.call >= 0:
            lows, highs = self._call(row.call)
            ends = sorted((row.scale * float(lows[row.column]), row.scale * float(highs[row.column])))
            low, high = low + ends[0], high + ends[1]
        for a, b in row.pairs:
            corners = [
                row.coefficient * float(x * y) for x in (self.low[a], self.high[a]) for y in (self.low[b], self.high[b])
            ]
            if a == b and self.low[a] <= 0 <= self.high[a]:  # a square's other end is 0
                corners = [0.0, row.coefficient * float(max(self.low[a] ** 2, self.high[a] ** 2))]
            low, high = low + min(corners), high + max(corners)
        return low, high

    def _call(self, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if number not in self.columns:
            call: Call = self.flow.calls[number]
            above, below = np.maximum(call.matrix.weights, 0), np.minimum(call.matrix.weights, 0)
            low, high = self.low[call.reads], self.high[call.reads]
            bias = call.matrix.bias
            self.columns[number] = low @ above + high @ below + bias, high @ above + low @ below + bias
        return self.columns[number]


def _aliases(made: Plan) -> None:
    """Read a product's own value as the argument of the row that puts a function on it (the cell of an LSTM)."""
    by_pending: dict[tuple[int, float, float], list[Row]] = {}
    for number, row in made.rows.items():
        base = made.flow.bases[number]
        if isinstance(base, Value) and row.pairs and row.call < 0:
            by_pending.setdefault((base.pending, base.scale, base.shift), []).append(row)
    names: dict[Function, int] = {}
    pairs = []
    for rows in by_pending.values():
        plain = [row for row in rows if row.function == IDENTITY]
        others = [row for row in rows if row.function.definition.smooth]
        if plain and others:
            pairs.append((plain[0], others[0]))
            names[others[0].function] = names.get(others[0].function, 0) + 1
    if not names:
        return
    best = max(names, key=lambda function: names[function])
    place: dict[int, int] = {}
    for plain_row, other in pairs:
        if other.function == best and plain_row.base not in made.outputs:
            made.alias[plain_row.base] = other.base
            place[other.base] = min(plain_row.base, other.base)  # before whatever reads its argument
            del made.rows[plain_row.base]
    made.rows = dict(sorted(made.rows.items(), key=lambda item: place.get(item[0], item[0])))
