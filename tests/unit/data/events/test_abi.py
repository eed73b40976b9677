import json

import pytest
from eth_utils import keccak

from assay.data.errors import AbiInvalid
from assay.data.events.abi import from_json, from_signature

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def test_the_topic_of_a_well_known_event():
    event = from_signature("event Transfer(address indexed from, address indexed to, uint256 value);")
    assert "0x" + event.topic.hex() == TRANSFER
    assert [given.name for given in event.topics] == ["from", "to"]
    assert [given.name for given in event.words] == ["value"]


def test_short_names_of_types_and_absent_names():
    event = from_signature("Moved(uint, int indexed)")
    assert event.signature == "Moved(uint256,int256)"
    assert [given.name for given in event.inputs] == ["arg0", "arg1"]
    assert event.topic == keccak(text="Moved(uint256,int256)")


def test_an_abi_file_gives_the_same_event():
    signature = "event Swap(address indexed sender, int128 amount, bytes32 id, bool up, string memo)"
    expected = from_signature(signature)
    inputs = [{"name": g.name, "type": g.type, "indexed": g.indexed} for g in expected.inputs]
    entry = {"type": "event", "name": "Swap", "inputs": inputs}
    for content in ([entry], {"abi": [{"type": "function", "name": "Swap"}, entry]}):
        assert from_json(json.dumps(content).encode(), "Swap", "pool.json") == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no event"),
        ("event", "no event"),
        ("event Swap(uint256", "no event"),
        ("event Swap(uint256 a) anonymous", "anonymous"),
        ("event Swap(uint256[] a)", "not decoded"),
        ("event Swap(Pool a)", "not decoded"),
        ("event Swap(uint7 a)", "does not have"),
        ("event Swap(bytes33 a)", "does not have"),
        ("event Swap(uint256 a, uint256 a)", "two parameters"),
        ("event Swap(uint256 a, , uint8 b)", "no parameter"),
        ("event Swap(int indexed a, int indexed b, int indexed c, int indexed d)", "4 indexed"),
    ],
)
def test_signatures_that_are_none(text, word):
    with pytest.raises(AbiInvalid, match=word):
        from_signature(text)


def test_an_anonymous_event_of_an_abi_file_is_refused_as_that_of_a_signature():
    entry = {"type": "event", "name": "LogNote", "inputs": [{"name": "wad", "type": "uint256", "indexed": False}]}
    for named in ({}, {"anonymous": False}):
        assert from_json(json.dumps([entry | named]).encode(), "LogNote", "abi.json").name == "LogNote"
    with pytest.raises(AbiInvalid, match="the event LogNote is anonymous, so its logs cannot be told apart"):
        from_json(json.dumps([entry | {"anonymous": True}]).encode(), "LogNote", "abi.json")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"{}",
        b"[1]",
        b'[{"type": "event", "name": "Swap"}]',
        b'[{"type": "event", "name": "Mint"}]',
    ],
    ids=range(7),
)
def test_abi_files_that_are_none(content):
    with pytest.raises(AbiInvalid):
        from_json(content, "Swap", "pool.json")
