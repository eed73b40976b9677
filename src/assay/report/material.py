"""`Material`: all that a project has come to, and what is missing or no longer belongs together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from assay.bench.decision import FILE as DECISION_FILE
from assay.bench.decision import Decision, Row, basis_of
from assay.bench.history import Entry, entries
from assay.core import files, jsontext
from assay.data.dataset.dataset import MANIFEST_FILE, PROFILE_FILE, QUARANTINE_FILE, Dataset
from assay.models.search.front import FILE as FRONT_FILE
from assay.models.search.front import Front
from assay.prove.keys import VERIFYING_KEY_FILE, VerifyingKey
from assay.report.errors import ExperimentDamaged, ProfileDamaged, QuarantineDamaged
from assay.task.task import TASK_FILE, Task

if TYPE_CHECKING:
    from pathlib import Path

    from assay.data.dataset.manifest import Manifest

DATA, CANDIDATES, DECISION, CHOSEN = "data", "candidates", "decision", "chosen"
EXPERIMENTS = "experiments"

_ADDRESS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*)://[^\s\"']+")


class Histogram(BaseModel):
    """Counts between edges."""

    model_config = ConfigDict(frozen=True)

    counts: tuple[int, ...]
    edges: tuple[float, ...]


class Column(BaseModel):
    """How the values of a column are distributed; a column without values has counts only."""

    model_config = ConfigDict(frozen=True)

    missing: int
    distinct: int
    mean: float | None = None
    std: float | None = None
    min: float | None = None
    max: float | None = None
    quantiles: dict[str, float] = {}
    histogram: Histogram | None = None
    mean_by_part: dict[str, float | None] = {}
    correlation_with_target: float | None = None


class Beyond(BaseModel):
    """A column with test rows outside the range of the training rows."""

    model_config = ConfigDict(frozen=True)

    column: str
    low: float
    high: float
    below: int
    above: int


class Regime(BaseModel):
    """A range of values that many test rows have and hardly any training rows: their shares."""

    model_config = ConfigDict(frozen=True)

    column: str
    low: float
    high: float
    train: float
    test: float


class NewEntities(BaseModel):
    """Entities of the test rows that no training row has, the rows that are of them, and some of their names."""

    model_config = ConfigDict(frozen=True)

    count: int
    rows: int
    names: tuple[str, ...]


class Lacking(BaseModel):
    """What the training rows lack."""

    model_config = ConfigDict(frozen=True)

    test_rows: int
    beyond: tuple[Beyond, ...] = ()
    regimes: tuple[Regime, ...] = ()
    entities: NewEntities | None = None


class Profile(BaseModel):
    """The content of profile.json."""

    model_config = ConfigDict(frozen=True)

    rows: int
    columns: dict[str, Column]
    classes: tuple[str, ...] = ()
    class_counts: dict[str, tuple[int, ...]] = {}
    lacking: Lacking | None = None


@dataclass(frozen=True)
class SetAside:
    """Rows that were quarantined: the table they are from, why, and how many."""

    table: str
    reason: str
    rows: int


@dataclass(frozen=True)
class Key:
    """The chosen model's verifying key: its identity, its reference string's kind, and what its outputs mean."""

    identity: str
    srs: str
    meaning: str


class Experiment(BaseModel):
    """What `assay experiment report` found: its summary.json, of which this is shown here."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    design: str
    state: str
    chain: str
    plan: str
    release: str
    against: str
    words: str
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Material:
    """What there is to report.

    Attributes
    ----------
    folder
        The project's folder.
    task, task_text
        The question, and the file it is written in, with addresses left out: they can hold passwords.
    manifest, profile, quarantine
        Of the dataset; None and empty before `assay data build`.
    front
        None before `assay explore`.
    decision, key
        None before `assay decide`; without a chosen candidate there is no key.
    history
        All decisions, the first one first.
    experiments
        Those that were reported, by their names.
    """

    folder: Path
    task: Task
    task_text: str
    manifest: Manifest | None = None
    profile: Profile | None = None
    quarantine: tuple[SetAside, ...] = ()
    front: Front | None = None
    decision: Decision | None = None
    key: Key | None = None
    history: tuple[Entry, ...] = ()
    experiments: tuple[Experiment, ...] = ()

    @classmethod
    def load(cls, project: Path) -> Material:
        """Read what is there.

        Raises
        ------
        TaskError, StorageError
            There is no task.toml, or it is wrong.
        AssayError
            A step's output is there but damaged, or of another version.
        """
        task = Task.load(project)
        text = files.read(project / TASK_FILE).decode(errors="replace")
        manifest, profile, quarantine = _data(project / DATA)
        has_front = (project / CANDIDATES / FRONT_FILE).is_file()
        decided = (project / DECISION / DECISION_FILE).is_file()
        decision = Decision.load(project / DECISION) if decided else None
        return cls(
            folder=project,
            task=task,
            task_text=_ADDRESS.sub(r"\1://(left out)", text),
            manifest=manifest,
            profile=profile,
            quarantine=quarantine,
            front=Front.load(project / CANDIDATES) if has_front else None,
            decision=decision,
            history=tuple(entries(project / DECISION)),
            experiments=_experiments(project / EXPERIMENTS),
            key=_key(project / DECISION / CHOSEN / VERIFYING_KEY_FILE) if decision and decision.chosen else None,
        )

    @property
    def chosen(self) -> Row | None:
        """The decision's candidate."""
        return self._row(self.decision.chosen) if self.decision else None

    @property
    def nearest(self) -> Row | None:
        """The candidate that comes closest if none qualifies."""
        near = self.decision.nearest if self.decision else None
        return self._row(near.id) if near else None

    @property
    def missing(self) -> dict[str, str]:
        """Steps without output, with the command that makes it."""
        there = {"data build": self.manifest, "explore": self.front, "decide": self.decision}
        words = {"data build": "the dataset", "explore": "the exploration", "decide": "the decision"}
        return {words[step]: f"assay {step}" for step, found in there.items() if found is None}

    @property
    def outdated(self) -> tuple[str, ...]:
        """Sentences: what does not belong to what is there now."""
        data = self.manifest.content_hash if self.manifest else None
        said = []
        if data and self.front and self.front.dataset != data:
            said.append("The exploration was made on an earlier version of the dataset; run it again.")
        if data and self.decision and self.decision.dataset != data:
            said.append("The decision was made on an earlier version of the dataset; run it again.")
        if self.front and self.decision and self.decision.study != self.front.study:
            said.append("The decision is on the candidates of an earlier exploration; run it again.")
        if self.decision and self.decision.basis != basis_of(self.task):
            said.append(
                "The decision was made with another existing process, other values, limits or another chain than the "
                "task has now; run it again."
            )
        return tuple(said)

    def _row(self, name: str | None) -> Row | None:
        rows = self.decision.rows if self.decision else ()
        return next((row for row in rows if row.id == name), None)


def _data(folder: Path) -> tuple[Manifest | None, Profile | None, tuple[SetAside, ...]]:
    if not (folder / MANIFEST_FILE).is_file():
        return None, None, ()
    return Dataset.load(folder).manifest, _profile(folder / PROFILE_FILE), _quarantine(folder / QUARANTINE_FILE)


def _profile(path: Path) -> Profile | None:
    if not path.is_file():
        return None
    try:
        return Profile.model_validate(jsontext.parse(files.read(path)))
    except ValueError:
        raise ProfileDamaged(f"{path} holds no profile", "Build the dataset again.") from None


def _quarantine(path: Path) -> tuple[SetAside, ...]:
    """Reasons with counts; the rows themselves stay where they are."""
    if not path.is_file():
        return ()
    import polars as pl

    try:
        counts = pl.read_parquet(path, columns=["table", "reason"], glob=False).group_by("table", "reason").len()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise QuarantineDamaged(f"{path} cannot be read", "Build the dataset again.") from None
    return tuple(SetAside(table, reason, rows) for table, reason, rows in sorted(counts.rows()))


def _experiments(folder: Path) -> tuple[Experiment, ...]:
    found = []
    for path in sorted(folder.glob("*/summary.json")):
        try:
            found.append(Experiment.model_validate(jsontext.parse(files.read(path))))
        except ValueError:
            raise ExperimentDamaged(f"{path} is no summary of an experiment", "Report it again.") from None
    return tuple(found)


def _key(path: Path) -> Key | None:
    if not path.is_file():
        return None
    key = VerifyingKey.load(path)
    meaning = "" if key.answers is None else key.answers.describe()
    return Key(str(key.info["digest"]), str(key.info["srs_kind"]), meaning)
