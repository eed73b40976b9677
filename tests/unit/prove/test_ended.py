"""Rows for which values within a network end: whoever proves them says so, in the proof's file and at the terminal."""

import json

import numpy as np
import pytest
from tests.unit.transpile.networks import tiny

import assay
from assay.cli.main import run
from assay.prove.errors import ContradictoryProof
from assay.prove.proof import Proof
from assay.prove.published import confirm, publish

CASE = json.loads((tiny.CASES / "dense.json").read_text())
ROWS = (np.array(CASE["inputs"]) + 3) / 8  # the case's features are eighths, and their middle is 3 of them
ENDED = (2, 4, 5)


def circuit(network, inputs="public"):
    made = assay.Circuit.from_json(json.dumps(CASE["circuit"] | {"inputs": inputs}))
    made.network = network
    return made


@pytest.fixture(scope="module")
def made():
    return assay.setup(circuit(tiny.ended()), max_batch=16)


@pytest.fixture(scope="module")
def proof(made):
    return assay.prove(made.proving_key, ROWS)


def test_the_prover_names_the_rows_that_the_circuit_does(made, proof):
    own = circuit(tiny.ended())
    assert proof.ended == ENDED == tuple(own.ended(ROWS))
    assert np.array_equal(proof.outputs, own.predict(ROWS))
    assert assay.verify(made.verifying_key, proof)
    random = np.random.default_rng(4)
    for count in (1, 5, *[16] * 12):  # where the last blocks repeat the first row, it is named once
        rows = (random.integers(-29, 35, (count, 3))) / 8
        assert assay.prove(made.proving_key, rows).ended == tuple(own.ended(rows))
    assert assay.prove(made.proving_key, ROWS[[2, 0, 0]]).ended == (0,)


def test_the_file_says_it_and_is_read_back(proof):
    assert json.loads(proof.to_json())["ended"] == list(ENDED)
    again = Proof.from_json(proof.to_json())
    assert again == proof
    assert again.ended == ENDED
    assert "rows 2, 4, 5" in str(again)
    assert Proof.from_bytes(proof.to_bytes()).ended == ()  # the bytes do not know


def test_a_circuit_without_ends_says_nothing():
    plain = assay.setup(circuit(tiny.dense()), max_batch=16)
    proof = assay.prove(plain.proving_key, ROWS)
    assert (proof.ended, proof.remarks) == ((), {})
    assert "ended" not in json.loads(proof.to_json())


@pytest.mark.parametrize(
    "said", [None, [], {}, "all", 2, [-1], [10], [1 << 70], [2, 2], [4, 2], [True], [2.0], ["2"], [[2]], [{"row": 2}]]
)
def test_a_file_that_says_nonsense_of_it_is_refused(proof, said):
    with pytest.raises(ContradictoryProof, match="ended"):
        Proof.from_json(json.dumps(json.loads(proof.to_json()) | {"ended": said}))


def test_hidden_rows_are_named_by_their_place_and_no_more(proof):
    hidden = assay.setup(circuit(tiny.ended(), "private"), max_batch=16)
    made = assay.prove(hidden.proving_key, ROWS)
    assert made.remarks == {"ended": list(ENDED)}
    assert made.input_commitment is not None
    assert Proof.from_json(made.to_json()).ended == ENDED


def test_a_key_and_its_published_circuit_are_checked_with_their_ends(made):
    assert made.verifying_key.check.checked
    shown = publish(made)
    assert shown.circuit["network"]["tables"][1]["ends"] == [[7, 64]]
    assert "published ones" in confirm(made.verifying_key, shown)


def test_the_terminal_says_it_and_verify_repeats_whose_word_it_is(made, tmp_path, capsys):
    made.save(tmp_path)
    (tmp_path / "rows.json").write_text(json.dumps({"inputs": ROWS.tolist()}))
    out = str(tmp_path / "proof.json")

    def said(*command):
        assert run(list(command)) == 0
        return " ".join(capsys.readouterr().out.split())

    prove = ["prove", str(tmp_path / "proving.key"), "--input", str(tmp_path / "rows.json"), "--out", out]
    assert "ended rows 2, 4, 5: values within the model ended before its own do" in said(*prove)
    assert json.loads(said(*prove, "--json"))["ended"] == list(ENDED)
    text = said("verify", str(tmp_path), out)
    assert "its maker says that values within the model ended before its own do" in text
    assert text.count("rows 2, 4, 5") == 1
    assert json.loads(said("verify", str(tmp_path), out, "--json"))["ended"] == list(ENDED)
