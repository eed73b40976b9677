"""Features that a contract computes: which they are, of what, and as what arithmetic.

A feature says `onchain = "observations"` (the market's own history) or `"state"` (what another contract keeps, proven).
Its own definition in `task.toml` is then read a second time, as a tree over what
`contracts/src/observations/Observations.sol` keeps of each bar, or over the words of `[[data.bars.state]]`, in whole
numbers: `//` leaves the fraction away, towards zero, and square roots are rounded down. All else is refused by
name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from assay.task.data import CalendarFeature, ColumnFeature, RollingFeature, ShiftFeature
from assay.task.finding import contradiction, warning
from assay.task.sources import ChainSource
from assay.task.sql import names as columns_in
from assay.task.sql import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.task.data import DataSpec, Feature
    from assay.task.finding import Finding
    from assay.task.state import StateWord
    from assay.task.task import Task

RETURN_UNIT = 1_000_000
MOST_LAG = (1 << 16) - 2
"""Bars back that the longest history reaches."""
LEAST_SECONDS = 12
PRICE_BITS, PRICES_BITS, SQUARES_BITS, VOLUME_BITS = 56, 72, 52, 48
"""Bits of what the contract keeps: a price, and the sums of prices, squared returns and volume since its start."""
RETURN_BITS = 26

KNOWN_BLOCKS = 8191
"""How far back a chain knows the hashes of its blocks (EIP-2935)."""
MOST_BLOCKS = 16
"""Blocks of which a row of proven state may be: each costs a proof of the account, and a transaction has an end."""

Kind = Literal["observations", "state", "feed"]
Kept = Literal["price", "prices", "squares", "volume"]
_OF = {"observations": "the history", "state": "[[data.bars.state]]", "feed": "the feed"}


class NotOnChain(ValueError):
    """Why a feature cannot be computed on the chain."""


@dataclass(frozen=True)
class Whole:
    """A constant."""

    value: int


@dataclass(frozen=True)
class Past:
    """What the history has of the bar so many before the last whole one."""

    what: Kept
    lag: int = 0


@dataclass(frozen=True)
class Stored:
    """A word of another contract's storage at the end of the bar so many before."""

    name: str
    lag: int = 0


@dataclass(frozen=True)
class Moment:
    """A part of the time at which the bar ends, in UTC; of bars of blocks that is their last block's."""

    part: Literal["minute", "hour", "weekday"]


@dataclass(frozen=True)
class Apply:
    """An operation on whole numbers: + - * // %, or abs, sqrt (rounded down), least, greatest."""

    op: str
    parts: tuple[Tree, ...]


Tree = Whole | Past | Stored | Moment | Apply

_SIGNS = {"Add": "+", "Sub": "-", "Mul": "*", "IntDiv": "//", "Mod": "%"}
_CHOICES = {"Least": "least", "Greatest": "greatest"}


def kind_of(data: DataSpec) -> Kind | None:
    """Of what a task's features are computed on the chain, or "feed" where signers vouch for them; None if none says.

    Raises
    ------
    NotOnChain
        If some are of one thing and some of another.
    """
    found: dict[Kind, str] = {}
    for feature in data.features:
        if feature.onchain is not None:
            found.setdefault(feature.onchain, feature.name)
    if len(found) > 1:
        said = " and ".join(f"{name} of {kind}" for kind, name in found.items())
        raise NotOnChain(f"a row is made in one way, and {said} are two")
    return next(iter(found), None)


def declared(data: DataSpec) -> dict[str, Tree]:
    """The features that are computed on the chain, with their arithmetic.

    Raises
    ------
    NotOnChain
        If one of them cannot be.
    """
    kind = kind_of(data)
    if kind is None or kind == "feed":
        return {}
    names = _names(data, kind)
    found = {}
    for feature in data.features:
        tree = names[feature.name]
        if feature.onchain is None:
            continue
        if isinstance(tree, str):
            raise NotOnChain(f"the feature {feature.name}: {tree}")
        found[feature.name] = tree
    return found


def lags(tree: Tree) -> set[int]:
    """The bars that a tree looks at."""
    if isinstance(tree, Past | Stored):
        return {tree.lag}
    return set().union(*map(lags, tree.parts)) if isinstance(tree, Apply) else set()


def check_onchain(task: Task) -> Iterator[Finding]:
    """What the task says of the chain and cannot be."""
    data = task.data
    wanted = [index for index, feature in enumerate(data.features) if feature.onchain is not None]
    for index, column in enumerate(data.bars.columns if data.bars else ()):
        need = {"price": "last", "volume": "sum"}.get(column.onchain or "", column.op)
        if column.op != need:
            what = f"the history's {column.onchain} is the {need} of a bar's trades, and {column.name} its {column.op}"
            yield contradiction(("data", "bars", "columns", index, "onchain"), what, f'Write op = "{need}".')
    yield from check_state(task)
    if not wanted:
        return
    try:
        kind = kind_of(data)
    except NotOnChain as error:
        what, todo = str(error), "Make all of one kind, or name the others in [data] drop and remove their onchain."
        yield contradiction(("data", "features", wanted[0], "onchain"), what, todo)
        return
    if kind == "feed":
        yield from _unsaid(data)
        return
    if why := _unfit(data) if kind == "observations" else _unfit_state(data):
        yield contradiction(("data", "features", wanted[0], "onchain"), *why)
        return
    names = _names(data, kind or "state")
    seen: set[int] = {0}
    for index in wanted:
        tree = names[data.features[index].name]
        if isinstance(tree, str):
            yield contradiction(("data", "features", index, "onchain"), tree, "Change it, or remove onchain.")
        else:
            seen |= lags(tree)
    if kind == "state" and len(seen) > MOST_BLOCKS:
        what = f"the row needs the state of {len(seen)} blocks, and one may need {MOST_BLOCKS}"
        yield contradiction(("data", "features", wanted[0], "onchain"), what, "Look at fewer bars.")


def _unsaid(data: DataSpec) -> Iterator[Finding]:
    """Features beside those of a feed: its signers sign the whole row."""
    for index, feature in enumerate(data.features):
        if feature.onchain is None and feature.name not in data.drop:
            what = f"others are signed by a feed, and its signers sign the whole row, {feature.name} too"
            todo = 'Write onchain = "feed" for it as well, or name it in [data] drop.'
            yield warning(("data", "features", index), what, todo)


def check_state(task: Task) -> Iterator[Finding]:
    """What the words of `[[data.bars.state]]` cannot be."""
    data = task.data
    words = data.bars.state if data.bars else ()
    if data.bars is None or not words:
        return
    path: tuple[str | int, ...] = ("data", "bars", "state")
    if data.bars.blocks is None:
        what = "what a contract keeps is read at the end of bars of blocks, and these are of time"
        yield contradiction(("data", "bars", "every"), what, 'Write it in blocks, such as "50 blocks".')
    if data.entity is not None:
        yield contradiction(path, "the words are of one contract, and [data] entity has several", "Remove one of both.")
    if not any(isinstance(source, ChainSource) for source in data.sources):
        yield contradiction(path, "no source is a chain's, whose node could be asked", 'Add one of kind "rpc".')
    before: dict[str, StateWord] = {}
    accounts = {word.account.lower() for word in words if word.account}
    for index, word in enumerate(words):
        if word.account and len(accounts) > 1:
            what = f"a row's proofs are of one account, and {len(accounts)} are named"
            yield contradiction((*path, index, "account"), what, "Read one of them, or take the other from its events.")
            break
        found = before.get(word.plus or "")
        if word.plus and (found is None or found.plus or found.header or found.signed):
            what = f"{word.plus} is no unsigned word before this one whose slot is known beforehand"
            yield contradiction((*path, index, "plus"), what, "List such a word before it.")
        before[word.name] = word


def _unfit_state(data: DataSpec) -> tuple[str, str] | None:
    """Why no row can be proven for this task at all, and what to do."""
    if data.bars is None or not any(word.account for word in data.bars.state):
        return "no word of another contract's storage is named", "List them in [[data.bars.state]]."
    if data.entity is not None or data.window > 1 or data.joins:
        return "a row of proven state is of one bar, without entity, window or joins", "Remove those, or onchain."
    return None


def _unfit(data: DataSpec) -> tuple[str, str] | None:
    """Why a market's history has no rows for this task at all, and what to do."""
    if data.bars is None or data.bars.seconds is None or data.bars.seconds < LEAST_SECONDS:
        return ("a market's history has bars of time, of 12 seconds or more", 'Set [data.bars] every, such as "1h".')
    if data.entity is not None or data.window > 1 or data.joins:
        return (
            "a row of the history is of one market and one bar, without entity, window or joins",
            "Remove those, or onchain.",
        )
    for what in ("price", "volume"):
        named = [column.name for column in data.bars.columns if column.onchain == what]
        if len(named) > 1:
            return f"two columns of the bars are the history's {what}: {', '.join(named)}", "Leave one."
    if not any(column.onchain == "price" for column in data.bars.columns):
        return "no column of [data.bars] is the history's price", 'Give the price onchain = "price".'
    return None


def _names(data: DataSpec, kind: Kind) -> dict[str, Tree | str]:
    """What each name means, in the order of the features: a tree, or why there is none."""
    names: dict[str, Tree | str] = {}
    for column in data.bars.columns if data.bars else ():
        if kind == "observations" and column.onchain == "price":
            names[column.name] = Past("price")
        elif kind == "observations" and column.onchain == "volume":
            names[column.name] = _VOLUME
        else:
            names[column.name] = f"{column.name} is a column of the bars that {_OF[kind]} does not have"
    for word in data.bars.state if data.bars else ():
        other = f"{word.name} is another contract's, and {_OF[kind]} is the market's"
        names[word.name] = Stored(word.name) if kind == "state" else other
    most = MOST_LAG
    if kind == "state" and data.bars and data.bars.blocks:
        # The row of a bar is posted before the next one is over.
        most = KNOWN_BLOCKS // data.bars.blocks - 1
    for feature in data.features:
        try:
            names[feature.name] = _feature(feature, names, kind, most)
        except NotOnChain as error:
            names[feature.name] = str(error)
    return names


_VOLUME = Apply("-", (Past("volume"), Past("volume", 1)))
_RETURN = Apply(
    "//",
    (Apply("*", (Apply("-", (Past("price"), Past("price", 1))), Whole(RETURN_UNIT))), Past("price", 1)),
)
_SUMS: dict[Tree, Kept] = {
    Past("price"): "prices",
    _VOLUME: "volume",
    Apply("*", (_RETURN, _RETURN)): "squares",
}
"""Of these, and of nothing else, the history has the sum over any window."""


def _feature(spec: Feature, names: dict[str, Tree | str], kind: Kind, most: int) -> Tree:
    tree = _unscaled(spec, names, kind)
    if max(lags(tree), default=0) > most:
        raise NotOnChain(f"it looks back further than {most} bars")
    return tree if spec.scale is None else Apply("//", (tree, Whole(10**spec.scale)))


def _unscaled(spec: Feature, names: dict[str, Tree | str], kind: Kind) -> Tree:
    if isinstance(spec, CalendarFeature):
        if spec.part not in {"minute", "hour", "weekday"}:
            raise NotOnChain(f"a contract knows the minute, hour and weekday of a bar's end, not its {spec.part}")
        return Moment(spec.part)
    if isinstance(spec, ColumnFeature):
        return _expression(spec.of or f'"{spec.name}"', names, kind)
    if isinstance(spec, ShiftFeature) and spec.op in {"lag", "difference"}:
        periods = int(spec.periods)
        now = _expression(spec.of, names, kind)
        before = _shifted(now, periods)
        return before if spec.op == "lag" else Apply("-", (now, before))
    if isinstance(spec, RollingFeature) and spec.op in {"rolling_sum", "volume"}:
        if kind == "state":
            raise NotOnChain("sums over bars are not proven; the difference of what a contract sums up itself is")
        what = _SUMS.get(_expression(spec.of, names, kind))
        if what is None:
            raise NotOnChain(
                "the history has sums of its price, its volume, and (price - before) * 1000000 // before times itself, "
                f"where before is the price one bar back; not of {spec.of:.80}"
            )
        return Apply("-", (Past(what), Past(what, int(spec.window))))
    raise NotOnChain(f"{spec.op} is not computed on the chain; column, lag, difference, rolling_sum and calendar are")


def _shifted(tree: Tree, by: int) -> Tree:
    """The same of bars before."""
    if isinstance(tree, Past):
        return Past(tree.what, tree.lag + by)
    if isinstance(tree, Stored):
        return Stored(tree.name, tree.lag + by)
    if isinstance(tree, Moment):
        raise NotOnChain("a contract knows the time of the last bar only")
    return Apply(tree.op, tuple(_shifted(part, by) for part in tree.parts)) if isinstance(tree, Apply) else tree


def _expression(text: str, names: dict[str, Tree | str], kind: Kind) -> Tree:
    node = parsed(text)
    if node is None or isinstance(node, str):
        raise NotOnChain(f"it is no SQL expression{f': {node}' if node else ''}")
    for name in sorted({parts[-1] for parts in columns_in(node)}):
        found = names.get(name)
        if found is None:
            raise NotOnChain(f"it is made of {name}, which {_OF[kind]} does not have")
        if isinstance(found, str):
            raise NotOnChain(found if "does not have" in found else f"it is made of {name}: {found}")
    return _tree(node, {name: tree for name, tree in names.items() if not isinstance(tree, str)})


def _tree(node: Any, names: dict[str, Tree]) -> Tree:
    from sqlglot import exp

    kind = type(node).__name__
    if isinstance(node, exp.Paren):
        return _tree(node.this, names)
    if isinstance(node, exp.Column):
        return names[node.name]
    if isinstance(node, exp.Literal) and not node.is_string and node.name.replace("_", "").isdigit():
        return Whole(int(node.name.replace("_", "")))
    if isinstance(node, exp.Neg):
        return Apply("-", (Whole(0), _tree(node.this, names)))
    if isinstance(node, exp.Abs):
        return Apply("abs", (_tree(node.this, names),))
    if kind in _SIGNS:
        return Apply(_SIGNS[kind], (_tree(node.this, names), _tree(node.expression, names)))
    if kind in _CHOICES:
        return Apply(_CHOICES[kind], tuple(_tree(part, names) for part in (node.this, *node.expressions)))
    if isinstance(node, exp.Pow):
        return _power(_tree(node.this, names), _tree(node.expression, names))
    if isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.BIGINT:
        return _whole(node.this, names)
    raise NotOnChain(
        f"{node.sql():.60} is not computed on the chain; whole numbers, + - * // %, ABS, LEAST, GREATEST and "
        "CAST(FLOOR(SQRT(..)) AS bigint) are"
    )


def _whole(node: Any, names: dict[str, Tree]) -> Tree:
    """What is cast: a square root rounded down, or what is whole already."""
    from sqlglot import exp

    if isinstance(node, exp.Floor) and isinstance(node.this, exp.Sqrt):
        return Apply("sqrt", (_tree(node.this.this, names),))
    return _tree(node, names)


def _power(base: Tree, power: Tree) -> Tree:
    if not isinstance(base, Whole) or not isinstance(power, Whole) or power.value > MOST_LAG.bit_length() * 16:
        raise NotOnChain("powers are of constants")
    return Whole(int(base.value**power.value))
