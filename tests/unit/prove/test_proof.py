import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

import assay
from assay.core.errors import AssayError
from assay.prove.calldata import verify_calldata
from assay.prove.errors import ContradictoryProof, UnreadableProof
from assay.prove.proof import Proof

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def test_bytes_go_there_and_back(proof):
    assert Proof.from_bytes(proof.to_bytes()) == proof


def test_json_goes_there_and_back(keys, proof):
    again = Proof.from_json(proof.to_json())
    assert again == proof
    assert assay.verify(keys.verifying_key, again)


def test_json_shows_what_is_proven(proof, expected):
    fields = json.loads(proof.to_json())
    assert fields["schema"] == "assay-proof/1"
    assert fields["outputs"] == [[value / 16] for [value] in expected]
    assert fields["output_integers"] == [[str(value)] for [value] in expected]
    assert fields["scale_bits"] == 4
    assert [int(word, 16) for word in fields["public_inputs"]] == proof.public_inputs
    assert bytes.fromhex(fields["proof"][2:]) == proof.body
    assert fields["input_commitment"] is None
    assert fields["srs"] == "development"


def test_calldata_is_that_of_the_contract(proof):
    assert proof.calldata() == verify_calldata(proof.body, proof.public_inputs)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("outputs", [[9.0]]),
        ("output_integers", [["9"]]),
        ("scale_bits", 5),
        ("public_inputs", []),
        ("input_commitment", "0x00"),
        ("verifying_key", "00"),
        ("srs", "ceremony"),
        ("proof", "0x"),
    ],
)
def test_a_file_that_says_otherwise_than_its_proof_is_invalid(proof, name, value):
    fields = json.loads(proof.to_json()) | {name: value}
    with pytest.raises(ContradictoryProof, match=name):
        Proof.from_json(json.dumps(fields))
    fields.pop(name)
    with pytest.raises(ContradictoryProof, match=name):
        Proof.from_json(json.dumps(fields))


@pytest.mark.parametrize("artefact", [None, 7, "", "not base64!", "AAAA", "é"])
def test_an_artefact_that_is_none_is_unreadable(proof, artefact):
    fields = json.loads(proof.to_json()) | {"artefact": artefact}
    with pytest.raises(UnreadableProof):
        Proof.from_json(json.dumps(fields))


def test_another_version_is_refused_by_name(proof):
    fields = json.loads(proof.to_json()) | {"schema": "assay-proof/9"}
    with pytest.raises(UnreadableProof, match="assay-proof/9") as caught:
        Proof.from_json(json.dumps(fields))
    assert caught.value.code == "proof/version"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}", '{"schema": 3}', b"\xff\xfe", "[" * 100_000])
def test_what_is_not_a_proof_is_unreadable(text):
    with pytest.raises(UnreadableProof):
        Proof.from_json(text)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(data):
    with pytest.raises(AssayError):
        Proof.from_bytes(data)


@given(st.dictionaries(st.sampled_from(["schema", "artefact", "outputs", "proof"]), JSON))
def test_arbitrary_json_is_refused(fields):
    with pytest.raises(AssayError):
        Proof.from_json(json.dumps({"schema": "assay-proof/1"} | fields))


def test_every_truncation_is_refused(proof):
    data = proof.to_bytes()
    for length in range(0, len(data), 7):
        with pytest.raises(AssayError):
            Proof.from_bytes(data[:length])


def test_every_altered_byte_is_refused(keys, proof):
    data = proof.to_bytes()
    for position in range(0, len(data), 5):
        altered = bytearray(data)
        altered[position] ^= 1
        with pytest.raises(AssayError):
            assay.verify(keys.verifying_key, Proof.from_bytes(bytes(altered)))


# Where a container's header has the scale, behind magic, digest, two kinds, features and outputs.
SCALE_AT = 14 + 32 + 2 + 4 + 4


def test_a_small_file_takes_little_memory(proof):
    """The scale is four bytes of a stranger: shown as a power of two it would take 512 MB."""
    data = bytearray(proof.to_bytes())
    assert int.from_bytes(data[SCALE_AT : SCALE_AT + 4], "big") == proof.scale_bits
    data[SCALE_AT : SCALE_AT + 4] = b"\xff" * 4
    tracemalloc.start()
    with pytest.raises(UnreadableProof) as caught:
        Proof.from_bytes(bytes(data)).to_json()
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert caught.value.code == "proof/malformed"
    data[SCALE_AT : SCALE_AT + 4] = (1024).to_bytes(4, "big")
    assert Proof.from_bytes(bytes(data)).scale_bits == 1024
