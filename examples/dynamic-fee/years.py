"""The chain's side of the years in which a model serves a pool: the page's second half, with the commands between.

    python years.py node                          # a node with the days before April 2008; it stays
    python years.py plan years --periods 36       # an experiment's plan, from the next day on
    python years.py choose years router           # the pool's owner lets it ask the router, consumer or existing
    python years.py days years --to 2008-05-20    # trade those days; between blocks, what `assay up` does
    python years.py block                         # the newest block that a dataset can have

The pool keeps its own history (`ObservedPool`), and its fee follows proofs of rows that a contract makes of that
(`ObservedFee`): nobody posts a row. `days` plays the traders, and steps the parts of `assay up` between two blocks, so
that a day takes a second. Its rows are plain Python's, of the pool's events: a row that differed from the contract's in
a single word would not be settled.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from history import ABOUT, Kept
from live import DAY, Observer, _every
from market import BLOCK_SECONDS, CONTRACTS, OWNER, RESERVE, SOURCES, START, Market, Rpc, node
from prices import BLOCKS_A_DAY, days
from replay import FEE, SEED
from traders import PRICE_UNIT, VOLUME_UNIT, Pool, intents

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.compare import running
from assay.compare.sequence import FEWEST, confidence_sequence
from assay.compare.steward import Steward
from assay.data.errors import TooFewRows
from assay.data.features.grid import BLOCK
from assay.data.live import Newest
from assay.data.targets import labels
from assay.keep.watch.look import Watcher
from assay.record import answers
from assay.record.database import Database
from assay.release import alias
from assay.serve.arms import Looking, Marks
from assay.serve.live import Live
from assay.serve.models import Models
from assay.serve.settle import open_settler
from assay.serve.work import Worker
from assay.settle.network import network, selector
from assay.settle.registry import acting
from assay.task.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prices import Day

    from assay.compare.running import Experiment
    from assay.record.answers import Answer

HISTORY = Path(__file__).with_name("history-2006")
CHAIN, URL = "local", "RPC_URL"
BURN_IN, GRACE, AHEAD = 2, 2, 12
"""Blocks of a period that are not counted, in which its link may be opened, and from now to the first period."""
_ALPHA = 0.05
_WEEK = 5
_AT_ONCE = 500
_TURNS = 40
PLAN = """schema = "assay-experiment/1"
name = "fee-switchback"
title = "Are the liquidity providers better off if the fee follows proven forecasts?"
design = "switchback"

[switchback]
start_block = {start}
# A trading day. Its first two blocks are not counted: the link is opened in them, and a forecast is settled.
period_blocks = {blocks}
periods = {periods}
grace_blocks = {grace}
burn_in_blocks = {burn_in}

[metric]
of = "recorded"
unit = "basis points of the pool a day"

[aim]
smallest_effect = 0.05

[[guardrails]]
metric = "missed"
at_most = 0.5
last = 12

# A pool of a million dollars: a basis point a day is 100 dollars, and four decisions share it.
[money]
usd_per_unit = 25.0
at_risk_usd = 1000000.0
hours = 8.0
usd_per_hour = 100.0
"""


@dataclass
class Book:
    """What plain Python knows of the pool: its bars, and the last block of each."""

    task: Task
    observers: dict[tuple[str, ...], Observer] = field(default_factory=dict)
    trades: list[tuple[int, int, int]] = field(default_factory=list)
    last: dict[int, int] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)
    prices: dict[int, int] = field(default_factory=dict)
    price: int = 0
    made: dict[tuple[str, ...], tuple[int, Newest]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Bars are as long as the task says."""
        self.every = _every(self.task)

    def block(self, number: int, now: int, trades: Sequence[tuple[int, int]]) -> None:
        """A block: its time, and of each trade the price that it left and what it traded."""
        bar = now // self.every
        self.last[bar], self.times[number] = number, now
        self.prices.setdefault(bar, self.price)
        for price, traded in trades:
            self.price = price
            self.prices[bar] = price
            self.trades.append((now, price, traded))
            for one in self.observers.values():
                one.saw(now, price, traded)

    def newest(self, task: Task, _home: Path, block: int, names: Sequence[str]) -> Newest:
        """The row of the last bar that is over in a block, as `assay up` asks for it."""
        end = self.times[block] // self.every * self.every
        bar = end // self.every - 1
        # A bar that is over never changes, and is asked for at each of its blocks.
        of = (*names, task.predict.target, repr(task.data.label))
        if of not in self.made or self.made[of][0] != bar:
            self.made[of] = bar, self._made(task, bar, end, names)
        return self.made[of][1]

    def _made(self, task: Task, bar: int, end: int, names: Sequence[str]) -> Newest:
        values = self._observer(names).row(end) if bar in self.last else [None]
        if None in values:
            raise TooFewRows("the history is not long enough", "Wait.")
        moment = dt.datetime.fromtimestamp(end, dt.UTC).isoformat()
        return Newest(tuple(values), self.last[bar], moment, {}, self._outcomes(task, bar))

    def _observer(self, names: Sequence[str]) -> Observer:
        found = self.observers.get(tuple(names))
        if found is None:
            found = self.observers[tuple(names)] = Observer(self.task, self.every, list(names))
            for trade in self.trades:
                found.saw(*trade)
        return found

    def _outcomes(self, task: Task, newest: int) -> dict[int, Any]:
        """What the task predicts, of the last bars of which it is known."""
        import polars as pl

        bars = range(newest - 4 * task.data.label.reach, newest + 1)
        rows = [(self.last[bar], self.prices[bar]) for bar in bars if bar in self.last]
        frame = pl.DataFrame(rows, schema={BLOCK: pl.Int64, "price": pl.Int64}, orient="row")
        target = task.predict.target
        known = labels.make(frame, task.data.label, target).select(BLOCK, target).drop_nulls(target)
        return dict(known.iter_rows())


class World:
    """The node with its pool and traders, as far as the days were played."""

    def __init__(self, task: Task) -> None:
        self.url = os.environ[URL]
        kept = Kept.load(HISTORY)
        self.market = Market.there(self.url, kept.pool, FEE)
        self.rpc, self.pool = self.market.rpc, kept.pool
        self.source = random.Random(SEED)  # noqa: S311  traders, not secrets
        self.history = days(kept.days[0].date)
        self.number = (self.rpc.now() - START) // DAY
        self.twin: Market | None = None
        self.book = Book(task)
        self._remember(kept)
        for day in self.history[len(kept.days) : self.number]:
            intents(day, self.source)  # drawn and dropped, so that the wishes of the days after are the same

    def _remember(self, kept: Kept) -> None:
        """The kept days by the pool's own arithmetic, the days since by its events."""
        first = Pool(RESERVE, int(kept.days[0].prices[0] * RESERVE))
        past = Market(self.market.chain, self.market.contract, first, self.rpc, FEE)
        for number, day in enumerate(kept.days):
            wishes = intents(day, self.source)
            for block in range(BLOCKS_A_DAY):
                made = past.made(day, block, wishes)
                now = START + (number + 1) * DAY + block * BLOCK_SECONDS
                self.book.block((number + 1) * BLOCKS_A_DAY + 1 + block, now, [trade.seen for trade in made])
        logs: dict[int, list[tuple[int, int]]] = {}
        asked = {"fromBlock": hex(kept.last_block + 1), "toBlock": "latest", "address": self.pool}
        found = self.rpc.call("eth_getLogs", asked)
        # Each trade has a Sync, then a Swap.
        for sync, swap in zip(found[::2], found[1::2], strict=True):
            reserve0, reserve1 = _words(sync["data"])
            in0, _, out0, _ = _words(swap["data"])
            number = int(sync["blockNumber"], 16)
            logs.setdefault(number, []).append((reserve1 * PRICE_UNIT // reserve0, (in0 + out0) // VOLUME_UNIT))
        for number, now in self.rpc.times(kept.last_block + 1, self.rpc.block(), _AT_ONCE):
            self.book.block(number, now, logs.get(number, []))

    def beside(self) -> None:
        """A twin pool with the reserves of now, whose fee is always the fixed one."""
        compiled = compile_solidity(read_sources(CONTRACTS, paths=SOURCES))
        chain, now = Chain(self.url), self.market.pool
        fixed = chain.deploy(compiled["FixedFee"], FEE)
        contract = chain.deploy(compiled["ConstantProductPool"], fixed.address, now.reserve0, now.reserve1)
        self.twin = Market(chain, contract, Pool(now.reserve0, now.reserve1), self.rpc, FEE)

    def trade(self, day: Day, block: int, wishes: Any) -> None:
        """Mine a block of the day with its trades, and whatever was sent for it."""
        now = START + (self.number + 1) * DAY + block * BLOCK_SECONDS
        self.market.fee = self._fee(now)
        self.rpc.at(now)
        made = self.market.hold(day, block, wishes)
        if self.twin is not None:
            self.twin.hold(day, block, wishes)
        self.rpc.call("evm_mine")
        self.book.block(self.rpc.block(), now, [trade.seen for trade in made])

    def _fee(self, now: int) -> int:
        """The fee of all trades in the next block: what is settled in it comes after them."""
        call = {"to": self.pool, "data": selector("feeSource()")}
        chosen = "0x" + self.rpc.call("eth_call", call, "latest")[-40:]
        then = {"number": hex(self.rpc.block() + 1), "time": hex(now)}
        return int(self.rpc.call("eth_call", {"to": chosen, "data": selector("fee()")}, "latest", {}, then), 16)

    def blocks_by_days(self, *, on: bool) -> None:
        """Whether blocks are mined by days; else each transaction has one at once, a second after the one before."""
        self.rpc.automine(on=not on)
        self.rpc.call("anvil_setBlockTimestampInterval", BLOCK_SECONDS if on else 1)

    def begin(self, start: int | None) -> None:
        """A period begins in the first block of a day: until then, blocks without a trade, a second apart."""
        count = 0 if start is None else start - 1 - self.rpc.block()
        for _ in range(count):
            self.rpc.mine(1)
            self.book.block(self.rpc.block(), self.rpc.now(), [])

    def lost(self) -> list[float]:
        """What each pool has lost so far, as a share of its value."""
        pools = [self.market] if self.twin is None else [self.market, self.twin]
        return [one.result.to_arbitrage - one.result.from_noise for one in pools]


class Service:
    """What `assay up` runs, stepped by hand between blocks."""

    def __init__(self, database: Database, folder: Path, task: Task, book: Book) -> None:
        self.settler = open_settler(database, folder, task, None)
        self.worker = Worker(database)
        self.live = Live(database, task.name, self.settler, Models(database), folder / ".assay" / "live", _say)
        self.live.row, self.live.counts = book.newest, True
        looking = Looking(database, task.name, self.settler.on.name, every=0.0)
        self.live.marked = Marks(looking, "champion").of
        self.steward = Steward(database, task.name, folder, self.settler.on, _say, look_seconds=0.0)
        self.watcher = Watcher(database, task, self.settler.on.name, _say)
        self.settler.told = _say

    def step(self) -> None:
        """Everything that can be done before the next block."""
        self.steward.step()
        for _ in range(_TURNS):
            moved = self.live.step()
            moved |= self.worker.step()
            moved |= self.settler.step()
            if not moved:
                return


def play(folder: Path, until: str, *, twin: bool) -> str:
    """Trade the days to a date; what came of them, in words."""
    task = Task.load(folder)
    with closing(Database.of_project(folder)) as database:
        world = World(task)
        chosen = [day for day in world.history[world.number :] if day.date <= until]
        one = running.running(database, task.name, CHAIN)
        if twin:
            world.beside()
        start = one.plan.terms.start_block if one is not None and one.plan.terms.switchback is not None else None
        world.begin(start)
        world.blocks_by_days(on=True)
        try:
            burn_in = BURN_IN if one is not None else 0
            lost = _played(world, Service(database, folder, task, world.book), chosen, burn_in)
        finally:
            world.blocks_by_days(on=False)
        if one is not None and start is not None:
            _write(folder / "outcomes.csv", one, lost)
        found = answers.find(database, task.name, chain=CHAIN, periods=True, limit=100_000)
        return _summary(world, chosen, found) + _apart([each for _, each in lost])


def _played(world: World, service: Service, chosen: list[Day], burn_in: int) -> list[tuple[int, list[float]]]:
    """The first block of each day, and what each pool lost in the blocks that count, in basis points a day."""
    found = []
    for count, day in enumerate(chosen):
        wishes, first = intents(day, world.source), world.rpc.block() + 1
        for block in range(BLOCKS_A_DAY):
            if block == burn_in:
                before = world.lost()
            world.trade(day, block, wishes)
            service.step()
        scale = 1e4 * BLOCKS_A_DAY / (BLOCKS_A_DAY - burn_in)
        found.append((first, [(now - then) * scale for now, then in zip(world.lost(), before, strict=True)]))
        world.number += 1
        if count % _WEEK == _WEEK - 1:
            known = {one.signal for one in service.watcher.standing()}
            service.watcher.step()
            for one in service.watcher.standing():
                if one.signal not in known:
                    _say(f"years: that was on {day.date}")
    for pool in (world.market, world.twin):
        if pool is not None:
            pool.compare()
    return found


def _write(place: Path, one: Experiment, lost: list[tuple[int, list[float]]]) -> None:
    """Outcomes of an experiment's periods as a file; with a twin, what it lost stands beside."""
    of, lines = one.plan.terms.switchback, ["unit,outcome,before"]
    for first, each in lost:
        period = None if of is None else of.period_of(first)
        if period is not None:
            lines.append(f"{period},{each[0]!r},{each[1]!r}" if len(each) > 1 else f"{period},{each[0]!r},")
    if len(lines) > 1:
        place.write_text("\n".join(lines) + "\n")


def _summary(world: World, chosen: list[Day], found: list[Answer]) -> str:
    result = world.market.result
    settled = [one for one in found if one.state == "settled"]
    result.days = len(chosen)
    said = f"{len(chosen)} days ({chosen[0].date} to {chosen[-1].date}), {result.trades:,} trades; "
    said += f"the liquidity providers got {result}"
    if world.twin is not None:
        world.twin.result.days = len(chosen)
        said += f"\nthe twin with the fixed fee: {world.twin.result}"
    return f"{said}\n{len(settled)} of {len(found)} forecasts so far were settled"


def _apart(lost: list[list[float]]) -> str:
    """What the twin lost more, day by day, with an interval that holds at every look; nothing without a twin."""
    gains = np.array([each[1] - each[0] for each in lost if len(each) > 1])
    if len(gains) < FEWEST:
        return ""
    look = confidence_sequence(gains, _ALPHA, len(gains))
    said = f"{look.mean[-1]:+.4f} basis points of the pool a day ({look.low[-1]:+.4f} to {look.high[-1]:+.4f} with 95 %"
    return f"\nthe twin lost more: {said} confidence at every look)"


def plan(folder: Path, periods: int) -> str:
    """Write the plan of an experiment that begins soon."""
    start = Rpc(os.environ[URL]).block() + AHEAD
    terms = {"start": start, "periods": periods, "blocks": BLOCKS_A_DAY, "grace": GRACE, "burn_in": BURN_IN}
    (folder / "experiment.toml").write_text(PLAN.format(**terms))
    return f"{folder / 'experiment.toml'}: {periods} days from block {start} on"


def choose(folder: Path, name: str) -> str:
    """The pool's owner lets it ask another contract: the router of an experiment, or a contract of the project."""
    task, rpc = Task.load(folder), Rpc(os.environ[URL])
    with closing(Database.of_project(folder)) as database:
        if name == "router":
            address = running.named(database, task.name, None).router
        else:
            found = acting(database, task.name, network(task, CHAIN), name, alias.champion(database, task.name))
            address = None if found is None else found.address
    if address is None:
        raise SystemExit(f"years: there is no {name} on the chain yet")
    pool = str(json.loads((HISTORY / ABOUT).read_text())["pool"])
    call = {"to": pool, "data": selector("feeSource()")}
    chosen = "0x" + rpc.call("eth_call", call, "latest")[-40:]
    data = selector("choose(address)") + address.removeprefix("0x").lower().rjust(64, "0")
    rpc.call("eth_sendTransaction", {"from": rpc.account(OWNER), "to": chosen, "data": data})
    fee = int(rpc.call("eth_call", {"to": chosen, "data": selector("fee()")}, "latest"), 16)
    return f"the pool asks {name}, {address}: its fee is {fee / 1e4:.4f} %"


def keep_node() -> None:
    """A node with the kept days, until it is ended."""
    with node() as local:
        rpc = Rpc(local.url)
        rpc.load(Kept.load(HISTORY).state)
        rpc.at(rpc.now() + 1)
        rpc.call("anvil_setBlockTimestampInterval", 1)
        sys.stdout.write(f"export {URL}={local.url}\n")
        sys.stdout.flush()
        while True:
            time.sleep(3600)


def _words(data: str) -> list[int]:
    return [int(data[place : place + 64], 16) for place in range(2, len(data), 64)]


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def main() -> int:
    """One of the steps."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parts = parser.add_subparsers(dest="step", required=True)
    steps: dict[str, Callable[[argparse.Namespace], str]] = {
        "plan": lambda given: plan(given.project, given.periods),
        "choose": lambda given: choose(given.project, given.contract),
        "days": lambda given: play(given.project, given.to, twin=given.twin),
        "block": lambda _: str(Rpc(os.environ[URL]).block() - 1),
    }
    parts.add_parser("node", help="keep a node with the days before April 2008")
    parts.add_parser("block", help="the newest block that a dataset can have")
    for name in ("plan", "choose", "days"):
        parts.add_parser(name).add_argument("project", type=Path)
    parts.choices["plan"].add_argument("--periods", type=int, default=36, help="trading days")
    parts.choices["choose"].add_argument("contract", choices=("router", "consumer", "existing"))
    parts.choices["days"].add_argument("--to", required=True, metavar="DATE", help="the last trading day")
    parts.choices["days"].add_argument("--twin", action="store_true", help="a second pool with the fixed fee beside it")
    given = parser.parse_args()
    if given.step == "node":
        keep_node()
    else:
        sys.stdout.write(steps[given.step](given) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
