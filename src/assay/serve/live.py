"""The live loop: when a bar's blocks are final, its row, made by the deciding release's own task and code, is answered.

One step a period, each kept before the next: the row (`received`, with the block it is of), its posting where the
consumer asks for that, its context (`fixed`); provers and the settlement loop take it from there. Killed anywhere, the
period is the same answer again: a period of a chain is answered once.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.core import files, jsontext
from assay.core.errors import AssayError
from assay.core.hashing import digest
from assay.data.errors import DataError, TooFewRows
from assay.data.live import newest, require_followable
from assay.record import answers, artefacts, journal, releases, transactions
from assay.record.answers import Answer
from assay.record.errors import Conflict, LeaseLost
from assay.record.holder import me
from assay.record.journal import Event
from assay.release import alias
from assay.release.make import private_digests
from assay.settle.consumer import Consumer
from assay.settle.errors import SettleError
from assay.settle.outbox import Call, standing
from assay.settle.registry import registry_of
from assay.settle.shadow import deciding, follow
from assay.task.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from assay.data.live import Newest
    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.serve.models import Models
    from assay.serve.settle import Settler

POST = "post"
LEASE_SECONDS = 60.0
_CODE = "code/"
_SALT_BYTES = 16
_AT_ONCE = 16
_OBSERVED = 1000
"""Periods, the newest, of which outcomes are looked for."""


@dataclass
class Live:
    """The loop of one project on one chain.

    Parameters
    ----------
    settler
        Its chain, account and consumer; only its outbox is used here.
    place
        Folder in which the releases' tasks, code and blocks are kept.
    told
        Told, once each, why a period has no answer.
    counts
        Whether this is the chain that counts, whose registry the champion follows.
    collected
        Folder of blocks that the project has collected, if it has any.
    row
        Makes the newest row up to a block.
    """

    database: Database
    project: str
    settler: Settler
    models: Models
    place: Path
    told: Callable[[str], None] = field(default=lambda _: None)
    name: str = field(default_factory=me)
    counts: bool = False
    collected: Path | None = None
    row: Callable[[Task, Path, int, Sequence[str]], Newest] = newest
    _said: str = ""
    _head: int = -1

    def run(self, stopped: Callable[[], bool]) -> None:
        """Follow the chain until `stopped()`."""
        answers.free_gone(self.database)
        pause = min(2.0, max(0.05, float(self.settler.on.spec.block_seconds or 12.0) / 8))
        while not stopped():
            until = time.monotonic() + (0.0 if self.step() else pause)
            while time.monotonic() < until and not stopped():
                time.sleep(0.02)

    def step(self) -> bool:
        """Take a period as far as it goes now; whether anything moved."""
        try:
            moved = self._fix()
            moved |= self._receive()
        except (LeaseLost, Conflict):
            return False
        except AssayError as error:
            if error.what != self._said:
                self.told(f"no answer: [{error.code}] {error}")
                self._said = error.what
            return False
        else:
            return moved

    def _receive(self) -> bool:
        """Keep the newest period's row, if it is a new one."""
        champion = self._deciding()
        if champion is None:
            return False
        release = releases.by_digest(self.database, champion)
        home = unpacked(self.database, release, self.place / release.digest[:16], self.collected)
        task = Task.load(home)
        block = self.settler.on.node.head() - task.protocol.feature_delay_blocks
        if block <= self._head or block < 0:
            return False
        try:
            row = self.row(task, home, block, features_of(self.database, release))
        except TooFewRows:
            self._head = block
            return False
        except DataError as error:
            self._collect_anew(home, error)
            raise
        self._head = block
        self._observe(task, row.outcomes)
        return self._keep(release, task, row)

    def _observe(self, task: Task, outcomes: dict[int, Any]) -> None:
        """Keep with each answer what came of its row, once that is known.

        The deciding release's task says it, also of answers of earlier releases that predict the same of the same bars.
        Of a chain that was reorganised the new outcome counts, and the history says that it changed.
        """
        alike: dict[str, bool] = {}
        on = self.settler.on.name
        for one in answers.find(self.database, self.project, chain=on, periods=True, limit=_OBSERVED):
            now = outcomes.get(one.period or 0)
            if now is None or now == one.outcome:
                continue
            if one.release not in alike:
                alike[one.release] = _predicts(self._task_of(one.release)) == _predicts(task)
            if alike[one.release]:
                self._say_outcome(one, now)

    def _say_outcome(self, one: Answer, now: Any) -> None:
        answers.observe(self.database, one.id, now)
        if one.outcome is None:
            return
        what, why = {"before": one.outcome, "now": now}, "the chain's blocks say otherwise than before"
        happened = Event("outcome.changed", one.id, "live", what, why, chain=one.chain, block=one.period)
        journal.append(self.database, self.project, happened)

    def _task_of(self, release: str) -> Task:
        found = releases.by_digest(self.database, release)
        return Task.load(unpacked(self.database, found, self.place / release[:16]))

    def _deciding(self) -> str | None:
        """The release that answers here: what the chain's registry says, where it has one; the record follows it."""
        on = self.settler.on
        found = deciding(self.database, self.project, on)
        if found != alias.champion(self.database, self.project):
            registry = registry_of(self.database, self.project, on)
            if registry is not None:
                follow(self.database, self.project, registry, counts=self.counts)
        return found

    def _collect_anew(self, home: Path, error: DataError) -> None:
        """After a reorg deeper than was waited for, what was collected is of blocks that are no more.

        What the project collected for another task is of no use either.
        """
        if not error.retry and ("reorg" in f"{error.code} {error.what}" or "collected with another" in error.what):
            shutil.rmtree(home / "chain", ignore_errors=True)

    def _keep(self, release: Release, task: Task, row: Newest) -> bool:
        last = self._last()
        if last is not None and row.block <= last:
            return False
        hash_ = self.settler.on.node.block_hash(row.block)
        within = self.settler.on.spec.late_after_blocks or task.latency_blocks
        salt = secrets.token_hex(_SALT_BYTES)
        rows = [list(row.values)]
        asked = Answer(
            project=self.project,
            release=release.digest,
            chain=self.settler.on.name,
            period=row.block,
            fingerprint=digest(f"{release.digest} {row.block} {hash_}".encode()),
            settle=True,
            row=rows,
            row_digest=digest(bytes.fromhex(salt) + json.dumps(rows).encode()),
            deadline=None if within is None else row.block + within,
            evidence={"salt": salt, "block_hash": hash_, "time": row.time, "sources": row.sources, "seen": self._head},
        )
        _, new = answers.receive(self.database, asked)
        if new and last is not None:
            self._say_skipped(task, last, row.block)
        return new

    def _last(self) -> int | None:
        """The block of the last period that was answered, or found without an answer."""
        found = answers.find(self.database, self.project, chain=self.settler.on.name, periods=True, limit=1)
        return found[0].period if found else None

    def _say_skipped(self, task: Task, last: int, now: int) -> None:
        """Periods that passed while nobody followed have no answer, and the history says so."""
        bars = task.data.bars
        length = bars.blocks if bars is not None else None
        if length is None or now - last <= length:
            return
        count = (now - last) // length - 1
        what = {"after": last, "before": now, "count": count}
        why = "the chain was further when it was looked at: an answer would have come too late"
        happened = Event("period.skipped", str(now), "live", what, why, chain=self.settler.on.name, block=now)
        journal.append(self.database, self.project, happened)
        self.told(f"{count} periods between blocks {last} and {now} have no answer: {why}")

    def _fix(self) -> bool:
        """Post the row where the consumer asks for it, and bind the answer to what the consumer then expects."""
        if not answers.any_due(self.database, ["received"], self.settler.on.name):
            return False
        consumer = Consumer(self.settler.on, self.settler.consumer.address)
        for _ in range(_AT_ONCE):
            claimed = answers.claim(self.database, ["received"], self.name, LEASE_SECONDS, chain=self.settler.on.name)
            if not claimed or claimed[0].period is None:
                return False
            held = claimed[0]
            try:
                if self._is_late(held) or self._is_others(held, consumer):
                    return True
                if not self._is_before_its_turn(held, consumer):
                    return self._bound(held, consumer)
                self._wait(held)
            except SettleError as error:
                self._wait(held, error)
                raise
        return False

    def _bound(self, held: Answer, consumer: Consumer) -> bool:
        """Whether the answer now has its context; else it waits for the block with its row."""
        period = self._posted(held, consumer) if consumer.wants_rows() else held.period
        if period is None:
            self._wait(held)
            return False
        evidence = held.evidence | {"period": period}
        context = str(consumer.context(period))
        answers.commit(self.database, held, "fixed", context=context, evidence=evidence, error=None)
        return True

    def _is_late(self, held: Answer) -> bool:
        if held.deadline is None or self.settler.on.node.head() <= held.deadline:
            return False
        said = {
            "code": "settle/late",
            "what": f"its block {held.deadline} passed before it could be proven",
            "todo": "Allow more blocks, or look at what took so long.",
        }
        answers.commit(self.database, held, "expired", error=said)
        return True

    def _is_before_its_turn(self, held: Answer, consumer: Consumer) -> bool:
        """A consumer of a feed has one row at a time: a newer one would take the place of one that is not settled."""
        if not consumer.wants_rows():
            return False
        earlier = answers.find(
            self.database,
            self.project,
            states=["received", "fixed", "proven", "settling"],
            chain=self.settler.on.name,
            periods=True,
        )
        return any((one.period or 0) < (held.period or 0) and not self._is_mined(one) for one in earlier)

    def _is_mined(self, one: Answer) -> bool:
        return one.transaction is not None and transactions.get(self.database, one.transaction).mined is not None

    def _is_others(self, held: Answer, consumer: Consumer) -> bool:
        """A row that is not posted yet is posted for the version it was made for, or not at all."""
        _, sent = standing(self.database, self.settler.on.name, POST, held.id)
        if sent is not None or not consumer.wants_rows():
            return False
        if deciding(self.database, self.project, self.settler.on) == held.release:
            return False
        said = {
            "code": "settle/other-default",
            "what": "another release became the default before its row was posted",
            "todo": "Nothing: the next period is the new one's.",
        }
        answers.commit(self.database, held, "expired", error=said)
        return True

    def _posted(self, held: Answer, consumer: Consumer) -> int | None:
        """The consumer's number of the period, once the block with its row is there; None until then."""
        _, sent = standing(self.database, self.settler.on.name, POST, held.id)
        if sent is None:  # or what was sent was refused, or another program took its nonce
            words = [int(word) for word in self.models.of(held.release).words(held.row)[0]]
            self.settler.outbox.submit_anew(Call(POST, held.id, consumer.address, consumer.post_data(words)))
            return None
        self.settler.outbox.step()
        sent = transactions.get(self.database, sent.id)
        return None if sent.mined is None else consumer.posted(sent.mined["logs"])

    def _wait(self, held: Answer, error: AssayError | None = None) -> None:
        with self.database.read() as connection:
            due = self.database.now(connection) + 0.25
        said = None if error is None else {"code": error.code, "what": error.what, "todo": error.todo}
        answers.commit(self.database, held, "received", due=due, error=said)


def unpacked(database: Database, release: Release, home: Path, collected: Path | None = None) -> Path:
    """A folder with the release's task and code, in which its blocks are collected; checked against its digests.

    Blocks that are `collected` already are not asked for again.
    """
    if (home / "task.toml").is_file():
        return home
    private = private_digests(release)
    home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with files.folder(home) as place:
        if collected is not None and collected.is_dir():
            shutil.copytree(collected, place / collected.name, ignore=shutil.ignore_patterns(".partial-*"))
        files.write(place / "task.toml", artefacts.get(database, release.public["parts"]["task.toml"]["digest"]))
        for name, part in private.items():
            if name.startswith(_CODE):
                target = place / name.removeprefix(_CODE)
                target.parent.mkdir(parents=True, exist_ok=True)
                files.write(target, artefacts.get(database, part))
    return home


def _predicts(task: Task) -> tuple[Any, ...]:
    """What a task's outcomes hang on."""
    data = task.data.model_dump(exclude={"sources", "features", "split", "keep", "checks", "window"})
    named = f"{task.data.label.of} {task.predict.target}"
    return task.predict, data, [one for one in task.data.features if one.name in named]


def features_of(database: Database, release: Release) -> list[str]:
    """The release's features, in the order of its dataset's manifest."""
    content: Any = jsontext.parse(artefacts.get(database, release.public["parts"]["manifest.json"]["digest"]))
    return [one["name"] for one in content["features"]]


def followable(database: Database, project: str) -> str:
    """Why the release that decides has no periods to follow; empty if it has."""
    champion = alias.champion(database, project)
    if champion is None:
        return "no release decides"
    release = releases.by_digest(database, champion)
    text = artefacts.get(database, release.public["parts"]["task.toml"]["digest"]).decode()
    try:
        import tomllib

        from assay.task.read import parse

        require_followable(parse(tomllib.loads(text), text, "the release's task.toml"))
    except AssayError as error:
        return error.what
    return ""
