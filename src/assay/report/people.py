"""What the people should know whom a model's answers are about: no figure without its meaning, no term of the trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import assay
from assay.bench.words import percent
from assay.report.words import capital, metric_about, metric_name, span

if TYPE_CHECKING:
    from assay.bench.decision import Row
    from assay.data.dataset.manifest import FeatureInfo
    from assay.report.material import Material
    from assay.task.task import Task

_TODAY = {
    "constant": "always the same answer",
    "column": "a figure that somebody else provides",
    "rule": "a fixed rule",
    "function": "a program of the protocol's own",
}


def about(material: Material) -> dict[str, Any]:
    """What the template shows."""
    task, row = material.task, material.chosen
    return {
        "task": task,
        "title": task.title or f"How {task.name} decides",
        "who": task.people.who or "everybody whom an answer is about",
        "decided": _decided(task),
        "inputs": _inputs(material),
        "secret": task.protocol.inputs == "private",
        "past": _past(material),
        "good": _good(task, row) if row is not None else [],
        "today": task.existing.description or capital(_TODAY[task.existing.kind]),
        "model": row.title if row is not None else "",
        "key": material.key.identity if material.key else "",
        "development": material.key is not None and material.key.srs == "development",
        "version": assay.__version__,
    }


def _decided(task: Task) -> list[str]:
    predict, protocol = task.predict, task.protocol
    unit = f" ({predict.unit})" if predict.unit else ""
    found = [f"The model estimates this{unit}: {_sentence(predict.description or predict.target)}"]
    if protocol.state:
        found.append(f"Its answer changes this: {_sentence(protocol.state)}")
    if task.people.effect:
        found.append(task.people.effect)
    found.append(f"It answers about {task.value.decisions_per_day:g} times a day.")
    return found


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def unsaid(task: Task) -> list[str]:
    """Fields of [people] without which the page has to say that nobody said."""
    return [name for name in ("effect", "contact", "objection") if not getattr(task.people, name)]


def _inputs(material: Material) -> list[tuple[str, str]]:
    """Everything that the model sees, and how it is made."""
    if material.manifest is None:
        return []
    window = material.manifest.window
    made = {one.name: one for one in material.task.data.features}
    found = [(_named(info), _words(made.get(info.name))) for info in material.manifest.features]
    return [*found, ("the same of before", f"each of these of the last {window} times")] if window > 1 else found


def _named(info: FeatureInfo) -> str:
    return f"{info.name} ({info.unit})" if info.unit else info.name


def _words(spec: Any) -> str:
    if spec is None:
        return "taken as it stands in the data"
    of = getattr(spec, "of", None) or spec.name
    match spec.op:
        case "column":
            return "taken as it stands in the data" if of == spec.name else f"computed: {of}"
        case "lag":
            return f"what it was {spec.periods:g} rows before: {of}"
        case "difference" | "return" | "log_return":
            return f"how much it changed over {spec.periods:g} rows: {of}"
        case "imbalance":
            return f"how far {spec.buy} outweighs {spec.sell}"
        case "time_since":
            return f"how long ago this last held: {spec.when}"
        case "calendar":
            return f"the {spec.part.replace('_', ' ')} of the time"
        case "category":
            return f"which of these it is: {', '.join(spec.values)}"
        case "function":
            return f"computed by the protocol's own program, {spec.function}"
        case _:
            return f"{spec.op.replace('_', ' ')} of the last {spec.window:g} rows: {of}"


def _past(material: Material) -> str:
    manifest = material.manifest
    if manifest is None:
        return ""
    learned, test = manifest.rows["train"], manifest.rows["test"]
    times = [part.first_time for part in manifest.rows.values() if part.first_time]
    ends = [part.last_time for part in manifest.rows.values() if part.last_time]
    when = f", of the time from {min(times)} to {max(ends)}" if times and ends else ""
    return (
        f"It learned from {learned.rows:,} past cases{when}, and was then judged on {test.rows:,} later or other cases "
        "that it had never seen."
    )


def _good(task: Task, row: Row) -> list[str]:
    """How good it is, beside what decides today."""
    name, number = metric_name(task, task.metric), row.test[task.metric]
    found = [f"On those cases its {name} is {number:.4g}: {metric_about(task.metric)}."]
    if row.improvement is not None:
        way = "better" if row.improvement >= 0 else "worse"
        sure = row.evidence.improvement if row.evidence else None
        within = ""
        if sure is not None and row.evidence is not None:
            confidence = percent(row.evidence.confidence)
            within = f"; with {confidence} confidence between {percent(sure.low)} and {percent(sure.high)}"
        found.append(f"That is {percent(abs(row.improvement))} {way} than what decides today{within}.")
    soon = row.latency_blocks.total * task.block_seconds
    found.append(f"From the end of the data to the answer's effect it takes about {span(soon)}.")
    return found
