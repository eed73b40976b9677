"""What `infer` says is what a proof shows, and what the model's own library computes: 10,000 rows and edge words."""

from fractions import Fraction

import numpy as np
import pytest
import skl2onnx
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPRegressor
from starlette.testclient import TestClient
from tests.unit.serve.small import keep

import assay
from assay.record.database import Database
from assay.release.parts import Parts
from assay.serve import keys as api_keys
from assay.serve.api.app import make_app
from assay.serve.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
ROWS, AT_ONCE = 10_000, 128
FEATURES = 5
LARGEST, SMALLEST = float(np.finfo(np.float32).max), float(np.float32(1e-45))


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(11)
    found = random.normal(size=(ROWS, FEATURES)).astype(np.float32).astype(float)
    found[:, 3] = np.round(found[:, 3] * 20)  # whole numbers, which JSON writes otherwise
    return found


@pytest.fixture(scope="module")
def booster(rows):
    X = rows[:500].copy()
    X[np.random.default_rng(1).random(X.shape) < 0.1] = np.nan
    y = (np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 3]) / 20 > 0).astype(int)
    return xgboost.XGBClassifier(n_estimators=6, max_depth=4, random_state=0).fit(X, y).get_booster()


@pytest.fixture(scope="module")
def service(tmp_path_factory, booster, rows):
    """Three releases and an endpoint: circuits, keys, and what asks."""
    place = tmp_path_factory.mktemp("service")
    few = rows[:300, :3]
    fitted = MLPRegressor(hidden_layer_sizes=(6,), max_iter=50, random_state=0).fit(few, few[:, 0] - few[:, 1])
    network = skl2onnx.to_onnx(fitted, few[:1].astype(np.float32), target_opset={"": 17, "ai.onnx.ml": 3})
    circuits = {
        "trees": assay.transpile(booster),
        "linear": assay.transpile(LogisticRegression().fit(few, few[:, 0] > few[:, 2]), few),
        "network": assay.transpile(network, few),
    }
    database, made = Database(f"sqlite:///{place / 'records.sqlite'}"), {}
    for name, circuit in circuits.items():
        made[name] = assay.setup(circuit, max_batch=AT_ONCE)
        made[name].save(place / name)
        public = {"task.toml": name.encode(), "decision.json": b'{"dataset": "", "chosen": "a", "rows": [{"id": "a", '}
        public["decision.json"] += b'"fidelity": {}, "measured": {}}]}'
        public |= {"model-card.md": b"", "verifying.key": (place / name / "verifying.key").read_bytes()}
        private = {"circuit.json": circuit.to_json().encode()}
        private["proving.key"] = (place / name / "proving.key").read_bytes()
        keep(database, Parts(made[name].model_id, public, private), name)
    _, text = api_keys.make(database, "test", ["infer"], who="test")
    with TestClient(make_app(Settings(place, str(database.url), hosts=("testserver",)), database)) as client:
        client.headers["Authorization"] = f"Bearer {text}"
        yield circuits, made, client
    database.close()


def asked(client, name, rows):
    """The integers and words that the endpoint says of rows, many in a request and the last ones alone."""
    integers, words = [], []
    starts = [*range(0, len(rows) - 20, AT_ONCE), *range(len(rows) - 20, len(rows))]
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        answer = client.post(f"/v2/models/{name}/infer", json={"inputs": written(rows[start:end])})
        assert answer.status_code == 200, answer.text
        tensor, width = answer.json()["outputs"][0]["data"], answer.json()["outputs"][0]["shape"][1]
        flat = [int(value) for value in tensor]
        integers += [flat[at : at + width] for at in range(0, len(flat), width)]
        words += answer.json()["parameters"]["words"]
    return integers, words


def written(rows):
    """As JSON has them: null for missing, and whole numbers without a point."""
    whole = lambda value: int(value) if value.is_integer() and abs(value) < 2**53 else value  # noqa: E731
    return [[None if np.isnan(value) else whole(value) for value in row] for row in rows.tolist()]


def shows(keys, rows, integers, words):
    """Whether a valid proof of these rows shows exactly this."""
    proof = assay.prove(keys.proving_key, rows)
    assert assay.verify(keys.verifying_key, proof)
    flat = [int(word) for row in words for word in row]
    found = [[int(value) for value in row] for row in proof.output_integers]
    return (found, proof.public_inputs[: len(flat)]) == (integers, flat)


def thresholds(booster):
    """Each split's threshold and its neighbours, in a row of zeros."""
    table = booster.trees_to_dataframe()
    splits = table[table.Feature != "Leaf"]
    found = []
    for feature, split in zip(splits.Feature, splits.Split.astype(np.float32), strict=True):
        for value in (split, *(np.nextafter(split, np.float32(end)) for end in (-np.inf, np.inf))):
            row = np.zeros(FEATURES)
            row[int(feature[1:])] = float(value)
            found.append(row)
    return np.array(found)


def exactly(value):
    assert value.denominator == 1
    return value.numerator


def leaf_sums(booster, circuit, rows):
    """Exact sums of the leaves that XGBoost itself reaches, as multiples of the circuit's unit, without its base."""
    reached = booster.predict(xgboost.DMatrix(rows.astype(np.float32)), pred_leaf=True).astype(int)
    table = booster.trees_to_dataframe()
    leaves = table[table.Feature == "Leaf"]
    unit = 1 << circuit.scale_bits
    worth = {
        (tree, node): exactly(Fraction(float(np.float32(gain))) * unit)
        for tree, node, gain in zip(leaves.Tree, leaves.Node, leaves.Gain, strict=True)
    }
    return [sum(worth[tree, int(node)] for tree, node in enumerate(row)) for row in reached]


def test_infer_equals_proof_and_the_library_for_ten_thousand_rows_of_trees(service, booster, rows):
    circuits, made, client = service
    random, X = np.random.default_rng(5), rows.copy()
    X[random.random(X.shape) < 0.1] = np.nan
    edges = [0.0, -0.0, SMALLEST, -SMALLEST, LARGEST, -LARGEST, 1e-35, -1e-35]
    X[:400] = random.choice(edges, (400, FEATURES))
    near = thresholds(booster)
    X[400 : 400 + len(near)] = near
    integers, words = asked(client, "trees", X)
    (base,) = circuits["trees"].base
    assert [row[0] - base for row in integers] == leaf_sums(booster, circuits["trees"], X)
    assert len(integers) == ROWS
    for start in range(0, ROWS, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        assert shows(made["trees"], written(X[part]), integers[part], words[part])


@pytest.mark.parametrize(("name", "count"), [("linear", ROWS), ("network", 500)])
def test_infer_equals_proof_of_a_linear_model_and_a_network(service, rows, name, count):
    circuits, made, client = service
    low, high = rows[:300, :3].min(axis=0), rows[:300, :3].max(axis=0)
    X = np.clip(rows[:count, :3], low, high)
    X[0], X[1] = low, high
    integers, words = asked(client, name, X)
    for start in range(0, count, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        # Of a network a contract takes several values in one word.
        assert shows(made[name], X[part].tolist(), integers[part], words[part] if name == "linear" else [])
    if name == "linear":
        assert integers == exactly_linear(circuits[name], X)


def exactly_linear(circuit, rows):
    """Weights times rounded rows, value by value."""
    found = []
    for row in rows.tolist():
        whole = [round(Fraction(value) * (1 << one.bits)) for value, one in zip(row, circuit.features, strict=True)]
        sums = (sum(w * x for w, x in zip(line, whole, strict=True)) for line in circuit.weights)
        found.append([total + base for total, base in zip(sums, circuit.base, strict=True)])
    return found
