"""Answers: one row put to one release. The state column is the only truth about how far it is."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, cast, exc, func, null, or_, select, text, update

from assay.core.hashing import digest
from assay.record.changes import note_in
from assay.record.errors import Conflict, LeaseLost, RecordError, Unknown
from assay.record.schema import answers, artefacts, releases
from assay.record.states import ANSWER, ANSWER_ENDS, AnswerState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection, Row, Select

    from assay.record.database import Database

PROVING = "proving"
"""In an answer's evidence: seconds that a prover took for it."""
_AT_ONCE = 200
_LAST = 50
LOST = "lost"
"""In the evidence: by state, how many holders never gave it back."""
_HAS_ROW = cast(answers.c.row, Text) != "null"  # nothing is kept as JSON's null, or as none at all


@dataclass(frozen=True)
class Answer:
    """An answer as it stands in the database; the schema says what each field is."""

    project: str
    release: str
    id: str = ""
    chain: str | None = None
    period: int | None = None
    owner: str | None = None
    request: str | None = None
    fingerprint: str | None = None
    arm: str = "champion"
    propensity: float = 1.0
    state: AnswerState = "received"
    settle: bool = False
    context: str = "0"
    row: Any = None
    row_digest: str | None = None
    outputs: Any = None
    proof: str | None = None
    outcome: Any = None
    evidence: dict[str, Any] = field(default_factory=dict)
    deadline: int | None = None
    transaction: str | None = None
    error: dict[str, str] | None = None
    timeline: list[Any] = field(default_factory=list)
    attempts: int = 0
    created: float = 0.0
    due: float = 0.0
    lease: str | None = None
    lease_until: float | None = None
    fence: int = 0

    @property
    def shows(self) -> str | None:
        """Digest of its proof, unless that was deleted with the row that it showed."""
        return None if self.evidence.get("forgotten", {}).get("proof") else self.proof

    @property
    def lost(self) -> int:
        """How many holders had it in its present state and never gave it back: they ended, or slept too long."""
        return int(self.evidence.get(LOST, {}).get(self.state, 0))

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state in ANSWER_ENDS


def new_id() -> str:
    """A new answer's id: 128 random bits."""
    return f"ans_{secrets.token_hex(16)}"


def receive(database: Database, asked: Answer) -> tuple[Answer, bool]:
    """Keep what was asked, once; returns the answer and whether it is new.

    The same idempotency key of the same owner, or the same period of the same chain and arm, is the same answer.

    Raises
    ------
    Conflict
        The key was used for another question.
    """
    try:
        with database.begin() as connection:
            now = database.now(connection)
            made = asdict(asked) | {
                "id": asked.id or new_id(),
                "timeline": [[asked.state, now]],
                "created": now,
                "due": asked.due or now,
            }
            connection.execute(answers.insert().values(**made))
            note_in(connection, made["id"], asked.owner, asked.state, now)
        return Answer(**made), True
    except exc.IntegrityError:
        there = _same(database, asked)
    if there is None:
        raise Unknown(f"there is no release {asked.release[:16]} to answer", "Create one: `assay release create`.")
    same = {asked.fingerprint, _salted(asked.fingerprint, there.evidence)}
    if there.fingerprint not in same:
        raise Conflict(
            f'the key "{asked.request or asked.period}" was used for another question',
            "Use a new key for each question.",
        )
    return there, False


def _same(database: Database, asked: Answer) -> Answer | None:
    if asked.request is not None:
        where = and_(answers.c.owner == asked.owner, answers.c.request == asked.request)
    else:
        where = and_(
            answers.c.project == asked.project,
            answers.c.chain == asked.chain,
            answers.c.period == asked.period,
            answers.c.arm == asked.arm,
        )
    with database.read() as connection:
        row = connection.execute(select(answers).where(where)).first()
    return None if row is None else _answer(row)


def by_request(database: Database, owner: str, request: str) -> Answer | None:
    """The answer to an idempotency key; None if there is none."""
    where = and_(answers.c.owner == owner, answers.c.request == request)
    with database.read() as connection:
        row = connection.execute(select(answers).where(where)).first()
    return None if row is None else _answer(row)


def get(database: Database, name: str) -> Answer:
    """An answer by its id; raises `Unknown`."""
    with database.read() as connection:
        row = connection.execute(select(answers).where(answers.c.id == name)).first()
    if row is None:
        raise Unknown(f'there is no answer "{name:.60}"', "Check the id.")
    return _answer(row)


def ended(database: Database, names: Iterable[str]) -> list[Answer]:
    """Those of some answers, by their ids, that have ended."""
    asked = select(answers).where(answers.c.id.in_(list(names)), answers.c.state.in_(sorted(ANSWER_ENDS)))
    with database.read() as connection:
        return [_answer(row) for row in connection.execute(asked)]


def find(
    database: Database,
    project: str | None,
    *,
    states: Iterable[AnswerState] = (),
    chain: str | None = None,
    period: int | None = None,
    periods: bool = False,
    since: int | None = None,
    owner: str | None = None,
    release: str | None = None,
    arm: str | None = None,
    before: tuple[float, str] | None = None,
    limit: int = 100,
) -> list[Answer]:
    """Answers of a project, or of all, newest first; `before` is (created, id) of the last one of the page before.

    With `periods` only those of a live loop's periods, the newest period first; those from the period `since` on.
    """
    asked = select(answers)
    if periods:
        asked = asked.where(answers.c.period.is_not(None)).order_by(answers.c.period.desc())
    if since is not None:
        asked = asked.where(answers.c.period >= since)
    for column, value in (
        (answers.c.project, project),
        (answers.c.chain, chain),
        (answers.c.period, period),
        (answers.c.owner, owner),
        (answers.c.release, release),
        (answers.c.arm, arm),
    ):
        if value is not None:
            asked = asked.where(column == value)
    if wanted := list(states):
        asked = asked.where(answers.c.state.in_(wanted))
    if before is not None:
        created, name = before
        asked = asked.where(or_(answers.c.created < created, and_(answers.c.created == created, answers.c.id < name)))
    asked = asked.order_by(answers.c.created.desc(), answers.c.id.desc()).limit(limit)
    with database.read() as connection:
        return [_answer(row) for row in connection.execute(asked)]


def count(database: Database, states: Iterable[AnswerState], owner: str | None = None) -> int:
    """How many answers are in these states."""
    asked = select(func.count()).select_from(answers).where(answers.c.state.in_(list(states)))
    if owner is not None:
        asked = asked.where(answers.c.owner == owner)
    with database.read() as connection:
        return int(connection.execute(asked).scalar_one())


def commit(database: Database, held: Answer, state: AnswerState, **changes: Any) -> Answer:
    """End a step: the new state and what the step found, and the lease is given back; see `commit_in`."""
    with database.begin() as connection:
        return commit_in(database, connection, held, state, **changes)


def commit_in(database: Database, connection: Connection, held: Answer, state: AnswerState, **changes: Any) -> Answer:
    """End a step within a transaction.

    Raises
    ------
    LeaseLost
        Somebody claimed the answer since; nothing is written.
    RecordError
        The state machine has no such step.
    """
    if state != held.state and state not in ANSWER[held.state]:
        raise RecordError(f"an answer cannot go from {held.state} to {state}", "This is a mistake in Assay.")
    values = changes | {"state": state, "lease": None, "lease_until": None}
    now = database.now(connection)
    if state != held.state:
        values |= {"timeline": [*held.timeline, [state, now]], "attempts": 0}
    where = and_(answers.c.id == held.id, answers.c.fence == held.fence, answers.c.state == held.state)
    if connection.execute(update(answers).where(where).values(**values)).rowcount != 1:
        raise LeaseLost(f"the answer {held.id} was taken over by another process", "Its result counts, not this one.")
    if state != held.state:
        note_in(connection, held.id, held.owner, state, now)
    return Answer(**(asdict(held) | values))


def observe(database: Database, name: str, outcome: Any) -> None:
    """Keep what came of a row, beside whatever else happens to its answer."""
    with database.begin() as connection:
        observe_in(connection, name, outcome)


def observe_in(connection: Connection, name: str, outcome: Any) -> Any:
    """The same within a transaction; returns what was kept before, None if nothing was."""
    before = outcome_in(connection, name)
    connection.execute(update(answers).where(answers.c.id == name).values(outcome=outcome))
    return before


def outcome_in(connection: Connection, name: str) -> Any:
    """What is kept of what came of a row, until the transaction ends for nobody else to change."""
    return connection.execute(select(answers.c.outcome).where(answers.c.id == name).with_for_update()).scalar()


def proving_seconds(database: Database, owner: str, within: float) -> float:
    """Seconds that provers took for what an API key asked for in so many last seconds, its share of joined proofs."""
    projects = select(releases.c.project).distinct()  # with them the answers of that time are found by their index
    with database.read() as connection:
        since = database.now(connection) - within
        asked = select(func.sum(answers.c.evidence[PROVING].as_float())).where(
            answers.c.project.in_(projects), answers.c.created >= since, answers.c.owner == owner
        )
        return float(connection.execute(asked).scalar() or 0.0)


def times(database: Database, project: str, release: str) -> dict[int, float]:
    """How long the last proofs of a release took, by their rows; of each number of rows the longest."""
    made = (answers.c.project == project, answers.c.release == release, answers.c.proof.is_not(None))
    columns = (answers.c.evidence, answers.c.outputs)
    asked = select(*columns).where(*made).order_by(answers.c.created.desc(), answers.c.id.desc()).limit(_LAST)
    found: dict[int, float] = {}
    with database.read() as connection:
        for evidence, outputs in connection.execute(asked):
            own = len(outputs["integers"])
            rows = evidence.get("joined", {}).get("of", own)
            found[rows] = max(found.get(rows, 0.0), evidence.get(PROVING, 0.0) * rows / own)
    return {rows: seconds for rows, seconds in found.items() if seconds}


def with_rows(database: Database) -> int:
    """How many answers have their rows."""
    with database.read() as connection:
        return int(connection.execute(select(func.count(answers.c.id)).where(_HAS_ROW)).scalar_one())


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten: rows of so many answers, proofs that showed them; and how many of these a chain has."""

    rows: int = 0
    proofs: int = 0
    sent: int = 0

    def __add__(self, other: Forgotten) -> Forgotten:
        """Both together."""
        return Forgotten(self.rows + other.rows, self.proofs + other.proofs, self.sent + other.sent)


def forget(
    database: Database,
    *,
    hides: Collection[str] = (),
    project: str | None = None,
    ids: Collection[str] = (),
    owner: str | None = None,
    before: float | None = None,
) -> Forgotten:
    """Delete the rows of answers that have ended, and proofs that show them; salted digests of both stay.

    Rows of a chain's periods, which everybody has, are only forgotten by their answers' ids.

    Parameters
    ----------
    hides
        Releases whose proofs show no rows: those proofs stay.
    ids, owner, before
        Which answers: these, those of an API key, those that were asked for before a time.
    """
    asked = select(answers).where(answers.c.state.in_(sorted(ANSWER_ENDS)), _HAS_ROW)
    asked = asked.where(answers.c.id.in_(list(ids)) if ids else answers.c.period.is_(None))
    for column, value in ((answers.c.project, project), (answers.c.owner, owner)):
        if value is not None:
            asked = asked.where(column == value)
    if before is not None:
        asked = asked.where(answers.c.created < before)
    found = Forgotten()
    while some := _forget_some(database, asked.limit(_AT_ONCE), frozenset(hides)):
        found += some
    return found


def _forget_some(database: Database, asked: Select[Any], hides: frozenset[str]) -> Forgotten | None:
    with database.begin() as connection:
        connection.execute(text("PRAGMA secure_delete = ON")) if database.sqlite else None
        rows = connection.execute(asked.with_for_update()).all()
        now, proofs, sent = database.now(connection), set(), 0
        for row in rows:
            shown = row.proof is not None and row.release not in hides
            proofs |= {row.proof} if shown else set()
            sent += row.transaction is not None and shown
            values = {
                "row": null(),
                "fingerprint": _salted(row.fingerprint, row.evidence),
                "fence": row.fence + 1,
                "evidence": row.evidence | {"forgotten": {"time": now, "proof": shown}},
            }
            connection.execute(update(answers).where(answers.c.id == row.id).values(**values))
            note_in(connection, row.id, row.owner, "forgotten", now)
        # A proof of several answers, or of equal ones, stays for those that still have their rows.
        used = select(answers.c.proof).where(answers.c.proof.in_(proofs), _HAS_ROW)
        gone = proofs - set(connection.execute(used).scalars())
        connection.execute(artefacts.delete().where(artefacts.c.digest.in_(gone)))
    return Forgotten(len(rows), len(gone), sent) if rows else None


def _salted(fingerprint: str | None, evidence: dict[str, Any]) -> str | None:
    """What is left of a question's fingerprint: enough to know it again, not to guess its row by."""
    if fingerprint is None:
        return None
    return digest(bytes.fromhex(evidence.get("salt", "")) + fingerprint.encode())


def _answer(row: Row[Any]) -> Answer:
    return Answer(**row._asdict())
