"""What `assay experiment status` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from assay.compare.observed import Decision
    from assay.compare.result import Result


def fields(found: Result, head: int, measured: dict[str, Any] | None = None) -> dict[str, Any]:
    """As JSON values; `measured` is what a shadow would have taken."""
    terms, now = found.one.plan.terms, found.now
    return {
        "name": found.one.name,
        "plan": found.one.plan.digest,
        "design": terms.design,
        "state": state(found, head),
        "block": head,
        "start_block": terms.start_block,
        "end_block": terms.end_block,
        "units": len(found.units),
        "planned": found.planned,
        "new_units": sum(unit.new for unit in found.units),
        "outcomes": len(found.known),
        "missing": found.missing,
        "withheld": found.withheld,
        "undrawn": found.undrawn,
        "gain": None if now is None else now[0],
        "low": None if now is None else now[1],
        "high": None if now is None else now[2],
        "verdict": found.verdict if terms.aim is not None else None,
        "detectable": found.detectable,
        "sample_ratio": found.ratio,
        "carry_over": found.carried,
        "new": about(found.new) | (measured or {}),
        "old": about(found.old),
    }


def state(found: Result, head: int) -> str:
    """Where it is, in a few words."""
    over, terms = found.one.over, found.one.plan.terms
    if over is not None:
        return f"{'stopped' if over.kind.endswith('stopped') else 'ended'}: {over.why}"
    if not found.one.started:
        return "agreed, not on the chain yet: run `assay experiment start` again"
    if head < terms.start_block:
        return f"begins in {terms.start_block - head} blocks"
    return "running" if head <= terms.end_block else "its last block has passed"


def about(decisions: list[Decision]) -> dict[str, Any]:
    """How an arm's answers went: how many, missed, blocks and gas of a settlement, seconds of a proof."""
    latencies = [each.latency for each in decisions if each.latency is not None]
    gas = [int(each.settled.mined["gas_used"]) for each in decisions if each.settled and each.settled.mined]
    seconds = [found for each in decisions if (found := proving(each)) is not None]
    return {
        "answers": len(decisions),
        "ended": sum(each.answer.ended for each in decisions),
        "missed": sum(each.missed for each in decisions),
        "latency_blocks": float(np.mean(latencies)) if latencies else None,
        "gas": float(np.mean(gas)) if gas else None,
        "prove_seconds": float(np.median(seconds)) if seconds else None,
    }


def proving(each: Decision) -> float | None:
    """Seconds from the fixed row to its proof: waiting for a prover included."""
    times: dict[str, float] = dict(each.answer.timeline)
    return times["proven"] - times["fixed"] if {"proven", "fixed"} <= set(times) else None


def text(found: Result, head: int, said: list[str], measured: dict[str, Any] | None = None) -> str:
    """For a person."""
    terms, one = found.one.plan.terms, found.one
    unit = terms.metric.unit
    lines = [f"{one.name}: {state(found, head)} (block {head} of {terms.start_block} to {terms.end_block})"]
    if terms.aim is not None:
        new = sum(each.new for each in found.units)
        lines.append(
            f"units      {len(found.units)} of {found.planned} are over and drawn, {new} of them the new arm's; "
            f"outcomes of {len(found.known)}"
        )
        now = found.now
        if now is None:
            lines.append(f"gain       not known yet: {found.early}")
        else:
            lines.append(
                f"gain       {now[0]:.4g} {unit}, {now[1]:.4g} to {now[2]:.4g} with "
                f"{1 - terms.aim.alpha:.0%} confidence at every look: {found.verdict}"
            )
        if found.detectable is not None:
            lines.append(f"unseen     a gain of less than about {found.detectable:.3g} would not be seen by now")
    for name, decisions in (("new", found.new), ("old", found.old)):
        if decisions:
            seen = about(decisions) | (measured or {} if name == "new" else {})
            lines.append(f"{name:<11}{_words(seen)}")
    return "\n".join([*lines, *(f"note: {each}" for each in said)])


def _words(found: dict[str, Any]) -> str:
    parts = [f"{found['answers']} answers", f"{found['missed']} came to nothing"]
    if found["latency_blocks"] is not None:
        parts.append(f"{found['latency_blocks']:.1f} blocks to a settlement")
    if found.get("late") is not None:
        parts.append(f"{found['late']} would have been late")
    if found["gas"] is not None:
        parts.append(f"{found['gas']:,.0f} gas")
    if found["prove_seconds"] is not None:
        parts.append(f"proofs in {found['prove_seconds']:.2f} s")
    return ", ".join(parts)
