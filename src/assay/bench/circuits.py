"""Small circuits of given sizes, made without any training, to be measured."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.models.cost.shape import Size
from assay.transpile.circuit.circuit import Circuit, Feature, Tree, View
from assay.transpile.circuit.network.size import size_of_network
from assay.transpile.flow import tensor
from assay.transpile.flow.flow import Flow, Input
from assay.transpile.flow.functions import RELU, TANH
from assay.transpile.networks.assemble import compiled
from assay.transpile.networks.layout import lay_out
from assay.transpile.networks.plan import plan
from assay.transpile.networks.quantise import quantise
from assay.transpile.networks.tables import Profile
from assay.transpile.networks.tiling import Width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import FeatureKind, Inputs, Missing

_LEAF_BITS = 20
_WEIGHT_BITS = 60
_VALUE_BITS = 53


def size_of(circuit: Circuit) -> Size:
    """The size of a circuit, in the cost model's terms."""
    outputs, features = len(circuit.outputs), len(circuit.features)
    private = circuit.inputs == "private"
    if circuit.kind == "network":
        assert circuit.network is not None  # noqa: S101 - its kind says so
        return size_of_network(circuit.network, features, outputs, private=private)
    if circuit.kind == "linear":
        return Size(kind="linear", features=features, outputs=outputs, private=private)
    depth = max(circuit.depth, 1)
    levels = [_levels(tree) for tree in circuit.trees]
    return Size(
        kind="trees",
        features=features,
        outputs=outputs,
        views=len(circuit.views),
        trees=len(circuit.trees),
        depth=depth,
        nodes=sum(int(((level >= 1) & (level < depth)).sum()) for level in levels),
        bottom=sum(int((level == depth).sum()) for level in levels),
        wide=circuit.bits > 32,
        private=private,
    )


def trees(
    *, features: int, rules: int, count: int, depth: int, outputs: int = 1, wide: bool = False, private: bool = False
) -> Circuit:
    """`count` complete trees of one depth with random thresholds, reading each feature under 1 or 2 rules."""
    random = np.random.default_rng(0)
    missing: list[Missing] = ["low", "high"] if rules == 2 else ["refuse"]
    views = [View(feature, rule) for feature in range(features) for rule in missing]
    kind: FeatureKind = "integer" if wide else "float32"
    span: dict[str, Any] = {"low": 0, "high": (1 << 63) - 1} if wide else {}
    inputs: Inputs = "private" if private else "public"
    return Circuit(
        kind="trees",
        inputs=inputs,
        features=[Feature(f"f{index}", kind, **span) for index in range(features)],
        outputs=[f"margin[{index}]" for index in range(outputs)],
        scale_bits=_LEAF_BITS,
        base=[1] * outputs,
        views=views,
        trees=[_tree(random, depth, len(views), index % outputs, outputs) for index in range(count)],
        meta={"library": "assay", "task": "regression"},
    )


def linear(*, features: int, outputs: int = 1) -> Circuit:
    """A linear model with random weights of the size that `transpile` chooses."""
    random = np.random.default_rng(0)
    bits = _WEIGHT_BITS if outputs == 1 else _WEIGHT_BITS - 12
    limit = 1 << _VALUE_BITS
    weights: Any = random.integers(-(1 << bits), 1 << bits, (outputs, features)).tolist()
    return Circuit(
        kind="linear",
        inputs="public",
        features=[Feature(f"f{index}", "fixed", -limit, limit, _VALUE_BITS) for index in range(features)],
        outputs=[f"value[{index}]" for index in range(outputs)],
        scale_bits=100,
        base=[1] * outputs,
        weights=weights,
        meta={"library": "assay", "task": "regression"},
    )


def _tree(random: np.random.Generator, depth: int, views: int, output: int, outputs: int) -> Tree:
    inner, count = (1 << depth) - 1, (2 << depth) - 1
    place = np.arange(count, dtype=np.int32)
    branches = place < inner
    leaf = np.zeros((count, outputs), dtype=np.int64)
    leaf[inner:, output] = random.integers(-(1 << _LEAF_BITS), 1 << _LEAF_BITS, count - inner)
    return Tree(
        view=np.where(branches, random.integers(0, views, count), -1).astype(np.int32),
        key=np.where(branches, random.integers(1, 1 << 32, count), 0).astype(np.uint64),
        left=np.where(branches, 2 * place + 1, 0).astype(np.int32),
        right=np.where(branches, 2 * place + 2, 0).astype(np.int32),
        leaf=leaf,
    )


def _levels(tree: Tree) -> NDArray[np.int64]:
    """The level of each node; the root's is 0."""
    levels = np.zeros(len(tree.view), dtype=np.int64)
    for node in np.flatnonzero(tree.view >= 0):
        levels[tree.left[node]] = levels[tree.right[node]] = levels[node] + 1
    return levels


def network(
    *,
    features: int,
    hidden: tuple[int, ...],
    outputs: int = 1,
    steps: int = 1,
    smooth: bool = False,
    private: bool = False,
) -> Circuit:
    """A network of dense layers with random weights, whose last layer runs so many times on itself.

    `smooth` takes tanh in place of relu, so a longer public table. Steps share their weights, as a recurrent
    network's do.
    """
    random = np.random.default_rng(0)
    flow = Flow(layers=["input"], features=[f"f{index}" for index in range(features)])
    flow.outputs = [f"y[{index}]" for index in range(outputs)]
    found = tensor.of_bases(np.array([[flow.add(Input(index)) for index in range(features)]], dtype=np.int64))
    widths = [features, *hidden]
    weights = [random.normal(size=(a, b)) / a**0.5 for a, b in itertools.pairwise(widths)]
    again = random.normal(size=(hidden[-1], hidden[-1])) / hidden[-1] ** 0.5
    flow.layers.append("dense")
    function = TANH if smooth else RELU
    for one in weights:
        found = tensor.apply(flow, tensor.linear(flow, found, one), function)
    for _ in range(steps - 1):
        found = tensor.apply(flow, tensor.linear(flow, found, again), function)
    last = tensor.linear(flow, found, random.normal(size=(hidden[-1], outputs)) / hidden[-1] ** 0.5)
    flow.results = list(zip(*(part.ravel().tolist() for part in (last.base, last.scale, last.shift)), strict=True))
    flow.meta["centres"] = [0.0] * features
    planned = plan(flow, [(-1.0, 1.0)] * features)
    made = quantise(planned, Profile(12, 2, 7, 16, 15, 18) if smooth else Profile(10, 2, 9, 16, 15, 16))
    wide = 1 << (max(*hidden, outputs, 8) - 1).bit_length()
    done = compiled(flow, [(-1.0, 1.0)] * features, made, lay_out(made, Width(wide, wide)))
    return Circuit(
        kind="network",
        inputs="private" if private else "public",
        features=[Feature(name, "fixed", *span) for name, span in zip(flow.features, done.spans, strict=True)],
        outputs=flow.outputs,
        scale_bits=done.scale_bits,
        base=[0] * outputs,
        network=done.network,
    )
