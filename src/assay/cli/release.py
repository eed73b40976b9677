"""`assay release`: what was decided, kept for ever; which release decides; and the way back."""

from __future__ import annotations

import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import release_app
from assay.cli.options import DatabaseUrl, Here, Json, Passphrase
from assay.cli.output import Output, progress
from assay.cli.records import opened

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.releases import Release

Version = Annotated[str, typer.Argument(metavar="V", help="A version such as 3, or the beginning of a digest.")]
_DIGITS = 16


@release_app.command("create")
def create(
    folder: Here = Path(),
    *,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What you say of it.")] = "",
    despite: Annotated[
        str | None, typer.Option("--despite", metavar="REASON", help="Why, if the decision found nothing good enough.")
    ] = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Keep what the project decided as its next release; the first one decides at once."""
    from assay.project.project import Project
    from assay.release import alias
    from assay.release.make import create as make

    project = Project(folder)
    with progress("Compiling the verifier and keeping every part"), opened(folder, database) as base:
        made = make(base, project, who=who(), note=note, despite=despite)
        decides = alias.champion(base, made.project) == made.digest
    text = f"{made.name}  {made.digest[:_DIGITS]}  {'it decides' if decides else 'kept; promote it to let it decide'}"
    Output(json=json).result(fields_of(made) | {"champion": decides}, text)


@release_app.command("list")
def list_(folder: Here = Path(), *, database: DatabaseUrl = None, json: Json = False) -> None:
    """List the project's releases, and say which decides."""
    from assay.record import releases
    from assay.release import alias

    with opened(folder, database) as base:
        name = _name(folder)
        found, champion = releases.find(base, name), alias.champion(base, name)
        said = standing_of(base, name)
    lines = [
        "  ".join(
            [
                f"{one.version:>4}  {one.digest[:_DIGITS]}  {_day(one.created)}",
                f"{'champion' if one.digest == champion else '':<8}",
                *[text.upper() if text.startswith("frozen") else text for text in said.get(one.digest, ())],
                one.note,
            ]
        ).rstrip()
        for one in found
    ]
    items = [fields_of(one) | {"champion": one.digest == champion, "chains": said.get(one.digest, [])} for one in found]
    fields = {"items": items}
    Output(json=json).result(fields, "\n".join(lines) or "no release yet: `assay release create` makes one")


@release_app.command("show")
def show(version: Version, folder: Here = Path(), *, database: DatabaseUrl = None, json: Json = False) -> None:
    """Show a release: what a stranger can check, and which private parts are held here."""
    from assay.record import releases

    with opened(folder, database) as base:
        found = releases.get(base, _name(folder), version)
        said = standing_of(base, found.project).get(found.digest, [])
    rows = [
        ("digest", found.digest),
        *([("on chains", "; ".join(said))] if said else []),
        ("made", _day(found.created)),
        ("model", found.public["model_id"]),
        ("dataset", found.public["dataset"]),
        ("note", found.note or "none"),
        ("despite", found.public["despite"] or "nothing: it met every limit"),
        ("public parts", ", ".join(found.public["parts"])),
        ("private parts", ", ".join(found.private) or "not held here"),
        ("made with", ", ".join(f"{name} {number}" for name, number in found.public["made_with"].items())),
    ]
    Output(json=json).table(fields_of(found) | {"chains": said, "public": found.public}, found.name, rows)


@release_app.command("diff")
def diff(
    one: Version, other: Version, folder: Here = Path(), *, database: DatabaseUrl = None, json: Json = False
) -> None:
    """Show what differs between two releases."""
    from assay.record import releases
    from assay.release.compare import compare

    with opened(folder, database) as base:
        name = _name(folder)
        found = compare(base, releases.get(base, name, one), releases.get(base, name, other))
    lines = []
    for each in found:
        lines += [f"{each.name}:", *each.lines] if each.lines else [f"{each.name}: {each.before} -> {each.after}"]
    fields = {
        "items": [
            {"name": each.name, "before": each.before, "after": each.after, "lines": list(each.lines)} for each in found
        ]
    }
    Output(json=json).result(fields, "\n".join(lines) or "nothing differs but version, time and note")


@release_app.command("export")
def export(
    version: Version,
    folder: Here = Path(),
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")],
    private: Annotated[bool, typer.Option("--private", help="With the private part, encrypted.")] = False,
    passphrase_file: Passphrase = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Write a release to one file that a stranger can check, or its owner can bring in elsewhere."""
    from assay.record import releases
    from assay.release.export import export as write

    passphrase = _passphrase(passphrase_file, twice=True) if private else None
    with opened(folder, database) as base:
        found = releases.get(base, _name(folder), version)
        write(base, found, out, passphrase)
    size = out.stat().st_size
    what = "public part, and the private one encrypted" if private else "public part"
    Output(json=json).result(
        {"file": str(out), "bytes": size, "digest": found.digest}, f"{out}: {what} of {found.name}, {size:,} bytes"
    )


@release_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `assay release export` wrote.")],
    folder: Here = Path(),
    *,
    private: Annotated[bool, typer.Option("--private", help="Open the private part too.")] = False,
    passphrase_file: Passphrase = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Check an exported release and keep it; it decides nothing until it is promoted."""
    from assay.release.export import bring_in

    passphrase = _passphrase(passphrase_file) if private else None
    with opened(folder, database, begins=True) as base:
        found = bring_in(base, file, who=who(), passphrase=passphrase)
    held = "with its private part" if found.private else "its public part only: it can be checked, not proven"
    Output(json=json).result(fields_of(found), f"{found.name}  {found.digest[:_DIGITS]}  {held}")


@release_app.command("history")
def history(
    folder: Here = Path(),
    *,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME|BLOCK", help="What decided then: 2026-11-28T12:00, or CHAIN:BLOCK."),
    ] = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Show which release decided from when, who said so, and why; checked against the digests of all events."""
    from assay.record import journal
    from assay.release import alias

    with opened(folder, database) as base:
        name = _name(folder)
        if at is not None:
            _decided(base, name, at, Output(json=json))
            return
        count = journal.verify(base, name)
        found = alias.moves(base, name)
    fields = {"events": count, "items": [_move(one) for one in found]}
    lines = [_line(one) for one in found]
    Output(json=json).result(fields, "\n".join([*lines, f"{count} events, none altered"]))


def standing_of(base: Database, project: str) -> dict[str, list[str]]:
    """What registries did to releases, by their digests: frozen, retired, refused."""
    from assay.settle.shadow import verdicts

    return verdicts(base, project)


def _name(folder: Path) -> str:
    from assay.project.project import Project

    return Project(folder).task.name


def who() -> str:
    """Who runs the command, for the history."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "somebody without a name"


def _passphrase(file: Path | None, *, twice: bool = False) -> str:
    from assay.core import files
    from assay.release.errors import WrongPassphrase

    if file is not None:
        return files.read(file).decode(errors="replace").rstrip("\r\n")
    try:
        found = getpass.getpass("Passphrase: ")
        if twice and getpass.getpass("Again: ") != found:
            raise WrongPassphrase("the two passphrases differ", "Type the same twice.")
    except EOFError:
        raise WrongPassphrase("nobody is there to give the passphrase", "Name a --passphrase-file.") from None
    return found


def fields_of(one: Release) -> dict[str, Any]:
    return {
        "name": one.project,
        "version": one.version,
        "digest": one.digest,
        "model_id": one.public["model_id"],
        "note": one.note,
        "created": one.created,
        "private": sorted(one.private),
    }


def _move(move: Any) -> dict[str, Any]:
    event = move.event
    return {
        "time": event.time,
        "version": event.what["version"],
        "digest": move.after,
        "before": move.before,
        "back": move.back,
        "who": event.who,
        "why": event.why,
        "chain": event.chain,
        "block": event.block,
    }


def _line(move: Any) -> str:
    how = "back to" if move.back else "to"
    event = move.event
    return f"{_day(event.time)}  {how} {event.what['version']}  by {event.who}: {event.why}"


def _decided(base: Database, name: str, at: str, output: Output) -> None:
    from datetime import UTC, datetime

    from assay.record import releases
    from assay.release import alias
    from assay.release.errors import ReleaseError

    chain, _, block = at.rpartition(":")
    try:
        if block.isdecimal() and chain and not chain[-1].isdecimal():
            digest = alias.champion(base, name, at=int(block), chain=chain)
        else:
            moment = datetime.fromisoformat(at)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            digest = alias.champion(base, name, at=moment.timestamp())
    except ValueError:
        raise ReleaseError(
            f'"{at:.40}" is neither a time nor a block', "Write 2026-11-28T12:00 or main:21000000."
        ) from None
    if digest is None:
        output.result({"at": at, "version": None, "digest": None}, "nothing decided then")
        return
    found = releases.by_digest(base, digest)
    output.result({"at": at, "version": found.version, "digest": digest}, f"{found.name}  {digest[:_DIGITS]}")


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(moment))
