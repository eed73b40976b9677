"""The word that binds a proof to where it is used."""

import pytest

import assay
from assay.prove.errors import InvalidProof, WrongContext
from assay.prove.proof import Proof
from assay.prove.prove import read_context

LARGEST = (1 << 256) - 1


@pytest.mark.parametrize("context", [0, 1, LARGEST])
def test_a_proof_has_the_context_it_was_made_for(keys, rows, context):
    proof = assay.prove(keys.proving_key, rows[:1], context=context)
    assert proof.context == context
    assert proof.public_inputs[-1] == context
    assert Proof.from_json(proof.to_json()).context == context
    assert assay.verify(keys.verifying_key, proof)


def test_another_context_is_another_statement(keys, rows):
    proof = assay.prove(keys.proving_key, rows[:1], context=7)
    content = proof.to_bytes()
    word = (7).to_bytes(32, "big")
    assert content.count(word) == 1
    with pytest.raises(InvalidProof):
        assay.verify(keys.verifying_key, Proof.from_bytes(content.replace(word, (8).to_bytes(32, "big"))))


@pytest.mark.parametrize("context", [-1, LARGEST + 1, True, 1.0, "1", None])
def test_what_is_no_context(keys, rows, context):
    with pytest.raises(WrongContext):
        assay.prove(keys.proving_key, rows[:1], context=context)


def test_contexts_as_people_write_them():
    assert [read_context(text) for text in ("0", "255", "0xff", "0XFF")] == [0, 255, 255, 255]
    for text in ("", "ff", "-1", "0x", "1.5", str(LARGEST + 1)):
        with pytest.raises(WrongContext):
            read_context(text)
