"""`assay guide`: what whoever runs a project's service needs, with its own names and addresses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import assay
from assay.keep.explain import runbook
from assay.record import releases
from assay.release import alias
from assay.release.rehearsed import rehearsals
from assay.settle.deploy import deployed
from assay.settle.node import host
from assay.settle.shadow import verdicts
from assay.settle.status import accounts

if TYPE_CHECKING:
    from pathlib import Path

    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.task.chains import ChainSpec
    from assay.task.task import Task


def guide(database: Database, project: Path, task: Task) -> str:
    """Write it, in Markdown. Nothing is asked of a chain; no key and no password is in it.

    Parameters
    ----------
    project
        The project's folder, as commands name it.
    """
    found, champion = releases.find(database, task.name), alias.champion(database, task.name)
    where = "" if str(project) == "." else f" -C {project}"
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    lines = [
        f"# Running {task.name}",
        "",
        f"Written {when} by Assay {assay.__version__}; write it again after each deployment: `assay guide{where}`.",
        "",
        "## What there is",
        "",
        f"- Project: `{project.resolve()}`; records: `{database.shown}`.",
        f"- The first API key is in `{project.resolve() / '.assay' / 'admin.key'}`, which only its owner can read.",
        f"- The chain that counts: {task.protocol.chain}.",
        "",
        *_releases(database, found, champion),
    ]
    for name, spec in task.chains.items():
        lines += ["", f"## {name}", "", *_chain(database, project, task, name, spec)]
    lines += ["", "## Every day", "", *_commands(task, found, champion, where)]
    # Its title becomes a section of this page, and its sections go one deeper.
    body = "\n".join(f"#{line}" if line.startswith("#") else line for line in runbook().splitlines())
    return "\n".join(lines) + "\n\n" + body + "\n"


def _releases(database: Database, found: list[Release], champion: str | None) -> list[str]:
    if not found:
        return ["No release yet: `assay release create`."]
    said = verdicts(database, found[0].project)
    lines = ["| release | digest | model | |", "|---|---|---|---|"]
    for one in found:
        notes = ["**decides by the record**"] if one.digest == champion else []
        notes += [f"**{text}**" for text in said.get(one.digest, ())]
        played = rehearsals(database, one)
        if played:
            notes.append("rehearsal passed" if played[-1].what["passed"] else "rehearsal NOT passed")
        if not one.private:
            notes.append("public part only")
        model = one.public["model_id"]
        lines.append(f"| {one.name} | `{one.digest[:16]}` | `{model[:18]}` | {'; '.join(notes)} |")
    return lines


def _chain(database: Database, project: Path, task: Task, name: str, spec: ChainSpec) -> list[str]:
    """Nodes by their hosts: an address may hold a key."""
    nodes = ", ".join(url if url.startswith("$") else host(url) for url in spec.rpc) or "none declared"
    signer = spec.signer or ("a public test account" if spec.id in {1337, 31337} else "nobody")
    late = spec.late_after_blocks if spec.late_after_blocks is not None else task.latency_blocks
    lines = [
        f"- Chain id {spec.id}; nodes: {nodes}.",
        f"- Signs: {signer}; at most {spec.spend_per_day:g} in 24 hours, {spec.max_fee_gwei:g} gwei a unit of gas.",
        f"- An answer is late after {late if late is not None else 'no'} blocks.",
    ]
    contracts = deployed(database, task.name, name)
    known = {one.address.lower() for one in contracts}
    rows = [f"| {one.name} | `{one.address}` | `{one.code_hash[:18]}` | {one.block or ''} |" for one in contracts]
    rows += [
        f"| {label} | `{address}` | declared in task.toml | |"
        for label in ("verifier", "registry", "consumer")
        if (address := getattr(spec, label)) is not None and address.lower() not in known
    ]
    rows += [f"| account that signs | `{one}` | | |" for one in accounts(database, project, name, spec)]
    if rows:
        lines += ["", "| contract | address | code hash | block |", "|---|---|---|---|", *rows]
    return lines


def _commands(task: Task, found: list[Release], champion: str | None, where: str) -> list[str]:
    chain = task.protocol.chain
    last = found[-1].version if found else 1
    deciding = next((one.version for one in found if one.digest == champion), last)
    on = f" --chain {_quoted(chain)}" if chain in task.chains else ""
    return [
        "| to | run |",
        "|---|---|",
        f"| start everything | `assay up{where}` |",
        f"| see how it stands | `assay status{where.replace(' -C', '')}` |",
        f'| release what was decided | `assay release create{where} --note ".."` |',
        f"| bring it onto the chain | `assay deploy {last}{where}{on}` |",
        f"| rehearse it | `assay rehearse {last}{where}` |",
        f'| let it decide | `assay release promote {last}{where}{on} --reason ".."` |',
        f'| go back, at once | `assay release back{where}{on} --reason ".."` |',
        f'| let a model count no more, for ever | `assay release freeze {deciding}{where}{on} --reason ".."` |',
        f'| refuse what waits for the registry\'s delay | `assay release refuse {last}{where}{on} --reason ".."` |',
        f'| take back what is to decide next | `assay release withdraw{where}{on} --reason ".."` |',
        f'| end proofs of an old one | `assay release retire V --until BLOCK{where}{on} --reason ".."` |',
        f"| back up | `assay backup{where} --out {task.name}-$(date +%F).backup` |",
        f"| restore on an empty machine | `assay restore FILE -C {task.name}` |",
        f"| settle a dispute | `assay dispute ID{where} --out ID.dispute`, then `assay verify ID.dispute` |",
    ]


def _quoted(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() else f'"{name}"'
