"""`assay release promote` and `back`: which release decides, in the record and on a chain."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import release_app
from assay.cli.deploy import confirm, tell
from assay.cli.options import DatabaseUrl, Here, Json, Yes
from assay.cli.output import Output, warn
from assay.cli.records import opened
from assay.cli.release import Version, fields_of, standing_of, who
from assay.core.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.record.database import Database
    from assay.settle.calls import Standing
    from assay.settle.promote import Registrar
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

_MOST_EVIDENCE = 32 << 10
"""Bytes. A transaction is not taken by nodes beyond 128 KiB, and every byte of it costs gas."""


class ChainDecides(AssayError):
    """The chain that counts has a registry, and it was not said whether that is meant."""

    code = "cli/chain-decides"


class EvidenceUnfit(AssayError):
    """What is given as evidence cannot be sent, or nobody asks for it."""

    code = "cli/evidence"


@release_app.command("promote")
def promote(
    version: Version,
    folder: Here = Path(),
    *,
    reason: Reason,
    chain: Chain = None,
    evidence: Annotated[
        str | None,
        typer.Option(
            "--evidence",
            metavar="FILE|0xHEX",
            help="What the registry's gate asks for: a file's bytes, or bytes in hexadecimal. It is kept.",
        ),
    ] = None,
    signer: SignerName = "",
    passphrase_file: Words = None,
    yes: Yes = False,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Let a release decide. On a chain with a registry: propose it, or go on when its delay is over."""
    from assay.record import releases
    from assay.release.alias import promote as move

    given = None if evidence is None else _bytes(evidence)
    with _asked(folder, database, chain, by=(signer, passphrase_file), why=reason) as (base, name, calls):
        found = releases.get(base, name, version)
        if calls is None:
            if given is not None:
                raise EvidenceUnfit("no gate is asked for the record alone", "Leave --evidence out, or name a --chain.")
            event = move(base, found, who=who(), why=reason)
            for said in standing_of(base, name).get(found.digest, ()):
                warn(f"{found.name} is {said}")
            Output(json=json).result(fields_of(found) | {"event": event.number}, f"{found.name} decides from now on")
            return
        if not calls.registry.on.local:
            confirm(f"Promote {found.name} on {chain} with {calls.outbox.account}?", yes=yes)
        stands = calls.promote(found, given)
        text = _stands(calls, stands, found.name)
    Output(json=json).result(fields_of(found) | shown(calls, stands), text)


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
    from assay.release.alias import back as move
    from assay.settle.shadow import held

    with _asked(folder, database, chain, by=(signer, passphrase_file), why=reason) as (base, task, calls):
        if calls is None:
            found = move(base, task, who=who(), why=reason)
            Output(json=json).result(fields_of(found), f"{found.name} decides again")
            return
        stands = calls.back()
        there = held(base, task, calls.registry.version(stands.version))
    name = there.name if there is not None else f"version {stands.version}, which is not held here,"
    fields = (fields_of(there) if there is not None else {}) | shown(calls, stands)
    Output(json=json).result(fields, f"{name} decides again on {chain}, as version {stands.version} of its registry")


@contextmanager
def _asked(
    folder: Path, database: str | None, chain: str | None, *, by: tuple[str, Path | None], why: str
) -> Iterator[tuple[Database, str, Registrar | None]]:
    """The records, the project's name and, where a registry is meant, what calls it."""
    from assay.project.project import Project

    task = Project(folder).task
    with opened(folder, database) as base:
        meant = _on_chain(base, task, chain)
        yield base, task.name, opened_registry(base, folder, task, chain, by=by, why=why) if meant else None


def _bytes(given: str) -> bytes:
    """What `--evidence` says."""
    from assay.core import files

    if given.startswith("0x"):
        try:
            found = bytes.fromhex(given[2:])
        except ValueError:
            raise EvidenceUnfit(
                f'"{given:.40}" is no hexadecimal', "Write two digits for each byte, or a file's name."
            ) from None
    else:
        found = files.read(Path(given))
    if not 0 < len(found) <= _MOST_EVIDENCE:
        raise EvidenceUnfit(
            f"the evidence has {len(found):,} bytes", f"Give 1 to {_MOST_EVIDENCE:,}: a digest of what is larger."
        )
    return found


def _on_chain(base: Database, task: Task, chain: str | None) -> bool:
    """Whether a registry is meant; where the chain that counts has one, it must be said."""
    from assay.settle.registry import decided_on_chain

    if chain is not None:
        return chain != "none"
    found = decided_on_chain(base, task)
    if found is not None:
        raise ChainDecides(
            f"{found.on.name} has the registry {found.address}, which says what decides there",
            f"Give --chain {found.on.name}, or --chain none to change the record alone.",
        )
    return False


def opened_registry(
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


def shown(calls: Registrar, found: Standing) -> dict[str, Any]:
    return {
        "chain": calls.registry.on.name,
        "registry": calls.registry.address,
        "state": found.state,
        "registry_version": found.version,
        "ready_at": found.ready_at or None,
        "block": found.block,
    }
