import pytest
from eth_abi import decode, encode
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from assay.prove.calldata import VERIFY_SELECTOR, verify_calldata

WORD = st.integers(0, 2**256 - 1)


def test_selector_is_that_of_the_signature():
    assert keccak(text="verify(bytes,uint256[])")[:4] == VERIFY_SELECTOR


@given(st.binary(max_size=200), st.lists(WORD, max_size=8))
def test_encoding_is_the_canonical_one(body, words):
    data = verify_calldata(body, words)
    assert data[4:] == encode(["bytes", "uint256[]"], [body, words])
    assert decode(["bytes", "uint256[]"], data[4:]) == (body, tuple(words))


@pytest.mark.parametrize("word", [-1, 2**256])
def test_a_word_that_does_not_fit_is_refused(word):
    with pytest.raises(OverflowError):
        verify_calldata(b"", [word])
