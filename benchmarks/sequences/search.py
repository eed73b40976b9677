"""Each family searches alone for the same time; then one decision about all that they found."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from assay.bench.decide import decide
from assay.bench.decision import Decision
from assay.core.hashing import digest
from assay.data.dataset.dataset import Dataset
from assay.models.candidate import Candidate
from assay.models.cost.cost import Calibration
from assay.models.families.registry import EXISTING
from assay.models.search.explore import FOLDER, explore
from assay.models.search.front import Front, flagged
from assay.models.search.search import ROUND
from benchmarks.sequences.questions import Question


@dataclass(frozen=True)
class Found:
    """What a family found: its front, where its candidates are, and what it took, by the clock and of processors.

    The search is one process of one thread: where both differ, it had to wait for other work on the machine.
    """

    front: Front
    project: Path
    seconds: float
    processor_seconds: float

    @property
    def best(self) -> Candidate:
        """The best in the cross-validation of what can be proven, whatever it costs."""
        return Candidate.load(self.project / FOLDER / self.front.best[0].id, self.project)


def search(question: Question, dataset: Dataset, name: str, known: Calibration, seconds: float) -> Found:
    """Explore one family in one process until the time is over."""
    project, trials = question.project / name, 0
    start, processor = time.perf_counter(), time.process_time()
    while more := _more(trials, time.perf_counter() - start, seconds):
        trials += more
        front = explore(question.of((name,), trials), dataset, project / FOLDER, project, calibration=known)
    return Found(front, project, time.perf_counter() - start, time.process_time() - processor)


def _more(done: int, spent: float, seconds: float) -> int:
    """How many trials to make at once: as many as fit by the mean of those before; none if half of one does not."""
    if not done:
        return 1
    left = (seconds - spent) * done / spent
    return 0 if left < 0.5 else min(max(int(left), 1), ROUND)


def decided(question: Question, dataset: Dataset, found: dict[str, Found]) -> Decision:
    """`assay decide` on the front of all families together."""
    place, parts = question.project / "together", list(found.values())
    candidates = [one for part in parts for one in part.front.candidates if one.family != EXISTING]
    candidates += [one for one in parts[0].front.candidates if one.family == EXISTING]
    for part in parts:
        shutil.copytree(part.project / FOLDER, place / FOLDER, dirs_exist_ok=True)
    trials = sum(part.front.trials for part in parts)
    front = parts[0].front.model_copy(
        update={
            "study": digest("".join(part.front.study for part in parts).encode())[:16],
            "candidates": tuple(flagged(candidates)),
            "trials": trials,
            "pruned": tuple(one for part in parts for one in part.front.pruned),
            "failed": tuple(one for part in parts for one in part.front.failed),
        }
    )
    front.save(place / FOLDER)
    return decide(question.of(tuple(found), trials), dataset, front, place / "decision", place)
