from __future__ import annotations

import random

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from assay.chain.errors import KeyNotSupported
from assay.chain.key import Key
from assay.chain.solidity import render
from assay.core.keccak import keccak256
from assay.prove.calldata import VERIFY_SELECTOR, verify_calldata
from assay.prove.errors import KeyForged, KeyRefused
from assay.prove.keys import VerifyingKey

from .shapes import SHAPES
from .trapdoor import linear_model, tree_model

TREES, LINEAR = (make(random.Random(1)).vk for make in (tree_model, linear_model))


@given(st.binary(max_size=1000))
def test_keccak_is_ethereums(data):
    assert keccak256(data) == keccak(data)


@given(st.binary(max_size=300), st.lists(st.integers(0, 2**256 - 1), max_size=8))
def test_calldata_is_the_canonical_encoding(body, words):
    assert keccak(text="verify(bytes,uint256[])")[:4] == VERIFY_SELECTOR
    assert verify_calldata(body, words) == VERIFY_SELECTOR + encode(["bytes", "uint256[]"], [body, words])


@pytest.mark.parametrize("name", list(SHAPES))
def test_the_source_names_its_key_and_is_reproducible(name):
    make, changes, _ = SHAPES[name]
    model = make(random.Random(1), **changes)
    source = render(model.vk)
    assert source.model_id == "0x" + model.digest.hex()
    assert source.model_id in source.text
    assert source == render(model.vk)
    assert source.development


def test_a_name_of_ones_own():
    assert "contract Tomorrow is IAssayVerifier" in render(TREES, name="Tomorrow").text
    for name in ("", "two words", "x{}", "é", "1st"):
        with pytest.raises(KeyNotSupported, match="name for a contract"):
            render(TREES, name=name)


@pytest.mark.parametrize("vk", [b"", b"assay-vk/1\0" + TREES[11:], b"{}", TREES[:-1], TREES[:-32], TREES + bytes(64)])
def test_keys_that_are_none(vk):
    with pytest.raises(KeyNotSupported) as caught:
        Key.parse(vk)
    assert caught.value.code == "chain/key-not-supported"


def test_a_key_that_the_native_verifier_refuses_has_no_contract():
    """Four lanes of 128 bits do not fit one field element: sums could be written in more than one way."""
    vk = tree_model(random.Random(1), lane=128, outputs=4).vk
    with pytest.raises(KeyRefused, match="lane"):
        VerifyingKey.new(vk, srs={}, max_batch=1).info  # noqa: B018 - a property that reads the key
    with pytest.raises(KeyNotSupported, match="lane") as caught:
        render(vk)
    assert caught.value.code == "chain/key-not-supported"


@pytest.mark.parametrize("vk", [b"", b"{}", TREES[:-1], TREES[:-32], LINEAR + bytes(64)])
def test_bytes_that_are_no_key_have_no_contract(vk):
    with pytest.raises(KeyNotSupported):
        render(vk)


@given(st.sampled_from([TREES, LINEAR]), st.lists(st.tuples(st.integers(11, 130), st.integers(0, 255)), max_size=4))
def test_a_damaged_key_is_refused_or_rendered(vk, changes):
    damaged = bytearray(vk)
    for at, value in changes:
        damaged[at] = value
    try:
        text = render(bytes(damaged)).text
    except (KeyForged, KeyNotSupported):
        return
    assert "contract AssayVerifier" in text
