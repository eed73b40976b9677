"""Everything that one run found: what the summary, the report and `result.json` are made from."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import assay
from demo.chain import Settled
from demo.model import Study, verdict
from demo.proof import BATCH, Converted, Proven

LIBRARIES = ("assay", "xgboost-cpu", "numpy", "web3")


@dataclass(frozen=True)
class Outcome:
    """One run of the demo."""

    study: Study
    converted: Converted
    keys: assay.Keys
    proven: Proven
    tampered: str
    settled: Settled
    seconds: dict[str, float]

    @property
    def row(self) -> int:
        """Number in the data set of the day that was proven."""
        return int(self.study.parts.test[self.proven.day])

    @property
    def margin(self) -> float:
        """What the proof says about that day."""
        return float(self.proven.single.outputs[0, 0])

    @property
    def verdict(self) -> str:
        """Model against rule, in one sentence."""
        return verdict(self.study.measured)

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of what is stored, sent and deployed."""
        return {
            "proving key": len(self.keys.proving_key),
            "verifying key": len(self.keys.verifying_key),
            "proof of one day": len(self.proven.single.body),
            "its calldata": len(self.proven.single.calldata()),
            f"proof of {BATCH} days": len(self.proven.batch.body),
            "verifier contract": self.settled.size,
        }


def to_dict(outcome: Outcome) -> dict[str, Any]:
    """JSON-compatible values of everything but the data and the artefacts themselves."""
    study, parts, data = outcome.study, outcome.study.parts, outcome.study.data
    return {
        "days": {name: len(rows) for name, rows in vars(parts).items()},
        "spans": {name: [str(data.dates[rows[0]]), str(data.dates[rows[-1]])] for name, rows in vars(parts).items()},
        "features": data.names,
        "chosen": asdict(study.trained.chosen),
        "tried": [asdict(candidate) for candidate in study.trained.tried],
        "metrics": {name: asdict(metrics) for name, metrics in study.measured.items()},
        "edges": [asdict(edge) for edge in study.edges],
        "verdict": outcome.verdict,
        "fidelity": outcome.converted.fidelity.to_dict(),
        "proven_day": str(data.dates[outcome.row]),
        "proven_row": [float(value) for value in data.X[outcome.row]],
        "margin": outcome.margin,
        "batch": BATCH,
        "srs": outcome.proven.single.srs_kind,
        "tampered_proof_natively": outcome.tampered,
        "events": [asdict(event) for event in outcome.settled.events],
        "gas": outcome.settled.gas,
        "model_id": outcome.settled.model_id,
        "bytes": outcome.sizes,
        "seconds": outcome.seconds | outcome.proven.seconds,
        "machine": machine(),
    }


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    versions = {name: version(name) for name in LIBRARIES}
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    } | versions


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
