"""What an account may do on a chain: whom it may call, what it may pay, what it may spend in a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.record import transactions
from assay.settle.errors import NotAllowed, SpendLimit
from assay.settle.fees import GWEI

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.transactions import Transaction

WEI = 10**18
DAY = 86_400


@dataclass(frozen=True)
class Policy:
    """Limits of one account on one chain.

    Attributes
    ----------
    max_fee
        The cap, wei a unit of gas.
    spend_per_day
        Wei in any 24 hours, what may still be spent by open transactions included; None for no limit.
    allowed
        Contract -> 4-byte selectors, both lower-case 0x-hexadecimal; "*" allows every function of it.
    creates
        Whether contracts may be deployed.
    bump_after
        Seconds that a transaction waits for a block before more is paid.
    confirmations
        Blocks until a transaction is final; None: what the node calls finalized.
    """

    max_fee: int = 200 * GWEI
    spend_per_day: int | None = WEI // 10
    allowed: dict[str, frozenset[str]] | None = None
    creates: bool = False
    bump_after: float = 36.0
    confirmations: int | None = None

    def require_allowed(self, to: str | None, data: str) -> None:
        """Raise `NotAllowed` unless the account may make this call."""
        if to is None:
            if not self.creates:
                raise NotAllowed("this account may not deploy contracts", "Deploy with `assay deploy`.")
            return
        if self.allowed is None:
            return
        selectors = self.allowed.get(to.lower(), frozenset())
        if "*" not in selectors and data[:10].lower() not in selectors:
            raise NotAllowed(
                f"this account may not call {data[:10]} of {to}", "Add the contract to what it may call, if it should."
            )

    def require_affordable(self, database: Database, chain: str, account: str, cost: int, now: float) -> None:
        """Raise `SpendLimit` if a transaction of at most `cost` wei passes the day's limit."""
        if self.spend_per_day is None:
            return
        taken, still = transactions.paid(database, chain, account, now - DAY)
        spent = taken + sum(at_most(one) for one in still)
        if spent + cost > self.spend_per_day:
            raise SpendLimit(
                f"{account} spent, or may still spend, {spent / WEI:.6f} of {self.spend_per_day / WEI:.6f} in 24 hours "
                f"on {chain}, and this may take {cost / WEI:.6f}",
                "It is tried again later; raise spend_per_day if it should go on.",
            )


def at_most(one: Transaction) -> int:
    """Wei that a transaction took, or may take while it is open."""
    if one.mined is not None:
        return int(one.mined["gas_used"]) * int(one.mined["price"]) + int(one.value)
    if one.state == "replaced":
        return 0
    return one.gas * max(int(attempt["max_fee"]) for attempt in one.attempts) + int(one.value)
