"""One verifier for all models of a shape: a retrained model then brings its own points, and no code.

What a verifier computes follows from the key's public part: its shape, its reference string, and the commitments that
both give. Two models of one shape differ in the commitments to what is hidden. The *shared* verifier is the contract of
the public part; a model's own contract is a few bytes that hand every call to it, with the model's digest and hidden
points behind them, where the shared one reads them. Its address and code hash name both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.chain import networks
from assay.chain.context import context
from assay.chain.deploy import Deployment
from assay.chain.errors import KeyNotSupported, ModelElsewhere
from assay.chain.key import MAGIC, Key
from assay.core.keccak import keccak256

if TYPE_CHECKING:
    from typing import Any

    from assay.chain.deploy import Chain

_POINT = 64
_TAU = 128

# Every call goes to the shared verifier with the caller's own storage and address (EIP-1167).
_FORWARD = bytes.fromhex("363d3d373d3d3d363d73"), bytes.fromhex("5af43d82803e903d91602b57fd5bf3")
FORWARD_SIZE = sum(map(len, _FORWARD)) + 20
"""Bytes of a model's contract before its data."""


@dataclass(frozen=True)
class Parts:
    """Where a key's bytes are of one model alone: offsets from its beginning.

    Attributes
    ----------
    hidden
        Of the commitments to what is hidden, one after the other.
    count
        How many they are.
    own
        Of the key's proof of itself, which no contract reads; None where it has none.
    size
        Bytes of the whole key.
    """

    hidden: int
    count: int
    own: int | None
    size: int

    @classmethod
    def of(cls, key: Key, vk: bytes) -> Parts:
        """Find them."""
        start = len(MAGIC) + 4 + 13 * 4 + 6 * len(key.views)
        # Of a table the first point is public; a linear model has its weights alone.
        first, count = (0, 1) if key.linear else (1, len(key.table_points) - 1)
        own = None if key.linear else len(vk) - _TAU - _POINT
        return cls(start + _POINT * first, count, own, len(vk))

    def public(self, vk: bytes) -> bytes:
        """The key with what is its model's own set to zero: equal for all models that can share a verifier."""
        masked = bytearray(vk)
        end = self.hidden + _POINT * self.count
        masked[self.hidden : end] = bytes(end - self.hidden)
        if self.own is not None:
            masked[self.own : self.own + _POINT] = bytes(_POINT)
        return bytes(masked)

    def data(self, vk: bytes) -> bytes:
        """What a model's contract carries: the key's digest, then its hidden points."""
        return keccak256(vk) + vk[self.hidden : self.hidden + _POINT * self.count]


def require_sharing(vk: bytes) -> None:
    """Refuse a network's key; raises `KeyNotSupported`."""
    if vk.startswith(MAGIC) and vk[len(MAGIC) : len(MAGIC) + 1] == bytes([networks.KIND]):
        raise KeyNotSupported(
            "Networks cannot share a verifier yet.", "Write the model's own with `assay solidity`, without `--shared`."
        )


def _read(vk: bytes) -> Key:
    require_sharing(vk)
    return Key.parse(vk)


def shape_digest(vk: bytes) -> bytes:
    """Digest of a key's public part, 32 bytes: models with the same one can share a verifier.

    Raises
    ------
    KeyNotSupported
        The bytes are not a key of this release's format, or a network's.
    """
    return keccak256(Parts.of(_read(vk), vk).public(vk))


def shared_context(key: Key, vk: bytes) -> dict[str, Any]:
    """The values of the templates for the shared verifier of a key's shape."""
    parts = Parts.of(key, vk)
    names = ["WEIGHTS"] if key.linear else ["G", "A", "CC"]
    return context(key, vk) | {
        "shared": True,
        "parts": parts,
        "shape_digest": keccak256(parts.public(vk)).hex(),
        "data_at": FORWARD_SIZE,
        "model_size": FORWARD_SIZE + 32 + _POINT * parts.count,
        "forward": [part.hex() for part in _FORWARD],
        "hidden": {name: FORWARD_SIZE + 32 + _POINT * i for i, name in enumerate(names)},
        "selector_not_a_model": "0x" + keccak256(b"NotAModel()")[:4].hex(),
    }


def model_code(vk: bytes, shared: str) -> bytes:
    """The code of a model's own contract, for the shared verifier at an address.

    Parameters
    ----------
    vk
        The model's verifying key.
    shared
        Address of the shared verifier, 0x and 40 hexadecimal digits.

    Returns
    -------
        The code that stands on the chain; `keccak256` of it is what consumers and registries compare.

    Raises
    ------
    KeyNotSupported
        The bytes are not a key of this release's format, or `shared` is no address.
    """
    try:
        address = bytes.fromhex(shared.removeprefix("0x"))
    except ValueError:
        address = b""
    if len(address) != 20:
        raise KeyNotSupported(f"{shared!r} is not an address.", "An address is 0x and 40 hexadecimal digits.")
    before, behind = _FORWARD
    return before + address + behind + Parts.of(_read(vk), vk).data(vk)


def model_address(vk: bytes, shared: str) -> str:
    """Where the shared verifier's `create` puts a model's contract: 0x and 40 digits, with their checksum."""
    creation = _creation(model_code(vk, shared))
    address = bytes.fromhex(shared.removeprefix("0x"))
    plain = keccak256(b"\xff" + address + bytes(32) + keccak256(creation))[12:].hex()
    # EIP-55: a letter is a capital where the digest of the small ones has its digit from 8 on.
    digest = keccak256(plain.encode()).hex()
    return "0x" + "".join(
        one.upper() if int(place, 16) >= 8 else one for one, place in zip(plain, digest, strict=False)
    )


def _creation(code: bytes) -> bytes:
    """Code that leaves `code` on the chain: PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, ... RETURN."""
    return b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a3d393df3") + code


def create_model(chain: Chain, shared: Deployment, vk: bytes) -> Deployment:
    """Have the shared verifier make a model's contract, and compare what then stands there.

    Parameters
    ----------
    chain
        Where the shared verifier is.
    shared
        The shared verifier of the key's shape.
    vk
        The model's verifying key, of which nothing is checked here: `assay.solidity` and `render_shared` do.

    Returns
    -------
        The model's contract, with the interface of a verifier.

    Raises
    ------
    TransactionReverted
        `OtherShape`: the key is of another one.
    ModelElsewhere
        The code at the model's address is not what this key gives.
    """
    code = model_code(vk, shared.address)
    address = model_address(vk, shared.address)
    receipt = chain.send(shared, "create", vk)
    if chain.code_hash(address) != keccak256(code):
        raise ModelElsewhere(
            f"The code at {address} is not that of the model 0x{keccak256(vk).hex()}.",
            "The contract at the given address is not the shared verifier of the key's shape: use its address.",
        )
    return Deployment(shared.name, address, shared.abi, receipt)
