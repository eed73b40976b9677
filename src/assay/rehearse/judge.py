"""The judge: it knows what was given and what went wrong, reads records and chain, and compares."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.models.cost.economics import limits_of
from assay.prove.proof import Proof
from assay.prove.verify import verify
from assay.record import answers, artefacts, transactions
from assay.release.key import verifying_key
from assay.settle.signer import development_key

if TYPE_CHECKING:
    from assay.rehearse.play import Period
    from assay.rehearse.stage import Stage

_MUST_SETTLE = {"", "duplicate"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it holds (None: nothing says what it should be), in a sentence."""

    name: str
    holds: bool | None
    said: str


def judge(stage: Stage, periods: list[Period], within: int | None) -> list[Finding]:
    """Everything that must hold after a play."""
    return [
        _clean(periods),
        *(_fault(kind, periods, within) for kind in sorted({one.fault for one in periods} - {""})),
        _ended(stage, periods),
        _once(stage),
        _proofs(stage),
        _latency(stage, periods),
        *_costs(stage, periods),
    ]


def _clean(periods: list[Period]) -> Finding:
    clean = [one for one in periods if not one.fault]
    good = [one for one in clean if one.state == "settled" and one.row]
    why = next((f": period {one.number} is {_state(one)}" for one in clean if one not in good), "")
    return Finding("periods", good == clean, f"{len(good)} of {len(clean)} undisturbed periods were settled{why}")


def _fault(kind: str, periods: list[Period], within: int | None) -> Finding:
    found = [one for one in periods if one.fault == kind]
    states = ", ".join(f"period {one.number}: {_state(one)}" for one in found)
    if kind == "gap":
        return Finding(
            kind, all(not one.state for one in found), f"no answer was given where blocks were missing ({states})"
        )
    if kind == "late row":
        if within is None:
            return Finding(kind, None, f"nothing says when an answer is late: give latency_blocks ({states})")
        return Finding(kind, all(one.state == "expired" for one in found), f"what was late was never sent ({states})")
    ends = {"settled"} if kind in _MUST_SETTLE or within is None else {"settled", "expired"}
    good = all(one.state in ends and one.row for one in found)
    said = "settled, or expired and never sent late" if "expired" in ends else "settled all the same"
    return Finding(kind, good, f"{said} ({states})")


def _state(one: Period) -> str:
    return (one.state or "no answer") + (f" ({one.error})" if one.error and one.state != "settled" else "")


def _ended(stage: Stage, periods: list[Period]) -> Finding:
    found = answers.find(stage.database, stage.task.name, periods=True, limit=10 * len(periods) + 10)
    still = [one for one in found if not one.ended]
    double = len(found) - len({one.period for one in found})
    strange = {one.period for one in found} - {one.block for one in periods}
    said = f"{len(found)} answers, {len(still)} without an end, {double} twice, {len(strange)} that nobody asked for"
    return Finding("ends", not still and not double and not strange, said)


def _once(stage: Stage) -> Finding:
    """Every transaction of the account is one of the records', in the order of its nonces, and final."""
    account = development_key().address
    sent = transactions.find(stage.database, stage.on.name, account)
    nonces, there = [one.nonce for one in sent], stage.on.node.count(account)
    settled = [one for one in sent if one.purpose == "settle" and one.mined is not None and one.mined["ok"]]
    counted = answers.count(stage.database, ["settled"])
    holds = nonces == list(range(there)) and len(settled) == counted
    said = f"{there} transactions on the chain, {len(sent)} in the records; {len(settled)} settled {counted} answers"
    return Finding("once", holds, said)


def _proofs(stage: Stage) -> Finding:
    key = verifying_key(stage.database, stage.release)
    found = answers.find(stage.database, stage.task.name, periods=True, limit=10_000)
    proven = [one for one in found if one.proof is not None]
    for one in proven:
        try:
            verify(key, Proof.from_json(artefacts.get(stage.database, str(one.proof))), unchecked=True)
        except AssayError as error:
            return Finding("proofs", holds=False, said=f"the proof of block {one.period} is not valid: {error.what}")
    return Finding("proofs", bool(proven) or None, f"all {len(proven)} proofs are valid under the release's key")


def _latency(stage: Stage, periods: list[Period]) -> Finding:
    limit = limits_of(stage.task).get("latency_blocks", stage.task.latency_blocks)
    found = [one.latency for one in periods if one.latency is not None and one.fault in _MUST_SETTLE]
    if not found:
        return Finding("latency_blocks", holds=False, said="nothing was settled, so that nothing was measured")
    said = f"{statistics.median(found):g} blocks from a period's end to its settlement, {max(found)} at most"
    if limit is None:
        return Finding("latency_blocks", None, f"{said}; the task sets no limit")
    return Finding("latency_blocks", max(found) <= limit, f"{said}; the limit is {limit:g}")


def _costs(stage: Stage, periods: list[Period]) -> list[Finding]:
    limits = limits_of(stage.task)
    seconds = [one.prove_seconds for one in periods if one.prove_seconds is not None and not one.fault]
    gas = [one.gas for one in periods if one.gas is not None]
    found = []
    if seconds:
        middle, limit = statistics.median(seconds), limits.get("prove_seconds")
        said = f"{middle:.2f} s from a row to its checked proof (median)"
        found.append(_within("prove_seconds", said, middle, limit))
    if gas:
        said = f"{max(gas):,} gas a settlement at most, the consumer's own work included"
        limit = limits.get("gas")
        over = limit is not None and max(gas) > limit
        # The limit is of the verification, which the decision measured; what a consumer adds is its own.
        found.append(
            _within("gas", said + "; the limit is of verifying alone" * over, max(gas), None if over else limit)
        )
    found += [
        Finding(name, None, "a limit that the decision measured and a rehearsal does not")
        for name in ("memory_mb", "usd_per_inference")
        if name in limits
    ]
    return found


def _within(name: str, said: str, value: float, limit: float | None) -> Finding:
    if limit is None:
        return Finding(name, None, said)
    return Finding(name, value <= limit, f"{said}; the limit is {limit:,g}")
