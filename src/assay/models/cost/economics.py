"""From gas and seconds to money and blocks, and which limits they break."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from assay.models.cost.cost import Cost
    from assay.task.sections import Value
    from assay.task.task import Task

COST_LIMITS = ("prove_seconds", "memory_mb", "gas", "usd_per_inference", "latency_blocks")
"""Limits that a candidate's cost decides, by their names in `[limits]`."""

INCLUSION_BLOCKS = 1
"""A transaction sent within a block is in the next one at the earliest."""


class Latency(BaseModel):
    """Blocks from the end of the observed data to the transaction that acts on the answer.

    Attributes
    ----------
    feature_delay
        Blocks until the data counts as final.
    inference, proving
        The model's own answer and its proof, as parts of a block.
    inclusion
        Blocks until the transaction is in one.
    total
        Whole blocks: the delay, those that pass while the answer is computed and proven, and the inclusion.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    feature_delay: int
    inference: float
    proving: float
    inclusion: int
    total: int


def latency(task: Task, *, inference_seconds: float, prove_seconds: float) -> Latency:
    """Blocks from the data to the action."""
    inference, proving = inference_seconds / task.block_seconds, prove_seconds / task.block_seconds
    delay = task.protocol.feature_delay_blocks
    return Latency(
        feature_delay=delay,
        inference=inference,
        proving=proving,
        inclusion=INCLUSION_BLOCKS,
        total=delay + math.floor(inference + proving) + INCLUSION_BLOCKS,
    )


def usd_per_inference(value: Value, *, gas: float, prove_seconds: float) -> float:
    """Gas and machine for one answer."""
    return gas * value.gas_price_gwei * 1e-9 * value.native_usd + prove_seconds / 3600 * value.machine_usd_per_hour


def limits_of(task: Task) -> dict[str, float]:
    """The limits on costs that the task sets, by name."""
    found = {name: getattr(task.limits, name) for name in COST_LIMITS[:-1]} | {"latency_blocks": task.latency_blocks}
    return {name: float(limit) for name, limit in found.items() if limit is not None}


def amounts(task: Task, cost: Cost) -> dict[str, float]:
    """What a predicted cost comes to, under the names of the limits; inference itself is not counted."""
    blocks = latency(task, inference_seconds=0.0, prove_seconds=cost.prove_seconds)
    return {
        "prove_seconds": cost.prove_seconds,
        "memory_mb": cost.memory_mb,
        "gas": float(cost.gas),
        "usd_per_inference": usd_per_inference(task.value, gas=cost.gas, prove_seconds=cost.prove_seconds),
        "latency_blocks": float(blocks.total),
    }


def broken(task: Task, cost: Cost, *, slack: float = 0.0) -> list[str]:
    """Names of the limits that a predicted cost breaks, even if it is too high by the share `slack`."""
    milder = cost.model_copy(
        update={
            "prove_seconds": cost.prove_seconds / (1 + slack),
            "memory_mb": cost.memory_mb / (1 + slack),
            "gas": round(cost.gas / (1 + slack)),
        }
    )
    found = amounts(task, milder)
    return [name for name, limit in limits_of(task).items() if found[name] > limit]
