"""The public verbs refuse arguments of the wrong kind by name, and objects say what they are in a line."""

import json
import pickle

import pytest

import assay
from assay.core.errors import AssayError, WrongType
from assay.prove.srs import generate
from assay.transpile.errors import OptionError


def wrong(circuit, keys, proof, rows):
    """Calls with arguments swapped or of another kind, and words of what is said."""
    return {
        "verify swapped": (lambda: assay.verify(proof, keys.verifying_key), "verifying_key is a Proof"),
        "verify with both keys": (lambda: assay.verify(keys, proof), "verifying_key is a Keys"),
        "verify with the other key": (lambda: assay.verify(keys.proving_key, proof), "verifying_key is a ProvingKey"),
        "verify of text": (lambda: assay.verify(keys.verifying_key, proof.to_json()), "proof is a str"),
        "prove swapped": (lambda: assay.prove(rows, keys.proving_key), "proving_key is a ndarray"),
        "prove with the other key": (lambda: assay.prove(keys.verifying_key, rows), "proving_key is a VerifyingKey"),
        "prove a key": (lambda: assay.prove(keys.proving_key, keys.verifying_key), "X is a VerifyingKey"),
        "prove with text": (lambda: assay.prove(keys.proving_key, rows, opening="a"), "opening is a str"),
        "setup of a path": (lambda: assay.setup("circuit.json"), "circuit is a str"),
        "setup of None": (lambda: assay.setup(None), "circuit is None"),
        "solidity of both keys": (lambda: assay.solidity(keys), "verifying_key is a Keys"),
        "fidelity swapped": (lambda: assay.fidelity(object(), circuit, rows), "circuit is an object"),
        "transpile of a circuit": (lambda: assay.transpile(circuit), "model_or_path is a Circuit"),
        "proof from text": (lambda: assay.Proof.from_bytes(proof.to_json()), "data is a str"),
        "proof from fields": (lambda: assay.Proof.from_json(json.loads(proof.to_json())), "text is a dict"),
    }


CALLS = [
    "verify swapped",
    "verify with both keys",
    "verify with the other key",
    "verify of text",
    "prove swapped",
    "prove with the other key",
    "prove a key",
    "prove with text",
    "setup of a path",
    "setup of None",
    "solidity of both keys",
    "fidelity swapped",
    "transpile of a circuit",
    "proof from text",
    "proof from fields",
]


@pytest.mark.parametrize("call", CALLS)
def test_arguments_of_the_wrong_kind_are_refused_by_name(call, circuit, keys, proof, rows):
    calls = wrong(circuit, keys, proof, rows)
    assert list(calls) == CALLS
    action, words = calls[call]
    with pytest.raises(TypeError, match=words) as caught:
        action()
    assert isinstance(caught.value, WrongType)
    assert caught.value.todo
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert (type(again), str(again)) == (WrongType, str(caught.value))


@pytest.mark.parametrize("most", [0, -1, 1.5, "8", True])
def test_rows_a_proof_are_a_positive_whole_number(circuit, most):
    with pytest.raises(OptionError, match="max_batch is"):
        assay.setup(circuit, max_batch=most)


def test_a_reference_string_is_a_path_of_any_kind(circuit):
    place = generate(4096).path
    for srs in (place, str(place)):
        assert assay.setup(circuit, max_batch=2, srs=srs).proving_key.max_batch == 2


def test_too_many_rows_name_the_setting(keys, rows):
    with pytest.raises(AssayError, match="9 rows were given, this key proves 1 to 8") as caught:
        assay.prove(keys.proving_key, [rows[0]] * 9)
    assert "max_batch" in caught.value.todo


def test_objects_say_what_they_are_in_a_line(circuit, keys, proof):
    assert repr(circuit) == str(circuit)
    assert "trees 2, depth up to 2" in repr(circuit)
    assert keys.model_id[:10] in repr(keys.verifying_key)
    assert "trees, 2 features, 1 outputs, public inputs" in repr(keys.verifying_key)
    assert "up to 8 rows a proof" in repr(keys.proving_key)
    assert keys.model_id[:10] in repr(keys)
    assert "of 4 rows" in repr(proof)
    assert keys.model_id[:10] in repr(proof)
    for one in (circuit, keys, keys.proving_key, keys.verifying_key, proof):
        assert "\n" not in repr(one)
        assert len(repr(one)) <= 300
        assert one._repr_html_().startswith("<table>")
        assert len(one._repr_html_()) < 2000


def test_a_key_that_cannot_be_read_can_be_shown(keys):
    junk = assay.VerifyingKey(b"junk", keys.verifying_key.about)
    assert "no key that can be read" in repr(junk)


def test_a_large_circuit_is_shown_in_a_line():
    from assay.bench.circuits import trees

    large = trees(features=30, rules=2, count=200, depth=6)
    assert len(large.to_json()) > 100_000
    assert len(repr(large)) <= 300
    assert len(large._repr_html_()) < 2000
