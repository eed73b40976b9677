"""The play: periods one after the other, and what goes wrong in them, at the pace of the chain that counts.

A block comes when the service waits for one, or when the chain's own would have come: what the service computes
takes as many blocks as it would take there, and nobody waits for blocks in which nothing happens.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.record import answers, transactions
from assay.rehearse.errors import ServiceEnded
from assay.settle.node import quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.record.answers import Answer
    from assay.rehearse.door import Door
    from assay.rehearse.stage import Stage

FAULTS = ("gap", "duplicate", "late row", "reorg", "dead node", "killed service")
WHAT = {
    "": "nothing",
    "gap": "the period's blocks were missing",
    "duplicate": "the row came twice, the second time with other values",
    "late row": "the row came after its deadline",
    "reorg": "the block of its transaction was replaced",
    "dead node": "no node answered for some blocks",
    "killed service": "the service was killed in the midst of it (SIGKILL) and started again",
}
_DAY = 86_400
_PAUSE = 0.03
_LONGEST_REORG = 3


@dataclass
class Period:
    """One period and what became of it.

    Attributes
    ----------
    block
        Its last block.
    fault
        What went wrong in it; empty for nothing.
    state
        How its answer ended; empty without one.
    latency
        Blocks from its last block to that of the settlement; None if it was not settled.
    prove_seconds, gas
        Of its proof, and of its settlement.
    error
        Of its answer.
    row
        Whether what was answered is the row that came first.
    """

    number: int
    block: int
    fault: str
    state: str = ""
    latency: int | None = None
    prove_seconds: float | None = None
    gas: int | None = None
    error: str = ""
    row: bool = True


@dataclass
class Play:
    """Directs the chain and what goes wrong.

    Parameters
    ----------
    within
        Blocks after which an answer is late; None for never.
    length
        Blocks of a period.
    """

    stage: Stage
    door: Door
    within: int | None
    length: int
    seed: int
    told: Callable[[str], None]
    luck: random.Random = field(init=False)
    _last: float = 0.0

    def __post_init__(self) -> None:
        """Everything that is drawn follows from the seed."""
        self.luck = random.Random(self.seed)  # noqa: S311  no secret

    def run(self, count: int) -> list[Period]:
        """Play so many periods; what goes wrong is spread over them, with a clean one before each."""
        node = self.stage.on.node
        node.ask("evm_setAutomine", False)  # noqa: FBT003
        node.ask("anvil_setBlockTimestampInterval", max(1, round(self._block_seconds)))
        self.stage.start(wait=True)
        found, start = [], node.head() + 1
        rows = self.stage.rows[-count:]
        for number, row in enumerate(rows):
            fault = FAULTS[(number // 2) % len(FAULTS)] if number % 2 else ""
            period = Period(number + 1, start + (number + 1) * self.length, fault)
            self.told(f"period {period.number} of {len(rows)}{f': {WHAT[fault]}' if fault else ''}")
            if self.stage.row is not None:  # before the period's last block, which no reorg takes away
                self.stage.row.show(row["values"])
            self._one(period, row)
            start += max(0, node.head() - self._delay - period.block) // self.length * self.length
            found.append(period)
        self._settle_down()
        self.stage.end()
        for period in found:
            self._read(period, rows[period.number - 1]["values"])
        return found

    @property
    def _block_seconds(self) -> float:
        return float(self.stage.on.spec.block_seconds or 12.0)

    @property
    def _delay(self) -> int:
        return self.stage.task.protocol.feature_delay_blocks

    def _one(self, period: Period, row: dict[str, Any]) -> None:
        self._to(period.block + self._delay)
        given = {"block": period.block, **row}
        if period.fault == "gap":
            self.stage.give(block=period.block, gap=True)
            self._wait(period, most=3)
            return
        if period.fault == "late row":
            if self.within is not None:
                self._to(period.block + self.within + 1)
            else:
                self._to(period.block + self._delay + 2)
        if period.fault == "dead node":
            self.door.shut.set()
        self.stage.give(**given)
        self._mine()
        if period.fault == "duplicate":
            self._wait(period, until="received")
            values = [None if one is None else 0 for one in given["values"]]
            self.stage.give(**(given | {"values": values}))
            self._mine()
        if period.fault == "dead node":
            for _ in range(2):
                time.sleep(0.3)
                self._mine()
            self.door.shut.clear()
        if period.fault == "killed service":
            self._kill(period)
        if period.fault == "reorg":
            self._replace(period)
        self._wait(period)

    def _kill(self, period: Period) -> None:
        """At one of its states, drawn: the service dies there."""
        at = self.luck.choice(("received", "fixed", "settling"))
        self._wait(period, until=at)
        self.stage.kill()
        self.stage.start()

    def _replace(self, period: Period) -> None:
        """Wait until its transaction is mined, then take its block away: what was in it is in the pool no more."""
        self._wait(period, until="mined")
        depth = min(self.stage.on.node.head() - period.block, self.luck.randint(1, _LONGEST_REORG))
        if depth > 0:
            self.stage.on.node.ask("anvil_reorg", depth, [])

    def _wait(self, period: Period, *, until: str = "", most: int | None = None) -> None:
        """Let blocks come until its answer has ended, or is where it is wanted; at most so many blocks."""
        first = self.stage.on.node.head()
        while most is None or self.stage.on.node.head() - first < most:
            service = self.stage.service
            if service is not None and service.poll() is not None:
                text = self.stage.log.read_text(errors="replace").strip().splitlines()
                raise ServiceEnded(f"the service ended: {text[-1] if text else 'without a word'}", "See its log.")
            one = self._answer(period)
            if one is not None and (one.ended or self._is(one, until)):
                return
            self._block_if_due(one, empty=most is not None)
            time.sleep(_PAUSE if most is None else 10 * _PAUSE)

    def _is(self, one: Answer, until: str) -> bool:
        if until == "mined":
            return one.state == "settling" and self._sent(one) is not None
        order = ["received", "fixed", "proven", "settling"]
        return until in order and one.state in order[order.index(until) :]

    def _sent(self, one: Answer) -> transactions.Transaction | None:
        if one.transaction is None:
            return None
        sent = transactions.get(self.stage.database, one.transaction)
        return sent if sent.mined is not None else None

    def _block_if_due(self, one: Answer | None, *, empty: bool = False) -> None:
        waits = quantity(self.stage.on.node.ask("txpool_status")["pending"]) > 0
        confirming = one is not None and one.state == "settling" and self._sent(one) is not None
        if waits or confirming or empty or time.monotonic() - self._last > self._block_seconds:
            self._mine()

    def _answer(self, period: Period) -> Answer | None:
        found = answers.find(self.stage.database, self.stage.task.name, period=period.block)
        return found[0] if found else None

    def _to(self, block: int) -> None:
        missing = block - self.stage.on.node.head()
        if missing > 0:
            self.stage.on.node.ask("anvil_mine", hex(missing))
            self._last = time.monotonic()

    def _mine(self) -> None:
        self.stage.on.node.ask("anvil_mine", "0x1")
        self._last = time.monotonic()

    def _settle_down(self) -> None:
        """What was sent becomes final."""
        for _ in range(200):
            if not any(one.state in {"signed", "broadcast", "mined"} for one in self._all()):
                return
            self._mine()
            time.sleep(_PAUSE)

    def _all(self) -> list[transactions.Transaction]:
        return transactions.find(self.stage.database, self.stage.on.name)

    def _read(self, period: Period, values: object) -> None:
        one = self._answer(period)
        if one is None:
            return
        period.row = one.row == [values]
        period.state = one.state
        period.error = (one.error or {}).get("what", "")
        when = dict(one.timeline)
        if "proven" in when and "fixed" in when:
            period.prove_seconds = float(when["proven"] - when["fixed"])
        sent = self._sent(one)
        if one.state == "settled" and sent is not None and sent.mined is not None:
            period.latency = int(sent.mined["block"]) - period.block
            period.gas = int(sent.mined["gas_used"])


def period_blocks(decisions_per_day: float, block_seconds: float) -> int:
    """Blocks from one answer to the next."""
    return max(1, round(_DAY / decisions_per_day / block_seconds))
