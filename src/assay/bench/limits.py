"""Which limits a candidate meets, and by how much it breaks the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.bench.words import amount, between, dollars, limit_words, percent
from assay.models.cost.economics import limits_of

if TYPE_CHECKING:
    from assay.bench.decision import Row
    from assay.task.sections import Requirement
    from assay.task.task import Task

ACCURACY = "better_than_existing"
CONFIDENCE = "confidence"
NET_VALUE = "net_value"
FIDELITY = "fidelity"

_NEVER = 1e9


def wanted_of(task: Task) -> list[str]:
    """Names of the limits that the task sets, fidelity apart."""
    found = [*limits_of(task)]
    found += [ACCURACY] if task.limits.better_than_existing is not None else []
    found += [CONFIDENCE] if task.limits.confidence else []
    found += task.limits.require
    return [*found, NET_VALUE] if task.choice == "net_value" else found


def amounts_of(row: Row) -> dict[str, float]:
    """What was measured, under the names of the limits; nothing for what was not proven."""
    if row.measured is None:
        return {}
    found = {
        "prove_seconds": row.measured.prove_seconds,
        "gas": float(row.measured.gas),
        "usd_per_inference": row.usd_per_inference,
        "latency_blocks": float(row.latency_blocks.total),
    }
    return found if row.measured.memory_mb is None else found | {"memory_mb": row.measured.memory_mb}


def meets(task: Task, row: Row, gain: float) -> dict[str, bool]:
    """Each limit that the task sets, `gain` over the existing process; what was not measured does not meet it."""
    if not row.provable:
        return {}
    found = amounts_of(row)
    kept = {name: name in found and found[name] <= limit for name, limit in limits_of(task).items()}
    if task.limits.better_than_existing is not None:
        kept[ACCURACY] = gain >= task.limits.better_than_existing
    if task.limits.confidence:
        kept[CONFIDENCE] = row.evidence is not None and row.evidence.is_gain
    for one in task.limits.requirements:
        number = row.test.get(one.metric)
        kept[str(one)] = number is not None and (number >= one.number if one.at_least else number <= one.number)
    if task.choice == "net_value":
        kept[NET_VALUE] = row.net is not None and row.net.usd > 0
    return kept | {FIDELITY: row.fidelity is not None and row.fidelity.ok}


def broken(task: Task, row: Row, limit: str) -> str:
    """How a limit is broken, as what follows "it"."""
    if limit == FIDELITY:
        problem = row.fidelity.problem if row.fidelity else ""
        return f"has a circuit that does not say what the model says{f' ({problem})' if problem else ''}"
    if limit == ACCURACY:
        wanted = task.limits.better_than_existing or 0.0
        if row.improvement is None or row.improvement < 0:
            worse = "" if row.improvement is None else f" {percent(-row.improvement)}"
            return f"is{worse} worse than the existing process"
        return f"is only {percent(row.improvement)} better than the existing process, not {percent(wanted)}"
    if limit == CONFIDENCE:
        return _unsure(row)
    if limit == NET_VALUE:
        return "is not worth what it costs" + (f" ({dollars(row.net.usd)} a year)" if row.net else "")
    requirement = _requirement(task, limit)
    if requirement is not None:
        number = row.test.get(requirement.metric)
        has = "is not known" if number is None else f"is {number:.4g}"
        return f"breaks the limit {limit} (its {requirement.metric} {has})"
    found = amounts_of(row).get(limit)
    has = "not known" if found is None else amount(limit, found)
    return f"breaks the limit on {limit_words(limit)} ({has}; the limit is {amount(limit, limits_of(task)[limit])})"


def _unsure(row: Row) -> str:
    found = row.evidence
    if found is None or (found.improvement or found.difference) is None:
        return "has too few test rows to tell a gain from chance"
    confidence = f"with {percent(found.confidence)} confidence"
    if found.improvement is None:
        return f"may be no better than the existing process ({confidence})"
    span = between(found.improvement.low, found.improvement.high)
    return f"may be no better than the existing process: {confidence} it is {span}"


def excesses(task: Task, row: Row) -> dict[str, float]:
    """By which share each broken limit is broken."""
    found, wanted = amounts_of(row), limits_of(task)
    return {
        limit: found.get(limit, 2 * wanted[limit]) / wanted[limit] - 1 if limit in wanted else _excess(task, row, limit)
        for limit, kept in row.meets.items()
        if not kept
    }


def _excess(task: Task, row: Row, limit: str) -> float:
    if limit == ACCURACY:
        return (task.limits.better_than_existing or 0.0) - (row.improvement or 0.0)
    if limit == CONFIDENCE:
        interval = row.evidence.improvement if row.evidence else None
        return -interval.low if interval else 1.0
    if limit == NET_VALUE and row.net is not None:
        return -row.net.usd / row.net.cost_usd if row.net.cost_usd else 1.0
    requirement = _requirement(task, limit)
    if requirement is not None and (number := row.test.get(requirement.metric)) is not None:
        return abs(number - requirement.number) / (abs(requirement.number) or 1.0)
    return _NEVER


def _requirement(task: Task, limit: str) -> Requirement | None:
    return next((one for one in task.limits.requirements if str(one) == limit), None)
