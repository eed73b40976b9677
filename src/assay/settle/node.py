"""A chain's nodes: several addresses, one chain; what each says is checked, and what each refuses is named."""

from __future__ import annotations

import functools
import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import urllib3

from assay.core.jsontext import parse
from assay.settle.errors import (
    AlreadyKnown,
    NodeFault,
    NodeLimited,
    NodesDisagree,
    NodeUnreachable,
    NonceTooLow,
    NotTaken,
    OutOfFunds,
    Reverts,
    SettleError,
    Underpriced,
    WrongChain,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_T = TypeVar("_T")
_TOO_MANY = 429
_HEADER_ONLY = False  # a block's hashes, not its transactions
_LARGEST_ANSWER, _PIECE = 32 << 20, 1 << 16
_MOST_SILENCES = 6
_LIMITED_CODES = {-32005, 429}

# The wordings of Geth, Reth, Erigon, Nethermind, Besu and Anvil, recorded; the first that fits counts.
_WORDINGS: tuple[tuple[str, type[SettleError]], ...] = (
    (r"already known|already imported|known transaction|transaction already|alreadyknown", AlreadyKnown),
    (r"nonce too low|nonce is too low|oldnonce|old nonce|nonce_too_low|invalid transaction nonce.*lower", NonceTooLow),
    (
        r"underpriced|fee too low|feetoolow|max fee per gas less than block base fee|gas price.*below|insufficient fee",
        Underpriced,
    ),
    (
        r"insufficient funds|insufficient balance|out of funds|insufficientfunds|insufficient maxfeepergas.*balance",
        OutOfFunds,
    ),
    (r"execution reverted|vm exception|reverted", Reverts),
    (r"too many requests|rate limit|request rate|limit exceeded|capacity exceeded", NodeLimited),
)


def _of_a_node(asked: Callable[_P, _T]) -> Callable[_P, _T]:
    """Name what a node answers that no Ethereum node does: a gateway's page, another service's document."""

    @functools.wraps(asked)
    def found(*arguments: _P.args, **named: _P.kwargs) -> _T:
        try:
            return asked(*arguments, **named)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            what = f"{type(error).__name__}: {error}"
            raise NodeFault(
                f"a node answers {asked.__name__} as no Ethereum node does ({what:.80})", "Check its address."
            ) from None

    return found


@dataclass(frozen=True)
class Receipt:
    """What a mined transaction did; `block_hash` says in which history."""

    hash: str
    block: int
    block_hash: str
    ok: bool
    gas_used: int
    price: int
    contract: str | None
    logs: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Node:
    """The nodes of one chain, asked in their order until one answers.

    Attributes
    ----------
    chain
        Its name, for messages.
    chain_id
        What every address must say it is on.
    urls
        HTTP addresses; they may hold keys, so messages show hosts only.
    timeout
        Longest silence of a node, in seconds; a whole answer may take six times as long.
    """

    chain: str
    chain_id: int
    urls: tuple[str, ...]
    timeout: float = 10.0
    _pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, maxsize=4))
    _checked: set[str] = field(default_factory=set, compare=False)

    def ask(self, method: str, *parameters: Any) -> Any:
        """The answer of the first address that gives one.

        Raises
        ------
        NodeFault
            None answers; the error is the last one's.
        SettleError
            A node refuses the call for what it is: that is not asked of the next one.
        """
        last: NodeFault | None = None
        for url in self.urls:
            try:
                self._require_chain(url)
                return self._once(url, method, parameters)
            except NodeFault as error:
                last = error
        raise last or NodeUnreachable(f"[chains.{self.chain}] names no node", "Add `rpc` to it.")

    def ask_all(self, method: str, *parameters: Any) -> list[tuple[str, Any]]:
        """(host, answer) of every address that answers; raises `NodeFault` if none does."""
        found, last = [], None
        for url in self.urls:
            try:
                self._require_chain(url)
                found.append((host(url), self._once(url, method, parameters)))
            except NodeFault as error:
                last = error
        if not found:
            raise last or NodeUnreachable(f"[chains.{self.chain}] names no node", "Add `rpc` to it.")
        return found

    @_of_a_node
    def require_agreement(self) -> None:
        """Compare the hash of a block that all have; raises `NodesDisagree` if any two differ."""
        if len(self.urls) < 2:
            return
        heads = [quantity(number) for _, number in self.ask_all("eth_blockNumber")]
        height = hex(max(0, min(heads) - 1))
        blocks = self.ask_all("eth_getBlockByNumber", height, _HEADER_ONLY)
        said = [(name, block["hash"]) for name, block in blocks if block]
        for name, hash_ in said[1:]:
            if hash_ != said[0][1]:
                raise NodesDisagree(
                    f"{said[0][0]} and {name} have different blocks {int(height, 16)} of {self.chain}",
                    "Nothing is sent until they agree; take out the one that is wrong.",
                )

    def _require_chain(self, url: str) -> None:
        if url in self._checked:
            return
        found = quantity(self.chain_of(url))
        if found != self.chain_id:
            raise WrongChain(
                f"{host(url)} is on chain {found}, and [chains.{self.chain}] says {self.chain_id}",
                "Correct `rpc` or `id`; nothing was sent.",
            )
        self._checked.add(url)

    def chain_of(self, url: str) -> Any:
        """What one address says which chain it is on."""
        return self._once(url, "eth_chainId", ())

    def recheck(self) -> None:
        """Ask every address again which chain it is on, before its next answer: a name may lead elsewhere by now."""
        self._checked.clear()

    def _once(self, url: str, method: str, parameters: tuple[Any, ...]) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        try:
            answer = self._pool.request(
                "POST",
                url,
                body=body,
                headers={"Content-Type": "application/json"},
                timeout=self.timeout,
                preload_content=False,
            )
            try:
                content = _whole(answer, time.monotonic() + _MOST_SILENCES * self.timeout)
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            parts = str(error).rsplit(":", 1)
            unread = isinstance(error, urllib3.exceptions.LocationValueError)  # it shows the address, secrets and all
            reason = "it cannot be read" if unread else parts[-1].strip() or type(error).__name__
            raise NodeUnreachable(
                f"no node of {self.chain} answers at {host(url)} ({reason:.80})", "Start it, or check the network."
            ) from None
        if answer.status == _TOO_MANY:
            raise NodeLimited(f"{host(url)} limits requests (429)", "It is asked again later.")
        try:
            reply = parse(content)
        except ValueError:
            reply = None
        if not isinstance(reply, dict) or not ("result" in reply or isinstance(reply.get("error"), dict)):
            raise NodeUnreachable(
                f"{host(url)} answers {method} with {answer.status}, and not as an Ethereum node", "Check its address."
            )
        if reply.get("error"):
            raise named(reply["error"], method, host(url))
        return reply["result"]

    # What the rooms above ask.

    def head(self) -> int:
        """The number of the newest block."""
        return quantity(self.ask("eth_blockNumber"))

    @_of_a_node
    def time(self) -> int:
        """When the newest block was made, in seconds since 1970."""
        return quantity(self.ask("eth_getBlockByNumber", "latest", _HEADER_ONLY)["timestamp"])

    @_of_a_node
    def final(self, confirmations: int | None) -> int:
        """The newest final block: by the node's word, or so many blocks below the head where a number is declared."""
        if confirmations is not None:
            return self.head() - confirmations
        block = self.ask("eth_getBlockByNumber", "finalized", _HEADER_ONLY)
        return quantity(block["number"]) if block else -1

    @_of_a_node
    def block_hash(self, number: int) -> str | None:
        """The hash of the canonical block of this height; None if there is none."""
        block = self.ask("eth_getBlockByNumber", hex(number), _HEADER_ONLY)
        return str(block["hash"]) if block else None

    @_of_a_node
    def transactions(self, number: int) -> list[dict[str, Any]]:
        """The transactions of the canonical block of this height, as the node writes them."""
        block = self.ask("eth_getBlockByNumber", hex(number), True)  # noqa: FBT003  the protocol's own argument
        return list(block["transactions"]) if block else []

    def count(self, account: str, at: str = "latest") -> int:
        """How many transactions of an account the chain has."""
        return quantity(self.ask("eth_getTransactionCount", account, at))

    def balance(self, account: str) -> int:
        """Wei."""
        return quantity(self.ask("eth_getBalance", account, "latest"))

    @_of_a_node
    def code(self, address: str) -> bytes:
        """The code at an address."""
        return _bytes(self.ask("eth_getCode", address, "latest"))

    @_of_a_node
    def call(self, call: dict[str, Any]) -> bytes:
        """What a call returns; raises `Reverts`."""
        return _bytes(self.ask("eth_call", call, "latest"))

    def estimate(self, call: dict[str, Any]) -> int:
        """The gas that a transaction would take; raises `Reverts`."""
        return quantity(self.ask("eth_estimateGas", call))

    def knows(self, hash_: str) -> bool:
        """Whether the transaction is in a block or in the node's pool."""
        return self.ask("eth_getTransactionByHash", hash_) is not None

    @_of_a_node
    def receipt(self, hash_: str) -> Receipt | None:
        """The receipt of a mined transaction."""
        found = self.ask("eth_getTransactionReceipt", hash_)
        if found is None:
            return None
        return Receipt(
            hash=found["transactionHash"],
            block=quantity(found["blockNumber"]),
            block_hash=found["blockHash"],
            ok=quantity(found["status"]) == 1,
            gas_used=quantity(found["gasUsed"]),
            price=quantity(found.get("effectiveGasPrice", "0x0")),
            contract=found.get("contractAddress"),
            logs=tuple(found.get("logs", ())),
        )

    def broadcast(self, raw: str) -> None:
        """Give a signed transaction to every node that takes it; raises `NotTaken` or `NodeFault` if none does."""
        taken, last = False, None
        for url in self.urls:
            try:
                self._require_chain(url)
                self._once(url, "eth_sendRawTransaction", (raw,))
                taken = True
            except AlreadyKnown:
                taken = True
            except (NodeFault, NotTaken) as error:
                last = error
        if not taken:
            raise last or NodeUnreachable(f"[chains.{self.chain}] names no node", "Add `rpc` to it.")


def named(error: dict[str, Any], method: str, where: str) -> SettleError:
    """The error that a node's wording means."""
    text = str(error.get("message", error))
    lower = text.lower()
    if error.get("code") in _LIMITED_CODES and "nonce" not in lower:
        return NodeLimited(f"{where} limits requests", "It is asked again later.")
    for wording, kind in _WORDINGS:
        if re.search(wording, lower):
            if kind is Reverts:
                return reverted(error.get("data"), text)
            if kind is NodeLimited:
                return NodeLimited(f"{where} limits requests", "It is asked again later.")
            return kind(f"{where} does not take the transaction: {text:.120}", _TODO[kind])
    if method == "eth_sendRawTransaction":
        return NotTaken(f"{where} does not take the transaction: {text:.120}", "See what the node says.")
    return NodeFault(f"{where} refuses {method}: {text:.120}", "Check the node.")


_TODO: dict[type[SettleError], str] = {
    AlreadyKnown: "Nothing: it has it.",
    NonceTooLow: "Nothing: the outbox looks what took its place.",
    Underpriced: "Nothing: the outbox pays more, up to the cap.",
    OutOfFunds: "Fund the account.",
}


def reverted(data: Any, text: str) -> Reverts:
    """The refusal of a contract, with the bytes that say why: whoever knows its errors can name them."""
    found = data.get("data") if isinstance(data, dict) else data
    shown = str(found) if isinstance(found, str) and found.startswith("0x") else ""
    error = Reverts(f"the contract refuses the call ({text:.120})", "See what the contract asks.")
    error.data = shown
    return error


def _whole(answer: urllib3.BaseHTTPResponse, until: float) -> bytes:
    """An answer's body, piece by piece: one that comes byte by byte would be waited for without end."""
    pieces, size = [], 0
    while size < _LARGEST_ANSWER and (piece := answer.read1(_PIECE)):
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > until:
            raise TimeoutError("its answer takes too long")
    return b"".join(pieces)


def host(url: str) -> str:
    """What messages call an address."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "its address"
    return f"{parts.scheme}://{parts.hostname}{port}" if parts.hostname else "its address"


def quantity(value: Any) -> int:
    """A JSON-RPC quantity; raises `NodeFault` on anything else."""
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise NodeFault(f"a node answers {str(value)[:40]!r} where a number belongs", "Check the node.") from None


def _bytes(value: str) -> bytes:
    if not value.startswith("0x"):  # of anything else the rest would be no bytes, and so no contract
        raise ValueError(f"{value[:20]!r} is no data")
    return bytes.fromhex(value[2:])
