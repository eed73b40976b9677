"""Circuits of given sizes, and the shapes that the prover gives them: the cost model must know them beforehand."""

import pytest

import assay
from assay.bench import circuits
from assay.models.cost.shape import Size, shape

SIZES = [
    {"features": 3, "rules": 1, "count": 1, "depth": 1},
    {"features": 4, "rules": 2, "count": 7, "depth": 3},
    {"features": 30, "rules": 2, "count": 9, "depth": 4},
    {"features": 6, "rules": 1, "count": 70, "depth": 5},
    {"features": 6, "rules": 1, "count": 40, "depth": 6},
    {"features": 5, "rules": 1, "count": 11, "depth": 3, "outputs": 6},
    {"features": 5, "rules": 1, "count": 10, "depth": 4, "wide": True},
    {"features": 9, "rules": 1, "count": 5, "depth": 3, "private": True},
    {"features": 9, "rules": 2, "count": 5, "depth": 4, "private": True},
    {"features": 9, "rules": 2, "count": 25, "depth": 4, "private": True},
]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_predicted_shape_is_the_provers(size):
    circuit = circuits.trees(**size)
    info = assay.setup(circuit, max_batch=1).verifying_key.info
    found = shape(circuits.size_of(circuit))
    assert found.model_dump() == {name: info[name] for name in ("stride", "groups", "table", "ratio", "limbs")}


@pytest.mark.parametrize(("features", "outputs"), [(3, 1), (14, 1), (15, 1), (40, 2), (10, 5)])
def test_the_predicted_shape_of_linear_models(features, outputs):
    circuit = circuits.linear(features=features, outputs=outputs)
    info = assay.setup(circuit, max_batch=1).verifying_key.info
    found = shape(circuits.size_of(circuit))
    assert (found.stride, found.groups) == (info["stride"], info["groups"])


def test_sizes_are_those_asked_for():
    size = circuits.size_of(circuits.trees(features=6, rules=2, count=5, depth=4))
    # Levels 1 to 3 of a complete tree have 2 + 4 + 8 nodes.
    assert size == Size(kind="trees", features=6, views=12, trees=5, depth=4, nodes=5 * 14, bottom=5 * 16)
    assert circuits.size_of(circuits.linear(features=3, outputs=2)) == Size(kind="linear", features=3, outputs=2)


def test_they_can_be_proven():
    circuit = circuits.trees(features=3, rules=2, count=2, depth=2)
    keys = assay.setup(circuit, max_batch=1)
    proof = assay.prove(keys.proving_key, [0.5, -1.0, float("nan")])
    assay.verify(keys.verifying_key, proof)
    assert proof.outputs.tolist() == circuit.predict([0.5, -1.0, float("nan")]).tolist()
