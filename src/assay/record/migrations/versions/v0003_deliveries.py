"""What an output was told of in vain waits by itself, and holds up nothing that comes after it."""

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, Double, ForeignKey, Integer, PrimaryKeyConstraint, String

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "delivery",
        Column("output", String(64), ForeignKey("output.name"), nullable=False),
        Column("change", BigInteger, ForeignKey("change.number"), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("error", JSON),
        Column("due", Double, nullable=False),
        PrimaryKeyConstraint("output", "change", name="delivery_once"),
    )
    op.create_index("delivery_due", "delivery", ["output", "due"])
