"""`assay deploy`: a release's verifier and the project's contracts onto a chain."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import app
from assay.cli.options import ChainName, DatabaseUrl, Here, Json, Yes
from assay.cli.output import Output
from assay.cli.records import opened
from assay.cli.release import who
from assay.core.errors import AssayError

if TYPE_CHECKING:
    from assay.settle.deploy import Deployment, Step


class NotConfirmed(AssayError):
    """Nobody said yes to what costs money."""

    code = "cli/not-confirmed"


@app.command()
def deploy(
    release: Annotated[
        str | None, typer.Argument(metavar="V", help="Version or digest of a release; by default the one that decides.")
    ] = None,
    folder: Here = Path(),
    *,
    chain: ChainName = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would be sent and what it costs; send nothing.")
    ] = False,
    yes: Yes = False,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Although no reference string here confirms the key's ceremony.")
    ] = False,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Bring a release's verifier and the contracts of [chains.NAME] onto the chain, each once."""
    from assay.project.project import Project
    from assay.settle.deploy import prepare

    output = Output(json=json)
    project = Project(folder)
    with opened(folder, database) as base:
        found = release_named(base, project.task.name, release)
        made = prepare(base, folder, project.task, found, chain, who=who(), unchecked=unchecked)
        made.told = tell
        steps = made.plan()
        price, cost = _cost(made, steps)
        fields: dict[str, Any] = {"chain": made.on.name, "chain_id": made.on.chain_id, "release": found.digest}
        fields |= {"account": made.outbox.account, "gas": sum(step.gas for step in steps), "cost_wei": str(cost)}
        lines = [_line(step) for step in steps]
        total = f"about {cost / 10**18:.6f} at {price / 10**9:.3f} gwei, from {made.outbox.account} on {made.on.name}"
        if plan:
            fields["steps"] = [vars(step) for step in steps]
            output.result(fields, "\n".join([*lines, total]))
            return
        if not made.on.local and any(not step.there for step in steps):
            tell("\n".join([*lines, total]))
            confirm("Send it?", yes=yes)
        done = made.run()
    fields["contracts"] = [vars(one) for one in done]
    output.result(fields, "\n".join(f"{one.name:<12}{one.address}" for one in done))


def release_named(base: Any, name: str, wanted: str | None) -> Any:
    """A release by version or digest; by default the one that decides."""
    from assay.record import releases
    from assay.release import alias
    from assay.release.errors import NoChampion

    if wanted is not None:
        return releases.get(base, name, wanted)
    champion = alias.champion(base, name)
    if champion is None:
        raise NoChampion(f"no release of {name} decides", "Create one: `assay release create`.")
    return releases.by_digest(base, champion)


def _cost(made: Deployment, steps: list[Step]) -> tuple[int, int]:
    """Wei a unit of gas, and in all; the price is twice the base fee, so it is the most."""
    from assay.settle.fees import suggested

    if all(step.there for step in steps):
        return 0, 0
    price = suggested(made.on.node, made.outbox.policy.max_fee).limit
    return price, price * sum(step.gas for step in steps)


def _line(step: Step) -> str:
    where = step.address or "its address is known once it is there"
    return f"{step.name:<12}{where}  {'there already' if step.there else f'about {step.gas:,} gas'}"


def confirm(question: str, *, yes: bool) -> None:
    """Ask at the terminal, unless `yes`; raises `NotConfirmed`."""
    if yes:
        return
    if not sys.stdin.isatty() or not typer.confirm(question, err=True):
        raise NotConfirmed("nothing was sent", "Confirm it, or give --yes.")


def tell(text: str) -> None:
    """Say on standard error what happens."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
