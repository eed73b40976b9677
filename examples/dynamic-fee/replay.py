"""Replay real prices against a pool on a local node, then run a command while the node is there.

    python replay.py --days 400 -- assay run project

The command finds the node's address in RPC_URL and the pool's in POOL. The prices are real (S&P 500, from the
package arch); the trades are synthetic.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from market import Market
from prices import days

from assay.chain.node import LocalNode

FEE = 3000
SEED = 7


def main() -> int:
    """Replay, then run the command; its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=None, help="how many of the last trading days (default: all)")
    parser.add_argument("--fee", type=int, default=FEE, help="the fixed fee, in hundredths of a basis point")
    parser.add_argument("--seed", type=int, default=SEED, help="of the traders")
    parser.add_argument("command", nargs="*", help="what to run when the replay is done, after --")
    options = parser.parse_args()
    history = days(options.days)
    with LocalNode(timeout=60) as node:
        start = time.perf_counter()
        market = Market.open(node.url, history[0].prices[0], options.fee)
        market.replay(history, options.seed, lambda words: _say(f"replay: {words}"))
        result = market.result
        took = time.perf_counter() - start
        _say(f"replay: {result.days} days, {market.rpc.block()} blocks, {result.trades:,} trades in {took:.0f} s")
        _say(f"replay: the liquidity providers got {result}")
        if not options.command:
            sys.stdout.write(f"RPC_URL={node.url} POOL={market.contract.address}\n")
            sys.stdout.flush()
            _say("replay: the node runs until Ctrl-C")
            _wait()
            return 0
        place = {"RPC_URL": node.url, "POOL": market.contract.address}
        return subprocess.run(options.command, env={**os.environ, **place}, check=False).returncode  # noqa: S603


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
