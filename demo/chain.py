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
from assay.chain.keccak import keccak256
from assay.chain.node import LocalNode
from assay.chain.npm import foundry_binary, node_binary, node_modules
from assay.chain.solidity import VerifierSource, render
from assay.core import files
from demo.proof import Proven
from demo.show import Surprise

CALM_FEE, TURBULENT_FEE = 500, 3000
"""Hundredths of a basis point: 0.05 % and 0.30 %."""

CONTRACTS = Path(__file__).parents[1] / "contracts" / "src"
POOL = "examples/RegimeFeePool.sol"
VERIFIER = "AssayVerifier.sol"
SETTLE = "settle(bytes,uint256[])"
GAS_LIMIT = 2_000_000

Progress = Callable[[str], None]


@dataclass(frozen=True)
class State:
    """What the pool keeps, as read from the node."""

    fee: int
    day: int
    pending: str
    regime: str


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


def settle(keys: assay.Keys, proven: Proven, folder: Path, progress: Progress) -> Settled:
    """Compile, start a node, deploy, and tell the story; stops if the contracts do anything unexpected."""
    source = render(keys.verifying_key.content)
    files.write(folder / VERIFIER, source.text)
    progress("Compiling the contracts")
    sources = read_sources(CONTRACTS, paths=[POOL, "interfaces/IAssayVerifier.sol"])
    compiled = compile_solidity(sources | {VERIFIER: source.text})
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
    """One pool and its verifier on one chain; `events` grows with each transaction."""

    def __init__(self, chain: Chain, source: VerifierSource, compiled: dict[str, CompiledContract]) -> None:
        self.chain = chain
        self.events: list[Event] = []
        self._row = bytes(32)
        self.verifier = chain.deploy_verifier(compiled[source.name], source)
        self.events.append(
            Event("deploy the verifier", "deployed", self.verifier.receipt.gas_used, None, changed=False)
        )
        self.pool = self._deploy_pool(compiled["RegimeFeePool"], source)

    def _deploy_pool(self, contract: CompiledContract, source: VerifierSource) -> Deployment:
        model = bytes.fromhex(source.model_id.removeprefix("0x"))
        pool = self.chain.deploy(contract, self.verifier.address, model, self.chain.account, CALM_FEE, TURBULENT_FEE)
        self._deployed("deploy the pool", pool)
        return pool

    def _deployed(self, what: str, contract: Deployment) -> None:
        self.events.append(Event(what, "deployed", contract.receipt.gas_used, None, changed=False))

    def tell(self, proven: Proven) -> None:
        """The row, three forgeries, the settlement, two replays."""
        body, words = proven.single.body, proven.single.public_inputs
        row, margin = words[:-1], words[-1]
        self._row = keccak256(b"".join(word.to_bytes(32, "big") for word in row))
        self._accepted("the feed posts the day's row", "postRow", row)
        self._refused("one bit of the proof flipped", "InvalidProof", flipped(body), words)
        self._refused("another margin claimed", "InvalidProof", body, [*row, margin + 1])
        self._refused("a valid proof of another day", "RowNotPending", proven.other.body, proven.other.public_inputs)
        self._accepted("the valid proof", "settle", body, words)
        self._refused("the same proof again", "AlreadyProven", body, words)
        self._refused("fresh proof, same statement", "AlreadyProven", proven.again.body, words)

    def verification_gas(self, proven: Proven) -> dict[str, int]:
        """Send the proofs to the verifier itself, as transactions, and read the gas."""
        gas = {}
        for name, proof in (("one", proven.single), ("batch", proven.batch)):
            if self.chain.call(self.verifier, "verify", proof.body, proof.public_inputs) is not True:
                raise Surprise(f"the verifier contract refused a valid proof ({name})")
            gas[name] = self.chain.send_calldata(self.verifier, proof.calldata()).gas_used
        return gas | {"settle": next(event.gas or 0 for event in self.events if event.what == "the valid proof")}

    def _state(self) -> State:
        regime = ("unknown", "calm", "turbulent")[self._read("regimeOf", self._row)]
        return State(self._read("fee"), self._read("day"), "0x" + self._read("pendingRow").hex(), regime)

    def _read(self, name: str, *arguments: Any) -> Any:
        return self.chain.call(self.pool, name, *arguments)

    def _accepted(self, what: str, function: str, *arguments: Any) -> None:
        before = self._state()
        receipt = self.chain.send(self.pool, function, *arguments)
        after = self._state()
        if after == before:
            raise Surprise(f"{what}: the transaction was mined and changed nothing")
        self.events.append(Event(what, "accepted", receipt.gas_used, after, changed=True))

    def _refused(self, what: str, reason: str, body: bytes, words: list[int]) -> None:
        """Have the pool refuse a settlement, in a transaction that is mined, for the reason expected."""
        before = self._state()
        told = _reason(lambda: self.chain.call(self.pool, "settle", body, words))
        # A gas limit of our own: the node would otherwise refuse to estimate and nothing would be mined.
        calldata = settle_calldata(body, words)
        _reason(lambda: self.chain.send_calldata(self.pool, calldata, gas=GAS_LIMIT))
        after = self._state()
        if told != reason or after != before:
            raise Surprise(f"{what}: expected {reason} and no change, got {told} and {before} -> {after}")
        self.events.append(Event(what, f"refused: {told}", None, after, changed=False))


def _reason(action: Callable[[], object]) -> str:
    try:
        action()
    except TransactionReverted as error:
        return error.reason
    raise Surprise("the pool accepted what it must refuse")


def flipped(body: bytes) -> bytes:
    """The proof with one bit flipped, in the middle."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def settle_calldata(body: bytes, words: list[int]) -> bytes:
    """Calldata of the pool's `settle`: the verifier's own arguments under another selector."""
    from assay.prove.calldata import verify_calldata

    return keccak256(SETTLE.encode())[:4] + verify_calldata(body, words)[4:]
