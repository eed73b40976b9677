"""The reader of tries against py-trie, and against hostile proofs."""

from __future__ import annotations

import contextlib
import random

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st
from tests.agreement.tries import FIXTURE, cases, content

from assay.chain.trie import EMPTY_ROOT, Unsound, encode, encode_integer, find, integer, items, split, string

CASES = cases()


def test_the_solidity_tests_fixture_is_what_py_trie_makes():
    assert FIXTURE.read_bytes() == content()


def test_every_trie_is_read_as_its_maker_reads_it():
    for root, key, proof, value in CASES:
        assert find(root, key, proof) == (value or None)


def test_five_hundred_mutated_proofs_are_refused():
    draw = random.Random(5)
    refused = 0
    while refused < 500:
        root, key, proof, _ = draw.choice(CASES)
        changed = bytearray(proof)
        place = draw.randrange(len(proof) + 1)
        match draw.randrange(4):
            case 0:
                del changed[place:]
            case 1:
                changed[place:place] = draw.randbytes(1)
            case 2:
                changed += proof[:place] or b"\xc0"
            case _:
                if proof:
                    changed[place % len(proof)] ^= 1 << draw.randrange(8)
        if bytes(changed) == proof:
            continue
        with pytest.raises(Unsound):
            find(root, key, bytes(changed))
        refused += 1


def test_another_key_is_absent_or_the_proof_is_none_of_it():
    for root, key, proof, value in CASES:
        if value:
            other = bytes([key[0] ^ 0x80]) + key[1:]
            with contextlib.suppress(Unsound):
                assert find(root, other, proof) is None


def test_an_empty_trie_has_nothing_and_no_nodes():
    assert find(EMPTY_ROOT, bytes(32), b"") is None
    with pytest.raises(Unsound, match="empty"):
        find(EMPTY_ROOT, bytes(32), CASES[1][2])


@given(st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=20), max_leaves=20))
def test_rlp_is_that_of_the_library(item):
    encoded = rlp.encode(item)
    if isinstance(item, bytes):
        assert encode(item) == encoded
        assert string(encoded) == item
    else:
        assert items(encoded) == [rlp.encode(one) for one in item]
        assert encode([rlp.encode(one) for one in item]) == encoded
        assert split(encoded * 2) == [encoded, encoded]


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_what_the_library_reads(content):
    try:
        found = string(content)
    except Unsound:
        return
    assert rlp.decode(content) == found


@given(st.integers(0, (1 << 256) - 1))
def test_integers_are_in_their_shortest_form(value):
    assert encode_integer(value) == rlp.encode(value)
    assert integer(encode_integer(value)) == value


@pytest.mark.parametrize("encoded", ["8100", "820001", "b80100", "b90001", "c1", "a100" + "00" * 32, ""])
def test_longer_forms_are_refused(encoded):
    with pytest.raises(Unsound):
        integer(bytes.fromhex(encoded))
