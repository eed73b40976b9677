"""A small circuit, its keys and a proof, made without any model library."""

import json

import numpy as np
import pytest

import assay
from assay.transpile.circuit.circuit import Circuit

# key(0.0) = 2^31: "left if the value is below 0".
ZERO = str(1 << 31)
SMALL = {
    "schema": "assay-circuit/1",
    "kind": "trees",
    "inputs": "public",
    "features": [{"name": "a", "kind": "float32"}, {"name": "b", "kind": "float32"}],
    "views": [
        {"feature": 0, "missing": "low"},
        {"feature": 0, "missing": "high"},
        {"feature": 1, "missing": "low"},
        {"feature": 1, "missing": "high"},
    ],
    "outputs": ["margin"],
    "scale_bits": 4,
    "trees": [
        {"nodes": [{"view": 0, "key": ZERO, "left": 1, "right": 2}, {"leaf": ["-16"]}, {"leaf": ["8"]}]},
        {
            "nodes": [
                {"view": 3, "key": ZERO, "left": 1, "right": 4},
                {"view": 1, "key": ZERO, "left": 2, "right": 3},
                {"leaf": ["1"]},
                {"leaf": ["2"]},
                {"leaf": ["-5"]},
            ]
        },
    ],
    "base": ["3"],
    "meta": {"secret": "of the owner"},
}
ROWS = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, np.nan], [-0.0, np.inf]], dtype=np.float32)
# base + first tree + second tree, in sixteenths
OUTPUTS = [[3 - 16 + 1], [3 + 8 + 2], [3 + 8 - 5], [3 + 8 - 5]]


@pytest.fixture(scope="session")
def circuit():
    return Circuit.from_json(json.dumps(SMALL))


@pytest.fixture(scope="session")
def other_circuit():
    return Circuit.from_json(json.dumps(SMALL | {"base": ["4"]}))


@pytest.fixture(scope="session")
def private_circuit():
    return Circuit.from_json(json.dumps(SMALL | {"inputs": "private"}))


@pytest.fixture(scope="session")
def rows():
    return ROWS


@pytest.fixture(scope="session")
def expected():
    return OUTPUTS


@pytest.fixture(scope="session")
def keys(circuit):
    return assay.setup(circuit, max_batch=8)


@pytest.fixture(scope="session")
def proof(keys, rows):
    return assay.prove(keys.proving_key, rows)
