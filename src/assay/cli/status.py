"""`assay status`: what of a project is fresh, stale or missing, and why; and how it stands on its chains."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import app
from assay.cli.options import DatabaseUrl, Json, Project
from assay.cli.output import Output, warn

if TYPE_CHECKING:
    from assay.settle.status import ChainStatus, RegistryStatus


@app.command()
def status(
    project: Project = Path(),
    *,
    chain: Annotated[
        str | None,
        typer.Option("--chain", metavar="NAME", help="Ask this chain only, or none; by default all that have a node."),
    ] = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Show what of a project is fresh, stale or missing, and why; and what record and chains say of it."""
    from assay.project.project import Project as Opened

    opened = Opened(project)
    found = opened.status()
    on = [] if chain == "none" else _chains(opened, database, chain)
    fields: dict[str, Any] = {"project": str(project), "steps": [step.to_dict() for step in found]}
    fields["chains"] = [one.to_dict() for one in on]
    fields["retraining"] = _retraining(opened, database)
    lines = [*map(str, found), *([fields["retraining"]] if fields["retraining"] else [])]
    lines += [line for one in on for line in ["", *_lines(one)]]
    Output(json=json).result(fields, "\n".join(lines))
    for one in on:
        for problem in one.problems:
            warn(f"{one.name}: {problem}")


def _chains(opened: Any, url: str | None, only: str | None) -> list[ChainStatus]:
    """Nothing is asked of a chain before there are records: there is nothing to compare."""
    from assay.record.database import FILE, Database
    from assay.settle.status import chains

    if url is None and not (opened.folder / ".assay" / FILE).is_file():
        return []
    with closing(Database.of_project(opened.folder, url)) as base:
        return chains(base, opened.folder, opened.task, only)


def _retraining(opened: Any, url: str | None) -> str:
    """What of retraining waits for somebody; empty if nothing does, or there are no records."""
    from assay.keep.retrain.plan import notice
    from assay.record.database import FILE, Database

    if url is None and not (opened.folder / ".assay" / FILE).is_file():
        return ""
    with closing(Database.of_project(opened.folder, url)) as base:
        return notice(base, opened.task.name)


def _lines(one: ChainStatus) -> list[str]:
    queue = ", ".join(f"{count} {state}" for state, count in one.queue.items() if count) or "nothing"
    lines = [f"{one.name} (chain {one.chain_id}{', the one that counts' * one.counts})"]
    if one.head is not None:
        lines.append(f"  block {one.head}, final up to {'none' if one.final is None or one.final < 0 else one.final}")
    lines += [f"  {each['address']} has {int(each['balance_wei']) / 10**18:.6f}" for each in one.accounts]
    lines.append(f"  under way: {queue}")
    lines += [f"  {name} {address}" for name, address in one.contracts.items() if name != "registry"]
    if one.registry is not None:
        lines += [f"  {line}" for line in _registry(one.registry)]
    if one.counts:
        lines.append(f"  by the record {one.champion or 'nothing'} decides")
    return lines


def _registry(one: RegistryStatus) -> list[str]:
    names = {each["number"]: each["release"] for each in one.versions}
    since = f" since block {one.since}" if one.since is not None and one.recorded == one.default else ""
    decides = f"version {one.default} ({names.get(one.default)}) is the default{since}" if one.default else "no default"
    lines = [f"registry {one.address}: {decides}"]
    for each in one.versions:
        blocks = each["blocks"]
        said = each["state"]
        if said == "allowed" and "allowed" in blocks:
            said = f"allowed from block {blocks['allowed']}"
        if said == "proposed":
            said += f", may be allowed from {_when(each['ready_at'])}"
        if each["until"] is not None:
            said += f", retired: its proofs count until block {each['until']}"
        if each["number"] == one.next:
            said += f", may become the default from {_when(one.ready_at)}"
        lines.append(f"  {each['number']:>2}  {each['release']}  {said}{', FROZEN' * each['frozen']}")
    return lines


def _when(moment: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
