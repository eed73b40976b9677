"""After the decision: days that no model has seen, traded twice, with the fixed fee and with proven forecasts.

    python live.py project --live 20

Two pools stand side by side on a fresh local node, with the same prices and the same traders. One asks a contract
whose fee never changes. The other keeps its own history and asks `ObservedFee`: when a bar is over, that contract
makes the row itself, the row is proven with the keys of the decision, and the proof of exactly that row changes the
fee. Nobody posts a row. The days before the first one are traded in that pool, too: a history has to be long enough.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from history import ABOUT
from market import BLOCK_SECONDS, CONTRACTS, RESERVE, SOURCES, START, Market, Result, Rpc, node
from prices import BLOCKS_A_DAY, Day, days
from replay import FEE, SEED
from traders import PRICE_UNIT, Intent, Pool, intents

import assay
from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.row import row_contract
from assay.chain.solidity import render
from assay.core import files
from assay.data.dataset.dataset import Dataset
from assay.data.features.onchain import History
from assay.prove.keys import PROVING_KEY_FILE, VERIFYING_KEY_FILE
from assay.task.onchain import declared, lags
from assay.task.task import Task
from assay.transpile.circuit.circuit import Circuit

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.chain.compile import CompiledContract

DAY = BLOCKS_A_DAY * BLOCK_SECONDS
LOWEST, HIGHEST = 500, 20_000
"""Hundredths of a basis point; [value] loss in task.toml has the same bounds."""
MAX_AGE = 7 * 86_400
"""Seconds that a forecast counts: without a newer one for a week, the fixed fee is back."""
SETTLED_AFTER = 3600
"""Seconds from the end of a bar to the transaction that settles it."""
OBSERVED = ["assay/consumers/ObservedFee.sol", "assay/examples/ObservedPool.sol"]


@dataclass
class Live:
    """What happened.

    Attributes
    ----------
    fixed, dynamic
        What the two pools gave their liquidity providers, in basis points of the pool a day.
    gas
        Of each settlement: a whole transaction with its proof.
    prove_seconds
        Of each proof.
    fees
        The fee after each settlement, in hundredths of a basis point.
    """

    days: int = 0
    fixed: float = 0.0
    dynamic: float = 0.0
    gas: list[int] = field(default_factory=list)
    prove_seconds: list[float] = field(default_factory=list)
    fees: list[int] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values."""
        return {
            "days": self.days,
            "settlements": len(self.gas),
            "fixed_basis_points_a_day": self.fixed,
            "dynamic_basis_points_a_day": self.dynamic,
            "gas": statistics.median(self.gas),
            "prove_seconds": statistics.median(self.prove_seconds),
            "fees": [min(self.fees), round(statistics.median(self.fees)), max(self.fees)],
        }


class Observer:
    """What plain Python knows of a pool's bars: a second opinion about every row.

    Parameters
    ----------
    every
        Seconds in a bar.
    names
        The model's features.
    """

    def __init__(self, task: Task, every: int, names: list[str]) -> None:
        trees = declared(task.data)
        self._trees = [trees[name] for name in names]
        self._every = every
        self._bars: dict[int, tuple[int, int]] = {}

    @property
    def bars(self) -> int:
        """Bars that a history must have before there is a row."""
        return 1 + max(max(lags(tree), default=0) for tree in self._trees)

    def saw(self, now: int, price: int, traded: int) -> None:
        """What a trade left."""
        volume = self._bars.get(now // self._every, (0, 0))[1]
        self._bars[now // self._every] = (price, volume + traded)

    def row(self, end: int) -> list[int | None]:
        """The features of the bar that ended then."""
        first, count = min(self._bars), end // self._every - min(self._bars)
        prices: list[int] = []
        volumes: list[int] = []
        for bar in range(first, first + count):
            price, volume = self._bars.get(bar, (prices[-1] if prices else 0, 0))
            prices.append(price)
            volumes.append(volume)
        history = History.of(self._every, first, prices, volumes)
        return [history.value(tree, count - 1) for tree in self._trees]


class Observed:
    """A pool that keeps its own history, the contract that turns proven forecasts into its fee, and the prover."""

    def __init__(
        self, chain: Chain, rpc: Rpc, project: Path, fee: CompiledContract, *, history: list[Day], first: int
    ) -> None:
        chosen = project / "decision" / "chosen"
        task = Task.load(project)
        self.every = _every(task)
        self._key = assay.ProvingKey.load(chosen / PROVING_KEY_FILE)
        self._chain = chain
        self.observer = Observer(task, self.every, self._key.features)
        self.first = max(first - self._days(), 0)
        rpc.at(START + (self.first + 1) * DAY - BLOCK_SECONDS)
        fixed = chain.deploy(fee, FEE)
        source = render(assay.VerifyingKey.load(chosen / VERIFYING_KEY_FILE).content)
        compiled = compile_solidity(_sources(row_contract(task, Circuit.load(chosen))) | {"Verifier.sol": source.text})
        verifier = chain.deploy_verifier(compiled[source.name], source)
        row = chain.deploy(compiled["Row"])
        model = (
            verifier.address,
            compiled[source.name].code_hash,
            bytes.fromhex(source.model_id.removeprefix("0x")),
            row.address,
            compiled["Row"].code_hash,
        )
        line = (0, round(_slope(task) * 1_000_000), LOWEST, HIGHEST)
        # The pool asks the contract for its fee, and the contract the pool for its history.
        pool = rpc.next_address(chain.account, 1)
        self.contract = chain.deploy(compiled["ObservedFee"], model, pool, bytes(32), fixed.address, MAX_AGE, line)
        cash = int(history[self.first].prices[0] * RESERVE)
        deployed = chain.deploy(
            compiled["ObservedPool"], self.contract.address, RESERVE, cash, self.every, self.observer.bars
        )
        if deployed.address != pool:
            raise AssertionError(f"the pool is at {deployed.address}, not at {pool}")
        self.market = Market(chain, deployed, Pool(RESERVE, cash), rpc, FEE)
        self._existing = fixed.address
        self.observer.saw(rpc.now(), cash * PRICE_UNIT // RESERVE, 0)
        rpc.automine(on=False)

    def _days(self) -> int:
        """Days that are traded before, so that there is a row from the first one on."""
        return -(-self.observer.bars * self.every // DAY) + 1

    def beside(self, pool: CompiledContract) -> Market:
        """Another pool with the reserves that this one has now, whose fee is always the fixed one."""
        chain, now = self._chain, self.market.pool
        self.market.rpc.automine(on=True)
        contract = chain.deploy(pool, self._existing, now.reserve0, now.reserve1)
        self.market.rpc.automine(on=False)
        self.market.result = Result()
        return Market(chain, contract, Pool(now.reserve0, now.reserve1), self.market.rpc, FEE)

    def trade(self, day: Day, block: int, wishes: list[Intent], now: int) -> None:
        """A block of trades at the time `now`."""
        self.market.rpc.at(now)
        for trade in self.market.trade(day, block, wishes):
            self.observer.saw(now, *trade.seen)

    def settle(self, now: int, live: Live) -> None:
        """Prove the bar that is over, and settle it at the time `now`; without a row nothing happens."""
        rpc, chain = self.market.rpc, self._chain
        end = now // self.every * self.every
        row = self.observer.row(end)
        if None in row:
            return
        start = time.perf_counter()
        proof = assay.prove(self._key, np.array([row], dtype=object))
        live.prove_seconds.append(time.perf_counter() - start)
        rpc.automine(on=True)
        rpc.at(now)
        live.gas.append(chain.send(self.contract, "settle", proof.body, proof.public_inputs).gas_used)
        rpc.automine(on=False)
        self.market.fee = int(chain.call(self.contract, "fee"))
        live.fees.append(self.market.fee)


def run(
    project: Path, replayed: tuple[str | None, int | None], last: int, seed: int, progress: Callable[[str], None]
) -> Live:
    """Trade the last `last` of the days that were replayed: from a date on, of those the last so many."""
    history = days(replayed[0] or _began(project), count=replayed[1])
    first = max(len(history) - last, _unseen(project))
    source, live = random.Random(seed), Live(days=len(history) - first)  # noqa: S311  traders, not secrets
    with node() as local:
        chain, rpc = Chain(local.url), Rpc(local.url)
        compiled = compile_solidity(read_sources(CONTRACTS, paths=SOURCES))
        observed = Observed(chain, rpc, project, compiled["FixedFee"], history=history, first=first)
        fixed: Market | None = None
        for number in range(observed.first, len(history)):
            day, wishes = history[number], intents(history[number], source)
            if number == first:
                # Both begin the days that count with the same reserves.
                fixed = observed.beside(compiled["ConstantProductPool"])
            for block in range(BLOCKS_A_DAY):
                now = START + (number + 1) * DAY + block * BLOCK_SECONDS
                if number >= first and now % observed.every == BLOCK_SECONDS % observed.every:
                    observed.settle(now - BLOCK_SECONDS + SETTLED_AFTER, live)
                observed.trade(day, block, wishes, now)
                if fixed is not None:
                    rpc.at(now + 1)
                    fixed.trade(day, block, wishes)
            if number < first:
                progress(f"history: {first - number - 1} days left")
            else:
                progress(f"day {number - first + 1} of {live.days}, {len(live.gas)} proofs settled")
        if fixed is None:
            raise SystemExit("there is no day that no model has seen")
        for pool in (fixed, observed.market):
            pool.compare()
            pool.result.days = live.days
        live.fixed, live.dynamic = fixed.result.basis_points_a_day, observed.market.result.basis_points_a_day
    return live


def _sources(row: str) -> dict[str, str]:
    """What `assay row` writes, beside Assay's contracts, as in a project's folder `contracts`."""
    with files.scratch() as work:
        (work / "assay").symlink_to(CONTRACTS)
        (work / "Row.sol").write_text(row)
        return read_sources(work, paths=["Row.sol", *OBSERVED])


def _unseen(project: Path) -> int:
    """The number of the first replayed day of which all rows are test rows."""
    dataset = Dataset.load(project / "data")
    first = _times(dataset.frame("test"), str(dataset.time))[0]
    return int(first.timestamp()) // DAY - START // DAY


def _times(frame: pl.DataFrame, column: str) -> list[Any]:
    return frame[column].dt.replace_time_zone("UTC").to_list() if frame[column].dtype == pl.Datetime else []


def _every(task: Task) -> int:
    bars = task.data.bars
    if bars is None or bars.seconds is None or bars.seconds % BLOCK_SECONDS:
        raise SystemExit("the task's bars are no whole number of blocks")
    return bars.seconds


def _began(project: Path) -> str | None:
    """The first day of a kept replay that the project's chain goes on from."""
    about = project / "chain" / ABOUT
    return str(json.loads(about.read_text())["from"]) if about.exists() else None


def _slope(task: Task) -> float:
    """The fee line of the task: the fixed fee is what it gives for the existing process."""
    return FEE / 1_000_000 / float(task.existing.value or 1)


def main() -> int:
    """Run it, print what happened."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("--from", dest="first", metavar="DATE", help="as in replay.py (default: the kept replay's)")
    parser.add_argument("--days", type=int, default=None, help="as in replay.py")
    parser.add_argument("--live", type=int, default=10_000, help="trade at most so many of the last days")
    parser.add_argument("--seed", type=int, default=SEED + 1, help="of the traders; another one than in replay.py")
    options = parser.parse_args()
    replayed = (options.first, options.days)
    live = run(options.project, replayed, options.live, options.seed, lambda words: sys.stderr.write(f"{words}\n"))
    sys.stdout.write(json.dumps(live.to_dict(), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
