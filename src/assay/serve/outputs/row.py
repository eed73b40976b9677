"""An answer as a row of somebody's table: plain columns, the same in each kind of database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from assay.record import answers, releases, transactions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assay.record.answers import Answer
    from assay.record.database import Database
    from assay.record.releases import Release

Kind = Literal["text", "whole", "number", "time"]
COLUMNS: dict[str, Kind] = {
    "id": "text",
    "project": "text",
    "version": "whole",
    "release": "text",
    "model_id": "text",
    "state": "text",
    "chain": "text",
    "period": "whole",
    "arm": "text",
    "context": "text",
    "output": "number",
    "outputs": "text",
    "integers": "text",
    "rows": "text",
    "row_digest": "text",
    "proof": "text",
    "error": "text",
    "transaction_hash": "text",
    "block": "whole",
    "gas_used": "whole",
    "paid_wei": "text",
    "created": "time",
    "changed": "time",
}
"""`id` is the key; `output` is the first one of the first row; `outputs`, `integers` and `rows` are lists in JSON, one
for each row; times are UTC."""


def rows(database: Database, ids: Iterable[str], *, with_rows: bool) -> list[dict[str, Any]]:
    """The answers of these ids as they stand now."""
    known: dict[str, Release] = {}
    found = []
    for name in dict.fromkeys(ids):
        one = answers.get(database, name)
        if one.release not in known:
            known[one.release] = releases.by_digest(database, one.release)
        found.append(_row(database, one, known[one.release], with_rows=with_rows))
    return found


def _row(database: Database, one: Answer, release: Release, *, with_rows: bool) -> dict[str, Any]:
    values = one.outputs["values"] if one.outputs else None
    row = {
        "id": one.id,
        "project": one.project,
        "version": release.version,
        "release": one.release,
        "model_id": release.public["model_id"],
        "state": one.state,
        "chain": one.chain,
        "period": one.period,
        "arm": one.arm,
        "context": one.context,
        "output": values[0][0] if values else None,
        "outputs": _json(values),
        "integers": _json(one.outputs["integers"] if one.outputs else None),
        "rows": _json(one.row) if with_rows else None,
        "row_digest": one.row_digest,
        "proof": one.proof,
        "error": one.error["code"] if one.error else None,
        "created": _time(one.created),
        "changed": _time(one.timeline[-1][1] if one.timeline else one.created),
    }
    return row | _settlement(database, one)


def _settlement(database: Database, one: Answer) -> dict[str, Any]:
    sent = transactions.get(database, one.transaction) if one.transaction else None
    mined = sent.mined if sent is not None else None
    attempt = sent.attempts[-1]["hash"] if sent is not None else None
    return {
        "transaction_hash": mined["hash"] if mined else attempt,
        "block": mined["block"] if mined else None,
        "gas_used": mined["gas_used"] if mined else None,
        "paid_wei": str(int(mined["gas_used"]) * int(mined["price"])) if mined else None,
    }


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
