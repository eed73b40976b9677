"""Folders of keys: one that still fits is kept, and no proving key is ever deleted or replaced.

Setup draws fresh randomness, so the same circuit twice has two identities, and a contract that pins the first never
accepts proofs of the second. So before keys are made, those that are there are looked at: if circuit, reference
string and shape are the same, they stay. A project has one folder for each key it ever made::

    keys/0x.../         named by the identity of the verifying key, the contract's `modelId`
        circuit.json        the model as integers
        proving.key         secret; nothing makes the same one again
        verifying.key       public
        rows.schema.json    what a file of rows has to look like
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.core import files, jsontext
from assay.core.errors import AssayError, KeyInPlace
from assay.core.hashing import digest
from assay.prove import srs as references
from assay.prove.errors import KeyRefused
from assay.prove.keys import PROVING_KEY_FILE, VERIFYING_KEY_FILE, Keys, VerifyingKey
from assay.prove.setup import fitting_batch, required_degree, setup
from assay.transpile.circuit.circuit import FILE_NAME as CIRCUIT_FILE
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.rows.schema import SCHEMA_FILE, rows_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Progress = Callable[[str], None]

KEYS_FOLDER = "keys"
ASIDE = "replaced"
"""Folder beside keys that `--force` moved away; in it one for each identity."""

OTHER_CIRCUIT = "it is of another circuit"
_FILES = (CIRCUIT_FILE, VERIFYING_KEY_FILE, SCHEMA_FILE, PROVING_KEY_FILE)
_SHOWN = 10
# git cleans what is ignored and leaves the rest: whatever the files above say, nothing in here is ignored.
_NOT_IGNORED = """\
# Nothing here is ignored, so that `git clean -fdX` deletes no proving key: it cannot be made again.
# It is as secret as the model: keep it out of repositories that others read, and keep a copy elsewhere.
!*
"""


@dataclass(frozen=True)
class Stored:
    """Keys in their folder.

    Attributes
    ----------
    folder
        Where they are.
    keys
        Both of them.
    kept
        Whether they were there already.
    note
        For people: that they were kept, or why new ones were made and where the earlier are.
    """

    folder: Path
    keys: Keys
    kept: bool
    note: str


def keep_under(
    root: Path,
    circuit: Circuit,
    *,
    most: int,
    prefer: str | None = None,
    progress: Progress | None = None,
) -> Stored:
    """Find the circuit's keys in a project's folder of keys, or make them there, in a folder of their own.

    Parameters
    ----------
    root
        The folder of keys.
    circuit
        The model.
    most
        The most rows that one proof may cover; less where the reference string is too short for so many.
    prefer
        Identity of the key to take if several fit.
    progress
        Told when keys are made.

    Returns
    -------
    The keys and what to say of them.

    Raises
    ------
    CircuitRefused
        The circuit is beyond what the prover takes.
    StorageError
        The folder cannot be read or written; keys that were there are as they were.
    """
    text = circuit.to_json()
    wanted = _Wanted.of(text, fitting_batch(text, most))
    earlier = []
    for folder in sorted(_folders(root), key=lambda one: one.name != prefer):
        keys, problem = _fitting(folder, text, wanted)
        if keys is not None:
            return Stored(folder, keys, kept=True, note=_kept(keys) + _less(wanted.batch, most))
        if folder.name == prefer or problem != OTHER_CIRCUIT:
            earlier.append(f"The proving key in {root.name}/{folder.name} stays as it is: {problem}.")
    if prefer is not None and not (root / prefer).exists():
        earlier.append(f"The proving key {short(prefer)} of the decision before is not in {root.name} any more.")
    keys = setup(circuit, max_batch=wanted.batch, progress=progress)
    _unignore(root)
    with files.folder(root / keys.model_id) as place:
        _fill(place, circuit, keys)
        files.write(place / SCHEMA_FILE, rows_schema(circuit, max_batch=wanted.batch))
    made = f"A new proving key was made, {short(keys.model_id)}, for up to {_rows(wanted.batch)} a proof."
    said = [made + _less(wanted.batch, most), *earlier]
    if earlier:
        said.append(f"Contracts that pin an earlier key accept no proofs of {short(keys.model_id)}.")
    return Stored(root / keys.model_id, keys, kept=False, note=" ".join(said))


def keep_in(
    folder: Path,
    circuit: Circuit,
    *,
    max_batch: int | None = None,
    srs: Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Stored:
    """Keep the circuit's keys that are in this very folder, or write circuit and new keys into it.

    Parameters
    ----------
    folder
        For the circuit and the two keys.
    circuit
        The model.
    max_batch, srs, progress
        As in `setup`.
    force
        Whether keys of another circuit, string or shape make way; they are moved to `replaced/` in the folder.

    Raises
    ------
    KeyInPlace
        Other keys are there, and `force` is not given. Nothing was changed.
    CircuitRefused, SrsTooSmall, StorageError
        As `setup`.
    """
    there = (folder / PROVING_KEY_FILE).exists()
    text = circuit.to_json()
    batch = max_batch or fitting_batch(text, srs=srs)
    if there:
        keys, problem = _fitting(folder, text, _Wanted.of(text, batch, srs))
        if keys is not None:
            return Stored(folder, keys, kept=True, note=_kept(keys))
        if not force:
            raise KeyInPlace(
                f"{folder} holds the proving key {short(_identity(folder))}, which cannot be made again, and "
                f"{problem}; nothing was changed",
                f"Choose another folder, or let --force move that key to {folder / ASIDE}.",
            )
    keys = setup(circuit, max_batch=batch, srs=srs, progress=progress)
    note = f"A new proving key was made, {short(keys.model_id)}."
    with files.folder(folder) as place:
        _fill(place, circuit, keys)
        if there:
            aside = _move_aside(folder)
            note += f" The one that was here, {short(aside.name)}, was moved to {aside}."
    return Stored(folder, keys, kept=False, note=note)


def adopt(root: Path, folder: Path) -> Path:
    """Move a folder of keys into the folder of keys under its identity; return where it is now.

    A copy of keys that are there already vanishes.
    """
    name = _identity(folder)
    place = root / name
    if _same_key(place, folder):
        shutil.rmtree(folder)
        return place
    number = 1
    while place.exists():
        number += 1
        place = root / f"{name}-{number}"
    _unignore(root)
    with files.translated(place, "write"):
        folder.rename(place)
    return place


def link(place: Path, target: Path) -> None:
    """Let `place` be a link to the folder `target`, from one moment to the next; raises `StorageError`."""
    with files.translated(place, "write"):
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f"{place.name}.partial-{os.getpid()}")
        beside.unlink(missing_ok=True)
        # Relative, so that the project can be moved and copied.
        beside.symlink_to(os.path.relpath(target.resolve(), place.parent.resolve()), target_is_directory=True)
        beside.replace(place)


def sibling(key: Path, identity: str) -> Path | None:
    """The folder near that of this key which has the keys of `identity`, of the same circuit; None if there is none.

    Parameters
    ----------
    key
        File of a verifying key.
    identity
        Of the other one.
    """
    home = key.resolve().parent
    content = _content(home)
    for folder in (home.parent / identity, home / ASIDE / identity, home.parent.parent):
        if content is not None and folder != home and _content(folder) == content and _identity(folder) == identity:
            return folder
    return None


def short(identity: str) -> str:
    """The beginning of an identity, for people."""
    return identity[:_SHOWN]


@dataclass(frozen=True)
class _Wanted:
    """What keys must be like to be kept: rows a proof, and the string's kind, or its very digest."""

    batch: int
    kind: str
    digest: str | None

    @classmethod
    def of(cls, text: str, batch: int, srs: Path | None = None) -> _Wanted:
        if srs is not None:
            given = references.read(srs)
            return cls(batch, given.kind, given.digest)
        degree = required_degree(text, batch)
        known = [one.kind for one in references.available() if one.degree >= degree]
        return cls(batch, known[0] if known else "development", None)


def _fitting(folder: Path, text: str, wanted: _Wanted) -> tuple[Keys | None, str]:
    """The keys in the folder, or why they are not those that are wanted of this circuit."""
    content = _content(folder)
    if content is None:
        return None, f"its {CIRCUIT_FILE} cannot be read"
    if content != jsontext.parse(text) | {"meta": {}}:
        return None, OTHER_CIRCUIT
    try:
        keys = Keys.load(folder)
        keys.proving_key.prover  # noqa: B018  (a key of an older protocol, or without its string, proves nothing)
    except KeyRefused as error:
        return None, f"this release cannot prove with it ({error.what.rstrip('.')})"
    except AssayError as error:
        return None, f"it cannot be used ({error.what.rstrip('.')})"
    said = keys.verifying_key.answers
    if said is not None and replace(said, unit="") != replace(Circuit.from_json(text).answers, unit=""):
        return None, "it says that its outputs mean something else"
    made_with, most = keys.proving_key.about["srs"], keys.proving_key.max_batch
    if most != wanted.batch:
        return None, f"it is for {_rows(most)} a proof, and {wanted.batch} are wanted"
    if wanted.digest is not None and made_with["digest"] != wanted.digest:
        return None, "it is of another reference string"
    if wanted.digest is None and made_with["kind"] != wanted.kind:
        return None, f"it is of a {made_with['kind']} reference string, and a {wanted.kind} one is at hand"
    return keys, ""


def _content(folder: Path) -> dict[str, Any] | None:
    """What a circuit proves: all but the facts beside it; None if there is no circuit."""
    try:
        content = jsontext.parse(files.read(folder / CIRCUIT_FILE))
    except (AssayError, ValueError):
        return None
    return content | {"meta": {}} if isinstance(content, dict) else None


def _folders(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from (one for one in sorted(root.iterdir()) if (one / PROVING_KEY_FILE).exists() and "." not in one.name)


def _identity(folder: Path) -> str:
    """Identity of the keys in a folder; where the verifying key cannot be read, one of the files' own."""
    try:
        return VerifyingKey.load(folder / VERIFYING_KEY_FILE).model_id
    except AssayError:
        return f"unreadable-{digest((folder / PROVING_KEY_FILE).read_bytes())[:16]}"


def _same_key(one: Path, other: Path) -> bool:
    try:
        return files.read(one / PROVING_KEY_FILE) == files.read(other / PROVING_KEY_FILE)
    except AssayError:
        return False


def _fill(place: Path, circuit: Circuit, keys: Keys) -> None:
    circuit.save(place)
    keys.save(place)


def _move_aside(folder: Path) -> Path:
    """Put the keys of a folder into `replaced/`; at every moment they are whole in one of the two places."""
    aside = folder / ASIDE / _identity(folder)
    with files.folder(aside) as place:
        for name in _FILES:
            if (folder / name).exists():
                shutil.copy2(folder / name, place / name)
    (folder / PROVING_KEY_FILE).unlink()
    return aside


def _unignore(root: Path) -> None:
    if not (root / ".gitignore").exists():
        files.write(root / ".gitignore", _NOT_IGNORED)


def _kept(keys: Keys) -> str:
    return f"The proving key {short(keys.model_id)} is kept: circuit, reference string and shape are the same."


def _less(batch: int, most: int) -> str:
    """What to say of a key for fewer rows than were asked for."""
    if batch >= most:
        return ""
    return f" Proofs are of up to {_rows(batch)} and not of {most}, for which the reference string is too short."


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}"
