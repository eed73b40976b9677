"""Releases made ready to answer: circuit and keys in memory, found by name and version."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.prove.keys import PROVING_KEY_FILE, ProvingKey, VerifyingKey
from assay.record import artefacts, releases
from assay.release import alias
from assay.release.key import verifying_key
from assay.release.make import private_digests
from assay.release.parts import CIRCUIT_FILE
from assay.serve.errors import NoSuchModel
from assay.transpile.circuit.circuit import Circuit

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.releases import Release


@dataclass(frozen=True)
class Model:
    """A release that can answer."""

    release: Release
    circuit: Circuit
    proving: ProvingKey
    verifying: VerifyingKey

    def integers(self, rows: Any) -> list[list[int]]:
        """What a proof would show of these rows: the exact integers, one list a row."""
        found = self.circuit.evaluate(*self.circuit.encode(rows))
        return [[int(value) for value in row] for row in found]

    def values(self, integers: list[list[int]]) -> list[list[float]]:
        """The same as numbers."""
        found: list[list[float]] = self.circuit.decode(np.array(integers, dtype=object)).tolist()
        return found

    def words(self, rows: Any) -> list[list[str]]:
        """The rows as the words that a contract takes; 2^bits is missing. Decimal strings."""
        words, missing = self.circuit.encode(rows)
        absent = 1 << self.circuit.bits
        return [
            [str(absent if gone else int(word)) for word, gone in zip(row, flags, strict=True)]
            for row, flags in zip(words, missing, strict=True)
        ]


class Models:
    """The releases of a database, loaded when they are first asked for and kept.

    Keys are read from the database and checked against the release's digests, every time a process loads them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loaded: dict[str, Model] = {}
        self._keys: dict[str, VerifyingKey] = {}
        self._releases: dict[str, Release] = {}
        self._lock = threading.Lock()

    def of(self, digest: str) -> Model:
        """The model of a release by its digest."""
        with self._lock:
            if digest not in self._loaded:
                self._loaded[digest] = load(self._database, releases.by_digest(self._database, digest))
            return self._loaded[digest]

    def release(self, digest: str) -> Release:
        """A release by its digest, which never changes."""
        if digest not in self._releases:
            self._releases[digest] = releases.by_digest(self._database, digest)
        return self._releases[digest]

    def verifying(self, digest: str) -> VerifyingKey:
        """The verifying key of a release, also of one whose private part is not held here."""
        if digest not in self._keys:
            self._keys[digest] = verifying_key(self._database, self.release(digest))
        return self._keys[digest]

    def named(self, name: str, version: str | None = None) -> Release:
        """The release that answers for a name: a version, the beginning of a digest, or the champion."""
        from assay.record.errors import Unknown

        try:
            if version is not None:
                return releases.get(self._database, name, version)
            champion = alias.champion(self._database, name)
            if champion is not None:
                return releases.by_digest(self._database, champion)
        except Unknown:
            pass
        asked = name if version is None else f"{name}@{version}"
        raise NoSuchModel(f'no release "{asked:.80}" is served here', "See GET /v1/releases.")


def load(database: Database, release: Release) -> Model:
    """Read a release's circuit and keys.

    Raises
    ------
    PrivatePartAbsent, ReleaseAltered, ArtefactAbsent
        What is missing or altered.
    """
    private = private_digests(release)
    circuit = Circuit.from_json(artefacts.get(database, private[CIRCUIT_FILE]))
    with tempfile.TemporaryDirectory(prefix="assay-keys-") as name:  # mode 0700
        place = Path(name)
        (place / PROVING_KEY_FILE).write_bytes(artefacts.get(database, private[PROVING_KEY_FILE]))
        proving = ProvingKey.load(place / PROVING_KEY_FILE)
    return Model(release, circuit, proving, verifying_key(database, release))
