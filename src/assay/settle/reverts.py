"""What a contract refuses with, in words: its own errors by its interface, Solidity's own, or the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.core.keccak import keccak256
from assay.settle.errors import Reverts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ERROR, _PANIC = "08c379a0", "4e487b71"
_PANICS = {
    0x01: "an assertion failed",
    0x11: "a sum or product left its range",
    0x12: "a division by zero",
    0x21: "no value of the enumeration",
    0x31: "an empty array was shortened",
    0x32: "an index outside its array",
    0x41: "too much memory",
    0x51: "a function that is not set was called",
}
_LONGEST = 200


def refused(what: str, error: Reverts, abi: Iterable[Mapping[str, Any]] = ()) -> Reverts:
    """The same refusal with its reason in words."""
    reason = decoded(error.data, abi) if error.data else error.what
    made = Reverts(f"{what} refuses: {reason}", "Nothing was sent. See what the contract asks.")
    made.data = error.data
    return made


def decoded(data: str, abi: Iterable[Mapping[str, Any]] = ()) -> str:
    """Say what the bytes of a refusal mean.

    Parameters
    ----------
    data
        0x-hexadecimal; may be empty.
    abi
        The contract's interface, whose errors are named with their values.
    """
    raw = data.removeprefix("0x")
    if not raw:
        return "it gives no reason"
    selector, content = raw[:8], bytes.fromhex(raw[8:])
    if selector == _ERROR:
        found = _values(["string"], content)
        return found[0][:_LONGEST] if found else "a reason that cannot be read"
    if selector == _PANIC:
        number = int.from_bytes(content[:32], "big")
        return _PANICS.get(number, f"Panic({number:#x})")
    for entry in abi:
        if entry.get("type") == "error":
            types = [_type(one) for one in entry["inputs"]]
            signature = f"{entry['name']}({','.join(types)})"
            if keccak256(signature.encode())[:4].hex() == selector:
                return _named(entry, _values(types, content))
    return f"an error of its own, 0x{raw[:72]}"


def _named(entry: Mapping[str, Any], values: list[Any] | None) -> str:
    if values is None:
        return str(entry["name"])
    shown = [
        f"{one['name'] or index}={'0x' + value.hex() if isinstance(value, bytes) else value}"
        for index, (one, value) in enumerate(zip(entry["inputs"], values, strict=True))
    ]
    return f"{entry['name']}({', '.join(shown)})"[:_LONGEST]


def _values(types: list[str], content: bytes) -> list[Any] | None:
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        return list(decode(types, content))
    except (DecodingError, ValueError, OverflowError):
        return None


def _type(entry: Mapping[str, Any]) -> str:
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(one) for one in entry['components'])}){kind.removeprefix('tuple')}"
