"""Waiting for a block: a command that sends goes on when its transaction is mined, and says why when it is not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from assay.record import transactions
from assay.record.errors import Conflict, LeaseLost
from assay.settle.errors import NodeFault, NotMined

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.record.transactions import Transaction
    from assay.settle.outbox import Outbox


def mined(
    outbox: Outbox, kept: Transaction, failed: str, *, told: Callable[[str], None], patience: float, poll: float
) -> Transaction:
    """Follow the outbox until a transaction is in a block and did what it should.

    Parameters
    ----------
    failed
        What did not happen, in words, if it fails: "the verifier was not deployed".
    poll
        Seconds between looks; fewer at first.
    patience
        Seconds; what was sent goes on afterwards, and the next run finds it.

    Raises
    ------
    NotMined
        Its contract refused it, something else took its nonce, or no block took it within the time.
    NodeFault
        One that does not pass by itself.
    """
    until, pause = time.monotonic() + patience, poll / 16  # a local chain mines at once
    while time.monotonic() < until:
        try:
            outbox.step()
        except (LeaseLost, Conflict):
            pass  # a service that runs follows the same account
        except NodeFault as error:
            if not error.retry:
                raise
            told(f"{error.what}; asking again")
        kept = transactions.get(outbox.database, kept.id)
        if kept.mined is not None and kept.mined["ok"]:
            return kept
        if kept.mined is not None or kept.state in {"replaced", "cancelled"}:
            why = (kept.error or {}).get("what", "its contract refused")
            raise NotMined(f"{failed}: {why}", "See what the contract asks, and run it again.")
        time.sleep(pause)
        pause = min(poll, pause * 2)
    raise NotMined(
        f"{failed}: it is sent and no block took it within {patience:g} s", "Run it again: it goes on from there."
    )
