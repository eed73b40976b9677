"""Gas of verifying, by a real transaction to the generated verifier on a local Ethereum node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.bench.errors import BenchError
from assay.chain.compile import compile_apart
from assay.chain.deploy import Chain
from assay.chain.node import LocalNode
from assay.chain.npm import foundry_binary, node_binary, node_modules
from assay.chain.solidity import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.chain.compile import CompiledContract
    from assay.chain.solidity import VerifierSource
    from assay.prove.keys import VerifyingKey

GAS_LIMIT = 16_000_000
"""Below what one transaction may take on any chain (EIP-7825)."""

TRUE = (1).to_bytes(32, "big")


@dataclass(frozen=True)
class Settlement:
    """What the node charged; names as in `Measurement`."""

    gas: int
    deployment_gas: int
    contract_bytes: int


def require_tools() -> None:
    """Stop before any work if the node or the compiler is not installed; raises `ToolMissing`."""
    node_binary()
    node_modules("solc")
    foundry_binary("anvil")


def settle(key: VerifyingKey, calldata: bytes) -> Settlement:
    """Deploy the key's verifier on a node of its own and send `calldata` to it; raises as `settle_each`."""
    return settle_each([(key, calldata)])[0]


def settle_each(proofs: Sequence[tuple[VerifyingKey, bytes]]) -> list[Settlement]:
    """Deploy the verifier of each key and send it its calldata: one run of the compiler, one node.

    Raises
    ------
    ChainError
        A key has no contract, or the node failed or refused.
    BenchError
        A contract did not accept its proof.
    """
    sources = [render(key.content, known=key.check) for key, _ in proofs]
    compiled = compile_apart([source.text for source in sources])
    with LocalNode() as node:
        chain = Chain(node.url)
        return [
            _settled(chain, source, found[source.name], calldata)
            for source, found, (_, calldata) in zip(sources, compiled, proofs, strict=True)
        ]


def _settled(chain: Chain, source: VerifierSource, contract: CompiledContract, calldata: bytes) -> Settlement:
    verifier = chain.deploy_verifier(contract, source)
    if chain.call_calldata(verifier, calldata, gas=GAS_LIMIT) != TRUE:
        raise BenchError("The verifier contract refused a valid proof.", "This is a bug in Assay: report it.")
    receipt = chain.send_calldata(verifier, calldata, gas=GAS_LIMIT)
    return Settlement(receipt.gas_used, verifier.receipt.gas_used, contract.runtime_size)
