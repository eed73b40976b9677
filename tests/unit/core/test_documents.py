"""Assay's own JSON files: written, read, and refused in one sentence."""

import json
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from assay.core import documents
from assay.core.errors import ArtefactDamaged, ArtefactVersion, NotFound


class Note(BaseModel):
    """A document of three fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["assay-note/2"] = Field("assay-note/2", alias="schema")
    text: str
    pages: int = 1


def read(path):
    return documents.read(path, Note, damaged=ArtefactDamaged, todo="Write it again.")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("a folder ü") / "note.json"


@given(text=st.text(), pages=st.integers())
def test_what_was_written_is_read(place, text, pages):
    note = Note(schema="assay-note/2", text=text.encode("utf-8", "replace").decode(), pages=pages)
    documents.write(place, note)
    assert read(place) == note
    assert json.loads(place.read_text("utf-8"))["schema"] == "assay-note/2"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["schema", "text", "pages", "x"]), inner),
    max_leaves=8,
)


@given(content=JSON)
def test_other_json_is_refused(place, content):
    place.write_text(json.dumps(content), "utf-8")
    try:
        right = Note.model_validate(content)
    except ValueError:
        with pytest.raises((ArtefactDamaged, ArtefactVersion), match=r"note\.json .*Write it again\."):
            read(place)
    else:
        assert read(place) == right


@pytest.mark.parametrize("raw", [b"", b"{", b"[" * 100_000, b'{"text": "\xff"}', b"\x00\x01", b"1" * 5000])
def test_what_is_no_json_is_refused(place, raw):
    place.write_bytes(raw)
    with pytest.raises(ArtefactDamaged, match=r"note\.json holds no note"):
        read(place)


def test_another_release_is_named(place):
    place.write_text('{"schema": "assay-note/3", "text": "later"}')
    with pytest.raises(ArtefactVersion, match="assay-note/3, and assay-note/2 is read"):
        read(place)
    place.write_text('{"schema": "assay-notebook/3", "text": "something else"}')
    with pytest.raises(ArtefactDamaged):
        read(place)
    with pytest.raises(NotFound):
        read(place.with_name("absent.json"))
