"""From measured stages to the figures that tables show, the same way for every tool."""

from __future__ import annotations

import statistics
from typing import Any

_TIMED = ("transpile", "calibrate", "srs", "setup", "prove", "verify")
_SIZES = (("setup", "proving_key_bytes"), ("setup", "verifying_key_bytes"), ("prove", "proof_bytes"))


def stage_figures(stages: dict[str, Any]) -> dict[str, Any]:
    """Median seconds and peak memory of each stage that was reached, and the sizes of what it made."""
    found: dict[str, Any] = {}
    for stage in _TIMED:
        if stage in stages:
            found[f"{stage}_seconds"] = statistics.median(stages[stage]["seconds"])
            found[f"{stage}_memory_bytes"] = stages[stage]["peak_memory_bytes"]
    for stage, name in _SIZES:
        if stage in stages:
            found[name] = stages[stage][name]
    if "cpu_seconds" in stages.get("prove", {}):
        # Over all threads: on a busy machine more telling than the wall clock.
        found["prove_cpu_seconds"] = stages["prove"]["cpu_seconds"]
    return found


def agreement(answers: list[float | None], margins: list[float]) -> dict[str, Any]:
    """How margins compare with the model's own; None is a row that the tool has no answer to, and it differs."""
    pairs = list(zip(answers, margins, strict=False))
    errors = [abs(answer - margin) for answer, margin in pairs if answer is not None]
    return {
        "rows_checked": len(pairs),
        "rows_differing": sum(answer is None or (answer > 0) != (margin > 0) for answer, margin in pairs),
        "rows_failed": sum(answer is None for answer, _ in pairs),
        "largest_margin_error": max(errors, default=None),
    }
