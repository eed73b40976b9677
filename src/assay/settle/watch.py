"""Where a transaction is: in which block of the history that counts, or replaced by another of its nonce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.record.transactions import Transaction
    from assay.settle.node import Node


def mined(node: Node, held: Transaction) -> dict[str, Any] | None:
    """What the attempt that is in the canonical chain did; None if none of them is there.

    A receipt may be of a block that is no longer canonical: its hash is compared with that of the block at its height.
    """
    for attempt in reversed(held.attempts):
        receipt = node.receipt(attempt["hash"])
        if receipt is None or node.block_hash(receipt.block) != receipt.block_hash:
            continue
        return {
            "hash": receipt.hash,
            "block": receipt.block,
            "block_hash": receipt.block_hash,
            "ok": receipt.ok,
            "gas_used": receipt.gas_used,
            "price": str(receipt.price),
            "contract": receipt.contract,
            "logs": [
                {"address": log["address"], "topics": list(log["topics"]), "data": log["data"]} for log in receipt.logs
            ],
        }
    return None


def taken(node: Node, held: Transaction, final: int) -> bool:
    """Whether the final chain has another transaction of this nonce: none of ours has a receipt there."""
    return node.count(held.account, hex(final)) > held.nonce
