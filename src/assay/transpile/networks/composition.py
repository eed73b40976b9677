"""Which functions of one number are taken as such, and which stay the steps that they are written as."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from assay.transpile.errors import ModelUnsupported
from assay.transpile.flow.flow import Value
from assay.transpile.networks.plan import plan
from assay.transpile.networks.tables import Profile, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.transpile.flow.expressions import Expression
    from assay.transpile.flow.functions import Function
    from assay.transpile.networks.features import Interval
    from assay.transpile.networks.source import Source

_ERROR = 2.0**-11  # of the largest value: what a table may miss a function by
_ROUNDS = 8


def read(read_source: Callable[..., Source], finest: Profile) -> Callable[..., Source] | None:
    """How a model is read with such functions as one table each; None where there are none, or no table holds any.

    Raises
    ------
    ModelUnsupported
        If the model is refused, whichever way it is read.
    """
    apart: frozenset[Expression] = frozenset()
    source, found = read_source(apart=apart), None
    for _ in range(_ROUNDS):
        if not source.flow.meta.get("composed"):
            break
        found = partial(read_source, apart=apart)
        worse = _beyond_tables(source, finest)
        if not worse:
            break
        apart |= worse
        try:
            source = read_source(apart=apart)
        except ModelUnsupported:  # a step that is refused by itself
            break
    return found


def _beyond_tables(source: Source, finest: Profile) -> set[Expression]:
    """Expressions that no table holds over the range that they are asked in."""
    flow, shifts = source.flow, source.flow.meta["centres"]
    spans = [(low - shift, high - shift) for (low, high), shift in zip(source.ranges, shifts, strict=True)]
    try:
        rows = plan(flow, spans).rows.values()
    except ModelUnsupported:
        return {one for base in flow.bases if isinstance(base, Value) and (one := base.function.expression) is not None}
    reach: dict[Function, Interval] = {}
    for row in rows:
        low, high = reach.get(row.function, row.reach)
        reach[row.function] = min(low, row.reach[0]), max(high, row.reach[1])
    return {
        function.expression
        for function, ends in reach.items()
        if function.expression is not None and not _held(function, ends, finest)
    }


def _held(function: Function, ends: Interval, finest: Profile) -> bool:
    top = max(map(abs, function.interval(*ends)))
    try:
        return sample(function, *ends, finest).error <= _ERROR * top
    except ModelUnsupported:
        return False
