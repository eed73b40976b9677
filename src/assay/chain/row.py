"""The contract that makes a model's row: the task's features, in the model's words.

Of a market's own history it is an IRow, and of what another contract keeps a feed that computes rows from proofs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.chain.errors import RowNotOnChain
from assay.chain.solidity import comment, environment
from assay.task import onchain
from assay.task.onchain import Apply, Moment, Past, Stored, Whole
from assay.task.state import may_be_zero, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.task.data import Bars
    from assay.task.onchain import Tree
    from assay.task.state import Place, StateWord
    from assay.task.task import Task
    from assay.transpile.circuit.circuit import Circuit, Feature

CONTRACT_NAME = "Row"
LIBRARY = "./assay"
"""Where `assay init` puts what the contract imports, seen from `contracts/`."""
WRITTEN = "// Written by `assay row` from task.toml"
"""What such a source says of itself."""

_ROW_FILES = ("AssayWords.sol", "interfaces/IObservations.sol", "interfaces/IRow.sol")
_STATE_FILES = (
    "AssayWords.sol",
    *(f"state/{name}.sol" for name in ("IStateFeed", "StateBits", "StateProof", "StateWalk", "TrieWalk")),
)
_LARGEST = 1 << 255
_MOMENTS = {
    "minute": "int256(end / 60 % 60)",
    "hour": "int256(end / 3600 % 24)",
    # 1970-01-01 was a Thursday; weekday 1 is Monday.
    "weekday": "int256((end / 86_400 + 3) % 7 + 1)",
}
_CALLS = {"abs": "int256(SignedMath.abs({}))", "sqrt": "_root({})"}
_CHOICES = {"least": "SignedMath.min", "greatest": "SignedMath.max"}


@dataclass(frozen=True)
class _Part:
    """A feature in the template: what is said of it, what it takes, its value and its word."""

    comment: str
    takes: str
    value: str
    word: str


def row_contract(task: Task, circuit: Circuit, *, name: str = CONTRACT_NAME, library: str = LIBRARY) -> str:
    """Write the Solidity source of the contract that makes a row of the circuit's words (IRow, or IStateFeed).

    Parameters
    ----------
    task
        Says of each of the circuit's features that it is computed on the chain, and how.
    circuit
        The model's; its features have the task's names.
    name
        Of the contract.
    library
        Folder of Assay's contracts, as the source imports them.

    Raises
    ------
    RowNotOnChain
        If a feature of the model is not computed on the chain, or is no number of one bar; or if the model is a
        network, whose words hold thirteen features each.
    """
    if circuit.kind == "network":
        raise RowNotOnChain(
            "the model is a network, whose words hold thirteen features each, and a contract makes one word a feature",
            "Choose trees or a linear model ([explore] families), or post its rows.",
        )
    trees = _trees(task, circuit)
    bars = task.data.bars
    assert bars is not None  # noqa: S101 - the task was checked
    state = onchain.kind_of(task.data) == "state"
    lags = sorted({0}.union(*map(onchain.lags, trees.values())), reverse=state)
    where = _Where({lag: place for place, lag in enumerate(lags)}, _slots(bars.state) if state else {})
    parts = [_part(index, one, trees[one.name], where) for index, one in enumerate(circuit.features)]
    text = " ".join(part.value for part in parts)
    own = _of_state(bars) if state else {"every": bars.seconds}
    return (
        environment()
        .get_template("state_row.sol.j2" if state else "row.sol.j2")
        .render(
            name=name,
            library=library,
            title=comment(f"The row of {task.name}"),
            written=WRITTEN,
            lags=lags,
            features=parts,
            math="_root(" in text,
            root="_root(" in text,
            signed="SignedMath." in text,
            **own,
        )
    )


def library_files(task: Task) -> tuple[str, ...]:
    """What `row_contract` imports of Assay's own contracts, and what those import."""
    return _STATE_FILES if onchain.kind_of(task.data) == "state" else _ROW_FILES


def _trees(task: Task, circuit: Circuit) -> dict[str, Tree]:
    """The arithmetic of the model's features; raises RowNotOnChain."""
    found = next((one for one in onchain.check_onchain(task) if one.severity == "contradiction"), None)
    if found is not None:
        raise RowNotOnChain(found.what, "`assay task check` says what the chain can compute.")
    trees = onchain.declared(task.data)
    if onchain.kind_of(task.data) == "feed":
        raise RowNotOnChain(
            'the row is signed by a feed (onchain = "feed"), and no contract computes it',
            "Name a SignedFeed as the consumer's feed: docs/guides/feeds.md.",
        )
    for feature in circuit.features:
        if feature.name not in trees:
            raise RowNotOnChain(
                f"the model's feature {feature.name} is not computed on the chain",
                'Give it onchain = "observations" or "state", or name it in [data] drop and decide again.',
            )
        if feature.categories is not None:
            raise RowNotOnChain(f"the feature {feature.name} has categories", "Use its number itself.")
    return {feature.name: trees[feature.name] for feature in circuit.features}


@dataclass(frozen=True)
class _Where:
    """Where what a tree names is: of each lag its place in `past`, of each word of state its reading."""

    lags: dict[int, int]
    words: dict[str, str]


def _slots(words: Sequence[StateWord]) -> dict[str, str]:
    """How each word is read of a State called {}."""
    found = {}
    order = places(words)
    for word in words:
        if word.header is not None:
            found[word.name] = "int256({}.time)"
            continue
        slot = f"{{}}.slots[{order.index(word.place)}]"
        how = "signed" if word.signed else "whole"
        found[word.name] = f"StateBits.{how}({slot}, {word.from_bit}, {word.bits})"
    return found


def _of_state(bars: Bars) -> dict[str, Any]:
    """What the template of proven state has beside that of a history."""
    from eth_utils.address import to_checksum_address

    account = next(word.account for word in bars.state if word.account)
    by_name = {word.name: word for word in bars.state}
    order = places(bars.state)
    slots = [
        {"number": hex(place.slot), "may_be_zero": may_be_zero(bars.state, place), "plus": _plus(place, by_name, order)}
        for place in order
    ]
    return {
        "account": to_checksum_address(account),
        "period": bars.blocks,
        "slots": [slot for slot in slots if not slot["plus"]],
        "further": [slot for slot in slots if slot["plus"]],
    }


def _plus(place: Place, by_name: dict[str, StateWord], order: Sequence[Place]) -> str:
    """The word that is added to a slot, read of an array of words called {}; empty if none is."""
    if place.plus is None:
        return ""
    word = by_name[place.plus]
    return f"StateBits.unsigned({{}}[{order.index(word.place)}], {word.from_bit}, {word.bits})"


def _part(index: int, feature: Feature, tree: Tree, where: _Where) -> _Part:
    value = _solidity(tree, where)
    past = "State[] memory past" if where.words else "Observation[] memory past"
    takes = {past: "past[" in value, "uint256 end": "end / " in value}
    given = ", ".join(one.split()[-1] for one, is_used in takes.items() if is_used)
    word = _word(feature).format(f"_feature{index}({given})")
    return _Part(comment(feature.name), ", ".join(one for one, is_used in takes.items() if is_used), value, word)


def _word(feature: Feature) -> str:
    if feature.kind == "integer":
        return f"integerWord({{}}, {feature.low}, {feature.high})"
    if feature.kind == "fixed":
        # Of a whole number nothing is rounded, and AssayWords.fixedWord would only cost more.
        return f"integerWord({{}} * {1 << feature.bits}, {feature.low}, {feature.high})"
    return f"{feature.kind}Word({{}}, 1)"


def _solidity(tree: Tree, where: _Where) -> str:
    """A tree as an expression of int256; what leaves 256 bits reverts."""
    if isinstance(tree, Whole):
        if not -_LARGEST <= tree.value < _LARGEST:
            raise RowNotOnChain(f"the constant {tree.value} does not fit 256 bits", "Use a smaller one.")
        return f"int256({tree.value})"
    if isinstance(tree, Past):
        return f"int256(past[{where.lags[tree.lag]}].{tree.what})"
    if isinstance(tree, Stored):
        return where.words[tree.name].format(f"past[{where.lags[tree.lag]}]")
    if isinstance(tree, Moment):
        end = f"past[{where.lags[0]}].time" if where.words else "end"
        return _MOMENTS[tree.part].replace("end", end)
    return _applied(tree, [_solidity(part, where) for part in tree.parts])


def _applied(tree: Apply, parts: list[str]) -> str:
    if tree.op in _CALLS:
        return _CALLS[tree.op].format(parts[0])
    if tree.op in _CHOICES:
        made = parts[0]
        for part in parts[1:]:
            made = f"{_CHOICES[tree.op]}({made}, {part})"
        return made
    return f"({parts[0]} {'/' if tree.op == '//' else tree.op} {parts[1]})"
