"""The tables. Five records, the leases that say who works on what, artefacts by digest, and what changed for whom.

`migrations/` makes them in a database; a test holds both equal. Integers that may pass 2^63 (wei, words) are
decimal strings. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

# SQLite numbers rows by itself only where the key is its own INTEGER.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

releases = Table(
    "release",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("project", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("public", JSON, nullable=False),  # what a stranger checks
    Column("private", JSON, nullable=False),  # part name -> {digest, salt, bytes}; {} if only the public part is held
    Column("note", Text, nullable=False),
    Column("created", Double, nullable=False),
    UniqueConstraint("project", "version", name="release_version"),
)

answers = Table(
    "answer",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("project", String(64), nullable=False),
    Column("release", String(64), ForeignKey("release.digest"), nullable=False),
    Column("chain", String(64)),  # None: for no chain
    Column("period", BigInteger),  # of the live loop
    Column("owner", String(40)),  # the API key that asked
    Column("request", String(200)),  # its idempotency key
    Column("fingerprint", String(64)),  # of what was asked: the same key with another question is refused
    Column("arm", String(64), nullable=False),
    Column("propensity", Double, nullable=False),
    Column("state", String(16), nullable=False),
    Column("settle", Boolean, nullable=False),
    Column("context", String(80), nullable=False),
    Column("row", JSON),  # the inputs; forgotten after [serve] keep_rows
    Column("row_digest", String(64)),  # salted: stays when the row is forgotten
    Column("outputs", JSON),
    Column("proof", String(64)),  # digest of the artefact
    Column("outcome", JSON),  # the label, when it comes
    Column("evidence", JSON, nullable=False),  # blocks, state proofs, who asked
    Column("deadline", BigInteger),  # block after which it is expired
    Column("transaction", String(40)),
    Column("error", JSON),  # code, what, todo
    Column("timeline", JSON, nullable=False),  # [[state, time], ..]
    Column("attempts", Integer, nullable=False),
    Column("created", Double, nullable=False),
    Column("due", Double, nullable=False),  # not before
    Column("lease", String(80)),
    Column("lease_until", Double),
    Column("fence", BigInteger, nullable=False),
    UniqueConstraint("owner", "request", name="answer_request"),
    UniqueConstraint("project", "chain", "period", "arm", name="answer_period"),
    Index("answer_state", "state", "due"),
    Index("answer_created", "project", "created", "id"),
)

transactions = Table(
    "transaction_",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("chain", String(64), nullable=False),
    Column("account", String(42), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("subject", String(200), nullable=False),  # the answer, release or deployment step it is for
    Column("to", String(42)),  # None: a creation
    Column("value", String(80), nullable=False),
    Column("data", Text, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", JSON, nullable=False),  # [{hash, raw, max_fee, priority_fee, cancels, at}, ..]
    Column("mined", JSON),  # {hash, block, block_hash, gas_used, price, ok, logs}
    Column("error", JSON),
    Column("timeline", JSON, nullable=False),
    Column("created", Double, nullable=False),
    Column("due", Double, nullable=False),
    UniqueConstraint("chain", "account", "nonce", name="transaction_nonce"),
    UniqueConstraint("chain", "purpose", "subject", name="transaction_subject"),
    Index("transaction_state", "chain", "account", "state"),
)

events = Table(
    "event",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("time", Double, nullable=False),
    Column("project", String(64), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("who", String(80), nullable=False),
    Column("chain", String(64)),
    Column("block", BigInteger),
    Column("what", JSON, nullable=False),
    Column("why", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("before", String(64), nullable=False),  # digest of the event before it in the project
    Column("digest", String(64), nullable=False),
    UniqueConstraint("project", "before", name="event_chain"),  # two writers cannot follow the same event
    Index("event_kind", "project", "kind", "number"),
)

plans = Table(
    "plan",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("project", String(64), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("content", Text, nullable=False),
    Column("supersedes", String(64)),
    Column("created", Double, nullable=False),
    UniqueConstraint("supersedes", name="plan_superseded_once"),
)

changes = Table(
    "change",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    # PostgreSQL's number of the transaction, by which a reader knows that no earlier change is still to come; else 0.
    Column("turn", BigInteger, nullable=False),
    Column("answer", String(40), ForeignKey("answer.id"), nullable=False),
    Column("owner", String(40)),
    Column("state", String(16), nullable=False),
    Column("time", Double, nullable=False),
    Index("change_turn", "turn", "number"),
)

outputs = Table(
    "output",
    metadata,
    Column("name", String(64), primary_key=True),  # and whose it is: `key_of`
    Column("target", String(64), nullable=False),  # digest of where it goes: another place is filled from the beginning
    Column("turn", BigInteger, nullable=False),  # of the last change that is there
    Column("number", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),  # that failed since
    Column("error", JSON),  # code, what, todo; why the last one failed
    Column("due", Double),  # not before; None: never again
)

deliveries = Table(
    "delivery",
    metadata,
    Column("output", String(64), ForeignKey("output.name"), nullable=False),
    Column("change", BigInteger, ForeignKey("change.number"), nullable=False),  # what it is told of
    Column("attempts", Integer, nullable=False),  # in vain
    Column("error", JSON),
    Column("due", Double, nullable=False),
    PrimaryKeyConstraint("output", "change", name="delivery_once"),
    Index("delivery_due", "output", "due"),
)

leases = Table(
    "lease",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("holder", String(80), nullable=False),
    Column("until", Double, nullable=False),
    Column("fence", BigInteger, nullable=False),
)

artefacts = Table(
    "artefact",
    metadata,
    Column("digest", String(64), nullable=False),
    Column("part", Integer, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("digest", "part", name="artefact_part"),
)
