"""The live loop: when a bar's blocks are final, its row, made by the deciding release's own task and code, is answered.

One step a period, each kept before the next: the row (`received`, with the block it is of), its posting where the
consumer asks for that, its context (`fixed`); provers and the settlement loop take it from there. Killed anywhere, the
period is the same answer again: a period of a chain is answered once.
"""

from __future__ import annotations

import json
import math
import secrets
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.chain.errors import ChainError
from assay.core import files
from assay.core.errors import AssayError
from assay.core.hashing import digest
from assay.data.errors import DataError, TooFewRows
from assay.data.live import newest, require_followable
from assay.data.sources.state import STATE_FILE
from assay.record import answers, artefacts, claims, journal, releases, transactions
from assay.record.answers import Answer
from assay.record.errors import Conflict, LeaseLost
from assay.record.holder import me
from assay.record.journal import Event
from assay.release import alias
from assay.release.features import features_of
from assay.release.make import private_digests
from assay.serve.beside import beside
from assay.serve.settle import CONSUMER
from assay.settle import state
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
    from assay.settle.state import StateFeed

POST = "post"
STATE = "state"
"""In an answer's evidence: the digest of the proofs of state that its row was computed from."""
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
    arm
        Whose answers these are.
    fixed
        Digest of the release that answers; by default the one that decides.
    decides
        Whether answers are settled; else they are proven and kept.
    marked
        From a row's block to the chance with which its arm was to decide, and what is kept of that.
    beside
        Called in each turn: what else follows the chain.
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
    arm: str = "champion"
    fixed: str | None = None
    decides: bool = True
    marked: Callable[[int], tuple[float, dict[str, Any]]] = field(default=lambda _: (1.0, {}))
    beside: Callable[[], object] = field(default=lambda: None)
    _said: str = ""
    _head: int = -1
    _looked: int = -1
    _tasks: dict[str, Task] = field(default_factory=dict)

    def run(self, stopped: Callable[[], bool]) -> None:
        """Follow the chain until `stopped()`."""
        claims.free_gone(self.database)
        self._say_state()
        while not stopped():
            until = time.monotonic() + (0.0 if self.step() else self.settler.on.pause)
            self.beside()
            while time.monotonic() < until and not stopped():
                time.sleep(0.02)

    def _say_state(self) -> None:
        """At the start: whether the nodes prove what the consumer's feed will need, if it computes rows from that."""
        try:
            feed = Consumer(self.settler.on, self.settler.consumer.address).state_feed()
            if feed is not None:
                feed.require_served()
        except AssayError as error:
            if not error.retry:  # a node that is away is said when a period needs it
                self.told(f"rows need proofs of state: [{error.code}] {error}")

    def _consumer(self, held: Answer) -> Consumer:
        return Consumer(self.settler.on, self.settler.at(held))

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
        head = self.settler.on.node.head()
        if head == self._looked:  # nothing is new since: what decides changes by a block, or from the next one on
            return False
        champion = self._deciding()
        if champion is None:
            return False
        release = releases.by_digest(self.database, champion)
        home = unpacked(self.database, release, self.place / release.digest[:16], self.collected)
        task = self._task(release.digest, home)
        block = head - task.protocol.feature_delay_blocks
        if block <= self._head or block < 0:
            self._looked = head
            return False
        try:
            row = self.row(task, home, block, features_of(self.database, release))
        except TooFewRows:
            self._head, self._looked = block, head
            return False
        except DataError as error:
            self._collect_anew(home, error)
            raise
        self._head, self._looked = block, head
        self._observe(task, row.outcomes)
        return self._keep(release, task, row)

    def _observe(self, task: Task, outcomes: dict[int, Any]) -> None:
        """Keep with each answer what came of its row, once that is known.

        The deciding release's task says it, also of answers of earlier releases that predict the same of the same bars.
        Of a chain that was reorganised the new outcome counts, and the history says that it changed.
        """
        if not outcomes:
            return
        alike: dict[str, bool] = {}
        on, since = self.settler.on.name, min(outcomes)
        for one in answers.find(self.database, self.project, chain=on, periods=True, since=since, limit=_OBSERVED):
            now = _known(outcomes.get(one.period or 0))
            if now is None or now == one.outcome:
                continue
            if one.release not in alike:
                alike[one.release] = _predicts(self._task_of(one.release)) == _predicts(task)
            if alike[one.release]:
                self._say_outcome(one, now)

    def _say_outcome(self, one: Answer, now: Any) -> None:
        if _known(one.outcome) is None:
            answers.observe(self.database, one.id, now)
            return
        what, why = {"before": one.outcome, "now": now}, "the chain's blocks say otherwise than before"
        happened = Event("outcome.changed", one.id, "live", what, why, chain=one.chain, block=one.period)
        # Both or neither: an outcome that is kept is not looked at again. Of several loops one says it.
        journal.append_if(
            self.database,
            self.project,
            happened,
            lambda connection: answers.observe_in(connection, one.id, now) != now,
        )

    def _task_of(self, release: str) -> Task:
        found = releases.by_digest(self.database, release)
        return self._task(release, unpacked(self.database, found, self.place / release[:16]))

    def _task(self, release: str, home: Path) -> Task:
        """A release's own task, which never changes, read once."""
        if release not in self._tasks:
            self._tasks[release] = Task.load(home)
        return self._tasks[release]

    def _deciding(self) -> str | None:
        """The release that answers here: what the chain's registry says, where it has one; the record follows it."""
        if self.fixed is not None:
            return self.fixed
        on = self.settler.on
        found = deciding(self.database, self.project, on)
        if found != alias.champion(self.database, self.project):
            registry = registry_of(self.database, self.project, on)
            if registry is not None:
                follow(self.database, self.project, registry, counts=self.counts)
        return found

    def _collect_anew(self, home: Path, error: DataError) -> None:
        """After a reorg deeper than was waited for, what was collected is of blocks that are no more.

        What the project collected for another task is of no use either. Words of state stay: they know their blocks'
        hashes, and of most blocks no node would give them again.
        """
        if not error.retry and ("reorg" in f"{error.code} {error.what}" or "collected with another" in error.what):
            for path in (home / "chain").rglob("*"):
                if path.name != STATE_FILE and not path.is_dir():
                    path.unlink(missing_ok=True)

    def _keep(self, release: Release, task: Task, row: Newest) -> bool:
        last = self._last()
        if last is not None and row.block <= last:
            return False
        hash_ = self.settler.on.node.block_hash(row.block)
        within = self.settler.on.spec.late_after_blocks or task.latency_blocks
        salt = secrets.token_hex(_SALT_BYTES)
        propensity, mark = self.marked(row.block)
        rows = [list(row.values)]
        asked = Answer(
            project=self.project,
            release=release.digest,
            chain=self.settler.on.name,
            period=row.block,
            fingerprint=digest(f"{release.digest} {row.block} {hash_}".encode()),
            arm=self.arm,
            propensity=propensity,
            state="received" if self.decides else "fixed",
            settle=self.decides,
            row=rows,
            row_digest=digest(bytes.fromhex(salt) + json.dumps(rows).encode()),
            deadline=None if within is None else row.block + within,
            evidence={"salt": salt, "block_hash": hash_, "time": row.time, "sources": row.sources, "seen": self._head}
            | mark
            | beside(self.database, release, task, row, self.place / release.digest[:16]),
        )
        _, new = answers.receive(self.database, asked)
        if new and last is not None:
            self._say_skipped(task, last, row.block)
        return new

    def _last(self) -> int | None:
        """The block of the last period that was answered, or found without an answer."""
        on = self.settler.on.name
        found = answers.find(self.database, self.project, chain=on, arm=self.arm, periods=True, limit=1)
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
        if not claims.any_due(self.database, ["received"], self.settler.on.name, self.arm, self.project):
            return False
        for _ in range(_AT_ONCE):
            on = self.settler.on.name
            claimed = claims.claim(
                self.database, ["received"], self.name, LEASE_SECONDS, project=self.project, chain=on, arm=self.arm
            )
            if not claimed or claimed[0].period is None:
                return False
            held = claimed[0]
            try:
                consumer = self._consumer(held)
                if self._is_late(held) or self._is_others(held, consumer) or self._is_elsewhere(held, consumer):
                    return True
                if not self._is_before_its_turn(held, consumer):
                    return self._bound(held, consumer)
                self._wait(held)
            except (SettleError, ChainError) as error:
                self._wait(held, error)
                raise
        return False

    def _bound(self, held: Answer, consumer: Consumer) -> bool:
        """Whether the answer now has its context; else it waits for the block with its row."""
        period = self._posted(held, consumer) if consumer.wants_rows() else held.period
        if period is None:
            self._wait(held)
            return False
        if self._is_another_row(held, consumer):
            return True
        evidence = held.evidence | {"period": period, CONSUMER: consumer.address}
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
            arm=self.arm,
            periods=True,
        )
        return any(
            (one.period or 0) < (held.period or 0) and not self._is_mined(one) and self._is_for(one, consumer)
            for one in earlier
        )

    def _is_for(self, one: Answer, consumer: Consumer) -> bool:
        return self.settler.at(one).lower() == consumer.address.lower()

    def _is_mined(self, one: Answer) -> bool:
        return one.transaction is not None and transactions.get(self.database, one.transaction).mined is not None

    def _is_others(self, held: Answer, consumer: Consumer) -> bool:
        """A row that is not posted yet is posted for the version it was made for, or not at all."""
        _, sent = standing(self.database, self.settler.on.name, POST, held.id)
        if sent is not None or not consumer.wants_rows():
            return False
        if held.release == (self.fixed or deciding(self.database, self.project, self.settler.on)):
            return False
        said = {
            "code": "settle/other-default",
            "what": "another release became the default before its row was posted",
            "todo": "Nothing: the next period is the new one's.",
        }
        answers.commit(self.database, held, "expired", error=said)
        return True

    def _is_elsewhere(self, held: Answer, consumer: Consumer) -> bool:
        """A row that was posted to another contract than the one that acts now, such as a newer one, has no period."""
        _, sent = standing(self.database, self.settler.on.name, POST, held.id)
        if sent is None or sent.mined is None or not sent.mined["ok"]:
            return False
        if consumer.posted(sent.mined["logs"]) is not None:
            return False
        said = {
            "code": "settle/other-contract",
            "what": f"its row was posted, and not to {consumer.address}, which acts on its release's answers now",
            "todo": "Nothing: the next period's row is posted there.",
        }
        answers.commit(self.database, held, "expired", error=said)
        return True

    def _posted(self, held: Answer, consumer: Consumer) -> int | None:
        """The consumer's number of the period, once the block with its row is there; None until then."""
        _, sent = standing(self.database, self.settler.on.name, POST, held.id)
        if sent is None:  # or what was sent was refused, or another program took its nonce
            feed = consumer.state_feed()
            call = self._post(held, consumer) if feed is None else self._post_state(held, consumer, feed)
            if call is not None:
                self.settler.outbox.submit_anew(call)
            return None
        self.settler.outbox.step()
        self.settler.outbox.release()  # the settlement loop follows the account, and need not wait for this lease
        sent = transactions.get(self.database, sent.id)
        return None if sent.mined is None else consumer.posted(sent.mined["logs"])

    def _post(self, held: Answer, consumer: Consumer) -> Call:
        return Call(POST, held.id, consumer.address, consumer.post_data(self._words(held)))

    def _post_state(self, held: Answer, consumer: Consumer, feed: StateFeed) -> Call | None:
        """What has the feed compute the row; None where its proofs had to be made and kept first.

        A node forgets a state within minutes: the proofs are kept before anything else is done with them.
        """
        kept = held.evidence.get(STATE)
        if kept is not None:
            proofs = state.from_bytes(artefacts.get(self.database, kept))
            return Call(POST, held.id, feed.address, feed.post_data(consumer.address, proofs))
        block = held.period or 0
        if self.settler.on.node.head() > block:  # a block knows the hashes of those before it
            name = artefacts.put(self.database, state.to_bytes(feed.prove(block)))
            answers.commit(self.database, held, "received", evidence=held.evidence | {STATE: name})
        return None

    def _is_another_row(self, held: Answer, consumer: Consumer) -> bool:
        """Whether the feed computed another row than this dataset's code: the answer is refused, and says which."""
        if STATE not in held.evidence:
            return False
        _, sent = standing(self.database, self.settler.on.name, POST, held.id)
        if sent is None or sent.mined is None:
            return False
        theirs, ours = consumer.posted_words(sent.mined["logs"]), self._words(held)
        if theirs is None or theirs == ours:
            return False
        said = {
            "code": "settle/other-row",
            "what": f"the feed's contract computed the row {theirs}, and the task's features give {ours}",
            "todo": "Make the features and the contract the same; nothing was proven.",
        }
        answers.commit(self.database, held, "refused", error=said)
        return True

    def _words(self, held: Answer) -> list[int]:
        return [int(word) for word in self.models.of(held.release).words(held.row)[0]]

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


def _known(outcome: Any) -> Any:
    """None for what is no number: a return from a price of zero."""
    return None if isinstance(outcome, float) and not math.isfinite(outcome) else outcome


def _predicts(task: Task) -> tuple[Any, ...]:
    """What a task's outcomes hang on."""
    data = task.data.model_dump(exclude={"sources", "features", "split", "keep", "checks", "window"})
    named = f"{task.data.label.of} {task.predict.target}"
    return task.predict, data, [one for one in task.data.features if one.name in named]


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
