"""An experiment beside the service's loops: the challenger's rows and settlements, links, draws and guardrails.

The champion's own loops go on as they are; what is added to them is called in each of their turns, asks the records
whether an experiment runs, and otherwise costs nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from assay.compare import running
from assay.compare.arms import CHALLENGER, CHAMPION, arm_name, contract
from assay.compare.plan import Window
from assay.compare.steward import Steward
from assay.core.errors import AssayError
from assay.record import answers, claims, releases
from assay.record.errors import Conflict, LeaseLost
from assay.release.features import task_of
from assay.serve.settle import LEASE_SECONDS
from assay.settle.deploy import Deployed
from assay.settle.network import policy
from assay.settle.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.compare.running import Experiment
    from assay.record.database import Database
    from assay.record.states import AnswerState
    from assay.serve.live import Live
    from assay.serve.settle import Settler

_LOOK_SECONDS = 2.0


@dataclass
class Looking:
    """The experiment that runs on a chain, asked for now and then."""

    database: Database
    project: str
    chain: str
    every: float = _LOOK_SECONDS
    _at: float = float("-inf")
    _one: Experiment | None = None

    def now(self) -> Experiment | None:
        """The experiment; None if none runs."""
        if time.monotonic() - self._at >= self.every:
            self._at = time.monotonic()
            self._one = running.running(self.database, self.project, self.chain)
        return self._one


@dataclass
class Marks:
    """What is kept with an arm's answers: the plan, the period, and the chance with which the arm was to decide."""

    looking: Looking
    arm: str
    _known: dict[str, Window] = field(default_factory=dict)

    def of(self, block: int) -> tuple[float, dict[str, Any]]:
        """Of the answer to the row of a block."""
        one = self.looking.now()
        if one is None:
            return 1.0, {}
        terms, window = one.plan.terms, self._window(one)
        if not terms.start_block <= block + window.first <= terms.end_block:
            return 1.0, {}
        names = {arm_name(terms.arms.new): terms.arms.share}
        names |= {arm_name(terms.arms.old): 1 - terms.arms.share} if terms.arms.old != "existing" else {}
        if self.arm not in names:
            return 1.0, {}
        of = terms.switchback
        period = None if of is None else of.period_of(block + window.first)
        mark = {"plan": one.plan.digest, "period": period, "counts": of is not None and bool(window.counts(of, block))}
        chance = names[self.arm]
        if terms.design == "shadow":
            chance = 0.0 if self.arm == CHALLENGER else 1.0
        return chance, {"experiment": mark}

    def _window(self, one: Experiment) -> Window:
        if one.plan.digest not in self._known:
            release = releases.by_digest(self.looking.database, one.new)
            self._known = {one.plan.digest: Window.of(task_of(self.looking.database, release))}
        return self._known[one.plan.digest]


def challenger(one: Experiment) -> str | None:
    """Digest of the release that answers beside the champion; None if none does."""
    arms = one.plan.terms.arms
    if arm_name(arms.new) == CHALLENGER:
        return one.new
    return one.old if arms.old.isdecimal() else None


@dataclass
class Rows:
    """The challenger's rows, in the process that follows the chain for the champion."""

    champion: Live
    place: Path
    looking: Looking
    _live: Live | None = None
    _said: str = ""

    def step(self) -> None:
        """Take the challenger's period as far as it goes, if one runs; what fails is said, and stops no champion."""
        try:
            self._step()
            self._said = ""
        except (LeaseLost, Conflict):
            return  # another process was faster
        except AssayError as error:
            self._said = _tell(self.champion.told, self._said, error)

    def _step(self) -> None:
        one = self.looking.now()
        fixed = None if one is None else challenger(one)
        if one is None or fixed is None:
            self._live = None
            return
        if self._live is None or self._live.fixed != fixed:
            self._live = self._opened(one, fixed)
        of, head = one.plan.terms, self.champion.settler.on.node.head()
        warm = of.switchback.period_blocks if of.switchback is not None else 0
        # Before its first period its contract needs an answer of it, or the period would begin without.
        if of.start_block - warm <= head <= of.end_block:
            self._live.step()

    def _opened(self, one: Experiment, fixed: str) -> Live:
        consumer = _consumer(self.champion.settler, self.champion.database, self.champion.project, one)
        return replace(
            self.champion,
            settler=consumer or self.champion.settler,
            arm=CHALLENGER,
            fixed=fixed,
            decides=one.plan.terms.design != "shadow",
            marked=Marks(self.looking, CHALLENGER).of,
            beside=lambda: None,
            _said="",
            _head=-1,
            _looked=-1,
        )


@dataclass
class Settlements:
    """What an experiment needs of the process that settles: the steward, and the challenger's settlements."""

    champion: Settler
    project: str
    folder: Path
    looking: Looking
    told: Callable[[str], None] = field(default=lambda _: None)
    _settler: Settler | None = None
    _plan: str = ""
    _steward: Steward | None = None
    _said: str = ""
    _finished: float = float("-inf")

    def step(self) -> None:
        """Do what is due; what fails is said, and stops no champion."""
        if self._steward is None:
            on, base = self.champion.on, self.champion.database
            self._steward = Steward(base, self.project, self.folder, on, self.told, look_seconds=self.looking.every)
        self._steward.step()
        try:
            one = self.looking.now()
            if one is not None and _settles(one):
                self._settle(one)
            else:
                self._finish()
            self._said = ""
        except (LeaseLost, Conflict):
            return  # another process was faster
        except AssayError as error:
            self._said = _tell(self.told, self._said, error)

    def _settle(self, one: Experiment) -> None:
        if self._settler is None or self._plan != one.plan.digest:
            self._settler = _consumer(self.champion, self.champion.database, self.project, one)
            self._plan = one.plan.digest
        if self._settler is not None:
            self._settler.step()

    def _finish(self) -> None:
        """End what the last challenger left open, also if this process did not run when its experiment was over.

        What was signed stays the challenger's settlement; a row that has no context yet never gets one.
        """
        if time.monotonic() - self._finished < self.looking.every:
            return
        base, chain = self.champion.database, self.champion.on.name
        states: list[AnswerState] = ["received", "proven", "settling"]
        left = answers.find(base, self.project, states=states, chain=chain, arm=CHALLENGER)
        # Looked at after the answers: those of an experiment that has begun meanwhile are not ended.
        there = running.running(base, self.project, chain)
        if any(one.settle for one in left) and (there is None or not _settles(there)):
            if any(one.state == "received" for one in left):
                self._expire()
            last = [one for one in running.found(base, self.project) if one.chain == chain and _settles(one)]
            if last:
                self._settle(last[-1])
        else:
            self._finished = time.monotonic()

    def _expire(self) -> None:
        base, chain = self.champion.database, self.champion.on.name
        said = {
            "code": "settle/experiment-over",
            "what": "its experiment was over before its row had a context",
            "todo": "Nothing: it is the champion's, or the existing process's, to decide.",
        }
        while held := claims.claim(
            base, ["received"], self.champion.name, LEASE_SECONDS, project=self.project, chain=chain, arm=CHALLENGER
        ):
            answers.commit(base, held[0], "expired", error=said)


def _settles(one: Experiment) -> bool:
    """Whether an experiment has a challenger whose answers are settled."""
    return challenger(one) is not None and one.plan.terms.design != "shadow"


def _tell(told: Callable[[str], None], before: str, error: AssayError) -> str:
    """Say once what fails in each turn; what was said."""
    if error.what != before:
        told(f"experiment: [{error.code}] {error}")
    return error.what


def _consumer(champion: Settler, database: Database, project: str, one: Experiment) -> Settler | None:
    """The champion's settlement loop, for the challenger's contract; None of a shadow."""
    if one.plan.terms.design == "shadow":
        return None
    arms, on = one.plan.terms.arms, champion.on
    # Whether the arms may still decide is the steward's to watch: what was sent is followed in any case.
    name = arms.new_contract if arm_name(arms.new) == CHALLENGER else arms.old_contract
    address = contract(database, project, on, name, challenger(one))
    outbox = Outbox(database, on.node, champion.outbox.signer, policy(on, address))
    consumer = Deployed("consumer", address, "", "", None, None)
    return replace(champion, outbox=outbox, consumer=consumer, arm=CHALLENGER, beside=lambda: None, _said="", _abi=None)


def beside_live(loop: Live, place: Path) -> None:
    """Let a loop that follows the chain follow it for experiments, too."""
    looking = Looking(loop.database, loop.project, loop.settler.on.name)
    loop.marked = Marks(looking, CHAMPION).of
    loop.beside = Rows(loop, place, looking).step


def beside_settle(loop: Settler, project: str, folder: Path) -> None:
    """Let a loop that settles look after experiments, too."""
    looking = Looking(loop.database, project, loop.on.name)
    loop.beside = Settlements(loop, project, folder, looking, loop.told).step
