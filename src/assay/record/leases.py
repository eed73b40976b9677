"""Leases: who alone does something for a while, with a number that tells a late holder from the present one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, exc, select, update

from assay.record.errors import LeaseLost
from assay.record.holder import LONGEST_LEASE, is_gone
from assay.record.schema import leases

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from assay.record.database import Database


@dataclass(frozen=True)
class Lease:
    """A lease that this process holds; `fence` grows each time it changes hands."""

    name: str
    holder: str
    fence: int


def take(database: Database, name: str, holder: str, seconds: float) -> Lease | None:
    """Take a lease, or hold one's own longer; None while somebody else has it, who may still run."""
    try:
        with database.begin() as connection:
            now = database.now(connection)
            row = connection.execute(select(leases).where(leases.c.name == name).with_for_update()).first()
            if row is None:
                connection.execute(leases.insert().values(name=name, holder=holder, until=now + seconds, fence=1))
                return Lease(name, holder, 1)
            longest = max(seconds, LONGEST_LEASE)  # else the clock has been set back since it was taken
            runs = now <= row.until <= now + longest
            if row.holder != holder and runs and not is_gone(row.holder):
                return None
            fence = row.fence if row.holder == holder else row.fence + 1
            values = {"holder": holder, "until": now + seconds, "fence": fence}
            connection.execute(update(leases).where(leases.c.name == name).values(**values))
            return Lease(name, holder, fence)
    except exc.IntegrityError:  # another process inserted it first
        return None


def require(database: Database, connection: Connection, held: Lease) -> None:
    """Within a transaction: raises `LeaseLost` unless the lease is still this holder's and not over."""
    row = connection.execute(select(leases).where(leases.c.name == held.name).with_for_update()).first()
    if row is None or row.fence != held.fence or row.holder != held.holder or row.until < database.now(connection):
        raise LeaseLost(f"{held.name} is now held by another process", "Only one may run at a time.")


def give_back(database: Database, held: Lease) -> None:
    """End a lease early; nothing happens if it is lost already."""
    where = and_(leases.c.name == held.name, leases.c.fence == held.fence, leases.c.holder == held.holder)
    with database.begin() as connection:
        connection.execute(update(leases).where(where).values(until=0.0))
