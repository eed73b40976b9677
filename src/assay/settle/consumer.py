"""What a consumer asks for before it can be settled: a posted row or nothing, and the word that a proof must show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core.keccak import keccak256
from assay.settle.network import POSTS, context_of, selector
from assay.settle.state import StateFeed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.settle.network import Network

_WITH_VERSION, _PLAIN = POSTS
_CONTEXT_OF = "contextOf(uint64)"
_FEED = "feed()"
_ROW_POSTED = {
    "RowPosted(uint64,uint32,bytes32,uint256,uint256[])": ["uint256", "uint256[]"],
    "RowPosted(uint64,bytes32,uint256[])": ["uint256[]"],
}
"""The events that say which row was posted, with the types of what is not indexed."""


@dataclass(frozen=True)
class Consumer:
    """A contract that acts on answers, asked over its chain's nodes."""

    on: Network
    address: str

    def wants_rows(self) -> bool:
        """Whether a feed posts each period's row first (RegistryFee, ForecastFee): its code has the function."""
        return any(self._has(one) for one in POSTS)

    def post_data(self, words: Sequence[int]) -> str:
        """Calldata that posts a row; where it names a version, that is the registry's default."""
        from eth_abi.abi import encode

        if self._has(_WITH_VERSION):
            registry = "0x" + self._ask("registry()")[-20:].hex()
            version = int.from_bytes(self._call(registry, "current()")[:32], "big")
            return selector(_WITH_VERSION) + encode(["uint32", "uint256[]"], [version, list(words)]).hex()
        return selector(_PLAIN) + encode(["uint256[]"], [list(words)]).hex()

    def state_feed(self) -> StateFeed | None:
        """The feed, if it is a contract that computes each row from proven state: then anyone posts."""
        if not (self.wants_rows() and self._has(_FEED)):
            return None
        return StateFeed.at(self.on, "0x" + self._ask(_FEED)[-20:].hex())

    def context(self, period: int) -> int:
        """The word for a period: the contract's own, where it says one, else that of chain, contract and period.

        A contract that pinned no context (ForecastFee) is given that word all the same.
        """
        if self._has(_CONTEXT_OF):
            return int.from_bytes(self._ask(_CONTEXT_OF, period.to_bytes(32, "big")), "big")
        return context_of(self.on.chain_id, self.address, period)

    def posted(self, logs: Sequence[dict[str, Any]]) -> int | None:
        """The number that the contract gave the period whose row was posted; None if these logs post none."""
        found = self._row_posted(logs)
        return None if found is None else int(found[1]["topics"][1], 16)

    def posted_words(self, logs: Sequence[dict[str, Any]]) -> list[int] | None:
        """The words of the row that these logs post; None if they post none."""
        from eth_abi.abi import decode

        found = self._row_posted(logs)
        if found is None:
            return None
        event, log = found
        return list(decode(_ROW_POSTED[event], bytes.fromhex(log["data"][2:]))[-1])

    def _row_posted(self, logs: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]] | None:
        topics = {"0x" + keccak256(name.encode()).hex(): name for name in _ROW_POSTED}
        for log in logs:
            if log["address"].lower() == self.address.lower() and log["topics"][0] in topics:
                return topics[log["topics"][0]], log
        return None

    def _has(self, function: str) -> bool:
        # A dispatcher compares the call's first four bytes with this constant.
        return bytes.fromhex("63" + selector(function)[2:]) in self.on.node.code(self.address)

    def _ask(self, function: str, arguments: bytes = b"") -> bytes:
        return self._call(self.address, function, arguments)

    def _call(self, to: str, function: str, arguments: bytes = b"") -> bytes:
        return self.on.node.call({"to": to, "data": selector(function) + arguments.hex()})
