"""Explore: which models are possible, with proving cost as an objective beside accuracy."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import documents, files
from assay.core.errors import ArtefactVersion, AssayError, StorageError
from assay.core.hashing import digest
from assay.core.workers import Workers
from assay.core.workers import workers as crew_of
from assay.models.candidate import FILE, Record, Summary, facts_from, read_record
from assay.models.cost.cost import FREE, Calibration, Cost
from assay.models.cost.economics import broken, limits_of
from assay.models.errors import CandidateDamaged, NothingToExplore, TrialsFailed
from assay.models.families.registry import EXISTING, suitable
from assay.models.metrics import loss_of, require_measurable, require_suitable
from assay.models.rows import problem_of, rows_of
from assay.models.search.front import Failed, Front, Pruned, contenders, flagged
from assay.models.search.sample import drawn, sample_of
from assay.models.search.search import Proposal, Search
from assay.models.search.trial import Job, Outcome, Study, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assay.data.dataset.dataset import Dataset
    from assay.models.candidate import Score
    from assay.models.families.family import Family, Params
    from assay.models.rows import Rows
    from assay.task.task import Task

FOLDER = "candidates"
SLACK = 0.25
"""A trial is pruned only if its predicted cost breaks a limit by more than predictions may be off."""


def explore(
    task: Task,
    dataset: Dataset,
    out: Path,
    project: Path,
    *,
    calibration: Calibration,
    workers: int | None = None,
    ray: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Front:
    """Search for models, fit the references and the existing process, and write them all.

    Parameters
    ----------
    task
        The question, with limits and the search's settings.
    dataset
        Its rows; those of the test split are not touched.
    out
        Folder for the candidates, the front and the search's memory (`candidates` in a project). An
        interrupted exploration goes on there; a finished one is read.
    project
        The project's folder, where the existing process may have its function.
    calibration
        What proving costs on this machine (`assay.bench.calibrate.calibration`).
    workers
        Processes; by default [explore] workers.
    ray
        Address of a Ray cluster to run the trials on, instead of processes. Same results.
    progress
        Is told each trial and the current front.

    Returns
    -------
    Front

    Raises
    ------
    NothingToExplore
        No allowed family suits the data.
    TooFewRows
        The training rows do not fill the folds.
    TrialsFailed
        No trial came to an end.
    AssayError
        The existing process or the loss cannot be computed, a folder cannot be written, workers ended.
    """
    one = _Exploration.of(task, dataset, Path(out), Path(project), calibration)
    one.step = progress or one.step
    with crew_of(one.study, count=workers or task.explore.workers, ray=ray) as crew:
        one.references()
        one.search(crew)
    front = one.front()
    front.save(one.out)
    return front


@dataclass
class _Exploration:
    """One exploration and what it has found so far."""

    task: Task
    dataset: Dataset
    out: Path
    calibration: Calibration
    study: Study
    families: list[Family]
    skipped: dict[str, str]
    name: str
    pilot: Rows
    step: Callable[[str], None] = lambda _: None
    found: dict[str, Summary] = field(default_factory=dict)
    pruned: list[Pruned] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    @classmethod
    def of(cls, task: Task, dataset: Dataset, out: Path, project: Path, calibration: Calibration) -> _Exploration:
        """Read the rows and find the families that suit them; raises as `explore` does."""
        problem = problem_of(task, dataset)
        require_suitable(problem)
        train = rows_of(dataset, "train")
        require_measurable(problem, np.concatenate([train.y, rows_of(dataset, "validation").y]))
        families, skipped = suitable(task.explore.families, problem, train)
        if not any(family.provable for family in families):
            reasons = "; ".join(f"{name} {reason}" for name, reason in skipped.items()) or "only references are allowed"
            raise NothingToExplore(f"no provable model family suits the task ({reasons})", "Allow others in [explore].")
        settings = task.explore
        sample = sample_of(len(train))
        study = Study(problem, train, rows_of(dataset, "validation"), settings.folds, settings.seed, project, sample)
        name = _name(task, study, dataset=dataset, families=families, calibration=calibration)
        pilot = train.take(drawn(problem, train, np.arange(len(train)), sample, settings.seed))
        return cls(task, dataset, out, calibration, study, families, skipped, name, pilot)

    def references(self) -> None:
        """The existing process, and the families without anything to search: fitted once, here."""
        jobs: list[tuple[str, Params, Any]] = [(EXISTING, {}, None)]
        jobs += [(family.name, {}, family) for family in self.families if not family.searched]
        for name, params, family in jobs:
            self.step(f"Fitting {name}")
            if not self._known(name, params):
                before = self._before(family, params)
                self._keep(name, params, before, run(self.study, Job(-1, name, params)), trial=-1)

    def search(self, crew: Workers) -> None:
        """Round after round, until all trials are told; then the front learns from all rows."""
        if self.study.sample:
            self.step(f"Learning from {self.study.sample:,} of {len(self.study.train):,} rows first, judging on all")
        searched = [family for family in self.families if family.searched]
        if not searched:
            return
        search = Search(self.out, self.name, searched, self.study.problem, self.study.seed)
        try:
            self._recall(search, {family.name: family for family in searched})
            while proposals := search.round(self.task.explore.trials):
                self._round(search, {family.name: family for family in searched}, proposals, crew)
        finally:
            search.close()
        self._finish(crew)

    def front(self) -> Front:
        """What was found."""
        candidates = flagged(list(self.found.values()))
        if not any(one.provable for one in candidates) and not self.pruned:
            what = self.failed[0].what if self.failed else "none was tried"
            raise TrialsFailed(
                f"not one of {self.task.explore.trials} trials came to an end ({what})", "See [explore]."
            )
        settings = self.task.explore
        return Front(
            schema="assay-front/1",
            dataset=self.dataset.hash,
            study=self.name,
            calibration=self.calibration.digest,
            metric=self.study.problem.metric,
            trials=settings.trials,
            seed=settings.seed,
            folds=settings.folds,
            candidates=tuple(candidates),
            pruned=tuple(sorted(self.pruned, key=lambda one: one.trial)),
            failed=tuple(sorted(self.failed, key=lambda one: one.trial)),
            skipped=self.skipped,
        )

    def _round(self, search: Search, families: dict[str, Family], proposals: list[Proposal], crew: Workers) -> None:
        wanted: list[tuple[Proposal, Cost | None]] = []
        for proposal in proposals:
            before = self._before(families[proposal.family], proposal.params)
            limits = [] if before is None else broken(self.task, before, slack=SLACK)
            if limits:
                search.note(proposal, limits=limits)
                search.tell(proposal, None, pruned=True)
                self.pruned.append(Pruned(trial=proposal.index, family=proposal.family, limits=tuple(limits)))
            else:
                wanted.append((proposal, before))
        outcomes = self._outcomes([proposal for proposal, _ in wanted], crew)
        # Told in the order of the proposals: what a later round learns must not depend on who was first.
        for proposal, before in wanted:
            summary = self._keep(
                proposal.family, proposal.params, before, outcomes.get(proposal.index), trial=proposal.index
            )
            if summary is None:
                search.note(proposal, failed=self.failed[-1].what)
            search.tell(proposal, None if summary is None else _objectives(summary))
            self._report(proposal, summary)

    def _finish(self, crew: Workers) -> None:
        """Have what may be the most accurate learn from all rows and be judged again, and the front learn from them."""
        while True:
            found = list(self.found.values())
            again = contenders(found)
            left = again or [one for one in flagged(found) if one.front and not one.whole]
            if not left:
                return
            self.step(f"Learning from all rows: {', '.join(one.id for one in left)}")
            jobs = [
                Job(number, one.family, one.params, whole=True, cv=None if again else one.cv)
                for number, one in enumerate(left)
            ]
            for number, outcome in crew.run(run, jobs):
                one = self.found.pop(left[number].id)
                before, sampled = one.predicted_before, one.cv if again else None
                kept = self._keep(one.family, one.params, before, outcome, trial=-1, sample_cv=sampled)
                if kept is not None:
                    self.step(f"{one.id} has learned from all {len(self.study.train):,} rows: {_shown(kept)}")

    def _outcomes(self, proposals: list[Proposal], crew: Workers) -> dict[int, Outcome]:
        """Results of those that have no candidate yet; equal parameters run once."""
        jobs: dict[str, Job] = {}
        for proposal in proposals:
            if not self._known(proposal.family, proposal.params):
                jobs.setdefault(
                    self._id(proposal.family, proposal.params), Job(proposal.index, proposal.family, proposal.params)
                )
        listed = list(jobs.values())
        return {listed[number].number: outcome for number, outcome in crew.run(run, listed)}

    def _keep(
        self,
        name: str,
        params: Params,
        before: Cost | None,
        outcome: Outcome | None,
        *,
        trial: int,
        sample_cv: Score | None = None,
    ) -> Summary | None:
        """Write a candidate's folder; None if the trial failed."""
        identifier = self._id(name, params)
        if outcome is None or identifier in self.found:
            return self.found.get(identifier)
        if outcome.cv is None:
            self.failed.append(Failed(trial=trial, family=name, what=outcome.failed))
            return None
        kind = next((family for family in self.families if family.name == name), None)
        predicted = self.calibration.predict(outcome.size)
        summary = Summary(
            id=identifier,
            family=name,
            title=kind.title if kind else "existing process",
            params=params,
            provable=kind is not None and kind.provable,
            metric=self.study.problem.metric,
            cv=outcome.cv,
            sample_cv=sample_cv,
            validation=outcome.validation,
            size=outcome.size,
            predicted=predicted,
            predicted_before=before or predicted,
            fit_seconds=outcome.seconds,
            sample=outcome.sample,
            whole=outcome.whole,
        )
        record = Record(
            schema="assay-candidate/1",
            summary=summary,
            problem=facts_from(self.study.problem),
            dataset=self.dataset.hash,
            seed=self.study.seed,
            file=outcome.file,
            file_sha256=digest(outcome.content[outcome.file]),
        )
        with files.folder(self.out / identifier) as place:
            for file, content in outcome.content.items():
                files.write(place / file, content)
            documents.write(place / FILE, record)
        self.found[identifier] = summary
        return summary

    def _known(self, name: str, params: Params) -> bool:
        """Whether the candidate is there already: from this run, or from one that was interrupted."""
        identifier = self._id(name, params)
        if identifier in self.found:
            return True
        try:
            record = read_record(self.out / identifier)
            content = files.read(self.out / identifier / record.file)
        except (StorageError, ArtefactVersion, CandidateDamaged):
            return False
        if digest(content) != record.file_sha256:
            return False
        self.found[identifier] = record.summary
        return True

    def _recall(self, search: Search, families: dict[str, Family]) -> None:
        """What an earlier run of the same exploration told."""
        for one in search.told(self.task.explore.trials):
            index, name, params = one.proposal.index, one.proposal.family, one.proposal.params
            if "limits" in one.notes:
                self.pruned.append(Pruned(trial=index, family=name, limits=tuple(one.notes["limits"])))
            elif "failed" in one.notes:
                self.failed.append(Failed(trial=index, family=name, what=one.notes["failed"]))
            elif not self._known(name, params):
                # Its folder was deleted: the result is known, the model is not.
                before = self._before(families[name], params)
                self._keep(name, params, before, run(self.study, Job(index, name, params)), trial=index)

    def _before(self, family: Family | None, params: Params) -> Cost | None:
        """The predicted cost; None if the library refuses the parameters, as the trial will too, and say why."""
        if family is None or not family.provable:
            return FREE
        try:
            size = family.expected_size(params, self.study.problem, self.pilot, self.study.seed)
        except (AssayError, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - a family's library may raise anything
            return None
        return self.calibration.predict(size)

    def _id(self, name: str, params: Params) -> str:
        text = json.dumps([self.name, name, params], sort_keys=True)
        return f"{name}-{digest(text.encode())[:8]}"

    def _report(self, proposal: Proposal, summary: Summary | None) -> None:
        number, total = proposal.index + 1, self.task.explore.trials
        if summary is None:
            self.step(f"Trial {number} of {total}: {proposal.family} failed")
            return
        best = [one for one in flagged(list(self.found.values())) if one.front]
        text = f"Trial {number} of {total}: {summary.title}, {_shown(summary)}"
        if best:
            cheap = min(best, key=lambda one: one.predicted.prove_seconds)
            text += f"; front of {len(best)}: best {_shown(best[0])}, cheapest {_shown(cheap)}"
        self.step(text)


def _objectives(summary: Summary) -> tuple[float, float, float]:
    # As all trials are told: what learned from all rows in an earlier, shorter search has no lead.
    return (
        loss_of(summary.metric, (summary.sample_cv or summary.cv).mean),
        summary.predicted.prove_seconds,
        float(summary.predicted.gas),
    )


def _shown(summary: Summary) -> str:
    text = f"{summary.metric} {summary.cv.mean:.4g}"
    return text if not summary.provable else f"{text} in {summary.predicted.prove_seconds * 1e3:.0f} ms"


def _name(task: Task, study: Study, *, dataset: Dataset, families: list[Family], calibration: Calibration) -> str:
    """Digest of all that an exploration follows from; two of the same name find the same."""
    limits = limits_of(task)
    # The dataset's hash knows the series and the window.
    known = {"entity", "time", "window"}
    asked = {name: value for name, value in asdict(study.problem).items() if name not in known}
    followed: list[object] = [dataset.hash, calibration.digest, limits, {**asked, "existing": None}]
    followed += [task.existing.model_dump(mode="json"), _code(task, study.project)]
    followed += [[family.name for family in families], task.explore.folds, task.explore.seed]
    if study.sample:
        followed.append(["sample", study.sample, "judged again"])
    # Prices and the speed of the chain count only as far as they decide what is pruned.
    if "usd_per_inference" in limits:
        followed.append(task.value.model_dump(mode="json"))
    if "latency_blocks" in limits:
        followed += [task.block_seconds, task.protocol.feature_delay_blocks]
    return digest(json.dumps(followed).encode())[:16]


def _code(task: Task, project: Path) -> str:
    """Hash of the project's function that decides today, if there is one."""
    if task.existing.function is None:
        return ""
    return digest(files.read(project / task.existing.function.partition(":")[0]))


def told(front: Front) -> Iterator[tuple[str, str]]:
    """The front as lines for a person: name and figures."""
    for one in front.candidates:
        if one.front or not one.provable:
            cost = (
                f"{one.predicted.prove_seconds * 1e3:.0f} ms, {one.predicted.gas:,} gas"
                if one.provable
                else "not proven"
            )
            yield one.id, f"{one.metric} {one.cv.mean:.5g} ± {one.cv.std:.2g}, {cost}"
