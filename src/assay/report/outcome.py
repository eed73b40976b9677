"""The decision: what was proven and measured, what meets the limits, and what it costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from assay.bench.limits import ACCURACY, CONFIDENCE, FIDELITY
from assay.bench.words import dollars, limit_words, percent, plural, seconds, span, usd
from assay.models.cost.economics import limits_of
from assay.models.families.registry import EXISTING
from assay.report.chart import Kind, Mark, Scatter, scatter
from assay.report.dataset import Bar
from assay.report.table import NONE, Cell, Table, count, row, table
from assay.report.words import capital, gain, height_of, megabytes, metric_at, metric_name, metric_text, size, thousands

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.bench.decision import Decision, Row
    from assay.models.search.front import Front
    from assay.task.task import Task

DAYS = 365


def numbers(decision: Decision) -> dict[str, str]:
    """Short names of the candidates in figures: A, B, ... for those that were proven."""
    proven = [one.id for one in decision.rows if one.provable]
    return {name: chr(ord("A") + place) if place < 26 else str(place + 1) for place, name in enumerate(proven)}


def table_of(task: Task, decision: Decision) -> Table:
    """Accuracy and costs of every candidate."""
    letters, name = numbers(decision), metric_name(task, decision.metric)
    lines = []
    for one in decision.rows:
        found = one.measured
        costs = [NONE] * 6
        if found is not None:
            costs = [
                Cell(seconds(found.prove_seconds), found.prove_seconds),
                Cell(megabytes(found.memory_mb), found.memory_mb),
                Cell(size(found.proof_bytes), found.proof_bytes),
                count(found.gas),
                Cell(usd(one.usd_per_inference), one.usd_per_inference),
                count(one.latency_blocks.total),
            ]
        metric = one.test[decision.metric]
        lines.append(
            row(
                letters.get(one.id, ""),
                one.title,
                Cell(one.id, mark="code"),
                Cell(metric_text(decision.metric, metric), metric),
                *_gains(one),
                *costs,
                strong=one.id == decision.chosen,
            )
        )
    better = ("#Better than today", f"#With {_confidence(decision)} confidence", "#In the cross-validation")
    heads = ("", "Model", "Id", f"#{capital(name)}", *better, "#Proving", "#Memory", "#Proof", "#Gas")
    return table((*heads, "#Cost of an answer", "#Blocks"), *lines)


def _gains(one: Row) -> tuple[Cell, Cell, Cell]:
    """How much better than today on the test rows, the interval of that, and the same in the cross-validation."""
    found = one.evidence.improvement if one.evidence else None
    return (
        NONE if one.improvement is None else Cell(gain(one.improvement), one.improvement),
        NONE if found is None else Cell(span(found.low, found.high), found.low),
        NONE if one.cv_improvement is None else Cell(gain(one.cv_improvement), one.cv_improvement),
    )


def _confidence(decision: Decision) -> str:
    return percent(next((one.evidence.confidence for one in decision.rows if one.evidence), 0.9))


def sure(decision: Decision) -> str:
    """How the intervals were made."""
    found = next((one.evidence for one in decision.rows if one.evidence and one.provable), None)
    if found is None:
        return ""
    blocks = {
        "rows": f"{found.blocks:,} blocks of {plural(found.length, 'row')} in a row"
        if found.length > 1
        else "single rows",
        "times": f"{found.blocks:,} blocks of {plural(found.length, 'time')}, with the rows of all series in them",
        "entities": f"{found.blocks:,} entities with all their rows",
        "groups": f"{found.blocks:,} groups with all their rows",
    }[found.unit]
    return (
        f"The intervals hold the true improvement in {percent(found.confidence)} of such cases, as far as the future "
        f"is like the test rows. They are from a bootstrap that draws {blocks}, because neighbouring rows depend on "
        "each other."
    )


def existing(task: Task, decision: Decision) -> str:
    """How well what decides today does."""
    found = next((one for one in decision.rows if one.family == EXISTING), None)
    if found is None:
        return ""
    name = metric_name(task, decision.metric)
    return f"On the test rows: {name} {metric_text(decision.metric, found.test[decision.metric])}."


def short_table(decision: Decision) -> Table:
    """Of the same, what matters most: it fits on a phone."""
    letters = numbers(decision)
    lines = []
    for one in decision.rows:
        found = one.measured
        costs = [NONE] * 3
        if found is not None:
            costs = [
                Cell(seconds(found.prove_seconds), found.prove_seconds),
                count(found.gas),
                Cell(usd(one.usd_per_inference).removesuffix(" USD"), one.usd_per_inference),
            ]
        lines.append(row(letters.get(one.id, ""), one.title, *_gains(one), *costs, strong=one.id == decision.chosen))
    heads = f"|Model|#Better than today|#With {_confidence(decision)} confidence|#In the cross-validation"
    return table(f"{heads}|#Proving|#Gas|#USD an answer", *lines)


def metrics(task: Task, decision: Decision) -> Table:
    """Every metric on the test rows."""
    names = list(dict.fromkeys(name for one in decision.rows for name in one.test))
    heads = ("Model", "Id", *(f"#{capital(metric_name(task, name))}" for name in names))
    lines = [
        row(
            one.title,
            Cell(one.id, mark="code"),
            *(Cell(metric_text(name, one.test.get(name)), one.test.get(name)) for name in names),
            strong=one.id == decision.chosen,
        )
        for one in decision.rows
    ]
    return table(heads, *lines)


def figures(task: Task, decision: Decision) -> list[Scatter]:
    """Accuracy on the test rows against each cost."""
    shown = [one for one in decision.rows if one.measured is not None and math.isfinite(_height(decision, one))]
    if not shown:
        return []
    known = all(one.improvement is not None for one in shown)
    letters, wanted = numbers(decision), limits_of(task)
    made = []
    for title, name, read, write in _COSTS:
        marks = [
            Mark(
                value, _height(decision, one, known=known), letters[one.id], _kind(decision, one), _words(decision, one)
            )
            for one in shown
            if (value := read(one)) is not None
        ]
        if not marks:
            continue
        made.append(
            scatter(
                title,
                marks,
                x_title=title,
                x_words=write,
                y_words=percent
                if known
                else lambda height: metric_text(decision.metric, metric_at(decision.metric, height)),
                about=f"{plural(len(marks), 'candidate')} by accuracy on the test rows and {title}.",
                x_limit=wanted.get(name),
                y_limit=task.limits.better_than_existing if known else None,
                zero=0.0 if known else None,
            )
        )
    return made


def gains(decision: Decision) -> list[Bar]:
    """How much better than today each candidate is on the test rows; worse ones have negative shares."""
    known = [(one, one.improvement) for one in decision.rows if one.improvement is not None]
    most = max((abs(better) for _, better in known), default=0.0) or 1.0
    letters = numbers(decision)
    ordered = sorted(known, key=lambda pair: -pair[1])
    return [
        Bar(
            f"{letters.get(one.id, '')} {one.title}".strip(),
            better / most,
            gain(better),
            _kind(decision, one) if one.provable else "other",
            _in_brackets(one),
        )
        for one, better in ordered
    ]


def _in_brackets(one: Row) -> str:
    found = one.evidence.improvement if one.evidence else None
    return "" if found is None else f"({span(found.low, found.high)})"


def judged(decision: Decision) -> Table | None:
    """Which limits each candidate meets."""
    letters = numbers(decision)
    names = list(dict.fromkeys(name for one in decision.rows for name in one.meets))
    if not names:
        return None
    yes, no = Cell("yes", 1, "good"), Cell("no", 0, "bad")
    lines = [
        row(
            letters[one.id],
            one.title,
            *(yes if one.meets[name] else no for name in names),
            yes if one.qualifies else no,
            strong=one.id == decision.chosen,
        )
        for one in decision.rows
        if one.provable
    ]
    known = {ACCURACY: "better than today", CONFIDENCE: "sure of it"}
    heads = [known.get(name) or limit_words(name) for name in names]
    return table(("", "Model", *(capital(head) for head in heads), "All"), *lines)


def fidelity(decision: Decision) -> Table | None:
    """The circuits against the models."""
    letters = numbers(decision)
    rows = []
    for one in decision.rows:
        if one.fidelity is None:
            continue
        same = one.fidelity.ok
        verdict = Cell("the same", mark="good") if same else Cell(one.fidelity.problem or "not the same", mark="bad")
        compared, differing = count(one.fidelity.rows), count(one.fidelity.differing)
        rows.append(row(letters[one.id], one.title, compared, differing, verdict, strong=one.id == decision.chosen))
    return table("|Model|#Test rows compared|#That differ|Verdict", *rows) if rows else None


def costs(task: Task, one: Row) -> Table | None:
    """What one candidate costs, once and each time."""
    found = one.measured
    if found is None:
        return None
    price = task.value.gas_price_gwei * 1e-9 * task.value.native_usd
    yearly = one.usd_per_inference * task.value.decisions_per_day * DAYS
    worth: list[tuple[str, str, str]] = []
    if one.net is not None:
        sure_of = f" ({dollars(one.net.interval.low)} to {dollars(one.net.interval.high)})" if one.net.interval else ""
        worth = [
            ("Money that the gain in the loss is worth, on the test rows", dollars(one.net.gain_usd), "each year"),
            ("Net value: that gain, less gas and machine", f"{dollars(one.net.usd)}{sure_of}", "each year"),
        ]
    return table(
        "What|#Measured|When",
        ("Making a proof", seconds(found.prove_seconds), "each answer"),
        ("Making the first proof, with the key read from disk", seconds(found.first_prove_seconds), "after each start"),
        ("Checking a proof off the chain", seconds(found.verify_seconds), "whoever wants to"),
        ("The model's own answer", seconds(found.inference_seconds), "each answer"),
        ("Memory while proving", megabytes(found.memory_mb), "each answer"),
        ("Size of a proof", size(found.proof_bytes), "each answer"),
        ("Data sent to the chain", size(found.calldata_bytes), "each answer"),
        ("Gas for checking a proof on the chain", f"{found.gas:,}", "each answer"),
        ("Money for an answer: gas and machine", usd(one.usd_per_inference), "each answer"),
        (f"Money for {task.value.decisions_per_day:g} answers a day", usd(yearly), "each year"),
        *worth,
        ("Gas for putting the checking contract on the chain", f"{found.deployment_gas:,}", "once"),
        ("Money for that", usd(found.deployment_gas * price), "once"),
        ("Size of that contract", size(found.contract_bytes), "once"),
        ("Making the keys", seconds(found.setup_seconds), "once"),
        ("Size of the proving key", size(found.proving_key_bytes), "once"),
    )


def prices(task: Task) -> str:
    """What money was counted with."""
    value = task.value
    return (
        f"Money is counted with a gas price of {value.gas_price_gwei:g} gwei, {value.native_usd:,.0f} USD for the "
        f"chain's own token and {value.machine_usd_per_hour:g} USD an hour for the machine. These are the task's "
        "assumptions: both prices move, and the money moves with them in proportion."
    )


def latencies(decision: Decision) -> Table:
    """Blocks from the data to the action, by cause."""
    letters = numbers(decision)
    lines = []
    for one in decision.rows:
        if one.measured is None:
            continue
        blocks = one.latency_blocks
        lines.append(
            row(
                letters[one.id],
                one.title,
                count(blocks.feature_delay),
                Cell(_part(blocks.inference), blocks.inference),
                Cell(_part(blocks.proving), blocks.proving),
                count(blocks.inclusion),
                count(blocks.total),
                strong=one.id == decision.chosen,
            )
        )
    return table(
        "|Model|#Waiting for final data|#Answering|#Proving|#Getting into a block|#Whole blocks in all", *lines
    )


def predictions(decision: Decision, front: Front) -> Table | None:
    """What was predicted before training, against what was measured."""
    letters = numbers(decision)
    known = {one.id: one.predicted for one in front.candidates}
    lines = []
    for one in decision.rows:
        found, said = one.measured, known.get(one.id)
        if found is None or said is None:
            continue
        lines.append(
            row(
                letters[one.id],
                one.title,
                *_pair(said.prove_seconds, found.prove_seconds, seconds),
                *_pair(said.memory_mb, found.memory_mb, megabytes),
                *_pair(said.gas, found.gas, lambda gas: f"{gas:,.0f}"),
            )
        )
    heads = "|Model|#Proving, predicted|#Measured|#Memory, predicted|#Measured|#Gas, predicted|#Measured"
    return table(heads, *lines) if lines else None


def _pair(said: float, found: float | None, write: Callable[[float], str]) -> tuple[Cell, Cell]:
    return Cell(write(said), said), NONE if found is None else Cell(write(found), found)


def _part(blocks: float) -> str:
    return f"{blocks:.2f}" if blocks >= 0.005 else "under 0.01"


def _height(decision: Decision, one: Row, *, known: bool = True) -> float:
    if known and one.improvement is not None:
        return one.improvement
    return height_of(decision.metric, one.test[decision.metric])


def _kind(decision: Decision, one: Row) -> Kind:
    if one.id == decision.chosen:
        return "chosen"
    return "front" if one.qualifies else "out"


def _words(decision: Decision, one: Row) -> str:
    broken = [limit_words(name) if name != FIDELITY else name for name, kept in one.meets.items() if not kept]
    tail = f"; does not meet: {', '.join(broken)}" if broken else ""
    return f"{one.title} ({one.id}): {metric_text(decision.metric, one.test[decision.metric])}{tail}"


def _of(name: str) -> Callable[[Row], float | None]:
    """Read one of the measured figures."""
    return lambda one: None if one.measured is None else getattr(one.measured, name)


_COSTS: tuple[tuple[str, str, Callable[[Row], float | None], Callable[[float], str]], ...] = (
    ("proving time", "prove_seconds", _of("prove_seconds"), seconds),
    ("gas", "gas", _of("gas"), thousands),
    ("money an answer", "usd_per_inference", lambda one: one.usd_per_inference, lambda value: f"${value:.3g}"),
    ("memory, MB", "memory_mb", _of("memory_mb"), lambda value: f"{value:,.0f}"),
    ("size of a proof, bytes", "proof_bytes", _of("proof_bytes"), thousands),
    ("blocks to the action", "latency_blocks", lambda one: one.latency_blocks.total, lambda value: f"{value:g}"),
)
