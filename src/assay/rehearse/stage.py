"""The stage: a local chain with the project's own contracts, the release, and a database of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.chain.context import LOCAL_CHAIN_IDS
from assay.core import files
from assay.core.keccak import keccak256
from assay.data.dataset.dataset import Dataset
from assay.data.tables import quality
from assay.record import artefacts, releases
from assay.record.database import Database
from assay.rehearse.errors import NothingToReplay
from assay.rehearse.service import ABOUT, READY, ROWS
from assay.rehearse.standin import StandIn, replaced
from assay.release import alias
from assay.release.make import private_digests
from assay.serve.models import Models
from assay.settle.deploy import prepare
from assay.settle.errors import NoConsumer, NotPermitted
from assay.settle.network import network, selector
from assay.settle.promote import registrar
from assay.settle.registry import PROPOSER, registry_of
from assay.settle.rows import require_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.record.releases import Release
    from assay.settle.network import Network
    from assay.task.task import Task

LOCAL_ID = min(LOCAL_CHAIN_IDS - {1337})
_MANIFEST, _ROWS = "manifest.json", "dataset/rows.parquet"
_CONFIRMATIONS = 2
_MAX_FEE_GWEI = 200.0
_NO_REFUSAL = "0x00"  # STOP


@dataclass
class Stage:
    """Everything that a rehearsal plays on.

    Attributes
    ----------
    on
        The local chain, asked past the door that the service goes through.
    consumer
        The contract that acts on answers.
    said
        What is other than in production, a sentence each.
    row
        What gives the consumer its rows, if it makes them itself.
    """

    place: Path
    task: Task
    database: Database
    release: Release
    on: Network
    consumer: str
    rows: list[dict[str, Any]]
    said: list[str]
    service: subprocess.Popen[bytes] | None = None
    log: Path = field(default=Path())
    row: StandIn | None = None

    def start(self, *, wait: bool = False) -> None:
        """Start the service; `wait` until it has opened everything."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "assay.rehearse.service", str(self.place)]
            self.service = subprocess.Popen(command, stderr=log, cwd=self.place)  # noqa: S603  our own interpreter
        while wait and not (self.place / READY).exists() and self.service.poll() is None:
            time.sleep(0.05)

    def kill(self) -> None:
        """End the service without a word (SIGKILL)."""
        if self.service is not None:
            self.service.kill()
            self.service.wait()

    def end(self) -> None:
        """Let the service finish what is under way."""
        if self.service is not None and self.service.poll() is None:
            self.service.terminate()
            try:
                self.service.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def give(self, **row: Any) -> None:
        """Let a row come, or a gap."""
        with (self.place / ROWS).open("a") as file:
            file.write(json.dumps(row) + "\n")


def set_up(
    source: Database,
    project: Path,
    task: Task,
    release: Release,
    place: Path,
    *,
    urls: tuple[str, str],
    told: Callable[[str], None],
) -> Stage:
    """Deploy and promote as in production, on a local chain.

    Parameters
    ----------
    source
        The project's records, which stay as they are.
    urls
        Of the node, and of the door before it.

    Raises
    ------
    NothingToReplay
        The dataset is not held here.
    NoConsumer
        [chains.NAME] deploys no contract that acts on answers.
    """
    behind, door = urls
    said: list[str] = []
    rows = _rows(source, release, place)
    database = Database(f"sqlite:///{place / 'records.sqlite'}")
    _copy(source, database, release)
    if (project / "contracts").is_dir():
        shutil.copytree(project / "contracts", place / "contracts")
    inside = _task(task, project, behind, said)
    spec = inside.chain(inside.protocol.chain)
    require_row(database, place, release, spec.contracts)
    contracts, made = replaced(spec.contracts, place, said)
    chains = {**inside.chains, inside.protocol.chain: spec.model_copy(update={"contracts": contracts})}
    inside = inside.model_copy(update={"chains": chains})
    told("deploying the verifier and the project's contracts")
    deployment = prepare(database, place, inside, release, None, who="rehearsal", unchecked=True)
    deployment.poll = 0.02
    found = {one.name: one.address for one in deployment.run()}
    if "consumer" not in found:
        raise NoConsumer(
            f"no contract of [chains.{task.protocol.chain}] is called consumer",
            "Declare it in [[chains.NAME.contracts]]: a rehearsal settles on the project's own.",
        )
    on = network(inside)
    stage = Stage(place, inside, database, release, on, found["consumer"], rows, said, log=place / "service.log")
    stage.row = StandIn(on, found[made], Models(database).of(release.digest)) if made else None
    _promote(stage)
    served = _task(task, project, door, [])
    files.write(
        place / ABOUT,
        json.dumps({"task": served.model_dump(mode="json", by_alias=True), "database": database.address}),
    )
    return stage


def _rows(source: Database, release: Release, place: Path) -> list[dict[str, Any]]:
    """The rows of the release's test set, as live rows are made."""
    import polars as pl

    private = private_digests(release)
    if _ROWS not in private or _MANIFEST not in release.public["parts"]:
        raise NothingToReplay(f"the dataset of {release.name} is not held here", "Rehearse where the release was made.")
    folder = place / "data"
    folder.mkdir(parents=True)
    files.write(folder / _MANIFEST, artefacts.get(source, release.public["parts"][_MANIFEST]["digest"]))
    files.write(folder / "rows.parquet", artefacts.get(source, private[_ROWS]))
    dataset = Dataset.load(folder)
    if dataset.manifest.window > 1:
        frame = dataset.windows("test")
        values = frame.select(pl.col(dataset.inputs).cast(pl.Float32).fill_nan(None))
    else:
        frame = dataset.frame("test")
        values = quality.typed(frame, dataset.features).select(dataset.features)
    times = frame[dataset.time].cast(str).to_list() if dataset.time else [""] * frame.height
    return [{"values": list(row), "time": str(time)} for row, time in zip(values.iter_rows(), times, strict=True)]


def _copy(source: Database, database: Database, release: Release) -> None:
    parts = [about["digest"] for about in release.public["parts"].values()]
    with database.begin() as connection:
        for digest in {*parts, *private_digests(release).values()}:
            artefacts.put_in(connection, artefacts.get(source, digest))
        releases.keep_in(database, connection, release)
    alias.promote(database, release, who="rehearsal", why="it is rehearsed")


def _task(task: Task, project: Path, url: str, said: list[str]) -> Task:
    """The task with a local node for the chain that counts; its contracts, delays and limits stay."""
    name = task.protocol.chain
    spec = task.chain(name)
    changes: dict[str, Any] = {
        "id": LOCAL_ID,
        "rpc": (url,),
        "signer": "",
        "verifier": None,
        "registry": None,
        "consumer": None,
        "allow": (),
        "block_seconds": spec.block_seconds or task.protocol.block_seconds,
        "spend_per_day": 1e6,
        "max_fee_gwei": max(spec.max_fee_gwei, _MAX_FEE_GWEI),
        "confirmations": spec.confirmations if spec.confirmations is not None else _CONFIRMATIONS,
    }
    if spec.confirmations is None:
        said.append(f"a transaction is final after {_CONFIRMATIONS} blocks; {name} says itself what is")
    if spec.max_fee_gwei < _MAX_FEE_GWEI:
        said.append(f"the local node asks its own price: a unit of gas may cost {_MAX_FEE_GWEI:g} gwei")
    own = _account(project, spec.signer)
    contracts = []
    for one in spec.contracts:
        arguments = tuple(_mine(value, own) for value in one.arguments)
        if arguments != one.arguments:
            said.append(f"{one.name} is told the rehearsal's account where it is told {own}")
        contracts.append(one.model_copy(update={"arguments": arguments}))
    changes["contracts"] = tuple(contracts)
    chains = {**task.chains, name: spec.model_copy(update=changes)}
    return task.model_copy(update={"chains": chains})


def _account(project: Path, named: str) -> str | None:
    try:
        return "0x" + str(json.loads((project / named).read_bytes())["address"]).removeprefix("0x").lower()
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _mine(value: Any, own: str | None) -> Any:
    if isinstance(value, (list, tuple)):
        return [_mine(one, own) for one in value]
    return "$account" if own is not None and isinstance(value, str) and value.lower() == own else value


def _promote(stage: Stage) -> None:
    """Through the registry, whoever holds its roles and however long it waits: a local chain's clock can be set."""
    on, said, release = stage.on, stage.said, stage.release
    registry = registry_of(stage.database, stage.task.name, on)
    if registry is None:
        return
    if (gate := registry.gate()) is not None:
        on.node.ask("anvil_setCode", gate, _NO_REFUSAL)
        said.append(f"the registry's gate {gate} lets everything pass: the evidence that it asks for is not rehearsed")
    calls = registrar(stage.database, stage.place, stage.task, on.name, who="rehearsal", why="it is rehearsed")
    calls.poll = 0.02
    try:
        found = calls.promote(release)
    except NotPermitted:
        admin = "0x" + on.node.call({"to": registry.address, "data": selector("defaultAdmin()")}).hex()[-40:]
        on.node.ask("anvil_impersonateAccount", admin)
        on.node.ask("anvil_setBalance", admin, hex(10**18))
        role = keccak256(PROPOSER.encode()).hex() + f"{int(calls.outbox.account, 16):064x}"
        data = selector("grantRole(bytes32,address)") + role
        on.node.ask("eth_sendTransaction", {"from": admin, "to": registry.address, "data": data})
        said.append("the rehearsal's account is the registry's proposer, by its admin's leave")
        found = calls.promote(release)
    while found.state != "default":
        wait = found.ready_at - registry.time()
        said.append(f"the registry's delay ({wait:,} s) passes at once")
        on.node.ask("evm_increaseTime", wait)
        on.node.ask("anvil_mine", "0x1")
        found = calls.promote(release)
