"""What to pay for gas (EIP-1559), and by how much more when a transaction is replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.settle.errors import FeeCap
from assay.settle.node import quantity

if TYPE_CHECKING:
    from assay.settle.node import Node

GWEI = 10**9
# Nodes ask 10 % more of both fees, some 12.5 %; less is refused as underpriced.
_EIGHTHS = 9
_LEAST_TIP = 1
_PAST_BLOCKS = 10
_PERCENTILE = 60


@dataclass(frozen=True)
class Fees:
    """Wei a unit of gas: `limit` in all, of which at most `tip` to the block's maker."""

    limit: int
    tip: int


def suggested(node: Node, cap: int) -> Fees:
    """Twice the next block's base fee and the usual tip, so that it stays payable while the base fee rises six blocks.

    Raises
    ------
    FeeCap
        The base fee alone is above the cap: waiting is cheaper than failing.
    """
    history = node.ask("eth_feeHistory", hex(_PAST_BLOCKS), "latest", [_PERCENTILE])
    base = quantity(history["baseFeePerGas"][-1])
    tips = sorted(quantity(block[0]) for block in history.get("reward") or [] if block)
    tip = max(_LEAST_TIP, tips[len(tips) // 2] if tips else GWEI)
    if base + _LEAST_TIP > cap:
        raise FeeCap(
            f"{node.chain} asks {base / GWEI:.3f} gwei a unit of gas, and the cap is {cap / GWEI:.3f}",
            "It is tried again; raise max_fee_gwei if it may cost more.",
        )
    limit = min(cap, 2 * base + tip)
    return Fees(limit, min(tip, limit))


def bumped(before: Fees, now: Fees, cap: int) -> Fees | None:
    """At least an eighth more of both fees than before, and at least today's; None if the cap does not allow it."""
    limit = max(now.limit, -(-before.limit * _EIGHTHS // 8))
    tip = max(now.tip, -(-before.tip * _EIGHTHS // 8))
    limit = max(limit, tip)
    if limit > cap:
        least = -(-before.limit * _EIGHTHS // 8)
        if least > cap:
            return None
        limit = cap
        tip = min(tip, limit)
        if tip * 8 < before.tip * _EIGHTHS:
            return None
    return Fees(limit, tip)
