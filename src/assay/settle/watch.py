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


def taker(node: Node, held: Transaction, final: int) -> str | None:
    """Hash of the transaction that has this nonce in the final chain; None if none has, or the node cannot say.

    That none of ours has a receipt is no proof that another took its place: a node that lags has no receipts either,
    and what is taken for lost would be sent twice. So the block in which the nonce was used is looked up.
    """
    if node.count(held.account, hex(final)) <= held.nonce:
        return None
    above, step = final, 1
    below = final
    while below > 0:  # the last block before the nonce was used lies not far behind
        below = max(0, final - step)
        if node.count(held.account, hex(below)) <= held.nonce:
            break
        above, step = below, step * 2
    while above - below > 1:
        middle = (above + below) // 2
        if node.count(held.account, hex(middle)) > held.nonce:
            above = middle
        else:
            below = middle
    for one in node.transactions(above):
        if one["from"].lower() == held.account.lower() and int(one["nonce"], 16) == held.nonce:
            return str(one["hash"])
    return None
