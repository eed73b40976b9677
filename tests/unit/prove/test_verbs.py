"""Setup, prove and verify through the public functions."""

from dataclasses import replace

import numpy as np
import pytest

import assay
from assay.core.errors import AssayError
from assay.prove.errors import CircuitRefused, OpeningRefused, OtherModel, RowsRefused, SrsTooSmall
from assay.prove.srs import generate
from assay.transpile.circuit.circuit import Feature, View


def test_a_proof_shows_what_the_circuit_says(circuit, keys, proof, rows, expected):
    assert proof.output_integers == expected
    assert proof.outputs.dtype == np.float64
    assert proof.outputs.tolist() == [[value / 16] for [value] in expected]
    assert np.array_equal(proof.outputs, circuit.predict(rows))
    assert assay.verify(keys.verifying_key, proof) is True


def test_one_row_may_be_given_alone(keys, expected):
    proof = assay.prove(keys.proving_key, [-1.0, -1.0])
    assert (proof.rows, proof.output_integers) == (1, expected[:1])
    assert assay.verify(keys.verifying_key, proof)


def test_two_proofs_of_the_same_rows_differ_and_are_both_valid(keys, proof, rows):
    again = assay.prove(keys.proving_key, rows)
    assert again.body != proof.body
    assert again.public_inputs == proof.public_inputs
    assert assay.verify(keys.verifying_key, again)


def test_public_inputs_are_row_words_then_outputs_in_twos_complement_then_the_context(circuit, proof, rows, expected):
    words, missing = circuit.encode(rows)
    shown = [1 << 32 if gone else int(word) for word, gone in zip(words.flat, missing.flat, strict=True)]
    context = [0]
    assert proof.public_inputs == shown + [value % (1 << 256) for [value] in expected] + context


def test_another_models_key_refuses_the_proof_by_name(other_circuit, proof):
    other = assay.setup(other_circuit, max_batch=8)
    with pytest.raises(OtherModel) as caught:
        assay.verify(other.verifying_key, proof)
    assert caught.value.code == "proof/other-model"
    assert isinstance(caught.value, assay.InvalidProof)


def test_more_rows_than_the_key_allows_are_refused_with_the_number(keys):
    with pytest.raises(RowsRefused, match="8"):
        assay.prove(keys.proving_key, np.zeros((9, 2)))


def test_rows_of_the_wrong_width_are_refused(keys):
    with pytest.raises(AssayError) as caught:
        assay.prove(keys.proving_key, np.zeros((1, 3)))
    assert caught.value.code.startswith("rows/")


def test_private_inputs_are_bound_by_a_commitment_that_the_opening_fixes(private_circuit, rows):
    keys = assay.setup(private_circuit, max_batch=8)
    same = [assay.prove(keys.proving_key, rows[:2], opening=bytes(range(32))) for _ in range(2)]
    fresh = assay.prove(keys.proving_key, rows[:2])
    other = assay.prove(keys.proving_key, rows[1:3], opening=bytes(range(32)))
    for proof in (*same, fresh, other):
        assert assay.verify(keys.verifying_key, proof)
    assert same[0].input_commitment == same[1].input_commitment
    assert len({same[0].input_commitment, fresh.input_commitment, other.input_commitment, None}) == 4


@pytest.mark.parametrize("opening", [b"", bytes(31), bytes(33)])
def test_an_opening_of_another_length_is_refused(private_circuit, rows, opening):
    keys = assay.setup(private_circuit, max_batch=8)
    with pytest.raises(OpeningRefused):
        assay.prove(keys.proving_key, rows, opening=opening)


def test_an_srs_that_is_too_small_says_what_is_needed(circuit):
    tiny = generate(64)
    with pytest.raises(SrsTooSmall, match=r"degree 64, and \d+ is needed"):
        assay.setup(circuit, max_batch=128, srs=tiny.path)


def test_setup_names_its_steps(circuit):
    steps = []
    assay.setup(circuit, max_batch=1, progress=steps.append)
    assert steps[-1] == "Committing to the model"


def test_a_view_of_doubles_has_no_rule_that_names_zero(circuit):
    # The zero of those rules is a float32's key (docs/spec, 4.2).
    high = 2**64 - 1
    features = [Feature(feature.name, "float64", 0, high) for feature in circuit.features]
    for view in (View(0, "zero"), View(0, "low", zero_missing=True)):
        views = [view, *circuit.views[1:]]
        with pytest.raises(CircuitRefused, match="float64 feature reads zeros"):
            assay.setup(replace(circuit, features=features, views=views), max_batch=1)
    assert assay.setup(replace(circuit, features=features), max_batch=1).verifying_key.info["bits"] == 64
