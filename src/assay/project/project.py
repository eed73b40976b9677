"""`assay.Project`: the whole walk in one object."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core.shown import Shown
from assay.project.errors import NoProject, StepMissing, StepUnknown
from assay.project.runners import RUNNERS, dataset
from assay.project.state import Done, State, locked
from assay.project.status import StepStatus, status_of
from assay.project.steps import CANDIDATES, DATA, DECISION, REPORT_FILE, STEPS, Step, inputs, output
from assay.task.task import TASK_FILE, Task

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from assay.bench.decision import Decision
    from assay.data.dataset.dataset import Dataset
    from assay.models.search.front import Front
    from assay.prove.keys import Keys
    from assay.task.check import Check

    Progress = Callable[[str], None]


@dataclass(frozen=True, repr=False)
class Run(Shown):
    """What one `Project.run` did.

    Attributes
    ----------
    project
        Its folder.
    ran
        Seconds of each step that ran, in order.
    kept
        Steps that were fresh.
    chosen
        The candidate decided for; None if none qualified, or nothing was decided.
    decided
        Whether there is a decision.
    reasons
        The decision's sentences.
    notes
        What of the rows is not in the dataset as it came, and what of the models was not tried, a sentence each.
    key
        A sentence of the chosen one's keys: kept or made, and for how many rows; empty if nothing was chosen.
    """

    project: Path
    ran: dict[str, float] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    chosen: str | None = None
    decided: bool = False
    reasons: tuple[str, ...] = ()
    key: str = ""
    notes: tuple[str, ...] = ()

    def _facts(self) -> list[tuple[str, str]]:
        chosen = (self.chosen or "none") if self.decided else "not decided"
        return [
            ("chosen", chosen),
            ("ran", ", ".join(self.ran) or "nothing"),
            ("kept", ", ".join(self.kept) or "nothing"),
            *([("said", self.reasons[0])] if self.reasons else []),
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values."""
        return {
            "project": str(self.project),
            "ran": self.ran,
            "kept": list(self.kept),
            "decided": self.decided,
            "chosen": self.chosen,
            "reasons": list(self.reasons),
            "key": self.key,
            "notes": list(self.notes),
        }


class Project(Shown):
    """A folder with a task.toml, and what was made from it.

    >>> import assay
    >>> assay.Project("fee").run()                       # doctest: +SKIP

    Parameters
    ----------
    folder
        The project's folder.

    Raises
    ------
    NoProject
        If there is no task.toml in it.
    """

    def __init__(self, folder: str | os.PathLike[str] = ".") -> None:
        self.folder = Path(folder)
        if not (self.folder / TASK_FILE).exists():
            raise NoProject(f"{self.folder} has no {TASK_FILE}", "Start one with `assay init`, or name its folder.")

    @property
    def task(self) -> Task:
        """The task as it is written now; raises as `Task.load` does."""
        return Task.load(self.folder)

    @property
    def dataset(self) -> Dataset:
        """The rows that models learn from; raises StepMissing before they are built."""
        return dataset(self.folder)

    @property
    def front(self) -> Front:
        """What the exploration found; raises StepMissing before there is one."""
        from assay.models.search.front import FILE, Front

        place = self._made(self.folder / CANDIDATES / FILE, "candidates", "assay explore")
        return Front.load(place.parent)

    @property
    def decision(self) -> Decision:
        """Which candidate is good enough and why; raises StepMissing before that is decided."""
        from assay.bench.decision import FILE, Decision

        return Decision.load(self._made(self.folder / DECISION / FILE, "decision", "assay decide").parent)

    @property
    def chosen(self) -> Keys | None:
        """The keys of the chosen candidate, None if none is; raises StepMissing before that is decided."""
        from assay.bench.decision import CHOSEN
        from assay.prove.keys import Keys

        decision = self.decision
        return None if decision.chosen is None else Keys.load(self.folder / DECISION / CHOSEN)

    @property
    def report_path(self) -> Path:
        """Where the report is; raises StepMissing before it is written."""
        return self._made(self.folder / REPORT_FILE, "report", "assay report")

    def _made(self, path: Path, what: str, command: str) -> Path:
        if not path.exists():
            raise StepMissing(f"{self.folder} has no {what} yet", f"Run `{command}` first, or `assay run`.")
        return path

    def _facts(self) -> list[tuple[str, str]]:
        made = {"data": DATA, "explore": CANDIDATES, "decide": DECISION}
        steps = [name for name, place in made.items() if (self.folder / place).is_dir()]
        return [("folder", str(self.folder)), ("made", ", ".join(steps) or "nothing yet")]

    def check(self) -> Check:
        """Look for what cannot be; raises as `Task.load` does."""
        from assay.project.check import check

        return check(self.folder)

    def status(self) -> list[StepStatus]:
        """Which steps are fresh, stale or missing, and why, in their order."""
        task, state = self.task, State.load(self.folder)
        found: dict[str, StepStatus] = {}
        for step in STEPS:
            before = [name for name in step.needs if found[name].state != "fresh"]
            found[step.name] = self._status(step, task, state).after(before)
        return list(found.values())

    def run(
        self,
        until: str = "decide",
        *,
        workers: int | None = None,
        ray: str | None = None,
        progress: Progress = lambda _step: None,
    ) -> Run:
        """Do every step that is not fresh, up to `until`.

        A run that was interrupted goes on where it stopped: steps that ended are fresh, and a step that was cut
        short resumes as far as its room does (collected blocks and finished trials are kept).

        Parameters
        ----------
        until
            The last step: "data", "explore", "decide" or "report".
        workers
            Processes that train at once; by default those of the task.
        ray
            Address of a Ray cluster to train and prove on instead.
        progress
            Told what is happening, in a few words.

        Raises
        ------
        TaskError
            If the task is wrong or contradicts itself.
        ProjectBusy
            If another process works in the project.
        AssayError
            What a step raises. Steps before it are done and kept.
        """
        if until not in RUNNERS:
            raise StepUnknown(f'no step is called "{until}"', f"They are {', '.join(RUNNERS)}.")
        self.check().require()
        options: dict[str, dict[str, Any]] = {"explore": {"workers": workers, "ray": ray}, "decide": {"ray": ray}}
        ran: dict[str, float] = {}
        kept: list[str] = []
        with locked(self.folder):
            for step in STEPS[: list(RUNNERS).index(until) + 1]:
                seconds = self._make(step, progress, options.get(step.name, {}))
                if seconds is None:
                    kept.append(step.name)
                else:
                    ran[step.name] = seconds
        return self._result(ran, tuple(kept), decided=until in {"decide", "report"})

    def step(self, name: str, *, progress: Progress = lambda _step: None, **options: Any) -> float | None:
        """Do one step alone, from what is there; None if it is fresh, else its seconds.

        Raises
        ------
        StepUnknown
            There is no such step.
        StepMissing
            A step that it needs was not made yet.
        """
        found = next((step for step in STEPS if step.name == name), None)
        if found is None:
            raise StepUnknown(f'no step is called "{name}"', f"They are {', '.join(RUNNERS)}.")
        with locked(self.folder):
            return self._make(found, progress, options)

    def record(self, name: str, seconds: float) -> None:
        """Remember that a step was made just now from what is there now, by other means than `run`."""
        task, state = self.task, State.load(self.folder)
        step = next(step for step in STEPS if step.name == name)
        self._remember(step, state, self._inputs(step, task, state), seconds)

    def _make(self, step: Step, progress: Progress, options: dict[str, Any]) -> float | None:
        # Read again for each step: another step, or a person, may have changed a file meanwhile.
        task, state = self.task, State.load(self.folder)
        progress(f"{step.name}: looking at what is there")
        # Other costs may lead to other candidates, whatever else is unchanged.
        if self._status(step, task, state).state == "fresh" and not options.get("calibrate"):
            return None
        start = time.perf_counter()
        made_from = self._inputs(step, task, state)
        RUNNERS[step.name](task, self.folder, lambda words: progress(f"{step.name}: {words}"), **options)
        seconds = time.perf_counter() - start
        self._remember(step, state, made_from, seconds)
        return seconds

    def _remember(self, step: Step, state: State, made_from: dict[str, str], seconds: float) -> None:
        made = output(step, self.folder, state.files)
        state.steps[step.name] = Done(inputs=made_from, output=made, when=time.time(), seconds=seconds)
        state.save(self.folder)

    def _status(self, step: Step, task: Task, state: State) -> StepStatus:
        made = output(step, self.folder, state.files)
        return status_of(step.name, state.steps.get(step.name), self._inputs(step, task, state), made)

    def _inputs(self, step: Step, task: Task, state: State) -> dict[str, str]:
        outputs = {other.name: output(other, self.folder, state.files) for other in STEPS if other.name in step.needs}
        return inputs(step, task, self.folder, state.files, outputs)

    def _result(self, ran: dict[str, float], kept: tuple[str, ...], *, decided: bool) -> Run:
        about = self.dataset.manifest
        notes = [f"{heading}: {said}" for heading, said in about.told()]
        if "explore" in {*ran, *kept}:
            notes += self.front.told(about.type)
        if not decided:
            return Run(self.folder, ran, kept, notes=tuple(notes))
        from assay.bench.decision import Decision

        found = Decision.load(self.folder / DECISION)
        return Run(self.folder, ran, kept, found.chosen, True, found.reasons, found.key, tuple(notes))  # noqa: FBT003
