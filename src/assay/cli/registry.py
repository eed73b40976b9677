"""`assay release freeze`, `refuse`, `withdraw`, `retire`: what shall not decide or count on a chain any more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.app import release_app
from assay.cli.deploy import confirm
from assay.cli.options import DatabaseUrl, Here, Json, Yes
from assay.cli.output import Output
from assay.cli.promote import Reason, SignerName, Words, opened_registry, shown
from assay.cli.records import opened
from assay.cli.release import Version, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.record.releases import Release
    from assay.settle.calls import Standing
    from assay.settle.promote import Registrar

Chain = Annotated[str, typer.Option("--chain", metavar="NAME", help="In the registry of this [chains.NAME].")]


@release_app.command("freeze")
def freeze(
    version: Version,
    folder: Here = Path(),
    *,
    reason: Reason,
    chain: Chain,
    signer: SignerName = "",
    passphrase_file: Words = None,
    yes: Yes = False,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Let no proof of a release's model count any more on a chain, at whatever address, for ever."""

    def done(calls: Registrar, found: Release) -> tuple[Standing, str]:
        model = "0x" + found.public["model_id"].removeprefix("0x")
        confirm(f"Freeze the model {model} on {chain}, for ever?", yes=yes)
        return calls.freeze(found), f"the model {model} of {found.name} is frozen on {chain}, for ever"

    _do(done, version, folder, database, chain, by=(signer, passphrase_file), why=reason, json=json)


@release_app.command("refuse")
def refuse(
    version: Version,
    folder: Here = Path(),
    *,
    reason: Reason,
    chain: Chain,
    signer: SignerName = "",
    passphrase_file: Words = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Refuse a release that is proposed: it never becomes allowed. The guardian's."""

    def done(calls: Registrar, found: Release) -> tuple[Standing, str]:
        stands = calls.refuse(found)
        return stands, f"{found.name}, version {stands.version} of the registry on {chain}, is refused"

    _do(done, version, folder, database, chain, by=(signer, passphrase_file), why=reason, json=json)


@release_app.command("retire")
def retire(
    version: Version,
    folder: Here = Path(),
    *,
    until: Annotated[int, typer.Option("--until", min=1, metavar="BLOCK", help="The last one in which proofs count.")],
    reason: Reason,
    chain: Chain,
    signer: SignerName = "",
    passphrase_file: Words = None,
    yes: Yes = False,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Say until which block proofs of a release that does not decide count; it decides no more. The proposer's."""

    def done(calls: Registrar, found: Release) -> tuple[Standing, str]:
        confirm(f"Retire {found.name} on {chain} after block {until}? It cannot be taken back.", yes=yes)
        stands = calls.retire(found, until)
        return (
            stands,
            f"{found.name}, version {stands.version} on {chain}, is retired: its proofs count until block {until}",
        )

    _do(done, version, folder, database, chain, by=(signer, passphrase_file), why=reason, json=json)


@release_app.command("withdraw")
def withdraw(
    folder: Here = Path(),
    *,
    reason: Reason,
    chain: Chain,
    signer: SignerName = "",
    passphrase_file: Words = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Take back, or refuse, what is to become the default; it stays allowed. The proposer's or the guardian's."""
    from assay.project.project import Project

    task = Project(folder).task
    with opened(folder, database) as base:
        calls = opened_registry(base, folder, task, chain, by=(signer, passphrase_file), why=reason)
        stands = calls.withdraw()
    Output(json=json).result(shown(calls, stands), f"version {stands.version} does not become the default on {chain}")


def _do(
    done: Callable[[Registrar, Release], tuple[Standing, str]],
    version: str,
    folder: Path,
    database: str | None,
    chain: str,
    *,
    by: tuple[str, Path | None],
    why: str,
    json: bool,
) -> None:
    """Do it to one release, and say how that stands."""
    from assay.project.project import Project
    from assay.record import releases

    task = Project(folder).task
    with opened(folder, database) as base:
        found = releases.get(base, task.name, version)
        calls = opened_registry(base, folder, task, chain, by=by, why=why)
        stands, text = done(calls, found)
    Output(json=json).result(fields_of(found) | shown(calls, stands), text)
