"""Rows that m of n signers vouch for: what `contracts/src/feeds/SignedFeed.sol` takes (EIP-712), signed one by one.

A file holds what is signed and the signatures so far; it goes from signer to signer, and whoever has it with enough of
them brings it to the chain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from assay.core.keccak import keccak256
from assay.settle.errors import RowUnfit
from assay.settle.network import selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.prove.proof import Proof
    from assay.settle.signer import Signer

SCHEMA = "assay-signed-row/1"
_WORD = 1 << 256
_TIME = 1 << 64
_SIGNATURE_BYTES = 65
_RECOVERY = 27
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Of secp256k1's group; a greater s is the other form of the same signature."""

_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_NAME, _VERSION = b"Assay feed", b"1"
ROW = "Row(address consumer,uint32 version,uint64 epoch,uint64 period,uint64 expires,uint256[] words)"
HIDDEN_ROW = (
    "HiddenRow(address consumer,address subject,uint32 version,uint64 epoch,uint64 period,uint64 expires,"
    "uint256[2] commitment)"
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Signature(_Part):
    """Of one signer, 65 bytes."""

    signer: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    signature: str = Field(pattern=r"^0x[0-9a-f]{130}$")


class SignedRow(_Part):
    """The file."""

    schema_: str = Field(SCHEMA, alias="schema", pattern=f"^{SCHEMA}$")
    chain_id: int = Field(gt=0, lt=_WORD)
    feed: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    consumer: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    subject: str | None = Field(None, pattern=r"^0x[0-9a-fA-F]{40}$")
    version: int = Field(0, ge=0, lt=1 << 32)
    epoch: int = Field(gt=0, lt=_TIME)
    period: int = Field(gt=0, lt=_TIME)
    expires: int = Field(gt=0, lt=_TIME)
    words: list[str]
    signatures: list[Signature] = []


@dataclass(frozen=True)
class FeedRow:
    """A row for a consumer, or the commitment of one that nobody sees.

    Attributes
    ----------
    chain_id, feed
        The contract that checks the signatures.
    consumer
        The contract that it is for.
    version
        The registry's version whose words these are; 0 for a consumer of one pinned model.
    epoch
        Number of the set of signers, `SignedFeed.epoch`: a rotation ends what was signed before it.
    period
        Above that of everything before it for the consumer, or for the subject.
    expires
        The last second, since 1970, in which it may be brought.
    words
        The row's input words; with a subject the two words of its commitment.
    subject
        Of whom a hidden row is.
    """

    chain_id: int
    feed: str
    consumer: str
    version: int
    epoch: int
    period: int
    expires: int
    words: tuple[int, ...]
    subject: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no contract takes."""
        if self.subject is not None and len(self.words) != 2:
            raise RowUnfit(
                f"a row of a subject is its commitment, two words, and {len(self.words)} were given",
                "Make the proof with private inputs.",
            )
        if any(not 0 <= word < _WORD for word in self.words):
            raise RowUnfit("a word is no unsigned integer of 256 bits", "Give the words of `assay prove`.")

    def digest(self) -> bytes:
        """What is signed: EIP-712's hash of domain and row."""
        names = keccak256(_DOMAIN.encode()) + keccak256(_NAME) + keccak256(_VERSION)
        domain = keccak256(names + _word(self.chain_id) + _address(self.feed))
        return keccak256(b"\x19\x01" + domain + self._struct())

    def _struct(self) -> bytes:
        kind = ROW if self.subject is None else HIDDEN_ROW
        subject = b"" if self.subject is None else _address(self.subject)
        numbers = b"".join(_word(value) for value in (self.version, self.epoch, self.period, self.expires))
        words = keccak256(b"".join(_word(word) for word in self.words))
        return keccak256(keccak256(kind.encode()) + _address(self.consumer) + subject + numbers + words)

    def calldata(self, signatures: Sequence[Signature]) -> str:
        """The call of the feed that brings it, 0x-hexadecimal; signatures in any order.

        Raises
        ------
        RowUnfit
            One is not its signer's, or a signer is there twice.
        """
        from eth_abi.abi import encode

        body = b"".join(bytes.fromhex(one.signature[2:]) for one in self.checked(signatures))
        numbers = (self.version, self.epoch, self.period, self.expires)
        if self.subject is None:
            kind, row = "(address,uint32,uint64,uint64,uint64,uint256[])", (self.consumer, *numbers, self.words)
            return selector(f"post({kind},bytes)") + encode([kind, "bytes"], [row, body]).hex()
        kind = "(address,address,uint32,uint64,uint64,uint64,uint256[2])"
        hidden = (self.consumer, self.subject, *numbers, self.words)
        return selector(f"attest({kind},bytes)") + encode([kind, "bytes"], [hidden, body]).hex()

    def checked(self, signatures: Sequence[Signature]) -> list[Signature]:
        """The signatures as the contract takes them: rising by their signers, each its signer's own."""
        rising = sorted(signatures, key=lambda one: int(one.signer, 16))
        digest = self.digest()
        for one in rising:
            if _recovered(digest, one.signature) != one.signer.lower():
                raise RowUnfit(f"the signature of {one.signer} is not of this row", "Have it signed again.")
        signers = [one.signer.lower() for one in rising]
        if len(set(signers)) < len(signers):
            raise RowUnfit("a signer is there twice", "Leave one signature out: each counts once.")
        return rising

    def signed(self, signer: Signer) -> Signature:
        """The signature of one of the signers."""
        parity, r, s = signer.sign(self.digest())
        body = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([_RECOVERY + parity])
        return Signature(signer=signer.address, signature="0x" + body.hex())

    def document(self, signatures: Sequence[Signature] = ()) -> SignedRow:
        """As a file has it."""
        return SignedRow(
            schema=SCHEMA,
            chain_id=self.chain_id,
            feed=self.feed,
            consumer=self.consumer,
            subject=self.subject,
            version=self.version,
            epoch=self.epoch,
            period=self.period,
            expires=self.expires,
            words=[hex(word) for word in self.words],
            signatures=list(signatures),
        )


def of_document(found: SignedRow) -> FeedRow:
    """The row of a file; raises `RowUnfit`."""
    try:
        words = tuple(int(word, 16) for word in found.words)
    except ValueError:
        raise RowUnfit("a word is no hexadecimal number", "Have the file made again.") from None
    fields: dict[str, Any] = found.model_dump(exclude={"schema_", "signatures", "words"})
    return FeedRow(words=words, **fields)


def of_proof(row: FeedRow, proof: Proof) -> FeedRow:
    """The same with a proof's own words: its row's, or the commitment where its inputs are private.

    Raises
    ------
    RowUnfit
        The proof shows its row and a subject is named, or hides it and none is; or it is of several rows.
    """
    if proof.rows != 1:
        raise RowUnfit(f"the proof is of {proof.rows} rows", "Give one of a single row.")
    hidden = proof.input_commitment is not None
    if hidden != (row.subject is not None):
        raise RowUnfit(
            "the proof hides its row, and no subject is named" if hidden else "the proof shows its row to everybody",
            "Name the subject of whom the row is."
            if hidden
            else "Transpile with --inputs private, or name no subject.",
        )
    # Outputs and context are not signed: what the row gives is for the proof that is settled to say.
    return replace(row, words=tuple(proof.public_inputs[: -1 - proof.outputs.shape[1]]))


def _recovered(digest: bytes, signature: str) -> str:
    from eth_keys.datatypes import Signature as Both
    from eth_keys.exceptions import BadSignature
    from eth_utils.exceptions import ValidationError

    body = bytes.fromhex(signature[2:])
    if int.from_bytes(body[32:64], "big") > _HALF_ORDER:
        return ""  # the second form that each signature has, which the contract refuses
    try:
        found = Both(body[:-1] + bytes([body[-1] - _RECOVERY])).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError, ValueError):
        return ""
    return str(found.to_address()).lower()


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _address(text: str) -> bytes:
    return bytes.fromhex(text[2:]).rjust(32, b"\0")
