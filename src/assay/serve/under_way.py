"""What a prover has under way: held for as long as it is worked on, and a proof that nobody works on is noticed.

Whether a thread of the native core works for one proof or for another cannot be told, so that a lane which hangs beside
one that works is known by the time: a proof that takes many times as long as any of its release did is never made.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.record import claims
from assay.record.errors import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from assay.record.answers import Answer
    from assay.record.database import Database

STILL_SECONDS = 60.0
"""A proof that none of its threads has worked on for so long is never made."""
LONGEST_SECONDS = 3600.0
"""Nor, for all that is known, is one that takes longer."""
TIMES = 30
"""Nor is one, of a release that was proven before, that takes so many times as long as its slowest proof."""
_RENEWALS = 4
_TICK = 1.0


@dataclass
class _Held:
    answers: list[Answer]
    since: float
    seconds: float = 0.0
    """Since it was begun or a proof of it ended, without those in which this process was stopped itself."""


@dataclass
class _Proof:
    release: str
    rows: int
    seconds: float = 0.0


class UnderWay:
    """The answers that one process proves, each thread its own.

    Parameters
    ----------
    seconds
        Of their leases, which are made longer in time.
    """

    def __init__(self, database: Database, seconds: float) -> None:
        self._database, self._seconds = database, seconds
        self._lock = threading.Lock()
        self._held: dict[int, _Held] = {}
        self._proofs: dict[int, _Proof] = {}
        self._took: dict[str, dict[int, float]] = {}
        self._worked: int | None = None
        self._still = 0.0

    @contextmanager
    def held(self, some: list[Answer]) -> Iterator[None]:
        """Hold these, on which this thread works: their leases last meanwhile."""
        me = threading.get_ident()
        with self._lock:
            self._held[me] = _Held(some, time.monotonic())
        try:
            yield
        finally:
            with self._lock:
                del self._held[me]

    @contextmanager
    def proof(self, release: str, rows: int) -> Iterator[None]:
        """Watch that this thread makes a proof of so many rows."""
        me, began = threading.get_native_id(), time.monotonic()
        with self._lock:
            self._proofs[me] = _Proof(release, rows)
        try:
            yield
            self.took(release, {rows: time.monotonic() - began})
        finally:
            with self._lock:
                del self._proofs[me]
                if (mine := self._held.get(threading.get_ident())) is not None:  # several are proven one by one
                    mine.seconds = 0.0

    def knows(self, release: str) -> bool:
        """Whether it is known how long proofs of a release take."""
        return release in self._took

    def took(self, release: str, times: Mapping[int, float]) -> None:
        """How long proofs of a release took, by their rows."""
        with self._lock:
            known = self._took.setdefault(release, {})
            for rows, seconds in times.items():
                known[rows] = max(seconds, known.get(rows, 0.0))

    def _most(self, one: _Proof) -> float:
        """The longest that a proof may take; more rows take longer, at most in proportion."""
        known = [seconds * max(1.0, one.rows / rows) for rows, seconds in self._took.get(one.release, {}).items()]
        return min(LONGEST_SECONDS, max(STILL_SECONDS, TIMES * max(known))) if known else LONGEST_SECONDS

    def _late(self, one: _Proof) -> str:
        known = self._took.get(one.release)
        others = f"the slowest of its release took {max(known.values()):.1f} s" if known else "none takes so long"
        return f"a proof of {one.rows} row{'s'[: one.rows != 1]} has taken {one.seconds:.0f} s, and {others}"

    def look_after(self, over: threading.Event, hung: Callable[[str], None]) -> None:
        """Hold what is under way until `over`; `hung` is told in words why a proof will never be made."""
        last = time.monotonic()
        while not over.wait(min(_TICK, self._seconds / _RENEWALS, STILL_SECONDS / _RENEWALS)):
            self._renew()
            now = time.monotonic()
            # While the process was stopped itself, its threads could not work.
            if why := self._hung(min(now - last, 2 * _TICK)):
                hung(why)
            last = now

    def _renew(self) -> None:
        now = time.monotonic()
        with self._lock:
            due = [one for one in self._held.values() if now - one.since >= self._seconds / _RENEWALS]
        for held in due:
            for one in held.answers:
                try:
                    claims.renew(self._database, one, self._seconds)
                except LeaseLost:  # it is told so when it is to be kept
                    continue
                except AssayError:  # a database that is away is asked again
                    return
            held.since = now

    def _hung(self, passed: float) -> str:
        with self._lock:
            proofs, held = dict(self._proofs), list(self._held.values())
            for proof in proofs.values():
                proof.seconds += passed
            for one in held:
                one.seconds += passed
            late = [self._late(proof) for proof in proofs.values() if proof.seconds >= self._most(proof)]
        worked = _worked(proofs) if proofs else None
        self._still = 0.0 if worked is None or worked != self._worked else self._still + passed
        self._worked = worked
        if self._still >= STILL_SECONDS:
            return f"no thread has worked on its proof for {self._still:.0f} s"
        if late:
            return late[0]
        # Whoever waits for the other lane's proof waits no longer than that may take.
        if any(one.seconds >= 2 * LONGEST_SECONDS for one in held):
            return f"an answer has been under way for {max(one.seconds for one in held):.0f} s"
        return ""


def _worked(provers: Collection[int]) -> int | None:
    """Processor time of the threads that prove (these, and all that are not Python's), in ticks; None: not known here.

    The native core's threads have all slept for long only if each waits for another.
    """
    others = {one.native_id for one in threading.enumerate()} - set(provers)
    total = 0
    try:
        threads = [one for one in Path("/proc/self/task").iterdir() if int(one.name) not in others]
    except OSError:
        return None
    for one in threads:
        with suppress(OSError):  # it has ended
            fields = (one / "stat").read_text(errors="replace").rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total
