"""Small circuits of every kind, random rows for them, and what they compute, in plain Python.

The evaluation is written from the schema `assay-circuit/1`, so that a proof's outputs are compared with
something that no prover made.
"""

from __future__ import annotations

import json
import random
import struct
from dataclasses import dataclass, field
from typing import Any

FLOAT = {"kind": "float32"}
DOUBLE = {"kind": "float64"}
Row = list[int | None]


@dataclass(frozen=True)
class Circuit:
    """`inputs` is public or private; `features` and `views` are those of the schema."""

    kind: str
    inputs: str
    features: list[dict[str, str | int]]
    outputs: int
    views: list[dict[str, Any]] = field(default_factory=list)
    trees: list[list[dict[str, Any]]] = field(default_factory=list)
    weights: list[list[int]] = field(default_factory=list)
    base: list[int] = field(default_factory=list)
    scale_bits: int = 20

    @property
    def bits(self) -> int:
        return 32 if all(feature["kind"] == "float32" for feature in self.features) else 64

    def to_json(self) -> str:
        named = [{"name": f"f{i}", **feature} for i, feature in enumerate(self.features)]
        return json.dumps(
            {
                "schema": "assay-circuit/1",
                "kind": self.kind,
                "inputs": self.inputs,
                "features": named,
                "views": self.views,
                "outputs": [f"o{k}" for k in range(self.outputs)],
                "scale_bits": self.scale_bits,
                "trees": [{"nodes": tree} for tree in self.trees],
                "weights": [[str(weight) for weight in row] for row in self.weights],
                "base": [str(value) for value in self.base],
                "meta": {},
            }
        )

    def evaluate(self, row: Row) -> list[int]:
        """The exact integers that the model gives for one row of words."""
        if self.kind == "linear":
            values = [word + int(f["min"]) for word, f in zip(row, self.features, strict=True) if word is not None]
            return [
                base + sum(w * v for w, v in zip(weights, values, strict=True))
                for weights, base in zip(self.weights, self.base, strict=True)
            ]
        totals = list(self.base)
        for tree in self.trees:
            node = tree[0]
            while "leaf" not in node:
                left = self.view_key(node["view"], row) < int(node["key"])
                node = tree[node["left" if left else "right"]]
            totals = [total + int(leaf) for total, leaf in zip(totals, node["leaf"], strict=True)]
        return totals

    def public_words(self, row: Row) -> list[int]:
        """A row's public words (protocol.md, section 3)."""
        return [1 << self.bits if word is None else word for word in row]

    def view_key(self, index: int, row: Row) -> int:
        view = self.views[index]
        word = row[view["feature"]]
        tiny = view.get("zero_missing") and word is not None and float_key(-1e-35) <= word <= float_key(1e-35)
        if word is None or tiny:
            return {"low": 0, "high": (1 << self.bits) - 1, "zero": float_key(0.0)}[view["missing"]]
        return word

    def random_row(self, rng: random.Random) -> Row:
        """A row with ties, extremes and missing values where the views allow them."""
        row: Row = []
        for i, feature in enumerate(self.features):
            views = [view for view in self.views if view["feature"] == i]
            keys = [int(n["key"]) for t in self.trees for n in t if "key" in n and self.views[n["view"]] in views]
            floats = {"float32": (1 << 32) - 1, "float64": (1 << 64) - 1}
            top = floats.get(str(feature["kind"])) or int(feature["max"]) - int(feature["min"])
            choices: Row = [0, top, rng.randint(0, top), rng.randint(0, top)]
            choices += [min(key, top) for key in keys] + [max(min(key - 1, top), 0) for key in keys]
            if views and all(view["missing"] != "refuse" for view in views):
                choices += [None] * (1 + len(choices) // 3)
            if any(view.get("zero_missing") for view in views):
                choices += [float_key(0.0), float_key(1e-35), float_key(-1e-35), float_key(1.1e-35)]
            row.append(rng.choice(choices))
        return row


def float_key(value: float) -> int:
    """The order-preserving map of float32 to 32-bit integers."""
    (bits,) = struct.unpack(">I", struct.pack(">f", value))
    return 0xFFFFFFFF - bits if bits >> 31 else bits | 0x80000000


def pack(rows: list[Row]) -> tuple[bytes, bytes]:
    """The prover's two buffers: little-endian words, and which are missing."""
    flat = [word for row in rows for word in row]
    return struct.pack(f"<{len(flat)}Q", *(word or 0 for word in flat)), bytes(word is None for word in flat)


def random_tree(rng: random.Random, views: int, depth: int, outputs: int, bits: int, *, full: bool) -> list[dict]:
    """Node 0 is the root, children come after their parents; `full` trees have all their leaves at `depth`."""
    nodes: list[dict] = []

    def grow(level: int) -> int:
        index = len(nodes)
        nodes.append({})
        if level < depth and (full or level == 0 or rng.random() < 0.7):
            key = rng.choice([rng.getrandbits(bits), 0, (1 << bits) - 1, 1 << (bits - 1)])
            nodes[index] = {"view": rng.randrange(views), "key": str(key)}
            nodes[index]["left"] = grow(level + 1)
            nodes[index]["right"] = grow(level + 1)
        else:
            nodes[index] = {"leaf": [str(rng.randint(-(1 << 20), 1 << 20)) for _ in range(outputs)]}
        return index

    grow(0)
    return nodes


def views_of(features: int, rules: tuple[str, ...] = ("low", "high"), *, zero_missing: bool = False) -> list[dict]:
    extra = {"zero_missing": True} if zero_missing else {}
    return [{"feature": f, "missing": rule, **extra} for f in range(features) for rule in rules]


def forest(
    seed: int,
    *,
    trees: int = 3,
    depth: int = 3,
    outputs: int = 1,
    features: list[dict] | None = None,
    views: list[dict] | None = None,
    inputs: str = "public",
    full: bool = False,
) -> Circuit:
    """A random ensemble."""
    rng = random.Random(seed)
    features = [FLOAT, FLOAT] if features is None else features
    views = views_of(len(features)) if views is None else views
    bits = 32 if all(feature["kind"] == "float32" for feature in features) else 64
    grown = [random_tree(rng, len(views), depth, outputs, bits, full=full) for _ in range(trees)]
    base = [rng.randint(-1000, 1000) for _ in range(outputs)]
    return Circuit("trees", inputs, features, outputs, views=views, trees=grown, base=base)


def linear(seed: int, *, features: int = 3, outputs: int = 1, inputs: str = "public", bits: int = 16) -> Circuit:
    """A random linear model."""
    rng = random.Random(seed)
    kinds = [{"kind": "fixed", "bits": 8, "min": str(-(1 << bits)), "max": str(1 << bits)} for _ in range(features)]
    weights = [[rng.randint(-(1 << 16), 1 << 16) for _ in range(features)] for _ in range(outputs)]
    base = [rng.randint(-(1 << 20), 1 << 20) for _ in range(outputs)]
    return Circuit("linear", inputs, kinds, outputs, weights=weights, base=base)
