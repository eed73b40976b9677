"""The record as the shadow of a chain's registry: what happened there, with its block, and which release decides.

The registry is the truth. What its logs say is written into the history once, whoever made it happen; on the chain
that counts, the champion follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.record import journal, releases, transactions
from assay.record.errors import Unknown
from assay.record.journal import Event
from assay.release import alias
from assay.settle.errors import NoDefault
from assay.settle.registry import KINDS, registry_of

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.settle.network import Network
    from assay.settle.registry import Change, Registry, Version

PURPOSE = "registry"
ASKED, DONE = "registry.asked", "registry.done"
_STRANGER = "the chain"
_DEEPEST_REORG = 128


@dataclass(frozen=True)
class Known:
    """What the history has of a version on a chain: its release, and the blocks in which something became of it."""

    number: int
    release: str
    blocks: dict[str, int]


@dataclass(frozen=True)
class Shadow:
    """What the history has of a chain's registry.

    Attributes
    ----------
    versions
        By number.
    default
        The default, 0 for none; None before the first.
    since
        The block from which it is.
    """

    versions: dict[int, Known]
    default: int | None
    since: int | None


def follow(database: Database, project: str, registry: Registry, *, counts: bool) -> int:
    """Write into the history what happened in the registry since it was looked at; returns how much.

    Parameters
    ----------
    counts
        Whether this is the chain that counts: the champion is then what the registry says.
    """
    chain = registry.on.name
    before = _events(database, project, registry)
    since = max(0, max(event.block or 0 for event in before) - _DEEPEST_REORG) if before else None
    asked, new = _asked(database, project, registry), 0
    for change in registry.changes(since):
        reason = str(change.what.get("reason", ""))
        who, why = asked.get(change.transaction, (_STRANGER, reason))
        subject = f"{registry.address}:{change.what.get('version', 0)}"
        happened = Event(change.kind, subject, who, change.what, why, _evidence(change), chain, change.block)
        new += journal.append_once(database, project, happened)
    if counts:
        _lead(database, project, registry)
    return new


def shadow(database: Database, project: str, registry: Registry) -> Shadow:
    """What the history says of the registry, without asking the chain."""
    versions: dict[int, Known] = {}
    default = since = None
    for event in _events(database, project, registry):
        number = event.what.get("version", 0)
        if event.kind == "registry.default":
            default, since = number, event.block
        if number:
            known = versions.get(number, Known(number, "", {}))
            name = event.kind.removeprefix("registry.")
            blocks = known.blocks | {name: event.block or 0}
            versions[number] = Known(number, event.what.get("release", known.release), blocks)
    return Shadow(versions, default, since)


def deciding(database: Database, project: str, on: Network) -> str | None:
    """Digest of the release that answers on a chain: its registry's default where it has one, else the champion.

    Raises
    ------
    NoDefault
        The registry has no default that counts, or it is no release here: nobody answers in its place.
    """
    registry = registry_of(database, project, on)
    if registry is None:
        return alias.champion(database, project)
    number = registry.current()
    if number == 0:
        raise NoDefault(
            f"the registry {registry.address} of {on.name} has no default that counts",
            "Its consumers do what was done before; promote a release, or go back to one.",
        )
    version = registry.version(number)
    found = held(database, project, version)
    if found is None:
        raise NoDefault(
            f"version {number} of the registry on {on.name} is the release {version.release[:16]}, which is not here",
            "Bring it in: `assay release import FILE`, of an export made with --private.",
        )
    return found.digest


def held(database: Database, project: str, version: Version) -> Release | None:
    """The release that a version of the registry is; None if it is not held here."""
    try:
        found = releases.by_digest(database, version.release)
    except Unknown:
        return None
    return found if found.project == project else None


def last_default(database: Database, project: str) -> tuple[str, str] | None:
    """(chain, registry) whose default changed last, by the history; None if no registry ever had one."""
    found = journal.read(database, project, ["registry.default"])
    return (str(found[-1].chain), found[-1].subject.rpartition(":")[0]) if found else None


def verdicts(database: Database, project: str) -> dict[str, list[str]]:
    """What registries did to releases, by their digests, as the history has it: frozen, retired, refused."""
    models: dict[str, list[str]] = {}
    for one in releases.find(database, project):
        models.setdefault(one.public["model_id"].removeprefix("0x"), []).append(one.digest)
    found: dict[str, dict[tuple[str, str | None], str]] = {}
    versions: dict[tuple[str | None, str], str] = {}
    for event in journal.read(database, project, KINDS):
        kind, what = event.kind.removeprefix("registry."), event.what
        if kind == "proposed":
            versions[event.chain, event.subject] = what["release"]
            continue
        said = {
            "frozen": f"frozen on {event.chain} since block {event.block}, for ever",
            "retired": f"retired on {event.chain}: its proofs count until block {what.get('until')}",
            "refused": f"refused on {event.chain}",
        }.get(kind)
        about = (
            models.get(what["model_id"], []) if kind == "frozen" else [versions.get((event.chain, event.subject), "")]
        )
        for digest in about if said is not None else ():
            found.setdefault(digest, {})[kind, event.chain] = str(said)
    return {digest: list(said.values()) for digest, said in found.items()}


def _lead(database: Database, project: str, registry: Registry) -> None:
    """The champion is the default, if there is one; it stays where the registry has none."""
    last = next((one for one in reversed(_events(database, project, registry)) if one.kind == "registry.default"), None)
    number = registry.default()
    if not number or last is None or last.what["version"] != number:
        return
    found = held(database, project, registry.version(number))
    if found is None:
        return
    alias.follow(
        database,
        found,
        back=last.what["back"],
        who=last.who,
        why=last.why or f"the registry of {registry.on.name}",
        evidence={key: str(value) for key, value in last.evidence.items()},
        chain=registry.on.name,
        block=last.block or 0,
    )


def _events(database: Database, project: str, registry: Registry) -> list[Event]:
    found = journal.read(database, project, KINDS)
    place = f"{registry.address}:"
    return [one for one in found if one.chain == registry.on.name and one.subject.startswith(place)]


def _asked(database: Database, project: str, registry: Registry) -> dict[str, tuple[str, str]]:
    """Who asked for each of our own transactions, and why, by their hashes."""
    asked = journal.read(database, project, [ASKED], subject=f"{registry.on.name}:{registry.address}")
    found: dict[str, tuple[str, str]] = {}
    for sent in transactions.find(database, registry.on.name, purpose=PURPOSE):
        last = next((one for one in reversed(asked) if one.time <= sent.created), None)
        if last is not None:
            found |= {attempt["hash"]: (last.who, last.why) for attempt in sent.attempts}
    return found


def _evidence(change: Change) -> dict[str, Any]:
    return {"transaction": change.transaction, "block_hash": change.block_hash, "log": change.log}
