"""`decision/history`: one file a decision, which says what was changed since the one before and what that moved."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.bench.errors import DecisionDamaged
from assay.bench.words import change, usd
from assay.core import documents

if TYPE_CHECKING:
    from pathlib import Path

    from assay.bench.decision import Decision, Row
    from assay.task.task import Task

FOLDER = "history"
_SECTIONS = ("existing", "predict", "value", "limits", "protocol", "explore")


class Figures(BaseModel):
    """What a decision said of the candidate that it chose, or of the nearest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    improvement: float | None
    cv_improvement: float | None
    usd_per_inference: float


class Entry(BaseModel):
    """One decision.

    Attributes
    ----------
    when
        Seconds since 1970.
    dataset, study
        Of the decision.
    task
        What the task said, by section and field.
    chosen
        The chosen candidate; None if none was good enough.
    figures
        Of the chosen candidate, or of the nearest; None if nothing was proven.
    headline
        The decision's own sentence.
    changed, moved
        Sentences: what is other than at the decision before, and what came of it. Empty for the first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")

    schema_: Literal["assay-history/1"] = Field("assay-history/1", alias="schema")
    when: float
    dataset: str
    study: str
    task: dict[str, dict[str, Any]]
    chosen: str | None
    figures: Figures | None
    headline: str
    changed: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


def entries(folder: Path) -> list[Entry]:
    """The decisions of a folder, the first one first; raises DecisionDamaged, ArtefactVersion."""
    todo = "Remove that file; the others are kept."
    found = sorted((folder / FOLDER).glob("*.json"))
    return [documents.read(path, Entry, damaged=DecisionDamaged, todo=todo) for path in found]


def append(folder: Path, task: Task, decision: Decision) -> Entry:
    """Add a decision to the history of its folder."""
    before = entries(folder)
    row = _shown(decision)
    content = task.model_dump(mode="json")
    entry = Entry(
        schema="assay-history/1",
        when=time.time(),
        dataset=decision.dataset,
        study=decision.study,
        task={section: content[section] for section in _SECTIONS},
        chosen=decision.chosen,
        figures=None if row is None else Figures(**{name: getattr(row, name) for name in Figures.model_fields}),
        headline=decision.headline,
    )
    if before:
        last = before[-1]
        entry = entry.model_copy(update={"changed": _changed(last, entry), "moved": _moved(last, entry)})
    number = max((int(path.stem) for path in (folder / FOLDER).glob("[0-9]*.json")), default=0) + 1
    documents.write(folder / FOLDER / f"{number:04}.json", entry)
    return entry


def _shown(decision: Decision) -> Row | None:
    name = decision.chosen or (decision.nearest.id if decision.nearest else None)
    return next((row for row in decision.rows if row.id == name), None)


def _changed(before: Entry, now: Entry) -> tuple[str, ...]:
    said = ["The dataset is another one."] if before.dataset != now.dataset else []
    for section in _SECTIONS:
        old, new = before.task.get(section, {}), now.task[section]
        said += [
            f"[{section}] {name}: {_text(old.get(name))}, now {_text(new.get(name))}."
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name)
        ]
    if before.study != now.study:
        said.append("The candidates are of another exploration.")
    return tuple(said)


def _moved(before: Entry, now: Entry) -> tuple[str, ...]:
    said = []
    if before.chosen != now.chosen:
        said.append(f"Chosen: {_name(before)}, now {_name(now)}.")
    old, new = before.figures, now.figures
    if old is None or new is None:
        return tuple(said)
    pairs = (
        ("Improvement on the test rows", change(old.improvement), change(new.improvement)),
        ("Improvement in the cross-validation", change(old.cv_improvement), change(new.cv_improvement)),
        ("Cost of an answer", usd(old.usd_per_inference), usd(new.usd_per_inference)),
    )
    return (
        *said,
        *(f"{what}: {was or 'not known'}, now {is_ or 'not known'}." for what, was, is_ in pairs if was != is_),
    )


def _name(entry: Entry) -> str:
    if entry.chosen is None:
        return "none"
    return f"{entry.figures.title} ({entry.chosen})" if entry.figures else entry.chosen


def _text(value: object) -> str:
    text = "nothing" if value in (None, "", [], ()) else str(value)
    return " ".join(text.split())[:120]
