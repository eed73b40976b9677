"""Gate: the contract on a chain is the one that the key says, and names the key's model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.chain.compile import RUNTIME_LIMIT, compile_solidity
from assay.chain.deploy import Chain
from assay.chain.errors import KeyNotSupported
from assay.chain.node import LocalNode
from assay.chain.shared import shape_digest
from assay.chain.solidity import render
from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.prove.keys import VerifyingKey

GATE = "contract"


@dataclass(frozen=True)
class Compared:
    """What a contract is, and what it should be.

    Attributes
    ----------
    expected, deployed
        Hashes of the code that the key's source compiles to, and of the code that stood on a node.
    model_id, names
        The key's model, and the one that the contract names.
    size
        Bytes of its code.
    shared
        Whether the champion's shared verifier would serve it, if there is one.
    """

    expected: str
    deployed: str
    model_id: str
    names: str
    size: int
    shared: bool


def examine(before: VerifyingKey, now: VerifyingKey) -> Compared:
    """Bring the key's contract onto a node of its own and look at what stands there."""
    source = render(now.content, known=now.check)
    contract = compile_solidity({"Verifier.sol": source.text})[source.name]
    with LocalNode() as node:
        chain = Chain(node.url)
        there = chain.deploy_verifier(contract, source)
        code, named = chain.code_hash(there.address), bytes(chain.call(there, "modelId"))
    try:
        shared = shape_digest(before.content) == shape_digest(now.content)
    except KeyNotSupported:  # networks have verifiers of their own
        shared = False
    return Compared(
        contract.code_hash.hex(),
        code.hex(),
        now.model_id.removeprefix("0x"),
        named.hex(),
        contract.runtime_size,
        shared,
    )


def gate(found: Compared | None) -> Verdict:
    """Whether code and model are the expected ones, and fit a chain."""
    if found is None:
        return fails(GATE, "No candidate was chosen, so there is no contract.")
    if found.deployed != found.expected:
        return fails(
            GATE,
            f"The code that was deployed ({found.deployed[:16]}) is not what the key's source compiles to "
            f"({found.expected[:16]}).",
        )
    if found.names != found.model_id:
        return fails(GATE, f"The contract names the model {found.names[:16]}, the key is of {found.model_id[:16]}.")
    if found.size > RUNTIME_LIMIT:
        return fails(GATE, f"The contract has {found.size:,} bytes; a chain takes {RUNTIME_LIMIT:,}.")
    how = (
        "the champion's shared verifier fits it" if found.shared else "its shape is another: it needs its own verifier"
    )
    return holds(GATE, f"The contract is the key's, {found.size:,} bytes; {how}.")
