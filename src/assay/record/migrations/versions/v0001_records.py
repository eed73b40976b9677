"""The five records, the leases, the artefacts."""

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)

revision = "0001"
down_revision = None

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "release",
        Column("digest", String(64), primary_key=True),
        Column("project", String(64), nullable=False),
        Column("version", Integer, nullable=False),
        Column("public", JSON, nullable=False),
        Column("private", JSON, nullable=False),
        Column("note", Text, nullable=False),
        Column("created", Double, nullable=False),
        UniqueConstraint("project", "version", name="release_version"),
    )
    op.create_table(
        "answer",
        Column("id", String(40), primary_key=True),
        Column("project", String(64), nullable=False),
        Column("release", String(64), ForeignKey("release.digest"), nullable=False),
        Column("chain", String(64)),
        Column("period", BigInteger),
        Column("owner", String(40)),
        Column("request", String(200)),
        Column("fingerprint", String(64)),
        Column("arm", String(64), nullable=False),
        Column("propensity", Double, nullable=False),
        Column("state", String(16), nullable=False),
        Column("settle", Boolean, nullable=False),
        Column("context", String(80), nullable=False),
        Column("row", JSON),
        Column("row_digest", String(64)),
        Column("outputs", JSON),
        Column("proof", String(64)),
        Column("outcome", JSON),
        Column("evidence", JSON, nullable=False),
        Column("deadline", BigInteger),
        Column("transaction", String(40)),
        Column("error", JSON),
        Column("timeline", JSON, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("created", Double, nullable=False),
        Column("due", Double, nullable=False),
        Column("lease", String(80)),
        Column("lease_until", Double),
        Column("fence", BigInteger, nullable=False),
        UniqueConstraint("owner", "request", name="answer_request"),
        UniqueConstraint("project", "chain", "period", "arm", name="answer_period"),
    )
    op.create_index("answer_state", "answer", ["state", "due"])
    op.create_index("answer_created", "answer", ["project", "created", "id"])
    op.create_table(
        "transaction_",
        Column("id", String(40), primary_key=True),
        Column("chain", String(64), nullable=False),
        Column("account", String(42), nullable=False),
        Column("nonce", BigInteger, nullable=False),
        Column("purpose", String(40), nullable=False),
        Column("subject", String(200), nullable=False),
        Column("to", String(42)),
        Column("value", String(80), nullable=False),
        Column("data", Text, nullable=False),
        Column("gas", BigInteger, nullable=False),
        Column("state", String(16), nullable=False),
        Column("attempts", JSON, nullable=False),
        Column("mined", JSON),
        Column("error", JSON),
        Column("timeline", JSON, nullable=False),
        Column("created", Double, nullable=False),
        Column("due", Double, nullable=False),
        UniqueConstraint("chain", "account", "nonce", name="transaction_nonce"),
        UniqueConstraint("chain", "purpose", "subject", name="transaction_subject"),
    )
    op.create_index("transaction_state", "transaction_", ["chain", "account", "state"])
    op.create_table(
        "event",
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
        Column("before", String(64), nullable=False),
        Column("digest", String(64), nullable=False),
        UniqueConstraint("project", "before", name="event_chain"),
    )
    op.create_index("event_kind", "event", ["project", "kind", "number"])
    op.create_table(
        "plan",
        Column("digest", String(64), primary_key=True),
        Column("project", String(64), nullable=False),
        Column("kind", String(40), nullable=False),
        Column("content", Text, nullable=False),
        Column("supersedes", String(64)),
        Column("created", Double, nullable=False),
        UniqueConstraint("supersedes", name="plan_superseded_once"),
    )
    op.create_table(
        "lease",
        Column("name", String(200), primary_key=True),
        Column("holder", String(80), nullable=False),
        Column("until", Double, nullable=False),
        Column("fence", BigInteger, nullable=False),
    )
    op.create_table(
        "artefact",
        Column("digest", String(64), nullable=False),
        Column("part", Integer, nullable=False),
        Column("parts", Integer, nullable=False),
        Column("content", LargeBinary, nullable=False),
        PrimaryKeyConstraint("digest", "part", name="artefact_part"),
    )
