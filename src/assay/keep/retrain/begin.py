"""Which release a retraining is for, whether one is due, and its plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core import files, jsontext
from assay.core.hashing import digest
from assay.keep.retrain import due as triggers
from assay.keep.retrain import plan as plans
from assay.keep.retrain.due import Due, Since
from assay.keep.retrain.errors import ChampionFrozen, NothingDecides
from assay.keep.retrain.looks import next_look
from assay.keep.retrain.material import require_order
from assay.keep.watch.alarms import open_alarms
from assay.record import artefacts, journal, releases
from assay.record.journal import Event
from assay.release import alias
from assay.settle.network import network
from assay.task.fields import DURATION
from assay.task.task import TASK_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from assay.keep.retrain.due import Trigger
    from assay.keep.retrain.looks import Look
    from assay.keep.retrain.plan import Retraining
    from assay.keep.watch.alarms import Alarm
    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.task.task import Task

_FROZEN = "registry.frozen"


@dataclass(frozen=True)
class Standing:
    """How retraining stands in a project.

    Attributes
    ----------
    champion
        The release that decides by the record.
    retrainings
        All so far.
    due
        Whether another one is.
    look
        The next look at test rows, and what it may spend.
    """

    champion: Release
    retrainings: list[Retraining]
    due: Due
    look: Look

    @property
    def open(self) -> Retraining | None:
        """The retraining that has not ended."""
        last = self.retrainings[-1] if self.retrainings else None
        return last if last is not None and not last.outcome else None


def standing(database: Database, task: Task) -> Standing:
    """Look at the record; of a chain the newest block alone is asked, where the schedule counts blocks.

    Raises
    ------
    NothingDecides, ChampionFrozen
        There is nothing that a new model could be compared with.
    """
    champion = deciding(database, task.name)
    found = plans.retrainings(database, task.name)
    settings = task.retrain
    spent = [one.error for one in found if one.error is not None]
    answer = triggers.due(
        settings,
        [one for one in open_alarms(database, task.name) if one.release == champion.digest],
        frozenset(number for one in found for number in one.trigger.alarms),
        since(database, champion, found),
        now=_now(database),
        head=lambda: _head(task),
    )
    return Standing(champion, found, answer, next_look(spent, settings.alpha, settings.looks))


def deciding(database: Database, project: str) -> Release:
    """The release that decides by the record; raises `NothingDecides` or `ChampionFrozen`."""
    name = alias.champion(database, project)
    if name is None:
        raise NothingDecides(
            f"no release of {project} decides, so a new model has nothing to be better than",
            "Decide and release a first one: `assay run --until report`, `assay release create`.",
        )
    found = releases.by_digest(database, name)
    model = str(found.public["model_id"]).removeprefix("0x").lower()
    for event in journal.read(database, project, [_FROZEN]):
        if str(event.what.get("model_id", "")).removeprefix("0x").lower() == model:
            raise ChampionFrozen(
                f"the model of {found.name}, which decides by the record, is frozen on {event.chain}: {event.why}",
                "Go back first (`assay release back`), or promote a release that counts.",
            )
    return found


def since(database: Database, champion: Release, found: list[Retraining]) -> Since:
    """When the last training began."""
    if found:
        planned = found[-1].planned
        return Since(planned.time, planned.block)
    about = champion.public["parts"].get("manifest.json")
    manifest: Any = jsontext.parse(artefacts.get(database, about["digest"])) if about else {}
    blocks = manifest.get("blocks")
    return Since(champion.created, blocks[1] if blocks else None)


def begin(database: Database, folder: Path, task: Task, found: Standing, trigger: Trigger, *, who: str) -> Retraining:
    """Keep the plan of the next retraining; nothing is trained yet.

    Raises
    ------
    NoOrder
        The rows have no order in time.
    Conflict
        Another process planned it meanwhile.
    """
    require_order(task)
    number = len(found.retrainings) + 1
    said = plans.text_of(
        number,
        found.champion.digest,
        trigger,
        digest(files.read(folder / TASK_FILE)),
        task.retrain.model_dump(mode="json"),
    )
    every = task.retrain.every
    counted = every is not None and not DURATION.match(every)
    chain, block = (task.protocol.chain, _head(task)) if counted else (None, None)
    plans.agree(database, task.name, found.retrainings, said, who, chain=chain, block=block)
    return plans.retrainings(database, task.name)[number - 1]


def alarms_of(database: Database, project: str, release: str) -> list[Alarm]:
    """The alarms that stand about a release."""
    return [one for one in open_alarms(database, project) if one.release == release]


def _head(task: Task) -> int:
    return network(task).node.head()


def _now(database: Database) -> float:
    with database.read() as connection:
        return database.now(connection)


def note_due(database: Database, project: str, found: Standing, *, who: str) -> bool:
    """Write down that a retraining has become due, once until it is planned; whether it was written."""
    if found.due.trigger is None or found.open is not None:
        return False
    subject = plans.subject(len(found.retrainings) + 1)
    happened = Event(plans.DUE, subject, who, found.due.trigger.to_dict(), found.due.said)
    kept = journal.append_if(
        database,
        project,
        happened,
        lambda connection: not journal.read_in(connection, project, [plans.DUE], subject=subject),
    )
    return kept is not None
