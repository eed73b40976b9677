"""API keys: hashed, with scopes and budgets; made and revoked by events."""

from __future__ import annotations

import hmac
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from assay.core import files
from assay.core.hashing import digest
from assay.record import answers, journal
from assay.record.journal import Event
from assay.serve.errors import BudgetSpent, NotAuthorised, NotPermitted, RequestMalformed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlalchemy import Connection

    from assay.record.database import Database

Scope = Literal["read", "infer", "prove", "settle", "observe", "promote", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PROJECT = "assay"
"""Events of keys belong to no project: one service may serve several."""

ADMIN_FILE = "admin.key"
_KINDS = ("key.made", "key.revoked")
_SHAPE = re.compile(r"assay_([0-9a-f]{12})_([0-9a-f]{64})\Z")
_REFRESH_SECONDS = 2.0
_MINUTE, _HOUR = 60.0, 3600.0


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept: its secret's hash, never the secret.

    Attributes
    ----------
    id
        Its public half, shown in logs and answers.
    scopes
        What it may do; "admin" may do everything.
    per_minute
        Requests; 0 for no limit.
    proof_seconds_per_hour
        Seconds of proving; 0 for no limit.
    """

    id: str
    hash: str
    name: str
    scopes: frozenset[str]
    per_minute: int = 0
    proof_seconds_per_hour: float = 0.0

    def require(self, scope: Scope) -> None:
        """Raise `NotPermitted` unless the key has the scope."""
        if scope not in self.scopes and "admin" not in self.scopes:
            raise NotPermitted(f'the API key {self.id} does not have the scope "{scope}"', "Ask for a key that has it.")


def make(
    database: Database,
    name: str,
    scopes: Iterable[str],
    *,
    who: str,
    per_minute: int = 0,
    proof_seconds_per_hour: float = 0.0,
) -> tuple[ApiKey, str]:
    """Make a key; the text is shown once and kept nowhere."""
    wanted = frozenset(scopes)
    if not wanted or not wanted <= set(SCOPES):
        raise RequestMalformed(f"scopes are {', '.join(sorted(wanted)) or 'none'}", f"They are {', '.join(SCOPES)}.")
    made, text = _drawn(name, wanted, per_minute, proof_seconds_per_hour)
    journal.append(database, PROJECT, _made(made, who))
    return made, text


def _drawn(
    name: str, scopes: frozenset[str], per_minute: int = 0, proof_seconds_per_hour: float = 0.0
) -> tuple[ApiKey, str]:
    identity, secret = secrets.token_hex(6), secrets.token_hex(32)
    # 256 random bits need no slow hash.
    made = ApiKey(identity, digest(secret.encode()), name, scopes, per_minute, proof_seconds_per_hour)
    return made, f"assay_{identity}_{secret}"


def _made(made: ApiKey, who: str) -> Event:
    what = {
        "hash": made.hash,
        "name": made.name,
        "scopes": sorted(made.scopes),
        "per_minute": made.per_minute,
        "proof_seconds_per_hour": made.proof_seconds_per_hour,
    }
    return Event("key.made", made.id, who, what)


def revoke(database: Database, identity: str, *, who: str, why: str) -> None:
    """End a key, from the next time that services read the events (within two seconds)."""
    journal.append(database, PROJECT, Event("key.revoked", identity, who, {}, why=why))


def current(database: Database) -> dict[str, ApiKey]:
    """Keys that were made and not revoked, by id."""
    return _left(journal.read(database, PROJECT, _KINDS))


def _left(events: Iterable[Event]) -> dict[str, ApiKey]:
    found: dict[str, ApiKey] = {}
    for event in events:
        if event.kind == "key.revoked":
            found.pop(event.subject, None)
            continue
        what = event.what
        found[event.subject] = ApiKey(
            event.subject,
            what["hash"],
            what["name"],
            frozenset(what["scopes"]),
            what["per_minute"],
            what["proof_seconds_per_hour"],
        )
    return found


def first_admin(database: Database, folder: Path) -> Path | None:
    """Write an admin key into `folder` if there is no key yet; returns its file, None if there are keys.

    Its text is on the disk before there is such a key, and gets its name afterwards: it can be read nowhere else.
    """
    there = current(database)
    for begun in folder.glob(f"{ADMIN_FILE}.*"):
        if begun.suffix.removeprefix(".") in there:  # whoever made it was killed since
            return _named(begun)
    if there:
        return None
    made, text = _drawn("the first start", frozenset({"admin"}))
    fresh = folder / f"{ADMIN_FILE}.{made.id}"
    with files.translated(folder, "write"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write(fresh, text + "\n", secret=True)

    def is_first(connection: Connection) -> bool:
        return not _left(journal.read_in(connection, PROJECT, _KINDS))

    if journal.append_if(database, PROJECT, _made(made, "assay up"), is_first) is None:
        fresh.unlink()
        return None  # another process made it, at the same moment
    return _named(fresh)


def _named(fresh: Path) -> Path:
    path = fresh.with_name(ADMIN_FILE)
    with suppress(FileNotFoundError):  # another process that starts has just done so
        fresh.replace(path)
    return path


class Keyring:
    """The keys as one process knows them, and how often each asked here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: dict[str, ApiKey] = {}
        self._read = 0.0
        self._asked: dict[str, list[float]] = {}

    def of(self, header: str | None, *, read: bool = True) -> ApiKey:
        """The key of an Authorization header; raises `NotAuthorised` or `BudgetSpent`.

        Parameters
        ----------
        read
            Whether the database may be waited for; else the keys are those that were read last.
        """
        if not header or not header.startswith("Bearer "):
            raise NotAuthorised("the request has no API key", "Send it as Authorization: Bearer KEY.")
        match = _SHAPE.match(header.removeprefix("Bearer ").strip())
        known = self._known() if read else self._keys
        key = known.get(match[1]) if match else None
        # The comparison takes as long for an unknown key as for a wrong secret.
        given = digest(match[2].encode()) if match else ""
        if not hmac.compare_digest(given, key.hash if key else "0" * 64) or key is None:
            raise NotAuthorised("the API key is unknown or revoked", "Ask whoever runs the service for one.")
        self._count(key)
        return key

    def named(self, identity: str) -> ApiKey:
        """A key that somebody has shown before; raises `NotAuthorised` if it was revoked since."""
        found = self._known().get(identity)
        if found is None:
            raise NotAuthorised("the API key is unknown or revoked", "Ask whoever runs the service for one.")
        return found

    def require_budget(self, key: ApiKey) -> None:
        """Raise `BudgetSpent` if what the key asked for in the last hour has taken its seconds of proving.

        The records say it, whoever proved it and whether or not somebody waited for it.
        """
        most = key.proof_seconds_per_hour
        if most and answers.proving_seconds(self._database, key.id, _HOUR) >= most:
            raise BudgetSpent(f"the API key {key.id} has used its {most:g} s of proving an hour", "Ask later.")

    def _count(self, key: ApiKey) -> None:
        if not key.per_minute:
            return
        now = time.monotonic()
        asked = self._asked[key.id] = [at for at in self._asked.get(key.id, []) if now - at < _MINUTE]
        if len(asked) >= key.per_minute:
            raise BudgetSpent(f"the API key {key.id} may ask {key.per_minute} times a minute", "Ask later.")
        asked.append(now)

    @property
    def stale(self) -> bool:
        """Whether the next look at a key reads the database."""
        return time.monotonic() - self._read > _REFRESH_SECONDS or not self._keys

    def refresh(self) -> None:
        """Read which keys there are."""
        began = time.monotonic()
        self._keys, self._read = current(self._database), began

    def _known(self) -> dict[str, ApiKey]:
        if self.stale:
            self.refresh()
        return self._keys
