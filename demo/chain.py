"""The proof on a real Ethereum node: a pool's fee that changes only with a valid proof of the pinned model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import assay
from assay.chain.compile import CompiledContract, compile_solidity, read_sources
from assay.chain.deploy import Chain, Deployment
from assay.chain.errors import TransactionReverted
from assay.chain.node import LocalNode
from assay.chain.npm import foundry_binary, node_binary, node_modules
from assay.chain.solidity import VerifierSource, render
from assay.core import files
from assay.core.keccak import keccak256
from demo.proof import Proven
from demo.show import Surprise

MAX_AGE = 7 * 86_400
"""Seconds that a forecast counts: without a newer one for a week, the fixed fee is back."""

FIXED_FEE, SLOPE, LOWEST_FEE, HIGHEST_FEE = 3000, 400_000, 500, 20_000
"""Hundredths of a basis point: 0.30 % today; then 40 % of the forecast volatility, from 0.05 % to 2 %."""

CONTRACTS = Path(__file__).parents[1] / "contracts" / "src"
PATHS = [
    "examples/ConstantProductPool.sol",
    "examples/ForecastFee.sol",
    "interfaces/IAssayVerifier.sol",
    "interfaces/IFeeSource.sol",
]
RESERVES = (10**21, 25 * 10**23)
TRADE = 10**18
"""One of a thousand in the pool."""

VERIFIER, FEE, POOL = "AssayVerifier.sol", "ForecastFee", "ConstantProductPool"
SETTLE = "settle(bytes,uint256[])"
GAS_LIMIT = 2_000_000

Progress = Callable[[str], None]


@dataclass(frozen=True)
class State:
    """What the fee's contract keeps, and what a trader gets from the pool for one unit, as read from the node."""

    fee: int
    period: int
    pending: str
    price: int


@dataclass(frozen=True)
class Event:
    """One thing that happened on the chain.

    Attributes
    ----------
    what
        For people.
    outcome
        "deployed", "accepted", or "refused: " and the contract's own error.
    gas
        Of the mined transaction; None for one that was mined and reverted.
    state
        Of the pool afterwards; None before it exists.
    changed
        Whether that state is another than before.
    """

    what: str
    outcome: str
    gas: int | None
    state: State | None
    changed: bool


@dataclass(frozen=True)
class Settled:
    """All that happened, in order, and what verifying costs.

    Attributes
    ----------
    events
        Deployments, the row, forgeries, the settlement, replays.
    gas
        Of whole transactions, calldata included, by what they verify.
    size
        Bytes of the verifier's code on the chain.
    model_id
        Digest of the verifying key, pinned by the pool.
    """

    events: list[Event]
    gas: dict[str, int]
    size: int
    model_id: str


def settle(key: assay.VerifyingKey, proven: Proven, folder: Path, progress: Progress) -> Settled:
    """Compile, start a node, deploy, and tell the story; stops if the contracts do anything unexpected."""
    source = render(key.content)
    files.write(folder / VERIFIER, source.text)
    progress("Compiling the contracts")
    sources = read_sources(CONTRACTS, paths=PATHS)
    compiled = compile_solidity(sources | {VERIFIER: source.text}, only=[source.name, FEE, POOL])
    progress("Starting the node")
    with LocalNode() as node:
        progress("Sending transactions")
        story = _Story(Chain(node.url), source, compiled)
        story.tell(proven)
        gas = story.verification_gas(proven)
    return Settled(story.events, gas, compiled[source.name].runtime_size, source.model_id)


def require_tools() -> None:
    """Stop before any work if the node or the compiler is not installed; raises `ToolMissing`."""
    node_binary()
    node_modules("solc")
    foundry_binary("anvil")


class _Story:
    """A verifier, a fee that obeys it and a pool that asks for the fee; `events` grows with each transaction."""

    def __init__(self, chain: Chain, source: VerifierSource, compiled: dict[str, CompiledContract]) -> None:
        self.chain = chain
        self.events: list[Event] = []
        model = bytes.fromhex(source.model_id.removeprefix("0x"))
        line = (0, SLOPE, LOWEST_FEE, HIGHEST_FEE)
        self.verifier = chain.deploy_verifier(compiled[source.name], source)
        self._deployed("deploy the verifier", self.verifier)
        self.source = chain.deploy(
            compiled[FEE],
            self.verifier.address,
            compiled[source.name].code_hash,
            model,
            chain.account,
            FIXED_FEE,
            MAX_AGE,
            line,
        )
        self._deployed("deploy the fee's contract", self.source)
        self.pool = chain.deploy(compiled[POOL], self.source.address, *RESERVES)
        self._deployed("deploy the pool", self.pool)

    def _deployed(self, what: str, contract: Deployment) -> None:
        self.events.append(Event(what, "deployed", contract.receipt.gas_used, None, changed=False))

    def tell(self, proven: Proven) -> None:
        """The row, three forgeries, the settlement, two replays."""
        body, words = proven.single.body, proven.single.public_inputs
        *row, forecast, context = words
        self._accepted("the feed posts the newest row", "postRow", row)
        self._refused("one bit of the proof flipped", "InvalidProof", flipped(body), words)
        self._refused("another forecast claimed", "InvalidProof", body, [*row, forecast + 1, context])
        self._refused("a valid proof of another row", "RowNotPending", proven.other.body, proven.other.public_inputs)
        self._accepted("the valid proof", "settle", body, words)
        self._refused("the same proof again", "RowNotPending", body, words)
        self._refused("fresh proof, same statement", "RowNotPending", proven.again.body, words)

    def verification_gas(self, proven: Proven) -> dict[str, int]:
        """Send the proof to the verifier itself, as a transaction, and read the gas."""
        if self.chain.call(self.verifier, "verify", proven.single.body, proven.single.public_inputs) is not True:
            raise Surprise("the verifier contract refused a valid proof")
        verify = self.chain.send_calldata(self.verifier, proven.single.calldata()).gas_used
        return {"verify": verify} | {
            "settle": next(event.gas or 0 for event in self.events if event.what == "the valid proof")
        }

    def _state(self) -> State:
        price = self.chain.call(self.pool, "quote", TRADE, *RESERVES, fee := self._read("fee"))
        return State(fee, self._read("period"), "0x" + self._read("pendingRow").hex(), price)

    def _read(self, name: str, *arguments: Any) -> Any:
        return self.chain.call(self.source, name, *arguments)

    def _accepted(self, what: str, function: str, *arguments: Any) -> None:
        before = self._state()
        receipt = self.chain.send(self.source, function, *arguments)
        after = self._state()
        if after == before:
            raise Surprise(f"{what}: the transaction was mined and changed nothing")
        self.events.append(Event(what, "accepted", receipt.gas_used, after, changed=True))

    def _refused(self, what: str, reason: str, body: bytes, words: list[int]) -> None:
        """Have the contract refuse a settlement, in a transaction that is mined, for the reason expected."""
        before = self._state()
        told = _reason(lambda: self.chain.call(self.source, "settle", body, words))
        # A gas limit of our own: the node would otherwise refuse to estimate and nothing would be mined.
        calldata = settle_calldata(body, words)
        _reason(lambda: self.chain.send_calldata(self.source, calldata, gas=GAS_LIMIT))
        after = self._state()
        if told != reason or after != before:
            raise Surprise(f"{what}: expected {reason} and no change, got {told} and {before} -> {after}")
        self.events.append(Event(what, f"refused: {told}", None, after, changed=False))


def _reason(action: Callable[[], object]) -> str:
    try:
        action()
    except TransactionReverted as error:
        return error.reason
    raise Surprise("the contract accepted what it must refuse")


def flipped(body: bytes) -> bytes:
    """The proof with one bit flipped, in the middle."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def settle_calldata(body: bytes, words: list[int]) -> bytes:
    """Calldata of the contract's `settle`: the verifier's own arguments under another selector."""
    from assay.prove.calldata import verify_calldata

    return keccak256(SETTLE.encode())[:4] + verify_calldata(body, words)[4:]
