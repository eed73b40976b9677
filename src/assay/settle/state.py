"""Feeds that compute their rows from proven state (`contracts/src/state/IStateFeed.sol`): what they need, proven."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.chain.errors import StateAltered
from assay.chain.state import TYPE, StateProof, prove_state, require_served
from assay.core import jsontext
from assay.settle.network import STATE_POST, selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.settle.network import Network

SCHEMA = "assay-state/1"
_STATE_OF, _FURTHER = "stateOf(uint256)", "further(uint256[])"
_MOST_BLOCKS = 64
"""Blocks that one row may need: a feed is a stranger's contract."""
_MOST_FURTHER = 256
_IS_ONE = "Is it a state feed?"


@dataclass(frozen=True)
class StateFeed:
    """A feed that computes its rows from proven state, asked over its chain's nodes."""

    on: Network
    address: str

    @classmethod
    def at(cls, on: Network, address: str) -> StateFeed | None:
        """The feed at an address; None if what stands there is none."""
        return cls(on, address) if _has(on.node.code(address), _STATE_OF) else None

    def needs(self, number: int) -> tuple[str, list[int], list[int]]:
        """Account, blocks and slots for the row of the period that ends with a block."""
        from eth_abi.abi import decode
        from eth_abi.exceptions import DecodingError

        call = {"to": self.address, "data": selector(_STATE_OF) + number.to_bytes(32, "big").hex()}
        try:
            account, blocks, slots = decode(["address", "uint256[]", "bytes32[]"], self.on.node.call(call))
        except DecodingError:
            raise StateAltered(f"{self.address} does not say what state it needs", _IS_ONE) from None
        if not 0 < len(blocks) <= _MOST_BLOCKS or max(blocks) > number:
            raise StateAltered(f"{self.address} asks for {len(blocks)} blocks, or one after {number}", _IS_ONE)
        return account, list(blocks), [int.from_bytes(slot, "big") for slot in slots]

    def prove(self, number: int) -> list[StateProof]:
        """The proofs for a period's row, checked; raises as `assay.chain.state.prove_state` does."""
        account, blocks, slots = self.needs(number)
        arrays = _has(self.on.node.code(self.address), _FURTHER)
        return [self._prove(block, account, slots, arrays=arrays) for block in blocks]

    def _prove(self, block: int, account: str, slots: list[int], *, arrays: bool) -> StateProof:
        found = prove_state(self.on.node.ask, block, account, slots, absent=True)
        if not arrays:
            return found
        further = self._further(found.words(absent=True))
        return prove_state(self.on.node.ask, block, account, [*slots, *further], absent=True)

    def _further(self, words: list[int]) -> list[int]:
        """The slots that follow from what others hold."""
        from eth_abi.abi import decode, encode
        from eth_abi.exceptions import DecodingError

        call = {"to": self.address, "data": selector(_FURTHER) + encode(["uint256[]"], [words]).hex()}
        try:
            (slots,) = decode(["bytes32[]"], self.on.node.call(call))
        except DecodingError:
            raise StateAltered(f"{self.address} does not say what further state it needs", _IS_ONE) from None
        if len(slots) > _MOST_FURTHER:
            raise StateAltered(f"{self.address} asks for {len(slots)} further slots of a block", _IS_ONE)
        return [int.from_bytes(slot, "big") for slot in slots]

    def require_served(self) -> None:
        """Raise `StateNotServed` unless the nodes prove as old a state as a row needs."""
        head = self.on.node.head()
        account, blocks, _ = self.needs(head)
        require_served(self.on.node.ask, account, head - min(blocks))

    def post_data(self, consumer: str, proofs: Sequence[StateProof]) -> str:
        """Calldata that has the feed compute the row and hand it to the consumer, 0x-hexadecimal."""
        from eth_abi.abi import encode

        arguments = [consumer, [proof.argument() for proof in proofs]]
        return selector(STATE_POST) + encode(["address", f"{TYPE}[]"], arguments).hex()


def _has(code: bytes, function: str) -> bool:
    """Whether a contract has a function: a dispatcher compares the call's first four bytes with this constant."""
    return bytes.fromhex("63" + selector(function)[2:]) in code


def to_bytes(proofs: Sequence[StateProof]) -> bytes:
    """As an artefact keeps them."""
    return json.dumps({"schema": SCHEMA, "proofs": [proof.to_dict() for proof in proofs]}).encode()


def from_bytes(content: bytes) -> list[StateProof]:
    """What `to_bytes` gave; raises `StateAltered`."""
    try:
        found: Any = jsontext.parse(content)
        if found["schema"] == SCHEMA:
            return [StateProof.from_dict(one) for one in found["proofs"]]
    except (KeyError, TypeError, ValueError):
        pass
    raise StateAltered("these are no proofs of a state", "Ask whoever made them for them again.")
