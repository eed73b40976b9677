"""The provers: processes that hold keys and take answers from `fixed` to `proven`, and on.

One step an answer: claim, prove (which verifies what it made), compare, then proof and state in one transaction. Its
lease lasts as long as it is worked on. Killed anywhere, the answer is claimed again when the prover is known to be gone
or its lease is over, and proven again, alone: it may be what ends provers. One that has ended several is refused.

Answers that ask for it are proven together, where they wait at the same time, are of one API key, one release and one
context, and settle nothing: one proof shows all their rows, and each answer says which of them are its own.
"""

from __future__ import annotations

import threading
import time
import weakref
from concurrent import futures
from typing import TYPE_CHECKING, Any

from assay.core.errors import AssayError, StorageError
from assay.prove.errors import SrsMissing
from assay.prove.prove import prove
from assay.record import answers, artefacts, claims
from assay.record.errors import LeaseLost, RecordError
from assay.record.holder import me
from assay.record.pause import pause
from assay.serve.errors import ProverLost, SelfCheckFailed
from assay.serve.models import Models
from assay.serve.under_way import UnderWay

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.prove.keys import ProvingKey
    from assay.prove.proof import Proof
    from assay.record.answers import Answer
    from assay.record.database import Database
    from assay.serve.models import Model

LEASE_SECONDS = 120.0
MOST_ATTEMPTS = 5
MOST_JOINED = 16
"""Rows of one proof for several answers."""
_LANES = 2
_GATHER_SECONDS = 0.01
_LOOK_SECONDS = 0.2
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
    told
        Told, in one line each, what a person at the terminal should know.
    hung
        Told, in words, why a proof that is under way will never be made: only a new process can go on.
    """

    def __init__(
        self,
        database: Database,
        name: str | None = None,
        *,
        told: Callable[[str], None] = lambda _: None,
        hung: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.database = database
        self.models = Models(database)
        self.name = name or me()
        self._told, self._hung = told, hung
        self._said = ""
        self._first = threading.Lock()
        self._proved: dict[str, weakref.ref[ProvingKey]] = {}
        self._under_way = UnderWay(database, LEASE_SECONDS)
        self._turn, self._idle, self._busy = threading.Lock(), threading.Condition(), 0

    def run(self, stopped: Callable[[], bool]) -> None:
        """Prove until `stopped()`, two at a time with one set of keys: while one waits, the other has the cores."""
        claims.free_gone(self.database)  # what a prover that was killed here had under way
        failed, over = threading.Event(), threading.Event()
        keeper = threading.Thread(target=self._under_way.look_after, args=(over, self._hung), daemon=True)
        keeper.start()
        with futures.ThreadPoolExecutor(_LANES) as pool:
            lanes = [pool.submit(self._lane, lambda: stopped() or failed.is_set()) for _ in range(_LANES)]
            futures.wait(lanes, return_when=futures.FIRST_EXCEPTION)
            failed.set()
        over.set()
        keeper.join()
        for lane in lanes:
            lane.result()

    def _lane(self, stopped: Callable[[], bool]) -> None:
        """One proof after the other, waiting longer the longer there is nothing to do."""
        wait, mark, looked = _SHORTEST, "", 0.0
        while not stopped():
            last, mark = mark, self.database.mark()
            if mark != last or time.monotonic() - looked > _LOOK_SECONDS:  # what is due later changes nothing
                looked = time.monotonic()
                if self.step():
                    wait = _SHORTEST
                    continue
            time.sleep(wait)
            wait = min(_LONGEST, wait * 1.5)

    def step(self) -> bool:
        """Prove one answer that waits, and those that join it; whether there was one."""
        if not self._waiting():
            return False
        with self._turn:
            claimed = claims.claim(self.database, ["fixed"], self.name, LEASE_SECONDS)
            if not claimed or claimed[0].lost:
                for held in claimed:
                    self._again(held)
                return bool(claimed)
            self._busy += 1
        try:
            some = [claimed[0], *self._joining(claimed[0])]
            with self._under_way.held(some):
                self._prove(some)
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()
        return True

    def _again(self, held: Answer) -> None:
        """Prove what a prover has left; alone, since it may be what ends provers, and others would end with it."""
        if held.lost >= MOST_ATTEMPTS:
            what = f"{held.lost} provers ended or hung while they proved this"
            self._refuse(held, ProverLost(what, "Ask with fewer rows, and look at the prover's memory."))
            return
        self._told(f"{held.id} is proven again: the prover that had it ended or hung")
        with self._under_way.held([held]):
            with self._idle:
                self._idle.wait_for(lambda: not self._busy)
            self._prove([held])

    def _waiting(self) -> bool:
        # Reading holds nobody up; claiming does.
        return claims.any_due(self.database, ["fixed"])

    def _joining(self, first: Answer) -> list[Answer]:
        if not first.evidence.get("join"):
            return []
        try:
            most = min(MOST_JOINED, self.models.of(first.release).verifying.max_batch)
        except AssayError:  # said when the first one is proven
            return []
        held, rows = [], len(first.row)
        while rows < most:
            time.sleep(_GATHER_SECONDS)  # those who were answered together ask again together
            more = claims.claim_beside(self.database, first, self.name, LEASE_SECONDS, most_rows=most, rows=rows)
            if not more:
                break
            held += more
            rows += sum(len(one.row) for one in more)
        return held

    def _prove(self, held: list[Answer]) -> None:
        began = time.monotonic()
        try:
            made, shown = self._proven(held)
            self._end(held, made, shown, time.monotonic() - began)
            self._said = ""
        except LeaseLost:
            return
        except AssayError as error:
            if len(held) == 1:
                self._refuse(held[0], error)
                return
            for one in held:  # whichever of them it was, the others do not suffer from it
                self._prove([one])

    def _proven(self, held: list[Answer]) -> tuple[Proof, list[list[list[int]]]]:
        """One proof of all their rows; and the integers that it shows, by answer."""
        model = self.models.of(held[0].release)
        expected = [model.integers(one.row) for one in held]
        made = self._made(model, [row for one in held for row in one.row], int(held[0].context))
        if made.verifying_key != model.verifying.model_id:  # under its own key `prove` has verified it
            raise SelfCheckFailed(f"the proof of {held[0].id} is of another key than the release's", "Report this.")
        rows = iter([int(value) for value in row] for row in made.output_integers)
        shown = [[next(rows, []) for _ in one.row] for one in held]
        if shown != expected or next(rows, None) is not None:
            raise SelfCheckFailed(f"the proof of {held[0].id} shows other outputs than the circuit", "Report this.")
        return made, shown

    def _made(self, model: Model, rows: list[Any], context: int) -> Proof:
        key, name = model.proving, model.release.digest
        if name in self._proved and self._proved[name]() is key:
            return self._proof(name, key, rows, context)
        with self._first:  # which reads the reference string: two at once would take longer than one after the other
            if not self._under_way.knows(name):
                self._under_way.took(name, answers.times(self.database, model.release.project, name))
            made = self._proof(name, key, rows, context)
            self._proved[name] = weakref.ref(key)
            return made

    def _proof(self, release: str, key: ProvingKey, rows: list[Any], context: int) -> Proof:
        with self._under_way.proof(release, len(rows)):
            return prove(key, rows, context=context)

    def _end(self, held: list[Answer], made: Proof, shown: list[list[list[int]]], seconds: float) -> None:
        proof = made.to_json().encode()
        model = self.models.of(held[0].release)
        first, kept, of = 0, 0, sum(map(len, shown))
        with self.database.begin() as connection:
            name = artefacts.put_in(connection, proof)
            for one, integers in zip(held, shown, strict=True):
                outputs: dict[str, Any] = {"integers": [[str(value) for value in row] for row in integers]}
                outputs["values"] = model.values(integers)
                if ended := [row - first for row in made.ended if first <= row < first + len(integers)]:
                    outputs["ended"] = ended
                place = {"first": first, "rows": len(integers), "of": of}
                first += len(integers)
                evidence = one.evidence | ({"joined": place} if len(held) > 1 else {})
                evidence |= {answers.PROVING: round(seconds * len(integers) / of, 6)}
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

    def _tell(self, error: AssayError) -> None:
        if error.what != self._said:  # once, however often it is tried
            self._told(f"nothing is proven: [{error.code}] {error}")
            self._said = error.what

    def _refuse(self, held: Answer, error: AssayError) -> None:
        said = {"code": error.code, "what": error.what, "todo": error.todo}
        try:
            if _is_the_machine_s(error) or (error.retry and held.attempts < MOST_ATTEMPTS):
                self._tell(error)
                with self.database.read() as connection:
                    due = self.database.now(connection) + pause(held.attempts, _LONGEST_WAIT)
                answers.commit(self.database, held, "fixed", error=said, due=due)
            else:
                answers.commit(self.database, held, "refused", error=said)
        except LeaseLost:
            return


def _is_the_machine_s(error: AssayError) -> bool:
    """A full disk, a database that is away, no reference string: an answer waits as long as that lasts."""
    return isinstance(error, StorageError | SrsMissing) or (isinstance(error, RecordError) and error.retry)
