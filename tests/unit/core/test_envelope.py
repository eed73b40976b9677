import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.envelope import Envelope, decode, encode, load, save
from assay.core.errors import ArtefactDamaged, ArtefactVersion, AssayError

FACTS = st.dictionaries(st.text(), st.integers() | st.text() | st.booleans() | st.lists(st.integers()))
SAMPLE = encode(Envelope("proving-key", bytes(range(256)), {"rows": 3}), version=1)


def read(data):
    return decode(data, kind="proving-key", version=1, name="the key")


@given(st.binary(), FACTS)
def test_what_was_encoded_is_decoded(content, facts):
    envelope = Envelope("proving-key", content, facts)
    assert read(encode(envelope, version=1)) == envelope


@given(st.integers(0, len(SAMPLE) - 1), st.integers(1, 255))
def test_no_altered_byte_goes_unnoticed(position, change):
    altered = bytearray(SAMPLE)
    altered[position] ^= change
    with pytest.raises(AssayError):
        read(bytes(altered))


@given(st.integers(0, len(SAMPLE) - 1))
def test_no_truncation_goes_unnoticed(length):
    with pytest.raises(ArtefactDamaged):
        read(SAMPLE[:length])


@given(st.binary() | st.text().map(str.encode) | st.just(b"[" * 100_000) | st.just(b"{" * 100_000 + b"\n"))
def test_arbitrary_bytes_are_refused(data):
    with pytest.raises(ArtefactDamaged, match="the key is not a proving key"):
        read(data)


def test_another_kind_is_refused_by_name():
    with pytest.raises(ArtefactDamaged, match="is not a proving key"):
        read(encode(Envelope("verifying-key", b"x"), version=1))


def test_another_version_is_refused_by_number():
    with pytest.raises(ArtefactVersion, match="format version 2, and 1 is read here"):
        read(encode(Envelope("proving-key", b"x"), version=2))


def test_the_first_line_tells_a_person_what_the_file_is():
    header = json.loads(SAMPLE.split(b"\n", 1)[0])
    assert header["artefact"] == "assay-proving-key"
    assert (header["version"], header["bytes"], header["about"]) == (1, 256, {"rows": 3})


def test_files_go_there_and_back(tmp_path):
    envelope = Envelope("proving-key", b"\n\n{}", {"a": [1]})
    save(envelope, tmp_path / "k", version=1)
    assert load(tmp_path / "k", kind="proving-key", version=1) == envelope
