"""Ends of values that bounds alone let grow from layer to layer: far beyond all rows seen, and part of the circuit.

Interval arithmetic over a deep network allows values that no row comes near, and formats that hold them have no digits
left for those that are. One that ends at some times the largest seen keeps what comes after it fine.
Every row still has a proof; one that goes further has the end for the value, which the circuit's notes say.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.evaluate import evaluate
from assay.transpile.networks.exponents import Classes, classes_of, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from assay.transpile.flow.flow import Flow
    from assay.transpile.flow.functions import Function
    from assay.transpile.networks.plan import Plan, Row

    Floats = NDArray[np.float64]

HEADROOM = 4.0  # at the least: ends are powers of four
_WORTH = 4.0  # times the end that bounds must allow
_FINEST = 2.0**-9
_NUMBERS = 1 << 24  # of values that are held at once


def caps(planned: Plan, rows: Floats) -> dict[int, float]:
    """The end of each value that has one, by its number in the flow.

    Parameters
    ----------
    rows
        Those of the calibration and others drawn from the declared ranges.
    """
    values = _largest(planned.flow, rows)
    bounded = {
        number: row
        for number, row in planned.rows.items()
        # Outputs that the plan made itself have the numbers after those of the flow.
        if row.kind == "sum" and number not in planned.outputs and not _fixed(row.function)
    }
    groups = _groups(planned, bounded)
    seen: dict[object, float] = {}
    reach: dict[object, float] = {}
    for number in bounded:
        group = groups.find(number)
        seen[group] = max(seen.get(group, 0.0), float(values[number]))
        reach[group] = max(reach.get(group, 0.0), *map(abs, planned.values[number]))
    ends = {group: _end(largest, reach[group]) for group, largest in seen.items()}
    return {
        number: end
        for number in bounded
        if (end := ends[groups.find(number)]) and reach[groups.find(number)] > _WORTH * end
    }


def _fixed(function: Function) -> bool:
    """Whether values are what they are: those of a table that ends by itself, or that something else divides by."""
    known = function.definition
    return function.one_step or known.steps or bool(known.singular) or known.sure or known.smooth


def _largest(flow: Flow, rows: Floats) -> Floats:
    """The largest size of each value over the rows, some at a time; infinite where one has none."""
    count, centres = max(_NUMBERS // len(flow.bases), 1), np.array(flow.meta["centres"])
    found = np.zeros(len(flow.bases))
    for start in range(0, len(rows), count):
        found = np.maximum(found, np.abs(evaluate(flow, rows[start : start + count], centres)).max(axis=1))
    return np.where(np.isnan(found), np.inf, found)


def _groups(planned: Plan, rows: Mapping[int, Row]) -> Classes:
    """Values of one layer, and those that must have one step, have one end."""
    groups, classes = Classes(), classes_of(planned)
    for number, row in rows.items():
        groups.join(number, ("layer", planned.flow.layer_of[number]))
        groups.join(number, ("step", classes.find(key_of(row))))
    return groups


def _end(seen: float, reach: float) -> float:
    """A power of four (0 for none), no smaller beside what bounds allow than segments of a table can tell."""
    least = max(HEADROOM * seen, reach * _FINEST)
    return 4.0 ** math.ceil(math.log(least, 4)) if 0 < least < math.inf else 0.0


def ends_of(planned: Plan) -> list[str]:
    """A note for each layer whose values end before the bounds of the declared ranges."""
    found: dict[str, tuple[float, float]] = {}
    for number, end in planned.ends.items():
        row = planned.rows.get(number)
        if row is None or max(map(abs, row.reach)) <= end:  # bounds no longer go there, since what it reads ends, too
            continue
        layer = planned.flow.layers[planned.flow.layer_of[number]]
        known = found.get(layer, (end, 0.0))
        found[layer] = max(known[0], end), max(known[1], *map(abs, row.reach))
    return [
        f"values of {layer} end at {end:g}, {HEADROOM:g} times or more of what calibration rows and rows drawn from "
        f"the declared ranges reach; bounds allow up to {reach:.3g}, and a row that goes further is proven with the end"
        for layer, (end, reach) in found.items()
    ]
