"""`TreeEnsemble` of ai.onnx.ml 5, against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelMalformed, ModelUnsupported

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
helper, TensorProto = onnx.helper, onnx.TensorProto
ML = "ai.onnx.ml"
LEQ, LT, GTE, GT, EQ, NEQ, MEMBER = range(7)
KINDS = {np.float32: TensorProto.FLOAT, np.float64: TensorProto.DOUBLE}


def ensemble(nodes, leaves, roots=(0,), *, sets=(), targets=1, width=3, kind=np.float32, before=(), **attributes):
    """Nodes are (feature, mode, split, true, false, tracks); a branch is a node's number, or ("leaf", number)."""
    sides = [[node[3], node[4]] for node in nodes]
    given = {
        "nodes_featureids": [node[0] for node in nodes],
        "nodes_modes": onnx.numpy_helper.from_array(np.array([node[1] for node in nodes], dtype=np.uint8)),
        "nodes_splits": onnx.numpy_helper.from_array(np.array([node[2] for node in nodes], dtype=kind)),
        "nodes_missing_value_tracks_true": [int(node[5]) for node in nodes],
        "leaf_targetids": [leaf[0] for leaf in leaves],
        "leaf_weights": onnx.numpy_helper.from_array(np.array([leaf[1] for leaf in leaves], dtype=kind)),
        "tree_roots": list(roots),
        "n_targets": targets,
    }
    for index, side in enumerate(("true", "false")):
        branches = [pair[index] for pair in sides]
        given[f"nodes_{side}nodeids"] = [b[1] if isinstance(b, tuple) else b for b in branches]
        given[f"nodes_{side}leafs"] = [int(isinstance(b, tuple)) for b in branches]
    if sets:
        values = [value for one in sets for value in (*one, np.nan)]
        given["membership_values"] = onnx.numpy_helper.from_array(np.array(values, dtype=kind))
    given = {name: value for name, value in (given | attributes).items() if value is not None}
    node = helper.make_node("TreeEnsemble", ["z" if before else "x"], ["y"], "trees", domain=ML, **given)
    graph = helper.make_graph(
        [*before, node],
        "graph",
        [helper.make_tensor_value_info("x", KINDS[kind], [None, width])],
        [helper.make_tensor_value_info("y", KINDS[kind], None)],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(ML, 5)], ir_version=10
    )


def told(model, rows):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    kind = np.float64 if "double" in session.get_inputs()[0].type else np.float32
    return session.run(None, {"x": rows.astype(kind)})[0]


def grown(seed, *, kind=np.float32, targets=1, trees=4, mode=LEQ):
    """Random trees whose splits repeat, of one mode as learners write them."""
    generator = np.random.default_rng(seed)
    nodes, leaves, roots = [], [], []

    def branch(depth):
        if depth == 3 or (depth and generator.random() < 0.2):
            leaves.append((int(generator.integers(targets)), float(generator.normal())))
            return ("leaf", len(leaves) - 1)
        own = len(nodes)
        nodes.append(None)
        split = kind(generator.choice([-0.7, 0.1, 0.3, 1e-40, 2.0]))
        sides = branch(depth + 1), branch(depth + 1)
        nodes[own] = (int(generator.integers(3)), mode, split, *sides, bool(generator.integers(2)))
        return own

    roots += [branch(0) for _ in range(trees)]
    return ensemble(nodes, leaves, roots, targets=targets, kind=kind)


def near(kind):
    points = np.array([-0.7, 0.1, 0.3, 1e-40, 2.0, 0.0, -0.0, 1.0, 3e38, -3e38], dtype=kind)
    beside = [np.nextafter(points, kind(end)) for end in (-np.inf, np.inf)]
    every = np.concatenate([points, *beside, [np.nan]])
    return np.random.default_rng(0).choice(every, (400, 3))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", [LEQ, LT, GTE, GT, EQ, NEQ])
def test_every_row_and_its_neighbours_are_decided_as_by_onnxruntime(mode, kind):
    for seed, targets in ((1, 1), (2, 3)):
        model = grown(seed, kind=kind, targets=targets, mode=mode)
        circuit = assay.transpile(model)
        rows = near(kind)
        assert np.abs(circuit.answers.values(circuit.predict(rows)) - told(model, rows)).max() < 1e-5
        finite = rows[np.isfinite(rows).all(axis=1)]
        assert assay.fidelity(circuit, model, finite).ok


LEAVES = [(0, -1.0), (0, 2.0), (0, 5.0)]
SETS = {
    "a set": ensemble([(0, MEMBER, 0.0, ("leaf", 0), ("leaf", 1), False)], LEAVES, sets=[(1.0, 3.0, 0.5)], width=1),
    "two sets and a split": ensemble(
        [
            (0, MEMBER, 0.0, 1, 2, True),
            (0, LEQ, 2.0, ("leaf", 0), ("leaf", 1), False),
            (0, MEMBER, 0.0, ("leaf", 2), ("leaf", 0), False),
        ],
        LEAVES,
        sets=[(1.0, 3.0, 0.5), (2.0,)],
        width=1,
    ),
    "one leaf of two branches": ensemble([(0, LEQ, 0.0, ("leaf", 1), ("leaf", 1), False)], LEAVES, width=1),
    "an average": ensemble(
        [(0, LEQ, 0.0, ("leaf", 0), ("leaf", 1), False)] * 2, LEAVES, (0, 1), aggregate_function=0, width=1
    ),
    "one tree twice": ensemble([(0, LEQ, 0.0, ("leaf", 0), ("leaf", 1), False)], LEAVES, (0, 0), width=1),
    "after a scaler": ensemble(
        [(0, LEQ, 0.5, ("leaf", 0), ("leaf", 1), False)],
        LEAVES,
        width=1,
        before=[helper.make_node("Scaler", ["x"], ["z"], domain=ML, offset=[0.1], scale=[-3.0])],
    ),
}


@pytest.mark.parametrize("name", SETS)
def test_sets_and_shared_leaves(name):
    model = SETS[name]
    points = np.array([0.5, 1.0, 2.0, 3.0, 0.0, -1.0, 1e30, -0.06666667], dtype=np.float32)
    rows = np.concatenate([points, np.nextafter(points, np.float32(9)), np.nextafter(points, np.float32(-9)), [np.nan]])
    rows = rows[:, np.newaxis].astype(np.float32)
    circuit = assay.transpile(model)
    assert np.abs(circuit.answers.values(circuit.predict(rows)) - told(model, rows)).max() < 1e-6


ONE = (0, LEQ, 0.0, ("leaf", 0), ("leaf", 1), False)
REFUSED = {
    "the largest of the trees": (
        lambda: ensemble([ONE], LEAVES, aggregate_function=3),
        ModelUnsupported,
        "takes the MAX",
    ),
    "a transform": (lambda: ensemble([ONE], LEAVES, post_transform=2), ModelUnsupported, "transform LOGISTIC"),
    "a transform that is none": (
        lambda: ensemble([ONE], LEAVES, post_transform=9),
        ModelMalformed,
        "post_transform is 9",
    ),
    "a cycle": (lambda: ensemble([(0, LEQ, 0.0, 0, ("leaf", 1), False)], LEAVES), ModelMalformed, "two parents"),
    "a node of two parents": (
        lambda: ensemble([(0, LEQ, 0.0, 1, 1, False), ONE], LEAVES),
        ModelMalformed,
        "node 1 has two parents",
    ),
    "a leaf that is not there": (
        lambda: ensemble([(0, LEQ, 0.0, ("leaf", 7), ("leaf", 1), False)], LEAVES),
        ModelMalformed,
        "leaf 7 is not there",
    ),
    "a root that is not there": (lambda: ensemble([ONE], LEAVES, (4,)), ModelMalformed, "node 4 is not there"),
    "no trees": (lambda: ensemble([ONE], LEAVES, (), tree_roots=None), ModelMalformed, "it has no trees"),
    "a mode that is not there": (
        lambda: ensemble([(0, 9, 0.0, ("leaf", 0), ("leaf", 1), False)], LEAVES),
        ModelMalformed,
        "mode that is not there",
    ),
    "a set too few": (
        lambda: ensemble([(0, MEMBER, 0.0, ("leaf", 0), ("leaf", 1), False)], LEAVES),
        ModelUnsupported,
        "the mode BRANCH_MEMBER",
    ),
    "lists of other lengths": (
        lambda: ensemble([ONE], LEAVES, nodes_featureids=[0, 0]),
        ModelMalformed,
        "differ in length",
    ),
    "a target that is not there": (
        lambda: ensemble([ONE], [(3, 1.0), (0, 1.0)]),
        ModelMalformed,
        "output that is not there",
    ),
    "a bomb of trees": (
        lambda: ensemble([(0, LEQ, 0.0, ("leaf", 0), ("leaf", 1), False)], LEAVES, [0] * (1 << 21)),
        ModelUnsupported,
        "more than 4194304 nodes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    make, error, words = REFUSED[name]
    with pytest.raises(error, match=words) as caught:
        assay.transpile(make())
    assert "\n" not in str(caught.value)
