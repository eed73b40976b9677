"""Where a project stands on its chains: what the registry says, what the record says, funds, blocks, what is sent."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from assay.chain.context import LOCAL_CHAIN_IDS
from assay.core.errors import AssayError
from assay.core.keccak import keccak256
from assay.core.paths import place
from assay.record import releases, transactions
from assay.record.states import TRANSACTION_ENDS
from assay.release import alias
from assay.settle.deploy import deployed
from assay.settle.network import network
from assay.settle.registry import registry_of
from assay.settle.shadow import held, shadow
from assay.settle.signer import development_key

if TYPE_CHECKING:
    from pathlib import Path

    from assay.record.database import Database
    from assay.settle.network import Network
    from assay.settle.registry import Registry
    from assay.task.chains import ChainSpec
    from assay.task.task import Task


@dataclass
class RegistryStatus:
    """A registry: what the chain says, and what the history has of it.

    Attributes
    ----------
    default, current
        The default; what consumers follow, 0 if it does not count.
    next, ready_at
        The version that is to become the default, 0 for none, and from when it may (seconds since 1970).
    versions
        number, release (its name or the beginning of its digest), state, until, ready_at, frozen, blocks (from which
        something became of it, by the history).
    recorded, since
        The default by the history, and the block from which it is.
    """

    address: str
    default: int
    current: int
    next: int
    ready_at: int
    versions: list[dict[str, Any]]
    recorded: int | None
    since: int | None


@dataclass
class ChainStatus:
    """One chain of a project.

    Attributes
    ----------
    counts
        Whether `[protocol] chain` names it.
    head, final
        The newest block, and the newest that is final; None if no node answers.
    accounts
        address, balance_wei.
    queue
        Transactions by state, those that have not ended.
    problems
        Everything that does not fit together, a sentence each.
    """

    name: str
    chain_id: int | None
    counts: bool
    head: int | None = None
    final: int | None = None
    accounts: list[dict[str, str]] = field(default_factory=list)
    queue: dict[str, int] = field(default_factory=dict)
    contracts: dict[str, str] = field(default_factory=dict)
    registry: RegistryStatus | None = None
    champion: str | None = None
    problems: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values."""
        return asdict(self)


def chains(database: Database, project: Path, task: Task, only: str | None = None) -> list[ChainStatus]:
    """Every declared chain that has a node, or the one that is asked for; what cannot be asked is a problem of it."""
    named = [only] if only is not None else [name for name, spec in task.chains.items() if spec.rpc]
    return [_look(database, project, task, name) for name in named]


def _look(database: Database, project: Path, task: Task, name: str) -> ChainStatus:
    found = ChainStatus(name, task.chain(name).id, task.protocol.chain == name)
    digest = alias.champion(database, task.name)
    found.champion = None if digest is None else releases.by_digest(database, digest).name
    waiting = [one for one in transactions.find(database, name) if one.state not in TRANSACTION_ENDS]
    found.queue = {state: sum(one.state == state for one in waiting) for state in ("signed", "broadcast", "mined")}
    try:
        on = network(task, name)
        found.chain_id = on.chain_id
        _ask(database, project, task, on, found)
    except AssayError as error:
        found.problems.append(f"[{error.code}] {error.what}")
    return found


def _ask(database: Database, project: Path, task: Task, on: Network, found: ChainStatus) -> None:
    found.head = on.node.head()
    confirmations = on.spec.confirmations
    found.final = on.node.final(confirmations if confirmations is not None or not on.local else 0)
    on.node.require_agreement()
    for address in accounts(database, project, on.name, on.spec):
        balance = on.node.balance(address)
        found.accounts.append({"address": address, "balance_wei": str(balance)})
        if balance == 0:
            found.problems.append(f"{address} has no funds on {on.name}")
    for one in deployed(database, task.name, on.name):
        found.contracts[one.name] = one.address
    _compare_code(database, task, on, found)
    registry = registry_of(database, task.name, on)
    if registry is not None:
        found.contracts["registry"] = registry.address
        if on.node.code(registry.address):
            found.registry = _registry(database, task.name, registry)
            _compare(database, task.name, registry, found)
        else:
            found.problems.append(f"there is no contract at the registry's address {registry.address}")


def accounts(database: Database, project: Path, chain: str, spec: ChainSpec) -> list[str]:
    """Accounts that signed on a chain, and the declared keystore's: its file says it without the passphrase."""
    found = {one.account for one in transactions.find(database, chain)}
    if not spec.signer and spec.id in LOCAL_CHAIN_IDS:
        found.add(development_key().address)
    elif spec.signer and not spec.signer.startswith("kms:"):
        try:
            address = json.loads(place(project, spec.signer).read_bytes())["address"]
            from eth_utils.address import to_checksum_address

            found.add(str(to_checksum_address(address)))
        except (OSError, ValueError, KeyError, TypeError):
            pass  # `assay up` says what is wrong with it
    return sorted(found)


def _compare_code(database: Database, task: Task, on: Network, found: ChainStatus) -> None:
    places = {one.address: one for one in deployed(database, task.name, on.name)}
    for one in places.values():
        if "0x" + keccak256(on.node.code(one.address)).hex() != one.code_hash:
            found.problems.append(f"the code at {one.address} is not that of {one.name}, which was deployed there")


def _registry(database: Database, project: str, registry: Registry) -> RegistryStatus:
    known = shadow(database, project, registry)
    next_, ready_at = registry.next()
    versions = []
    for one in registry.versions():
        there = held(database, project, one)
        versions.append(
            {
                "number": one.number,
                "release": one.release[:16] if there is None else there.name,
                "state": one.state,
                "ready_at": one.ready_at,
                "until": one.until,
                "frozen": registry.is_frozen(one.model_id),
                "blocks": known.versions[one.number].blocks if one.number in known.versions else {},
            }
        )
    default, current = registry.default(), registry.current()
    return RegistryStatus(
        registry.address, default, current, next_, ready_at if next_ else 0, versions, known.default, known.since
    )


def _compare(database: Database, project: str, registry: Registry, found: ChainStatus) -> None:
    """What the chain and the record do not say alike."""
    stands = found.registry
    if stands is None:
        return
    if stands.recorded is not None and stands.recorded != stands.default:
        found.problems.append(
            f"the registry's default is version {stands.default}, and the history has {stands.recorded}: "
            "`assay up` and `assay release promote` write down what happened"
        )
    if stands.default == 0:
        if any(one["blocks"].get("default") for one in stands.versions):
            found.problems.append("the registry has no default any more: consumers do what was done before")
        return
    if stands.current == 0:
        found.problems.append("the code at the default's verifier is not what was allowed: consumers fall back")
    there = held(database, project, registry.version(stands.default))
    if there is None:
        found.problems.append("the registry's default is no release that is held here: nobody can answer for it")
    elif found.counts and there.name != found.champion:
        found.problems.append(
            f"the registry says that {there.name} decides, and the record says {found.champion}: the registry counts"
        )
