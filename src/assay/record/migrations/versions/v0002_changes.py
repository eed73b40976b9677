"""What changed of answers, in order, and how far each output has it."""

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, Double, ForeignKey, Integer, String

revision = "0002"
down_revision = "0001"

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "change",
        Column("number", _NUMBER, primary_key=True, autoincrement=True),
        Column("turn", BigInteger, nullable=False),
        Column("answer", String(40), ForeignKey("answer.id"), nullable=False),
        Column("owner", String(40)),
        Column("state", String(16), nullable=False),
        Column("time", Double, nullable=False),
    )
    op.create_index("change_turn", "change", ["turn", "number"])
    op.create_table(
        "output",
        Column("name", String(64), primary_key=True),
        Column("target", String(64), nullable=False),
        Column("turn", BigInteger, nullable=False),
        Column("number", BigInteger, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("error", JSON),
        Column("due", Double),
    )
    # Answers of before, so that outputs have them, too.
    op.execute(
        "INSERT INTO change (turn, answer, owner, state, time) "
        "SELECT 0, id, owner, state, created FROM answer ORDER BY created, id"
    )
