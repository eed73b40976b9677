"""What gates look at: the release that decides, as it was released, and what came of training again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.bench.decision import CHOSEN, Decision, Row
from assay.core import files
from assay.data.dataset.dataset import MANIFEST_FILE, ROWS_FILE, Dataset
from assay.data.tables import quality
from assay.keep.retrain.errors import NoOrder, NothingDecides
from assay.models.candidate import Candidate
from assay.models.families.family import Fitted
from assay.models.families.registry import EXISTING
from assay.models.rows import joined, rows_of
from assay.models.search.explore import FOLDER as CANDIDATES
from assay.project.steps import DATA, DECISION
from assay.prove.keys import VERIFYING_KEY_FILE, VerifyingKey
from assay.record import artefacts
from assay.release.make import private_digests
from assay.release.parts import CIRCUIT_FILE
from assay.task.task import TASK_FILE, Task
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.errors import RowsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.models.rows import Problem, Rows
    from assay.project.project import Project
    from assay.record.database import Database
    from assay.record.releases import Release

    Floats = NDArray[np.float64]

_ROWS = "dataset/rows.parquet"


@dataclass(frozen=True)
class Champion:
    """The release that decides, with the parts that it is compared by, in a folder."""

    release: Release
    folder: Path

    @cached_property
    def task(self) -> Task:
        """The task that it was decided by."""
        return Task.load(self.folder)

    @cached_property
    def dataset(self) -> Dataset:
        """The rows that it was trained and judged on."""
        return Dataset.load(self.folder / DATA)

    @cached_property
    def key(self) -> VerifyingKey:
        """Its verifying key."""
        return VerifyingKey.load(self.folder / VERIFYING_KEY_FILE)

    @cached_property
    def circuit(self) -> Circuit:
        """The model as it is proven."""
        return Circuit.load(self.folder)

    @cached_property
    def seen_until(self) -> Any:
        """The time of the last row that it was trained or chosen on, its test rows apart."""
        return max(_last(self.dataset, part) for part in ("train", "validation"))


def take(database: Database, release: Release, folder: Path) -> Champion:
    """Write the parts that gates need into a folder, once.

    Raises
    ------
    PrivatePartAbsent
        The release's private part is not held here.
    NothingDecides
        It was released without its dataset.
    """
    private = private_digests(release)
    public = {name: about["digest"] for name, about in release.public["parts"].items()}
    lacks = [name for name in (TASK_FILE, VERIFYING_KEY_FILE, MANIFEST_FILE) if name not in public]
    lacks += [name for name in (_ROWS, CIRCUIT_FILE) if name not in private]
    if lacks:
        raise NothingDecides(
            f"{release.name} has no {lacks[0]}, so no new model can be compared with it",
            "Decide and release it anew: `assay run --until report`, `assay release create`.",
        )
    wanted = {
        TASK_FILE: public[TASK_FILE],
        VERIFYING_KEY_FILE: public[VERIFYING_KEY_FILE],
        f"{DATA}/{MANIFEST_FILE}": public[MANIFEST_FILE],
        f"{DATA}/{ROWS_FILE}": private[_ROWS],
        CIRCUIT_FILE: private[CIRCUIT_FILE],
        # The task's functions are read with it.
        **{name.removeprefix("code/"): found for name, found in private.items() if name.startswith("code/")},
    }
    if not folder.is_dir():
        with files.folder(folder) as place:
            for name, part in wanted.items():
                files.write(place / name, artefacts.get(database, part))
    return Champion(release, folder)


def time_of(dataset: Dataset) -> str:
    """The column of the rows' times."""
    if dataset.time is None:
        raise NoOrder("the rows have no time", "Name their [data] time.")
    return dataset.time


def require_order(task: Task) -> None:
    """Raise `NoOrder` unless rows after a moment are rows that nobody has seen at that moment."""
    if (task.data.time is None and task.data.bars is None) or task.data.split.by in {"random", "group"}:
        raise NoOrder(
            f"the rows of {task.name} have no order in time, or are not divided by it",
            'Name their [data] time and divide by it ([data.split] by = "time"): only rows that came after the '
            "deciding model's training can show that another one is better.",
        )


@dataclass(frozen=True)
class Challenger:
    """What came of training again, in a project of its own."""

    project: Project

    @cached_property
    def task(self) -> Task:
        """The task that it was trained by."""
        return self.project.task

    @cached_property
    def dataset(self) -> Dataset:
        """All rows up to now."""
        return self.project.dataset

    @cached_property
    def decision(self) -> Decision:
        """What was decided on them."""
        return self.project.decision

    @cached_property
    def row(self) -> Row | None:
        """The candidate that was chosen, else the one that comes nearest; None if none could be proven."""
        nearest = self.decision.nearest
        wanted = self.decision.chosen or (nearest.id if nearest is not None else None)
        return next((row for row in self.decision.rows if row.id == wanted), None)

    @cached_property
    def judged(self) -> int:
        """How many candidates the test rows were asked about: each may be the best by chance."""
        return max(sum(row.provable for row in self.decision.rows), 1)

    @cached_property
    def candidate(self) -> Candidate | None:
        """The trained model of `row`."""
        if self.row is None:
            return None
        return Candidate.load(self.project.folder / CANDIDATES / self.row.id, self.project.folder)

    @cached_property
    def existing(self) -> Candidate:
        """The existing process."""
        row = next(row for row in self.decision.rows if row.family == EXISTING)
        return Candidate.load(self.project.folder / CANDIDATES / row.id, self.project.folder)

    @cached_property
    def key(self) -> VerifyingKey | None:
        """The chosen one's verifying key; None if none was chosen."""
        if self.decision.chosen is None:
            return None
        return VerifyingKey.load(self.project.folder / DECISION / CHOSEN / VERIFYING_KEY_FILE)

    @cached_property
    def circuit(self) -> Circuit | None:
        """The chosen model as it is proven."""
        if self.decision.chosen is None:
            return None
        return Circuit.load(self.project.folder / DECISION / CHOSEN)

    @cached_property
    def known(self) -> Rows:
        """The rows that it was trained and chosen on."""
        return joined([rows_of(self.dataset, "train"), rows_of(self.dataset, "validation")])


@dataclass(frozen=True)
class Fresh:
    """Test rows that came after the champion's training, and how many test rows did not."""

    rows: Rows
    left_out: int
    first: str
    last: str


def fresh(champion: Champion, dataset: Dataset) -> Fresh:
    """The rows on which both are compared."""
    test = rows_of(dataset, "test")
    times = test.frame[time_of(dataset)]
    later = (times > champion.seen_until).to_numpy()
    found = test.take(np.flatnonzero(later))
    kept = found.frame[time_of(dataset)]
    first, last = (str(kept.min()), str(kept.max())) if len(found) else ("", "")
    return Fresh(found, int((~later).sum()), first, last)


class Answered(Fitted):
    """A model as its circuit answers: what a proof says. Rows that it refuses are the existing process's."""

    def __init__(self, circuit: Circuit, problem: Problem, otherwise: Fitted) -> None:
        self._circuit = circuit
        self._problem = problem
        self._otherwise = otherwise
        self.refused = 0

    def predict(self, rows: Rows, start: int = 0) -> Floats:
        """Values, or probabilities, as `Fitted.predict` says."""
        inputs = self._inputs(rows)
        try:
            return self._of(inputs)[start:]
        except RowsError:
            pass
        found = np.array(self._otherwise.predict(rows, 0))
        self.refused = 0
        for row in range(len(rows)):
            try:
                found[row] = self._of(inputs[row : row + 1])[0]
            except RowsError:
                self.refused += 1
        return found[start:]

    def save(self, folder: Path) -> str:
        """Nothing to save: the circuit is a release's."""
        raise NotImplementedError

    def _inputs(self, rows: Rows) -> Any:
        """As rows come to the service: floats of 32 bits, whole numbers as they are."""
        if self._problem.window > 1:
            return rows.X
        names = list(self._problem.features)
        return quality.typed(rows.frame, names).select(names)

    def _of(self, inputs: Any) -> Floats:
        margins, answers = self._circuit.predict(inputs), self._circuit.answers
        if self._problem.kind == "regression":
            return np.asarray(answers.values(margins)[:, 0])
        shares = answers.probabilities(margins)
        if shares is None:
            shares = np.eye(self._problem.classes)[answers.numbers(margins)]
        return np.asarray(shares[:, 1] if self._problem.kind == "binary" else shares)


def _last(dataset: Dataset, part: str) -> Any:
    return dataset.frame(part)[time_of(dataset)].max()
