"""The example's pool on a node, with its traders: the chain that the data are of, and that the service follows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from demo.walk import EXAMPLE, HISTORY

_LAST_DAYS = 5


class World:
    """The replayed chain, going on: its last week's prices come again, with other traders.

    Parameters
    ----------
    url
        Of a fresh node.

    Attributes
    ----------
    told
        What the replay said, in lines.
    """

    def __init__(self, url: str) -> None:
        replay, kept = _module("replay"), _module("history").Kept.load(HISTORY)
        rest = [day for day in _module("prices").days(None, None) if day.date > kept.last]
        said: list[str] = []
        self.market, self.source = replay.play(url, rest, kept, fee=replay.FEE, seed=replay.SEED, say=said.append)
        self.told = [line.removeprefix("replay: ") for line in said if ": day " not in line]
        self._blocks = self._trading(rest[-_LAST_DAYS:])

    @staticmethod
    def node() -> Any:
        """A fresh node on which the replay is the same, block by block."""
        return _module("market").node()

    def block(self) -> None:
        """Mine the next block of trading, and whatever else waits for one."""
        self.market.trade(*next(self._blocks))

    def at_once(self, *, on: bool) -> None:
        """Whether each transaction is mined at once, seconds apart: nobody trades while contracts are deployed."""
        rpc, seconds = self.market.rpc, _module("market").BLOCK_SECONDS
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
                wishes = _module("traders").intents(day, self.source)
                for block in range(_module("prices").BLOCKS_A_DAY):
                    yield day, block, wishes


def _module(name: str) -> Any:
    """A file of the example."""
    if str(EXAMPLE) not in sys.path:
        sys.path.insert(0, str(EXAMPLE))
    return import_module(name)
