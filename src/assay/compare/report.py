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
from assay.compare.result import result
from assay.compare.running import AGREED, ENDED, OUTCOMES, PASSED, STARTED, STOPPED, WITHHELD, WRONG
from assay.compare.shadow import measured
from assay.compare.status import about, fields
from assay.core import files
from assay.record import journal, releases
from assay.release.features import task_of
from assay.settle.network import selector

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
        SUMMARY: json.dumps(summary(database, found, total, on), indent=1, allow_nan=False) + "\n",
    }
    if effect:
        texts["effect.svg"] = effect
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
    said = on.node.call({"to": one.draw, "data": selector("plan()")}).hex() if on.node.code(one.draw) else ""
    if said != one.plan.digest:
        raise PlanNotOnChain(
            f"the contract {one.draw} on {on.name} is of the plan {said[:16] or '(none)'}, and this is {one.short}",
            "Only the agreed plan is reported.",
        )


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
        return f"Too early: {len(found.known)} units with an outcome, and an interval takes 30."
    span = f"{now[0]:.4g} {terms.metric.unit} ({now[1]:.4g} to {now[2]:.4g})"
    if found.verdict == "no effect shown":
        return f"No effect shown: the mean gain is {span}."
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
        plan=one.plan.text,
    )


def _arms(found: Result, taken: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    both: list[tuple[str, list[Decision], dict[str, Any]]] = [("new", found.new, taken), ("old", found.old, {})]
    return [(name, about(some) | more) for name, some, more in both if some]


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
    more = ", which is more than the smallest that matters" if least > terms.aim.smallest_effect else ""
    return f"{text}{more} ({terms.aim.smallest_effect:g})."


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
    volume = "none: there is no gain" if share is None else f"{share:.2%} of the declared worth of a unit pays for it"
    found.append(("break-even volume", volume))
    return found


def _checks(found: Result) -> list[tuple[str, str]]:
    terms = found.one.plan.terms
    lost = found.missing
    checks = [("draws", "every one was computed again from the chain's blocks and what was committed to")]
    if found.ratio is not None and terms.aim is not None:
        checks.append(("sample ratio", f"evidence {found.ratio:.3g}; {1 / terms.aim.alpha:g} would be an alarm"))
    if found.carried is not None:
        checks.append(("carry-over", f"p {found.carried:.3g} that nothing is carried over"))
    if found.p_value is not None:
        checks.append(("randomisation test", f"p {found.p_value:.3g}, once, at the end"))
    checks.append(("links withheld", f"{found.withheld}, and {found.undrawn} not shown yet"))
    checks.append(("outcomes missing", f"{lost['new']} of the new arm, {lost['old']} of the old"))
    return checks


def _usd(value: float) -> str:
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
