"""The reference evaluator against a walk that reads as the definition does, where its shortcuts could be wrong."""

import numpy as np
import pytest

from assay.transpile.circuit import forest
from assay.transpile.circuit.circuit import Circuit, Feature, Tree, View
from assay.transpile.circuit.evaluate import evaluate, evaluator, trace

LARGEST = 1 << 62


def tree(nodes, outputs=1):
    """Nodes are (view, key, left, right) or a leaf's integers."""
    inner = [node if len(node) == 4 else (-1, 0, 0, 0) for node in nodes]
    view, key, left, right = zip(*inner, strict=True)
    leaf = [[0] * outputs if len(node) == 4 else list(node) for node in nodes]
    kinds = (np.int32, np.uint64, np.int32, np.int32)
    columns = [np.array(one, dtype=kind) for one, kind in zip((view, key, left, right), kinds, strict=True)]
    return Tree(*columns, np.array(leaf, dtype=np.int64).reshape(len(nodes), outputs))


def chain(length, key, leaf):
    """Each node's left child is a leaf, its right child the next node: few rows go far."""
    nodes = []
    for level in range(length):
        nodes += [(0, key * (level + 1), 2 * level + 1, 2 * level + 2), (leaf + level,)]
    return tree([*nodes, (-leaf,)])


def circuit(trees, views, outputs=1, features=2):
    names = [Feature(f"f{index}") for index in range(features)]
    return Circuit("trees", "public", names, [f"y{k}" for k in range(outputs)], 0, [7] * outputs, views, trees)


def obvious(model, words, missing):
    found, leaves = [], []
    for row, absent in zip(words.tolist(), missing.tolist(), strict=True):
        sums, reached = list(model.base), []
        for one in model.trees:
            node = 0
            while one.view[node] >= 0:
                view = model.views[one.view[node]]
                fill = {"low": 0, "high": 2**32 - 1, "zero": 1 << 31}
                value = fill[view.missing] if absent[view.feature] else row[view.feature]
                node = int(one.left[node] if value < int(one.key[node]) else one.right[node])
            reached.append(node)
            sums = [total + int(value) for total, value in zip(sums, one.leaf[node], strict=True)]
        found.append(sums)
        leaves.append(reached)
    return found, leaves


MODELS = {
    "leaves of 62 bits, whose sum is no 64-bit integer": circuit(
        [tree([(0, 1 << 31, 1, 2), (LARGEST,), (-LARGEST,)])] * 5 + [tree([(LARGEST - 1,)])], [View(0, "low")]
    ),
    "a chain beside a single leaf": circuit(
        [chain(40, 90_000_000, 3), tree([(5,)]), chain(3, 1 << 30, -9)], [View(0, "high")]
    ),
    "several outputs and every rule for missing values": circuit(
        [
            tree([(0, 5, 1, 2), (1, 2), (1, 1 << 31, 3, 4), (3, 4), (-5, 6)], 2),
            tree([(2, (1 << 32) - 1, 1, 2), (8, 9), (10, 11)], 2),
        ],
        [View(0, "low"), View(1, "zero"), View(1, "high")],
        outputs=2,
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("at_once", [1, 7, 1 << 20])
def test_all_trees_at_once_are_each_tree_on_its_own(name, at_once, monkeypatch):
    monkeypatch.setattr(forest, "_AT_ONCE", at_once)
    model, random = MODELS[name], np.random.default_rng(3)
    edges = [0, 1, 4, 5, (1 << 31) - 1, 1 << 31, (1 << 32) - 2, (1 << 32) - 1, 90_000_000 * 17]
    words = np.where(
        random.random((60, 2)) < 0.5, random.choice(edges, (60, 2)), random.integers(0, 1 << 32, (60, 2))
    ).astype(np.uint64)
    missing = random.random((60, 2)) < 0.2
    found, leaves = obvious(model, words, missing)
    assert evaluate(model, words, missing).tolist() == found
    assert trace(model, words, missing).tolist() == leaves
    held = evaluator(model)
    assert held(words[:0], missing[:0])[0].shape == (0, len(model.outputs))
    assert trace(model, words[:0], missing[:0]).shape == (0, len(model.trees))
    assert [held(words[[at]], missing[[at]])[0].tolist()[0] for at in range(10)] == found[:10]
