"""`circuit.json`: writing a circuit, and reading one from text that nobody vouches for."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from assay.core import jsontext
from assay.transpile.categorical import Others, Values
from assay.transpile.circuit.circuit import (
    SCHEMA,
    Circuit,
    Feature,
    FeatureKind,
    Inputs,
    Kind,
    Missing,
    Tree,
    View,
)
from assay.transpile.circuit.keys import FLOAT_BITS, WORD_BITS
from assay.transpile.circuit.need import AGAIN, list_, need, object_
from assay.transpile.circuit.network import schema as networks
from assay.transpile.circuit.network import wiring
from assay.transpile.circuit.quantise import LARGEST_SCALE
from assay.transpile.errors import CircuitMalformed, CircuitVersion
from assay.transpile.importers.reading import is_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,99})\Z", re.ASCII)
_LEAF_LIMIT = 1 << 62
_COARSEST = 128


def to_dict(circuit: Circuit) -> dict[str, Any]:
    """The circuit as JSON-compatible values, in a fixed order."""
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": circuit.kind,
        "inputs": circuit.inputs,
        "features": [_feature_to_dict(feature) for feature in circuit.features],
    }
    if circuit.kind == "trees":
        content["views"] = [_view_to_dict(view) for view in circuit.views]
    content |= {"outputs": circuit.outputs, "scale_bits": circuit.scale_bits}
    if circuit.kind == "trees":
        content["trees"] = [{"nodes": _nodes(tree)} for tree in circuit.trees]
    elif circuit.network is not None:
        content["network"] = networks.to_dict(circuit.network)
    else:
        content["weights"] = [[str(weight) for weight in row] for row in circuit.weights]
    if circuit.missing_value is not None:
        content["missing_value"] = circuit.missing_value
    return content | {"base": [str(value) for value in circuit.base], "meta": circuit.meta}


def _feature_to_dict(feature: Feature) -> dict[str, Any]:
    content: dict[str, Any] = {"name": feature.name, "kind": feature.kind}
    if feature.kind == "fixed":
        content["bits"] = feature.bits
    if feature.kind in ("integer", "fixed"):
        content |= {"min": str(feature.low), "max": str(feature.high)}
    if feature.categories is not None:
        content |= {"categories": list(feature.categories.known), "others": feature.categories.others}
        content |= {"in_arrays": True} if feature.categories.in_arrays else {}
    if feature.fill is not None:
        content["fill"] = feature.fill
    return content


def _view_to_dict(view: View) -> dict[str, Any]:
    content: dict[str, Any] = {"feature": view.feature, "missing": view.missing}
    return content | {"zero_missing": True} if view.zero_missing else content


def _nodes(tree: Tree) -> list[dict[str, Any]]:
    columns = zip(
        tree.view.tolist(), tree.key.tolist(), tree.left.tolist(), tree.right.tolist(), tree.leaf.tolist(), strict=True
    )
    return [
        {"leaf": [str(value) for value in leaf]}
        if view < 0
        else {"view": view, "key": str(key), "left": left, "right": right}
        for view, key, left, right, leaf in columns
    ]


def from_json(text: str | bytes) -> Circuit:
    """Read a circuit; raises `CircuitMalformed` if it is none."""
    try:
        content = jsontext.parse(text)
    except ValueError as error:
        raise CircuitMalformed(f"the circuit is not JSON ({str(error)[:80]})", AGAIN) from None
    return from_dict(content)


def from_dict(content: Any) -> Circuit:
    """Read what `to_dict` gave; raises `CircuitMalformed` on anything else."""
    top = object_(content, "the circuit")
    schema = top.get("schema")
    if isinstance(schema, str) and schema != SCHEMA and schema.startswith("assay-circuit/"):
        raise CircuitVersion(f"the circuit has the format {schema:.40}, and this release reads {SCHEMA}", AGAIN)
    need(schema == SCHEMA, "schema")
    need(top.get("kind") in get_args(Kind), "kind")
    need(top.get("inputs") in get_args(Inputs), "inputs")
    features = [_feature(item) for item in list_(top.get("features"), "features")]
    outputs = list_(top.get("outputs"), "outputs")
    need(
        features and outputs and all(isinstance(name, str) and is_text(name) for name in outputs), "features or outputs"
    )
    circuit = Circuit(
        kind=top["kind"],
        inputs=top["inputs"],
        features=features,
        outputs=outputs,
        scale_bits=_number(top.get("scale_bits"), 1025, "scale_bits"),
        base=_integers(top.get("base"), len(outputs), "base"),
        meta=object_(top.get("meta", {}), "meta"),
        missing_value=_missing_value(top.get("missing_value")),
    )
    if circuit.kind == "network":
        need(all(feature.kind == "fixed" for feature in features), "features of a network")
        circuit.network = networks.from_dict(top.get("network"))
        wiring.check(circuit.network, len(features), len(outputs))
        return circuit
    if circuit.kind == "linear":
        need(all(feature.kind == "fixed" for feature in features), "features of a linear model")
        weights = list_(top.get("weights"), "weights")
        need(len(weights) == len(outputs), "weights")
        circuit.weights = [_integers(row, len(features), "weights") for row in weights]
        return circuit
    need(all(feature.kind != "fixed" for feature in features), "features of a tree ensemble")
    circuit.views = [_view(item, len(features)) for item in list_(top.get("views"), "views")]
    order = [view.feature for view in circuit.views]
    need(order == sorted(order) and set(order) == set(range(len(features))), "views")
    # The key of 0.0 in these rules is a float32's (spec 4.2).
    zeros = [view for view in circuit.views if view.missing == "zero" or view.zero_missing]
    need(all(features[view.feature].kind != "float64" for view in zeros), "views")
    trees = list_(top.get("trees"), "trees")
    need(trees, "trees")
    circuit.trees = [_tree(item, index, circuit) for index, item in enumerate(trees)]
    return circuit


def _feature(item: Any) -> Feature:
    content = object_(item, "a feature")
    name, kind = content.get("name"), content.get("kind")
    need(isinstance(name, str) and is_text(name) and kind in get_args(FeatureKind), "a feature's name or kind")
    categories, fill = _categories(content), content.get("fill")
    need(fill is None or _is_finite(fill), "a feature's fill")
    if kind in ("float32", "float64"):
        high = (1 << (FLOAT_BITS if kind == "float32" else WORD_BITS)) - 1
        return Feature(str(name), content["kind"], 0, high, categories=categories, fill=fill)
    need(categories is None, "categories of a feature that is no float")
    low, high = _integers([content.get("min"), content.get("max")], 2, "a feature's range")
    need(low <= high and high - low < 1 << WORD_BITS, "a feature's range")
    bits = _bits(content.get("bits", 0))
    need(bits == 0 or kind == "fixed", "a feature's bits")
    return Feature(str(name), content["kind"], low, high, bits, fill=fill)


def _categories(content: dict[str, Any]) -> Values | None:
    if "categories" not in content:
        return None
    known = list_(content["categories"], "categories")
    arrays = content.get("in_arrays", False)
    need(content.get("others") in get_args(Others) and isinstance(arrays, bool), "categories")
    need(all(_is_label(value) for value in known), "categories")
    return Values(tuple(known), content["others"], arrays)


def _is_label(value: Any) -> bool:
    """Whether this is a class or a category: text, a whole number, a truth value or a finite number."""
    return is_text(value) if isinstance(value, str) else isinstance(value, int) or _is_finite(value)


def _is_finite(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _missing_value(item: Any) -> float | None:
    need(item is None or _is_finite(item), "missing_value")
    return None if item is None else float(item)


def _bits(item: Any) -> int:
    """Bits after the point; a network's features may be multiples of powers of two above 1."""
    need(type(item) is int and -_COARSEST <= item <= LARGEST_SCALE, "a feature's bits")
    return int(item)


def _view(item: Any, features: int) -> View:
    content = object_(item, "a view")
    missing, zero = content.get("missing"), content.get("zero_missing", False)
    need(missing in get_args(Missing) and isinstance(zero, bool), "a view's missing rule")
    return View(_number(content.get("feature"), features, "a view's feature"), content["missing"], zero)


def _tree(item: Any, index: int, circuit: Circuit) -> Tree:
    where = f"tree {index}"
    nodes = list_(object_(item, where).get("nodes"), where)
    count = len(nodes)
    need(count, where)
    tree = Tree(
        view=np.full(count, -1, dtype=np.int32),
        key=np.zeros(count, dtype=np.uint64),
        left=np.zeros(count, dtype=np.int32),
        right=np.zeros(count, dtype=np.int32),
        leaf=np.zeros((count, len(circuit.outputs)), dtype=np.int64),
    )
    for position, node in enumerate(nodes):
        content = object_(node, where)
        if "leaf" in content:
            tree.leaf[position] = _leaf(content["leaf"], len(circuit.outputs), where)
        else:
            _inner(tree, position, content, circuit, where)
    return tree


def _leaf(item: Any, outputs: int, where: str) -> NDArray[np.int64]:
    values = _integers(item, outputs, where)
    need(all(abs(value) <= _LEAF_LIMIT for value in values), where)
    return np.array(values, dtype=np.int64)


def _inner(tree: Tree, position: int, content: dict[str, Any], circuit: Circuit, where: str) -> None:
    count = len(tree.view)
    left, right = (_number(content.get(name), count, where) for name in ("left", "right"))
    need(min(left, right) > position, where)
    (key,) = _integers([content.get("key")], 1, where)
    need(0 <= key < 1 << (FLOAT_BITS if circuit.bits == FLOAT_BITS else WORD_BITS), where)
    tree.view[position] = _number(content.get("view"), len(circuit.views), where)
    tree.key[position] = key
    tree.left[position], tree.right[position] = left, right


def _number(item: Any, below: int, where: str) -> int:
    if type(item) is not int or not 0 <= item < below:
        need(holds=False, where=where)
    return int(item)


def _integers(item: Any, count: int, where: str) -> list[int]:
    texts = list_(item, where)
    need(len(texts) == count, where)
    need(all(isinstance(text, str) and _INTEGER.match(text) for text in texts), where)
    return [int(text) for text in texts]
