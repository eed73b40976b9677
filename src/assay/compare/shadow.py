"""What a shadow would have taken on the chain: blocks from a row to its settlement, answers too late, gas to verify."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import AssayError
from assay.prove.proof import Proof
from assay.record import artefacts
from assay.settle.deploy import VERIFIER, deployed
from assay.settle.network import selector

if TYPE_CHECKING:
    from assay.compare.observed import Decision
    from assay.compare.result import Result
    from assay.record.database import Database
    from assay.settle.network import Network
    from assay.task.task import Task

_PROOFS = 5


def measured(database: Database, task: Task, on: Network, found: Result) -> dict[str, Any]:
    """Mean blocks, how many would have been late, and gas of verifying; None where nothing says it.

    Blocks are those until the data counts, those that passed until the proof was there, and one to be mined. Gas is
    what the deployed verifier of the release takes, by the node's estimate for the last proofs; a consumer takes more.
    """
    within = on.spec.late_after_blocks or task.latency_blocks
    blocks = [taken for each in found.new if (taken := _blocks(task, on, each)) is not None]
    late = None if within is None else sum(taken > within for taken in blocks)
    return {
        "latency_blocks": float(np.mean(blocks)) if blocks else None,
        "late": late,
        "gas": _gas(database, task.name, on, found),
    }


def _blocks(task: Task, on: Network, each: Decision) -> int | None:
    times: dict[str, float] = dict(each.answer.timeline)
    if "proven" not in times:
        return None
    seconds = times["proven"] - min(times.values())
    return task.protocol.feature_delay_blocks + math.floor(seconds / float(on.spec.block_seconds or 12.0)) + 1


def _gas(database: Database, project: str, on: Network, found: Result) -> float | None:
    from eth_abi.abi import encode

    there = [one for one in deployed(database, project, on.name) if one.name == VERIFIER]
    address = next((one.address for one in reversed(there) if one.release == found.one.new), None)
    proven = [each.answer for each in found.new if each.answer.shows is not None][-_PROOFS:]
    if address is None or not proven:
        return None
    taken = []
    for answer in proven:
        proof = Proof.from_json(artefacts.get(database, str(answer.proof)).decode())
        data = (
            selector("verify(bytes,uint256[])")
            + encode(["bytes", "uint256[]"], [proof.body, proof.public_inputs]).hex()
        )
        try:
            taken.append(on.node.estimate({"to": address, "data": data}))
        except AssayError:
            return None
    return float(np.median(taken))
