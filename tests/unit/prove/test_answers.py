"""What proven outputs mean: labels, probabilities, and who says so."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import assay
from assay.prove.errors import ContradictoryProof, NoAnswer
from assay.prove.keys import Keys, VerifyingKey
from assay.prove.proof import Proof
from assay.transpile.circuit.answers import Answers

trees = pytest.importorskip("sklearn.ensemble")


def made(model, X, y):
    model.fit(X, y)
    return model, assay.setup(assay.transpile(model), max_batch=4)


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def judge(rows):
    names = np.array(["down", "up"])
    model = trees.GradientBoostingClassifier(n_estimators=3, max_depth=2)
    return made(model, rows, names[(rows[:, 0] > 0).astype(int)])


def test_labels_and_probabilities_are_the_models_own(judge, rows, tmp_path):
    model, keys = judge
    proof = assay.prove(keys.proving_key, rows[:4])
    assert proof.labels() == model.predict(rows[:4]).tolist()
    assert np.allclose(proof.probabilities(), model.predict_proba(rows[:4]), atol=1e-12)
    again = Proof.from_json(proof.to_json())
    assert again.labels() == proof.labels()
    assert np.allclose(again.probabilities(), proof.probabilities())
    said = json.loads(proof.to_json())["answers"]
    assert said["classes"] == ["down", "up"]
    assert said["labels"] == proof.labels()
    assert said["meaning"] == "a margin above 0 means class 'up', else 'down'"
    keys.save(tmp_path)
    loaded = Keys.load(tmp_path)
    assert loaded.verifying_key.answers == loaded.proving_key.answers == keys.verifying_key.answers
    assert assay.verify(loaded.verifying_key, again)
    source = assay.solidity(keys.verifying_key)
    assert "// a margin above 0 means class 'up', else 'down'." in source


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (trees.GradientBoostingClassifier(n_estimators=2, max_depth=2), lambda x: np.digitize(x, [-0.5, 0.5])),
        (trees.GradientBoostingClassifier(n_estimators=2, loss="exponential"), lambda x: x > 0),
        (trees.RandomForestClassifier(3, max_depth=2), lambda x: np.digitize(x, [-0.5, 0.5]) * 10),
        (trees.HistGradientBoostingClassifier(max_iter=3), lambda x: x > 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_links_are_the_librarys(model, target, rows):
    model.fit(rows, target(rows[:, 0]))
    circuit = assay.transpile(model)
    margins = circuit.predict(rows)
    assert circuit.answers.labels(margins) == model.predict(rows).tolist()
    assert np.allclose(circuit.answers.probabilities(margins), model.predict_proba(rows), atol=1e-9)


def test_a_file_that_swaps_classes_is_refused(judge, rows):
    _, keys = judge
    proof = assay.prove(keys.proving_key, rows[:2])
    fields = json.loads(proof.to_json())
    fields["answers"]["labels"] = ["up" if label == "down" else "down" for label in fields["answers"]["labels"]]
    with pytest.raises(ContradictoryProof, match="answers"):
        Proof.from_json(json.dumps(fields))
    fields["answers"] = json.loads(proof.to_json())["answers"]
    fields["answers"]["probabilities"][0][0] += 0.001
    with pytest.raises(ContradictoryProof, match="answers"):
        Proof.from_json(json.dumps(fields))
    # Consistent in itself, and not what the key's maker says.
    swapped = Proof.from_json(replace(proof, answers=replace(proof.answers, classes=("up", "down"))).to_json())
    with pytest.raises(ContradictoryProof, match=r"class 'down', else 'up'.*the verifying key says"):
        assay.verify(keys.verifying_key, swapped)


def test_what_has_no_labels_says_so(judge, rows):
    _, keys = judge
    bare = Proof.from_bytes(assay.prove(keys.proving_key, rows[:1]).to_bytes())
    with pytest.raises(NoAnswer, match="do not say what"):
        bare.labels()
    assert assay.verify(keys.verifying_key, bare)
    _, keys = made(trees.GradientBoostingRegressor(n_estimators=2, max_depth=2), rows, rows[:, 0])
    proof = assay.prove(keys.proving_key, rows[:1])
    for call in (proof.labels, proof.probabilities):
        with pytest.raises(NoAnswer, match=r"no labels|has none"):
            call()


@pytest.mark.parametrize(
    "said",
    [
        {"task": ["classification"], "link": {"a": 1}},
        {"task": "classification", "classes": [1, 2, 3]},
        {"task": "classification", "classes": [[1], {"x": 2}]},
        {"task": "classification", "classes": ["a" * 10_000, "b"], "threshold": "x"},
        {"task": "regression", "unit": "wei\n} contract Evil {", "link": "log"},
        {"task": "classification", "classes": ["@evil\n} contract", "\u202e*/"], "link_factor": float("inf")},
    ],
)
def test_a_strangers_facts_do_no_harm(judge, said):
    _, keys = judge
    key = VerifyingKey(keys.verifying_key.content, keys.verifying_key.about | {"answers": said})
    assert key.answers is not None
    margins = np.array([[1.5], [-2.0]])
    key.answers.told(margins)
    bare = {name: value for name, value in keys.verifying_key.about.items() if name != "answers"}
    without = assay.solidity(VerifyingKey(keys.verifying_key.content, bare)).split("\n")
    written = assay.solidity(key).split("\n")
    # Two lines more, comments in ASCII, and nothing else.
    more = [line for line in written if line not in without]
    assert len(written) == len(without) + 2 == len(without) + len(more)
    assert all(line.startswith("// ") and line.isascii() and line.isprintable() for line in more)
    assert Answers.of(key.answers.to_dict(), 1) == key.answers
