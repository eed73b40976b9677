"""A circuit in a few lines for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.circuit.layers import drawn

if TYPE_CHECKING:
    from assay.transpile.circuit.circuit import Circuit
    from assay.transpile.circuit.network.network import Network

_LEVELS, _WIDE = 12, 32  # lines of a table, and letters of a name in it
_MISSING = {
    "low": "each split sends them its own way",
    "high": "each split sends them its own way",
    "zero": "read as 0",
    "refuse": "refused",
}


def summary(circuit: Circuit) -> str:
    """Lines of ``label  text``."""
    return "\n".join(f"{label:<10} {text}" for label, text in facts(circuit))


def facts(circuit: Circuit) -> list[tuple[str, str]]:
    """Labels and texts."""
    meta = circuit.meta
    lines = [("model", f"{meta.get('model', 'unknown')} ({meta.get('library', 'unknown')})")]
    if "objective" in meta:
        lines.append(("objective", str(meta["objective"])))
    if circuit.network is not None:
        lines += _network(circuit, circuit.network)
    else:
        lines += _trees(circuit) if circuit.kind == "trees" else _linear(circuit)
    lines += [
        ("features", _features(circuit)),
        *([("scales", _scales(circuit))] if circuit.scales else []),
        ("missing", _missing(circuit)),
        ("outputs", _outputs(circuit)),
        ("meaning", circuit.answers.describe()),
        ("precision", _precision(circuit)),
        ("inputs", f"{circuit.inputs}; the model stays hidden"),
    ]
    lines += [("note", str(note)) for note in meta.get("notes", [])]
    if meta.get("averaged"):
        lines.append(("note", "random forest mode: outputs are the average of the trees, as predict uses it"))
    return lines


def _trees(circuit: Circuit) -> list[tuple[str, str]]:
    nodes = sum(len(tree.view) for tree in circuit.trees)
    leaves = sum(int((tree.view < 0).sum()) for tree in circuit.trees)
    lines = [("trees", f"{len(circuit.trees)}, depth up to {circuit.depth}, {nodes} nodes of which {leaves} leaves")]
    found = np.zeros((circuit.depth + 1, 2), dtype=np.int64)
    for tree in circuit.trees:
        depth = tree.depths()
        np.add.at(found, (depth, (tree.view < 0).astype(np.int64)), 1)
    table = [f"{'depth':>5}  {'splits':>7}  {'leaves':>7}"]
    table += [f"{level:>5}  {splits:>7}  {ends:>7}" for level, (splits, ends) in enumerate(found.tolist())][:_LEVELS]
    return lines + [("levels" if index == 0 else "", line) for index, line in enumerate(table)]


def _linear(circuit: Circuit) -> list[tuple[str, str]]:
    """The features that can move an output most, in its own unit."""
    lines = [("terms", f"{len(circuit.features)} a margin")]
    found = []
    for index, feature in enumerate(circuit.features):
        low, high = (math.ldexp(end, -feature.bits) for end in (feature.low, feature.high))
        weight = max(abs(row[index]) for row in circuit.weights) * 2.0 ** (feature.bits - circuit.scale_bits)
        found.append((weight * max(abs(low), abs(high)), feature.name, low, high))
    found.sort(key=lambda one: -one[0])
    name = max(len("feature"), *(len(one[1][:_WIDE]) for one in found[:_LEVELS]))
    table = [f"{'feature':<{name}}  {'least':>10}  {'largest':>10}  {'term up to':>10}"]
    table += [
        f"{what[:_WIDE]:<{name}}  {low:>10.4g}  {high:>10.4g}  {term:>10.4g}"
        for term, what, low, high in found[:_LEVELS]
    ]
    return lines + [("largest" if index == 0 else "", line) for index, line in enumerate(table)]


def _network(circuit: Circuit, network: Network) -> list[tuple[str, str]]:
    lines = [("rows", f"{network.listed + 1} of {network.rows}, matrix of {network.slots} x {network.columns}")]
    lines += [("tables", ", ".join(f"{table.name} ({len(table.slope)})" for table in network.tables))]
    lines += [(str(label), str(text)) for label, text in circuit.meta.get("predicted", {}).items()]
    lines += drawn(circuit, network)
    for fit in circuit.meta.get("fidelity", []):
        kept = "kept" if fit["within"] else "NOT KEPT"
        lines.append(
            (
                "fidelity",
                f"{kept}: {fit['largest_error']:.1e} at most, {fit['decisions_differing']} of {fit['rows']} decisions",
            )
        )
    return lines


def _features(circuit: Circuit) -> str:
    kinds = [feature.kind for feature in circuit.features]
    parts = [f"{kinds.count(kind)} {kind}" for kind in ("float32", "float64", "integer", "fixed") if kind in kinds]
    return f"{len(kinds)} ({', '.join(parts)})"


def _scales(circuit: Circuit) -> str:
    shown = [f"{name} / 10^{power}" for name, power in list(circuit.scales.items())[:8]]
    return f"given as {', '.join(shown)}{', ...' * (len(circuit.scales) > 8)}, towards zero (AssayWords.scaledWord)"


def _missing(circuit: Circuit) -> str:
    rules = {_MISSING[view.missing] for view in circuit.views} or {"refused"}
    text = "; ".join(sorted(rules))
    if any(view.zero_missing for view in circuit.views):
        text += "; zeros count as missing at some splits"
    fills = {feature.fill for feature in circuit.features if feature.fill is not None}
    if fills:
        text = f"read as {fills.pop():g}" if len(fills) == 1 else "filled in, each feature with its own number"
    if circuit.missing_value is not None:
        return f"{text}; {circuit.missing_value:g} is a missing value"
    if (circuit.meta.get("library"), circuit.meta.get("model")) == (
        "xgboost",
        "model file",
    ) and circuit.kind == "trees":
        text += "; a file does not say whether a number such as -999 was one (--missing)"
    return text


def _outputs(circuit: Circuit) -> str:
    names = circuit.outputs if len(circuit.outputs) <= 8 else [*circuit.outputs[:7], "..."]
    return f"{len(circuit.outputs)} ({', '.join(names)}), as multiples of 2^-{circuit.scale_bits}"


def _precision(circuit: Circuit) -> str:
    if circuit.kind != "trees":
        form = circuit.meta.get("format")
        return f"inputs and weights rounded to fixed point{f': {form}' if form else ''}"
    leaves = "" if circuit.meta.get("leaves_exact") else "; leaf values rounded to the scale"
    whole = " and every leaf value" if not leaves else ""
    if any(feature.kind == "float64" for feature in circuit.features):
        return f"every decision{whole} exact for every double{leaves}; 64-bit keys, up to 30 % dearer to prove"
    if circuit.meta.get("reads") == "float64":
        # The library itself compares doubles.
        return f"every decision{whole} exact for float32 values{leaves}; other numbers are rounded to them"
    return f"every decision{whole} exact{leaves}"
