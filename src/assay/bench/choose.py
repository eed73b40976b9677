"""Choose: the cheapest candidate that meets every limit, and the words that say why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.bench.decision import Nearest, Row
from assay.bench.words import amount, blocks_more, limit_words, percent, plural, than, usd
from assay.models.cost.economics import limits_of
from assay.models.metrics import improvement, loss_of

if TYPE_CHECKING:
    from assay.models.search.front import Front
    from assay.task.task import Task

SAME_COST = 0.01
"""Candidates whose cost an inference differs by less are equally cheap: accuracy decides between them."""

ACCURACY = "better_than_existing"
FIDELITY = "fidelity"


@dataclass(frozen=True)
class Choice:
    """What `Decision` says of it."""

    chosen: str | None
    reasons: tuple[str, ...]
    limits: tuple[str, ...]
    binding: str | None
    nearest: Nearest | None


def choose(task: Task, rows: list[Row], front: Front) -> Choice:
    """Decide between measured candidates.

    The cheapest that qualifies wins; among the equally cheap the one with the best cross-validation, which
    does not know the test rows.
    """
    good = [row for row in rows if row.qualifies]
    if not good:
        return _none(task, rows, front)
    least = min(row.usd_per_inference for row in good)
    cheap = [row for row in good if row.usd_per_inference <= least * (1 + SAME_COST)]
    chosen = min(cheap, key=lambda row: (loss_of(task.metric, row.cv), row.usd_per_inference, row.id))
    return Choice(chosen.id, _reasons(task, chosen, rows), _prices(task, chosen, rows, front), None, None)


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


def _reasons(task: Task, chosen: Row, rows: list[Row]) -> tuple[str, ...]:
    least = min(row.usd_per_inference for row in rows if row.qualifies)
    said = [_why(chosen, least), _against_existing(task, chosen, rows)]
    for row in rows:
        if row.id == chosen.id or row.family == "existing":
            continue
        if row.provable and row.measured is None:
            said.append(_unproven(row))
            continue
        ahead = _ahead(task, row, chosen)
        if ahead > 0 and not row.provable:
            said.append(f"{row.title}, a reference that is not proven, is {than(ahead)} on the test rows.")
        elif ahead > 0:
            said.append(f"{_name(row)} is {than(ahead)} on the test rows, but {_but(task, row, chosen, least)}.")
        elif row.provable and _cheaper(row, chosen):
            saved = 1 - row.usd_per_inference / chosen.usd_per_inference
            said.append(f"{_name(row)} costs {percent(saved)} less an inference, but {_but(task, row, chosen, least)}.")
    return tuple(sentence for sentence in said if sentence)


def _why(chosen: Row, least: float) -> str:
    cost = f"{usd(chosen.usd_per_inference)} an inference"
    if chosen.measured is None:
        return ""
    proof = f"{amount('prove_seconds', chosen.measured.prove_seconds)} to prove"
    gas = f"{amount('gas', chosen.measured.gas)} to verify"
    blocks = f"{plural(chosen.latency_blocks.total, 'block')} from the data to the action"
    what = "is the cheapest candidate that meets every limit"
    if chosen.usd_per_inference > least:
        what = (
            "is, of the candidates that meet every limit and are the cheapest within 1 %, the most accurate in the "
            "cross-validation"
        )
    return f"{_name(chosen)} {what}: {cost}, {proof}, {gas}, {blocks}."


def _against_existing(task: Task, chosen: Row, rows: list[Row]) -> str:
    existing = next((row for row in rows if row.family == "existing"), None)
    if existing is None:
        return ""
    gain = _ahead(task, chosen, existing)
    figures = f"{task.metric} {chosen.test[task.metric]:.4g} against {existing.test[task.metric]:.4g}"
    if gain > 0:
        return f"On the test rows it is {than(gain)} than the existing process ({figures})."
    if gain == 0:
        return f"On the test rows it is as good as the existing process ({figures})."
    return (
        f"On the test rows it is {than(gain)} than the existing process ({figures}); "
        "no limit forbids that: set better_than_existing in [limits]."
    )


def _but(task: Task, row: Row, chosen: Row, least: float) -> str:
    """What speaks against another candidate."""
    broken = [limit for limit, kept in row.meets.items() if not kept]
    if broken:
        return " and ".join(_broken(task, row, limit) for limit in broken)
    if row.usd_per_inference > least * (1 + SAME_COST):
        more = row.usd_per_inference / chosen.usd_per_inference - 1
        return f"costs {percent(more)} more an inference ({usd(row.usd_per_inference)})"
    return "is equally cheap and less accurate in the cross-validation, which does not know the test rows"


def _broken(task: Task, row: Row, limit: str) -> str:
    if limit == FIDELITY:
        problem = row.fidelity.problem if row.fidelity else ""
        return f"has a circuit that does not say what the model says{f' ({problem})' if problem else ''}"
    if limit == ACCURACY:
        wanted = task.limits.better_than_existing or 0.0
        if row.improvement is None or row.improvement < 0:
            worse = "" if row.improvement is None else f" {percent(-row.improvement)}"
            return f"is{worse} worse than the existing process"
        return f"is only {percent(row.improvement)} better than the existing process, not {percent(wanted)}"
    found = amounts_of(row).get(limit)
    has = "not known" if found is None else amount(limit, found)
    return f"breaks the limit on {limit_words(limit)} ({has}; the limit is {amount(limit, limits_of(task)[limit])})"


def _prices(task: Task, chosen: Row, rows: list[Row], front: Front) -> tuple[str, ...]:
    """What each limit costs: the best candidate that it alone keeps out."""
    said = [_price(task, limit, chosen, rows) + _untrained(front, limit) for limit in limits_of(task)]
    cheaper = [row for row in _kept_out(rows, ACCURACY) if _cheaper(row, chosen)]
    if task.limits.better_than_existing is not None and cheaper:
        row = min(cheaper, key=lambda one: one.usd_per_inference)
        said.append(
            f"Asking for {percent(task.limits.better_than_existing)} over the existing process costs "
            f"{usd(chosen.usd_per_inference - row.usd_per_inference)} an inference: {_name(row)} would be "
            f"{percent(1 - row.usd_per_inference / chosen.usd_per_inference)} cheaper."
        )
    return tuple(said)


def _price(task: Task, limit: str, chosen: Row, rows: list[Row]) -> str:
    wanted = limits_of(task)[limit]
    ahead = [(gain, row) for row in _kept_out(rows, limit) if (gain := _ahead(task, row, chosen)) > 0]
    if not ahead:
        return _price_of_several(task, limit, chosen, rows)
    gain, row = max(ahead, key=lambda pair: pair[0])
    found = amounts_of(row).get(limit, wanted)
    if limit == "latency_blocks":
        return f"{blocks_more(found - wanted)} more latency would allow {_name(row)}, {than(gain)}."
    return (
        f"A limit on {limit_words(limit)} of {amount(limit, found)} instead of {amount(limit, wanted)} "
        f"would allow {_name(row)}, {than(gain)}."
    )


def _price_of_several(task: Task, limit: str, chosen: Row, rows: list[Row]) -> str:
    """A limit that alone keeps out nothing better, but perhaps does together with others: gas and money, say."""
    what = f"limit on {limit_words(limit)} ({amount(limit, limits_of(task)[limit])})"
    kept_out = [row for row in rows if row.meets.get(limit) is False and row.meets.get(FIDELITY)]
    if not kept_out or (gain := max(_ahead(task, row, chosen) for row in kept_out)) <= 0:
        return f"The {what} keeps out no candidate that is better."
    row = max(kept_out, key=lambda one: _ahead(task, one, chosen))
    others = [limit_words(name) for name, kept in row.meets.items() if not kept and name != limit]
    together = f"together with {'that' if len(others) == 1 else 'those'} on {' and '.join(others)}"
    return (
        f"The {what} alone keeps out no candidate that is better; {together} it keeps out {_name(row)}, {than(gain)}."
    )


def _kept_out(rows: list[Row], limit: str) -> list[Row]:
    """Candidates that this limit alone keeps out."""
    return [row for row in rows if row.provable and [name for name, kept in row.meets.items() if not kept] == [limit]]


def _cheaper(row: Row, chosen: Row) -> bool:
    return row.usd_per_inference < chosen.usd_per_inference * (1 - SAME_COST)


def _untrained(front: Front, limit: str) -> str:
    count = sum(limit in one.limits for one in front.pruned)
    if not count:
        return ""
    was = "was not trained, because its" if count == 1 else "were not trained, because their"
    return f" {plural(count, 'trial')} of {front.trials} {was} predicted cost breaks it."


def _none(task: Task, rows: list[Row], front: Front) -> Choice:
    """Nothing qualifies: the nearest candidate, and the limit that it breaks by the largest share."""
    proven = [row for row in rows if row.measured is not None]
    if not proven:
        return _nothing_proven(task, rows, front)
    excesses = {row.id: _excesses(task, row) for row in proven}
    row = min(proven, key=lambda one: (max(excesses[one.id].values()), one.usd_per_inference, one.id))
    limit = max(excesses[row.id], key=excesses[row.id].__getitem__)
    said = [f"No candidate meets every limit. The nearest is {_name(row)}: it {_broken(task, row, limit)}."]
    said += [f"It also {_broken(task, row, name)}." for name in excesses[row.id] if name != limit]
    alone = sum(set(excesses[one.id]) == {limit} for one in proven)
    if alone:
        said.append(f"Without that limit, {plural(alone, 'candidate')} would qualify.")
    said += [_unproven(one) for one in rows if one.provable and one.measured is None]
    limits = []
    for name in [*limits_of(task), *([ACCURACY] if task.limits.better_than_existing is not None else [])]:
        count = sum(name in excesses[one.id] for one in proven)
        breaks = "breaks" if count == 1 else "break"
        text = f"{count} of {plural(len(proven), 'candidate')} {breaks} the limit on {limit_words(name)}."
        limits.append(text + _untrained(front, name))
    nearest = Nearest(id=row.id, limit=limit, excess=excesses[row.id][limit])
    return Choice(None, tuple(said), tuple(limits), limit, nearest)


def _nothing_proven(task: Task, rows: list[Row], front: Front) -> Choice:
    """No candidate could be proven, or every trial was pruned: the limit that pruned the most is in the way."""
    unproven = tuple(_unproven(row) for row in rows if row.provable)
    wanted = limits_of(task)
    counts = {limit: sum(limit in one.limits for one in front.pruned) for limit in wanted}
    if unproven or not any(counts.values()):
        return Choice(None, ("No candidate could be proven.", *unproven), (), FIDELITY, None)
    binding = max(counts, key=counts.__getitem__)
    text = (
        f"No candidate was trained: the predicted cost of all {plural(len(front.pruned), 'trial')} breaks limits, and "
        f"of {counts[binding]} the limit on {limit_words(binding)} ({amount(binding, wanted[binding])})."
    )
    return Choice(None, (text,), (), binding, None)


def _unproven(row: Row) -> str:
    return f"{_name(row)} cannot be proven: {row.fidelity.problem if row.fidelity else 'it was not measured.'}"


def _excesses(task: Task, row: Row) -> dict[str, float]:
    """By which share each broken limit is broken."""
    found, wanted = amounts_of(row), limits_of(task)
    excesses = {}
    for limit, kept in row.meets.items():
        if kept:
            continue
        if limit == ACCURACY:
            excesses[limit] = (task.limits.better_than_existing or 0.0) - (row.improvement or 0.0)
        elif limit == FIDELITY:
            excesses[limit] = 1e9
        else:
            excesses[limit] = found.get(limit, 2 * wanted[limit]) / wanted[limit] - 1
    return excesses


def _ahead(task: Task, row: Row, chosen: Row) -> float:
    """How much better than the chosen one a candidate is on the test rows."""
    return improvement(task.metric, row.test[task.metric], chosen.test[task.metric])


def _name(row: Row) -> str:
    return f"{row.title} ({row.id})"
