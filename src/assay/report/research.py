"""What is known before any model is tried, what the training rows lack, and how the decision came about."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from assay.bench.words import percent, plural
from assay.report.table import Table, table
from assay.report.table import short as number

if TYPE_CHECKING:
    from assay.report.material import Material
    from assay.task.task import Task

_FEW = 6


def works(task: Task) -> list[tuple[str, str, str]]:
    """What others did: title, link, finding."""
    return [(one.title, one.link or "", one.finding) for one in task.research.works]


def sources(task: Task) -> Table | None:
    """The inventory of sources."""
    rows = [
        (
            one.name,
            "yes" if one.used_today else "",
            "yes" if one.for_a_person else "",
            one.known,
            one.cost,
            "used" if one.used else "rejected",
            one.why,
        )
        for one in task.research.sources
    ]
    heads = "Source|Decides today|A person would want it|Known|Cost|Here|Why"
    return table(heads, *rows) if rows else None


def lacks(material: Material) -> list[str]:
    """Sentences: which entities, values and regimes the test rows have and the training rows do not."""
    found = material.profile.lacking if material.profile else None
    if found is None:
        return []
    said = []
    if found.entities is not None and found.entities.count:
        names = ", ".join(found.entities.names[:_FEW]) + (", ..." if found.entities.count > _FEW else "")
        many = "one entity" if found.entities.count == 1 else f"{found.entities.count:,} entities"
        rows = plural(found.entities.rows, "test row")
        said.append(f"{rows} of {found.test_rows:,} are of {many} that no training row is of ({names}).")
    elif found.entities is not None:
        said.append("Every entity of the test rows is in the training rows.")
    said += [
        f"{one.column} from {number(one.low)} to {number(one.high)}: {percent(one.test)} of the test rows, and "
        f"{percent(one.train)} of the training rows."
        for one in found.regimes
    ]
    several = sorted(found.beyond, key=lambda one: -(one.below + one.above))
    for beyond in several[:_FEW]:
        sides = [
            f"{plural(count, 'test row')} {side} {number(bound)}"
            for count, side, bound in ((beyond.below, "below", beyond.low), (beyond.above, "above", beyond.high))
            if count
        ]
        said.append(f"{beyond.column}: {' and '.join(sides)}, where no training row is.")
    if several[_FEW:]:
        said.append(f"{plural(len(several) - _FEW, 'column')} more with single test rows beyond the training rows.")
    return said or ["The test rows have no entity, value or regime that the training rows lack."]


def history(material: Material) -> Table | None:
    """All decisions: what was changed since the one before, and what that moved."""
    if len(material.history) < 2:
        return None
    rows = [
        (
            time.strftime("%Y-%m-%d %H:%M", time.gmtime(one.when)),
            one.headline,
            " ".join(one.changed) or ("the first decision" if not place else "nothing"),
            " ".join(one.moved) or "nothing",
        )
        for place, one in enumerate(material.history)
    ]
    return table("When (UTC)|Decision|What was changed|What it moved", *rows)
