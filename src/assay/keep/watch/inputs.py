"""Inputs, and outputs, against the training rows: what is missing, what is beyond them, what moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from assay.keep.watch.alarms import Rows
from assay.keep.watch.drift import QUARTERS, moved, share_of
from assay.keep.watch.signal import Signal, State, listed, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
_FEWEST, _CALM = 3, 0.75
"""Rows at an end that are told of at least; and the part of what is allowed at which all is well."""
_INPUTS = ("inputs-missing", "inputs-range", "inputs-moved")


@dataclass(frozen=True)
class Terms:
    """By what is looked.

    Attributes
    ----------
    alpha
        Chance of a false alarm, of each signal.
    gone
        Rows that were looked at and are forgotten: the looks at them are spent.
    after
        When a person took an alarm back last, by signal.
    """

    alpha: float
    watch: Watch
    gone: int = 0
    after: Mapping[str, float] = field(default_factory=dict)

    def of(self, name: str, lines: Lines) -> Lines:
        """The rows that count for a signal."""
        return lines.since(self.after[name]) if name in self.after else lines


def inputs(lines: Lines, reference: Reference | None, absent: str, terms: Terms) -> list[Signal]:
    """The three signals of the inputs."""
    if reference is None:
        return [unknown(name, absent) for name in _INPUTS]
    seen: dict[float | None, list[Signal]] = {}
    for since in {terms.after.get(name) for name in _INPUTS}:
        own = lines if since is None else lines.since(since)
        seen[since] = [own.named(one) for one in _judged(reference.features, own.X, terms)]
    return [seen[terms.after.get(name)][place] for place, name in enumerate(_INPUTS)]


def _judged(trained: Sequence[Trained], live: Floats, terms: Terms, of: str = "input") -> list[Signal]:
    watch = terms.watch
    return judged(trained, live, alpha=terms.alpha, lately=watch.rows, psi_limit=watch.psi, of=of, gone=terms.gone)


def outputs(lines: Lines, reference: Reference | None, absent: str, terms: Terms) -> Signal:
    """Whether the outputs are spread as on the training rows."""
    if reference is None or not reference.outputs:
        return unknown("outputs-moved", absent if reference is None else reference.why)
    lines = terms.of("outputs-moved", lines)
    there = np.asarray(~np.isnan(lines.outputs).any(axis=1))
    found = _judged(reference.outputs, lines.outputs[there], terms, "output")
    return lines.of(there).named(found[-1])


def clamped(lines: Lines, features: Sequence[Feature], reference: Reference | None, terms: Terms) -> Signal:
    """The share of the last rows with a value at the end of its declared range, where values beyond are set.

    Values within a network that end before the model's own do count, too: the prover said of which rows.
    """
    ends = [
        (place, one.low / 2**one.bits, one.high / 2**one.bits)
        for place, one in enumerate(features)
        if one.kind in {"integer", "fixed"}
    ]
    if not ends:
        return Signal("outputs-clamped", "well", "no input has a declared range, so none is set to its end")
    watch = terms.watch
    last = terms.of("outputs-clamped", lines).last(watch.rows)
    shares = {place: _at_ends(last.X[:, place], low, high) for place, low, high in ends}
    before = {place: 0.0 if reference is None else _at_ends(reference.X[:, place], *own) for place, *own in ends}
    # Of each by itself: a flag of 0 and 1 is always at an end, and says nothing of the others.
    allowed = {place: max(watch.failures, 2 * share) for place, share in before.items()}
    worst = max(shares, key=lambda place: shares[place] - allowed[place])
    about = tuple(features[place].name for place in shares if shares[place] > allowed[place])
    figures = {"share": shares[worst], "share in training": before[worst]}
    said = f"{shares[worst]:.1%} of the last {len(last)} rows have {features[worst].name} at the end of its range"
    within = float(last.ended.mean()) if len(last) else 0.0
    if within:
        figures["share within the model"] = within
        said += f"; values within the model ended for {within:.1%}"
    beyond = [share for share, most in ((shares[worst], allowed[worst]), (within, watch.failures)) if share > most]
    enough = len(last) >= watch.fewest and any(share * len(last) >= _FEWEST for share in beyond)
    calm = all(shares[place] <= _CALM * allowed[place] for place in shares) and within <= _CALM * watch.failures
    state: State = "alarm" if beyond and enough else "well" if calm else "between"
    return last.named(Signal("outputs-clamped", state, said, figures, about=about if state == "alarm" else ()))


def _at_ends(column: Floats, low: float, high: float) -> float:
    return float(((column <= low) | (column >= high)).mean()) if len(column) else 0.0


def judged(
    trained: Sequence[Trained],
    live: Floats,
    *,
    alpha: float,
    lately: int,
    psi_limit: float,
    of: str = "input",
    gone: int = 0,
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
    gone
        Rows before these that are not here any more: looks at them count.
    """
    step = max(lately // LOOKS, 1)
    look = (gone + len(live)) // step
    names = tuple(name.replace("inputs", f"{of}s") for name in _INPUTS)
    seen = live[: max(look * step - gone, 0)]
    if not len(seen):
        return [unknown(name, f"the next look is after {step} rows, and there are {len(live)}") for name in names]
    last = seen[-lately:]
    found = [moved(one, last[:, place], seen[:, place]) for place, one in enumerate(trained)]
    least = share_of(alpha, look) / max(len(found), 1)
    count = f"in the last {len(last)} rows"

    def signal(place: int, kind: _Kind) -> Signal:
        name = names[place]
        about = [one for one in found if kind.chance(one) < least and kind.matters(one, psi_limit)]
        calm = all(kind.chance(one) > _QUIET / len(found) or not kind.matters(one, psi_limit) for one in found)
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
