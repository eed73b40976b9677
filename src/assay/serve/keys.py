"""API keys: hashed, with scopes and budgets; made and revoked by events."""

from __future__ import annotations

import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from assay.core import files
from assay.core.hashing import digest
from assay.record import journal
from assay.record.journal import Event
from assay.serve.errors import BudgetSpent, NotAuthorised, NotPermitted, RequestMalformed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from assay.record.database import Database

Scope = Literal["read", "infer", "prove", "settle", "promote", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PROJECT = "assay"
"""Events of keys belong to no project: one service may serve several."""

ADMIN_FILE = "admin.key"
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
    identity, secret = secrets.token_hex(6), secrets.token_hex(32)
    # 256 random bits need no slow hash.
    made = ApiKey(identity, digest(secret.encode()), name, wanted, per_minute, proof_seconds_per_hour)
    what = {
        "hash": made.hash,
        "name": name,
        "scopes": sorted(wanted),
        "per_minute": per_minute,
        "proof_seconds_per_hour": proof_seconds_per_hour,
    }
    journal.append(database, PROJECT, Event("key.made", identity, who, what))
    return made, f"assay_{identity}_{secret}"


def revoke(database: Database, identity: str, *, who: str, why: str) -> None:
    """End a key, from the next time that services read the events (within two seconds)."""
    journal.append(database, PROJECT, Event("key.revoked", identity, who, {}, why=why))


def current(database: Database) -> dict[str, ApiKey]:
    """Keys that were made and not revoked, by id."""
    found: dict[str, ApiKey] = {}
    for event in journal.read(database, PROJECT, ["key.made", "key.revoked"]):
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
    """Write an admin key into `folder` if there is no key yet; returns its file, None if there are keys."""
    if current(database):
        return None
    _, text = make(database, "the first start", ["admin"], who="assay up")
    path = folder / ADMIN_FILE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write(path, text + "\n", secret=True)
    return path


@dataclass
class _Use:
    requests: list[float] = field(default_factory=list)
    proving: list[tuple[float, float]] = field(default_factory=list)


class Keyring:
    """The keys as one process knows them, and what each has used here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: dict[str, ApiKey] = {}
        self._read = 0.0
        self._used: dict[str, _Use] = {}

    def of(self, header: str | None) -> ApiKey:
        """The key of an Authorization header; raises `NotAuthorised` or `BudgetSpent`."""
        if not header or not header.startswith("Bearer "):
            raise NotAuthorised("the request has no API key", "Send it as Authorization: Bearer KEY.")
        match = _SHAPE.match(header.removeprefix("Bearer ").strip())
        key = self._known().get(match[1]) if match else None
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
        """Raise `BudgetSpent` if the key has used its seconds of proving in this hour."""
        if not key.proof_seconds_per_hour:
            return
        now, used = time.monotonic(), self._used.setdefault(key.id, _Use())
        used.proving = [(at, seconds) for at, seconds in used.proving if now - at < _HOUR]
        if sum(seconds for _, seconds in used.proving) >= key.proof_seconds_per_hour:
            raise BudgetSpent(
                f"the API key {key.id} has used its {key.proof_seconds_per_hour:g} s of proving an hour", "Ask later."
            )

    def proved(self, key: ApiKey, seconds: float) -> None:
        """Count seconds of proving."""
        self._used.setdefault(key.id, _Use()).proving.append((time.monotonic(), seconds))

    def _count(self, key: ApiKey) -> None:
        if not key.per_minute:
            return
        now, used = time.monotonic(), self._used.setdefault(key.id, _Use())
        used.requests = [at for at in used.requests if now - at < _MINUTE]
        if len(used.requests) >= key.per_minute:
            raise BudgetSpent(f"the API key {key.id} may ask {key.per_minute} times a minute", "Ask later.")
        used.requests.append(now)

    def _known(self) -> dict[str, ApiKey]:
        if time.monotonic() - self._read > _REFRESH_SECONDS or not self._keys:
            self._keys, self._read = current(self._database), time.monotonic()
        return self._keys
