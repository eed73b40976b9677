"""What each limit costs: the candidates that it alone keeps out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.bench.limits import ACCURACY, CONFIDENCE, FIDELITY, amounts_of
from assay.bench.reasons import SAME_COST, ahead, name_of
from assay.bench.words import amount, blocks_more, limit_words, percent, plural, than, usd
from assay.models.cost.economics import limits_of

if TYPE_CHECKING:
    from assay.bench.decision import Row
    from assay.models.search.front import Front
    from assay.task.task import Task


def prices(task: Task, chosen: Row, rows: list[Row], front: Front) -> tuple[str, ...]:
    """What each limit costs: the best candidate that it alone keeps out."""
    free = [limit for limit in limits_of(task) if not _costs(task, limit, chosen, rows) and not untrained(front, limit)]
    said = [_free(task, free)] if free else []
    said += [
        _price(task, limit, chosen, rows) + untrained(front, limit) for limit in limits_of(task) if limit not in free
    ]
    for limit, asking in _asked(task).items():
        cheaper = [row for row in _kept_out(rows, limit) if _cheaper(row, chosen)]
        if cheaper:
            row = min(cheaper, key=lambda one: one.usd_per_inference)
            said.append(
                f"Asking for {asking} costs {usd(chosen.usd_per_inference - row.usd_per_inference)} an inference: "
                f"{name_of(row)} would be {percent(1 - row.usd_per_inference / chosen.usd_per_inference)} cheaper."
            )
    return tuple(said)


def _asked(task: Task) -> dict[str, str]:
    """The limits on accuracy, in words."""
    found = {}
    if task.limits.better_than_existing is not None:
        found[ACCURACY] = f"{percent(task.limits.better_than_existing)} over the existing process"
    if task.limits.confidence:
        found[CONFIDENCE] = f"{percent(task.limits.confidence)} confidence in the improvement"
    return found | {one: one for one in task.limits.require}


def _price(task: Task, limit: str, chosen: Row, rows: list[Row]) -> str:
    wanted = limits_of(task)[limit]
    better = [(gain, row) for row in _kept_out(rows, limit) if (gain := ahead(task, row, chosen)) > 0]
    if not better:
        return _price_of_several(task, limit, chosen, rows)
    gain, row = max(better, key=lambda pair: pair[0])
    found = amounts_of(row).get(limit, wanted)
    if limit == "latency_blocks":
        return f"{blocks_more(found - wanted)} more latency would allow {name_of(row)}, {than(gain)}."
    return (
        f"A limit on {limit_words(limit)} of {amount(limit, found)} instead of {amount(limit, wanted)} "
        f"would allow {name_of(row)}, {than(gain)}."
    )


def _price_of_several(task: Task, limit: str, chosen: Row, rows: list[Row]) -> str:
    """A limit that alone keeps out nothing better, but perhaps does together with others: gas and money, say."""
    kept_out = [row for row in rows if row.meets.get(limit) is False and row.meets.get(FIDELITY)]
    if not _costs(task, limit, chosen, rows):
        return _free(task, [limit])
    row = max(kept_out, key=lambda one: ahead(task, one, chosen))
    others = [limit_words(name) for name, kept in row.meets.items() if not kept and name != limit]
    together = f"together with {'that' if len(others) == 1 else 'those'} on {' and '.join(others)}"
    return (
        f"The limit on {_named(task, limit)} alone keeps out no candidate that is better; {together} it keeps out "
        f"{name_of(row)}, {than(ahead(task, row, chosen))}."
    )


def _costs(task: Task, limit: str, chosen: Row, rows: list[Row]) -> bool:
    """Whether a limit keeps out a better candidate, alone or together with others."""
    kept_out = [row for row in rows if row.meets.get(limit) is False and row.meets.get(FIDELITY)]
    return any(ahead(task, row, chosen) > 0 for row in kept_out)


def _free(task: Task, limits: list[str]) -> str:
    """One sentence for all limits that cost nothing."""
    listed = [_named(task, limit) for limit in limits]
    if len(listed) == 1:
        return f"The limit on {listed[0]} keeps out no candidate that is better."
    return f"The limits on {', '.join(listed[:-1])} and {listed[-1]} keep out no candidate that is better."


def _named(task: Task, limit: str) -> str:
    return f"{limit_words(limit)} ({amount(limit, limits_of(task)[limit])})"


def _kept_out(rows: list[Row], limit: str) -> list[Row]:
    """Candidates that this limit alone keeps out."""
    return [row for row in rows if row.provable and [name for name, kept in row.meets.items() if not kept] == [limit]]


def _cheaper(row: Row, chosen: Row) -> bool:
    return row.usd_per_inference < chosen.usd_per_inference * (1 - SAME_COST)


def untrained(front: Front, limit: str) -> str:
    """How many trials a limit kept from being trained; empty if none."""
    count = sum(limit in one.limits for one in front.pruned)
    if not count:
        return ""
    was = "was not trained, because its" if count == 1 else "were not trained, because their"
    return f" {plural(count, 'trial')} of {front.trials} {was} predicted cost breaks it."
