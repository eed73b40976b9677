"""What a running experiment needs: links opened in time, draws checked and kept, guardrails, and its end.

One step looks at the chain and does what is due; everything that it writes can be written again after a kill, and
everything that it sends goes through the outbox, which sends it once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.compare import assign, draws, running
from assay.compare.arms import CHAMPION, require_allowed, require_deciding
from assay.compare.errors import ArmUnfit, LinkRefused, NotComparable, NotTheGuardian
from assay.compare.guard import Passed, passed
from assay.compare.running import ENDED, OPENED, PASSED, PURPOSE, STOPPED, WITHHELD, WRONG, Experiment
from assay.compare.start import MIX, OPEN, REVEAL, STOP, steering
from assay.core.errors import AssayError
from assay.record import journal, releases, transactions
from assay.record.errors import Conflict, LeaseLost
from assay.record.journal import Event
from assay.settle.errors import Reverts
from assay.settle.network import policy, selector
from assay.settle.outbox import Call, standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.compare.draws import Opened
    from assay.record.database import Database
    from assay.settle.network import Network
    from assay.settle.outbox import Outbox

_LOOK_SECONDS = 2.0
"""How often the records are asked whether an experiment runs."""


@dataclass
class Steward:
    """Looks after the project's experiment on one chain.

    Parameters
    ----------
    told
        Told, once each, what a person should know.
    """

    database: Database
    project: str
    folder: Path
    on: Network
    told: Callable[[str], None] = field(default=lambda _: None)
    who: str = "service"
    look_seconds: float = _LOOK_SECONDS
    _one: Experiment | None = None
    _looked: float = float("-inf")
    _head: int = -1
    _outbox: Outbox | None = None
    _said: str = ""
    _followed: tuple[str, int] = ("", 0)

    def step(self) -> None:
        """Do what is due; what fails is said and tried again."""
        try:
            one = self._running()
            if one is not None:
                self._look_after(one)
        except (LeaseLost, Conflict):
            return  # another process was faster
        except AssayError as error:
            self._tell(f"experiment: [{error.code}] {error}")
        except Exception as error:  # noqa: BLE001 - whatever is wrong here, the champion's settlements go on
            self._tell(f"experiment: {type(error).__name__}: {error}: this is a mistake in Assay")

    def _tell(self, words: str) -> None:
        if words != self._said:
            self.told(words)
            self._said = words

    def _running(self) -> Experiment | None:
        now = time.monotonic()
        if now - self._looked >= self.look_seconds:
            self._looked, before = now, self._one
            self._one = running.running(self.database, self.project, self.on.name)
            if self._one is not None and (before is None or before.plan.digest != self._one.plan.digest):
                self._outbox, self._head = None, -1
                last = self._one.plan.terms.end_block
                self.told(f"experiment {self._one.name}: until block {last} of {self.on.name}")
        return self._one

    def _look_after(self, one: Experiment) -> None:
        head = self.on.node.head()
        if head == self._head:
            return
        final = self._final()
        if one.draw is not None and self._value(one, "stopped()"):
            self._outbox_moved(one)
            record_stop(self.database, self.project, one, self.on, self.who)
            self._looked = float("-inf")
            return
        if one.draw is not None:
            self._outbox_moved(one)
        self._draw(one, head)
        self._follow(one)
        if self._guard(one, head, final):
            return
        self._end(one, final)
        self._head = head

    def _outbox_moved(self, one: Experiment) -> Outbox:
        found = self.outbox(one)
        found.step()
        return found

    def outbox(self, one: Experiment) -> Outbox:
        """The outbox that may steer the experiment's draw."""
        if self._outbox is None:
            self._outbox = steering(self.on, self.folder, self.database, str(one.draw))
        return self._outbox

    def _final(self) -> int:
        return self.on.node.final(policy(self.on).confirmations)

    def _draw(self, one: Experiment, head: int) -> None:
        """Send what draws: a period's link, or the block's hash and the secret."""
        if one.draw is None:
            return
        of, terms = one.plan.terms.switchback, one.plan.terms.entities
        secret = running.secret_of(self.database, one)
        if of is not None:
            # What is sent now is mined in the next block at the earliest.
            period = of.period_of(head)
            in_time = period is not None and head + 1 < of.first_of(period) + of.grace_blocks
            if period is not None and in_time and self._value(one, "opened()") < period:
                self._send(one, f"open:{period}", OPEN, assign.links(secret, of.periods)[period])
        elif terms is not None and terms.mix_block < head < terms.start_block:
            if not self._value(one, "mixed()"):
                self._send(one, "mix", MIX, b"")
            elif not self._value(one, "seed()"):
                self._send(one, "reveal", REVEAL, secret)

    def _value(self, one: Experiment, function: str) -> int:
        return int.from_bytes(self.on.node.call({"to": str(one.draw), "data": selector(function)}), "big")

    def _send(self, one: Experiment, subject: str, function: str, argument: bytes) -> None:
        name = f"{one.short}:{subject}"
        _, there = standing(self.database, self.on.name, PURPOSE, name)
        if there is not None:
            self.outbox(one).step()
            return
        call = Call(PURPOSE, name, str(one.draw), selector(function) + argument.hex())
        try:
            self.outbox(one).submit_anew(call)
        except Reverts:
            return  # somebody else was faster, it is stopped, or a block too early: the next step sees which
        self.outbox(one).step()

    def _follow(self, one: Experiment) -> None:
        """Keep every period's draw once its block is final, compared with what it has to be."""
        of = one.plan.terms.switchback
        if of is None:
            return
        final = self._final()
        ended = [period for period in range(1, of.periods + 1) if of.first_of(period) + of.grace_blocks - 1 <= final]
        if self._followed == (one.plan.digest, len(ended)):
            return
        known = {
            event.what["period"]
            for event in journal.read(self.database, self.project, [OPENED, WITHHELD], subject=one.name)
            if event.what["plan"] == one.plan.digest
        }
        fresh = [period for period in ended if period not in known]
        if not fresh:
            self._followed = one.plan.digest, len(ended)
            return
        logs = {log.period: log for log in draws.opened(self.on, one, final)}
        try:
            anchor = assign.links(running.secret_of(self.database, one), of.periods)[0]
            draws.drawn(self.on, one, list(logs.values()), anchor, since=fresh[0])  # those before are kept
        except LinkRefused as error:
            self._say(one, WRONG, {"error": error.what}, error.what)
            raise
        for period in fresh:
            self._keep(one, period, logs.get(period), of.first_of(period))

    def _keep(self, one: Experiment, period: int, log: Opened | None, first: int) -> None:
        what: dict[str, Any] = {"plan": one.plan.digest, "period": period}
        if log is None:
            why = "its link was not opened in time: the existing process decides"
            self._say(one, WITHHELD, what, why, block=first)
            self.told(f"experiment {one.name}: period {period}: {why}")
            return
        evidence = {"transaction": log.transaction, "block_hash": log.block_hash}
        what |= {"link": log.link.hex(), "mixed": log.mixed.hex(), "new": log.new}
        self._say(one, OPENED, what, "drawn", block=log.block, evidence=evidence)

    def _guard(self, one: Experiment, head: int, final: int) -> bool:
        """Stop where a guardrail is passed, or an arm may decide no more; whether it was."""
        found = self._unfit(one, head)
        try:
            found += passed(self.database, self.folder, one, self.on, final)
        except NotComparable as error:  # what cannot be computed stops nothing, and is said
            self._tell(f"experiment {one.name}: guardrails are not watched: {error}")
        if not found:
            return False
        told = {
            event.what["guardrail"]: event.why
            for event in journal.read(self.database, self.project, [PASSED], subject=one.name)
            if event.what["plan"] == one.plan.digest
        }
        for each in found:
            if each.name not in told:
                what = {"plan": one.plan.digest, "guardrail": each.name, "value": each.value, "bound": each.bound}
                # Several may be passed at one block, and each is an event.
                evidence = {"plan": one.plan.digest, "guardrail": each.name}
                self._say(one, PASSED, what, each.words, block=final, evidence=evidence)
                self.told(f"experiment {one.name}: {each.words}")
        stopping = next((each for each in found if each.stops), None)
        if stopping is None:
            return False
        # As it was first said: after a kill in between, its value now may be another.
        why = told.get(stopping.name, stopping.words)
        stop(self.database, self.project, one, self.on, self, by="guardrail", why=why)
        return True

    def _unfit(self, one: Experiment, head: int) -> list[Passed]:
        """Why an arm may not decide any more: frozen, retired, or not the champion that was agreed."""
        arms = one.plan.terms.arms
        try:
            for process, digest in ((arms.new, one.new), (arms.old, one.old)):
                if digest is None:
                    continue
                release = releases.by_digest(self.database, digest)
                # Who decides after its last block is no matter of the experiment's.
                if process == CHAMPION and head <= one.plan.terms.end_block:
                    require_deciding(self.database, self.project, self.on, release)
                require_allowed(self.database, self.project, self.on, release)
        except ArmUnfit as error:
            return [Passed("arm", 0.0, 0.0, error.what, stops=True)]
        return []

    def _end(self, one: Experiment, final: int) -> None:
        if final <= one.plan.terms.end_block:
            return
        what = {"plan": one.plan.digest}
        self._say(one, ENDED, what, "its last block is final", block=one.plan.terms.end_block)
        self.told(f"experiment {one.name} has ended: `assay experiment report`")
        self._looked = float("-inf")

    def _say(
        self,
        one: Experiment,
        kind: str,
        what: dict[str, Any],
        why: str,
        *,
        block: int | None = None,
        evidence: dict[str, Any] | None = None,
    ) -> None:
        happened = Event(kind, one.name, self.who, what, why, evidence or {}, self.on.name, block)
        journal.append_once(self.database, self.project, happened)


def stop(
    database: Database, project: str, one: Experiment, on: Network, steward: Steward, *, by: str, why: str
) -> Event | None:
    """End an experiment for ever: the guardian's `stop` on the chain, then the history; the event, once it is there.

    Killed in between it goes on: the transaction is sent once, and the event is written when it is mined.

    Raises
    ------
    NotTheGuardian
        The account may not.
    """
    from eth_abi.abi import encode

    block = on.node.head()
    if one.draw is not None and not any(on.node.call({"to": one.draw, "data": selector("stopped()")})):
        guardian = "0x" + on.node.call({"to": one.draw, "data": selector("guardian()")})[-20:].hex()
        outbox = steward.outbox(one)
        if guardian.lower() != outbox.account.lower():
            raise NotTheGuardian(
                f"only {guardian} may stop {one.name}, and {outbox.account} signs here", "Let the guardian call stop."
            )
        data = selector(STOP) + encode(["string"], [why[:200]]).hex()
        subject = f"{one.short}:stop"
        _, there = standing(database, on.name, PURPOSE, subject)
        # One that is sent already stands, whatever the reason is called by now.
        kept = there or outbox.submit_anew(Call(PURPOSE, subject, one.draw, data))
        outbox.step()
        kept = transactions.get(database, kept.id)
        if kept.mined is None:
            return None
        block = int(kept.mined["block"])
    known = _stopped(database, project, one)
    if known is not None:
        return known
    what = {"plan": one.plan.digest, "by": by}
    happened = Event(STOPPED, one.name, steward.who, what, why, {}, on.name, block)
    return journal.append(database, project, happened)


def record_stop(database: Database, project: str, one: Experiment, on: Network, who: str) -> None:
    """Write down that the contract is stopped: by whom and why, if it was by a transaction of this project."""
    from eth_abi.abi import decode

    if _stopped(database, project, one) is not None:
        return
    _, sent = standing(database, on.name, PURPOSE, f"{one.short}:stop")
    by, why, block = "chain", "its contract says that it is stopped", on.node.head()
    if sent is not None and sent.mined is not None:
        (why,) = decode(["string"], bytes.fromhex(sent.data[10:]))
        rails = [event.why for event in journal.read(database, project, [PASSED], subject=one.name)]
        by, block = "guardrail" if any(each.startswith(why) for each in rails) else "person", int(sent.mined["block"])
    happened = Event(STOPPED, one.name, who, {"plan": one.plan.digest, "by": by}, why, {}, on.name, block)
    journal.append_once(database, project, happened)


def _stopped(database: Database, project: str, one: Experiment) -> Event | None:
    found = journal.read(database, project, [STOPPED], subject=one.name)
    return next((event for event in found if event.what["plan"] == one.plan.digest), None)
