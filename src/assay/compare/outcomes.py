"""`assay experiment outcomes`: what came of each unit, measured elsewhere, brought into the records once."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from assay.compare import running
from assay.compare.errors import OutcomesUnfit
from assay.compare.observed import Observer
from assay.compare.result import listed
from assay.core import files, sheet
from assay.record import artefacts, journal
from assay.record.journal import Event

if TYPE_CHECKING:
    from pathlib import Path

    from assay.compare.running import Experiment
    from assay.record.database import Database
    from assay.settle.network import Network

Rows = dict[str, tuple[float, float | None]]
_DIGITS = 20
"""Of a period's number; no plan has so many periods."""


def bring(
    database: Database,
    project: Path,
    one: Experiment,
    on: Network,
    file: Path,
    *,
    who: str,
    correct: str | None = None,
) -> tuple[int, int]:
    """Keep outcomes of a CSV file with the columns `unit`, `outcome` and perhaps `before`; (new, there already).

    Parameters
    ----------
    file
        A unit is a period's number, from 1, or an entity's address; an outcome is in the metric's units, less is
        better; `before` is what was known of the unit before its draw.
    correct
        Why outcomes that are there already are changed; without it a file that changes any is refused.

    Raises
    ------
    OutcomesUnfit
        Names the line: no unit of the experiment, one that is not over yet, no number, twice, or other than before.
    """
    if one.plan.terms.metric.of != "recorded":
        raise OutcomesUnfit(
            f"the outcomes of {one.name} follow from the records", 'Only [metric] of = "recorded" takes others.'
        )
    given = _read(file, periods=one.plan.terms.entities is None)
    observer = Observer(database, project, one)
    known = set() if one.plan.terms.entities is None else set(listed(database, observer.task.name, one))
    _require_units(one, known, on.node.head(), given, file)
    there = observer.recorded()
    changed = [unit for unit, row in given.items() if unit in there and there[unit] != row]
    if changed and correct is None:
        before, now = there[changed[0]][0], given[changed[0]][0]
        raise OutcomesUnfit(
            f"the outcome of {changed[0]} is {before:g} already, and {file} says {now:g} ({len(changed)} such units)",
            "Leave them out, or say why they change: --correct REASON. The history keeps both.",
        )
    fresh = {unit: row for unit, row in given.items() if there.get(unit) != row}
    if fresh:
        with database.begin() as connection:
            name = artefacts.put_in(connection, json.dumps(fresh, sort_keys=True).encode())
            what = {"plan": one.plan.digest, "count": len(fresh), "corrected": len(changed)}
            happened = Event(
                running.OUTCOMES,
                one.name,
                who,
                what,
                correct or "as they came",
                {"rows": name},
                on.name,
                on.node.head(),
            )
            journal.append_in(database, connection, observer.task.name, happened)
    return len(fresh), len(given) - len(fresh)


def _period(unit: str) -> int | None:
    """The number that a unit's text is; None if it is none."""
    return int(unit) if unit.isdecimal() and len(unit) <= _DIGITS else None


def _read(file: Path, *, periods: bool) -> Rows:
    """Rows by unit; a period has one name, however its number is written."""
    try:
        rows = sheet.rows(files.read(file))
    except ValueError as error:
        raise OutcomesUnfit(f"{file}{error}", "Give a CSV file with the columns unit and outcome.") from None
    found: Rows = {}
    for line, row in rows:
        unit = row.get("unit", "").lower()
        if periods and (number := _period(unit)) is not None:
            unit = str(number)
        try:
            before = row.get("before", "")
            made = (sheet.number(row["outcome"]), sheet.number(before) if before else None)
        except (KeyError, ValueError):
            made = (math.nan, None)
        if not unit or not all(math.isfinite(value) for value in made if value is not None):
            raise OutcomesUnfit(
                f"{file}, line {line}: there is no unit with a number for its outcome",
                "Give the columns unit and outcome; leave out units of which nothing is known.",
            )
        if found.get(unit, made) != made:
            raise OutcomesUnfit(f"{file}, line {line}: {unit} has two outcomes", "Give each unit once.")
        found[unit] = made
    return found


def _require_units(one: Experiment, known: set[str], head: int, given: Rows, file: Path) -> None:
    of, first = one.plan.terms.switchback, one.plan.terms.start_block
    if of is None and given and head < first:
        raise OutcomesUnfit(
            f"{file}: nothing is decided before block {first}, and the chain is at {head}",
            "Bring in what came after it.",
        )
    for unit in given:
        if of is None:
            if unit not in known:
                raise OutcomesUnfit(f"{file}: {unit:.60} is no entity of {one.name}", "Its entities were fixed before.")
            continue
        period = _period(unit)
        if period is None or not 1 <= period <= of.periods:
            raise OutcomesUnfit(f"{file}: {unit:.60} is no period of {one.name}", f"They are 1 to {of.periods}.")
        if of.first_of(period + 1) - 1 > head:
            raise OutcomesUnfit(f"{file}: period {unit} is not over", f"The chain is at block {head}: wait.")
