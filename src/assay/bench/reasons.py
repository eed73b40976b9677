"""The words of a decision: the one sentence, and why this candidate and not the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.bench.limits import broken
from assay.bench.words import amount, between, dollars, percent, plural, signed, than, usd
from assay.models.metrics import improvement

if TYPE_CHECKING:
    from assay.bench.decision import Row
    from assay.task.task import Task

SAME_COST = 0.01
"""Candidates whose cost an inference differs by less are equally cheap."""


def headline(task: Task, row: Row, rows: list[Row], *, problem: str = "") -> str:
    """The decision in one sentence; `problem` says what the nearest candidate breaks if none is good enough.

    Where cross-validation and test rows disagree, it begins with that.
    """
    existing = _existing(rows)
    title = row.title[:1].upper() + row.title[1:]
    end = f"No candidate is good enough: the nearest, {row.title}, {problem}." if problem else ""
    if existing is None or row.improvement is None:
        return end or f"{title} meets every limit; how much better it is than what decides today is not known."
    span = _sure(row)
    test = f"{signed(row.improvement)} on the test rows{f' ({span})' * bool(span)}"
    if row.cv_improvement is None:
        return end or f"{title} is good enough: {test} than what decides today."
    cv = f"{signed(row.cv_improvement)} in the cross-validation"
    if row.disagrees:
        which = f"the nearest candidate, {row.title}" if problem else f"{row.title}, which is chosen"
        against = "against what decides today it is"
        return f"Cross-validation and test rows disagree about {which}: {against} {cv} and {test}."
    worth = f", worth {dollars(row.net.usd)} a year net" if row.net and task.choice == "net_value" else ""
    return end or f"{title} is good enough: against what decides today it is {test} and {cv}{worth}."


def reasons(task: Task, chosen: Row, rows: list[Row]) -> tuple[str, ...]:
    """Why this one, and what speaks for and against the others."""
    least = min(row.usd_per_inference for row in rows if row.qualifies)
    said = [_why(task, chosen, least), against_existing(task, chosen, rows), _worth(chosen)]
    others = [row for row in rows if row.id != chosen.id and row.family != "existing"]
    said += unproven([row for row in others if row.provable and row.measured is None])
    said += [_other(task, row, chosen, least) for row in others if not row.provable or row.measured is not None]
    return tuple(sentence for sentence in said if sentence)


def _other(task: Task, row: Row, chosen: Row, least: float) -> str:
    gain = ahead(task, row, chosen)
    if gain > 0 and not row.provable:
        return f"{row.title}, a reference that is not proven, is {than(gain)} on the test rows."
    if gain > 0:
        return f"{name_of(row)} is {than(gain)} on the test rows, but {_but(task, row, chosen, least)}."
    if row.provable and row.usd_per_inference < chosen.usd_per_inference * (1 - SAME_COST):
        saved = 1 - row.usd_per_inference / chosen.usd_per_inference
        return f"{name_of(row)} costs {percent(saved)} less an inference, but {_but(task, row, chosen, least)}."
    return ""


def _why(task: Task, chosen: Row, least: float) -> str:
    cost = f"{usd(chosen.usd_per_inference)} an inference"
    if chosen.measured is None:
        return ""
    proof = f"{amount('prove_seconds', chosen.measured.prove_seconds)} to prove"
    gas = f"{amount('gas', chosen.measured.gas)} to verify"
    blocks = f"{plural(chosen.latency_blocks.total, 'block')} from the data to the action"
    what = "is the cheapest candidate that meets every limit"
    if task.choice == "net_value":
        what = "is, of the candidates that meet every limit, the one of the best net value a year on the test rows"
    elif chosen.usd_per_inference > least:
        what = (
            "is, of the candidates that meet every limit and are the cheapest within 1 %, the most accurate in the "
            "cross-validation"
        )
    return f"{name_of(chosen)} {what}: {cost}, {proof}, {gas}, {blocks}."


def against_existing(task: Task, row: Row, rows: list[Row]) -> str:
    """How much better than today on the test rows, how sure that is, and what the cross-validation says."""
    existing = _existing(rows)
    if existing is None:
        return ""
    gain = ahead(task, row, existing)
    figures = f"{task.metric} {row.test[task.metric]:.4g} against {existing.test[task.metric]:.4g}"
    span = _sure(row)
    end = f"{f', {span}' * bool(span)}{_rehearsal(row)}."
    if gain > 0:
        return f"On the test rows it is {than(gain)} than the existing process ({figures}){end}"
    if gain == 0:
        return f"On the test rows it is as good as the existing process ({figures}){end}"
    free = task.limits.better_than_existing is None and not task.limits.confidence
    tail = "; no limit forbids that: set better_than_existing or confidence in [limits]" if free else ""
    return f"On the test rows it is {than(gain)} than the existing process ({figures}){end[:-1]}{tail}."


def _sure(row: Row) -> str:
    """The interval; empty if there is none."""
    found = row.evidence
    if found is None or found.improvement is None:
        return ""
    span = between(found.improvement.low, found.improvement.high)
    return f"{span} with {percent(found.confidence)} confidence"


def _rehearsal(row: Row) -> str:
    if row.cv_improvement is None:
        return ""
    folds = f", in {row.cv_better} of {plural(row.cv_folds, 'fold')} better" if row.cv_folds else ""
    return f"; in the cross-validation {signed(row.cv_improvement)}{folds}"


def _worth(row: Row) -> str:
    net = row.net
    if net is None:
        return ""
    sure = ""
    if net.interval is not None and row.evidence is not None:
        low, high = dollars(net.interval.low), dollars(net.interval.high)
        sure = f" (between {low} and {high} with {percent(row.evidence.confidence)} confidence)"
    return (
        f"Its net value is {dollars(net.usd)} a year{sure}: {dollars(net.gain_usd)} gained in the loss, less "
        f"{dollars(net.cost_usd)} for gas and machine."
    )


def _but(task: Task, row: Row, chosen: Row, least: float) -> str:
    """What speaks against another candidate."""
    limits = [limit for limit, kept in row.meets.items() if not kept]
    if limits:
        return " and ".join(broken(task, row, limit) for limit in limits)
    if task.choice == "net_value":
        worth = f" ({dollars(row.net.usd)})" if row.net else ""
        return f"is worth less a year{worth}"
    if row.usd_per_inference > least * (1 + SAME_COST):
        more = row.usd_per_inference / chosen.usd_per_inference - 1
        return f"costs {percent(more)} more an inference ({usd(row.usd_per_inference)})"
    return "is equally cheap and less accurate in the cross-validation, which does not know the test rows"


def unproven(rows: list[Row]) -> list[str]:
    """Why candidates could not be proven: one sentence for all that have the same reason."""
    why: dict[str, list[str]] = {}
    for row in rows:
        problem = row.fidelity.problem if row.fidelity else "it was not measured."
        why.setdefault(problem, []).append(name_of(row))
    return [f"{_listed(names)} cannot be proven: {problem}" for problem, names in why.items()]


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def ahead(task: Task, row: Row, chosen: Row) -> float:
    """How much better than the chosen one a candidate is on the test rows."""
    return improvement(task.metric, row.test[task.metric], chosen.test[task.metric])


def name_of(row: Row) -> str:
    """A candidate for a person: its title and its id."""
    return f"{row.title} ({row.id})"


def _existing(rows: list[Row]) -> Row | None:
    return next((row for row in rows if row.family == "existing"), None)
