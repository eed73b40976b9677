"""Contracts of a project: compiled with what they import, their constructors' arguments encoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.chain.compile import CompiledContract, compile_solidity, read_sources
from assay.core.paths import place
from assay.settle.errors import ArgumentUnfit, ContractUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from assay.task.chains import ContractSpec


@dataclass(frozen=True)
class Built:
    """A contract that can be deployed as soon as its arguments are known."""

    spec: ContractSpec
    compiled: CompiledContract

    def creation(self, known: Mapping[str, Any]) -> bytes:
        """Creation code with the arguments behind it.

        Parameters
        ----------
        known
            What "$NAME" in an argument stands for.

        Raises
        ------
        ArgumentUnfit
            Names the argument.
        """
        return self.compiled.bytecode + encoded(self.spec, self.compiled.abi, known)


def build(project: Path, specs: Sequence[ContractSpec]) -> list[Built]:
    """Compile contracts of the project, those of one file together.

    Raises
    ------
    ContractUnknown
        There is no such file, or it has no such contract.
    CompileFailed, ToolMissing
        See `assay.chain`.
    """
    wanted: dict[str, list[str]] = {}
    for spec in specs:
        file, _, name = spec.source.partition(":")
        wanted.setdefault(file, []).append(name)
    compiled = {file: _compiled(project, file, names) for file, names in wanted.items()}
    return [Built(spec, compiled[file][name]) for spec in specs for file, _, name in [spec.source.partition(":")]]


def _compiled(project: Path, file: str, names: list[str]) -> dict[str, CompiledContract]:
    """The contracts of these names that a file has or imports."""
    path = place(project, file)
    if not path.is_file():
        raise ContractUnknown(f"there is no file {path}", "Correct its source in task.toml.")
    root = project if path.is_relative_to(project) else path.parent
    sources = read_sources(root, paths=[path.relative_to(root).as_posix()])
    found = compile_solidity(sources, only=names)
    for name in names:
        if name not in found:
            known = ", ".join(sorted(compile_solidity(sources))) or "none"
            raise ContractUnknown(f"{file} has no contract {name} that can be deployed", f"It has: {known}.")
    return found


def encoded(spec: ContractSpec, abi: list[dict[str, Any]], known: Mapping[str, Any]) -> bytes:
    """A constructor's arguments as the chain takes them; raises `ArgumentUnfit`."""
    from eth_abi.abi import encode
    from eth_abi.exceptions import EncodingError

    inputs: list[dict[str, Any]] = next((entry["inputs"] for entry in abi if entry["type"] == "constructor"), [])
    if len(inputs) != len(spec.arguments):
        names = ", ".join(f"{one['type']} {one['name']}" for one in inputs) or "none"
        raise ArgumentUnfit(
            f"{spec.source} takes {len(inputs)} arguments, and {len(spec.arguments)} are given", f"They are: {names}."
        )
    found = []
    for one, value in zip(inputs, spec.arguments, strict=True):
        type_ = _type(one)
        try:
            found.append(encode([type_], [_value(one, value, known)]))
        except (EncodingError, ValueError, TypeError, OverflowError):
            raise ArgumentUnfit(
                f"{spec.source}: {str(value)[:60]!r} is no {type_} for {one['name']}", "Correct it in task.toml."
            ) from None
    # Each was tried by itself, so that the one at fault can be named; encoded together, offsets fit.
    values = [_value(one, value, known) for one, value in zip(inputs, spec.arguments, strict=True)]
    return encode([_type(one) for one in inputs], values)


def _type(entry: Mapping[str, Any]) -> str:
    """A type with its components, as "(uint24,uint64)[]"."""
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(_type(component) for component in entry["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def _value(entry: Mapping[str, Any], value: Any, known: Mapping[str, Any]) -> Any:
    """A value of TOML as the encoder takes it: names looked up, integers of any size and bytes read from text."""
    kind: str = entry["type"]
    if isinstance(value, str) and value.startswith("$"):
        if value[1:] not in known:
            raise ArgumentUnfit(
                f'no contract or value is called "{value:.60}" when it is needed',
                f"There are: {', '.join('$' + name for name in known)}.",
            )
        value = known[value[1:]]
    if kind.endswith("]"):
        inner = {**entry, "type": kind[: kind.rindex("[")]}
        return [_value(inner, one, known) for one in value]
    if kind == "tuple":
        return tuple(_value(part, one, known) for part, one in zip(entry["components"], value, strict=True))
    if kind.startswith(("uint", "int")):
        if isinstance(value, bool):
            raise ValueError(value)
        return int(value, 0) if isinstance(value, str) else value
    if kind.startswith("bytes") and isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return value
