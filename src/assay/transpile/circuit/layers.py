"""A network layer by layer, as a table of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.models.cost.network import gas as of_proof
from assay.transpile.circuit.network.size import size_of_network, table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.transpile.circuit.circuit import Circuit
    from assay.transpile.circuit.network.network import Network

_HEAD = ("layer", "rows", "columns", "time", "gas", "largest", "possible", "error")
_LONGEST = 36
# What a row of the block, a row of the public table and a weight add to a proof's time, by least squares over proofs
# of networks from 25 to 3,935 rows; only their ratios are used.
_A_ROW, _A_TABLE_ROW, _A_WEIGHT = 20.0, 12.5, 9.0


def gas(network: Network, features: int, outputs: int, *, private: bool) -> int:
    """About what the whole transaction that verifies a proof of one row costs, calldata and its fixed part included."""
    return round(of_proof(size_of_network(network, features, outputs, private=private)))


def drawn(circuit: Circuit, network: Network) -> list[tuple[str, str]]:
    """Lines of the table: rows, columns, share of time and gas, values and error of each layer.

    Sizes are powers of two, so what no layer uses is paid, too: it has a line of its own, as has the public table.
    """
    layers = [layer for layer in circuit.meta.get("layers", []) if isinstance(layer, dict) and "columns" in layer]
    if not layers:
        return []
    table = table_of(network)
    spent = [_A_ROW * layer["rows"] + _A_WEIGHT * layer["weights"] for layer in layers]
    whole = _A_ROW * network.rows + _A_TABLE_ROW * table + _A_WEIGHT * network.slots * network.columns
    size = size_of_network(network, len(circuit.features), len(circuit.outputs), private=circuit.inputs == "private")
    paid, outputs = of_proof(size), of_proof(size.model_copy(update={"features": 0}))
    alone = of_proof(size.model_copy(update={"features": 0, "outputs": 0}))
    lines: list[tuple[str, ...]] = [_HEAD]
    for index, (layer, own) in enumerate(zip(layers, spent, strict=True)):
        fee = (paid - outputs) * (index == 0) + (outputs - alone) * (index == len(layers) - 1)
        lines.append(_line(layer, own / whole, fee / paid, most=layer["name"] == circuit.meta.get("blamed")))
    rest = 1 - (sum(spent) + _A_TABLE_ROW * table) / whole
    lines += [
        ("public table", str(table), "", _share(_A_TABLE_ROW * table / whole), "", "", "", ""),
        ("up to powers of two", str(network.rows), str(network.columns), _share(rest), "", "", "", ""),
        ("the proof itself", "", "", "", _share(alone / paid), "", "", ""),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    return [("layers" if index == 0 else "", _aligned(line, widths)) for index, line in enumerate(lines)]


def _line(layer: dict[str, Any], time: float, fee: float, *, most: bool) -> tuple[str, ...]:
    name = str(layer["name"])
    name = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."
    error = f"{layer['error']:.1e}{' (the most)' if most else ''}"
    sizes = (str(layer["rows"]), str(layer["columns"] or ""))
    return (name, *sizes, _share(time), _share(fee), f"{layer['seen']:.3g}", f"{layer['reach']:.3g}", error)


def _share(part: float) -> str:
    return f"{100 * part:.0f} %" if part >= 0.005 else "0"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(line, widths, strict=True)
    return (first[0].ljust(first[1]) + "".join(f"  {text.rjust(width)}" for text, width in others)).rstrip()
