"""Events as contracts declare them: from a signature or an ABI to names, types and the topic of their logs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from assay.core.jsontext import parse
from assay.core.keccak import keccak256
from assay.data.errors import AbiInvalid

Kind = Literal["uint", "int", "address", "bool", "fixed_bytes", "bytes", "string", "hash"]
_EVENT = re.compile(
    r"\s*(?:event\s+)?(?P<name>[A-Za-z_$][\w$]*)\s*\((?P<inputs>.*)\)\s*(?P<anonymous>anonymous)?\s*;?\s*"
)
_INPUT = re.compile(r"(?P<type>[\w\[\]]+)(?P<indexed>\s+indexed)?(?:\s+(?P<name>[A-Za-z_$][\w$]*))?")
_TYPE = re.compile(r"(uint|int)(\d{1,3})?\Z|bytes(\d{1,2})\Z")
_TODO = 'Write it as in Solidity: "event Swap(address indexed sender, uint256 amount)".'


@dataclass(frozen=True)
class Input:
    """A parameter of an event.

    Attributes
    ----------
    name
        Its name; "argN" where the ABI gives none.
    type
        Canonical Solidity type, as it enters the topic.
    kind
        How its word is read.
    bits
        Width of an integer, or bytes of a `bytesN` times 8.
    indexed
        Whether it is a topic rather than part of the data.
    """

    name: str
    type: str
    kind: Kind
    bits: int
    indexed: bool

    @property
    def dynamic(self) -> bool:
        """Whether the data holds an offset in its place."""
        return self.kind in {"bytes", "string"}


@dataclass(frozen=True)
class EventAbi:
    """An event.

    Attributes
    ----------
    name
        Its name in Solidity.
    inputs
        Its parameters, in order.
    """

    name: str
    inputs: tuple[Input, ...]

    @property
    def signature(self) -> str:
        """The canonical signature, such as ``Transfer(address,address,uint256)``."""
        return f"{self.name}({','.join(given.type for given in self.inputs)})"

    @property
    def topic(self) -> bytes:
        """The first topic of its logs, 32 bytes."""
        return keccak256(self.signature.encode())

    @property
    def topics(self) -> tuple[Input, ...]:
        """The indexed parameters: topics 1 to 3."""
        return tuple(given for given in self.inputs if given.indexed)

    @property
    def words(self) -> tuple[Input, ...]:
        """The other parameters, one word each at the head of the data."""
        return tuple(given for given in self.inputs if not given.indexed)


def from_signature(text: str) -> EventAbi:
    """Read an event as Solidity declares it; raises AbiInvalid."""
    match = _EVENT.fullmatch(text)
    if match is None:
        raise AbiInvalid(f"{text!r:.80} is no event", _TODO)
    if match["anonymous"]:
        raise _anonymous(match["name"])
    inputs = []
    for index, part in enumerate(match["inputs"].split(",") if match["inputs"].strip() else []):
        given = _INPUT.fullmatch(part.strip())
        if given is None:
            raise AbiInvalid(f"{part.strip()!r:.60} in {text!r:.80} is no parameter", _TODO)
        inputs.append(_input(given["name"] or f"arg{index}", given["type"], indexed=bool(given["indexed"])))
    return _event(match["name"], inputs)


def from_json(content: bytes, event: str, path: str) -> EventAbi:
    """Find an event in a contract's ABI: a list of entries, or an object that has one as `abi`.

    Raises
    ------
    AbiInvalid
        If it is no ABI, has no such event, or several.
    """
    try:
        found = parse(content)
    except ValueError as error:
        raise AbiInvalid(f"{path} is no JSON ({str(error)[:80]})", "Give the contract's ABI.") from None
    entries = found.get("abi") if isinstance(found, dict) else found
    if not isinstance(entries, list):
        raise AbiInvalid(f"{path} is no ABI: it holds no list of entries", "Give what the compiler wrote as `abi`.")
    events = [entry for entry in entries if isinstance(entry, dict) and entry.get("type") == "event"]
    named = [entry for entry in events if entry.get("name") == event]
    if len(named) != 1:
        listed = ", ".join(sorted(str(entry.get("name")) for entry in events)) or "none"
        many = f"{len(named)} events" if named else "no event"
        raise AbiInvalid(
            f"{path} has {many} called {event}", f"Give `event` or `signature`. Its events: {listed:.200}."
        )
    return _entry(named[0], path)


def _entry(entry: dict[str, Any], path: str) -> EventAbi:
    if entry.get("anonymous", False) is not False:
        raise _anonymous(str(entry["name"]))
    inputs = entry.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(given, dict) for given in inputs):
        raise AbiInvalid(f"the event {entry.get('name')} of {path} has no list of inputs", "Give the compiler's ABI.")
    return _event(
        str(entry["name"]),
        [
            _input(str(given.get("name") or f"arg{index}"), str(given.get("type")), indexed=bool(given.get("indexed")))
            for index, given in enumerate(inputs)
        ],
    )


def _anonymous(name: str) -> AbiInvalid:
    return AbiInvalid(f"the event {name} is anonymous, so its logs cannot be told apart", "Use another.")


def _event(name: str, inputs: list[Input]) -> EventAbi:
    names = [given.name for given in inputs]
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise AbiInvalid(f"the event {name} has two parameters called {twice[0]}", "Name them apart.")
    event = EventAbi(name, tuple(inputs))
    if len(event.topics) > 3:
        raise AbiInvalid(f"the event {name} has {len(event.topics)} indexed parameters, and three are possible", _TODO)
    return event


def _input(name: str, written: str, *, indexed: bool) -> Input:
    if written in {"bytes", "string"}:
        # An indexed one is in the log as its hash only.
        return Input(name, written, "hash" if indexed else written, 256, indexed)  # type: ignore[arg-type]
    if written == "address":
        return Input(name, written, "address", 160, indexed)
    if written == "bool":
        return Input(name, written, "bool", 8, indexed)
    match = _TYPE.match(written)
    if match is None:
        raise AbiInvalid(
            f"the parameter {name} is of type {written!r:.40}, which is not decoded",
            "Decoded are integers, address, bool, bytesN, bytes and string; no arrays or tuples.",
        )
    if match[3]:
        if not 1 <= int(match[3]) <= 32:
            raise AbiInvalid(f"the parameter {name} is of type {written}, which Solidity does not have", _TODO)
        return Input(name, written, "fixed_bytes", 8 * int(match[3]), indexed)
    bits = int(match[2] or 256)
    if bits % 8 or not 8 <= bits <= 256:
        raise AbiInvalid(f"the parameter {name} is of type {written}, which Solidity does not have", _TODO)
    return Input(name, f"{match[1]}{bits}", match[1], bits, indexed)  # type: ignore[arg-type]
