"""Steps: each argument and each value is a multiple of a power of two, and what meets must agree."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.transpile.networks.tables import Sampled, gain, sample

if TYPE_CHECKING:
    from assay.transpile.flow.functions import Function
    from assay.transpile.networks.plan import Plan, Row
    from assay.transpile.networks.tables import Profile

_ROUNDS = 50
_FACTOR_BITS = 10  # of a factor that is rounded


@dataclass
class Exponents:
    """Bits after the point.

    Attributes
    ----------
    argument, value
        Of each row, by the number of its value.
    sampled
        The tables that are not exact.
    alias_shift
        ``q_shift``: bits that the argument read of a row is shifted by.
    """

    argument: dict[int, int] = field(default_factory=dict)
    value: dict[int, int] = field(default_factory=dict)
    sampled: dict[Function, Sampled] = field(default_factory=dict)
    alias_shift: int = 0
    alias_table: Function | None = None


class Classes:
    """Sets of values that have one step."""

    def __init__(self) -> None:
        self.parent: dict[object, object] = {}

    def find(self, item: object) -> object:
        root = item
        while self.parent.get(root, root) != root:
            root = self.parent[root]
        while self.parent.get(item, item) != root:
            self.parent[item], item = root, self.parent[item]
        return root

    def join(self, one: object, other: object) -> None:
        self.parent[self.find(one)] = self.find(other)


def choose(plan: Plan, profile: Profile) -> Exponents:
    """Choose every step: the finest that fits its table, then coarser where two must agree."""
    found = Exponents()
    _tables(plan, profile, found)
    classes = classes_of(plan)
    bits = _finest(plan, profile, found, classes)
    _aliases(plan, found, classes, bits)
    _agree(plan, found, classes, bits)
    _whole_factors(plan, found, classes, bits, profile)
    _aliases(plan, found, classes, bits)
    _agree(plan, found, classes, bits)
    for number, row in plan.rows.items():
        found.value[number] = bits[classes.find(key_of(row))]
        if row.function.homogeneous or row.function.one_step:
            found.argument[number] = found.value[number] - gain(row.function)
        else:
            found.argument[number] = found.sampled[row.function].step_bits
    for number, row_number in plan.alias.items():
        found.value[number] = found.argument[row_number] + found.alias_shift
    return found


def key_of(row: Row) -> object:
    """What has one step: values of one sampled table share a step; those of an exact one have their own."""
    return row.base if row.function.homogeneous else row.function


def _tables(plan: Plan, profile: Profile, found: Exponents) -> None:
    reach: dict[Function, tuple[float, float]] = {}
    for row in plan.rows.values():
        if not (row.function.homogeneous or row.function.one_step):
            low, high = reach.get(row.function, row.reach)
            reach[row.function] = (min(low, row.reach[0]), max(high, row.reach[1]))
    for function, (low, high) in reach.items():
        found.sampled[function] = sample(function, low, high, profile)


def classes_of(plan: Plan) -> Classes:
    """Values that must have one step."""
    if plan.classes is None:
        plan.classes = Classes()
        _join(plan, plan.classes)
    found: Classes = plan.classes
    return found


def _join(plan: Plan, classes: Classes) -> None:
    for row in plan.rows.values():
        if row.kind == "max":
            for value in row.pairs[0]:
                if value in plan.rows:
                    classes.join(key_of(plan.rows[value]), key_of(row))
    _join_calls(plan, classes)
    outputs = [plan.rows[number] for number in plan.outputs]
    for row in outputs:
        classes.join(key_of(outputs[0]), key_of(row))


def _join_calls(plan: Plan, classes: Classes) -> None:
    """Calls that share a matrix keep sharing it if what they read and write has the same steps."""
    reads: dict[tuple[int, int], object] = {}
    columns: dict[tuple[object, ...], object] = {}
    for call, rows in plan.calls.items():
        matrix = id(plan.flow.calls[call].matrix)
        for slot, value in enumerate(plan.reads(call).tolist()):
            row = plan.rows.get(plan.alias.get(value, value))
            if row is not None:
                classes.join(reads.setdefault((matrix, slot), key_of(row)), key_of(row))
        for row in rows:
            classes.join(columns.setdefault((matrix, *_column(row)), key_of(row)), key_of(row))


def _column(row: Row) -> tuple[object, ...]:
    return row.column, row.scale, row.shift, row.function, bool(row.pairs)


def _finest(plan: Plan, profile: Profile, found: Exponents, classes: Classes) -> dict[object, int]:
    """For each class the most bits at which every argument fits its table."""
    bits: dict[object, int] = {}
    for row in plan.rows.values():
        if row.function.homogeneous or row.function.one_step:
            top = max(map(abs, row.reach))
            room = profile.input_bits if row.kind == "input" else profile.value_bits
            # A little room, since rounded weights move the bound.
            own = room - math.frexp(top * (1 + 2.0**-10))[1] if top else room
            own = min(own, room + 20) + gain(row.function)
        else:
            own = found.sampled[row.function].value_bits
        root = classes.find(key_of(row))
        bits[root] = min(bits.get(root, own), own)
    return bits


def _aliases(plan: Plan, found: Exponents, classes: Classes, bits: dict[object, int]) -> None:
    """Shift arguments that are read as values so that a row's two pairs have one scale."""
    if not plan.alias:
        return
    rows = plan.rows
    found.alias_table = rows[next(iter(plan.alias.values()))].function
    step = found.sampled[found.alias_table].step_bits
    for row in rows.values():
        for (a, b), (c, d) in zip(row.pairs, row.pairs[1:], strict=False):
            read = [value for value in (a, b) if value in plan.alias]
            other = [value for value in (c, d) if value in plan.alias]
            if len(read) == 1 and not other:
                partner = a if read[0] == b else b
                if all(value in rows for value in (partner, c, d)):
                    wanted = sum(bits[classes.find(key_of(rows[value]))] for value in (c, d))
                    found.alias_shift = max(wanted - bits[classes.find(key_of(rows[partner]))] - step, 0)
                    return


def _agree(plan: Plan, found: Exponents, classes: Classes, bits: dict[object, int]) -> None:
    """Make both pairs of every row have one scale, by taking bits from the finer one."""
    for _ in range(_ROUNDS):
        changed = False
        for row in plan.rows.values():
            if row.kind != "sum" or len(row.pairs) < 2:
                continue
            sides = [[_bits_of(plan, found, classes, bits, value) for value in pair] for pair in row.pairs]
            totals = [sum(amount for amount, _ in side) for side in sides]
            if totals[0] == totals[1]:
                continue
            finer = sides[0] if totals[0] > totals[1] else sides[1]
            coarser = {root for _, root in (sides[1] if finer is sides[0] else sides[0])}
            # A root of both sides would take as much from the coarser one.
            free = [root for _, root in finer if root is not None and root not in coarser]
            if free:
                bits[max(free, key=lambda root: bits[root])] -= abs(totals[0] - totals[1])
                changed = True
        if not changed:
            return


def _whole_factors(plan: Plan, found: Exponents, classes: Classes, bits: dict[object, int], profile: Profile) -> None:
    """Take bits from operands until each product's public factor is a whole number, of enough bits if it is rounded."""
    for row in plan.rows.values():
        if row.kind != "sum" or not row.pairs:
            continue
        mantissa, exponent = math.frexp(abs(row.coefficient))
        spare = exponent - 1 - (0 if mantissa == 0.5 else _FACTOR_BITS)
        own = row.function.homogeneous or row.function.one_step
        for pair in row.pairs:
            sides = [_bits_of(plan, found, classes, bits, value) for value in pair]
            argument = (
                bits[classes.find(key_of(row))] - gain(row.function) if own else found.sampled[row.function].step_bits
            )
            excess = sum(amount for amount, _ in sides) - (argument + profile.shift + spare)
            free = [root for _, root in sides if root is not None]
            if excess > 0 and free:
                share = -(-excess // len(free))
                for root in dict.fromkeys(free):
                    bits[root] -= share


def _bits_of(
    plan: Plan, found: Exponents, classes: Classes, bits: dict[object, int], value: int
) -> tuple[int, object | None]:
    if value in plan.alias:
        row = plan.rows[plan.alias[value]]
        return found.sampled[row.function].step_bits + found.alias_shift, None
    root = classes.find(key_of(plan.rows[value]))
    return bits[root], root


def unified(plan: Plan, ranges: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Ranges of features, made one where the same weights read them (the steps of a sequence, an image's pixels)."""
    classes = classes_of(plan)
    rows = [row for row in plan.rows.values() if row.kind == "input"]
    joined: dict[object, tuple[float, float]] = {}
    for row, (low, high) in zip(rows, ranges, strict=True):
        root = classes.find(key_of(row))
        known = joined.get(root, (low, high))
        joined[root] = (min(known[0], low), max(known[1], high))
    return [joined[classes.find(key_of(row))] for row in rows]
