"""The floor under a proof's time: the multi-scalar multiplications that the protocol prescribes.

Counted are those whose scalars are full-size whatever the model and the row are: the sums of the
lookups, the chunks of the quotient and the two of the opening (docs/spec/protocol.md, sections 4
and 5). The columns of small numbers cost little beside them, and are left out, so that the floor
stays one. It is measured with random scalars by the prover's own code.
"""

from __future__ import annotations

import statistics
from importlib import import_module
from pathlib import Path
from typing import Any

from assay.chain.key import Key
from assay.prove.keys import Keys
from benchmarks import machine, results
from benchmarks.cases import Case

REPEATS = 5
LIMBS_IN_A_HELPER = 3


def sizes(key: Key, rows: int) -> list[int]:
    """Lengths of the multiplications in a proof of `rows` rows."""
    domain = key.block * (1 << (rows - 1).bit_length())
    if key.linear:
        chunk, degree, sums = domain + 16, 2 * domain + 8, [domain]
    else:
        chunk, degree = max(domain, key.table) + 16, max(3 * domain + 12, key.table + 8)
        helpers = -(-key.limbs // LIMBS_IN_A_HELPER)
        sums = [domain] * (helpers + 1) + [key.table]
    chunks, left = divmod(degree + 1, chunk)
    return sums + [chunk] * chunks + ([left] if left else []) + [chunk, chunk]


def run(case: Case, work: Path) -> Path:
    """Measure the floor of the case whose keys are in `work`, and write it."""
    core = import_module("assay._core")
    key = Key.parse(Keys.load(work / "keys").verifying_key.content)
    lengths = sizes(key, case.batch)
    core.msm_floor(lengths)
    runs: list[list[float]] = [core.msm_floor(lengths) for _ in range(REPEATS)]
    result: dict[str, Any] = {
        "case": case.name,
        "tool": "floor",
        "machine": machine.describe(),
        "started": machine.now(),
        "load_average_before": machine.load_average(),
        "status": "ok",
        "sizes": lengths,
        "milliseconds": runs,
        "figures": {"prove_seconds": statistics.median(sum(run) for run in runs) / 1000},
    }
    return results.write(f"{case.name}.floor", result)
