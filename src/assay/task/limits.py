"""Wishes that no proof can meet, whatever the data: too fast, too cheap, too small."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.task.finding import Finding, contradiction, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.task.sections import Requirement
    from assay.task.task import Task

METRICS = {
    "regression": ("rmse", "mae", "qlike", "value"),
    "binary": ("log_loss", "brier", "accuracy", "f1", "auc", "value"),
    "multiclass": ("log_loss", "brier", "accuracy", "f1", "auc", "value"),
}
"""The metrics of each type of target; "value" where there is a loss."""

_MORE_IS_BETTER = {"accuracy", "f1", "auc"}
_LINEAR = {"linear", "logistic"}
_REFERENCE = {"ewma", "garch", "har"}
_SUREST = 0.99
"""The largest confidence whose interval some of the bootstrap's draws lie outside of, at either end."""
INCLUSION_BLOCKS = 1
"""A transaction acts in the block after the one that it was sent in, at the earliest."""


@dataclass(frozen=True)
class Floor:
    """What the smallest model of a kind needs for a proof: below the least ever measured (docs/benchmarks.md)."""

    kind: str
    prove_seconds: float
    memory_mb: float
    gas: int


FLOORS = (Floor("linear", 0.002, 20.0, 170_000), Floor("tree", 0.01, 25.0, 230_000))


def check_limits(task: Task) -> Iterator[Finding]:
    """Limits below what a proof of any allowed kind of model needs, and wishes that exclude every model."""
    kinds = kinds_allowed(task)
    if task.protocol.model == "public":
        yield contradiction(
            ("protocol", "model"),
            "a project with a public model is not implemented: its proofs hide the model behind a commitment",
            'Write model = "hidden"; `assay setup --model public` publishes the weights of a network by itself.',
        )
    if not kinds:
        yield contradiction(*_no_family(task))
        return
    floors = [floor for floor in FLOORS if floor.kind in kinds]
    yield from _limits(task, floors)
    yield from _accuracy(task)
    yield from _latency(task, min(floor.prove_seconds for floor in floors))


def kinds_allowed(task: Task) -> set[str]:
    """Of "linear" and "tree", those that the families and the privacy of the inputs allow."""
    families = set(task.explore.families) - _REFERENCE
    kinds = {"linear", "tree"}
    if task.explore.families:
        kinds = ({"linear"} if families & _LINEAR else set()) | ({"tree"} if families - _LINEAR else set())
    return kinds - {"linear"} if task.protocol.inputs == "private" else kinds


def _no_family(task: Task) -> tuple[tuple[str, ...], str, str]:
    if task.protocol.inputs == "private":
        return (
            ("protocol", "inputs"),
            "private inputs need tree models, and no family of them is allowed",
            ("Add tree, forest, xgboost or lightgbm to [explore] families."),
        )
    return ("explore", "families"), "no family in it can be proven", "Add linear, logistic, tree, forest or xgboost."


def _limits(task: Task, floors: list[Floor]) -> Iterator[Finding]:
    limits, value = task.limits, task.value
    kinds = " or ".join(floor.kind for floor in floors)
    gas = min(floor.gas for floor in floors)
    if limits.gas is not None and limits.gas < gas:
        yield contradiction(
            ("limits", "gas"),
            f"verifying the smallest {kinds} model takes more than {gas:,} gas, and {limits.gas:,} is allowed",
            f"Allow at least {gas:,}.",
        )
    dear = gas * value.gas_price_gwei * 1e-9 * value.native_usd
    if limits.usd_per_inference is not None and limits.usd_per_inference < dear:
        yield contradiction(
            ("limits", "usd_per_inference"),
            f"the gas of one verification alone costs {dear:.4g} USD ({gas:,} gas at {value.gas_price_gwei:g} gwei and "
            f"{value.native_usd:g} USD), and {limits.usd_per_inference:g} is allowed",
            "Allow more, or name a chain with cheaper gas in [value].",
        )
    seconds = min(floor.prove_seconds for floor in floors)
    if limits.prove_seconds is not None and limits.prove_seconds < seconds:
        yield contradiction(
            ("limits", "prove_seconds"),
            f"no {kinds} model is proven in {limits.prove_seconds:g} s; the smallest take more than {seconds:g} s",
            "Allow more time.",
        )
    memory = min(floor.memory_mb for floor in floors)
    if limits.memory_mb is not None and limits.memory_mb < memory:
        yield contradiction(
            ("limits", "memory_mb"),
            f"no {kinds} model is proven in {limits.memory_mb:g} MB; the smallest take more than {memory:g} MB",
            "Allow more memory.",
        )


def _accuracy(task: Task) -> Iterator[Finding]:
    """Wishes that no model can fulfil, however good it is."""
    limits, path = task.limits, ("limits", "better_than_existing")
    wanted = limits.better_than_existing
    if wanted is not None and wanted > 1 and task.metric != "value":
        yield contradiction(
            path,
            f"{wanted:g} is {wanted:.0%} of what decides today gets wrong, and no more than all of it can go",
            "Give a share: 0.05 is 5 %.",
        )
    elif wanted is not None and wanted > 1:
        yield warning(path, f"{wanted:g} is {wanted:.0%} of today's loss", "Give a share, if 5 % is meant: 0.05.")
    if limits.confidence and limits.confidence > _SUREST:
        yield contradiction(
            ("limits", "confidence"),
            f"{limits.confidence:g} is more than test rows that are drawn 2,000 times can tell",
            f"Write at most {_SUREST:g}.",
        )
    for number, one in enumerate(limits.requirements):
        yield from _requirement(task, one, ("limits", "require", number))
    if limits.choose == "net_value" and task.value.usd is None:
        yield contradiction(
            ("limits", "choose"),
            "the best net value needs a loss that is money",
            "Write [value] loss, and a unit that begins with USD, or usd_per_unit.",
        )
    if task.value.usd_per_unit is not None and task.value.loss is None:
        yield contradiction(("value", "usd_per_unit"), "there is no [value] loss that it is the price of", "Write one.")


def _requirement(task: Task, one: Requirement, path: tuple[str | int, ...]) -> Iterator[Finding]:
    fitting = METRICS[task.predict.type]
    if one.metric not in fitting:
        yield contradiction(
            path, f"{one.metric} does not measure a {task.predict.type} prediction", f"Choose {', '.join(fitting)}."
        )
        return
    if one.metric == "value" and task.value.loss is None:
        yield contradiction(path, "it speaks of the value and [value] loss is not written", "Write it.")
    shares = one.metric in _MORE_IS_BETTER
    if one.at_least != shares:
        better, sign = ("more", ">=") if shares else ("less", "<=")
        todo = f"Write {one.metric} {sign} {one.number:g}."
        yield contradiction(path, f"of {one.metric} {better} is better, and {one} asks for the worse", todo)
    elif shares and not 0 <= one.number <= 1:
        yield contradiction(path, f"{one} cannot be met or broken: {one.metric} is between 0 and 1", "Give a share.")
    elif not shares and one.metric != "value" and one.number < 0:
        yield contradiction(path, f"{one} cannot be met: {one.metric} is never below 0", "Give a number above 0.")


def _latency(task: Task, prove_seconds: float) -> Iterator[Finding]:
    protocol = task.protocol
    proving = math.floor(prove_seconds / task.block_seconds)
    least = protocol.feature_delay_blocks + proving + INCLUSION_BLOCKS
    for section in ("protocol", "limits"):
        allowed = getattr(task, section).latency_blocks
        if allowed is not None and allowed < least:
            yield contradiction(
                (section, "latency_blocks"),
                f"{allowed} blocks are allowed and at least {least} pass: {protocol.feature_delay_blocks} until the "
                f"data is final, {proving} to prove, {INCLUSION_BLOCKS} to be included",
                f"Allow {least}, or wait for fewer blocks in [protocol] feature_delay_blocks.",
            )
    horizon = horizon_seconds(task)
    allowed = task.latency_blocks
    if horizon is not None and allowed is not None and allowed * task.block_seconds > horizon:
        yield contradiction(
            ("protocol" if protocol.latency_blocks == allowed else "limits", "latency_blocks"),
            f"{allowed} blocks are {allowed * task.block_seconds:g} s, and what is predicted lies within "
            f"{horizon:g} s: the answer would come after the fact",
            "Predict further ahead ([data.label] horizon), or allow fewer blocks.",
        )


def horizon_seconds(task: Task) -> float | None:
    """Seconds that the label looks ahead; None if it does not, or the bars do not say."""
    bars, label = task.data.bars, task.data.label
    if bars is None or label.reach == 0:
        return None
    length = bars.seconds if bars.seconds is not None else (bars.blocks or 0) * task.block_seconds
    return label.reach * length
