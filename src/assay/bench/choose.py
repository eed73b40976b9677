"""Choose: the candidate that is best of those that meet every limit, or the limit that stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.bench.decision import Nearest, Row
from assay.bench.limits import CONFIDENCE, FIDELITY, broken, excesses, wanted_of
from assay.bench.prices import prices, untrained
from assay.bench.reasons import SAME_COST, against_existing, headline, name_of, reasons, unproven
from assay.bench.words import amount, limit_words, plural
from assay.models.cost.economics import limits_of
from assay.models.metrics import loss_of

if TYPE_CHECKING:
    from assay.models.search.front import Front
    from assay.task.task import Task


@dataclass(frozen=True)
class Choice:
    """What `Decision` says of it."""

    chosen: str | None
    headline: str
    reasons: tuple[str, ...]
    limits: tuple[str, ...]
    binding: str | None
    nearest: Nearest | None


def choose(task: Task, rows: list[Row], front: Front) -> Choice:
    """Decide between measured candidates.

    Where the loss is money, the one of the best net value a year wins. Else the cheapest that qualifies; among the
    equally cheap the one with the best cross-validation, which does not know the test rows.
    """
    good = [row for row in rows if row.qualifies]
    if not good:
        return _none(task, rows, front)
    if task.choice == "net_value":
        chosen = max(good, key=lambda row: (row.net.usd if row.net else 0.0, -row.usd_per_inference, row.id))
    else:
        least = min(row.usd_per_inference for row in good)
        cheap = [row for row in good if row.usd_per_inference <= least * (1 + SAME_COST)]
        chosen = min(cheap, key=lambda row: (loss_of(task.metric, row.cv), row.usd_per_inference, row.id))
    return Choice(
        chosen=chosen.id,
        headline=headline(task, chosen, rows),
        reasons=reasons(task, chosen, rows),
        limits=prices(task, chosen, rows, front),
        binding=None,
        nearest=None,
    )


def _none(task: Task, rows: list[Row], front: Front) -> Choice:
    """Nothing qualifies: the nearest candidate, and the limit that it breaks by the largest share."""
    proven = [row for row in rows if row.measured is not None]
    if not proven:
        return _nothing_proven(task, rows, front)
    found = {row.id: excesses(task, row) for row in proven}
    row = min(proven, key=lambda one: (max(found[one.id].values()), one.usd_per_inference, one.id))
    limit = max(found[row.id], key=found[row.id].__getitem__)
    nearest = f"The nearest is {name_of(row)}: it {broken(task, row, limit)}."
    said = [f"No candidate meets every limit. {nearest}"]
    said += [f"It also {broken(task, row, name)}." for name in found[row.id] if name != limit]
    said.append(against_existing(task, row, rows))
    alone = sum(set(found[one.id]) == {limit} for one in proven)
    if alone:
        said.append(f"Without that limit, {plural(alone, 'candidate')} would qualify.")
    said += unproven([one for one in rows if one.provable and one.measured is None])
    limits = []
    for name in wanted_of(task):
        count = sum(name in found[one.id] for one in proven)
        if name == CONFIDENCE and not count:  # nobody wrote it down
            continue
        breaks = "breaks" if count == 1 else "break"
        text = f"{count} of {plural(len(proven), 'candidate')} {breaks} the limit on {limit_words(name)}."
        limits.append(text + untrained(front, name))
    near = Nearest(id=row.id, limit=limit, excess=found[row.id][limit])
    first = headline(task, row, rows, problem=broken(task, row, limit))
    return Choice(None, first, tuple(text for text in said if text), tuple(limits), limit, near)


def _nothing_proven(task: Task, rows: list[Row], front: Front) -> Choice:
    """No candidate could be proven, or every trial was pruned: the limit that pruned the most is in the way."""
    cannot = tuple(unproven([row for row in rows if row.provable]))
    wanted = limits_of(task)
    counts = {limit: sum(limit in one.limits for one in front.pruned) for limit in wanted}
    if cannot or not any(counts.values()):
        text = "No candidate could be proven."
        return Choice(None, text, (text, *cannot), (), FIDELITY, None)
    binding = max(counts, key=counts.__getitem__)
    text = (
        f"No candidate was trained: the predicted cost of all {plural(len(front.pruned), 'trial')} breaks limits, and "
        f"of {counts[binding]} the limit on {limit_words(binding)} ({amount(binding, wanted[binding])})."
    )
    return Choice(None, text, (text,), (), binding, None)
