"""What an experiment shows so far: the gain with an interval that holds at every look, and what makes it doubtful."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from assay.compare import assign, draws, running
from assay.compare.checks import carry_over, randomisation, sample_ratio
from assay.compare.effect import Units, scores
from assay.compare.errors import PlanChanged
from assay.compare.estimate import LEAST, estimate
from assay.compare.observed import Observer
from assay.compare.plan import bar_blocks
from assay.compare.running import AGREED, STOPPED, mixed_of, secret_of
from assay.compare.sequence import half_width
from assay.compare.start import require_plan
from assay.record import artefacts, journal
from assay.settle.network import policy

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.compare.draws import Drawn
    from assay.compare.observed import Decision
    from assay.compare.running import Experiment
    from assay.compare.sequence import Sequence
    from assay.compare.terms import EntitiesTerms
    from assay.record.database import Database
    from assay.settle.network import Network

    _Seen = tuple[list[Decision], list[Decision], int, dict[int, bytes]]
    Floats = NDArray[np.float64]

_DOUBT = 0.01
"""A p-value below which a check says that the experiment is not what it says."""


@dataclass(frozen=True)
class Unit:
    """A period or an entity: its arm, what came of it (None: nothing is known), and how it was drawn."""

    name: str
    new: bool
    outcome: float | None
    before: float | None = None
    withheld: bool = False
    decisions: int = 0


@dataclass
class Result:
    """What is known at one look.

    Attributes
    ----------
    units
        All that are over and drawn, in their order.
    planned
        How many there will be.
    undrawn
        Periods that are over and whose link nobody has shown yet.
    new, old
        The arms' decisions.
    gain
        Of the new arm over the old, in the metric's units, with its interval after each unit; less loss is a gain.
    p_value
        Of the randomisation test, which holds for one look only: after the planned end, and not if it was stopped.
    ratio
        The greatest evidence, at any look, against the agreed split of the units with an outcome; 1 / alpha or more is
        an alarm.
    carried
        p-value of the test that nothing is carried over; of a switchback with enough units.
    deviation
        Of a unit's score.
    strangers
        Answers of releases that were not agreed, by process; they are left out.
    said
        What keeps it from being what it says, in sentences.
    """

    one: Experiment
    units: list[Unit]
    planned: int
    undrawn: int
    new: list[Decision]
    old: list[Decision]
    gain: Sequence | None = None
    p_value: float | None = None
    ratio: float | None = None
    carried: float | None = None
    deviation: float | None = None
    strangers: dict[str, int] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def known(self) -> list[Unit]:
        """Units whose outcome is known."""
        return [unit for unit in self.units if unit.outcome is not None]

    @property
    def missing(self) -> dict[str, int]:
        """Units without an outcome, by arm."""
        lost = [unit for unit in self.units if unit.outcome is None]
        return {"new": sum(unit.new for unit in lost), "old": sum(not unit.new for unit in lost)}

    @property
    def withheld(self) -> int:
        """Periods whose link was not opened in time."""
        return sum(unit.withheld for unit in self.units)

    @property
    def now(self) -> tuple[float, float, float] | None:
        """(gain, low, high) at this look; None before there are enough units."""
        if self.gain is None or not len(self.gain.mean) or np.isnan(self.gain.mean[-1]):
            return None
        return float(self.gain.mean[-1]), float(self.gain.low[-1]), float(self.gain.high[-1])

    @property
    def verdict(self) -> str:
        """A "gain" or a "harm" if one was shown at any look; "no effect shown"; or "too early"."""
        if self.now is None or self.gain is None:
            return "too early"
        above, below = self.gain.first_above, self.gain.first_below
        if above is None and below is None:
            return "no effect shown"
        return "gain" if below is None or (above is not None and above < below) else "harm"

    @property
    def early(self) -> str:
        """Why there is no interval yet."""
        count = len(self.known)
        if count < LEAST:
            return f"{count} units with an outcome, and an interval takes {LEAST}"
        return (
            f"{count} units with an outcome, and in one arm a few of them make all the difference (or there are none "
            f"that differ): an interval from so few would be wrong more often than it says{self._before}"
        )

    @property
    def _before(self) -> str:
        shown = {} if self.gain is None else {"gain": self.gain.first_above, "harm": self.gain.first_below}
        there = [f"a {name} was shown after {count} units" for name, count in shown.items() if count is not None]
        return f"; before those {' and '.join(there)}" if there else ""

    @property
    def reached(self) -> int | None:
        """The number of units at which a gain or a harm was shown, if by now the interval holds zero again."""
        if self.gain is None or self.now is None or not self.now[1] <= 0 <= self.now[2]:
            return None
        return self.gain.first_above if self.verdict == "gain" else self.gain.first_below

    @property
    def detectable(self) -> float | None:
        """The gain that this many units would have shown with the planned chance."""
        aim, count = self.one.plan.terms.aim, len(self.known)
        if aim is None or self.deviation is None or count < LEAST:
            return None
        wide = half_width(count, aim.alpha, max(count, self.planned))
        return float(self.deviation * (wide + NormalDist().inv_cdf(aim.power) / count**0.5))


def result(
    database: Database, project: Path, one: Experiment, on: Network, *, last: int | None = None, anew: bool = False
) -> Result:
    """Look at an experiment.

    Parameters
    ----------
    last
        The newest block that counts; by default the newest final one.
    anew
        Whether every period's block is asked of the node again; else those whose draw is in the records are not.

    Raises
    ------
    PlanNotOnChain
        The contract is of another plan.
    LinkRefused
        A draw is not what its link and the chain's blocks give.
    NotComparable
        The metric cannot be computed.
    """
    final, terms = on.node.final(policy(on).confirmations) if last is None else last, one.plan.terms
    if one.draw is not None:
        require_plan(on, one.draw, one.plan)
    observer = Observer(database, project, one)
    new = observer.decisions(terms.arms.new)
    old = observer.decisions(terms.arms.old) if one.old is not None else []
    known = {} if anew else mixed_of(database, observer.task.name, one)
    units, planned, undrawn = _units(database, one, on, observer, (new, old, final, known))
    found = Result(one, units, planned, undrawn, new, old)
    found.strangers = {process: len(some) for process, some in observer.strangers.items() if some}
    found.said.extend(_strange(process, count, terms.metric.of) for process, count in found.strangers.items())
    if terms.aim is not None:
        _analyse(found, final)
        _doubts(found, final)
        found.said.extend(_others(running.found(database, observer.task.name), one))
    return found


def judged(one: Experiment, units: list[Unit], planned: int) -> Result:
    """What units show that are known from elsewhere, such as a report's file."""
    found = Result(one, units, planned, 0, [], [])
    _analyse(found, 0)
    _doubts(found, 0)
    return found


def _units(
    database: Database, one: Experiment, on: Network, observer: Observer, seen: _Seen
) -> tuple[list[Unit], int, int]:
    """Units that are over, how many are planned, and periods that are over and not drawn yet."""
    terms, (new, old, final, known) = one.plan.terms, seen
    if terms.switchback is not None:
        of, secret = terms.switchback, secret_of(database, one)
        logs = draws.opened(on, one, final)
        there = draws.drawn(on, one, logs, assign.links(secret, of.periods)[0], final=known)
        last = one.over.block if one.over is not None and one.over.block is not None else of.end_block
        end = min(final, last, of.end_block)
        over = [each for each in there if of.first_of(each.period + 1) - 1 <= end]
        gone = max(0, (end - of.start_block + 1) // of.period_blocks)
        return _periods(one, observer, over, (new, old)), of.periods, gone - len(over)
    if terms.entities is not None:
        who = listed(database, observer.task.name, one)
        seed = draws.seed(on, one, secret_of(database, one))
        if not seed:
            return [], len(who), 0
        arms, told = draws.arms_of(who, seed, terms.share_parts), observer.recorded()
        # In the order in which outcomes came: each look saw those before it.
        order = {unit: number for number, unit in enumerate(told)}
        who = sorted(who, key=lambda unit: order.get(unit, len(order)))
        nothing = (None, None)
        return [Unit(unit, arms[unit], *told.get(unit, nothing)) for unit in who], len(who), 0
    return [], 0, 0


def _periods(
    one: Experiment, observer: Observer, over: list[Drawn], seen: tuple[list[Decision], list[Decision]]
) -> list[Unit]:
    new, old = seen
    arms = {each.period: each.new for each in over}
    counts: dict[int, int] = {}
    if one.plan.terms.metric.of == "loss":
        # A period that was not opened was the existing process's, whatever its draw.
        decided = {each.period: each.new and each.opened is not None for each in over}
        losses = observer.losses(new, old, decided)
        outcomes = {period: float(found.mean()) for period, found in losses.items()}
        counts = {period: len(found) for period, found in losses.items()}
        befores = {period + 1: value for period, value in outcomes.items()}
    else:
        known, of = observer.recorded(), one.plan.terms.switchback
        bar = bar_blocks(observer.task)
        each = 1 if of is None or bar is None else max(1, of.period_blocks // bar)
        outcomes = {int(unit): value for unit, (value, _) in known.items()}
        counts = dict.fromkeys(outcomes, each)
        befores = {int(unit): before for unit, (_, before) in known.items() if before is not None}
        befores = befores or {period + 1: value for period, value in outcomes.items()}
    return [
        Unit(
            str(each.period),
            arms[each.period],
            outcomes.get(each.period),
            befores.get(each.period),
            each.opened is None,
            counts.get(each.period, 0),
        )
        for each in over
    ]


def listed(database: Database, project: str, one: Experiment) -> list[str]:
    """The entities, as they were when the plan was agreed; none of another design.

    Raises
    ------
    PlanChanged
        The records have another list than the plan names.
    """
    terms = one.plan.terms.entities
    for event in journal.read(database, project, [AGREED], subject=one.name):
        if terms is not None and event.what["plan"] == one.plan.digest:
            name = event.what["entities"]
            if terms.sha256 not in {None, name}:
                raise PlanChanged(
                    f"the records of {one.name} have the list of entities {name[:16]}.., and its plan names "
                    f"{str(terms.sha256)[:16]}..",
                    "Restore a backup: nothing is reported of another list than the agreed one.",
                )
            return artefacts.get(database, name).decode().split()
    return []


def units_of(found: Result) -> Units:
    """The units whose outcome is known, as the statistics take them: an outcome is what is gained, minus the loss."""
    known = found.known
    use = found.one.plan.terms.metric.before
    before = np.array([np.nan if unit.before is None else unit.before for unit in known], dtype=np.float64)
    # Of a unit of which nothing was known before, what was known of those till then: never what came later.
    count = np.maximum(np.cumsum(~np.isnan(before)), 1)
    before = np.where(np.isnan(before), np.cumsum(np.nan_to_num(before)) / count, before)
    return Units(
        outcome=-np.array([unit.outcome for unit in known], dtype=np.float64),
        treated=np.array([unit.new for unit in known], dtype=np.bool_),
        share=found.one.plan.terms.share_parts / 1_000_000,
        before=before.reshape(len(known), 1) if use else np.zeros((len(known), 0)),
        cluster=np.array(
            [int(unit.name) for unit in known] if found.one.plan.terms.switchback else range(len(known)), np.int64
        ),
    )


def _analyse(found: Result, final: int) -> None:
    terms, aim = found.one.plan.terms, found.one.plan.terms.aim
    units = units_of(found)
    if aim is None or not found.units:
        return
    if not len(units.outcome):
        return
    # Of the units that are compared: those that were drawn are as they were drawn, whatever became of them.
    found.ratio = float(sample_ratio(units.treated, units.share).max())
    each = scores(units)
    found.gain = estimate(units, aim.alpha, max(1, found.planned))
    if len(units.outcome) >= LEAST:
        found.deviation = float(each.std(ddof=1))
        if terms.switchback is not None:
            drawn = {int(unit.name): unit.new for unit in found.units}
            found.carried = carry_over(units, terms.switchback.carry_over_periods, drawn=drawn)
    stopped = found.one.over is not None and found.one.over.kind == STOPPED
    through = final > terms.end_block and len(found.units) >= found.planned
    if through and not stopped and len(units.outcome) >= LEAST:
        found.p_value = randomisation(units)


def _whose(terms: EntitiesTerms) -> str:
    """What no draw of entities keeps out."""
    fixed = "by the plan on the chain" if terms.sha256 is not None else "by these records alone, and not by the plan"
    return (
        f"entities: the list was fixed before block {terms.mix_block} {fixed}. Whoever controls several of its "
        "addresses could, once the secret was shown, act through those whose arm they like; and that the consumer "
        "asked this draw and no other from before that block on is on the chain, and was not looked at here."
    )


def _unnamed(one: Experiment) -> list[str]:
    """What of both arms the plan on the chain leaves to the records."""
    arms = one.plan.terms.arms
    said = []
    if arms.new_sha256 is None:
        release = f"was the release {one.new[:16]}.." if one.new else "was this or that release"
        said.append(f"that {arms.new} {release}, with its task and its [value] loss")
    old = one.existing if one.old is None else one.old
    if arms.old_sha256 is None and old is not None:
        said.append(f"that {arms.old} was {old[:16]}..")
    if not said:
        return []
    where = "these records" if one.new else "the operator's records"
    return [f"arms: the plan names them by no digest: {' and '.join(said)}, is by {where} alone."]


def _others(all_: list[Experiment], one: Experiment) -> list[str]:
    """Experiments on trial before this one: of many, one shows something by luck."""
    aim = one.plan.terms.aim
    before = [each for each in all_ if each.agreed < one.agreed and each.plan.terms.aim is not None]
    if not before or aim is None:
        return []
    named = ", ".join(f"{each.name} ({each.over.why if each.over is not None else 'not over'})" for each in before)
    count, alpha = len(before) + 1, aim.alpha
    text = (
        f"before it {len(before)} experiments of this project were agreed: {named:.500}. The chance of a false result "
        f"is {alpha:.0%} in each, and of one among {count} up to {min(1.0, alpha * count):.0%}."
    )
    return [text]


def _strange(process: str, count: int, metric: str) -> str:
    said = f"{count} answers of {process} are of another release than was agreed, and are left out"
    if metric == "loss":
        return f"{said} with what came of their rows."
    return f"{said}; outcomes that were brought in count, also those that it decided."


def _doubts(found: Result, final: int) -> None:
    """What keeps it from being what it says."""
    terms, aim = found.one.plan.terms, found.one.plan.terms.aim
    if aim is None:
        return
    found.said.extend(_unnamed(found.one))
    if terms.entities is not None:
        found.said.append(_whose(terms.entities))
        if not found.units and final >= terms.start_block:
            found.said.append(
                f"the secret was not shown by block {terms.start_block}: nothing was drawn, the old arm decides about "
                "all, and the plan stands on the chain as one that was left."
            )
    if found.ratio is not None and found.ratio >= 1 / aim.alpha:
        new = sum(unit.new for unit in found.known)
        found.said.append(
            f"sample ratio: {new} of {len(found.known)} units with an outcome are the new arm's, and "
            f"{terms.arms.share:.0%} were agreed: find out why before believing anything else."
        )
    if found.carried is not None and found.carried < _DOUBT:
        found.said.append(
            f"carry-over: outcomes depend on the arm {terms.switchback.carry_over_periods if terms.switchback else 1} "
            f"periods before (p {found.carried:.3g}): the periods are too short, and the gain is not to be believed."
        )
    if found.withheld:
        found.said.append(
            f"{found.withheld} periods were not opened in time: the existing process decided there. They count for the "
            "arm that later links show, so that leaving out periods gains nothing."
        )
    if found.undrawn:
        found.said.append(f"{found.undrawn} periods that are over have no link yet: nobody can say whose they were.")
    lost = found.missing
    if sum(lost.values()):
        sizes = {"new": sum(unit.new for unit in found.units), "old": sum(not unit.new for unit in found.units)}
        found.said.append(
            f"outcomes are missing of {lost['new']} of {sizes['new']} new and {lost['old']} of {sizes['old']} old "
            "units; if they are missing for what was decided, the gain is wrong."
        )
