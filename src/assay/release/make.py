"""`assay release create`: from a decided project to a release that never changes."""

from __future__ import annotations

import json
import platform
import secrets
from importlib import metadata
from typing import TYPE_CHECKING, Any

import assay
from assay.bench.decision import Decision
from assay.core import files, jsontext
from assay.core.hashing import digest
from assay.project.state import locked
from assay.record import artefacts, journal, releases
from assay.record.journal import Event
from assay.record.releases import Release
from assay.release import alias
from assay.release.errors import NotGoodEnough, PrivatePartAbsent, ReleaseAltered, StepStale
from assay.release.parts import Parts, gather

if TYPE_CHECKING:
    from pathlib import Path

    from assay.project.project import Project
    from assay.record.database import Database

SCHEMA = "assay-release/1"
_LIBRARIES = ("numpy", "polars", "duckdb", "scikit-learn", "xgboost-cpu", "lightgbm", "onnxruntime")
_SALT_BYTES = 16


def create(database: Database, project: Project, *, who: str, note: str = "", despite: str | None = None) -> Release:
    """Keep what the project decided as its next release. The first one of a project decides at once.

    Parameters
    ----------
    who
        Who makes it, for the history.
    note
        What they say of it.
    despite
        Why a model is released although none met every limit; kept as an event.

    Raises
    ------
    NothingToRelease
        There is no decision with keys.
    StepStale
        Something changed since the decision or the report.
    NotGoodEnough
        No candidate met every limit, and no reason is given.
    Conflict
        Another process made a release at the same moment.
    ProjectBusy
        Another process works in the project.
    """
    with locked(project.folder):  # what belongs together is not replaced meanwhile
        _require_fresh(project)
        decision = Decision.load(project.folder / "decision")
        enough = any(row.id == decision.chosen and row.qualifies for row in decision.rows)
        if not enough and not despite:
            raise NotGoodEnough(
                f"the decision of {project.folder} found no model that meets every limit",
                "Release one all the same with --despite REASON, which is kept.",
            )
        parts, name = gather(project.folder), project.task.name
    public, private = describe(name, parts, despite=despite)
    with database.begin() as connection:
        for content in (*parts.public.values(), *parts.private.values()):
            artefacts.put_in(connection, content)
        version = releases.next_version(connection, name)
        made = Release(digest_of(public), name, version, public, private, note)
        kept = releases.keep_in(database, connection, made)
    happened = Event("release.made", kept.name, who, {"digest": kept.digest, "version": version}, why=note)
    journal.append(database, name, happened)
    if despite:
        journal.append(database, name, Event("release.despite", kept.name, who, {"digest": kept.digest}, why=despite))
    if alias.champion(database, name) is None:
        alias.promote(database, kept, who=who, why="the first release")
    return kept


def describe(project: str, parts: Parts, *, despite: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The public part, and where the private parts are: digests of public parts, salted ones of private parts.

    A private part may be guessable (a small dataset, a common model): without the salt, which is private itself,
    its digest could be compared with guesses.
    """
    private: dict[str, Any] = {
        name: {"digest": digest(content), "salt": secrets.token_hex(_SALT_BYTES), "bytes": len(content)}
        for name, content in sorted(parts.private.items())
    }
    decision = jsontext.parse(parts.public["decision.json"])
    chosen: dict[str, Any] = next(row for row in decision["rows"] if row["id"] == decision["chosen"])
    public = {
        "schema": SCHEMA,
        "project": project,
        "model_id": parts.model_id,
        "dataset": decision["dataset"],
        "despite": despite,
        "fidelity": chosen["fidelity"],
        "measured": chosen["measured"],
        "parts": {
            name: {"digest": digest(content), "bytes": len(content)} for name, content in sorted(parts.public.items())
        },
        "private": {name: salted(about["digest"], about["salt"]) for name, about in private.items()},
        "made_with": _versions(),
    }
    return public, private


def digest_of(public: dict[str, Any]) -> str:
    """A release's digest: SHA-256 of its public part as canonical JSON (keys in order, no spaces)."""
    return digest(json.dumps(public, sort_keys=True, separators=(",", ":"), allow_nan=False).encode())


def salted(content_digest: str, salt: str) -> str:
    """The digest by which a private part is named in public."""
    return digest(bytes.fromhex(salt) + bytes.fromhex(content_digest))


def take(database: Database, release: Release, folder: Path, *, private: bool = True) -> None:
    """Write the release's parts into a folder: what serving, diffs and exports read.

    Raises
    ------
    PrivatePartAbsent
        Private parts are wanted and are not held here.
    ReleaseAltered
        A part is not what the release says.
    """
    wanted = {name: about["digest"] for name, about in release.public["parts"].items()}
    if private:
        wanted |= private_digests(release)
    with files.folder(folder) as place:
        for name, part in wanted.items():
            content = artefacts.get(database, part)
            files.write(place / name, content, secret=name == "proving.key")


def private_digests(release: Release) -> dict[str, str]:
    """Digest of each private part; raises `PrivatePartAbsent` or `ReleaseAltered`."""
    if set(release.private) != set(release.public["private"]):
        raise PrivatePartAbsent(
            f"the private part of {release.name} is not held here: it can be checked, and neither proven nor served",
            "Import it: `assay release import FILE` of an export made with --private.",
        )
    for name, about in release.private.items():
        if salted(about["digest"], about["salt"]) != release.public["private"][name]:
            raise ReleaseAltered(f"{name} of {release.name} is not what the release names", "Restore a backup.")
    return {name: about["digest"] for name, about in release.private.items()}


def _require_fresh(project: Project) -> None:
    for step in project.status():
        if step.state != "fresh":
            raise StepStale(
                f"the step {step.step} of {project.folder} is {step.state}",
                "Run `assay run --until report` first: a release holds what belongs together.",
            )


def _versions() -> dict[str, str]:
    found = {"assay": assay.__version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
