"""A chain's ModelRegistry: which versions count there, which one is the default, and since which block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core.keccak import keccak256
from assay.settle.deploy import contract_of
from assay.settle.errors import NoChain, NodeFault, NoRegistry
from assay.settle.network import network, selector
from assay.settle.node import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.record.database import Database
    from assay.settle.deploy import Deployed
    from assay.settle.network import Network
    from assay.task.task import Task

REGISTRY = "registry"
PROPOSER, GUARDIAN = "PROPOSER", "GUARDIAN"
FOREVER = 2**64 - 1
_STATES = ("none", "proposed", "allowed", "refused")
_VERSION = "(address,uint48,uint8,bool,uint64,bytes32,bytes32,bytes32,bytes32)"
_FEWEST_BLOCKS = 1000
_CHECK = selector("check(bytes32,bytes32,bytes32,bytes)")

# Event, what is indexed, what is not; the kind is what the history calls it.
_LOGS: dict[str, tuple[str, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]] = {
    "registry.proposed": (
        "VersionProposed",
        (("version", "uint32"), ("model_id", "bytes32"), ("release", "bytes32")),
        (("verifier", "address"), ("ready_at", "uint48")),
    ),
    "registry.allowed": ("VersionAllowed", (("version", "uint32"),), (("given", "bytes"),)),
    "registry.refused": ("VersionRefused", (("version", "uint32"),), (("reason", "string"),)),
    "registry.retired": ("VersionRetired", (("version", "uint32"),), (("until", "uint64"),)),
    "registry.next": ("DefaultProposed", (("version", "uint32"),), (("ready_at", "uint48"),)),
    "registry.withdrawn": ("DefaultWithdrawn", (("version", "uint32"),), (("reason", "string"),)),
    "registry.default": ("DefaultChanged", (("before", "uint32"), ("version", "uint32")), (("back", "bool"),)),
    "registry.frozen": ("ModelFrozen", (("model_id", "bytes32"),), (("reason", "string"),)),
}
KINDS = tuple(_LOGS)
ERRORS: list[dict[str, Any]] = [
    {"type": "error", "name": name, "inputs": [{"name": one, "type": kind} for one, kind in inputs]}
    for name, inputs in {
        "NeitherProposerNorGuardian": [("caller", "address")],
        "UnknownVersion": [("version", "uint32")],
        "WrongState": [("version", "uint32"), ("state", "uint8")],
        "WrongModel": [("expected", "bytes32"), ("actual", "bytes32")],
        "WrongCode": [("expected", "bytes32"), ("actual", "bytes32")],
        "Frozen": [("modelId", "bytes32")],
        "TooEarly": [("readyAt", "uint48")],
        "Retired": [("version", "uint32"), ("until", "uint64")],
        "NeverDecided": [("version", "uint32")],
        "StillDefault": [("version", "uint32")],
        "BadBlock": [("until", "uint64")],
        "NothingProposed": [],
        "NoCertificate": [("length", "uint256")],
        "NotAttested": [("modelId", "bytes32"), ("release", "bytes32"), ("certificate", "bytes32")],
        "AccessControlUnauthorizedAccount": [("account", "address"), ("neededRole", "bytes32")],
    }.items()
]
"""The registry's refusals, and CertificateGate's, so that they can be named without their source."""


@dataclass(frozen=True)
class Version:
    """A version as the registry has it; `until` is the last block in which its proofs count, None for no such block."""

    number: int
    verifier: str
    ready_at: int
    state: str
    decided: bool
    until: int | None
    code_hash: str
    model_id: str
    release: str


@dataclass(frozen=True)
class Change:
    """Something that happened in the registry, as its log says.

    Attributes
    ----------
    kind
        One of `KINDS`.
    what
        The log's values; bytes are hexadecimal without 0x.
    block, block_hash, transaction, log
        Where it is.
    """

    kind: str
    what: dict[str, Any]
    block: int
    block_hash: str
    transaction: str
    log: int


@dataclass(frozen=True)
class Registry:
    """A registry, asked over its chain's nodes."""

    on: Network
    address: str
    deployed: int = 0

    def current(self) -> int:
        """The version that consumers follow; 0 if none counts."""
        return int.from_bytes(self._call("current()")[:32], "big")

    def default(self) -> int:
        """The default, also where the code at its address is not what was allowed."""
        return self._number("defaultVersion()")

    def next(self) -> tuple[int, int]:
        """(version that is to become the default or 0, time from which it may)."""
        return self._number("nextDefault()"), self._number("nextDefaultAt()")

    def versions(self) -> list[Version]:
        """All of them, in their order."""
        return [self.version(number) for number in range(1, self._number("versionCount()") + 1)]

    def version(self, number: int) -> Version:
        """One of them; raises `Reverts` if there is none of this number."""
        from eth_abi.abi import decode

        (found,) = decode([_VERSION], self._call("versions(uint32)", number.to_bytes(32, "big")))
        verifier, ready_at, state, decided, until, code_hash, model_id, release, _ = found
        return Version(
            number,
            str(verifier),
            ready_at,
            _STATES[state],
            decided,
            None if until == FOREVER else until,
            code_hash.hex(),
            model_id.hex(),
            release.hex(),
        )

    def delay(self) -> int:
        """Seconds that a proposal waits."""
        return self._number("delay()")

    def gate(self) -> str | None:
        """The contract that is asked before a version becomes allowed; None if none is."""
        from eth_utils.address import to_checksum_address

        found = self._call("gate()")[-20:]
        return str(to_checksum_address("0x" + found.hex())) if any(found) else None

    def check(self, gate: str, model_id: bytes, release: bytes, evidence: bytes) -> None:
        """Ask the gate as the registry would; raises `Reverts`, with its reason, if it does not let a version pass."""
        from eth_abi.abi import encode

        values = [self._call("task()"), model_id, release, evidence]
        data = _CHECK + encode(["bytes32", "bytes32", "bytes32", "bytes"], values).hex()
        self.on.node.call({"from": self.address, "to": gate, "data": data})

    def is_frozen(self, model_id: str) -> bool:
        """Whether no proof of a model counts any more."""
        return bool(int.from_bytes(self._call("frozen(bytes32)", bytes.fromhex(model_id.removeprefix("0x"))), "big"))

    def has(self, role: str, account: str) -> bool:
        """Whether an account holds a role."""
        arguments = keccak256(role.encode()) + int(account, 16).to_bytes(32, "big")
        return bool(int.from_bytes(self._call("hasRole(bytes32,address)", arguments), "big"))

    def counts(self, version: Version) -> bool:
        """Whether a version could be the default now."""
        return version.state == "allowed" and version.until is None and not self.is_frozen(version.model_id)

    def time(self) -> int:
        """The newest block's time, by which the registry's delays are over."""
        return quantity(self.on.node.ask("eth_getBlockByNumber", "latest", False)["timestamp"])  # noqa: FBT003

    def changes(self, since: int | None = None) -> list[Change]:
        """What happened in it since a block, by default since it is there; in the chain's order."""
        first = self.deployed if since is None else max(since, self.deployed)
        return [change for log in self._logs(first, self.on.node.head()) if (change := _change(log)) is not None]

    def _logs(self, first: int, last: int) -> list[dict[str, Any]]:
        """Nodes that give few blocks at once are asked for fewer."""
        if first > last:
            return []
        asked = {"address": self.address, "fromBlock": hex(first), "toBlock": hex(last)}
        try:
            return list(self.on.node.ask("eth_getLogs", asked))
        except NodeFault:
            if last - first < _FEWEST_BLOCKS:
                raise
            middle = (first + last) // 2
            return self._logs(first, middle) + self._logs(middle + 1, last)

    def _number(self, function: str) -> int:
        return int.from_bytes(self._call(function), "big")

    def _call(self, function: str, arguments: bytes = b"") -> bytes:
        return self.on.node.call({"to": self.address, "data": selector(function) + arguments.hex()})


def registry_of(database: Database, project: str, on: Network) -> Registry | None:
    """The registry of a chain: what task.toml declares, else what was deployed last; None if there is none."""
    found = contract_of(database, project, on, REGISTRY)
    return None if found is None else Registry(on, found.address, found.block or 0)


def acting(database: Database, project: str, on: Network, name: str, release: str | None) -> Deployed | None:
    """The contract of a name that acts on a release's answers; None if there is none.

    Where a registry says what counts, consumers follow it, and the one that was deployed last acts for all releases.
    Elsewhere a consumer may pin its model, and each release has its own.
    """
    by = None if registry_of(database, project, on) is not None else release
    return contract_of(database, project, on, name, by)


def decided_on_chain(database: Database, task: Task) -> Registry | None:
    """The registry of the chain that counts, which says what decides; None if there is no such chain or registry."""
    try:
        return registry_of(database, task.name, network(task))
    except NoChain:
        return None


def require_registry(database: Database, project: str, on: Network) -> Registry:
    """`registry_of`; raises `NoRegistry` where there is none, or no code at its address."""
    found = registry_of(database, project, on)
    if found is None:
        raise NoRegistry(
            f"no registry of {on.name} is known", f"Write registry = ... under [chains.{on.name}], or deploy one."
        )
    if not on.node.code(found.address):
        raise NoRegistry(f"there is no contract at {found.address} on {on.name}", "Correct registry in task.toml.")
    return found


def previous(changes: Sequence[Change]) -> list[int]:
    """The defaults that a way back leads to, the nearest first, 0 for none: going back twice goes back two versions."""
    stack: list[int] = []
    for change in changes:
        if change.kind != "registry.default":
            continue
        version = change.what["version"]
        if change.what["back"] and version in stack:
            while stack[-1] != version:
                stack.pop()
        else:
            stack.append(version)
    return stack[-2::-1]


def _change(log: dict[str, Any]) -> Change | None:
    from eth_abi.abi import decode

    for kind, (name, indexed, rest) in _LOGS.items():
        types = [type_ for _, type_ in (*indexed, *rest)]
        if log["topics"][0] != "0x" + keccak256(f"{name}({','.join(types)})".encode()).hex():
            continue
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"][1:]]
        values = [decode([type_], topic)[0] for (_, type_), topic in zip(indexed, topics, strict=True)]
        values += decode([type_ for _, type_ in rest], bytes.fromhex(log["data"][2:]))
        what = {
            key: value.hex() if isinstance(value, bytes) else value
            for (key, _), value in zip((*indexed, *rest), values, strict=True)
        }
        place = quantity(log["blockNumber"]), log["blockHash"], log["transactionHash"], quantity(log["logIndex"])
        return Change(kind, what, *place)
    return None  # the roles' own events
