"""What a contract says of a bar, computed a second time: plainly, bar by bar, with Python's integers.

The features of a dataset are made by polars; those that a contract computes as well must be the very same numbers. So
they are made again here, by the contract's arithmetic (`assay.task.onchain`) from the bars alone, and every row is
compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from assay.data.errors import OnchainDiffers, SettingsUnfit
from assay.data.expressions import wide
from assay.data.features.grid import BLOCK
from assay.task import onchain
from assay.task.onchain import Apply, Moment, Past, Stored, Whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from assay.task.data import DataSpec
    from assay.task.onchain import Tree


_BOUND = 1 << 255


class Known:
    """What a contract knows at the end of each bar, and what follows from it."""

    def value(self, tree: Tree, bar: int) -> int | None:
        """A feature at the end of a bar; None where it has none.

        That is without history, after a quotient by zero or a root of less, and where a contract's 256 bits end.
        """
        found = self._value(tree, bar)
        return found if found is None or -_BOUND <= found < _BOUND else None

    def _value(self, tree: Tree, bar: int) -> int | None:
        if isinstance(tree, Whole):
            return tree.value
        if isinstance(tree, Moment):
            end = self.end(bar)
            return {"minute": end // 60 % 60, "hour": end // 3600 % 24, "weekday": (end // 86_400 + 3) % 7 + 1}[
                tree.part
            ]
        if isinstance(tree, Past | Stored):
            return self.held(tree, bar) if bar >= tree.lag else None
        parts = [self.value(part, bar) for part in tree.parts]
        return None if None in parts else _applied(tree, [part for part in parts if part is not None])

    def held(self, leaf: Past | Stored, bar: int) -> int:
        """What is kept, as of a bar that is there."""
        raise NotImplementedError

    def end(self, bar: int) -> int:
        """When the bar ended, in seconds since 1970."""
        raise NotImplementedError


@dataclass(frozen=True)
class State(Known):
    """What another contract keeps at the end of each bar, by the words' names."""

    ends: list[int]
    words: dict[str, list[int]]

    def held(self, leaf: Past | Stored, bar: int) -> int:
        """The word of the bar."""
        assert isinstance(leaf, Stored)  # noqa: S101 - a task's features are of one kind
        return self.words[leaf.name][bar - leaf.lag]

    def end(self, bar: int) -> int:
        """The time of the bar's last block."""
        return self.ends[bar]


@dataclass(frozen=True)
class History(Known):
    """What is known at the end of each bar, as `IObservations.Observation` has it.

    Attributes
    ----------
    first
        Of the first bar: its number, seconds since 1970 by seconds in a bar.
    volume
        The whole sum; the contract's wraps around, and `value` with it.
    """

    every: int
    first: int
    price: list[int]
    prices: list[int]
    squares: list[int]
    volume: list[int]

    @classmethod
    def of(cls, every: int, first: int, price: Sequence[int], volume: Sequence[int]) -> History:
        """From each bar's price and its own volume.

        Raises
        ------
        SettingsUnfit
            Where the contract's history would start anew, because something does not fit its bits.
        """
        made = cls(every, first, list(price), [], [], list(accumulate(volume)))
        for bar, value in enumerate(price):
            square = 0
            if not 0 < value < 1 << onchain.PRICE_BITS:
                raise _unfit(bar, f"price {value}", f"1 to 2^{onchain.PRICE_BITS} - 1")
            if bar:
                before = price[bar - 1]
                change = abs(value - before) * onchain.RETURN_UNIT // before
                if change >= 1 << onchain.RETURN_BITS:
                    raise _unfit(bar, f"return of {change} millionths", f"below 2^{onchain.RETURN_BITS}")
                square = change * change
            sums = (
                (made.prices, value, onchain.PRICES_BITS, "prices"),
                (made.squares, square, onchain.SQUARES_BITS, "squared returns"),
            )
            for kept, more, bits, what in sums:
                kept.append(more + (kept[-1] if kept else 0))
                if kept[-1] >= 1 << bits:
                    raise _unfit(bar, f"sum of {what} {kept[-1]}", f"below 2^{bits}")
        return made

    def held(self, leaf: Past | Stored, bar: int) -> int:
        """What the ring has of the bar."""
        assert isinstance(leaf, Past)  # noqa: S101 - a task's features are of one kind
        if leaf.what == "volume":
            # As the contract counts it: back from the last whole bar, modulo 2^48.
            wrap = 1 << onchain.VOLUME_BITS
            return wrap - (self.volume[bar] - self.volume[bar - leaf.lag]) % wrap
        return {"price": self.price, "prices": self.prices, "squares": self.squares}[leaf.what][bar - leaf.lag]

    def end(self, bar: int) -> int:
        """When the bar ended."""
        return (self.first + bar + 1) * self.every


def hold(frame: pl.DataFrame, data: DataSpec, time: str | None, *, newest: bool = False) -> None:
    """Refuse rows in which a feature is another number than the contract's.

    Parameters
    ----------
    frame
        All bars, with their features.
    data
        The section [data]; without a feature that is computed on the chain nothing is done.
    time
        The column of the bars' ends.
    newest
        Compare the last row only.

    Raises
    ------
    SettingsUnfit
        If the task says of the chain what cannot be, bars are missing, or numbers do not fit the contract's bits.
    OnchainDiffers
        If a feature differs, or is no whole number.
    """
    try:
        trees = onchain.declared(data)
    except onchain.NotOnChain as error:
        raise SettingsUnfit(str(error), "Change it, or remove onchain.") from None
    if not trees or not frame.height:
        return
    made = _state if onchain.kind_of(data) == "state" else _history
    frame, known = made(frame, data, str(time))
    for name, tree in trees.items():
        # Before that the contract has no row; what the dataset has of it is never compared with a proof.
        first = frame.height - 1 if newest else max(onchain.lags(tree), default=0)
        _same(frame, name, [known.value(tree, row) for row in range(first, frame.height)], first)


def _same(frame: pl.DataFrame, name: str, wanted: list[int | None], first: int) -> None:
    column = frame[name][first:]
    if not wide.is_whole(column.dtype):
        raise OnchainDiffers(
            f"the feature {name} is computed on the chain, and in the dataset it is of type {column.dtype}",
            "Wrap it in CAST(... AS bigint).",
        )
    given = [None if gone else int(value) for value, gone in zip(_integers(column), column.is_null(), strict=True)]
    for place, (own, theirs) in enumerate(zip(given, wanted, strict=True)):
        if own != theirs:
            raise OnchainDiffers(
                f"the feature {name} is {own} in row {first + place + 1}, and the contract would say {theirs}",
                "Write it with whole numbers, + - * // and roots rounded down alone, below 2^52 on the way, and volume "
                f"below {1 << onchain.VOLUME_BITS} or modulo that.",
            )


def _integers(column: pl.Series) -> Any:
    return wide.integers(column.struct.field(wide.FIELD) if wide.is_wide(column.dtype) else column)


def _state(frame: pl.DataFrame, data: DataSpec, time: str) -> tuple[pl.DataFrame, State]:
    """The bars, and what a contract knows of them by proofs."""
    import polars as pl

    length = data.bars.blocks if data.bars else None
    if length is None:
        raise SettingsUnfit("the task has no bars of blocks", "`assay task check` says why.")
    if frame.height > 1 and not bool((frame[BLOCK].cast(pl.Int64).diff().drop_nulls() == length).all()):
        raise SettingsUnfit("bars were set aside, and proofs are of the bars before one", "Refuse them instead.")
    words = {
        word.name: [int(value) for value in _integers(frame[word.name])]
        for word in (data.bars.state if data.bars else ())
    }
    return frame, State(frame.select(pl.col(time).dt.epoch("s")).to_series().to_list(), words)


def _history(frame: pl.DataFrame, data: DataSpec, time: str) -> tuple[pl.DataFrame, History]:
    """The bars from the first one that has a price on, and what the contract knows of them."""
    import polars as pl

    every = data.bars.seconds if data.bars else None
    names = {column.onchain: column.name for column in data.bars.columns} if data.bars else {}
    if every is None or "price" not in names:
        raise SettingsUnfit("the task has no bars that a market's history has", "`assay task check` says why.")
    frame = frame[int(frame[names["price"]].is_not_null().arg_max() or 0) :]
    ends = frame.select(pl.col(time).dt.epoch("s")).to_series()
    if frame.height > 1 and not bool((ends.diff().drop_nulls() == every).all()):
        raise SettingsUnfit("bars were set aside, and a market's history has them all", "Refuse them instead.")
    price, volume = (_whole(frame, names.get(what)) for what in ("price", "volume"))
    return frame, History.of(every, int(ends[0]) // every - 1, price, volume)


def _whole(frame: pl.DataFrame, name: str | None) -> list[int]:
    if name is None:
        return [0] * frame.height
    column = frame[name]
    if not column.dtype.is_integer() or column.null_count():
        raise OnchainDiffers(
            f"{name} is the history's, and in the dataset it is of type {column.dtype}, with "
            f"{column.null_count()} missing values",
            "Make it of whole numbers below 2^63, of which none is missing.",
        )
    return [int(value) for value in column.to_list()]


def _applied(tree: Apply, parts: list[int]) -> int | None:
    a, b = parts[0], parts[-1]
    if tree.op in {"//", "%"}:
        if b == 0:
            return None
        # Towards zero, as Solidity has it.
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return quotient if tree.op == "//" else a - b * quotient
    if tree.op == "sqrt":
        return math.isqrt(a) if a >= 0 else None
    plain: dict[str, Any] = {
        "+": lambda: a + b,
        "-": lambda: a - b,
        "*": lambda: a * b,
        "abs": lambda: abs(a),
        "least": lambda: min(parts),
        "greatest": lambda: max(parts),
    }
    return int(plain[tree.op]())


def _unfit(bar: int, what: str, bounds: str) -> SettingsUnfit:
    return SettingsUnfit(
        f"bar {bar + 1} has a {what}, and the contract's history keeps {bounds}",
        "Record prices and volumes in a coarser unit.",
    )
