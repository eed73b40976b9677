"""A release as one file: the public part for strangers, the private part encrypted for its owner."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from typing import TYPE_CHECKING, Any

from assay.core import files, jsontext
from assay.core.errors import ArtefactVersion
from assay.core.hashing import digest
from assay.core.zips import MALFORMED, entry
from assay.record import artefacts, journal, releases
from assay.record.journal import Event
from assay.record.releases import Release
from assay.release.errors import ReleaseAltered, WrongPassphrase
from assay.release.make import SCHEMA, digest_of, private_digests, salted

if TYPE_CHECKING:
    from pathlib import Path

    from assay.record.database import Database

RELEASE_FILE, PRIVATE_FILE = "release.json", "private.bin"
_LARGEST_JSON = 16 << 20
_LARGEST_PART = 4 << 30
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same release gives the same file
_SALT_BYTES, _NONCE_BYTES, _TAG_BYTES = 16, 12, 16
_PROJECT = r"[a-z0-9][a-z0-9-]{0,62}"  # as a task may be called
_SCRYPT = {"N": 2**15, "r": 8, "p": 1}


def export(database: Database, release: Release, path: Path, passphrase: str | None = None) -> None:
    """Write the release to one file.

    Parameters
    ----------
    passphrase
        Encrypts the private part, which is left out without one (scrypt and AES-256-GCM).

    Raises
    ------
    PrivatePartAbsent
        It is wanted and not held here.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, RELEASE_FILE, json.dumps(release.public, indent=1, sort_keys=True).encode())
        for name, about in release.public["parts"].items():
            _add(archive, f"parts/{name}", artefacts.get(database, about["digest"]))
        if passphrase is not None:
            _add(archive, PRIVATE_FILE, _sealed(_private(database, release), passphrase, release.digest))
    files.write(path, buffer.getvalue(), secret=passphrase is not None, over=RELEASE_FILE)


def read(path: Path, passphrase: str | None = None) -> tuple[Release, dict[str, bytes]]:
    """Read an export that nobody vouches for: the release, and the contents of its parts by digest.

    Raises
    ------
    ReleaseAltered
        It is no export, or a part is not what the release says of it.
    ArtefactVersion
        A newer release of Assay wrote it.
    WrongPassphrase
        The private part cannot be opened.
    """
    content = files.read(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            public = _public(entry(archive, RELEASE_FILE, _LARGEST_JSON), path)
            contents = {}
            for name, about in public["parts"].items():
                content = entry(archive, f"parts/{name}", min(int(about["bytes"]), _LARGEST_PART))
                if digest(content) != about["digest"]:
                    raise ReleaseAltered(f"{name} in {path} is not what the release says", _AGAIN)
                contents[about["digest"]] = content
            sealed = entry(archive, PRIVATE_FILE, _LARGEST_PART) if PRIVATE_FILE in archive.namelist() else None
    except (*MALFORMED, OSError) as error:
        raise ReleaseAltered(f"{path} is no release, or is damaged ({str(error)[:80]})", _AGAIN) from None
    name = digest_of(public)
    private: dict[str, Any] = {}
    if sealed is not None and passphrase is not None:
        private, more = _opened(sealed, passphrase, name, public)
        contents |= more
    return Release(name, public["project"], 0, public, private), contents


_AGAIN = "Get it again from whoever made it."


def bring_in(database: Database, path: Path, *, who: str, passphrase: str | None = None) -> Release:
    """Keep an exported release under the next version of its project; one that is there gains its private part.

    Raises
    ------
    ReleaseAltered, ArtefactVersion, WrongPassphrase
        As `read` does.
    """
    found, contents = read(path, passphrase)
    with database.begin() as connection:
        for content in contents.values():
            artefacts.put_in(connection, content)
        there = releases.held_in(connection, found.digest)
        if there is not None and (there.private or not found.private):
            return there
        if there is not None:
            kept = releases.complete_in(connection, there, found.private)
        else:
            version = releases.next_version(connection, found.project)
            numbered = Release(found.digest, found.project, version, found.public, found.private, f"from {path.name}")
            kept = releases.keep_in(database, connection, numbered)
    what = {"digest": kept.digest, "private": bool(kept.private)}
    journal.append(database, kept.project, Event("release.imported", kept.name, who, what))
    return kept


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)


def _public(content: bytes, path: Path) -> dict[str, Any]:
    found: Any = jsontext.parse(content)
    schema = found["schema"]
    if schema != SCHEMA:
        raise ArtefactVersion(f"{path} has the format {schema!s:.40}, and {SCHEMA} is read", "Use a newer Assay.")
    plain = all(isinstance(found[name], dict) for name in ("parts", "private", "made_with"))
    if (
        not plain
        or not re.fullmatch(_PROJECT, found["project"])
        or not all(_is_plain(name) for kind in ("parts", "private") for name in found[kind])
    ):
        raise ValueError("its public part is malformed")
    return dict(found)


def _is_plain(name: str) -> bool:
    """Whether a part's name stays below the folder that it is written to."""
    return all(part not in {"", ".", ".."} for part in name.split("/"))


def _private(database: Database, release: Release) -> bytes:
    """Salts and contents in one archive, to be encrypted as a whole."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, part in private_digests(release).items():
            archive.writestr(zipfile.ZipInfo(f"parts/{name}", _EPOCH), artefacts.get(database, part))
        salts = {name: about["salt"] for name, about in release.private.items()}
        archive.writestr(zipfile.ZipInfo("salts.json", _EPOCH), json.dumps(salts))
    return buffer.getvalue()


def _opened(
    sealed: bytes, passphrase: str, name: str, public: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    content = _unsealed(sealed, passphrase, name)
    private, contents = {}, {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        salts = json.loads(archive.read("salts.json"))
        for part, named in public["private"].items():
            found = archive.read(f"parts/{part}")
            if salted(digest(found), salts[part]) != named:
                raise ReleaseAltered(f"the private {part} is not what the release names", _AGAIN)
            private[part] = {"digest": digest(found), "salt": salts[part], "bytes": len(found)}
            contents[digest(found)] = found
    return private, contents


def _key(passphrase: str, salt: bytes) -> bytes:
    from Crypto.Protocol.KDF import scrypt

    found = scrypt(passphrase, salt.decode("latin-1"), key_len=32, **_SCRYPT)
    return bytes(found) if isinstance(found, (bytes, bytearray)) else bytes(found[0])


def _sealed(content: bytes, passphrase: str, name: str) -> bytes:
    from Crypto.Cipher import AES

    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    cipher = AES.new(_key(passphrase, salt), AES.MODE_GCM, nonce=nonce, mac_len=_TAG_BYTES)
    cipher.update(name.encode())
    sealed, tag = cipher.encrypt_and_digest(content)
    return salt + nonce + tag + sealed


def _unsealed(sealed: bytes, passphrase: str, name: str) -> bytes:
    from Crypto.Cipher import AES

    salt, rest = sealed[:_SALT_BYTES], sealed[_SALT_BYTES:]
    nonce, tag, content = rest[:_NONCE_BYTES], rest[_NONCE_BYTES : _NONCE_BYTES + _TAG_BYTES], rest[28:]
    cipher = AES.new(_key(passphrase, salt), AES.MODE_GCM, nonce=nonce, mac_len=_TAG_BYTES)
    cipher.update(name.encode())
    try:
        return cipher.decrypt_and_verify(content, tag)
    except ValueError:
        raise WrongPassphrase("the private part cannot be opened", "Check the passphrase.") from None
