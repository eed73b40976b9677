"""Inputs, and outputs, against the training rows: what is missing, what is beyond them, what moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.keep.watch.alarms import Rows
from assay.keep.watch.drift import QUARTERS, moved, share_of
from assay.keep.watch.signal import Signal, State, listed, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from assay.keep.watch.drift import Moved, Trained
    from assay.keep.watch.material import Lines, Reference
    from assay.task.watch import Watch
    from assay.transpile.circuit.circuit import Feature

    Floats = NDArray[np.float64]

LOOKS = QUARTERS
"""Looks while the last rows are replaced by others once."""
_QUIET = 0.05
"""A difference that is likelier than this without a change keeps no alarm standing."""
_MORE = 0.01
"""Share of rows by which more are missing than in training, before that is told of."""
_INPUTS = ("inputs-missing", "inputs-range", "inputs-moved")


def inputs(lines: Lines, reference: Reference | None, absent: str, *, alpha: float, watch: Watch) -> list[Signal]:
    """The three signals of the inputs; `alpha` is of each."""
    if reference is None:
        return [unknown(name, absent) for name in _INPUTS]
    found = judged(reference.features, lines.X, alpha=alpha, lately=watch.rows, psi_limit=watch.psi)
    return [lines.named(one) for one in found]


def outputs(lines: Lines, reference: Reference | None, absent: str, *, alpha: float, watch: Watch) -> Signal:
    """Whether the outputs are spread as on the training rows."""
    if reference is None or not reference.outputs:
        return unknown("outputs-moved", absent if reference is None else reference.why)
    there = np.asarray(~np.isnan(lines.outputs).any(axis=1))
    found = judged(
        reference.outputs, lines.outputs[there], alpha=alpha, lately=watch.rows, psi_limit=watch.psi, of="output"
    )
    return lines.of(there).named(found[-1])


def clamped(lines: Lines, features: Sequence[Feature], reference: Reference | None, watch: Watch) -> Signal:
    """The share of the last rows with a value at the end of its declared range, where values beyond are set."""
    ends = [
        (place, one.low / 2**one.bits, one.high / 2**one.bits)
        for place, one in enumerate(features)
        if one.kind in {"integer", "fixed"}
    ]
    if not ends:
        return Signal("outputs-clamped", "well", "no input has a declared range, so none is set to its end")
    last = lines.last(watch.rows)
    shares = {features[place].name: _at_ends(last.X[:, place], low, high) for place, low, high in ends}
    before = 0.0
    if reference is not None:
        before = max((_at_ends(reference.X[:, place], low, high) for place, low, high in ends), default=0.0)
    worst = max(shares, key=lambda name: shares[name])
    share, allowed = shares[worst], max(watch.failures, 2 * before)
    figures = {"share": share, "share in training": before}
    said = f"{share:.1%} of the last {len(last)} rows have {worst} at the end of its range"
    state: State = (
        "alarm" if share > allowed and len(last) >= watch.fewest else "well" if share <= allowed / 2 else "between"
    )
    return last.named(Signal("outputs-clamped", state, said, figures, about=(worst,) if state == "alarm" else ()))


def _at_ends(column: Floats, low: float, high: float) -> float:
    return float(((column <= low) | (column >= high)).mean()) if len(column) else 0.0


def judged(
    trained: Sequence[Trained], live: Floats, *, alpha: float, lately: int, psi_limit: float, of: str = "input"
) -> list[Signal]:
    """What of live rows is missing, beyond training, moved: at the last look that these rows allow.

    Parameters
    ----------
    live
        (rows, columns), all since the release decides, NaN where missing.
    alpha
        Chance of a false alarm of each of the three, over all looks and columns.
    lately
        The last rows, that many; a look is taken each time that a `LOOKS`-th of them is new.
    psi_limit
        The least population stability index of what is said to have moved, however sure it is.
    """
    step = max(lately // LOOKS, 1)
    look = len(live) // step
    names = tuple(name.replace("inputs", f"{of}s") for name in _INPUTS)
    if look == 0:
        return [unknown(name, f"the first look is after {step} rows, and there are {len(live)}") for name in names]
    seen = live[: look * step]
    last = seen[-lately:]
    found = [moved(one, last[:, place], seen[:, place]) for place, one in enumerate(trained)]
    least = share_of(alpha, look) / max(len(found), 1)
    count = f"in the last {len(last)} rows"

    def signal(place: int, kind: _Kind) -> Signal:
        name = names[place]
        about = [one for one in found if kind.chance(one) < least and kind.matters(one, psi_limit)]
        calm = all(kind.chance(one) > _QUIET or not kind.matters(one, psi_limit) for one in found)
        figures = {"look": float(look), "chance that alarms": least}
        worst = min(found, key=kind.chance)
        figures |= {"least chance": kind.chance(worst)} | _figures(about or [worst], kind.word, single=not about)
        rows = Rows(len(last))
        if not about:
            return Signal(name, "well" if calm else "between", f"{kind.well.format(of=of)}, {count}", figures, rows)
        about.sort(key=kind.chance)
        own = tuple(one.name for one in about)
        return Signal(name, "alarm", f"{kind.said.format(which=listed(own))}, {count}", figures, rows, about=own)

    return [signal(place, kind) for place, kind in enumerate(_KINDS)]


@dataclass(frozen=True)
class _Kind:
    """What is asked of a column: how likely it is without a change, whether it matters, and how it is said."""

    word: str
    chance: Callable[[Moved], float]
    matters: Callable[[Moved, float], bool]
    said: str
    well: str


_KINDS = (
    _Kind(
        "missing",
        lambda one: one.p_missing,
        lambda one, _: one.missing >= one.missing_trained + _MORE,
        "{which} is missing more often than in training",
        "no {of} is missing more often than in training",
    ),
    _Kind(
        "beyond",
        lambda one: one.p_beyond,
        lambda one, _: one.beyond > 0,
        "{which} is beyond all that training had, more often than chance explains",
        "{of}s are within what training had, or as rarely beyond it as chance explains",
    ),
    _Kind(
        "psi",
        lambda one: one.p_moved,
        lambda one, least: one.psi >= least,
        "{which} is spread otherwise than in training",
        "{of}s are spread as in training, as far as can be told",
    ),
)


def _figures(about: Sequence[Moved], word: str, *, single: bool) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in about:
        values = {"psi": one.psi, "ks": one.ks} if word == "psi" else {word: getattr(one, word)}
        if word == "missing":
            values["missing in training"] = one.missing_trained
        found |= {name if single else f"{name} of {one.name}": value for name, value in values.items()}
    return found
