"""Words of other contracts' storage, proven: made of a node's `eth_getProof` when they are used, and checked first.

A node forgets old states within minutes, so a proof is made at once or never; and whoever keeps one needs no node to
check it. `contracts/src/state` takes it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from assay.chain.errors import NoStorage, SlotEmpty, StateAltered, StateNotServed
from assay.chain.trie import EMPTY_ROOT, Unsound, encode, encode_integer, find, integer, items, split, string
from assay.core.errors import AssayError
from assay.core.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Ask = Callable[..., Any]

TYPE = "(bytes,bytes,bytes[])"
"""`StateProof` in the ABI's words."""

# A header's fields in their order, by the names of `eth_getBlockByNumber`: bytes, or integers. Forks add to the end:
# London, Shanghai, Cancun, Prague, Amsterdam.
_FIELDS = {
    "parentHash": bytes, "sha3Uncles": bytes, "miner": bytes, "stateRoot": bytes, "transactionsRoot": bytes,
    "receiptsRoot": bytes, "logsBloom": bytes, "difficulty": int, "number": int, "gasLimit": int, "gasUsed": int,
    "timestamp": int, "extraData": bytes, "mixHash": bytes, "nonce": bytes, "baseFeePerGas": int,
    "withdrawalsRoot": bytes, "blobGasUsed": int, "excessBlobGas": int, "parentBeaconBlockRoot": bytes,
    "requestsHash": bytes, "blockAccessListHash": bytes,
}  # fmt: skip
_STATE_ROOT, _NUMBER, _TIMESTAMP = 3, 8, 11
_LEAST_FIELDS = 15
_ACCOUNT_FIELDS, _STORAGE_ROOT = 4, 2
_SHORTEST = 32
_ADDRESS_BYTES = 20
_SLOT_BYTES = 32

_WINDOW = (
    "Use a node that keeps so many states: Geth and Nethermind the last 128 blocks, Reth none unless it is started "
    "with --rpc.eth-proof-window, Erigon with its history of commitments; many public nodes serve none."
)


@dataclass(frozen=True)
class StateProof:
    """A block's header, an account's proof in its state, and proofs of slots in its storage.

    Attributes
    ----------
    account
        Whose storage, 0x and 40 digits.
    slots
        Which slots.
    header
        The header in RLP.
    account_proof
        The nodes from the state's root to the account, one behind the other.
    slot_proofs
        For each slot the nodes in the account's storage.
    """

    account: str
    slots: tuple[int, ...]
    header: bytes
    account_proof: bytes
    slot_proofs: tuple[bytes, ...]

    @property
    def block_hash(self) -> bytes:
        """Hash of the header: the only thing that the rest hangs on."""
        return keccak256(self.header)

    @property
    def number(self) -> int:
        """The block's number."""
        return self._field(_NUMBER)

    @property
    def timestamp(self) -> int:
        """The block's time, in seconds since 1970."""
        return self._field(_TIMESTAMP)

    def _field(self, which: int) -> int:
        try:
            return integer(items(self.header)[which])
        except (Unsound, IndexError) as error:
            raise StateAltered(f"the header is none ({error})", _AGAIN) from None

    def words(self, *, block_hash: bytes | None = None, absent: bool = False) -> list[int]:
        """What the slots hold, by the proofs alone.

        Parameters
        ----------
        block_hash
            What the header must hash to, where that is known from elsewhere: never all zeros.
        absent
            Whether a slot may hold nothing, which is proven, too: it is zero then.

        Raises
        ------
        StateAltered
            Header, account or a slot is not proven.
        NoStorage
            The account is there and keeps nothing.
        SlotEmpty
            A slot holds nothing and `absent` is not set: more often a wrong slot than a zero.
        """
        if block_hash is not None and (self.block_hash != block_hash or not any(block_hash)):
            raise StateAltered(
                f"the header hashes to 0x{self.block_hash.hex()}, and the block is 0x{block_hash.hex()}", _AGAIN
            )
        root = self._storage_root()
        return [self._word(root, *one, absent=absent) for one in zip(self.slots, self.slot_proofs, strict=True)]

    def _storage_root(self) -> bytes:
        try:
            root = _storage_root(self.header, self.account, self.account_proof)
        except Unsound as error:
            raise StateAltered(f"the account {self.account} is not proven: {error}", _AGAIN) from None
        if root == EMPTY_ROOT:
            raise NoStorage(
                f"{self.account} keeps nothing in block {self.number}", "Check the address: is it the contract's own?"
            )
        return root

    def _word(self, root: bytes, slot: int, proof: bytes, *, absent: bool) -> int:
        try:
            leaf = find(root, keccak256(slot.to_bytes(32, "big")), proof)
            value = 0 if leaf is None else integer(leaf)
        except Unsound as error:
            raise StateAltered(f"slot {slot:#x} of {self.account} is not proven: {error}", _AGAIN) from None
        if not value and not absent:
            raise SlotEmpty(
                f"slot {slot:#x} of {self.account} holds nothing in block {self.number}",
                "Check the slot: a contract's layout is what `solc --storage-layout` prints.",
            )
        return value

    def argument(self) -> tuple[bytes, bytes, list[bytes]]:
        """What `contracts/src/state` takes as its StateProof."""
        return self.header, self.account_proof, list(self.slot_proofs)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        shown = {name: _shown(value) for name, value in asdict(self).items()}
        return shown | {"slots": [_slot(slot) for slot in self.slots]}

    @classmethod
    def from_dict(cls, content: Any) -> StateProof:
        """What `to_dict` gave; raises `StateAltered`."""
        try:
            made = cls(
                account=_sized(content["account"], _ADDRESS_BYTES),
                slots=tuple(int(_sized(slot, _SLOT_BYTES), 16) for slot in content["slots"]),
                header=_bytes(content["header"]),
                account_proof=_bytes(content["account_proof"]),
                slot_proofs=tuple(_bytes(one) for one in content["slot_proofs"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise StateAltered("these are no proofs of a state", _AGAIN) from None
        if len(made.slots) != len(made.slot_proofs):
            raise StateAltered(f"{len(made.slots)} slots have {len(made.slot_proofs)} proofs", _AGAIN)
        return made


_AGAIN = "Ask for the proof again, of a node that you run: this one shows nothing."


def _storage_root(header: bytes, account: str, proof: bytes) -> bytes:
    fields = items(header)
    if len(fields) < _LEAST_FIELDS:
        raise Unsound(f"a header with {len(fields)} fields")
    leaf = find(string(fields[_STATE_ROOT]), keccak256(bytes.fromhex(account[2:])), proof)
    if leaf is None:
        raise Unsound("the state has no such account")
    of_account = items(leaf)
    if len(of_account) != _ACCOUNT_FIELDS:
        raise Unsound("the account has not the fields of one")
    return string(of_account[_STORAGE_ROOT])


def prove_state(ask: Ask, block: int, account: str, slots: Sequence[int], *, absent: bool = False) -> StateProof:
    """Ask a node for a block's header and the proofs, and check them.

    Parameters
    ----------
    ask
        Asks the node: a method's name and its parameters, and back what JSON-RPC has as its result.
    block
        The block's number.
    account
        Whose storage, 0x and 40 digits.
    slots
        Which slots.
    absent
        Whether a slot may hold nothing.

    Raises
    ------
    StateNotServed
        The node has no such block, or no proofs of its state.
    StateAltered, NoStorage, SlotEmpty
        What the node says does not hold together, or the slots are not there; see `StateProof.words`.
    """
    header = header_of(ask, block)
    found = _asked(ask, block, account, slots)
    by_slot = {int(one["key"], 16): one for one in found["storageProof"]}
    made = StateProof(
        account=account,
        slots=tuple(slots),
        header=header,
        account_proof=_nodes(found["accountProof"]),
        slot_proofs=tuple(_nodes(by_slot[slot]["proof"]) for slot in slots),
    )
    made.words(absent=absent)
    return made


def header_of(ask: Ask, block: int) -> bytes:
    """A block's header in RLP.

    Raises
    ------
    StateNotServed
        There is no such block, or it has fields that are not known here.
    """
    said = ask("eth_getBlockByNumber", hex(block), False)  # noqa: FBT003  the protocol's own argument
    if not said:
        raise StateNotServed(f"the node has no block {block}", "Wait for it, or correct the number.")
    header = encode(
        [encode(_bytes(said[name])) if kind is bytes else encode_integer(int(said[name], 16))
         for name, kind in _FIELDS.items() if said.get(name) is not None]
    )  # fmt: skip
    if keccak256(header) != _bytes(said["hash"]):
        raise StateNotServed(
            f"the fields of block {block} do not hash to {said['hash']}: it has some that are not known here",
            "Use a newer Assay, or a chain whose blocks are Ethereum's.",
        )
    return header


def require_served(ask: Ask, account: str, depth: int) -> None:
    """Raise `StateNotServed` unless the node proves the account now and so many blocks ago: asked at the start."""
    head = int(ask("eth_blockNumber"), 16)
    for block in sorted({head, max(0, head - depth)}):
        _asked(ask, block, account, [])


def _asked(ask: Ask, block: int, account: str, slots: Sequence[int]) -> Any:
    try:
        found = ask("eth_getProof", account, [_slot(slot) for slot in slots], hex(block))
    except AssayError as error:
        if error.retry:
            raise
        raise StateNotServed(f"the node proves no state of block {block}: {error.what}", _WINDOW) from error
    try:
        _nodes(found["accountProof"])
        keys = {int(one["key"], 16) for one in found["storageProof"] if _nodes(one["proof"]) is not None}
    except (KeyError, TypeError, ValueError, AttributeError):
        keys = None
    if keys is None or not keys >= set(slots):
        raise StateNotServed(f"the node answers eth_getProof for block {block}, and not with the proofs", _WINDOW)
    return found


def _nodes(nodes: Sequence[str]) -> bytes:
    """The nodes one behind the other; what is embedded in its parent, which some nodes give once more, is left out."""
    found = [_bytes(node) for node in nodes]
    kept = b"".join(node for i, node in enumerate(found) if i == 0 or len(node) >= _SHORTEST)
    # Of an empty trie a node may give the empty string that its root is the hash of.
    return b"" if kept == b"\x80" else kept


def _bytes(text: str) -> bytes:
    if not text.startswith("0x"):
        raise ValueError(text)
    return bytes.fromhex(text[2:])


def _slot(slot: int) -> str:
    return f"0x{slot:064x}"


def _sized(text: str, size: int) -> str:
    if len(_bytes(text)) != size:
        raise ValueError(text)
    return text


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    return [_shown(one) for one in value] if isinstance(value, tuple) else value


def depth_of(proof: bytes) -> int:
    """Nodes of a proof."""
    return len(split(proof))
