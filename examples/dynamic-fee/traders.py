"""Synthetic traders: arbitrageurs who know the price, and noise traders who mind the fee."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prices import BLOCKS_A_DAY

if TYPE_CHECKING:
    import random

    from prices import Day

FEE_UNIT = 1_000_000
PRICE_UNIT, VOLUME_UNIT = 10**9, 10**15
"""Of `ObservedPool`'s history."""
INTENTS_A_DAY = 24
INTENDED_A_DAY = 0.015
"""What noise traders would trade a day without a fee, over the pool's value; [value] loss assumes the same."""

BEARABLE_FEE = 0.003
"""Mean of the highest fee that a noise trader bears; it is exponentially distributed."""


@dataclass
class Pool:
    """The contract's arithmetic, word for word: what it will do is known before it is asked."""

    reserve0: int
    reserve1: int

    def swap(self, *, zero_in: bool, amount: int, fee: int) -> int:
        """Trade, and return what the trader gets; `fee` in hundredths of a basis point."""
        mine, other = (self.reserve0, self.reserve1) if zero_in else (self.reserve1, self.reserve0)
        after_fee = amount * (FEE_UNIT - fee)
        out = other * after_fee // (mine * FEE_UNIT + after_fee)
        if zero_in:
            self.reserve0, self.reserve1 = mine + amount, other - out
        else:
            self.reserve1, self.reserve0 = mine + amount, other - out
        return out


@dataclass(frozen=True)
class Trade:
    """A trade, and what it gave the liquidity providers at the true price, over the pool's value then.

    `moved0` is what was given or taken of asset 0, and the reserves are those after it.
    """

    arbitrage: bool
    zero_in: bool
    amount: int
    result: float
    moved0: int
    reserve0: int
    reserve1: int

    @property
    def seen(self) -> tuple[int, int]:
        """What `ObservedPool` writes into its history: the price that it left, and what it traded."""
        return self.reserve1 * PRICE_UNIT // self.reserve0, self.moved0 // VOLUME_UNIT


@dataclass(frozen=True)
class Intent:
    """A noise trader's wish: in which block of the day, which way, how much of the pool, and the highest fee."""

    block: int
    zero_in: bool
    share: float
    bearable: float


def intents(day: Day, source: random.Random) -> list[Intent]:
    """A day's wishes, in the order of the blocks; they do not depend on the fee, so that fees can be compared."""
    count = min(int(source.gammavariate(4, INTENTS_A_DAY * day.activity / 4)), 200)
    wishes = [
        Intent(
            source.randrange(BLOCKS_A_DAY),
            source.random() < 0.5,
            source.lognormvariate(-0.5, 1) * INTENDED_A_DAY / INTENTS_A_DAY,
            source.expovariate(1 / BEARABLE_FEE),
        )
        for _ in range(count)
    ]
    return sorted(wishes, key=lambda wish: wish.block)


def arbitrage(pool: Pool, price: float, fee: int) -> Trade | None:
    """The most profitable trade against the pool at the true price, None if the fee eats it."""
    kept = 1 - fee / FEE_UNIT
    product = pool.reserve0 * pool.reserve1
    cash = (math.sqrt(kept * price * product) - pool.reserve1) / kept
    asset = (math.sqrt(kept * product / price) - pool.reserve0) / kept
    zero_in, amount = (True, int(asset)) if asset > 0 else (False, int(cash))
    # A trade that moves the price by less than a thousandth of a basis point is not worth its gas.
    if amount <= (pool.reserve0 if zero_in else pool.reserve1) * 1e-7:
        return None
    return _traded(pool, price, fee, arbitrage=True, zero_in=zero_in, amount=amount)


def noise(pool: Pool, price: float, fee: int, wish: Intent) -> Trade | None:
    """A noise trader's trade, None if the fee is more than it bears."""
    if fee / FEE_UNIT > wish.bearable:
        return None
    reserve = pool.reserve0 if wish.zero_in else pool.reserve1
    amount = max(1, int(reserve * wish.share))
    return _traded(pool, price, fee, arbitrage=False, zero_in=wish.zero_in, amount=amount)


def _traded(pool: Pool, price: float, fee: int, *, arbitrage: bool, zero_in: bool, amount: int) -> Trade:
    value = pool.reserve0 * price + pool.reserve1
    out = pool.swap(zero_in=zero_in, amount=amount, fee=fee)
    gained = amount * price - out if zero_in else amount - out * price
    moved0 = amount if zero_in else out
    return Trade(arbitrage, zero_in, amount, gained / value, moved0, pool.reserve0, pool.reserve1)
