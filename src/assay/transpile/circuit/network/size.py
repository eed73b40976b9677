"""The size of a network's circuit, in the terms of what proofs cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.models.cost.shape import Size

if TYPE_CHECKING:
    from assay.transpile.circuit.network.network import Network


def size_of_network(network: Network, features: int, outputs: int, *, private: bool) -> Size:
    """What a proof's time, memory and gas depend on."""
    return Size(
        kind="network",
        features=features,
        outputs=outputs,
        rows=network.listed + 1,
        table=table_of(network),
        slots=network.slots,
        columns=network.columns,
        limbs=network.limbs,
        private=private,
    )


def table_of(network: Network) -> int:
    """Rows of the public table."""
    needed = 1 + (1 << network.limb_bits) + (1 << network.low_bits) + sum(len(one.slope) for one in network.tables)
    return int(max(1 << (needed - 1).bit_length(), network.slots))
