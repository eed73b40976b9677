"""Releases made ready to answer: circuit and keys in memory, found by name and version."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import files
from assay.prove.keys import PROVING_KEY_FILE, ProvingKey, VerifyingKey
from assay.record import artefacts, releases
from assay.release import alias
from assay.release.key import verifying_key
from assay.release.make import private_digests
from assay.release.parts import CIRCUIT_FILE
from assay.serve.errors import NoSuchModel
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.circuit.evaluate import evaluator
from assay.transpile.circuit.public import public_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.transpile.circuit.evaluate import Evaluate

_FRESH_SECONDS = 0.05
_MOST_NAMES = 1000
_MOST_LOADED = 8
_QUICK_TREES = 1000


@dataclass(frozen=True)
class Model:
    """A release that can answer."""

    release: Release
    circuit: Circuit
    proving: ProvingKey
    verifying: VerifyingKey

    @property
    def quick(self) -> bool:
        """Whether it says of a row in a fraction of a millisecond what a proof would show."""
        return self.circuit.network is None and len(self.circuit.trees) <= _QUICK_TREES

    @cached_property
    def _evaluate(self) -> Evaluate:
        return evaluator(self.circuit)

    def integers(self, rows: Any) -> list[list[int]]:
        """What a proof would show of these rows: the exact integers, one list a row."""
        return self.told_of(*self.circuit.encode(rows))[0]

    def told_of(self, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> tuple[list[list[int]], list[int]]:
        """The same of rows that are encoded, and which of them `Circuit.ended` names."""
        found, ended = self._evaluate(words, missing)
        return found.tolist(), ended

    def values(self, integers: list[list[int]]) -> list[list[float]]:
        """The same as numbers."""
        found: list[list[float]] = self.circuit.decode(np.array(integers, dtype=object)).tolist()
        return found

    def words(self, rows: Any) -> list[list[str]]:
        """The rows as the words that a contract takes, as decimal strings; see `public_words`."""
        return self.words_of(*self.circuit.encode(rows))

    def words_of(self, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> list[list[str]]:
        """The same of rows that are encoded."""
        return [[str(word) for word in row] for row in public_words(self.circuit, words, missing)]


class Models:
    """The releases of a database, loaded when they are first asked for; those that were asked for last are kept.

    Keys are read from the database and checked against the release's digests, every time a process loads them. Which
    release a name means is read again once the database has changed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loaded: dict[str, Model] = {}
        self._whole: set[str] = set()
        self._keys: dict[str, VerifyingKey] = {}
        self._releases: dict[str, Release] = {}
        self._lock, self._loading = threading.Lock(), dict[str, threading.Lock]()
        self._named: dict[tuple[str, str | None], tuple[str, Release]] = {}
        self._mark, self._looked = "", float("-inf")

    def held(self, name: str, version: str | None = None) -> Model | None:
        """The model that answers for a name, without waiting for anything; None if that has to be asked for.

        A change counts at once in SQLite, which says in microseconds that there is one, and after at most 50 ms where
        the database is a server.
        """
        if self._database.sqlite:
            mark = self._database.mark()
        elif time.monotonic() - self._looked < _FRESH_SECONDS:
            mark = self._mark
        else:
            return None
        known = self._named.get((name, version))
        return self._loaded.get(known[1].digest) if known is not None and known[0] == mark else None

    def answering(self, name: str, version: str | None = None) -> Model:
        """The model that answers for a name; see `named`."""
        looked, mark = time.monotonic(), self._database.mark()
        known = self._named.get((name, version))
        if known is None or known[0] != mark:
            known = mark, self.named(name, version)
            if len(self._named) >= _MOST_NAMES:
                self._named.clear()
            self._named[name, version] = known
        self._mark, self._looked = mark, looked
        return self.of(known[1].digest)

    def of(self, digest: str) -> Model:
        """The model of a release by its digest; nobody who asks for another one waits while it is loaded."""
        with self._lock:
            if (found := self._again(digest)) is not None:
                return found
            alone = self._loading.setdefault(digest, threading.Lock())
        with alone:
            with self._lock:
                if (found := self._again(digest)) is not None:
                    return found
            self._whole.discard(digest)
            found = load(self._database, releases.by_digest(self._database, digest))
            with self._lock:
                self._loaded[digest] = found
                self._whole.add(digest)
                self._loading.pop(digest, None)
                while len(self._loaded) > _MOST_LOADED:  # a key takes as much memory as the model and more
                    del self._loaded[next(iter(self._loaded))]
            return found

    def require(self, digest: str) -> None:
        """Raise what loading a release raises; one that was loaded here the last time is whole, and not read again."""
        if digest not in self._whole:
            self.of(digest)

    def _again(self, digest: str) -> Model | None:
        """The model if it is loaded, as the one that was asked for last."""
        found = self._loaded.pop(digest, None)
        if found is not None:
            self._loaded[digest] = found
        return found

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
    StorageError
        No temporary file can be written.
    """
    private = private_digests(release)
    circuit = Circuit.from_json(artefacts.get(database, private[CIRCUIT_FILE]))
    with files.scratch() as place:  # mode 0700
        files.write(place / PROVING_KEY_FILE, artefacts.get(database, private[PROVING_KEY_FILE]), secret=True)
        proving = ProvingKey.load(place)
    return Model(release, circuit, proving, verifying_key(database, release))
