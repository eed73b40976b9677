"""What stands at an address of a chain: is it the verifier of a key, and does a registry let it count?

Nothing is taken from whoever gave the address: the code is compared with what a reviewed key gives (compiled here) or
with the bytecode of a release's file (compiled by whoever made it; its digest names it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.chain.compile import compile_solidity
from assay.chain.shared import model_code
from assay.chain.solidity import render, render_shared
from assay.core.errors import AssayError
from assay.core.keccak import keccak256
from assay.keep.dispute import Finding
from assay.keep.errors import NothingToCompare
from assay.prove.check import require
from assay.settle.errors import Reverts
from assay.settle.network import selector

if TYPE_CHECKING:
    from assay.prove.keys import VerifyingKey
    from assay.settle.network import Network
    from assay.settle.registry import Registry

_FORWARD = bytes.fromhex("363d3d373d3d3d363d73")


@dataclass(frozen=True)
class Expected:
    """What should stand there.

    Attributes
    ----------
    model_id
        Digest of the verifying key.
    key
        The key itself: the contract is compiled from it unless `runtime` is given.
    runtime
        The code of a release.
    release
        The release's digest.
    """

    model_id: str
    key: VerifyingKey | None = None
    runtime: bytes | None = None
    release: str | None = None


def verify(
    on: Network, address: str, expected: Expected, registry: Registry | None, *, unchecked: bool = False
) -> list[Finding]:
    """Look at an address; nothing is sent.

    Parameters
    ----------
    unchecked
        Rely on a key whose stamp nothing here confirms.

    Raises
    ------
    NothingToCompare
        There is no code at the address.
    NodeFault
        No node answers, or it is on another chain.
    """
    on.node.require_agreement()
    code = on.node.code(address)
    if not code:
        raise NothingToCompare(f"there is no contract at {address} on {on.name}", "Check the address and the chain.")
    found = [_code(on, code, expected, unchecked=unchecked), _model(on, address, expected)]
    if expected.key is not None:
        found.append(_key(on, expected.key, unchecked=unchecked))
    found.append(_registry(registry, address, code, expected))
    return found


def _code(on: Network, code: bytes, expected: Expected, *, unchecked: bool) -> Finding:
    hash_ = f"0x{keccak256(code).hex()}"
    if expected.key is not None and code.startswith(_FORWARD):
        return _shared(on, code, expected.key, hash_, unchecked=unchecked)
    if expected.runtime is not None:
        holds = code == expected.runtime
        said = "the code is the release's" if holds else "NOT the release's code"
        return Finding("code", holds, f"{said} ({len(code):,} bytes, {hash_})")
    if expected.key is None:
        return Finding("code", None, f"{len(code):,} bytes, {hash_}; compared with nothing: give --key or --release")
    source = render(expected.key.content, unchecked=unchecked, known=expected.key.check)
    holds = code == compile_solidity({"Verifier.sol": source.text})[source.name].runtime
    said = "the code is what the key gives, compiled here" if holds else "NOT the code that the key gives"
    return Finding("code", holds, f"{said} ({len(code):,} bytes, {hash_})")


def _shared(on: Network, code: bytes, key: VerifyingKey, hash_: str, *, unchecked: bool) -> Finding:
    """A model's own few bytes before the verifier that its shape shares."""
    to = "0x" + code[len(_FORWARD) : len(_FORWARD) + 20].hex()
    source = render_shared(key.content, unchecked=unchecked)
    wanted = compile_solidity({"Verifier.sol": source.text})[source.name].runtime
    if code != model_code(key.content, to):
        return _not("code", f"another than the key gives for the shared verifier {to} ({hash_})")
    if on.node.code(to) != wanted:
        return _not("code", f"{to}, to which it hands all calls, is not the shared verifier of the key's shape")
    said = f"the key's own points ({len(code):,} bytes, {hash_}) before its shape's shared verifier {to}"
    return Finding("code", holds=True, said=said)


def _model(on: Network, address: str, expected: Expected) -> Finding:
    try:
        said = on.node.call({"to": address, "data": selector("modelId()")}).hex()
    except Reverts:
        said = ""
    wanted = expected.model_id.removeprefix("0x")
    if not wanted:
        return Finding("model", None, f"it says that it is of the model 0x{said}, as any contract can")
    if said != wanted:
        return _not("model", f"modelId() is 0x{said or '(nothing)'}, and the key's is 0x{wanted}")
    return Finding("model", holds=True, said=f"modelId() is 0x{wanted}")


def _not(name: str, said: str) -> Finding:
    return Finding(name, holds=False, said=f"NOT: {said}")


def _key(on: Network, key: VerifyingKey, *, unchecked: bool) -> Finding:
    if key.srs_kind == "development":
        said = "its reference string is a development one: nobody should rely on it outside tests"
        return Finding("key", holds=None, said=said) if on.local else _not("key", said)
    try:
        require(key.check, unchecked=unchecked)
    except AssayError as error:
        return _not("key", error.what)
    return Finding("key", key.check.checked or None, key.check.note)


def _registry(registry: Registry | None, address: str, code: bytes, expected: Expected) -> Finding:
    if registry is None:
        return Finding("registry", None, "no registry is known here: give --registry ADDRESS")
    there = [one for one in registry.versions() if one.verifier.lower() == address.lower()]
    if expected.release is not None:
        there = [one for one in there if one.release == expected.release] or there
    if not there:
        return _not("registry", f"no verifier of the registry {registry.address}")
    last = there[-1]
    where = f"version {last.number} of the registry {registry.address}"
    if registry.is_frozen(last.model_id):
        return _not("registry", f"the model of {where} is frozen, for ever")
    if last.code_hash != keccak256(code).hex():
        return _not("registry", f"{where} is of another code")
    if expected.release is not None and last.release != expected.release:
        return _not("registry", f"{where} is of the release {last.release[:16]}")
    if last.state != "allowed":
        return _not("registry", f"{where} is {last.state}")
    if last.until is not None:
        over = registry.on.node.head() > last.until
        return Finding("registry", not over, f"{'NOT: ' * over}{where}'s proofs count until block {last.until}")
    default = " and the default" if registry.current() == last.number else ""
    return Finding("registry", holds=True, said=f"{where}, allowed{default}")
