"""One file with everything a service knows, and a service made from it on an empty machine.

The file is a ZIP of `backup.json`, the records as a SQLite file, and the service's own files (`.assay`: the first
API key, the page's secret). It holds proving keys, rows and secrets: mode 0600.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import assay
from assay.core import files, jsontext
from assay.core.errors import ArtefactVersion, AssayError
from assay.core.hashing import digest_of_file
from assay.core.zips import MALFORMED, entry
from assay.keep.errors import BackupDamaged, NotEmpty, NothingToKeep
from assay.prove import srs as references
from assay.prove.errors import SrsError
from assay.record import answers, artefacts, journal, releases
from assay.record.copy import copy, require_empty
from assay.record.database import FILE, Database
from assay.release import alias
from assay.release.key import verifying_key
from assay.release.make import private_digests
from assay.task.task import TASK_FILE

if TYPE_CHECKING:
    from assay.record.releases import Release

SCHEMA = "assay-backup/1"
_ABOUT, _RECORDS, _FILES = "backup.json", "records.sqlite", "files/"
_LARGEST_JSON, _LARGEST_FILE = 1 << 20, 1 << 20
_CODE = "code/"
_AGAIN = "Take another backup: this one cannot be relied on."


@dataclass(frozen=True)
class Held:
    """What a backup holds: rows by table, the service's files, bytes of the whole, answers whose rows are in it.

    And where it was taken back: what this machine lacks to prove, in a sentence each.
    """

    rows: dict[str, int]
    files: tuple[str, ...]
    bytes: int
    with_rows: int = 0
    lacks: tuple[str, ...] = ()


def backup(database: Database, folder: Path, path: Path) -> Held:
    """Write everything of a service, as it stands at one moment, into one file; the service may go on meanwhile.

    Parameters
    ----------
    folder
        The project's `.assay`.
    path
        A file that is not there yet: a backup is never written over.

    Raises
    ------
    NotEmpty, NothingToKeep
        Nothing is written.
    """
    if path.exists():
        raise NotEmpty(f"{path} is there already", "Give another name: a backup is never written over.")
    if not releases.find(database):
        raise NothingToKeep(
            f"{database.shown} has no release, and so nothing to keep",
            "Name the service's folder by -C, or its database by --database (or ASSAY_DATABASE).",
        )
    with files.translated(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".assay-backup-", dir=path.parent) as name:  # mode 0700
            place = Path(name)
            with closing(Database(f"sqlite:///{place / _RECORDS}")) as target:
                rows = copy(database, target)
                with_rows = answers.with_rows(target)
            # The last one that closes a SQLite file brings its log into it: the file is all there is.
            own = tuple(one for one in sorted(folder.iterdir()) if _is_own(one)) if folder.is_dir() else ()
            whole = place / "whole"
            _pack(whole, place / _RECORDS, own, rows)
            os.link(whole, path)  # refuses a file that came meanwhile
    return Held(rows, tuple(one.name for one in own), path.stat().st_size, with_rows)


def _is_own(path: Path) -> bool:
    """A file of the service beside its records: the first API key, the page's secret, a keystore."""
    return path.is_file() and not path.name.startswith(FILE) and path.stat().st_size <= _LARGEST_FILE


def _pack(whole: Path, records: Path, own: tuple[Path, ...], rows: dict[str, int]) -> None:
    about = {
        "schema": SCHEMA,
        "assay": assay.__version__,
        "rows": rows,
        "records": digest_of_file(records),
        "files": [one.name for one in own],
    }
    with os.fdopen(os.open(whole, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(_ABOUT, json.dumps(about, indent=1))
            archive.write(records, _RECORDS)
            for one in own:
                archive.write(one, _FILES + one.name)
        file.flush()
        os.fsync(file.fileno())


def restore(path: Path, project: Path, url: str | None = None) -> Held:
    """Make a service from a backup: its records, its files, and the task and code of the release that decides.

    Every digest and every history in it is checked before anything is written.

    Parameters
    ----------
    project
        An empty folder, or one that is not there, or the project itself without records.
    url
        Another database than the project's own file; it must be empty.

    Raises
    ------
    BackupDamaged, ArtefactVersion, NotEmpty, Conflict
        Nothing is written.
    """
    place = project / ".assay"
    if url is None and (place / FILE).exists():
        raise NotEmpty(f"{place / FILE} is there already", "Give an empty folder: nothing is ever written over.")
    with tempfile.TemporaryDirectory(prefix="assay-restore-") as name:
        about, own = _unpack(path, Path(name))
        with closing(Database(f"sqlite:///{Path(name) / _RECORDS}")) as source:
            _check(source)
            written = _project_files(source)
            for file, content in ({f".assay/{one}": own[one] for one in own} | written).items():
                if (project / file).exists() and files.read(project / file) != content:
                    raise NotEmpty(f"{project / file} is there with another content", "Give an empty folder.")
            with_rows, lacks = answers.with_rows(source), _lacks(source)
            # The records come last: with them it is a service, and without them this can be run again.
            if url is None:
                _write(project, own, written)
                rows = _into_file(source, place)
            else:
                with closing(Database(url)) as target:
                    require_empty(target)
                    _write(project, own, written)
                    rows = copy(source, target)
    return Held(rows, (*about["files"], *written), path.stat().st_size, with_rows, lacks)


def _lacks(records: Database) -> tuple[str, ...]:
    """Reference strings of the keys that decide, which no backup holds."""
    found: dict[str, None] = {}
    for project in sorted({one.project for one in releases.find(records)}):
        deciding = alias.champion(records, project)
        release = None if deciding is None else releases.by_digest(records, deciding)
        if release is None or not release.private:
            continue
        try:
            references.find(**verifying_key(records, release).about["srs"])
        except SrsError as error:
            found[str(error)] = None
        except AssayError:  # a key of another version: whoever proves with it says so
            continue
    return tuple(found)


def _write(project: Path, own: dict[str, bytes], written: dict[str, bytes]) -> None:
    place = project / ".assay"
    with files.translated(place, "write"):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file, content in own.items():
        files.write(place / file, content, secret=True)
    for file, content in written.items():
        files.write(project / file, content)


def _into_file(source: Database, place: Path) -> dict[str, int]:
    """The records as a file, which is there whole or not at all."""
    with (
        files.translated(place / FILE, "write"),
        tempfile.TemporaryDirectory(prefix=".assay-restore-", dir=place) as name,
    ):
        with closing(Database(f"sqlite:///{Path(name) / FILE}")) as target:
            rows = copy(source, target)
        os.link(Path(name) / FILE, place / FILE)  # refuses a file that came meanwhile
    return rows


def _unpack(path: Path, place: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    with files.translated(path, "read"):
        try:
            with zipfile.ZipFile(path) as archive:
                about = _about(entry(archive, _ABOUT, _LARGEST_JSON), path)
                archive.extract(_RECORDS, place)
                own = {name: entry(archive, _FILES + name, _LARGEST_FILE) for name in about["files"]}
        except MALFORMED as error:
            raise BackupDamaged(f"{path} is no backup, or is damaged ({str(error)[:80]})", _AGAIN) from None
    if digest_of_file(place / _RECORDS) != about["records"]:
        raise BackupDamaged(f"the records in {path} are not as they were written", _AGAIN)
    return about, own


def _about(content: bytes, path: Path) -> dict[str, Any]:
    found: Any = jsontext.parse(content)
    if not isinstance(found, dict) or "schema" not in found:
        raise ValueError(f"{_ABOUT} is malformed")
    if found["schema"] != SCHEMA:
        raise ArtefactVersion(
            f"{path} has the format {found['schema']!s:.40}, and {SCHEMA} is read", "Use a newer Assay."
        )
    names = found.get("files")
    if not isinstance(names, list) or any(not isinstance(one, str) or Path(one).name != one for one in names):
        raise ValueError("its list of files is malformed")
    return found


def _check(records: Database) -> None:
    """Every project's history follows from its first event, and every part of every release is whole."""
    for one in releases.find(records):
        for about in (*one.public["parts"].values(), *one.private.values()):
            artefacts.get(records, about["digest"])
    for project in {one.project for one in releases.find(records)}:
        journal.verify(records, project)


def _project_files(records: Database) -> dict[str, bytes]:
    """Task and code of the release that decides, if one project is served: what `assay up` starts from."""
    names = {one.project for one in releases.find(records)}
    if len(names) != 1:
        return {}
    deciding = alias.champion(records, names.pop())
    if deciding is None:
        return {}
    release: Release = releases.by_digest(records, deciding)
    found = {}
    if TASK_FILE in release.public["parts"]:
        found[TASK_FILE] = artefacts.get(records, release.public["parts"][TASK_FILE]["digest"])
    if release.private:
        for name, part in private_digests(release).items():
            if name.startswith(_CODE) and ".." not in name:
                found[name.removeprefix(_CODE)] = artefacts.get(records, part)
    return found
