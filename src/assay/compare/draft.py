"""`assay experiment plan`: a plan written from what the project knows, or one that is there, looked through."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from assay.compare import past as past_of
from assay.compare.arms import CHAMPION
from assay.compare.errors import PlanUnfit
from assay.compare.figure import Line, drawn
from assay.compare.plan import PLAN_FILE, Window, bar_blocks, cautions, counted_bars, parse, read, require_metric
from assay.compare.power import Design, power
from assay.compare.terms import ARM, Kind
from assay.core import files, sheet
from assay.core.errors import AssayError
from assay.core.hashing import digest
from assay.settle.network import network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.compare.plan import Plan
    from assay.compare.power import Past
    from assay.compare.terms import AimTerms, Terms
    from assay.task.task import Task

FOLDER = "experiments"
_POWER = 0.8
_AHEAD_BLOCKS = 100
_LEAST_SHARE = 0.05
_HARM = 2.0


@dataclass(frozen=True)
class Looked:
    """What was found of a plan.

    Attributes
    ----------
    plan
        As it is in the file.
    written
        Whether it was written just now.
    curve
        Power by length; empty where nothing is known of the past.
    power, detectable
        Of the planned length: the chance to see the smallest effect that matters, and the least effect seen with the
        wanted chance; None where nothing is known.
    enough
        The length that would be enough; None if none is, or nothing is known.
    figure
        The drawing's file.
    said
        Sentences: what weakens it, what it cannot see, what could not be computed.
    """

    plan: Plan
    written: bool
    curve: list[tuple[int, float]]
    power: float | None
    detectable: float | None
    enough: int | None
    figure: Path | None
    said: list[str]


def look(
    task: Task,
    project: Path,
    *,
    design: str | None = None,
    new: str | None = None,
    past: Path | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Looked:
    """Read the project's plan, or write one where none is.

    Parameters
    ----------
    design, new
        Of a plan that is written; by default a switchback of the champion. One that is there stays as it is.
    past
        A CSV file of measured outcomes of past units; else the losses of the existing process on the dataset.
    told
        Told what is computed.

    Raises
    ------
    PlanUnfit, PlanUnreadable
        The plan that is there is none.
    CompareError, AssayError
        A plan is to be written and nothing is known of the past.
    """
    place = project / PLAN_FILE
    written = not place.exists()
    if written:
        asked = _asked(design or "switchback", new or CHAMPION)
        files.write(place, _draft(task, project, asked, past, told))
    plan = read(place)
    found = _looked(task, project, plan, past, written=written, told=told)
    own = {"--design": (design, plan.terms.design), "--new": (new, plan.terms.arms.new)}
    for option, (given, there) in own.items():
        if given not in {None, there}:
            found.said.append(f"{option} {given} is of a plan that is written; {PLAN_FILE} is there, and has {there}.")
    return found


def _asked(design: str, new: str) -> tuple[str, str]:
    """What a new plan is to be of; raises PlanUnfit."""
    if design not in get_args(Kind):
        raise PlanUnfit(f'there is no design "{design:.40}"', f"There are {', '.join(get_args(Kind))}.")
    if not re.fullmatch(ARM, new) or new == "existing":
        raise PlanUnfit(f'"{new:.40}" cannot be on trial', "Give champion, or the version of a release, such as 3.")
    return design, new


def _looked(
    task: Task, project: Path, plan: Plan, past: Path | None, *, written: bool, told: Callable[[str], None]
) -> Looked:
    terms, said = plan.terms, cautions(task, plan.terms)
    require_metric(task, terms)
    per = counted_bars(task, terms)
    if terms.aim is None:
        return Looked(plan, written, [], None, None, None, None, said)
    try:
        require_list(project, terms)
    except AssayError as error:
        said.append(f"It cannot be started yet: {error}")
    try:
        known = _past(task, project, terms.metric.of, past, (per, _dropped(task, terms, per)), design=terms.design)
        known = known if terms.metric.before else past_of.unexplained(known)
        # A gain is so much less of a loss: what is skewed is seen otherwise from each side.
        aim = Design(-terms.aim.smallest_effect, terms.arms.share, terms.aim.alpha)
        found = past_of.curve(known, aim, terms.aim.power, told=told)
        length = planned(terms, project)
        share = dict(found).get(length)
        if share is None:
            told(f"Playing the planned {length} units")
            share = power(known, aim, length)
        least = past_of.detectable(known, aim, length, terms.aim.power)
    except AssayError as error:
        said.append(f"Power is not known: {error}")
        return Looked(plan, written, [], None, None, None, None, said)
    enough = past_of.enough(found, terms.aim.power)
    said.append(_unseen(least, terms.metric.unit, terms.aim.power))
    if length > len(known):
        said.append(
            f"The past has {len(known)} units, fewer than the {length} planned: power is of the same past again and "
            "again, and says nothing of what it has not seen."
        )
    if share < terms.aim.power:
        more = f"{enough} would be enough" if enough is not None else "no length up to 20,000 is enough"
        said.append(
            f"{length} units show the smallest effect that matters in {share:.0%} of cases, not in "
            f"{terms.aim.power:.0%}: {more}."
        )
    figure = project / FOLDER / terms.name / "power.svg"
    points = sorted({*found, (length, share)})
    files.write(figure, _figure(points, terms, terms.aim))
    return Looked(plan, written, points, share, least, enough, figure, said)


def planned(terms: Terms, project: Path) -> int:
    """The planned number of units: periods, or entities in the file."""
    if terms.switchback is not None:
        return terms.switchback.periods
    return len(entities(project, terms))


def entities(project: Path, terms: Terms) -> list[str]:
    """The addresses of an experiment on entities, in the file's order, lower-case.

    Raises
    ------
    PlanUnfit
        The file cannot be read, has an address twice, or one that is none.
    """
    return [] if terms.entities is None else addresses(project / terms.entities.file)


def addresses(path: Path) -> list[str]:
    """A CSV file's column `entity`, in its order, lower-case; raises PlanUnfit as `entities` does."""
    try:
        rows = sheet.rows(files.read(path))
    except ValueError as error:
        raise PlanUnfit(f"{path}{error}", "Give a CSV file with the column entity.") from None
    found = [row.get("entity", "").lower() for _, row in rows]
    for (number, _), one in zip(rows, found, strict=True):
        if len(one) != 42 or not one.startswith("0x") or any(c not in "0123456789abcdef" for c in one[2:]):
            raise PlanUnfit(
                f"{path}, line {number}: {one[:50]!r} is no address", "Give one 0x.. a line, headed entity."
            )
    if not found:
        raise PlanUnfit(f"{path} has no entity", "Give one 0x.. a line, headed entity.")
    if len(set(found)) < len(found):
        twice = next(one for number, one in enumerate(found) if one in found[:number])
        raise PlanUnfit(f"{path} has {twice} twice", "Give each entity once: its arm is drawn once.")
    return found


def require_list(project: Path, terms: Terms) -> list[str]:
    """`entities`, as the plan says them; raises PlanUnfit where it names another list or none."""
    found = entities(project, terms)
    if terms.entities is None or terms.entities.sha256 == (own := list_digest(found)):
        return found
    if terms.entities.sha256 is None:
        what = "[entities] sha256 is missing: the plan on the chain would not say whom it is about"
        raise PlanUnfit(what, f'Write sha256 = "{own}" into [entities].')
    raise PlanUnfit(
        f"{terms.entities.file} is another list than the plan's: its sha256 is {own[:16]}.., [entities] says "
        f"{terms.entities.sha256[:16]}..",
        f'Put the list back, or write sha256 = "{own}" before the start.',
    )


def list_digest(found: list[str]) -> str:
    """SHA-256 of a list of entities: what a plan says of it, and by what the records keep it."""
    return digest("\n".join(found).encode())


def _past(task: Task, project: Path, metric: str, past: Path | None, per: tuple[int, int], *, design: str) -> Past:
    """Past units with what the design knows of each before: the unit before it, or of entities the column `before`."""
    if past is not None:
        found = past_of.recorded(past)
        return found if design == "entities" or found.before.shape[1] else past_of.units(found.outcome, 1)
    single = past_of.units(past_of.losses(task, project), *(per if metric == "loss" else (1, 0)))
    return past_of.unexplained(single) if design == "entities" else single


def _dropped(task: Task, terms: Terms, per: int) -> int:
    bar, of = bar_blocks(task), terms.switchback
    return 0 if bar is None or of is None or terms.metric.of != "loss" else of.period_blocks // bar - per


def _figure(points: list[tuple[int, float]], terms: Terms, aim: AimTerms) -> str:
    title = f"The chance to see a gain of {aim.smallest_effect:g} {terms.metric.unit}"
    return drawn(
        title,
        Line([float(length) for length, _ in points], [share for _, share in points]),
        x_title="periods" if terms.design == "switchback" else "entities",
        y_title="power",
        levels=[aim.power],
    )


def _unseen(least: float, unit: str, power: float) -> str:
    return f"A gain of less than about {least:.3g} {unit} would be seen in fewer than {power:.0%} of such experiments."


def _draft(task: Task, project: Path, asked: tuple[str, str], past: Path | None, told: Callable[[str], None]) -> str:
    """The text of a new plan."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("assay.compare"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  it is TOML
    )
    environment.filters["toml"] = lambda value: json.dumps(value, ensure_ascii=False)
    design, new = asked
    found = _times(task) | {"design": design, "new": new, "old": "existing", "name": f"{task.name}-1"}
    found |= {
        "title": f"Does {'the model' if new == 'champion' else f'version {new}'} pay?",
        "chain": task.protocol.chain,
    }
    found |= {"block_seconds": f"{task.block_seconds:g}", "power": _POWER, "unit": task.value.unit}
    by_records = design != "entities" and task.value.loss is not None and task.predict.type == "regression"
    found |= {"metric": "loss" if by_records else "recorded"}
    found |= {"usd": task.value.usd}
    if design != "shadow":
        found |= _sized(task, project, found, past, told)
    text = environment.get_template("experiment.toml.j2").render(found)
    parse(text, PLAN_FILE)  # what would be refused is never written
    return text


def _times(task: Task) -> dict[str, Any]:
    """Blocks: of a period, its beginning, and the start."""
    bar = bar_blocks(task) or 1
    window = Window.of(task)
    outcome = window.last - window.first + 1
    burn = -(-max(2, task.latency_blocks or bar) // bar) * bar
    period = burn + 2 * -(-outcome // bar) * bar
    grace = max(2, min(256, burn))
    head = _head(task)
    start = (head or 0) + max(_AHEAD_BLOCKS, bar)
    start += -start % bar
    return {
        "head": head,
        "start_block": start,
        "mix_block": start - max(1, _AHEAD_BLOCKS // 2),
        "end_block": start + 1000 * period,
        "period_blocks": period,
        "grace_blocks": grace,
        "burn_in_blocks": burn,
        "counted": (period - burn - outcome) // bar + 1,
        "period_words": f"A bar of the task has {bar} blocks, and an outcome takes {outcome}: of a period "
        f"{(period - burn - outcome) // bar + 1} decisions count, those whose outcome lies in it after the burn-in.",
    }


def _head(task: Task) -> int | None:
    try:
        return network(task).node.head()
    except AssayError:
        return None


def _sized(
    task: Task, project: Path, found: dict[str, Any], past: Path | None, told: Callable[[str], None]
) -> dict[str, Any]:
    """The smallest effect, the length that shows it, and what is not seen."""
    bar = bar_blocks(task) or 1
    switchback = found["design"] == "switchback" and found["metric"] == "loss"
    per = found["counted"] if switchback and bar_blocks(task) is not None else 1
    rest = found["period_blocks"] // bar - per if switchback and bar_blocks(task) is not None else 0
    known = _past(task, project, found["metric"], past, (per, rest), design=found["design"])
    mean = float(known.outcome.mean())
    share = task.limits.better_than_existing or _LEAST_SHARE
    effect = float(f"{(abs(mean) or float(known.outcome.std()) or 1.0) * share:.3g}")
    design = Design(-effect)
    told("Looking for the length that is enough")
    length = past_of.length_for(known, design, _POWER)
    least = past_of.detectable(known, design, length, _POWER)
    words = f"By {len(known)} past units, {length} show the smallest effect in about {_POWER:.0%} of cases."
    if length >= past_of.MOST_UNITS:
        words = f"No length up to {length:,} shows the smallest effect: take a larger one, or see it as what it is."
    harm = float(f"{mean + _HARM * (abs(mean) or 1.0):.3g}") if mean else None
    return {
        "length": length,
        "length_words": words,
        "effect": effect,
        "effect_words": f"{share:.0%} of what the existing process loses a decision ({mean:.4g}), by the past.",
        "unseen": _unseen(least, found["unit"], _POWER),
        "harm": harm,
        "harm_words": f"The existing process lost {mean:.4g} on average.",
    }
