"""A retraining, step by step; each step that was done is an event, so that a run that was killed goes on.

A step's work is found again by its own traces (the walk by its cache, the release by its model, the rehearsal by its
report), so that one whose event was not written is done again without being done twice.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from assay.bench.evidence import bound, judged
from assay.core import files
from assay.core.hashing import digest
from assay.keep.retrain import plan as plans
from assay.keep.retrain.copy import copy
from assay.keep.retrain.gates import better, contract, cost, data, fidelity, fresh, key, rehearsed, schema, sources
from assay.keep.retrain.gates import task as question
from assay.keep.retrain.gates.history import compare
from assay.keep.retrain.looks import gate as looks_gate
from assay.keep.retrain.looks import next_look
from assay.keep.retrain.material import Answered, Challenger, Champion, take
from assay.keep.retrain.material import fresh as fresh_rows
from assay.keep.retrain.plan import CHALLENGER, ENDED, REFUSED, STEP
from assay.keep.retrain.verdict import Verdict, fails
from assay.project.project import Project
from assay.record import journal, leases, releases
from assay.record.journal import Event
from assay.rehearse.rehearse import rehearse
from assay.release import make
from assay.release.rehearsed import rehearsals
from assay.task.task import TASK_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from assay.keep.retrain.plan import Retraining
    from assay.record.database import Database
    from assay.record.leases import Lease
    from assay.record.releases import Release
    from assay.task.task import Task

FOLDER = "retrain"
PROJECT, BEFORE = "project", "champion"


class Run:
    """One retraining of a project.

    Parameters
    ----------
    folder
        The project's folder, which is read and never written: what is made stands below its `.assay/retrain`.
    task
        As it stands there now.
    retraining
        What was planned.
    held
        The lease on retraining the project.
    told
        Told, in one line each, what is done.
    workers
        Processes that train at once; by default those of the task.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        task: Task,
        retraining: Retraining,
        held: Lease,
        *,
        who: str,
        told: Callable[[str], None] = lambda _: None,
        workers: int | None = None,
    ) -> None:
        self.database = database
        self.folder = folder
        self.task = task
        self.retraining = retraining
        self.held = held
        self.who = who
        self.told = told
        self.workers = workers
        self.place = folder / ".assay" / FOLDER / str(retraining.number)

    def go(self) -> Retraining:
        """Do what is left; returns the retraining as it then stands.

        Raises
        ------
        AssayError
            A step cannot be done now. What was done is kept, and the next run goes on.
        """
        steps: dict[str, Callable[[], dict[str, Any]]] = {
            "copied": self._copied,
            "data": self._data,
            "looked": self._looked,
            "walked": self._walked,
            "judged": self._judged,
            "released": self._released,
            "rehearsed": self._rehearsed,
        }
        self._tidy()
        for name, step in steps.items():
            if self.retraining.outcome:
                return self.retraining
            if name not in self.retraining.steps:
                self._keep(name, step())
            refusing = [one for one in self._verdicts(name) if not one.holds]
            if refusing:
                return self._end(REFUSED, " ".join(one.said for one in refusing))
            if name == "copied" and not (self.place / PROJECT).is_dir():
                return self._end(REFUSED, f"The folder {self.place} that it worked in is gone: plan another one.")
        return self._end(CHALLENGER, f"{self._release().name} is a challenger: {self._how()}")

    @property
    def champion(self) -> Champion:
        """The release that decided when this was planned."""
        return take(self.database, releases.by_digest(self.database, self.retraining.champion), self.place / BEFORE)

    @property
    def project(self) -> Project:
        """The copy that is trained in."""
        return Project(self.place / PROJECT)

    def _tidy(self) -> None:
        """Of earlier retrainings no folder stays, nor what a killed copy left; releases are in the record."""
        home = self.place.parent
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for there in home.iterdir():
            if there != self.place:
                shutil.rmtree(there, ignore_errors=True)
        for there in self.place.glob("*.partial-*"):
            shutil.rmtree(there, ignore_errors=True)

    def _copied(self) -> dict[str, Any]:
        place = self.place / PROJECT
        if not place.is_dir():
            self.told("copying the project")
            copy(self.task, self.folder, place)
        size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
        if digest(files.read(place / TASK_FILE)) == self.retraining.task:
            return {"bytes": size}
        said = f"task.toml is not the one that {self.retraining.subject} was planned by: plan it again."
        return {"bytes": size} | _kept([fails(question.GATE, said)])

    def _data(self) -> dict[str, Any]:
        self._walk("data")
        before, dataset, settings = self.champion, self.project.dataset, self.project.task.retrain
        self.told("comparing the rows with those of the model that decides")
        verdicts = [question.gate(before.task, self.project.task, before.release.name)]
        found: dict[str, Any] = {"dataset": dataset.hash}
        if schema.shape(before.dataset.manifest, dataset.manifest):
            verdicts.append(schema.gate(before.dataset.manifest, dataset.manifest, None, settings.drift))
        else:
            fresh_, history = fresh_rows(before, dataset), compare(before.dataset, dataset)
            verdicts += [
                data.gate(before.dataset, dataset, history),
                schema.gate(before.dataset.manifest, dataset.manifest, fresh_.rows, settings.drift),
                sources.gate(before.dataset.manifest, dataset.manifest, history),
                fresh.gate(fresh_, settings.fresh_rows, before.seen_until),
                looks_gate(self._look(), settings.alpha, settings.looks),
            ]
            found |= {"fresh": len(fresh_.rows), "first": fresh_.first, "last": fresh_.last}
        return found | _kept(verdicts)

    def _looked(self) -> dict[str, Any]:
        """The look is spent before anything can have seen the test rows: killed later, it is still the same look."""
        look = self._look()
        return {"look": look.number, "error": look.error}

    def _walked(self) -> dict[str, Any]:
        self._walk("report")
        decision = self.project.decision
        return {"chosen": decision.chosen, "headline": decision.headline}

    def _judged(self) -> dict[str, Any]:
        before, now = self.champion, Challenger(self.project)
        settings, error = now.task.retrain, (self.retraining.error or 0.0) / now.judged
        self.told("comparing with the model that decides and with today's process, on fresh rows")
        verdicts = [fidelity.gate(now.row), cost.gate(now.task, now.row)]
        found: dict[str, Any] = {"candidates": now.judged}
        if now.key is None or now.circuit is None or now.candidate is None:
            unmet = better.least_wanted(now.task, now.row)
            verdicts += [unmet or better.gate("existing", None, 0.0)] if all(one.holds for one in verdicts) else []
            return found | _kept(verdicts)
        rows, problem, existing = fresh_rows(before, now.dataset).rows, now.candidate.problem, now.existing.fitted
        champion = Answered(before.circuit, problem, existing)
        mine, its, todays = (
            judged(now.task, problem, fitted, rows, past=now.known)
            for fitted in (Answered(now.circuit, problem, existing), champion, existing)
        )
        over = {
            "existing": bound(now.task, problem, rows, (mine, todays), error),
            "champion": bound(now.task, problem, rows, (mine, its), error),
        }
        self.told("comparing key and contract")
        compared = contract.examine(before.key, now.key)
        verdicts += [
            better.gate("existing", over["existing"], 0.0),
            better.gate("champion", over["champion"], settings.margin, refused=champion.refused),
            key.gate(before.key, now.key),
            contract.gate(compared),
        ]
        found["metric"] = {"name": now.task.metric, **_of(now.task.metric, mine, its, todays)}
        found["over"] = {name: asdict(one) for name, one in over.items() if one is not None}
        return found | {"contract": asdict(compared), "model_id": now.key.model_id} | _kept(verdicts)

    def _released(self) -> dict[str, Any]:
        model = self.retraining.steps["judged"]["model_id"]
        made = [one for one in releases.find(self.database, self.task.name) if one.public["model_id"] == model]
        if not made:
            self.told("keeping the release")
            note = f"retraining {self.retraining.number}: {self.retraining.trigger.said}"
            made = [make.create(self.database, self.project, who=self.who, note=note)]
        return {"release": made[0].digest, "version": made[0].version}

    def _rehearsed(self) -> dict[str, Any]:
        settings, release = self.project.task.retrain, self._release()
        if settings.rehearse and not rehearsals(self.database, release):
            self.told(f"rehearsing {release.name}")
            rehearse(
                self.database,
                self.folder,
                self.project.task,
                release,
                who=self.who,
                periods=settings.periods,
                told=self.told,
            )
        played = rehearsals(self.database, release)
        last = played[-1] if played else None
        return _kept([rehearsed.gate(last, release.name, wanted=settings.rehearse)])

    def _release(self) -> Release:
        return releases.by_digest(self.database, str(self.retraining.release))

    def _how(self) -> str:
        if self.project.task.retrain.policy == "automatic":
            return (
                "it is proposed to the registry of the chain that counts, if there is one, and else waits for a person."
            )
        return "shadow it or let an experiment decide, then promote it (`assay release promote`)."

    def _walk(self, until: str) -> None:
        self.project.run(until, workers=self.workers, progress=self.told)

    def _look(self) -> Any:
        spent = [
            one.error
            for one in plans.retrainings(self.database, self.task.name)
            if one.error is not None and one.number != self.retraining.number
        ]
        settings = self.project.task.retrain
        return next_look(spent, settings.alpha, settings.looks)

    def _verdicts(self, step: str) -> list[Verdict]:
        return [Verdict(**one) for one in self.retraining.steps[step].get("verdicts", [])]

    def _keep(self, step: str, what: dict[str, Any]) -> None:
        refused = [one["said"] for one in what.get("verdicts", []) if not one["holds"]]
        said = f"{step}: {' '.join(refused)}" if refused else step
        happened = Event(STEP, self.retraining.subject, self.who, {"step": step, **what}, said)
        self._append(happened, lambda event: event.kind == STEP and event.what["step"] == step)

    def _end(self, outcome: str, said: str) -> Retraining:
        happened = Event(ENDED, self.retraining.subject, self.who, {"outcome": outcome}, said)
        self._append(happened, lambda event: event.kind == ENDED)
        return self.retraining

    def _append(self, happened: Event, same: Callable[[Event], bool]) -> None:
        """Once, and only by whoever holds the lease."""

        def wanted(connection: Connection) -> bool:
            leases.require(self.database, connection, self.held)
            there = journal.read_in(connection, self.task.name, [STEP, ENDED], subject=self.retraining.subject)
            return not any(same(event) for event in there)

        journal.append_if(self.database, self.task.name, happened, wanted)
        found = plans.retrainings(self.database, self.task.name)
        self.retraining = found[self.retraining.number - 1]


def drop(database: Database, project: str, retraining: Retraining, *, who: str, why: str) -> None:
    """End a retraining that cannot go on; what it spent of the stated error stays spent."""
    happened = Event(ENDED, retraining.subject, who, {"outcome": REFUSED}, f"dropped: {why}")
    journal.append_if(
        database,
        project,
        happened,
        lambda connection: not journal.read_in(connection, project, [ENDED], subject=retraining.subject),
    )


def _kept(verdicts: list[Verdict]) -> dict[str, Any]:
    return {"verdicts": [one.to_dict() for one in verdicts]}


def _of(metric: str, *judged_: Any) -> dict[str, float]:
    names = ("challenger", "champion", "existing")
    return {name: float(one.metrics[metric]) for name, one in zip(names, judged_, strict=True)}
