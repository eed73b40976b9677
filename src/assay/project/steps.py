"""The steps of a project: what each is made from, what it makes, and how."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import assay
from assay.core.hashing import digest
from assay.core.paths import place
from assay.data.features.functions import code_files
from assay.project.content import ABSENT, Memory, of_file, of_place
from assay.task.sources import ChainSource, CsvSource, PackageSource, ParquetSource, SqlSource

if TYPE_CHECKING:
    from pathlib import Path

    from assay.task.task import Task

DATA, CANDIDATES, DECISION = "data", "candidates", "decision"
REPORT_FILE = "report.html"
_FUNCTION = re.compile(r'"([^":]+\.py):[A-Za-z_]\w*"')


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes
    ----------
    name, about
        For commands and people.
    sections
        Of the task: when one changes, the step is stale.
    needs
        Steps whose output it is made from.
    makes
        Files that together are its output; of a pattern there may be none.
    """

    name: str
    about: str
    sections: tuple[str, ...]
    needs: tuple[str, ...]
    makes: tuple[str, ...]


STEPS = (
    Step(
        "data",
        "from the sources to the dataset",
        ("data", "predict", "protocol"),
        (),
        (f"{DATA}/manifest.json", f"{DATA}/rows.parquet", f"{DATA}/profile.json"),
    ),
    Step(
        "explore",
        "from the dataset to candidates",
        ("existing", "predict", "value", "limits", "protocol", "explore"),
        ("data",),
        (f"{CANDIDATES}/front.json", f"{CANDIDATES}/*/*"),
    ),
    Step(
        "decide",
        "from the candidates to the decision: proven, verified, measured",
        ("existing", "predict", "value", "limits", "protocol"),
        ("data", "explore"),
        (
            f"{DECISION}/decision.json",
            *(f"{DECISION}/chosen/{name}.*" for name in ("circuit", "proving", "verifying", "row")),
        ),
    ),
    Step(
        "report",
        "from all of it to the report and the model card",
        ("name", "title", "existing", "predict", "data", "protocol", "value", "limits", "explore", "research"),
        ("data", "explore", "decide"),
        (REPORT_FILE, "model-card.md"),
    ),
)

# Of these sections only some fields change what a step makes.
_MATTERS = {
    ("data", "predict"): {"target", "type"},
    ("data", "protocol"): {"chain_id", "feature_delay_blocks"},
}
# Fields that change nothing but words, and so need no new search.
_WORDS = {
    ("explore", "existing"): {"description"},
    ("explore", "predict"): {"unit", "description"},
    ("explore", "protocol"): {"kind", "chain", "state", "max_batch"},
    ("explore", "value"): {"unit"},
    ("explore", "explore"): {"workers"},
    ("report", "explore"): {"workers"},
}


def inputs(step: Step, task: Task, project: Path, memory: Memory, outputs: dict[str, str]) -> dict[str, str]:
    """Digest of each thing the step is made from; `outputs` has those of the steps before it."""
    found = {"Assay": assay.__version__}
    content = task.model_dump(mode="json", by_alias=True)
    if step.name == "explore" and task.limits.usd_per_inference is None:
        content["value"] = {"loss": task.value.loss}  # prices prune no trial then
    # Where the id stands is of no account; in data that is of no chain, neither is the id, but the report says it.
    chained = any(isinstance(source, ChainSource) for source in task.data.sources)
    content["protocol"]["chain_id"] = task.chain().id if chained or step.name == "report" else None
    for section in step.sections:
        text = _text(content[section], (step.name, section))
        found[f"[{section}]" if isinstance(content[section], dict) else section] = digest(text.encode())
        found |= _code(text, project, memory)
    if step.name == "data":
        found |= _sources(task, project, memory)
        # The dataset keeps the columns that these name.
        named = [task.existing.column, task.existing.rule, task.value.loss]
        found["the columns that [existing] and [value] name"] = digest(json.dumps(named).encode())
    return found | {f"the step {name}": outputs.get(name, ABSENT) for name in step.needs}


def _code(text: str, project: Path, memory: Memory) -> dict[str, str]:
    """Digests of the files whose functions are named, and of the project's others, which those may import."""
    named = set(_FUNCTION.findall(text))
    if named:
        named |= {path.relative_to(project).as_posix() for path in code_files(project)}
    return {file: of_file(project / file, memory) for file in sorted(named)}


def _text(content: Any, place: tuple[str, str]) -> str:
    if isinstance(content, dict):
        kept = _MATTERS.get(place, content.keys()) - _WORDS.get(place, set())
        content = {key: content[key] for key in kept}
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


def _sources(task: Task, project: Path, memory: Memory) -> dict[str, str]:
    """Digests of the files that are read; what lies elsewhere is taken as it was when it was collected."""
    found = {}
    for source in task.data.sources:
        if isinstance(source, CsvSource | ParquetSource):
            found[source.path] = of_place(project, source.path, memory)
        elif isinstance(source, ChainSource) and source.rpc is None and source.folder is not None:
            found[source.folder] = of_place(project, source.folder, memory)
        elif isinstance(source, PackageSource):
            found[f"the package of {source.name}"] = _package(source)
        elif isinstance(source, SqlSource) and (file := _database_file(source.url)):
            found[file] = of_file(place(project, file), memory)
    for event in task.data.events:
        if event.abi is not None:
            found[event.abi] = of_file(project / event.abi, memory)
    return found


def _package(source: PackageSource) -> str:
    """The version of the distribution that carries the data."""
    from importlib import metadata

    package = (source.load or source.file or "").partition(":")[0].partition(".")[0]
    names = metadata.packages_distributions().get(package, [package])
    try:
        return metadata.version(names[0])
    except metadata.PackageNotFoundError:
        return ABSENT


def _database_file(url: str) -> str | None:
    match = re.match(r"(?:duckdb|sqlite):///(.+)", url)
    return unquote(match[1]) if match else None


def output(step: Step, project: Path, memory: Memory) -> str:
    """Digest of what the step made, "absent" if a part of it is not there."""
    parts = [of_file(project / name, memory) for name in step.makes if "*" not in name]
    if ABSENT in parts:
        return ABSENT
    parts += [of_place(project, name, memory) for name in step.makes if "*" in name]
    return digest("\n".join(parts).encode())
