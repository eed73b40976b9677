"""Realised loss: against what the decision promised, and against today's process on the same rows.

Rows whose outcomes overlap are put into blocks of as many rows as a label looks ahead. How much blocks still depend on
each other, and how far they are spread, is measured on the test rows, of each series by itself: of the losses, of their
differences from today's process, of what probabilities leave over. It widens the intervals. Where there are too few
test rows, blocks are as long as those that the decision's own interval was made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import AssayError
from assay.keep.watch import realised
from assay.keep.watch.drift import dependence
from assay.keep.watch.sequences import above, beyond, in_blocks, interval
from assay.keep.watch.signal import Signal, unknown
from assay.models.existing import decide
from assay.models.rows import Problem

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from assay.keep.watch.material import Lines, Watched
    from assay.keep.watch.realised import Promise
    from assay.keep.watch.sequences import Crossing
    from assay.models.families.family import Fitted
    from assay.task.watch import Watch

    Floats = NDArray[np.float64]

_FEW = 3
_FAR = 25
"""A chain of rows may not be put into longer blocks than leave so many of them."""


@dataclass(frozen=True)
class Realised:
    """What the rows with an outcome cost.

    Attributes
    ----------
    lines
        Those rows.
    model, existing
        (rows,): the loss of the release and of today's process; NaN where a row has none.
    size, inflation
        Rows of a block; blocks that tell as much as one that depends on none.
    promise
        What the decision promised; None if nothing says.
    test
        (test rows,): the release's losses there; empty where its private part is not held here.
    unit
        Of the loss.
    residuals
        (rows, classes): what happened less its probability; of a classifier.
    timed
        Whether neighbours may depend on each other.
    least, against
        How far blocks are spread on the test rows: of the losses, and `spread` of their differences from today's
        process; 0 where that is not known.
    why, why_existing
        Why there are none; empty if there are.
    """

    lines: Lines
    model: Floats
    existing: Floats
    size: int
    inflation: float
    promise: Promise | None
    test: Floats
    unit: str
    residuals: Floats
    timed: bool = True
    least: float = 0.0
    against: tuple[float, float] = (0.0, 1.0)
    why: str = ""
    why_existing: str = ""

    def blocks(self, values: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """Means of its blocks, and the row that each begins with."""
        return in_blocks(values, self.size)

    def spread(self, test: Floats) -> tuple[float, float]:
        """The deviation of a series' blocks on the test rows, and how many tell as much as one."""
        return _spread(test, self.size, timed=self.timed)

    def crossed(self, crossing: Crossing | None, starts: NDArray[np.int64]) -> tuple[Crossing | None, slice]:
        """A crossing, and the rows whose blocks made it."""
        if crossing is None:
            return None, slice(0)
        return crossing, slice(int(starts[crossing.start]), int(starts[crossing.stop - 1]) + self.size)


def realise(of: Watched, lines: Lines) -> Realised:
    """The losses of the rows that have an outcome and a proof."""
    there = np.isfinite(lines.outcomes) & ~np.isnan(lines.outputs).any(axis=1)
    known = lines.of(there)
    size, inflation, test = _blocks(of)
    unit = realised.unit(of.task)
    timed, own, against = _on_test(of)
    least, apart = _spread(own, size, timed=timed)[0], _spread(against, size, timed=timed)

    def known_of(model: Floats, existing: Floats, left: Floats, why: str = "", why_existing: str = "") -> Realised:
        made = (known, model, existing, size, inflation, promise, test, unit, left, timed, least, apart)
        return Realised(*made, why, why_existing)

    empty = np.full(len(known), np.nan)
    promise = realised.promise(of.task, of.decision, test, inflation * size)
    problem = _problem(of)
    none = np.zeros((0, 0))
    if of.circuit is None:
        return known_of(empty, empty, none, of.absent, of.absent)
    frame = _frame(of, known)
    said = realised.stated(problem, of.circuit.answers, known.outputs)
    left = none if problem.kind == "regression" else realised.left_over(problem, said, known.outcomes)
    try:
        model = realised.rows_of(of.task, problem, said, known.outcomes, frame)
    except AssayError as error:
        why = f"the loss of the live rows cannot be computed: {error.what}"
        return known_of(empty, empty, left, why, why)
    existing, why = _existing(of, problem, known, frame)
    return known_of(model, existing, left, why_existing=why)


def _on_test(of: Watched) -> tuple[bool, Floats, Floats]:
    """Whether neighbours may depend on each other; the test rows' losses, and those less today's process's."""
    if of.reference is None:
        return True, np.zeros(0), np.zeros(0)
    problem = of.reference.problem
    return problem.timed or problem.ahead > 0, of.reference.losses, of.reference.against


def _spread(test: Floats, size: int, *, timed: bool) -> tuple[float, float]:
    scores, _ = in_blocks(test, size)
    if len(scores) < _FEW:  # of so few blocks nothing is known; rows are spread more than blocks are
        scores = test[~np.isnan(test)]
    if len(scores) < _FEW:
        return 0.0, 1.0
    return float(scores.std(ddof=1)), dependence(scores) if timed else 1.0


def _problem(of: Watched) -> Problem:
    if of.reference is not None:
        return of.reference.problem
    classes = 0 if of.task.predict.type == "regression" else max(len(of.labels), 2)
    return Problem(
        kind=of.task.predict.type,
        classes=classes,
        features=of.names,
        wide=(),
        target=of.task.predict.target,
        metric=of.task.metric,
        loss=of.task.value.loss,
        existing=of.task.existing,
        labels=of.labels,
        reach=max(of.task.data.label.reach, 1),
    )


def _blocks(of: Watched) -> tuple[int, float, Floats]:
    """Rows of a block, how much blocks depend on each other, and the test rows' losses."""
    reach = max(of.task.data.label.reach, 1)
    if of.reference is not None and len(of.reference.losses) >= _FAR * reach:
        test = of.reference.losses
        timed = of.reference.problem.timed or of.reference.problem.ahead > 0
        return reach, dependence(in_blocks(test, reach)[0]) if timed else 1.0, test
    row: dict[str, Any] = next((one for one in of.decision["rows"] if one["id"] == of.decision["chosen"]), {})
    length = int((row.get("evidence") or {}).get("length") or 0)
    return max(reach, length), 1.0, np.zeros(0)


def _frame(of: Watched, lines: Lines) -> pl.DataFrame:
    """The columns that the loss and today's process may name: the features, and what was kept beside them."""
    import polars as pl

    own = of.circuit.features if of.circuit is not None else []
    columns = {one.name: lines.X[:, place] for place, one in enumerate(own)}
    frame = pl.DataFrame(columns).fill_nan(None) if columns else pl.DataFrame()
    others = sorted({name for one in lines.columns for name in one} - set(columns))
    return frame.with_columns(
        pl.Series(name, [one.get(name) for one in lines.columns], strict=False) for name in others
    )


def _existing(of: Watched, problem: Problem, lines: Lines, frame: pl.DataFrame) -> tuple[Floats, str]:
    """Losses of today's process on the same rows, and why there are none."""
    empty = np.full(len(lines), np.nan)
    if not len(lines):
        return empty, ""
    from pathlib import Path

    fitted: Fitted | None = of.reference.existing if of.reference is not None else None
    try:
        if fitted is not None:
            said = _said(fitted, problem, lines, frame, shares=realised.judges_probabilities(of.task))
        elif problem.existing.kind != "function":
            said = decide(problem, frame, Path())
        else:
            said = lines.existing
            there = ~np.isnan(said)
            if not there.any():
                return empty, "nothing was kept of what today's process decided: its function needs the rows before"
            own = realised.rows_of(of.task, problem, said[there], lines.outcomes[there], frame.filter(there))
            empty[there] = own
            return empty, ""
        return realised.rows_of(of.task, problem, said, lines.outcomes, frame), ""
    except AssayError as error:
        return empty, f"today's process cannot be judged on the live rows: {error.what}"


def _said(fitted: Fitted, problem: Problem, lines: Lines, frame: pl.DataFrame, *, shares: bool) -> Floats:
    from assay.models.rows import Rows

    rows = Rows(lines.X.astype(np.float32), lines.outcomes, frame)
    del problem
    return fitted.probability(rows) if shares else fitted.predict(rows)


def loss_signals(found: Realised, *, alpha: float, watch: Watch, after: dict[str, float]) -> list[Signal]:
    """The two signals of the loss; `alpha` is of each.

    Parameters
    ----------
    after
        When an alarm of a signal was taken back last, seconds since 1970: rows that were asked for before are not
        counted again.
    """
    return [
        _promised(found, alpha=alpha, watch=watch, after=after.get("loss-promised", 0.0)),
        _against(found, alpha=alpha, watch=watch, after=after.get("loss-existing", 0.0)),
    ]


def _promised(found: Realised, *, alpha: float, watch: Watch, after: float) -> Signal:
    name, promise = "loss-promised", found.promise
    if found.why:
        return unknown(name, found.why)
    if promise is None:
        return unknown(name, "neither the decision nor its test rows say what was promised")
    count = int((~np.isnan(found.model)).sum())
    if not count:
        return unknown(name, "no row has an outcome yet")
    own, lines = _since(found.model, found.lines, after)
    if not len(own):
        return _none_since(name)
    lately = _mean(own[-watch.rows :])
    figures = {
        "loss": _mean(found.model),
        "loss lately": lately,
        "promised": promise.loss,
        "at most": promise.high,
        "rows": float(len(own)),
    }
    said = f"{found.unit} is {lately:.4g} lately, where {promise.loss:.4g} was promised ({promise.high:.4g} at most)"
    return _signal(name, said, figures, lines, _first(found, own, promise.high, alpha / 2), well=lately <= promise.high)


def _first(found: Realised, values: Floats, bound: float, alpha: float) -> tuple[Crossing | None, slice]:
    """Whichever of both tests was sure first, each with `alpha`."""
    scores, starts = found.blocks(values)
    slow = found.crossed(above(scores, bound, alpha, found.inflation, found.least), starts)
    size = found.size * max(round(found.inflation), 1)
    test, _ = in_blocks(found.test, size)
    if not len(test):
        return slow
    scores, starts = in_blocks(values, size)
    crossing = beyond(test, scores, alpha)
    if crossing is None:
        return slow
    quick = slice(int(starts[crossing.start]), int(starts[crossing.stop - 1]) + size)
    return slow if slow[0] is not None and slow[1].stop <= quick.stop else (crossing, quick)


def _against(found: Realised, *, alpha: float, watch: Watch, after: float) -> Signal:
    name = "loss-existing"
    if found.why or found.why_existing:
        return unknown(name, found.why or found.why_existing)
    difference = found.model - found.existing
    count = int((~np.isnan(difference)).sum())
    if not count:
        return unknown(name, "no row has an outcome yet")
    own, lines = _since(difference, found.lines, after)
    if not len(own):
        return _none_since(name)
    scores, starts = found.blocks(own)
    least, inflation = found.against
    crossing = above(scores, 0.0, alpha, max(inflation, found.inflation), least)
    lately = _mean(own[-watch.rows :])
    model, existing = _mean(found.model[~np.isnan(difference)]), _mean(found.existing[~np.isnan(difference)])
    figures = {"loss": model, "loss of today's process": existing, "difference lately": lately, "rows": float(count)}
    word = "more" if lately > 0 else "less"
    said = f"{found.unit} is {abs(lately):.4g} {word} than today's process would have had on the same rows, lately"
    if not least:
        said += (
            "; how far such differences are spread on the test rows is not known, so alpha does not bound this alarm"
        )
    return _signal(name, said, figures, lines, found.crossed(crossing, starts), well=lately <= 0)


def _signal(
    name: str, said: str, figures: dict[str, float], lines: Lines, seen: tuple[Crossing | None, slice], *, well: bool
) -> Signal:
    crossing, which = seen
    if well:
        return Signal(name, "well", said, figures, lines.rows())
    if crossing is None:
        return Signal(name, "between", f"{said}; it may be chance so far", figures, lines.rows())
    own = lines.of(which)
    figures = figures | {"mean then": crossing.mean, "surely above": crossing.low}
    return Signal(name, "alarm", said, figures, own.rows(), float(own.times[0]))


def _none_since(name: str) -> Signal:
    why = "no row that was asked for since its last alarm ended has an outcome"
    return Signal(name, "unknown", why, {"rows": 0.0})


def _since(values: Floats, lines: Lines, after: float) -> tuple[Floats, Lines]:
    own = lines.created > after
    return values[own], lines.of(own)


def _mean(values: Floats) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else 0.0


def calibration(found: Realised, test: Floats, *, alpha: float, watch: Watch, after: float) -> Signal | None:
    """Whether what was said to happen with a probability happens as often; None if the model says none.

    Parameters
    ----------
    test
        (test rows, classes): the same of the test rows; empty where they are not held here.
    """
    if not found.residuals.size:
        return None
    if not len(test):
        return unknown("calibration", "the test rows, which say how far off chance alone may be, are not held here")
    own, lines = found.residuals[found.lines.created > after], found.lines.of(found.lines.created > after)
    if not len(own):
        return _none_since("calibration") if after else unknown("calibration", "no row has an outcome yet")
    classes = own.shape[1]
    crossings: list[tuple[Crossing, NDArray[np.int64]]] = []
    worst, allowed = 0.0, 0.0
    for place in range(classes):
        rest = test[:, place]
        least, inflation = found.spread(rest)
        limit = max(0.01, abs(float(rest.mean())) + 2 * least * (inflation * found.size / len(rest)) ** 0.5)
        scores, starts = found.blocks(own[:, place])
        for side in (1.0, -1.0):
            crossing = above(side * scores, limit, alpha / (2 * classes), inflation, least)
            crossings += [(crossing, starts)] if crossing is not None else []
        lately = abs(_mean(own[-watch.rows :, place]))
        if lately >= worst:
            worst, allowed = lately, limit
    figures = {"lately": worst, "at most": allowed, "rows": float(len(own))}
    said = f"what happened and its probability are {worst:.3f} apart on average lately ({allowed:.3f} is allowed)"
    first, starts = min(crossings, key=lambda one: one[0].stop, default=(None, np.zeros(0, np.int64)))
    return _signal("calibration", said, figures, lines, found.crossed(first, starts), well=worst <= allowed)


def history(found: Realised, alpha: float) -> dict[str, list[float]]:
    """Points of the page's figure: when, the loss of each block, its mean since the beginning with its interval."""
    scores, starts = found.blocks(found.model)
    means, places = found.blocks(found.existing)
    known = dict(zip(places.tolist(), means.tolist(), strict=True))
    today = np.array([known.get(start, np.nan) for start in starts.tolist()])
    mean, low, high = interval(scores, alpha, found.inflation)
    lists = {"time": found.lines.times[starts], "loss": scores, "existing": today, "mean": mean}
    return {name: values.tolist() for name, values in (lists | {"low": low, "high": high}).items()}
