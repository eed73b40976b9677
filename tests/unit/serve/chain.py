"""A consumer on a real node whose events say what it was settled with, and a loop that settles on it."""

from assay.chain.compile import compile_solidity
from assay.core.keccak import keccak256
from assay.serve.settle import Settler
from assay.settle.deploy import Deployed
from assay.settle.network import context_of, network, policy
from assay.settle.outbox import Outbox
from assay.task.task import Task

# It verifies nothing: what a verifier accepts is tested elsewhere, and here only what reaches the chain counts.
CONSUMER = """
pragma solidity ^0.8.24;
contract Consumer {
    event Settled(bytes32 indexed proof, uint256 context, uint256 count);
    error Refused(uint256 context);
    uint256 public count;
    uint256 public refused;
    function refuse(uint256 context) external { refused = context; }
    function settle(bytes calldata proof, uint256[] calldata words) external {
        uint256 context = words[words.length - 1];
        if (context == refused && refused != 0) revert Refused(context);
        emit Settled(keccak256(proof), context, ++count);
    }
}
"""
_COMPILED = {}


def task(url, **chain):
    return Task.model_validate(
        {
            "name": "credit",
            "existing": {"kind": "constant", "value": 0.0},
            "predict": {"target": "y", "type": "binary"},
            "data": {"sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}]},
            "protocol": {"chain": "local"},
            "chains": {"local": {"rpc": [url], "block_seconds": 0.2, "confirmations": 2} | chain},
        }
    )


def deploy(node, funded):
    """A consumer by the node's own account; its address."""
    if not _COMPILED:
        _COMPILED.update(compile_solidity({"Consumer.sol": CONSUMER}))
    node.ask("anvil_setBalance", funded, hex(10**19))
    code = "0x" + _COMPILED["Consumer"].bytecode.hex()
    sent = node.ask("eth_sendTransaction", {"from": node.ask("eth_accounts")[1], "data": code})
    while (found := node.receipt(sent)) is None:
        pass
    return found.contract


def settler(database, url, key, address, name="settler", **chain):
    on = network(task(url, **chain))
    outbox = Outbox(database, on.node, key, policy(on, address), name)
    made = Settler(database, on, outbox, Deployed("consumer", address, "", "", None, None), name=outbox.holder)
    made._abi = _COMPILED["Consumer"].abi if _COMPILED else []
    return made


def settled(node, address):
    """(context, count) of each event on the canonical chain, in order."""
    topic = "0x" + keccak256(b"Settled(bytes32,uint256,uint256)").hex()
    logs = node.ask("eth_getLogs", {"fromBlock": "0x0", "address": address, "topics": [topic]})
    return [(int(log["data"][2:66], 16), int(log["data"][66:], 16)) for log in logs]


__all__ = ["context_of", "deploy", "settled", "settler", "task"]
