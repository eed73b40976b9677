"""What signers sign is EIP-712 as the Ethereum library has it; and files that are none."""

from __future__ import annotations

import json

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from assay.cli.main import run
from assay.core import documents
from assay.settle.errors import RowUnfit
from assay.settle.feed import FeedRow, SignedRow, of_document

FEED, CONSUMER, SUBJECT = ("0x" + digit * 40 for digit in "abc")
COMMON = [
    ("consumer", "address"),
    ("version", "uint32"),
    ("epoch", "uint64"),
    ("period", "uint64"),
    ("expires", "uint64"),
]
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
WORDS = st.lists(st.integers(0, (1 << 256) - 1), max_size=20)


class Key:
    """A signer of the Ethereum library's."""

    def __init__(self, number: int) -> None:
        self._account = Account.from_key(number.to_bytes(32, "big"))
        self.address = self._account.address

    def sign(self, digest: bytes) -> tuple[int, int, int]:
        made = self._account.unsafe_sign_hash(digest)
        return made.v - 27, made.r, made.s


def typed(row: FeedRow):
    """The same as the library hashes it."""
    fields = [*COMMON, ("words", "uint256[]")]
    message = {name: getattr(row, name) for name, _ in COMMON}
    name = "Row"
    if row.subject is not None:
        name = "HiddenRow"
        fields = [COMMON[0], ("subject", "address"), *COMMON[1:], ("commitment", "uint256[2]")]
        message |= {"subject": row.subject, "commitment": list(row.words)}
    else:
        message |= {"words": list(row.words)}
    return encode_typed_data(
        domain_data={"name": "Assay feed", "version": "1", "chainId": row.chain_id, "verifyingContract": row.feed},
        message_types={name: [{"name": field, "type": kind} for field, kind in fields]},
        message_data=message,
    )


def digest_of(row: FeedRow) -> bytes:
    from eth_account.messages import _hash_eip191_message

    return bytes(_hash_eip191_message(typed(row)))


def a_row(**changes) -> FeedRow:
    fields = {"chain_id": 1, "feed": FEED, "consumer": CONSUMER, "version": 1, "epoch": 3, "period": 7, "expires": 99}
    return FeedRow(**fields | {"words": (1, 2, 3)} | changes)


@given(WORDS, st.integers(1, 1 << 40), st.integers(0, (1 << 32) - 1), st.integers(1, (1 << 64) - 1))
def test_a_row_is_hashed_as_the_library_hashes_it(words, chain, version, period):
    row = a_row(words=tuple(words), chain_id=chain, version=version, period=period)
    assert row.digest() == digest_of(row)


@given(WORDS.filter(lambda words: len(words) > 1))
def test_a_hidden_row_is_hashed_as_the_library_hashes_it(words):
    row = a_row(words=tuple(words[:2]), subject=SUBJECT)
    assert row.digest() == digest_of(row)
    assert row.digest() != a_row(words=tuple(words[:2])).digest()


def test_signatures_are_the_librarys_in_the_contracts_order():
    row = a_row()
    keys = [Key(number) for number in (1, 2, 3)]
    made = [row.signed(key) for key in keys]
    for number, one in zip((1, 2, 3), made, strict=True):
        expected = Account.from_key(number.to_bytes(32, "big")).sign_message(typed(row))
        assert one.signature == "0x" + expected.signature.hex()
    rising = row.checked(made)
    assert [int(one.signer, 16) for one in rising] == sorted(int(key.address, 16) for key in keys)
    assert row.calldata(made) == row.calldata(made[::-1])


def test_signatures_that_are_none():
    row = a_row()
    made = row.signed(Key(1))
    with pytest.raises(RowUnfit, match="twice"):
        row.calldata([made, made])
    for change in ({"period": 8}, {"epoch": 4}):
        with pytest.raises(RowUnfit, match="not of this row"):
            a_row(**change).calldata([made])
    r, s, v = made.signature[2:66], int(made.signature[66:130], 16), int(made.signature[130:], 16)
    # The second form that each signature has, which the contract refuses.
    second = f"0x{r}{ORDER - s:064x}{55 - v:02x}"
    for broken in ("0x" + "00" * 65, "0x" + "ff" * 65, made.signature[:-2] + "05", second):
        with pytest.raises(RowUnfit, match="not of this row"):
            row.calldata([made.model_copy(update={"signature": broken})])


def test_rows_that_no_contract_takes():
    with pytest.raises(RowUnfit, match="two words"):
        a_row(subject=SUBJECT)
    with pytest.raises(RowUnfit, match="256 bits"):
        a_row(words=(1 << 256,))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--version", 2**32),
        ("--period", 2**64),
        ("--epoch", 2**64),
        ("--chain-id", 2**64),
        ("--minutes", "nan"),
        ("--minutes", "inf"),
        ("--minutes", "1e300"),
    ],
)
def test_numbers_that_no_contract_holds_are_refused_in_a_sentence(option, value, tmp_path, capsys):
    given = {"--feed": FEED, "--consumer": CONSUMER, "--chain-id": 1, "--period": 1, "--out": tmp_path / "row.json"}
    given |= {option: value}
    assert run(["feed", "row", "proof.json", *(str(part) for pair in given.items() for part in pair)]) == 2
    said = capsys.readouterr().err
    assert "mistake in Assay" not in said
    assert "Traceback" not in said
    assert not (tmp_path / "row.json").exists()


def test_a_file_is_read_back_or_refused(tmp_path, capsys):
    row = a_row(subject=SUBJECT, words=(5, 6))
    signed = row.document([row.signed(Key(1))])
    documents.write(tmp_path / "row.json", signed)
    found = documents.read(tmp_path / "row.json", SignedRow, damaged=RowUnfit, todo="")
    assert (found, of_document(found)) == (signed, row)
    good = json.loads((tmp_path / "row.json").read_text())
    bad = [
        {"words": ["x", "1"]},
        {"period": 0},
        {"epoch": 0},
        {"feed": "0x1"},
        {"more": 1},
        {"words": ["0x1"]},
        {"chain_id": "one"},
    ]
    for change in bad:
        (tmp_path / "bad.json").write_text(json.dumps(good | change))
        assert run(["feed", "calldata", str(tmp_path / "bad.json")]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "settle/row-unfit" in said.err
        assert len(said.err.strip().splitlines()) == 1
    assert run(["feed", "calldata", str(tmp_path / "row.json")]) == 0
    assert capsys.readouterr().out.strip() == row.calldata(signed.signatures)
