"""The question, and what decides today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.bench.words import amount, limit_words, percent, plural
from assay.models.cost.economics import limits_of
from assay.report.table import Table, table
from assay.report.words import KINDS, PROTOCOLS, metric_about, metric_name, span

if TYPE_CHECKING:
    from assay.task.task import Task

_MEANINGS = {
    "prove_seconds": "time to make one proof",
    "memory_mb": "memory while a proof is made",
    "gas": "the chain's charge for checking one proof",
    "usd_per_inference": "gas and machine for one proven answer",
    "latency_blocks": "from the end of the data to the transaction that acts on the answer",
}


_TRUST = {
    "observations": "nobody: the consumer's contract computes them from the market's own history",
    "state": "nobody: a feed's contract computes them from proofs of what another contract keeps",
    "feed": "the signers of a feed, who vouch for them together",
    None: "whoever posts the rows, for what the task does not say more of",
}


def facts(task: Task) -> list[tuple[str, str]]:
    """What is asked, for whom, and how soon: terms and their words."""
    predict, protocol, value = task.predict, task.protocol, task.value
    target = predict.target + (f", in {predict.unit}" if predict.unit else "")
    found = [
        ("What is predicted", predict.description or target),
        ("Its column", f"{target}: {KINDS[predict.type]}" if predict.description else KINDS[predict.type]),
        ("Who acts on it", f"{PROTOCOLS[protocol.kind]}, on {protocol.chain}{_id(task)}"),
        ("What it changes", protocol.state),
        ("How often", f"{value.decisions_per_day:g} times a day"),
        ("How soon", _deadline(task)),
        ("What everybody sees", _secrecy(task)),
        ("Who is trusted with the inputs", _trust(task)),
        ("How good is measured", f"{metric_name(task, task.metric)}: {metric_about(task.metric)}"),
    ]
    return [(term, words) for term, words in found if words]


def _trust(task: Task) -> str:
    """Who could make a model see what is not true, where the task says of its features how a contract has them."""
    names: dict[str | None, list[str]] = {}
    for feature in task.data.features:
        if feature.name not in task.data.drop:
            names.setdefault(feature.onchain, []).append(feature.name)
    if not set(names) - {None}:
        return ""
    return "; ".join(f"{_TRUST[kind]} ({', '.join(some)})" for kind, some in names.items())


def _id(task: Task) -> str:
    known = task.chain().id
    return "" if known is None else f" (chain {known})"


def today(task: Task) -> tuple[str, str]:
    """How it is decided today: in words, and as it was executed."""
    existing = task.existing
    executed = {
        "constant": f"always answers {existing.value:g}" if existing.value is not None else "",
        "column": f"answers what the column {existing.column} says",
        "rule": f"follows the rule {existing.rule}",
        "function": f"calls the project's function {existing.function}",
    }[existing.kind]
    return existing.description, executed


def limits(task: Task) -> Table:
    """What is good enough."""
    rows = [
        (limit_words(name).capitalize(), "at most " + amount(name, limit), _MEANINGS[name])
        for name, limit in limits_of(task).items()
    ]
    better = task.limits.better_than_existing
    if better is not None:
        wanted = f"at least {percent(better)}" if better else "at least as good"
        meaning = f"{metric_name(task, task.metric)}, on the test rows, against what decides today"
        rows.insert(0, ("Better than today", wanted, meaning))
    if task.limits.confidence:
        sure = f"{percent(task.limits.confidence)} confidence"
        rows.insert(1 if better is not None else 0, ("The gain is no chance", sure, "its interval holds gains alone"))
    for one in task.limits.requirements:
        wanted = f"at {'least' if one.at_least else 'most'} {one.number:g}"
        rows.insert(0, (metric_name(task, one.metric).capitalize(), wanted, "on the test rows"))
    if task.choice == "net_value":
        rows.append(("Net value a year", "above 0", "what the gain in the loss is worth, less gas and machine"))
    rows.append(("Fidelity", "no difference", "the proven model answers as the trained one does, on every test row"))
    return table("Limit|Wanted|What it is", *rows)


def choice(task: Task) -> str:
    """Which of the candidates that are good enough is chosen."""
    if task.choice == "net_value":
        return (
            "Of the candidates that meet every one of these, the one of the best net value a year is chosen: what the "
            "gain in the loss is worth, less gas and machine."
        )
    return "The cheapest candidate that meets every one of these is chosen."


def _deadline(task: Task) -> str:
    blocks = task.latency_blocks
    if blocks is None:
        return f"no limit is set; a block takes {span(task.block_seconds)}"
    return f"within {plural(blocks, 'block')} of the end of the data, {span(blocks * task.block_seconds)}"


def _secrecy(task: Task) -> str:
    shown = "the inputs and the answer" if task.protocol.inputs == "public" else "the answer; the inputs stay hidden"
    return f"{shown}; the model itself stays hidden behind its fingerprint"
