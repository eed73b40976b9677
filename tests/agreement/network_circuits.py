"""The tiny networks of the compiler's tests, as circuits that the native module proves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.transpile.circuit.network import reference, schema

from .reference.networks import LANE_BITS, LANES

if TYPE_CHECKING:
    import random

    from assay.transpile.circuit.network.network import Network

    from .circuits import Row

FOLDER = Path(__file__).resolve().parents[1] / "unit/transpile/networks/cases"
NAMES = ("dense", "pooled", "recurrent")


@cache
def stored(name: str) -> dict[str, Any]:
    """A case: its circuit, rows of inputs `u`, and what the formulas give for them."""
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return content


@cache
def network(name: str) -> Network:
    return schema.from_dict(stored(name)["circuit"]["network"])


@dataclass(frozen=True)
class NetworkCircuit:
    """A case with public or private inputs; what of it has a name is named as in `circuits.Circuit`."""

    name: str
    inputs: str = "public"
    scale_bits: int = 4
    kind: str = "network"

    @property
    def features(self) -> list[dict[str, str | int]]:
        found: list[dict[str, str | int]] = stored(self.name)["circuit"]["features"]
        return found

    @property
    def outputs(self) -> int:
        return len(stored(self.name)["circuit"]["outputs"])

    def to_json(self) -> str:
        own = {"inputs": self.inputs, "scale_bits": self.scale_bits}
        return json.dumps(stored(self.name)["circuit"] | own)

    def words(self, inputs: list[int]) -> Row:
        """A word is u - min + centre (networks-circuit.md, section 3)."""
        return [u - low + centre for u, low, centre in zip(inputs, self._least, self._centres, strict=True)]

    def public_words(self, row: Row) -> list[int]:
        """A row's public words (networks.md, section 3)."""
        u = self._integers(row)
        cuts = [u[start : start + LANES] for start in range(0, len(u), LANES)]
        half = 1 << (LANE_BITS - 1)
        return [sum((value + half) << (LANE_BITS * j) for j, value in enumerate(cut)) for cut in cuts]

    def evaluate(self, row: Row) -> list[int]:
        """The exact integers that the compiler's reference gives for one row of words."""
        return reference.outputs(network(self.name), self._integers(row))

    def random_row(self, rng: random.Random) -> Row:
        """Extremes and what lies between them."""
        tops = [int(feature["max"]) - int(feature["min"]) for feature in self.features]
        return [rng.choice([0, top, rng.randint(0, top)]) for top in tops]

    def _integers(self, row: Row) -> list[int]:
        given = [word for word in row if word is not None]
        return [word + low - centre for word, low, centre in zip(given, self._least, self._centres, strict=True)]

    @property
    def _least(self) -> list[int]:
        return [int(feature["min"]) for feature in self.features]

    @property
    def _centres(self) -> list[int]:
        found: list[int] = stored(self.name)["circuit"]["network"]["input_centres"]
        return found
