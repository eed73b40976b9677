"""`assay deploy`: a release's verifier and the project's contracts, each once, through the outbox.

By CREATE2 where the chain has the usual factory: the address then follows from the code alone, so that what is there
already is found whoever put it there. Elsewhere by an ordinary creation, which this database remembers. Killed at any
point, it goes on where it was: a step is done if its code is on the chain, sent if the outbox has its transaction.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.chain.deploy import require_deployable
from assay.core import jsontext
from assay.core.keccak import keccak256
from assay.record import artefacts, journal
from assay.record.journal import Event
from assay.release.key import verifying_key
from assay.release.parts import CREATION_FILE, RUNTIME_FILE
from assay.settle.contracts import Built, build
from assay.settle.errors import NodeFault, NotTaken, OtherCode, Reverts
from assay.settle.network import FACTORY, deploying, network, signer
from assay.settle.outbox import Call, Outbox, standing
from assay.settle.reverts import refused
from assay.settle.rows import require_row
from assay.settle.wait import mined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.record.transactions import Transaction
    from assay.settle.network import Network
    from assay.task.task import Task

PURPOSE = "deploy"
DEPLOYED = "contract.deployed"
VERIFIER, MODEL = "verifier", "model"
"""A release's verifier; and the contract, if the project has one, that a registry gets in its place (ModelWithRow)."""

FACTORY_CODE = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
)
_SALT = bytes(32)
_CREATE_GAS, _BYTE_GAS, _WORD_GAS = 53_000, 200, 16


@dataclass(frozen=True)
class Deployed:
    """A contract on a chain, as the history has it."""

    name: str
    address: str
    code_hash: str
    release: str
    block: int | None
    abi: str | None

    @staticmethod
    def of(event: Event) -> Deployed:
        """Read an event."""
        what = event.what
        abi = event.evidence.get("abi")
        return Deployed(event.subject, what["address"], what["code_hash"], what["release"], event.block, abi)


@dataclass(frozen=True)
class Step:
    """One contract of a deployment.

    Attributes
    ----------
    name
        "verifier", or as task.toml calls it.
    address
        Where it is or will be; None if only its creation will say.
    there
        Whether it is there already.
    gas
        What creating it takes, about; 0 if it is there.
    """

    name: str
    address: str | None
    there: bool
    gas: int


@dataclass
class Deployment:
    """What is to be deployed on one chain.

    Parameters
    ----------
    told
        Told, in one line each, what happens.
    who
        For the history.
    patience
        Seconds to wait for a block; what was sent goes on afterwards, and the next run finds it.
    """

    database: Database
    project: Path
    task: Task
    release: Release
    on: Network
    outbox: Outbox
    contracts: list[Built]
    who: str
    told: Callable[[str], None] = field(default=lambda _: None)
    patience: float = 600.0
    poll: float = 0.5

    def plan(self) -> list[Step]:
        """What there is and what would be sent, without sending anything."""
        steps: list[Step] = []
        known = self._known()
        for name, creation, runtime in self._wanted(known):
            address = self._address(name, creation)
            there = address is not None and bool(self.on.node.code(address))
            steps.append(Step(name, address, there, 0 if there else self._gas(creation, runtime)))
            known[name] = address or "0x" + "00" * 20
            # What immutable values will be, only the creation says: of a contract with some, the hash is not known yet.
            known[_hash_of(name)] = "0x" + keccak256(self.on.node.code(str(address)) if there else runtime).hex()
        return steps

    def run(self) -> list[Deployed]:
        """Bring everything onto the chain that is not there; returns all of it.

        Raises
        ------
        OtherCode
            What stands at an address is not what was created.
        NotMined
            A transaction was refused, or no block took it within the time.
        SettleError
            See `Outbox.submit`.
        """
        found: list[Deployed] = []
        known = self._known()
        for name, creation, runtime in self._wanted(known):
            address, kept = self._brought(name, creation)
            code = self.on.node.code(address)
            if not fits(runtime, code):
                raise OtherCode(
                    f"the code at {address} on {self.on.name} is not that of {name}",
                    "Nothing was recorded. Ask the node's owner, or use another node.",
                )
            if name in {VERIFIER, MODEL}:
                self._require_model(name, address)
            found.append(self._record(name, address, code, kept))
            known[name], known[_hash_of(name)] = address, "0x" + keccak256(code).hex()
        self.outbox.release()
        return found

    def _known(self) -> dict[str, Any]:
        code = artefacts.get(self.database, self.release.public["parts"][RUNTIME_FILE]["digest"])
        return {
            "account": self.outbox.account,
            "model_id": "0x" + self.release.public["model_id"].removeprefix("0x"),
            "release": "0x" + self.release.digest,
            "code_hash": "0x" + keccak256(code).hex(),
        }

    def _wanted(self, known: dict[str, Any]) -> Iterator[tuple[str, bytes, bytes]]:
        """(name, creation code, runtime code), one after the other: later ones name addresses of earlier ones."""
        parts = self.release.public["parts"]
        creation, runtime = (
            artefacts.get(self.database, parts[name]["digest"]) for name in (CREATION_FILE, RUNTIME_FILE)
        )
        yield VERIFIER, creation, runtime
        for built in self.contracts:
            yield built.spec.name, built.creation(known), built.compiled.runtime

    def _address(self, name: str, creation: bytes) -> str | None:
        if self._has_factory():
            return create2(creation)
        _, there = standing(self.database, self.on.name, PURPOSE, _subject(name, creation))
        return there.mined["contract"] if there is not None and there.mined is not None else None

    def _has_factory(self) -> bool:
        return self.on.node.code(FACTORY) == FACTORY_CODE

    def _gas(self, creation: bytes, runtime: bytes) -> int:
        """By the node, else by the rules: a constructor may need contracts that are deployed before it."""
        draft = {"from": self.outbox.account, "data": "0x" + creation.hex()}
        try:
            return self.on.node.estimate(draft)
        except (NodeFault, NotTaken, Reverts):
            return _CREATE_GAS + _BYTE_GAS * len(runtime) + _WORD_GAS * len(creation)

    def _brought(self, name: str, creation: bytes) -> tuple[str, Transaction | None]:
        address = self._address(name, creation)
        _, kept = standing(self.database, self.on.name, PURPOSE, _subject(name, creation))
        if address is not None and self.on.node.code(address):
            self.told(f"{name}: there already, {address}")
            return address, kept
        factory = self._has_factory()
        data = "0x" + (_SALT * factory + creation).hex()
        call = Call(PURPOSE, _subject(name, creation), FACTORY if factory else None, data)
        try:
            kept = self.outbox.submit_anew(call)
        except Reverts as error:
            raise self._why(name, creation, error) from None
        self.told(f"{name}: nonce {kept.nonce} of {kept.account}, waiting for a block")
        failed = f"{name} was not deployed"
        kept = mined(self.outbox, kept, failed, told=self.told, patience=self.patience, poll=self.poll)
        made = (kept.mined or {}).get("contract")
        return address if factory and address is not None else str(made), kept

    def _why(self, name: str, creation: bytes, error: Reverts) -> Reverts:
        """The constructor's own refusal: the factory passes none on."""
        try:
            self.on.node.call({"from": self.outbox.account, "data": "0x" + creation.hex()})
        except Reverts as own:
            error = own
        abi = next((built.compiled.abi for built in self.contracts if built.spec.name == name), [])
        return refused(f"the constructor of {name}", error, abi)

    def _require_model(self, name: str, address: str) -> None:
        said = self.on.node.call({"to": address, "data": "0x" + keccak256(b"modelId()")[:4].hex()})
        if said.hex() != self.release.public["model_id"].removeprefix("0x"):
            raise OtherCode(
                f"the {name} at {address} is of the model 0x{said.hex()[:16]}.., and the release is of another",
                "It was not recorded: restore the release, or correct its arguments in task.toml.",
            )

    def _record(self, name: str, address: str, code: bytes, kept: Transaction | None) -> Deployed:
        there = self._recorded(journal.read(self.database, self.task.name, [DEPLOYED]), name, address)
        if there is not None:
            return there
        what = {
            "address": address,
            "code_hash": "0x" + keccak256(code).hex(),
            "release": self.release.digest,
            "chain_id": self.on.chain_id,
        }
        evidence = {"abi": self._abi(name)}
        block = None
        if kept is not None and kept.mined is not None:
            evidence |= {"transaction": kept.id, "hash": kept.mined["hash"], "block_hash": kept.mined["block_hash"]}
            block = kept.mined["block"]
        why = f"deployed for {self.release.name}" if kept is not None else f"found there for {self.release.name}"
        happened = Event(DEPLOYED, name, self.who, what, why, evidence, self.on.name, block)

        def is_new(connection: Connection) -> bool:
            events = journal.read_in(connection, self.task.name, [DEPLOYED])
            return self._recorded(events, name, address) is None

        # Of two commands at once one writes it down.
        written = journal.append_if(self.database, self.task.name, happened, is_new)
        return self._record(name, address, code, kept) if written is None else Deployed.of(written)

    def _recorded(self, events: Iterable[Event], name: str, address: str) -> Deployed | None:
        """The contract as the history has it, if it acts there; one that is gone back to is recorded again."""
        there = [Deployed.of(one) for one in events if one.chain == self.on.name and one.subject == name]
        own = [one for one in there if one.release == self.release.digest]
        return own[-1] if own and own[-1].address == there[-1].address == address else None

    def _abi(self, name: str) -> str | None:
        """Digest of the contract's interface, so that its errors can be named without a compiler."""
        found = next((built.compiled.abi for built in self.contracts if built.spec.name == name), None)
        return None if found is None else artefacts.put(self.database, json.dumps(found, sort_keys=True).encode())


def prepare(
    database: Database,
    project: Path,
    task: Task,
    release: Release,
    chain: str | None,
    *,
    who: str,
    unchecked: bool = False,
) -> Deployment:
    """Open a chain and look at everything that would be deployed there; nothing is sent.

    Raises
    ------
    NoChain, NoSigner, KeyUnreadable
        See `network` and `signer`.
    DevelopmentKeyRefused, KeyUnchecked
        The release's key may not leave a local chain.
    ContractUnknown, CompileFailed
        A contract of the project cannot be built.
    RowOfAnother
        The contract that makes rows is of another release.
    """
    on = network(task, chain)
    key = verifying_key(database, release)
    require_deployable(
        key.model_id,
        key.check,
        development=key.srs_kind == "development",
        chain_id=on.chain_id,
        unchecked=unchecked,
    )
    require_row(database, project, release, on.spec.contracts)
    contracts = build(project, on.spec.contracts)
    outbox = Outbox(database, on.node, signer(on, project), deploying(on))
    return Deployment(database, project, task, release, on, outbox, contracts, who)


def deployed(database: Database, project: str, chain: str) -> list[Deployed]:
    """What was deployed for a project on a chain, oldest first."""
    events = journal.read(database, project, [DEPLOYED])
    return [Deployed.of(event) for event in events if event.chain == chain]


def contract_of(
    database: Database, project: str, on: Network, name: str, release: str | None = None
) -> Deployed | None:
    """A contract by its name: the address that task.toml declares, else what was deployed last.

    Parameters
    ----------
    release
        Of what was deployed, that for this release comes first: a contract that pins a model is of no other.
    """
    found = [one for one in deployed(database, project, on.name) if one.name == name]
    declared = getattr(on.spec, name, None)
    if declared is not None:
        same = [one for one in found if one.address.lower() == declared.lower()]
        return same[-1] if same else Deployed(name, declared, "", "", None, None)
    own = [one for one in found if one.release == release]
    return (own or found)[-1] if found else None


def interface(database: Database, one: Deployed) -> list[dict[str, Any]]:
    """A contract's interface, by which its errors are named; empty if it was not deployed from here."""
    found: Any = [] if one.abi is None else jsontext.parse(artefacts.get(database, one.abi))
    return list(found)


def create2(creation: bytes) -> str:
    """The address of what the factory creates from this code (EIP-1014), with its checksum."""
    from eth_utils.address import to_checksum_address

    packed = b"\xff" + bytes.fromhex(FACTORY[2:]) + _SALT + keccak256(creation)
    return str(to_checksum_address("0x" + keccak256(packed)[12:].hex()))


def fits(compiled: bytes, code: bytes) -> bool:
    """Whether the code on the chain is what was compiled; where that has zeros, immutable values may stand."""
    return len(code) == len(compiled) > 0 and all(
        wanted in {there, 0} for there, wanted in zip(code, compiled, strict=True)
    )


def _hash_of(name: str) -> str:
    """What a contract's arguments call the hash of an earlier one's code."""
    return f"{name}.code_hash"


def _subject(name: str, creation: bytes) -> str:
    return f"{name}:{keccak256(creation).hex()}"
