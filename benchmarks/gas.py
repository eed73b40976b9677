"""Gas of a verification, by a real transaction on a local Ethereum node, the same way for every tool."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

from assay.chain.compile import compile_solidity
from assay.chain.node import LocalNode

GAS_LIMIT = 16_000_000


@dataclass(frozen=True)
class Settlement:
    """What the node charged.

    Attributes:
        gas: gas used by the transaction that verifies, calldata included.
        gas_without_floor: the same on a chain without the floor price of calldata (EIP-7623), where calldata costs
            what it did and execution is paid beside it.
        deployment_gas: gas used to deploy the contract.
        contract_bytes: code that stays on the chain.
        calldata_bytes: length of the call's data.
    """

    gas: int
    gas_without_floor: int
    deployment_gas: int
    contract_bytes: int
    calldata_bytes: int


def settle(source: str, contract: str | None, calldata: bytes, **compiler: Any) -> Settlement:
    """Deploy `contract` of `source` (None: its only one) on a fresh node and send `calldata` to it.

    Raises:
        RuntimeError: the node refused, the call reverted, or the contract did not answer true.
    """
    found = compile_solidity({"Verifier.sol": source}, **compiler)
    if contract is None and len(found) != 1:
        raise RuntimeError(f"the source has {len(found)} contracts: {', '.join(found)}")
    compiled = found[contract or next(iter(found))]
    deployment, gas = _used(compiled.bytecode, calldata, hardfork=None)
    _, without = _used(compiled.bytecode, calldata, hardfork="cancun")
    return Settlement(gas, without, deployment, compiled.runtime_size, len(calldata))


def _used(bytecode: bytes, calldata: bytes, hardfork: str | None) -> tuple[int, int]:
    """Gas of the deployment and of the call under a hard fork's rules (None: the node's newest)."""
    with LocalNode(hardfork=hardfork) as node:
        account = _ask(node.url, "eth_accounts")[0]
        deployed = _send(node.url, {"from": account, "data": _hex(bytecode)})
        call = {"from": account, "to": deployed["contractAddress"], "data": _hex(calldata)}
        answer = _ask(node.url, "eth_call", {**call, "gas": hex(GAS_LIMIT)}, "latest")
        if int(answer, 16) != 1:
            raise RuntimeError(f"the contract answered {answer}, not true")
        receipt = _send(node.url, call)
    return int(deployed["gasUsed"], 16), int(receipt["gasUsed"], 16)


def _send(url: str, transaction: dict[str, str]) -> dict[str, Any]:
    """The receipt of a transaction that succeeded."""
    identifier = _ask(url, "eth_sendTransaction", {**transaction, "gas": hex(GAS_LIMIT)})
    for _ in range(100):
        receipt: dict[str, Any] | None = _ask(url, "eth_getTransactionReceipt", identifier)
        if receipt is not None:
            break
        time.sleep(0.05)
    else:
        raise RuntimeError("the node made no receipt within 5 s")
    if int(receipt["status"], 16) != 1:
        raise RuntimeError("the transaction was reverted")
    return receipt


def _ask(url: str, method: str, *parameters: Any) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    # A node on the loopback interface that this process started.
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        reply = json.load(answer)
    if "error" in reply:
        raise RuntimeError(f"{method}: {reply['error'].get('message')}")
    return reply["result"]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
