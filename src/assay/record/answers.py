"""Answers: one row put to one release. The state column is the only truth about how far it is."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, cast, exc, func, null, or_, select, text, update

from assay.core.hashing import digest
from assay.record.changes import note_in
from assay.record.errors import Conflict, LeaseLost, RecordError, Unknown
from assay.record.holder import LONGEST_LEASE, is_gone
from assay.record.schema import answers, artefacts, releases
from assay.record.states import ANSWER, ANSWER_ENDS, AnswerState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from assay.record.database import Database

PROVING = "proving"
"""In an answer's evidence: seconds that a prover took for it."""
_AT_ONCE = 200
_LOST = "lost"
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
        return int(self.evidence.get(_LOST, {}).get(self.state, 0))

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
    owner: str | None = None,
    release: str | None = None,
    arm: str | None = None,
    before: tuple[float, str] | None = None,
    limit: int = 100,
) -> list[Answer]:
    """Answers of a project, or of all, newest first; `before` is (created, id) of the last one of the page before.

    With `periods` only those of a live loop's periods, the newest period first.
    """
    asked = select(answers)
    if periods:
        asked = asked.where(answers.c.period.is_not(None)).order_by(answers.c.period.desc())
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


def claim(
    database: Database,
    states: Iterable[AnswerState],
    holder: str,
    seconds: float,
    *,
    project: str | None = None,
    chain: str | None = None,
    arm: str | None = None,
    limit: int = 1,
) -> list[Answer]:
    """Take over up to `limit` answers in these states that are due and that nobody holds; oldest first.

    The answer's `fence` grows with each claim: `commit` with an older one is refused, so that a holder that slept
    through its lease changes nothing.

    Parameters
    ----------
    chain
        Only answers that are to be settled on it.
    arm
        Only answers of this arm.
    """
    with database.begin() as connection:
        now = database.now(connection)
        asked = (
            select(answers)
            .where(
                answers.c.state.in_(list(states)),
                *_free(now),
            )
            .order_by(answers.c.due, answers.c.created)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if project is not None:
            asked = asked.where(answers.c.project == project)
        if chain is not None:
            asked = asked.where(answers.c.chain == chain, answers.c.settle)
        if arm is not None:
            asked = asked.where(answers.c.arm == arm)
        return [_taken(connection, row, holder, now + seconds) for row in connection.execute(asked).all()]


def claim_beside(
    database: Database, first: Answer, holder: str, seconds: float, *, rows: int, most_rows: int
) -> list[Answer]:
    """Take over others that may be answered together with one that is held, as long as all have at most so many rows.

    Those that are held have `rows` of them. Others wait in its state, are of its owner, release and context, settle
    nothing, ask for it (`evidence["join"]`), and are none that a holder has left.
    """
    with database.begin() as connection:
        now = database.now(connection)
        asked = (
            select(answers)
            .where(
                answers.c.state == first.state,
                answers.c.owner == first.owner,
                answers.c.release == first.release,
                answers.c.context == first.context,
                answers.c.settle.is_(False),
                answers.c.lease.is_(None),
                answers.c.evidence["join"].as_boolean().is_(True),
                *_free(now),
            )
            .order_by(answers.c.due, answers.c.created)
            .limit(most_rows - rows)
            .with_for_update(skip_locked=True)
        )
        taken = []
        for row in connection.execute(asked).all():
            if rows + len(row.row) > most_rows:
                break
            rows += len(row.row)
            taken.append(_taken(connection, row, holder, now + seconds))
        return taken


def _free(now: float) -> tuple[ColumnElement[bool], ...]:
    """Those that are due and that nobody holds, also where the clock was set back since: nothing waits for it then."""
    early = answers.c.created > now
    due = or_(answers.c.due <= now, answers.c.due <= answers.c.created, early)
    until = answers.c.lease_until
    return due, or_(until.is_(None), until < now, until > now + LONGEST_LEASE)


def _taken(connection: Connection, row: Row[Any], holder: str, until: float) -> Answer:
    held: dict[str, Any] = {"lease": holder, "lease_until": until, "fence": row.fence + 1, "attempts": row.attempts + 1}
    if row.lease is not None:
        lost = row.evidence.get(_LOST, {})
        held["evidence"] = row.evidence | {_LOST: lost | {row.state: lost.get(row.state, 0) + 1}}
    connection.execute(update(answers).where(answers.c.id == row.id).values(**held))
    return Answer(**(row._asdict() | held))


def any_due(
    database: Database,
    states: Iterable[AnswerState],
    chain: str | None = None,
    arm: str | None = None,
    project: str | None = None,
) -> bool:
    """Whether `claim` would find anything, without holding anybody up."""
    with database.read() as connection:
        now = database.now(connection)
        asked = select(answers.c.id).where(
            answers.c.state.in_(list(states)),
            *_free(now),
        )
        if chain is not None:
            asked = asked.where(answers.c.chain == chain, answers.c.settle)
        if arm is not None:
            asked = asked.where(answers.c.arm == arm)
        if project is not None:
            asked = asked.where(answers.c.project == project)
        return connection.execute(asked.limit(1)).first() is not None


def free_gone(database: Database) -> int:
    """End the leases of processes of this machine that run no more, so that nobody waits for them; how many."""
    with database.read() as connection:
        now = database.now(connection)
        held = select(answers.c.lease).where(answers.c.lease_until >= now).distinct()
        gone = [name for name in connection.execute(held).scalars() if is_gone(name)]
    if not gone:
        return 0
    with database.begin() as connection:
        where = and_(answers.c.lease.in_(gone), answers.c.lease_until >= now)
        return connection.execute(update(answers).where(where).values(lease_until=0.0)).rowcount


@dataclass(frozen=True)
class Left:
    """Answers that are due and that nobody holds.

    Attributes
    ----------
    count
        How many.
    seconds
        How long the oldest is due.
    held
        Whether somebody holds others.
    """

    count: int
    seconds: float
    held: bool


def left(database: Database, state: AnswerState) -> Left:
    """What nobody does in a state; a holder of this machine that runs no more holds nothing."""
    own = answers.c.state == state
    with database.read() as connection:
        now = database.now(connection)
        free = select(func.count(), func.min(answers.c.due)).where(own, *_free(now))
        count, due = connection.execute(free).one()
        until = answers.c.lease_until
        holders = select(answers.c.lease).where(own, until >= now, until <= now + LONGEST_LEASE).distinct()
        names = list(connection.execute(holders).scalars())
    return Left(count, max(0.0, now - due) if count else 0.0, any(not is_gone(name) for name in names))


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


def renew(database: Database, held: Answer, seconds: float) -> None:
    """Hold an answer longer; raises `LeaseLost`."""
    with database.begin() as connection:
        until = database.now(connection) + seconds
        where = and_(answers.c.id == held.id, answers.c.fence == held.fence)
        if connection.execute(update(answers).where(where).values(lease_until=until)).rowcount != 1:
            raise LeaseLost(
                f"the answer {held.id} was taken over by another process", "Its result counts, not this one."
            )


def proving_seconds(database: Database, owner: str, within: float) -> float:
    """Seconds that provers took for what an API key asked for in so many last seconds, its share of joined proofs."""
    projects = select(releases.c.project).distinct()  # with them the answers of that time are found by their index
    with database.read() as connection:
        since = database.now(connection) - within
        asked = select(func.sum(answers.c.evidence[PROVING].as_float())).where(
            answers.c.project.in_(projects), answers.c.created >= since, answers.c.owner == owner
        )
        return float(connection.execute(asked).scalar() or 0.0)


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
