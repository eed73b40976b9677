"""The example's pool on a node, with its traders: the chain that the service follows."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from demo.walk import EXAMPLE, HISTORY

FEE, SEED = 3000, 7
_LAST_DAYS = 5


class World:
    """The replayed chain, going on: its last week's prices come again, with other traders.

    Parameters
    ----------
    url
        Of a fresh node.
    """

    def __init__(self, url: str) -> None:
        if str(EXAMPLE) not in sys.path:
            sys.path.insert(0, str(EXAMPLE))
        self._traders = import_module("traders")
        self._market = import_module("market")
        kept = import_module("history").Kept.load(HISTORY)
        self.market: Any = self._market.Market.resume(url, kept.state, kept.pool, FEE)
        self.source = random.Random(SEED)  # noqa: S311  traders, not secrets
        for day in kept.days:
            self._traders.intents(day, self.source)
        rest = [day for day in import_module("prices").days(None, None) if day.date > kept.last]
        self.market.replay(rest, self.source, lambda _: None)
        self._blocks = self._trading(rest[-_LAST_DAYS:])

    @staticmethod
    def node() -> Any:
        """A fresh node on which the replay is the same, block by block."""
        if str(EXAMPLE) not in sys.path:
            sys.path.insert(0, str(EXAMPLE))
        return import_module("market").node()

    def block(self) -> None:
        """Mine the next block of trading, and whatever else waits for one."""
        self.market.trade(*next(self._blocks))

    def at_once(self, *, on: bool) -> None:
        """Whether each transaction is mined at once, seconds apart: nobody trades while contracts are deployed."""
        rpc, seconds = self.market.rpc, self._market.BLOCK_SECONDS
        if not on:
            newest = int(rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)  # noqa: FBT003
            rpc.call("evm_setNextBlockTimestamp", -(-(newest + 1) // seconds) * seconds)
        rpc.call("anvil_setBlockTimestampInterval", 1 if on else seconds)
        rpc.automine(on=on)

    def waiting(self) -> int:
        """Transactions that wait for a block."""
        return int(self.market.rpc.call("txpool_status")["pending"], 16)

    def _trading(self, days: list[Any]) -> Iterator[tuple[Any, int, Any]]:
        while True:
            for day in days:
                wishes = self._traders.intents(day, self.source)
                for block in range(import_module("prices").BLOCKS_A_DAY):
                    yield day, block, wishes
