"""Transactions: one nonce of one account on one chain, kept with its signed bytes before anything is sent."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, cast, func, not_, select, update

from assay.record.errors import Conflict, RecordError, Unknown
from assay.record.schema import transactions
from assay.record.states import TRANSACTION, TransactionState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection, Row

    from assay.record.database import Database

_AT_ONCE = 500


@dataclass(frozen=True)
class Transaction:
    """A transaction as it stands in the database; the schema says what each field is."""

    chain: str
    account: str
    nonce: int
    purpose: str
    subject: str
    to: str | None
    data: str
    gas: int
    value: str = "0"
    id: str = ""
    state: TransactionState = "signed"
    attempts: list[dict[str, Any]] = field(default_factory=list)
    mined: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    timeline: list[Any] = field(default_factory=list)
    created: float = 0.0
    due: float = 0.0

    @property
    def acted(self) -> bool:
        """Whether it is in a block and did there what it was sent for: it was not refused, and not cancelled."""
        if self.mined is None or not self.mined["ok"] or self.state == "cancelled":
            return False
        return not any(one["cancels"] and one["hash"] == self.mined.get("hash") for one in self.attempts)


def next_nonce(connection: Connection, chain: str, account: str, on_chain: int) -> int:
    """The first nonce that neither the chain (its count at `latest`) nor any kept transaction uses."""
    asked = select(func.max(transactions.c.nonce)).where(
        transactions.c.chain == chain, transactions.c.account == account
    )
    last = connection.execute(asked).scalar()
    return on_chain if last is None else max(on_chain, last + 1)


def keep_in(
    database: Database,
    connection: Connection,
    wanted: Transaction,
    on_chain: int,
    sign: Callable[[int], dict[str, Any]],
) -> tuple[Transaction, bool]:
    """Give the next nonce, sign and keep, all in the caller's transaction; returns it and whether it is new.

    The same purpose and subject on the same chain is the same transaction: it is returned, nothing is signed.

    Parameters
    ----------
    wanted
        All but nonce, id, attempts and times; its `nonce` is not read.
    on_chain
        The account's transaction count at the latest block.
    sign
        From a nonce to the first attempt: hash, raw, fees.

    Raises
    ------
    Conflict
        There is one of the same purpose and subject, with other calldata.
    """
    _lock(connection, f"nonce:{wanted.chain}:{wanted.account}")
    where = and_(
        transactions.c.chain == wanted.chain,
        transactions.c.purpose == wanted.purpose,
        transactions.c.subject == wanted.subject,
    )
    row = connection.execute(select(transactions).where(where)).first()
    if row is not None:
        there = _transaction(row)
        if (there.to, there.data, there.value) != (wanted.to, wanted.data, wanted.value):
            raise Conflict(
                f"{wanted.purpose} of {wanted.subject} was signed before with another content",
                "Wait until it is final, or cancel it.",
            )
        return there, False
    nonce = next_nonce(connection, wanted.chain, wanted.account, on_chain)
    now = database.now(connection)
    kept = asdict(wanted) | {
        "id": f"tx_{secrets.token_hex(16)}",
        "nonce": nonce,
        "state": "signed",
        "attempts": [sign(nonce) | {"at": now}],
        "timeline": [["signed", now]],
        "created": now,
        "due": now,
    }
    connection.execute(transactions.insert().values(**kept))
    return Transaction(**kept), True


def _lock(connection: Connection, name: str) -> None:
    if connection.dialect.name == "postgresql":  # SQLite's transaction holds the whole file already
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def get(database: Database, name: str) -> Transaction:
    """A transaction by its id; raises `Unknown`."""
    with database.read() as connection:
        row = connection.execute(select(transactions).where(transactions.c.id == name)).first()
    if row is None:
        raise Unknown(f'there is no transaction "{name:.60}"', "Check the id.")
    return _transaction(row)


def some(database: Database, names: Iterable[str]) -> dict[str, Transaction]:
    """Those of some transactions that there are, by their ids."""
    found: dict[str, Transaction] = {}
    wanted = list(names)
    with database.read() as connection:
        for place in range(0, len(wanted), _AT_ONCE):
            asked = select(transactions).where(transactions.c.id.in_(wanted[place : place + _AT_ONCE]))
            found |= {row.id: _transaction(row) for row in connection.execute(asked)}
    return found


def last_nonce(database: Database, chain: str, account: str, states: Iterable[TransactionState]) -> int | None:
    """The last nonce of an account's transactions in these states; None if there is none."""
    where = transactions.c.chain == chain, transactions.c.account == account, transactions.c.state.in_(list(states))
    with database.read() as connection:
        found: int | None = connection.execute(select(func.max(transactions.c.nonce)).where(*where)).scalar()
    return found


def by_subject(database: Database, chain: str, purpose: str, subject: str) -> Transaction | None:
    """The transaction that was signed for a subject; None if there is none."""
    where = and_(transactions.c.chain == chain, transactions.c.purpose == purpose, transactions.c.subject == subject)
    with database.read() as connection:
        row = connection.execute(select(transactions).where(where)).first()
    return None if row is None else _transaction(row)


def find(
    database: Database,
    chain: str,
    account: str | None = None,
    *,
    states: Iterable[TransactionState] = (),
    due_by: float | None = None,
    since: float | None = None,
    purpose: str | None = None,
) -> list[Transaction]:
    """Transactions on a chain, by nonce."""
    asked = select(transactions).where(transactions.c.chain == chain).order_by(transactions.c.nonce)
    if account is not None:
        asked = asked.where(transactions.c.account == account)
    if wanted := list(states):
        asked = asked.where(transactions.c.state.in_(wanted))
    if due_by is not None:
        asked = asked.where(transactions.c.due <= due_by)
    if since is not None:
        asked = asked.where(transactions.c.created >= since)
    if purpose is not None:
        asked = asked.where(transactions.c.purpose == purpose)
    with database.read() as connection:
        return [_transaction(row) for row in connection.execute(asked)]


def paid(database: Database, chain: str, account: str, since: float) -> tuple[int, list[Transaction]]:
    """Wei that an account's transactions took which were made since a time and are mined, and those that are not.

    Of the mined ones, which are many, no more is read than what they cost.
    """
    where = transactions.c.chain == chain, transactions.c.account == account, transactions.c.created >= since
    # Nothing is kept as JSON's null, or as none at all.
    is_mined = func.coalesce(cast(transactions.c.mined, Text), "null") != "null"
    gas, price = transactions.c.mined["gas_used"].as_integer(), transactions.c.mined["price"].as_string()
    with database.read() as connection:
        costs = connection.execute(select(gas, price, transactions.c.value).where(*where, is_mined)).all()
        rest = connection.execute(
            select(transactions).where(*where, not_(is_mined)).order_by(transactions.c.nonce)
        ).all()
    return sum(used * int(each) + int(value) for used, each, value in costs), [_transaction(row) for row in rest]


def recent(database: Database, limit: int, *, since: float | None = None) -> list[Transaction]:
    """The newest transactions of all chains, newest first; those made since a time."""
    asked = select(transactions).order_by(transactions.c.created.desc(), transactions.c.id).limit(limit)
    if since is not None:
        asked = asked.where(transactions.c.created >= since)
    with database.read() as connection:
        return [_transaction(row) for row in connection.execute(asked)]


def move_in(
    database: Database, connection: Connection, held: Transaction, state: TransactionState, **changes: Any
) -> Transaction:
    """Write a transaction's new state and what was found; raises `Conflict` if it moved meanwhile."""
    if state != held.state and state not in TRANSACTION[held.state]:
        raise RecordError(f"a transaction cannot go from {held.state} to {state}", "This is a mistake in Assay.")
    values: dict[str, Any] = changes | {"state": state}
    if state != held.state:
        values["timeline"] = [*held.timeline, [state, database.now(connection)]]
    asked = select(transactions.c.state, transactions.c.attempts).where(transactions.c.id == held.id).with_for_update()
    row = connection.execute(asked).first()
    # An attempt that another process signed meanwhile must stay known: it may be the one that is mined.
    if row is None or row.state != held.state or len(row.attempts) != len(held.attempts):
        raise Conflict(f"the transaction {held.id} was moved by another process", "Read it again.")
    connection.execute(update(transactions).where(transactions.c.id == held.id).values(**values))
    return Transaction(**(asdict(held) | values))


def move(database: Database, held: Transaction, state: TransactionState, **changes: Any) -> Transaction:
    """`move_in`, in a transaction of its own."""
    with database.begin() as connection:
        return move_in(database, connection, held, state, **changes)


def _transaction(row: Row[Any]) -> Transaction:
    return Transaction(**row._asdict())
