"""Replay real prices against a pool on a local node, then run a command while the node is there.

    python replay.py --from 2017-01-03 --to 2018-12-31 -- assay run project
    python replay.py --after history -- assay run project

The command finds the node's address in RPC_URL and the pool's in POOL. With `--after` the node goes on where a kept
replay ended (`history.py` keeps one). The prices are real (S&P 500, from the package arch); the trades are synthetic.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from history import Kept
from market import Market, node
from prices import Day, days
from traders import intents

if TYPE_CHECKING:
    from collections.abc import Callable

FEE = 3000
SEED = 7


def main() -> int:
    """Replay, then run the command; its exit code."""
    options = _parser().parse_args()
    kept = None if options.after is None else Kept.load(options.after)
    history = _days(options, kept)
    if not history:
        _say("replay: there is no trading day in that time; the data is of 1999-02-02 to 2018-12-31")
        return 2
    with node() as local:
        market, _ = play(local.url, history, kept, fee=options.fee, seed=options.seed, say=_say)
        if not options.command:
            sys.stdout.write(f"RPC_URL={local.url} POOL={market.contract.address}\n")
            sys.stdout.flush()
            _say("replay: the node runs until Ctrl-C")
            _wait()
            return 0
        place = {"RPC_URL": local.url, "POOL": market.contract.address}
        return subprocess.run(options.command, env={**os.environ, **place}, check=False).returncode  # noqa: S603


def play(
    url: str, history: list[Day], kept: Kept | None, *, fee: int, seed: int, say: Callable[[str], None]
) -> tuple[Market, random.Random]:
    """Replay days on a fresh node, after those that are kept; the market, and what draws the traders' next wishes."""
    start = time.perf_counter()
    source = random.Random(seed)  # noqa: S311  traders, not secrets
    if kept is None:
        market = Market.open(url, history[0].prices[0], fee)
        market.begin()
    else:
        market = Market.resume(url, kept.state, kept.pool, fee)
        for day in kept.days:
            intents(day, source)  # drawn and dropped, so that the wishes of the days after are the same
        say(f"replay: {len(kept.days)} days were replayed before, in blocks 1 to {kept.last_block}")
    market.replay(history, source, lambda words: say(f"replay: {words}"))
    result = market.result
    took = time.perf_counter() - start
    span = f"{history[0].date} to {history[-1].date}"
    say(f"replay: {result.days} days ({span}), {result.trades:,} trades in {took:.0f} s")
    say(f"replay: the liquidity providers got {result}")
    return market, source


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--from", dest="first", metavar="DATE", help="the first trading day (default: the data's)")
    parser.add_argument("--to", dest="last", metavar="DATE", help="the last trading day (default: the data's)")
    parser.add_argument("--days", type=int, default=None, help="of those only the last so many")
    parser.add_argument("--after", type=Path, metavar="FOLDER", help="go on after the replay that is kept there")
    parser.add_argument("--fee", type=int, default=FEE, help="the fixed fee, in hundredths of a basis point")
    parser.add_argument("--seed", type=int, default=SEED, help="of the traders")
    parser.add_argument("command", nargs="*", help="what to run when the replay is done, after --")
    return parser


def _days(options: argparse.Namespace, kept: Kept | None) -> list[Day]:
    """The days that are asked for; those of a kept replay are over."""
    if kept is None:
        return days(options.first, options.last, count=options.days)
    return [day for day in days(options.first, options.last) if day.date > kept.last][: options.days]


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def _wait() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    sys.exit(main())
