"""Reading a plan, with a sentence for whatever is wrong with it, and looking for what would keep it from working."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from assay.compare.errors import PlanUnfit, PlanUnreadable
from assay.compare.estimate import LEAST
from assay.compare.terms import SCHEMA, Terms
from assay.core import files
from assay.core.errors import ArtefactVersion
from assay.core.hashing import digest
from assay.task.positions import line_of, positions
from assay.task.read import nearest, written

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from assay.compare.terms import SwitchbackTerms
    from assay.task.task import Task

PLAN_FILE = "experiment.toml"
_PAGE = "Correct it; docs/reference/experiment.md says what each field is."


@dataclass(frozen=True)
class Plan:
    """A plan: its text, what it says, and its SHA-256, which goes on the chain."""

    text: str
    terms: Terms

    @property
    def digest(self) -> str:
        """SHA-256 of the text as it is in the file."""
        return digest(self.text.encode())


def read(path: Path) -> Plan:
    """Read a plan's file.

    Raises
    ------
    StorageError
        There is none.
    PlanUnreadable, PlanUnfit, ArtefactVersion
        Names the line, the field and what is allowed.
    """
    try:
        text = files.read(path).decode()
    except UnicodeDecodeError as error:
        raise PlanUnreadable(f"{path} is not UTF-8 text (byte {error.start})", "Save it as UTF-8.") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Plan:
    """Read a plan's text; raises as `read` does."""
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise PlanUnreadable(f"{name} is not TOML: {error!s:.120}", "Correct that line.") from None
    schema = raw.get("schema")
    if isinstance(schema, str) and schema != SCHEMA and schema.startswith("assay-experiment/"):
        raise ArtefactVersion(
            f"{name} has the format {schema:.40}, and {SCHEMA} is read", f'Write schema = "{SCHEMA}".'
        )
    try:
        return Plan(text, Terms.model_validate(raw))
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False), text, name) from None


def _refusal(details: list[ErrorDetails], text: str, name: str) -> PlanUnfit:
    found = positions(text)
    # A misspelt field is missing, too: its own line says more.
    first = min(details, key=lambda one: (one["type"] != "extra_forbidden", line_of(found, one["loc"]) or 0))
    path, line = first["loc"], line_of(found, first["loc"])
    where = f"{name}, line {line}" if line else name
    kind, said = first["type"], first["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        allowed = _fields(path[:-1])
        todo = f"{nearest(str(path[-1]), allowed)} Allowed here: {', '.join(allowed)}.".strip()
        return PlanUnfit(f"{where}: {written(path)} is not a field of an experiment", todo)
    if kind == "missing":
        return PlanUnfit(f"{where}: {written(path)} is missing", _PAGE)
    subject = written(path) if path else "the plan"
    return PlanUnfit(f"{where}: {subject}: {said[0].lower()}{said[1:]}", _PAGE)


def _fields(path: tuple[str | int, ...]) -> list[str]:
    node: dict[str, Any] = Terms.model_json_schema(by_alias=True)
    definitions = node.get("$defs", {})
    for part in path:
        about: dict[str, Any] = node["items"] if isinstance(part, int) else node.get("properties", {}).get(part, {})
        about = next((one for one in about.get("anyOf", [about]) if one.get("type") != "null"), {})
        node = definitions.get(about.get("$ref", "/").rsplit("/", 1)[1], about)
    return list(node.get("properties", {}))


def bar_blocks(task: Task) -> int | None:
    """Blocks of one of the task's bars, by which the live loop decides; None if it has none."""
    bars = task.data.bars
    if bars is None:
        return None
    if bars.blocks is not None:
        return bars.blocks
    return max(1, round((bars.seconds or 0) / task.block_seconds))


def require_metric(task: Task, terms: Terms) -> None:
    """Raise PlanUnfit unless the metric can be computed: a loss is of a regression, and the task says one."""
    computable = task.value.loss is not None and task.predict.type == "regression"
    if terms.metric.of == "loss" and terms.aim is not None and not computable:
        raise PlanUnfit(
            '[metric] of = "loss" takes [value] loss of a regression, and the task has none',
            'Measure outcomes and bring them in: of = "recorded".',
        )


@dataclass(frozen=True)
class Window:
    """The blocks in which a decision's outcome happens, counted from the last block of its row's bar."""

    first: int
    last: int

    @staticmethod
    def of(task: Task) -> Window:
        """By the task's label; of one that does not say, the blocks of one bar."""
        bar, label = bar_blocks(task) or 1, task.data.label
        return Window(label.gap * bar + 1, max(1, label.reach) * bar)

    def counts(self, of: SwitchbackTerms, block: int) -> int | None:
        """The period in which all of what comes of a row at `block` happens, after its burn-in; None if in none."""
        period = of.period_of(block + self.first)
        if period is None or of.period_of(block + self.last) != period:
            return None
        return period if block + self.first >= of.first_of(period) + of.burn_in_blocks else None


def counted_bars(task: Task, terms: Terms) -> int:
    """Decisions of a period whose outcomes happen in it, after its burn-in; raises PlanUnfit if there are none."""
    bar, of = bar_blocks(task), terms.switchback
    if bar is None or of is None or terms.metric.of != "loss":
        return 1
    window = Window.of(task)
    found = (of.period_blocks - of.burn_in_blocks - (window.last - window.first + 1)) // bar + 1
    if found < 1:
        raise PlanUnfit(
            f"a period counts {of.period_blocks - of.burn_in_blocks} blocks, and an outcome of the task takes "
            f"{window.last - window.first + 1}: no decision falls into a period",
            "Make periods longer, or burn_in_blocks less.",
        )
    return found


def cautions(task: Task, terms: Terms) -> list[str]:
    """What is allowed and yet weakens the experiment, in sentences."""
    said, of = [], terms.switchback
    if of is not None:
        if of.periods < LEAST:
            said.append(f"{of.periods} periods show nothing: intervals begin at {LEAST}.")
        if of.burn_in_blocks < of.grace_blocks and terms.metric.of == "loss":
            said.append(
                f"burn_in_blocks is {of.burn_in_blocks}, less than grace_blocks ({of.grace_blocks}): blocks before a "
                "link is opened are the existing process's, and count for the drawn arm."
            )
    if terms.metric.of == "loss" and task.value.unit and terms.metric.unit != task.value.unit:
        said.append(f'[metric] unit is "{terms.metric.unit}", and that of [value] "{task.value.unit}".')
    if terms.arms.new_sha256 is None:
        said.append(
            f"[arms] new_sha256 is missing: the plan on the chain will not say which release {terms.arms.new} is. "
            "`assay release show` says its digest."
        )
    if not terms.guardrails and terms.design != "shadow":
        said.append("There is no [[guardrails]]: only a person ends it if it does harm.")
    if terms.design != "shadow" and terms.money.usd_per_unit is None and task.value.usd is None:
        said.append("Nothing says what a unit is worth in USD: the report will not say whether it pays.")
    return said
