"""After a retraining: proposed by policy, and taken back for an alarm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.keep.retrain import plan as plans
from assay.keep.retrain.alone import GUARD, alone
from assay.keep.retrain.begin import alarms_of
from assay.keep.retrain.due import span_seconds
from assay.keep.retrain.plan import CHALLENGER
from assay.keep.watch.signal import OF_MODEL
from assay.record import journal, releases
from assay.release import alias
from assay.settle.deploy import prepare
from assay.settle.errors import NoChain, NotUsable
from assay.settle.network import network
from assay.settle.promote import registrar
from assay.settle.registry import registry_of
from assay.settle.shadow import follow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.keep.retrain.plan import Retraining
    from assay.record.database import Database
    from assay.settle.registry import Registry
    from assay.task.task import Task

    Told = Callable[[str], None]

_PATIENCE = 30.0
"""Seconds that one guard waits for another; a way back over a chain may take longer."""


@dataclass(frozen=True)
class Back:
    """A retrained model was taken back.

    Attributes
    ----------
    release, to
        Names of the release that was taken back and of the one that decides again.
    why
        The alarm, in words.
    """

    release: str
    to: str
    why: str


def propose(database: Database, folder: Path, task: Task, one: Retraining, *, who: str, told: Told) -> str:
    """Bring a challenger as far as the policy lets it; returns a sentence of how far that is.

    `automatic` deploys its verifier and proposes it to the registry of the chain that counts, whose delay and guardian
    stand: each further call goes on when the delay is over. Nothing is done where a person decides, which is so, too,
    once the guardian withdrew the proposal, or another release decides than the one that it was compared with.
    """
    release = releases.by_digest(database, str(one.release))
    if task.retrain.policy == "manual" or one.outcome != CHALLENGER:
        return f"{release.name} waits for a person: `assay release promote {release.version} --reason ..`."
    if release.digest in {move.after for move in alias.moves(database, task.name)}:
        return f"{release.name} was promoted already."
    if (registry := _registry(database, task)) is None:
        return f"There is no registry to propose {release.name} to: it waits for a person."
    follow(database, task.name, registry, counts=True)
    if stopped := _stopped(database, task, one, registry):
        return f"{release.name} goes no further: {stopped}: a person decides (`assay release promote`)."
    if all(version.release != release.digest for version in registry.versions()):
        prepare(database, folder, task, release, None, who=who).run()
    calls = registrar(database, folder, task, registry.on.name, who=who, why=one.trigger.said)
    calls.told = told
    try:
        found = calls.promote(release)
    except NotUsable as error:
        return f"{release.name} goes no further: {error.what}."
    if found.state == "default":
        return f"{release.name} decides on {registry.on.name}."
    wait = max(0, found.ready_at - registry.time())
    return f"{release.name} is proposed on {registry.on.name}; the registry's delay has {wait:,} s left."


def _stopped(database: Database, task: Task, one: Retraining, registry: Registry) -> str:
    """Why a proposal is not brought on any more; empty if it is."""
    champion = alias.champion(database, task.name)
    if champion != one.champion:
        decides = "none" if champion is None else releases.by_digest(database, champion).name
        return f"{decides} decides now, with which it was not compared"
    numbers = {version.number for version in registry.versions() if version.release == one.release}
    subjects = {f"{registry.address}:{number}" for number in numbers}
    taken = [
        event
        for event in journal.read(database, task.name, ["registry.withdrawn"], after=one.planned.number)
        if event.chain == registry.on.name and event.subject in subjects
    ]
    return f'its proposal on {registry.on.name} was withdrawn ("{taken[-1].why}")' if taken else ""


def guard(database: Database, folder: Path, task: Task, *, who: str, told: Told = lambda _: None) -> Back | None:
    """Take a retrained model back if an alarm about it stands that was raised soon after it was promoted.

    Only for what may come of the model: the one before would have no cheaper gas, and no better node. The way back is
    that of `assay release back`: in the record, or, where the chain that counts has a registry, by the account that
    [chains.NAME] names, which has to be its proposer or guardian.

    Raises
    ------
    RetrainBusy
        Another process does so, for longer than is waited.
    ReleaseError
        Another release began to decide meanwhile.
    """
    # Two that see the same alarm would go back two releases: what one did the other sees.
    with alone(database, task.name, GUARD, patience=_PATIENCE):
        return _guard(database, folder, task, who=who, told=told)


def _guard(database: Database, folder: Path, task: Task, *, who: str, told: Told) -> Back | None:
    registry = _registry(database, task)
    if registry is not None:
        follow(database, task.name, registry, counts=True)
    made = alias.moves(database, task.name)
    ours = {one.release for one in plans.retrainings(database, task.name)}
    if not made or made[-1].back or made[-1].after not in ours:
        return None
    move = made[-1]
    until = move.event.time + span_seconds(task.retrain.guard, task.block_seconds)
    alarms = [
        one
        for one in alarms_of(database, task.name, move.after)
        if one.signal in OF_MODEL and one.number > move.event.number and one.time <= until
    ]
    if not alarms:
        return None
    release = releases.by_digest(database, move.after)
    why = f"{alarms[0].code} within {task.retrain.guard} of its promotion (event {alarms[0].number}): {alarms[0].why}"
    if registry is None:
        before = alias.back(database, task.name, who=who, why=why, seen=made)
        return Back(release.name, before.name, why)
    calls = registrar(database, folder, task, registry.on.name, who=who, why=why)
    calls.told = told
    stands = calls.back()
    return Back(release.name, f"version {stands.version} of the registry on {registry.on.name}", why)


def _registry(database: Database, task: Task) -> Registry | None:
    try:
        return registry_of(database, task.name, network(task))
    except NoChain:
        return None
