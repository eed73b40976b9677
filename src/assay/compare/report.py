"""`assay experiment report`: one page, the raw rows, the figures and a summary, of the chain and the records alone."""

from __future__ import annotations

import json
import time
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.compare.errors import PlanNotOnChain
from assay.compare.figure import Line, drawn
from assay.compare.money import reckon
from assay.compare.plan import PLAN_FILE
from assay.compare.result import listed, result
from assay.compare.running import AGREED, ENDED, OUTCOMES, PASSED, STARTED, STOPPED, WITHHELD, WRONG
from assay.compare.shadow import measured
from assay.compare.start import require_plan
from assay.compare.status import about, fields
from assay.core import files
from assay.record import journal, releases
from assay.release.features import task_of

if TYPE_CHECKING:
    from pathlib import Path

    from assay.compare.money import Sum
    from assay.compare.observed import Decision
    from assay.compare.result import Result
    from assay.compare.running import Experiment
    from assay.record.database import Database
    from assay.settle.network import Network
    from assay.task.task import Task

FOLDER, SUMMARY = "experiments", "summary.json"
_SHOWN = 2000
_EVENTS = (AGREED, STARTED, STOPPED, ENDED, PASSED, WITHHELD, WRONG, OUTCOMES)


def report(database: Database, project: Path, one: Experiment, on: Network) -> tuple[Result, Sum, list[Path]]:
    """Write `report.html`, `units.csv`, `effect.svg` and `summary.json` into the experiment's folder.

    Beside them what a stranger computes the draws from: the plan as it was agreed, and the list of entities.

    Raises
    ------
    PlanNotOnChain
        The plan was not on the chain before its first block.
    """
    require_agreed(on, one)
    found = result(database, project, one, on, anew=True)
    task = _task(database, found)
    total = reckon(database, task, found)
    place = project / FOLDER / one.name
    effect = _effect(found)
    texts = {
        "report.html": _page(database, task, on, (found, total), effect),
        "units.csv": _rows(found),
        PLAN_FILE: one.plan.text,
        SUMMARY: json.dumps(summary(database, found, total, on), indent=1, allow_nan=False) + "\n",
    }
    if effect:
        texts["effect.svg"] = effect
    if one.plan.terms.entities is not None:
        texts["entities.csv"] = "\n".join(["entity", *listed(database, task.name, one)]) + "\n"
    for name, text in texts.items():
        files.write(place / name, text)
    return found, total, [place / name for name in texts]


def _task(database: Database, found: Result) -> Task:
    return task_of(database, releases.by_digest(database, found.one.new))


def require_agreed(on: Network, one: Experiment) -> None:
    """Raise PlanNotOnChain unless the chain shows that the plan was agreed before its first block."""
    if one.block is None or one.block >= one.plan.terms.start_block:
        raise PlanNotOnChain(
            f"the plan of {one.name} was not on {on.name} before block {one.plan.terms.start_block}",
            "Start it: `assay experiment start`. What was agreed too late is not reported.",
        )
    if one.draw is None:
        if not _anchored(on, one):
            raise PlanNotOnChain(
                f"no transaction in block {one.block} of {on.name} carries the plan {one.short}",
                "Start it again on this chain; only the agreed plan is reported.",
            )
        return
    # The contract's code holds the plan, and could not stand there later than its first block: its constructor refuses.
    require_plan(on, one.draw, one.plan)


def _anchored(on: Network, one: Experiment) -> bool:
    return any(str(each["input"]) == "0x" + one.plan.digest for each in on.node.transactions(one.block or 0))


def summary(database: Database, found: Result, total: Sum, on: Network) -> dict[str, Any]:
    """What programs, and the model card, read of it."""
    terms, task = found.one.plan.terms, _task(database, found)
    taken = measured(database, task, on, found) if terms.aim is None else None
    return fields(found, on.node.head(), taken) | {
        "schema": "assay-experiment-summary/1",
        "title": terms.title,
        "chain": on.name,
        "release": found.one.new,
        "against": terms.arms.old,
        "unit": terms.metric.unit,
        "alpha": None if terms.aim is None else terms.aim.alpha,
        "randomisation": found.p_value,
        "words": words(found),
        "money": {
            "usd_per_unit": total.usd_per_unit,
            "decisions": total.decisions,
            "gain": total.gain,
            "low": total.low,
            "high": total.high,
            "running": total.running,
            "once": total.once,
            "yearly": total.yearly,
            "break_even_gwei": total.break_even_gwei,
            "break_even_share": total.break_even_share,
            "return": total.return_,
            "lines": [vars(line) for line in total.lines],
        },
        "doubts": found.said,
    }


def words(found: Result) -> str:
    """The verdict in one sentence."""
    terms, now = found.one.plan.terms, found.now
    if terms.aim is None:
        seen = about(found.new)
        return f"A shadow: {seen['answers']} answers, {seen['missed']} came to nothing; it decided nothing."
    if now is None:
        return f"Too early: {found.early}."
    span = f"{now[0]:.4g} {terms.metric.unit} ({now[1]:.4g} to {now[2]:.4g})"
    if found.verdict == "no effect shown":
        return f"No effect shown: the mean gain is {span}."
    if found.reached is not None:
        return f"A {found.verdict} was shown after {found.reached} units, and no more by now: the mean gain is {span}."
    if found.verdict == "gain":
        return f"A gain is shown: on average {span}."
    return f"A harm is shown: on average {span}."


def _effect(found: Result) -> str:
    if found.gain is None or found.now is None or found.one.plan.terms.aim is None:
        return ""
    places = np.flatnonzero(np.isfinite(found.gain.mean))
    places = places[:: max(1, len(places) // _SHOWN)]
    line = Line(
        [float(place + 1) for place in places],
        found.gain.mean[places].tolist(),
        found.gain.low[places].tolist(),
        found.gain.high[places].tolist(),
    )
    unit = found.one.plan.terms.metric.unit
    return drawn("Gain of the new arm", line, x_title="units", y_title=unit, levels=[0.0])


def _rows(found: Result) -> str:
    lines = ["unit,arm,opened,outcome,before,decisions"]
    for unit in found.units:
        numbers = ["" if value is None else repr(value) for value in (unit.outcome, unit.before)]
        arm = "new" if unit.new else "old"
        lines.append(f"{unit.name},{arm},{'no' if unit.withheld else 'yes'},{','.join(numbers)},{unit.decisions}")
    return "\n".join(lines) + "\n"


def _page(database: Database, task: Task, on: Network, reported: tuple[Result, Sum], effect: str) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("assay.compare"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found, total = reported
    one, terms = found.one, found.one.plan.terms
    taken = measured(database, task, on, found) if terms.aim is None else {}
    style = (resources.files("assay.report") / "templates" / "report.css").read_text(encoding="utf-8")
    events = journal.read(database, task.name, _EVENTS, subject=one.name)
    return environment.get_template("experiment.html.j2").render(
        title=terms.title or one.name,
        project=task.name,
        when=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        style=Markup(style),  # noqa: S704  Assay's own file
        verdict=found.verdict if terms.aim is not None else "",
        said=words(found),
        how=_how(found),
        sure=_sure(found),
        unseen=_unseen(found),
        doubts=found.said,
        tiles=_tiles(found, total),
        effect=Markup(effect),  # noqa: S704  drawn here, its words escaped
        alpha="" if terms.aim is None else f"{terms.aim.alpha:.0%}",
        costs=total.lines,
        sums=_sums(total, terms.money.at_risk_usd),
        checks=_checks(found),
        arms=_arms(found, taken),
        events=[event for event in events if event.what["plan"] == one.plan.digest],
        digest=one.plan.digest,
        chain=one.chain,
        block=one.block,
        start_block=terms.start_block,
        draw=one.draw,
        entities=terms.entities is not None,
        plan=one.plan.text,
    )


def _arms(found: Result, taken: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    both: list[tuple[str, list[Decision], dict[str, Any]]] = [("new", found.new, taken), ("old", found.old, {})]
    arms = found.one.plan.terms.arms
    process = {"new": arms.new, "old": arms.old}
    return [(f"{name} ({process[name]})", about(some) | more) for name, some, more in both if some]


def _sure(found: Result) -> str:
    terms = found.one.plan.terms
    if terms.aim is None:
        return "It was answered and proven as if it decided."
    return (
        f"{len(found.units)} of {found.planned} planned units, {len(found.known)} with an outcome; the interval holds "
        f"at every look with {1 - terms.aim.alpha:.0%} confidence."
    )


def _unseen(found: Result) -> str:
    terms, least = found.one.plan.terms, found.detectable
    if least is None or terms.aim is None:
        return ""
    text = f"What it could not have seen: a gain of less than about {least:.3g} {terms.metric.unit}"
    wide = "it may be there and not be seen" if least > terms.aim.smallest_effect else "it would be seen"
    return f"{text}. The smallest that matters is {terms.aim.smallest_effect:g}: {wide}."


def _tiles(found: Result, total: Sum) -> list[tuple[str, str]]:
    now, tiles = found.now, []
    if now is not None:
        tiles.append((f"{now[0]:.4g}", f"{found.one.plan.terms.metric.unit}, the mean gain"))
    if total.gain is not None and total.low is not None and total.high is not None:
        tiles.append((_usd(total.gain), f"gained while it ran ({_usd(total.low)} to {_usd(total.high)})"))
    tiles.append((_usd(total.running + total.once), "paid for it"))
    if total.return_ is not None:
        tiles.append((f"{total.return_:+.0%}", "return on all that was paid"))
    return tiles


def _sums(total: Sum, at_risk: float | None) -> list[tuple[str, str]]:
    found = [("running costs", f"{_usd(total.running)} for {total.decisions} decisions that count")]
    found.append(("paid once", _usd(total.once)))
    if at_risk is not None:
        found.append(("at risk", _usd(at_risk)))
    if total.gain is None:
        why = "nobody says what a unit is worth" if total.usd_per_unit is None else "too few units have an outcome"
        return [*found, ("gain", f"not known in money: {why}")]
    if total.yearly is not None:
        year = [_usd(value) for value in total.yearly]
        found.append(("a year of it", f"{year[0]} ({year[1]} to {year[2]}), gain less running costs, as declared"))
    even = total.break_even_gwei
    found.append(("break-even gas price", "none: there is no gain to pay it" if even is None else f"{even:.4g} gwei"))
    share = total.break_even_share
    volume = "none: there is no gain"
    if share is not None and total.usd_per_unit is not None:
        least, declared = _usd(share * total.usd_per_unit), _usd(total.usd_per_unit)
        volume = (
            f"the model pays its running costs where a unit of the metric is worth {least} or more for a decision, as "
            f"of a pool with so much volume; {declared} is declared"
        )
    found.append(("break-even volume", volume))
    return found


def _checks(found: Result) -> list[tuple[str, str]]:
    terms = found.one.plan.terms
    lost = found.missing
    checks = []
    if terms.design != "shadow":
        checks.append(("draws", "every one was computed again from the chain's blocks and what was committed to"))
        whom = "that whoever acts asked this draw, and no other, is on the chain, and was not looked at here"
        checks.append(("who asked", whom))
    if found.ratio is not None and terms.aim is not None:
        new = sum(unit.new for unit in found.known)
        split = f"{new} of {len(found.known)} units with an outcome are the new arm's, and {terms.arms.share:.0%} were"
        odds = f"{found.ratio:.2g} times as likely as that is another split; {1 / terms.aim.alpha:g} times is an alarm"
        checks.append(("the split", f"{split} agreed: {odds}"))
    if found.carried is not None:
        text = "of experiments whose periods leave nothing to later ones look as much as if they did; under 1% alarms"
        checks.append(("left to later periods", f"{found.carried:.2%} {text}"))
    if found.p_value is not None:
        text = "of draws give a difference as large as this one, were both arms the same; looked at once, at the end"
        checks.append(("by luck alone", f"{found.p_value:.2%} {text}"))
    if terms.switchback is not None:
        checks.append(("links withheld", f"{found.withheld}, and {found.undrawn} not shown yet"))
    checks.append(("outcomes missing", f"{lost['new']} of the new arm, {lost['old']} of the old"))
    return checks


def _how(found: Result) -> str:
    """What was done, for whoever knows neither experiments nor chains."""
    terms, arms = found.one.plan.terms, found.one.plan.terms.arms
    if terms.design == "shadow":
        return f"Version {arms.new} answered everything that {arms.old} decided, and decided nothing itself."
    names = {"existing": "the process that was there before", "champion": "the model"}
    new, old = (names.get(one, f"version {one} of the model") for one in (arms.new, arms.old))
    drawn = f"the new arm ({new}) with a chance of {arms.share:.0%}, else the old one ({old})"
    unit = terms.metric.unit or "units of the metric"
    of = terms.switchback
    first = (
        f"Time was cut into {of.periods} periods of {of.period_blocks} blocks, each a unit. At the start of each, a "
        f"draw that nobody could choose or foresee said who decides: {drawn}."
        if of is not None
        else f"A list of {found.planned} entities, each a unit, was fixed. Then a draw that nobody could choose or "
        f"foresee said who decides about each of them: {drawn}."
    )
    return f"{first} The gain is by how much less was lost, on average, where the new arm decided, in {unit}."


def _usd(value: float) -> str:
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
