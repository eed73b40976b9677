"""Layer by layer: ranges, error, and the layer to blame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.circuit.network.evaluate import Evaluator
from assay.transpile.flow.evaluate import evaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.circuit.network.network import Network
    from assay.transpile.networks.quantise import Quantised

    Floats = NDArray[np.float64]

_ROWS = 128  # as many show where an error comes from


@dataclass(frozen=True)
class Layer:
    """What an operator's rows hold.

    Attributes
    ----------
    name
        Operator and node.
    rows
        How many it has in the circuit.
    columns
        Of the hidden matrix, as many as its widest call uses.
    weights
        How many it has, each matrix once.
    reach
        The largest argument that bounds allow over the declared range.
    seen
        The largest over the rows compared.
    error
        Root mean square error of its values, as a share of their spread.
    worst
        The row (of those compared) with the largest error.
    """

    name: str
    rows: int
    columns: int
    weights: int
    reach: float
    seen: float
    error: float
    worst: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values."""
        return vars(self).copy()


def layers(made: Quantised, network: Network, number: dict[int, int], *, inputs: Any, rows: Floats) -> list[Layer]:
    """Compare every value of a network with the flow's own on some rows.

    Parameters
    ----------
    number
        The address of each value.
    inputs, rows
        The same rows as integers ``u`` and as numbers.
    """
    flow = made.plan.flow
    exact = evaluate(flow, rows[:_ROWS], np.array(flow.meta["centres"]))
    trace = Evaluator(network).trace(inputs[:_ROWS])
    found = []
    for layer, members in _members(made).items():
        addresses = np.array([number[value] for value in members], dtype=np.int64)
        bits = np.array([made.exponents.value[value] for value in members])
        got = np.ldexp(trace.read(addresses).astype(np.float64), -bits[:, np.newaxis])
        wanted = exact[np.array(members)]
        error = np.abs(got - wanted)
        spread = max(float(wanted.max() - wanted.min()), 2.0**-40)
        reach = max(max(map(abs, made.plan.rows[made.plan.alias.get(value, value)].reach)) for value in members)
        found.append(
            Layer(
                flow.layers[layer],
                len(members),
                *_matrices(made, layer),
                float(reach),
                float(np.abs(wanted).max()),
                float(np.sqrt(np.mean(error**2))) / spread,
                int(error.max(axis=0).argmax()),
            )
        )
    return found


def _matrices(made: Quantised, layer: int) -> tuple[int, int]:
    """Columns and weights of a layer's calls."""
    sizes = {call.key: call.weights.shape for call in made.calls if call.layer == layer}
    return max((columns for _, columns in sizes.values()), default=0), sum(a * b for a, b in sizes.values())


def _members(made: Quantised) -> dict[int, list[int]]:
    """Values of each layer that has rows, in the order of the layers."""
    flow = made.plan.flow
    members: dict[int, list[int]] = {}
    for value in made.plan.rows:
        members.setdefault(flow.layer_of[value], []).append(value)
    return dict(sorted(members.items()))


def blamed(found: list[Layer]) -> str | None:
    """The layer after which the error has grown most."""
    worst, name, before = 0.0, None, 0.0
    for layer in found:
        if layer.error - before > worst:
            worst, name = layer.error - before, layer.name
        before = max(before, layer.error)
    return name
