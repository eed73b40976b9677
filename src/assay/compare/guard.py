"""Guardrails: what is watched in the new arm while an experiment runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.compare.observed import Observer
from assay.compare.result import result

if TYPE_CHECKING:
    from pathlib import Path

    from assay.compare.observed import Decision
    from assay.compare.running import Experiment
    from assay.compare.terms import Guardrail
    from assay.record.database import Database
    from assay.settle.network import Network

_SPARE = 2
"""Times the answers that are counted are read at first: others are of other arms, or under way."""
_WORDS = {
    "loss": "the mean loss of the new arm's last {last} units is {value:.4g}, above {bound:.4g}",
    "missed": "{value:.0%} of the new arm's last {last} decisions came to nothing, more than {bound:.0%}",
    "latency_blocks": "the new arm's last {last} decisions took {value:.3g} blocks on average, more than {bound:.3g}",
    "gas": "the new arm's last {last} settlements took {value:,.0f} gas on average, more than {bound:,.0f}",
}


@dataclass(frozen=True)
class Passed:
    """A guardrail that is passed: which, its value and bound, in words, and whether it ends the experiment."""

    name: str
    value: float
    bound: float
    words: str
    stops: bool


def passed(database: Database, project: Path, one: Experiment, on: Network, final: int) -> list[Passed]:
    """Every guardrail of the plan that is passed now; and, where the plan says so, a result that is shown."""
    terms = one.plan.terms
    found = []
    decisions = _recent(Observer(database, project, one))
    shown = terms.aim is not None and terms.aim.stop == "shown"
    look = result(database, project, one, on, last=final) if shown or _has_loss(one) else None
    for number, rail in enumerate(terms.guardrails, start=1):
        if rail.metric == "loss":
            lost = [unit.outcome for unit in look.known if unit.new and unit.outcome is not None] if look else []
            value = _mean(lost, rail)
        else:
            value = _mean(_values(rail.metric, decisions), rail)
        if value is not None and value > rail.at_most:
            words = _WORDS[rail.metric].format(last=rail.last, value=value, bound=rail.at_most)
            found.append(Passed(f"{number}:{rail.metric}", value, rail.at_most, words, rail.then == "stop"))
    if shown and look is not None and look.verdict in {"gain", "harm"} and look.now is not None:
        gain, low, high = look.now
        words = f"a {look.verdict} is shown: {gain:.4g} ({low:.4g} to {high:.4g}) {terms.metric.unit}"
        found.append(Passed("shown", gain, 0.0, words, stops=True))
    return found


def _recent(observer: Observer) -> list[Decision]:
    """The new arm's newest decisions, as many as the guardrails look at: this is asked for at every block."""
    terms = observer.one.plan.terms
    rails = [rail for rail in terms.guardrails if rail.metric != "loss"]
    if not rails:
        return []
    most = _SPARE * max(rail.last for rail in rails)
    while True:
        found = observer.decisions(terms.arms.new, most=most)
        if observer.all or all(len(_values(rail.metric, found)) >= rail.last for rail in rails):
            return found
        most *= _SPARE


def _has_loss(one: Experiment) -> bool:
    return any(rail.metric == "loss" for rail in one.plan.terms.guardrails)


def _values(metric: str, decisions: list[Decision]) -> list[float]:
    """One number a decision that has ended, oldest first."""
    if metric == "missed":
        return [float(each.missed) for each in decisions if each.answer.ended]
    if metric == "latency_blocks":
        return [float(each.latency) for each in decisions if each.latency is not None]
    return [float(each.settled.mined["gas_used"]) for each in decisions if each.settled and each.settled.mined]


def _mean(values: list[float], rail: Guardrail) -> float | None:
    """Of the last so many; fewer say nothing."""
    return float(np.mean(values[-rail.last :])) if len(values) >= rail.last else None
