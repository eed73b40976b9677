"""The provers: processes that hold keys and take answers from `fixed` to `proven`, and on.

One step an answer: claim, prove, verify what was proven, keep the proof, commit. Killed anywhere, the answer is
claimed again when the prover is known to be gone or its lease is over, and proven again; a proof that was kept and not
committed is only a spare copy.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from assay.core.errors import AssayError
from assay.prove.prove import prove
from assay.prove.verify import verify
from assay.record import answers, artefacts
from assay.record.errors import LeaseLost
from assay.record.holder import me
from assay.serve.errors import SelfCheckFailed
from assay.serve.models import Models

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.record.answers import Answer
    from assay.record.database import Database

LEASE_SECONDS = 120.0
MOST_ATTEMPTS = 5
_SHORTEST, _LONGEST = 0.003, 0.05


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
        """Prove one answer that waits; whether there was one."""
        if not self._waiting():
            return False
        for held in answers.claim(self.database, ["fixed"], self.name, LEASE_SECONDS):
            self._prove(held)
            return True
        return False

    def _waiting(self) -> bool:
        # Reading holds nobody up; claiming does.
        return answers.any_due(self.database, ["fixed"])

    def _prove(self, held: Answer) -> None:
        try:
            proof, outputs = self._proven(held)
            name = artefacts.put(self.database, proof)
            self._end(held, name, outputs)
        except LeaseLost:
            return
        except AssayError as error:
            self._refuse(held, error)

    def _proven(self, held: Answer) -> tuple[bytes, dict[str, Any]]:
        model = self.models.of(held.release)
        expected = model.integers(held.row)
        made = prove(model.proving, held.row, context=int(held.context))
        verify(model.verifying, made)
        shown = [[int(value) for value in row] for row in made.output_integers]
        if shown != expected:
            raise SelfCheckFailed(f"the proof of {held.id} shows other outputs than the circuit", "Report this.")
        outputs = {"integers": [[str(value) for value in row] for row in shown], "values": model.values(shown)}
        return made.to_json().encode(), outputs

    def _end(self, held: Answer, proof: str, outputs: dict[str, Any]) -> None:
        with self.database.begin() as connection:  # an answer that nobody settles is never left at proven
            proven = answers.commit_in(self.database, connection, held, "proven", proof=proof, outputs=outputs)
            if not held.settle:
                answers.commit_in(self.database, connection, proven, "answered")

    def _refuse(self, held: Answer, error: AssayError) -> None:
        said = {"code": error.code, "what": error.what, "todo": error.todo}
        try:
            if error.retry and held.attempts < MOST_ATTEMPTS:
                with self.database.read() as connection:
                    due = self.database.now(connection) + 2.0**held.attempts
                answers.commit(self.database, held, "fixed", error=said, due=due)
            else:
                answers.commit(self.database, held, "refused", error=said)
        except LeaseLost:
            return
