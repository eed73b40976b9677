"""Keys and proofs of every released version stay readable: one of each relation is stored, and read for ever.

A file here is never made again. A new version of the protocol adds its own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from assay import _core

from .proofs import Proof, native_refusal, reference_refusal
from .reference import check_itself, parse_key

FOLDER = Path(__file__).parent / "fixtures"
STORED = sorted(path.stem for path in FOLDER.glob("*.key"))
RELATIONS = {"trees", "trees-batch", "trees-private", "linear", "networks", "networks-batch", "networks-private"}
VERSIONS = (3,)


def stored(name: str) -> tuple[bytes, bytes]:
    return (FOLDER / f"{name}.key").read_bytes(), (FOLDER / f"{name}.proof").read_bytes()


def test_there_is_one_of_each_version_and_relation() -> None:
    assert set(STORED) == {f"version-{version}-{relation}" for version in VERSIONS for relation in RELATIONS}


@pytest.mark.parametrize("name", STORED)
def test_a_stored_proof_is_accepted_by_both(name: str) -> None:
    key, container = stored(name)
    if "networks" in name:
        with pytest.raises(_core.CoreError) as caught:  # What it commits to is in no key.
            _core.check_key_itself(key)
        assert caught.value.args[0] == "key/needs-circuit"
    else:
        _core.check_key_itself(key)
        check_itself(parse_key(key))
    _core.verify(key, container)
    info = _core.proof_info(container)
    assert int.from_bytes(info["context"], "big") == 0xC0FFEE
    proof = Proof(key, info["rows"], tuple(int(word) for word in info["public_words"]), info["body"])
    assert native_refusal(proof) is None
    assert reference_refusal(proof) is None
    for word in (0, len(proof.words) - 1):
        changed = list(proof.words)
        changed[word] ^= 1
        assert native_refusal(proof.with_(words=tuple(changed))) is not None
        assert reference_refusal(proof.with_(words=tuple(changed))) is not None


@pytest.mark.parametrize("name", ["version-3-trees", "version-3-networks"])
@pytest.mark.parametrize("number", [b"0", b"1", b"2", b"4", b"33", b"999"])
def test_other_versions_are_refused_by_name(number: bytes, name: str) -> None:
    key, container = stored(name)
    for data, read in ((key, _core.vk_info), (container, _core.proof_info)):
        other = data.replace(b"/3\0", b"/" + number + b"\0", 1)
        with pytest.raises(_core.CoreError) as caught:
            read(other)
        assert caught.value.args[0] == "key/version"
        assert "version" in caught.value.args[1]
