"""Compile Solidity with the npm build of solc (no download, no network)."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Any

from assay.chain import kept
from assay.chain.errors import CompileFailed, ContractTooLarge, ToolMissing
from assay.chain.npm import INSTALL_HINT, node_binary, node_modules
from assay.core.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RUNTIME_LIMIT = 24_576
"""Largest runtime code an Ethereum chain accepts, bytes (EIP-170)."""

EVM_VERSION = "cancun"
"""Rules the code is compiled for: every large rollup runs them, and newer ones accept the code."""

RUNS = 1_000_000
"""Optimizer runs: a verifier is deployed once and called often, so calls are made cheap."""

_OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
_SETTINGS = {
    "optimizer": {"enabled": True, "runs": RUNS},
    "viaIR": False,
    "evmVersion": EVM_VERSION,
    # No metadata hash: the same source gives the same bytes wherever it is compiled.
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "outputSelection": {"*": {"*": _OUTPUTS}},
}
_ERROR = '"severity":"error"'
_IMPORT = re.compile(r'^\s*(?:import\b|\}\s*from\b)[^"\';]*["\']([^"\']+)["\']', re.MULTILINE)
_SCRIPT = Path(__file__).with_name("solc.cjs")


@dataclass(frozen=True)
class CompiledContract:
    """One compiled contract.

    Attributes
    ----------
    name
        Name of the contract in its source.
    abi
        Its interface, as solc prints it.
    bytecode
        Creation code.
    runtime
        The code that stays on the chain; immutable values are zero in it.
    """

    name: str
    abi: list[dict[str, Any]] = field(repr=False)
    bytecode: bytes = field(repr=False)
    runtime: bytes = field(repr=False)

    @property
    def runtime_size(self) -> int:
        """Bytes of the code that stays on the chain."""
        return len(self.runtime)

    @property
    def code_hash(self) -> bytes:
        """What `address.codehash` says of the contract, 32 bytes, if it has no immutable values; no verifier has."""
        return keccak256(self.runtime)


def compile_solidity(
    sources: dict[str, str],
    *,
    only: Iterable[str] = ("*",),
    runs: int = RUNS,
    via_ir: bool = False,
    evm_version: str = EVM_VERSION,
) -> dict[str, CompiledContract]:
    """Compile Solidity sources and return every contract that has code, by name.

    Parameters
    ----------
    sources
        Source text by path; imports are resolved among these paths only.
    only
        Names of the contracts that are wanted, where not all are: making code for the others takes seconds.
    runs
        How often the code is expected to run, for the optimizer.
    via_ir
        Compile through solc's intermediate language.
    evm_version
        Rules of the chain, in solc's words.

    Raises
    ------
    ToolMissing
        Node.js or the npm package solc is not installed.
    CompileFailed
        Solc refused the sources; the message is solc's first error.
    ContractTooLarge
        A contract is over 24,576 bytes.
    """
    changes = {
        "optimizer": {"enabled": True, "runs": runs},
        "viaIR": via_ir,
        "evmVersion": evm_version,
        "outputSelection": {"*": dict.fromkeys(only, _OUTPUTS)},
    }
    answer = _answer(sources, _SETTINGS | changes)
    return {name: made for found in _contracts(answer).values() for name, made in found.items()}


def compile_apart(texts: Sequence[str]) -> list[dict[str, CompiledContract]]:
    """Compile texts that know nothing of one another, and may name their contracts alike, in one run of solc.

    Its start takes as long as a small contract. Returns the contracts of each text; raises as `compile_solidity`.
    """
    answer = _answer({f"{number}.sol": text for number, text in enumerate(texts)}, _SETTINGS)
    found = _contracts(answer)
    return [found.get(f"{number}.sol", {}) for number in range(len(texts))]


def _answer(sources: dict[str, str], settings: dict[str, Any]) -> dict[str, Any]:
    request = {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sources.items()},
        "settings": settings,
    }
    printed = _printed(str(node_binary()), str(node_modules("solc")), json.dumps(request))
    answer: dict[str, Any] = json.loads(printed)
    _raise_first_error(answer)
    return answer


def read_sources(root: Path, *, paths: list[str] | None = None) -> dict[str, str]:
    """Read Solidity files below `root` and what they import, keyed by path, ready for `compile_solidity`.

    Parameters
    ----------
    root
        Folder that import paths are relative to.
    paths
        Which files to start from; None for all.

    Returns
    -------
        Texts by path from `root`; what comes from an npm package by its name there, such as "@openzeppelin/...".

    Raises
    ------
    ToolMissing
        An imported npm package is not installed.
    CompileFailed
        An imported file is not there.
    """
    names = paths if paths is not None else sorted(str(path.relative_to(root)) for path in root.rglob("*.sol"))
    found = {name: (root / name).read_text(encoding="utf-8") for name in names}
    waiting = list(found)
    while waiting:
        importer = waiting.pop()
        for written in _IMPORT.findall(found[importer]):
            name = normpath(join(dirname(importer), written)) if written.startswith(".") else written
            if name not in found:
                found[name] = _imported(root, name, importer)
                waiting.append(name)
    return found


def _imported(root: Path, name: str, importer: str) -> str:
    place = root / name
    if name.startswith("@"):
        place = node_modules("/".join(name.split("/")[:2])) / name
    if name.startswith("..") or not place.is_file():
        raise CompileFailed(f"{importer} imports {name}, which is not there.", "Check the path.")
    return place.read_text(encoding="utf-8")


@lru_cache(maxsize=32)
def _printed(node: str, modules: str, request: str) -> str:
    """What solc says; kept, because one verifier is asked for several times: to measure, judge and release it."""
    place = kept.place(modules, request)
    if place is not None and (known := kept.read(place)) is not None:
        return known
    done = subprocess.run(  # noqa: S603  a fixed program; the source goes to its standard input
        [node, str(_SCRIPT), "--standard-json"],
        input=request,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "ASSAY_NODE_MODULES": modules},
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise ToolMissing(f"The Solidity compiler in {modules} does not run: {last}", INSTALL_HINT)
    if place is not None and _ERROR not in done.stdout:
        kept.keep(place, done.stdout)
    return done.stdout


def _raise_first_error(answer: dict[str, Any]) -> None:
    errors = [entry for entry in answer.get("errors", []) if entry.get("severity") == "error"]
    if errors:
        text = str(errors[0].get("formattedMessage") or errors[0].get("message")).strip()
        raise CompileFailed(f"solc refused the source ({len(errors)} error(s)); the first: {text}")


def _contracts(answer: dict[str, Any]) -> dict[str, dict[str, CompiledContract]]:
    """By path and name."""
    found: dict[str, dict[str, CompiledContract]] = {}
    for path, contracts in answer.get("contracts", {}).items():
        for name, output in contracts.items():
            bytecode = bytes.fromhex(output["evm"]["bytecode"]["object"])
            runtime = bytes.fromhex(output["evm"]["deployedBytecode"]["object"])
            if not bytecode:  # an interface or an abstract contract
                continue
            if len(runtime) > RUNTIME_LIMIT:
                raise ContractTooLarge(
                    f"The contract {name} has {len(runtime):,} bytes of runtime code, over the limit of "
                    f"{RUNTIME_LIMIT:,} that Ethereum sets.",
                    "Use a model with fewer features or outputs, or fewer optimizer runs.",
                )
            found.setdefault(path, {})[name] = CompiledContract(name, output["abi"], bytecode, runtime)
    return found
