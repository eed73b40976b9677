"""After the decision: the days that no model has seen, traded twice, with the fixed fee and with proven forecasts.

    python live.py project --live 20

Two pools stand side by side on a fresh local node, with the same prices and the same traders. One asks a contract
whose fee never changes. The other asks `ForecastFee`: before each of its changes the feed posts a row of the test
set, the row is proven with the keys of the decision, and the contract verifies the proof.
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

import polars as pl
from history import ABOUT
from market import BLOCK_SECONDS, CONTRACTS, SOURCES, START, Market, Rpc
from prices import BLOCKS_A_DAY, days
from replay import FEE, SEED
from traders import intents

import assay
from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain, Deployment
from assay.chain.node import LocalNode
from assay.chain.solidity import render
from assay.data.dataset.dataset import Dataset
from assay.prove.keys import PROVING_KEY_FILE, VERIFYING_KEY_FILE
from assay.task.task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from traders import Intent

DAY = BLOCKS_A_DAY * BLOCK_SECONDS
LOWEST, HIGHEST = 500, 20_000
"""Hundredths of a basis point; [value] loss in task.toml has the same bounds."""
MAX_AGE = 7 * 86_400
"""Seconds that a forecast counts: without a newer one for a week, the fixed fee is back."""


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


class Feed:
    """The contract that turns proven forecasts into fees, and the prover that feeds it."""

    def __init__(self, chain: Chain, project: Path, slope: float) -> None:
        chosen = project / "decision" / "chosen"
        self._key = assay.ProvingKey.load(chosen / PROVING_KEY_FILE)
        verifying = assay.VerifyingKey.load(chosen / VERIFYING_KEY_FILE)
        source = render(verifying.content)
        paths = ["examples/ForecastFee.sol", "interfaces/IAssayVerifier.sol", "interfaces/IFeeSource.sol"]
        compiled = compile_solidity(read_sources(CONTRACTS, paths=paths) | {"AssayVerifier.sol": source.text})
        verifier = chain.deploy_verifier(compiled[source.name], source)
        model = bytes.fromhex(source.model_id.removeprefix("0x"))
        line = (0, round(slope * 1_000_000), LOWEST, HIGHEST)
        self.chain = chain
        self.contract: Deployment = chain.deploy(
            compiled["ForecastFee"],
            verifier.address,
            compiled[source.name].code_hash,
            model,
            chain.account,
            FEE,
            MAX_AGE,
            line,
        )

    def settle(self, row: Any, live: Live) -> int:
        """Post a row, prove it, settle it; the fee that the contract then has."""
        start = time.perf_counter()
        proof = assay.prove(self._key, row)
        live.prove_seconds.append(time.perf_counter() - start)
        words = proof.public_inputs
        self.chain.send(self.contract, "postRow", words[:-2])
        live.gas.append(self.chain.send(self.contract, "settle", proof.body, words).gas_used)
        fee = int(self.chain.call(self.contract, "fee"))
        live.fees.append(fee)
        return fee


def run(
    project: Path, replayed: tuple[str | None, int | None], last: int, seed: int, progress: Callable[[str], None]
) -> Live:
    """Trade the last `last` of the days that were replayed: from a date on, of those the last so many."""
    task, dataset = Task.load(project), Dataset.load(project / "data")
    test = dataset.frame("test")
    delay = (task.latency_blocks or 0) * BLOCK_SECONDS
    # Seconds since 1970 at which a row's forecast begins to act, and the row's number.
    acts = {int(at.timestamp()) + delay: number for number, at in enumerate(_times(test, str(dataset.time)))}
    rows, _ = dataset.arrays("test")
    history = days(replayed[0] or _began(project), count=replayed[1])
    first = max(len(history) - last, min(acts) // DAY + 1 - START // DAY - 1)
    chosen = history[first:]
    source, live = random.Random(seed), Live(days=len(chosen))  # noqa: S311  traders, not secrets
    with LocalNode(timeout=60) as node:
        chain, rpc = Chain(node.url), Rpc(node.url)
        feed = Feed(chain, project, _slope(task))
        compiled = compile_solidity(read_sources(CONTRACTS, paths=SOURCES))
        fixed_source = chain.deploy(compiled["FixedFee"], FEE)
        pools = [
            Market.of(chain, rpc, compiled["ConstantProductPool"], address, price=chosen[0].prices[0], fee=FEE)
            for address in (fixed_source.address, feed.contract.address)
        ]
        for number, day in enumerate(chosen):
            wishes = intents(day, source)
            for block in range(BLOCKS_A_DAY):
                now = START + (first + number + 1) * DAY + block * BLOCK_SECONDS
                if now in acts:
                    rpc.automine(on=True)
                    pools[1].fee = feed.settle(rows[acts[now]], live)
                    rpc.automine(on=False)
                _trade(pools, day, block, wishes)
            progress(f"day {number + 1} of {len(chosen)}, {len(live.gas)} proofs settled")
        for pool in pools:
            pool.compare()
            pool.result.days = len(chosen)
        live.fixed, live.dynamic = (pool.result.basis_points_a_day for pool in pools)
    return live


def _trade(pools: list[Market], day: Any, block: int, wishes: list[Intent]) -> None:
    for pool in pools:
        pool.trade(day, block, wishes)


def _times(frame: pl.DataFrame, column: str) -> list[Any]:
    return frame[column].dt.replace_time_zone("UTC").to_list() if frame[column].dtype == pl.Datetime else []


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
