"""A look: every signal of the release that decides, and the alarms that follow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from assay.core.errors import AssayError
from assay.keep.watch import alarms, inputs, loss, service
from assay.keep.watch.alarms import CLEARED, WHO
from assay.keep.watch.material import MOST, answers_of, lines_of, strange_of, watched
from assay.keep.watch.service import Served
from assay.record import journal, releases
from assay.release import alias
from assay.settle.errors import NoDefault
from assay.settle.network import network
from assay.settle.shadow import deciding

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.keep.watch.alarms import Alarm
    from assay.keep.watch.material import Watched
    from assay.keep.watch.signal import Signal
    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.task.task import Task

STATISTICAL = 7
"""Signals that share alpha: two of the loss, three of the inputs, one of the outputs, calibration."""


@dataclass(frozen=True)
class Look:
    """What was seen.

    Attributes
    ----------
    release
        That decides; None: nothing does.
    signals
        In the order of what matters.
    history
        Points of the figure; see `loss.history`.
    notes
        What was left out, and what could not be seen.
    """

    release: Release | None
    chain: str | None
    time: float
    signals: tuple[Signal, ...] = ()
    history: dict[str, list[float]] = field(default_factory=dict)
    unit: str = ""
    promised: tuple[float, float, float] | None = None
    notes: tuple[str, ...] = ()


@dataclass
class Watcher:
    """Looks at one project on one chain, or at answers of no chain.

    Parameters
    ----------
    task
        The project's, with [watch], limits and chains.
    told
        Told of alarms, and of what keeps it from looking.
    """

    database: Database
    task: Task
    chain: str | None
    told: Callable[[str], None] = field(default=lambda _: None)
    _known: dict[str, Watched] = field(default_factory=dict)

    def look(self) -> Look:
        """See how everything stands; nothing is written."""
        database, project = self.database, self.task.name
        with database.read() as connection:
            now = database.now(connection)
        champion, head, notes = self._champion()
        if champion is None:
            return Look(None, self.chain, now, notes=("no release decides", *notes))
        release = releases.by_digest(database, champion)
        if release.digest not in self._known:
            self._known = {release.digest: watched(database, release)}
        of = self._known[release.digest]
        kept = answers_of(database, project, release, self.chain)
        if len(kept) > MOST:
            kept = kept[-MOST:]
            notes.append(
                f"the oldest answers are left out: more than {MOST} were kept, and alpha bounds no longer all looks"
            )
        lines = lines_of(of, kept)
        if strange := strange_of(of, kept):
            notes.append(f"what came of {strange} rows is no class that the model knows, and counts in no loss")
        if forgotten := [one for one in kept if not one.row]:
            notes.append(
                f"{len(forgotten)} answers' rows were forgotten, as was agreed, and are not looked at: of loss and "
                "calibration alpha bounds no longer all looks"
            )
        if of.absent:
            notes.append(of.absent)
        after, taken = self._cleared(release.digest)
        served = Served(of, self.task, kept, self.chain, head, now, taken)
        found = loss.realise(of, lines)
        watch, alpha = self.task.watch, self.task.watch.alpha / STATISTICAL
        gone = sum(len(one.outputs["values"]) if one.outputs else 1 for one in forgotten)
        terms = inputs.Terms(alpha, watch, gone, taken)
        rest = of.reference.residuals if of.reference is not None else np.zeros((0, 0))
        shares = loss.calibration(found, rest, alpha=alpha, watch=watch, after=after.get("calibration", 0.0))
        features = of.circuit.features if of.circuit is not None else []
        signals = [
            *loss.loss_signals(found, alpha=alpha, watch=watch, after=after),
            *service.outcomes(served, database),
            *inputs.inputs(lines, of.reference, of.absent, terms),
            inputs.outputs(lines, of.reference, of.absent, terms),
            inputs.clamped(lines, features, of.reference, terms),
            *([] if shares is None else [shares]),
            service.faithful(served, database),
            *service.proving(served),
            service.latency(served, database),
            *service.money(served, database),
        ]
        signals = [_since_taken(one, taken) for one in signals]
        said = found.promise
        return Look(
            release,
            self.chain,
            now,
            tuple(signals),
            loss.history(found, watch.alpha),
            found.unit,
            None if said is None else (said.loss, said.low, said.high),
            tuple(notes),
        )

    def step(self) -> Look:
        """Look, and write down which alarms stand from now on, and which no more."""
        seen = self.look()
        if seen.release is None:
            return seen
        standing = {one.signal: one for one in self.standing()}
        for signal in seen.signals:
            there = standing.pop(signal.name, None)
            if signal.state == "alarm":
                raised = alarms.raise_(
                    self.database, self.task.name, signal.alarm(seen.release.digest, self.chain, seen.time)
                )
                if raised is not None:
                    self.told(f"ALARM {raised.code}: {raised.why}")
            elif there is not None and (signal.state == "well" or there.release != seen.release.digest):
                self._clear(there, seen.release, signal)
        for there in standing.values():  # of a signal that this release does not have
            self._clear(there, seen.release, None)
        return seen

    def standing(self) -> list[Alarm]:
        """The alarms that stand here."""
        return [one for one in alarms.open_alarms(self.database, self.task.name) if one.chain == self.chain]

    def _clear(self, there: Alarm, release: Release, signal: Signal | None) -> None:
        if there.release != release.digest or signal is None:
            why, figures = f"{release.name} decides now", {}
        else:
            why, figures = signal.said, signal.figures
        if alarms.clear(self.database, self.task.name, there, why, figures):
            self.told(f"well again {there.code}: {why}")

    def _champion(self) -> tuple[str | None, int | None, list[str]]:
        """The release that decides, the chain's newest block, and what could not be asked."""
        if self.chain is None:
            return alias.champion(self.database, self.task.name), None, []
        try:
            on = network(self.task, self.chain)
            return deciding(self.database, self.task.name, on), on.node.head(), []
        except NoDefault as error:
            return None, None, [error.what]
        except AssayError as error:
            said = f"the chain cannot be asked, so the record counts: [{error.code}] {error.what}"
            return alias.champion(self.database, self.task.name), None, [said]

    def _cleared(self, release: str) -> tuple[dict[str, float], dict[str, float]]:
        """When an alarm about this release ended last, by signal; and when a person took it back."""
        found = journal.read(self.database, self.task.name, [CLEARED])
        own = [one for one in found if one.chain == self.chain and one.what["release"] == release]
        return {one.subject: one.time for one in own}, {one.subject: one.time for one in own if one.who != WHO}


def _since_taken(one: Signal, taken: dict[str, float]) -> Signal:
    if one.state != "unknown" or one.name not in taken:
        return one
    return replace(one, said=f"{one.said} (its alarm was taken back, and what was asked for before counts no more)")
