"""From material to the two texts: the page and the model card."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import assay
from assay.bench.words import dollars, limit_words, percent, plural, seconds, usd
from assay.bench.words import span as span_of
from assay.report import dataset, origin, outcome, question, research, search
from assay.report.people import about
from assay.report.validity import validity
from assay.report.words import GLOSSARY, capital, gain, metric_about, metric_name, span

if TYPE_CHECKING:
    from jinja2 import Environment

    from assay.bench.decision import Row
    from assay.bench.facts import Interval
    from assay.report.material import Material
    from assay.task.task import Task

_SPECIAL = re.compile(r"([\\`*\[\]<>|~&#!$])|(?<![^\W_])_|_(?![^\W_])")


def page(material: Material) -> str:
    """The page, `report.html`."""
    script = _text("sort.js")
    policy = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = _environment("html").get_template("report.html.j2")
    return template.render(_content(material), style=_text("report.css"), script=script, script_hash=policy)


def card(material: Material) -> str:
    """The model card, `model-card.md`."""
    return _environment("markdown").get_template("model-card.md.j2").render(_content(material))


def people(material: Material) -> str:
    """The page for those who are decided about, `people.html`."""
    template = _environment("html").get_template("people.html.j2")
    return template.render(about(material), style=_text("report.css"))


@cache
def _environment(kind: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def escaped(value: object) -> object:
        return value if isinstance(value, Markup) else Markup(markdown(str(value)))  # noqa: S704  it is escaped

    environment = Environment(
        loader=PackageLoader("assay.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
        finalize=escaped if kind == "markdown" else None,
    )
    environment.filters["code"] = lambda text: Markup(code(str(text)))  # noqa: S704  it is escaped
    # A bar would end a table's cell even inside code.
    environment.filters["cell"] = lambda text: Markup(code(str(text)).replace("|", "\\|"))  # noqa: S704  as above
    return environment


def markdown(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(lambda found: "\\" + found[0], " ".join(text.split()))


def code(text: str) -> str:
    """Text as inline code, in one line."""
    line = " ".join(text.split())
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence, pad = "`" * (longest + 1), " " * ("`" in line)
    return f"{fence}{pad}{line}{pad}{fence}"


def _text(name: str) -> str:
    return (resources.files("assay.report") / "templates" / name).read_text(encoding="utf-8")


def _content(material: Material) -> dict[str, Any]:
    """Everything that the templates show; a section without material is None."""
    task = material.task
    return {
        "task": task,
        "title": task.title or f"The project {task.name}",
        "metric": metric_name(task, task.metric),
        "metric_about": metric_about(task.metric),
        "missing": material.missing,
        "outdated": material.outdated,
        "verdict": _verdict(material),
        "facts": question.facts(task),
        "block": span(task.block_seconds),
        "today": question.today(task),
        "today_scores": outcome.existing(task, material.decision) if material.decision else "",
        "limits": question.limits(task),
        "choice": question.choice(task),
        "works": research.works(task),
        "strategy": task.research.strategy,
        "inventory": research.sources(task),
        "lacks": research.lacks(material),
        "history": research.history(material),
        "data": _data(material),
        "explored": _explored(material),
        "decided": _decided(material),
        "experiments": material.experiments,
        "validity": validity(material),
        "glossary": GLOSSARY,
        "commands": origin.commands(material),
        "hashes": origin.hashes(material),
        "versions": origin.versions(material),
        "settings": origin.settings(material),
        "task_text": material.task_text,
        "version": assay.__version__,
    }


def _verdict(material: Material) -> dict[str, Any]:
    """The answer in one sentence, and the figures that matter most."""
    decision = material.decision
    if decision is None:
        return {"kind": "open", "title": "No decision yet", "said": "", "tiles": []}
    row = material.chosen or material.nearest
    tiles = _tiles(material) if row is not None else []
    said = decision.headline or decision.reasons[0]
    if material.chosen is not None:
        title = f"Good enough: {material.chosen.title}"
        if material.chosen.disagrees == "in sign":
            title = f"Good enough on the test rows, not in the cross-validation: {material.chosen.title}"
        return {"kind": "chosen", "title": title, "said": said, "tiles": tiles}
    wish = limit_words(decision.binding) if decision.binding else ""
    title = "No model is good enough" + (f": the limit on {wish} is in the way" if wish else "")
    return {"kind": "none", "title": title, "said": said, "tiles": tiles, "nearest": row.title if row else ""}


def _tiles(material: Material) -> list[tuple[str, str]]:
    row, task = material.chosen or material.nearest, material.task
    if row is None or row.measured is None:
        return []
    yearly = row.usd_per_inference * task.value.decisions_per_day * outcome.DAYS
    blocks = row.latency_blocks.total
    worth = [] if row.net is None else [(dollars(row.net.usd), f"net value a year{_with(row, row.net.interval)}")]
    return [
        _better(row, task),
        *worth,
        (seconds(row.measured.prove_seconds), "to prove one answer"),
        (usd(row.usd_per_inference), f"for each answer, {usd(yearly)} a year"),
        (plural(blocks, "block"), f"from the data to the action, {span(blocks * task.block_seconds)}"),
    ]


def _better(row: Row, task: Task) -> tuple[str, str]:
    name = metric_name(task, task.metric)
    if row.improvement is None:  # relative to nothing
        return f"{row.test[task.metric]:.4g}", f"on unseen data, by {name}; what decides today has 0"
    sure = ""
    if row.evidence is not None and (found := row.evidence.improvement) is not None:
        sure = f"; {span_of(found.low, found.high)} with {percent(row.evidence.confidence)} confidence"
    cv = "" if row.cv_improvement is None else f"; {gain(row.cv_improvement)} in the cross-validation"
    return gain(row.improvement), f"better than today on unseen data, by {name}{sure}{cv}"


def _with(row: Row, interval: Interval | None) -> str:
    if interval is None or row.evidence is None:
        return ""
    return f", {dollars(interval.low)} to {dollars(interval.high)} with {percent(row.evidence.confidence)} confidence"


def _data(material: Material) -> dict[str, Any] | None:
    manifest = material.manifest
    if manifest is None:
        return None
    target = dataset.target_bars(material, manifest)
    return {
        "rows": f"{sum(part.rows for part in manifest.rows.values()):,}",
        "columns": plural(len(manifest.features), "feature"),
        "blocks": manifest.blocks,
        "sources": dataset.sources(material, manifest),
        "parts": dataset.parts(manifest),
        "part_bars": dataset.part_bars(manifest),
        "split": dataset.split_words(manifest),
        "always": dataset.always_checked(material.task, manifest),
        "checks": dataset.checks(material.task),
        "left_out": dataset.left_out(material, manifest),
        "notes": list(manifest.notes),
        "features": dataset.features(material, manifest),
        "target": manifest.target,
        "target_bars": target[0] if target else None,
        "target_table": target[1] if target else None,
    }


def _explored(material: Material) -> dict[str, Any] | None:
    front = material.front
    if front is None:
        return None
    return {
        "front": len(front.best),
        "trials": front.trials,
        "trained": sum(one.provable for one in front.candidates),
        "folds": front.folds,
        "families": search.families(front),
        "not_tried": search.not_tried(front),
        "figures": search.figures(material.task, front),
        "against": search.against_existing(front),
        "candidates": search.candidates(material.task, front),
    }


def _decided(material: Material) -> dict[str, Any] | None:
    decision, task = material.decision, material.task
    if decision is None:
        return None
    shown = material.chosen or material.nearest
    return {
        "decision": decision,
        "table": outcome.short_table(decision),
        "points": outcome.table_of(task, decision),
        "metrics": outcome.metrics(task, decision),
        "figures": outcome.figures(task, decision),
        "against": all(row.improvement is not None for row in decision.rows if row.provable),
        "gains": outcome.gains(decision),
        "sure": outcome.sure(decision),
        "judged": outcome.judged(decision),
        "fidelity": outcome.fidelity(decision),
        "meaning": material.key.meaning if material.key else "",
        "shown": shown,
        "costs": outcome.costs(task, shown) if shown else None,
        "prices": outcome.prices(task),
        "latencies": outcome.latencies(decision),
        "predictions": outcome.predictions(decision, material.front) if material.front else None,
        "wanted": percent(task.limits.better_than_existing) if task.limits.better_than_existing else None,
        "reasons": [capital(sentence) for sentence in decision.reasons],
        "prices_of_limits": decision.limits,
    }
