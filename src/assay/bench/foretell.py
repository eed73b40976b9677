"""What keys and proofs of a circuit will cost, said before any of them are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.bench import circuits
from assay.bench.calibrate import cache_path
from assay.chain.compile import RUNTIME_LIMIT
from assay.core.errors import ArtefactVersion, NotFound
from assay.models.cost.cost import Calibration, Cost
from assay.models.cost.network import prior
from assay.models.errors import CalibrationDamaged
from assay.prove.setup import fitting_batch, required_degree

if TYPE_CHECKING:
    from pathlib import Path

    from assay.transpile.circuit.circuit import Circuit

# Bytes of a network's proving key: a weight, a row, a segment of a table (by least squares over keys of 5 to 200 kB).
_A_WEIGHT, _A_ROW, _A_SEGMENT = 8, 26, 4
# Bytes of the verifier of networks that were compiled, at most: of one row, and of several.
_CONTRACT, _CONTRACT_OF_ROWS = 8_000, 12_000
UNMEASURED = "not measured on this machine: `assay explore --calibrate` does it once"


@dataclass(frozen=True)
class Foretold:
    """Predictions.

    Attributes
    ----------
    cost
        Of a proof of one row: time, memory, gas, and setup; None where nothing was measured here.
    measured
        Whether they come from this machine's calibration, and not from a network's prior.
    powers, batch
        Of the reference string that keys for so many rows need.
    key_bytes
        Of the proving key; None where only setup tells.
    contract_bytes
        Of a network's verifier; None for others, whose contract grows with their inputs.
    """

    cost: Cost | None
    measured: bool
    powers: int
    batch: int
    key_bytes: int | None
    contract_bytes: int | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values."""
        cost = None if self.cost is None else self.cost.model_dump()
        return {
            "cost": cost,
            "measured_here": self.measured,
            "powers": self.powers,
            "max_batch": self.batch,
            "key_bytes": self.key_bytes,
            "contract_bytes": self.contract_bytes,
        }

    def __str__(self) -> str:
        """One line for people."""
        said = UNMEASURED
        if self.cost is not None:
            said = (
                f"{1e3 * self.cost.prove_seconds:.0f} ms, {self.cost.memory_mb:.0f} MB and {self.cost.gas:,} gas a "
                f"proof of one row, {self.cost.setup_seconds:.1f} s to make keys"
            )
            said += "" if self.measured else " (by the proof's design, not measured on this machine)"
        key = "" if self.key_bytes is None else f"; proving key about {self.key_bytes / 1e3:,.0f} kB"
        if self.contract_bytes is not None:
            key += f", contract about {self.contract_bytes:,} of {RUNTIME_LIMIT:,} bytes"
        return f"{said}; {self.powers:,} powers of the reference string for {self.batch} rows{key}"


def foretell(circuit: Circuit, *, max_batch: int | None = None, srs: Path | None = None) -> Foretold:
    """Predict from the circuit's size; raises `CircuitRefused` if the prover does not take it."""
    text = circuit.to_json()
    batch = max_batch or fitting_batch(text, srs=srs)
    powers = required_degree(text, batch) + 1
    cost, measured = _cost(circuit)
    contract = None if circuit.network is None else _CONTRACT if batch == 1 else _CONTRACT_OF_ROWS
    return Foretold(cost, measured, powers, batch, _key(circuit), contract)


def _cost(circuit: Circuit) -> tuple[Cost | None, bool]:
    size = circuits.size_of(circuit)
    try:
        return Calibration.load(cache_path(circuit.inputs)).predict(size), True
    except (NotFound, ArtefactVersion, CalibrationDamaged):
        pass
    if circuit.network is None:
        return None, False
    found: dict[str, Any] = prior(size)
    return Cost(**found | {"gas": round(found["gas"])}), False


def _key(circuit: Circuit) -> int | None:
    network = circuit.network
    if network is None:
        return None
    weights = sum(one.values.size for one in network.weights)
    segments = sum(len(one.slope) for one in network.tables)
    return _A_WEIGHT * weights + _A_ROW * network.listed + _A_SEGMENT * segments
