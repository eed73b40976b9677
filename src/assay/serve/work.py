"""The provers: processes that hold keys and take answers from `fixed` to `proven`, and on.

One step an answer: claim, prove, verify what was proven, then proof and state in one transaction. Killed anywhere, the
answer is claimed again when the prover is known to be gone or its lease is over, and proven again.

Answers that ask for it are proven together, where they wait at the same time, are of one API key, one release and one
context, and settle nothing: one proof shows all their rows, and each answer says which of them are its own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from assay.core.errors import AssayError
from assay.prove.prove import prove
from assay.prove.verify import verify
from assay.record import answers, artefacts
from assay.record.errors import LeaseLost, RecordError
from assay.record.holder import me
from assay.serve.errors import SelfCheckFailed
from assay.serve.models import Models

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.record.answers import Answer
    from assay.record.database import Database

LEASE_SECONDS = 120.0
MOST_ATTEMPTS = 5
MOST_JOINED = 16
"""Rows of one proof for several answers."""
_SHORTEST, _LONGEST = 0.003, 0.05
_LONGEST_WAIT = 60.0


class Worker:
    """One prover.

    Parameters
    ----------
    database
        Its own connection.
    name
        In leases.
    """

    def __init__(self, database: Database, name: str | None = None) -> None:
        self.database = database
        self.models = Models(database)
        self.name = name or me()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Prove until `stopped()`, waiting longer the longer there is nothing to do."""
        answers.free_gone(self.database)  # what a prover that was killed here had under way
        wait = _SHORTEST
        while not stopped():
            wait = _SHORTEST if self.step() else min(_LONGEST, wait * 1.5)
            time.sleep(wait if wait > _SHORTEST else 0)

    def step(self) -> bool:
        """Prove one answer that waits, and those that join it; whether there was one."""
        if not self._waiting():
            return False
        for held in answers.claim(self.database, ["fixed"], self.name, LEASE_SECONDS):
            self._prove([held, *self._joining(held)])
            return True
        return False

    def _waiting(self) -> bool:
        # Reading holds nobody up; claiming does.
        return answers.any_due(self.database, ["fixed"])

    def _joining(self, first: Answer) -> list[Answer]:
        if not first.evidence.get("join"):
            return []
        try:
            most = min(MOST_JOINED, self.models.of(first.release).verifying.max_batch)
        except AssayError:  # said when the first one is proven
            return []
        return answers.claim_beside(self.database, first, self.name, LEASE_SECONDS, most_rows=most)

    def _prove(self, held: list[Answer]) -> None:
        try:
            self._end(held, *self._proven(held))
        except LeaseLost:
            return
        except AssayError as error:
            if len(held) == 1:
                self._refuse(held[0], error)
                return
            for one in held:  # whichever of them it was, the others do not suffer from it
                self._prove([one])

    def _proven(self, held: list[Answer]) -> tuple[bytes, list[list[list[int]]]]:
        """One proof of all their rows; and the integers that it shows, by answer."""
        model = self.models.of(held[0].release)
        expected = [model.integers(one.row) for one in held]
        made = prove(model.proving, [row for one in held for row in one.row], context=int(held[0].context))
        verify(model.verifying, made)
        rows = iter([int(value) for value in row] for row in made.output_integers)
        shown = [[next(rows, []) for _ in one.row] for one in held]
        if shown != expected or next(rows, None) is not None:
            raise SelfCheckFailed(f"the proof of {held[0].id} shows other outputs than the circuit", "Report this.")
        return made.to_json().encode(), shown

    def _end(self, held: list[Answer], proof: bytes, shown: list[list[list[int]]]) -> None:
        model = self.models.of(held[0].release)
        first, kept = 0, 0
        with self.database.begin() as connection:
            name = artefacts.put_in(connection, proof)
            for one, integers in zip(held, shown, strict=True):
                outputs: dict[str, Any] = {"integers": [[str(value) for value in row] for row in integers]}
                outputs["values"] = model.values(integers)
                place = {"first": first, "rows": len(integers), "of": sum(map(len, shown))}
                first += len(integers)
                evidence = one.evidence | ({"joined": place} if len(held) > 1 else {})
                try:
                    proven = answers.commit_in(
                        self.database, connection, one, "proven", proof=name, outputs=outputs, evidence=evidence
                    )
                except LeaseLost:  # it was taken back meanwhile; the others are not
                    continue
                kept += 1
                if not one.settle:  # an answer that nobody settles is never left at proven
                    answers.commit_in(self.database, connection, proven, "answered")
            if not kept:
                raise LeaseLost("all that was proven was taken over or taken back", "Nothing is kept of it.")

    def _refuse(self, held: Answer, error: AssayError) -> None:
        said = {"code": error.code, "what": error.what, "todo": error.todo}
        try:
            # A full disk or a database that is away is nothing of the answer's: it waits as long as that lasts.
            if error.retry and (isinstance(error, RecordError) or held.attempts < MOST_ATTEMPTS):
                with self.database.read() as connection:
                    due = self.database.now(connection) + min(_LONGEST_WAIT, 2.0**held.attempts)
                answers.commit(self.database, held, "fixed", error=said, due=due)
            else:
                answers.commit(self.database, held, "refused", error=said)
        except LeaseLost:
            return
