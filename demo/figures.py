"""The report's figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from demo.canvas import (
    CALM,
    GRID,
    MODEL,
    NARROW,
    OTHER,
    RULE,
    TURBULENT,
    WIDE,
    WRONG,
    Screen,
    canvas,
    legend_above,
    pair,
    svg,
)
from demo.data import MONTH, Floats
from demo.outcome import Outcome
from demo.proof import BATCH

QUARTER = 63


def figures(outcome: Outcome) -> dict[str, dict[str, str]]:
    """SVG texts by figure, each as "wide" and "narrow"."""
    drawings: dict[str, Callable[[Outcome, Screen], Any]] = {
        "years": years,
        "days": days,
        "quality": quality,
        "margins": margins,
        "costs": costs,
    }
    return {
        name: {screen.name: svg(partial(draw, outcome), f"{name}-{screen.name}", screen) for screen in (WIDE, NARROW)}
        for name, draw in drawings.items()
    }


def years(outcome: Outcome, screen: Screen) -> Any:
    """The test years: volatility with its trailing median, and how often each forecaster was right lately."""
    figure, (above, below) = canvas(screen, 430, rows=2, sharex=True)
    test = outcome.study.parts.test
    dates, size = outcome.study.data.tomorrow[test], 100 * outcome.study.data.true_range[test]
    above.plot(dates, size, color=OTHER, linewidth=0.8)
    above.plot(dates, 100 * outcome.study.data.median[test], color=TURBULENT, label="median of the year before")
    above.set_yscale("log")
    above.set_yticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    above.minorticks_off()
    above.set_title("True range, %")
    legend_above(above)
    for forecaster, colour in zip(outcome.study.forecasters, (MODEL, RULE), strict=False):
        right = (forecaster.turbulent == outcome.study.truth).astype(np.float64)
        below.plot(dates[QUARTER - 1 :], 100 * _mean(right, QUARTER), color=colour, label=forecaster.short)
    below.set_title(f"Right, last {QUARTER} days, %")
    legend_above(below)
    starts = np.unique(dates.astype("datetime64[Y]"))
    below.set_xticks(starts.astype("datetime64[D]"), [str(year) for year in starts])
    return figure


def days(outcome: Outcome, screen: Screen) -> Any:
    """Two stretches of days one by one: what came, and what model and rule said."""
    count = MONTH if screen is NARROW else 3 * MONTH
    figure, (above, below) = canvas(screen, 390, rows=2)
    right = (outcome.study.forecasters[0].turbulent == outcome.study.truth).astype(np.float64)
    worst = int(_mean(right, count).argmin())
    _strips(above, outcome, worst, count)
    above.set_title(f"The model's worst {count} days")
    _strips(below, outcome, len(right) - count, count)
    below.set_title(f"The last {count} days")
    return figure


def quality(outcome: Outcome, screen: Screen) -> Any:
    """ROC curves beside the model's calibration."""
    figure, (left, right) = pair(screen, wide=370, narrow=640)
    _roc(left, outcome)
    _calibration(right, outcome)
    return figure


def margins(outcome: Outcome, screen: Screen) -> Any:
    """How far rounding moves a margin, against how far margins are from the decision."""
    figure, axes = canvas(screen, 290)
    exact, runtime = outcome.converted.exact, outcome.converted.runtime
    bins = np.logspace(-10, 1, 56)
    error = np.clip(np.abs(exact - runtime), bins[0], None)
    axes.hist(error, bins=bins, color=RULE, label="difference from XGBoost's float32 margin")
    axes.hist(np.abs(exact), bins=bins, color=MODEL, label="distance of the margin from 0, the decision")
    axes.set_xscale("log")
    axes.minorticks_off()
    powers = range(-9, 2, 3 if screen is NARROW else 2)
    axes.set_xticks([10.0**power for power in powers], [_power(power) for power in powers])
    axes.set_ylim(0, axes.get_ylim()[1] * 1.3)
    axes.set_title("Test days")
    axes.legend(loc="upper left")
    return figure


def costs(outcome: Outcome, screen: Screen) -> Any:
    """Seconds and gas."""
    figure, (left, right) = pair(screen, wide=240, narrow=470)
    took, gas = outcome.proven.seconds, outcome.settled.gas
    seconds = {
        "prove 1 day": took["one day"],
        f"prove {BATCH} days": took["batch"],
        "  for each day": took["batch"] / BATCH,
        "verify 1 day": took["verify one day"],
    }
    spent = {
        "verify 1 day": gas["one"],
        "settle with it": gas["settle"],
        f"verify {BATCH} days": gas["batch"],
        "  for each day": gas["batch"] / BATCH,
    }
    _bars(left, "Seconds on this machine", seconds, lambda value: f"{value:.3g}", MODEL)
    _bars(right, "Gas, whole transaction", spent, lambda value: f"{value:,.0f}", RULE)
    return figure


def _strips(axes: Any, outcome: Outcome, start: int, count: int) -> None:
    window, x = slice(start, start + count), np.arange(count)
    model, rule, *_ = outcome.study.forecasters
    truth = outcome.study.truth[window]
    for level, answers in ((2, truth), (1, model.turbulent[window]), (0, rule.turbulent[window])):
        for colour, which in ((TURBULENT, answers), (CALM, ~answers)):
            axes.bar(x[which], 0.8, bottom=level - 0.4, width=0.86, color=colour)
        wrong = x[answers != truth]
        axes.plot(wrong, np.full(len(wrong), level), "x", color=WRONG, markersize=5, markeredgewidth=1.6)
    axes.set_yticks([2, 1, 0], ["what came", "model", "rule"])
    axes.set_xlim(-0.6, count - 0.4)
    labels = outcome.study.data.tomorrow[outcome.study.parts.test][window]
    ticks = x[:: MONTH // 2]
    axes.set_xticks(ticks, [labels[tick].item().strftime("%d %b %Y") for tick in ticks])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _roc(axes: Any, outcome: Outcome) -> None:
    from sklearn.metrics import roc_curve

    model, rule, week, *_ = outcome.study.forecasters
    for forecaster, colour in ((model, MODEL), (week, OTHER)):
        false, true, _ = roc_curve(outcome.study.truth, forecaster.score)
        auc = outcome.study.measured[forecaster.name].auc
        axes.plot(false, true, color=colour, label=f"{forecaster.short} ({auc:.3f})")
    truth, said = outcome.study.truth, rule.turbulent
    point = (said[~truth].mean(), said[truth].mean())
    axes.plot(*point, "o", color=RULE, label=f"rule ({outcome.study.measured[rule.name].auc:.3f})")
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    axes.set_title("ROC curve (area under it)")
    axes.set_xlabel("calm days called turbulent")
    axes.set_ylabel("turbulent days called so")
    axes.legend(loc="lower right")
    axes.set_aspect("equal")


def _calibration(axes: Any, outcome: Outcome) -> None:
    probability = outcome.study.forecasters[0].probability
    groups = np.array_split(np.argsort(probability), 10)
    said = np.array([probability[group].mean() for group in groups])
    came = np.array([outcome.study.truth[group].mean() for group in groups])
    spread = 1.96 * np.sqrt(came * (1 - came) / [len(group) for group in groups])
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    axes.errorbar(said, came, yerr=spread, fmt="o", color=MODEL, elinewidth=1.2)
    axes.set_title("Calibration of the model")
    axes.set_xlabel("probability it gave (tenths of the days)")
    axes.set_ylabel("share that was turbulent")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")


def _bars(axes: Any, title: str, values: dict[str, float], write: Callable[[float], str], colour: str) -> None:
    places = np.arange(len(values))[::-1]
    axes.barh(places, list(values.values()), height=0.62, color=colour)
    for place, value in zip(places, values.values(), strict=True):
        axes.annotate(write(value), (value, place), xytext=(5, 0), textcoords="offset points", va="center")
    axes.set_yticks(places, list(values))
    axes.set_xlim(0, 1.3 * max(values.values()))
    axes.set_xticks([])
    axes.set_title(title)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(length=0)


def _mean(values: Floats, count: int) -> Floats:
    return np.convolve(values, np.full(count, 1 / count), mode="valid")


def _power(exponent: int) -> str:
    if exponent in {0, 1}:
        return str(10**exponent)
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
