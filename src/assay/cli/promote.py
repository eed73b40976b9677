"""`assay release promote`, `back`, `freeze`: which release decides, in the record and on a chain."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import release_app
from assay.cli.deploy import confirm, tell
from assay.cli.options import DatabaseUrl, Here, Json, Yes
from assay.cli.output import Output
from assay.cli.release import Version, fields_of, opened, who
from assay.core.errors import AssayError

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.settle.promote import Registrar, Standing
    from assay.task.task import Task

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")]
Chain = Annotated[
    str | None,
    typer.Option(
        "--chain",
        metavar="NAME",
        help="In the registry of this [chains.NAME]; none for the record alone, as where no chain has a registry.",
    ),
]
SignerName = Annotated[
    str,
    typer.Option(
        "--signer", metavar="FILE|kms:KEY", help="Another account than the chain's signer: a keystore, a key."
    ),
]
Words = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="FILE", help="Of that keystore; else it is asked.")
]


class ChainDecides(AssayError):
    """The chain that counts has a registry, and it was not said whether that is meant."""

    code = "cli/chain-decides"


@release_app.command("promote")
def promote(
    version: Version,
    folder: Here = Path(),
    *,
    reason: Reason,
    chain: Chain = None,
    signer: SignerName = "",
    passphrase_file: Words = None,
    yes: Yes = False,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Let a release decide. On a chain with a registry: propose it, or go on when its delay is over."""
    from assay.project.project import Project
    from assay.record import releases
    from assay.release.alias import promote as move

    task = Project(folder).task
    with opened(folder, database) as base:
        found = releases.get(base, task.name, version)
        if not _on_chain(base, task, chain):
            event = move(base, found, who=who(), why=reason)
            Output(json=json).result(fields_of(found) | {"event": event.number}, f"{found.name} decides from now on")
            return
        calls = _registrar(base, folder, task, chain, by=(signer, passphrase_file), why=reason)
        if not calls.registry.on.local:
            confirm(f"Promote {found.name} on {chain} with {calls.outbox.account}?", yes=yes)
        stands = calls.promote(found)
        text = _stands(calls, stands, found.name)
    Output(json=json).result(fields_of(found) | _shown(calls, stands), text)


@release_app.command("back")
def back(
    folder: Here = Path(),
    *,
    reason: Reason,
    chain: Chain = None,
    signer: SignerName = "",
    passphrase_file: Words = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Go back to the release that decided before, with its task, code, features and keys; on a chain at once."""
    from assay.project.project import Project
    from assay.release.alias import back as move
    from assay.settle.shadow import held

    task = Project(folder).task
    with opened(folder, database) as base:
        if not _on_chain(base, task, chain):
            found = move(base, task.name, who=who(), why=reason)
            Output(json=json).result(fields_of(found), f"{found.name} decides again")
            return
        calls = _registrar(base, folder, task, chain, by=(signer, passphrase_file), why=reason)
        stands = calls.back()
        there = held(base, task.name, calls.registry.version(stands.version))
    name = there.name if there is not None else f"version {stands.version}, which is not held here,"
    fields = (fields_of(there) if there is not None else {}) | _shown(calls, stands)
    Output(json=json).result(fields, f"{name} decides again on {chain}, as version {stands.version} of its registry")


@release_app.command("freeze")
def freeze(
    version: Version,
    folder: Here = Path(),
    *,
    reason: Reason,
    chain: Annotated[str, typer.Option("--chain", metavar="NAME", help="In the registry of this [chains.NAME].")],
    signer: SignerName = "",
    passphrase_file: Words = None,
    yes: Yes = False,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Let no proof of a release's model count any more on a chain, at whatever address, for ever."""
    from assay.project.project import Project
    from assay.record import releases

    task = Project(folder).task
    with opened(folder, database) as base:
        found = releases.get(base, task.name, version)
        calls = _registrar(base, folder, task, chain, by=(signer, passphrase_file), why=reason)
        model = "0x" + found.public["model_id"].removeprefix("0x")
        confirm(f"Freeze the model {model} on {chain}, for ever?", yes=yes)
        stands = calls.freeze(found)
    text = f"the model {model} of {found.name} is frozen on {chain}, for ever"
    Output(json=json).result(fields_of(found) | _shown(calls, stands), text)


def _on_chain(base: Database, task: Task, chain: str | None) -> bool:
    """Whether a registry is meant; where the chain that counts has one, it must be said."""
    from assay.settle.errors import NoChain
    from assay.settle.network import network
    from assay.settle.registry import registry_of

    if chain is not None:
        return chain != "none"
    try:
        found = registry_of(base, task.name, on := network(task))
    except NoChain:
        return False
    if found is not None:
        raise ChainDecides(
            f"{on.name} has the registry {found.address}, which says what decides there",
            f"Give --chain {on.name}, or --chain none to change the record alone.",
        )
    return False


def _registrar(
    base: Database, folder: Path, task: Task, chain: str | None, *, by: tuple[str, Path | None], why: str
) -> Registrar:
    from assay.settle.network import network, signing
    from assay.settle.promote import registrar

    named, words = by
    other = signing(network(task, chain), Path(), named, str(words or "")) if named else None
    made = registrar(base, folder, task, str(chain), who=who(), why=why, by=other)
    made.told = tell
    return made


def _stands(calls: Registrar, found: Standing, name: str) -> str:
    on = calls.registry.on
    where = f"{name} is version {found.version} of the registry on {on.name}"
    if found.state == "default":
        since = f" since block {found.block}" if found.block is not None else " already"
        return f"{where} and the default{since}"
    waits = max(0, found.ready_at - calls.registry.time())
    blocks = -(-waits // max(1, round(float(on.spec.block_seconds or 12.0))))
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found.ready_at))
    what = "be allowed" if found.state == "proposed" else "become the default"
    return (
        f"{where}: proposed, it may {what} from {when} (about block {on.node.head() + blocks}).\n"
        f"Run the same command again then; until then the guardian can refuse it."
    )


def _shown(calls: Registrar, found: Standing) -> dict[str, Any]:
    return {
        "chain": calls.registry.on.name,
        "registry": calls.registry.address,
        "state": found.state,
        "registry_version": found.version,
        "ready_at": found.ready_at or None,
        "block": found.block,
    }
