"""The outbox: every transaction of an account, signed and kept before it is sent, followed until it is final.

Nonce, signed bytes and purpose are written in one database transaction; everything after that can be repeated: the
same bytes are sent again, and the chain takes a nonce once. One process at a time follows an account (a lease with
fencing); any process may add to it.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.record import leases, transactions
from assay.record.holder import me
from assay.record.transactions import Transaction
from assay.settle import fees, watch
from assay.settle.errors import (
    AlreadyKnown,
    FeeCap,
    NonceTooLow,
    NotCancellable,
    NotTaken,
    OutOfFunds,
    Underpriced,
    WrongChain,
)
from assay.settle.fees import Fees
from assay.settle.policy import WEI
from assay.settle.signer import sign_transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from assay.core.errors import AssayError
    from assay.record.database import Database
    from assay.record.leases import Lease
    from assay.record.states import TransactionState
    from assay.settle.node import Node
    from assay.settle.policy import Policy
    from assay.settle.signer import Signer

LEASE_SECONDS = 30.0
_OPEN: tuple[TransactionState, ...] = ("signed", "broadcast", "mined")
_TRANSFER_GAS = 21_000
# What a block may change between estimate and execution.
_MARGIN = 5


@dataclass(frozen=True)
class Call:
    """What is to be sent.

    Attributes
    ----------
    purpose, subject
        Why, and for which record: the same two are sent once.
    to
        The contract; None creates one.
    data
        Calldata or creation code, 0x-hexadecimal.
    value
        Wei.
    """

    purpose: str
    subject: str
    to: str | None
    data: str
    value: int = 0


class Outbox:
    """The transactions of one account on one chain.

    Parameters
    ----------
    holder
        This process's name in the lease.
    """

    def __init__(
        self, database: Database, node: Node, signer: Signer, policy: Policy, holder: str | None = None
    ) -> None:
        self.database, self.node, self.signer, self.policy = database, node, signer, policy
        self.holder = holder or me()
        self._lease: Lease | None = None

    @property
    def account(self) -> str:
        """Who signs and pays."""
        return self.signer.address

    def submit(self, call: Call, also: Callable[[Connection, Transaction], None] | None = None) -> Transaction:
        """Simulate, price, sign and keep a call; it is sent by the next `step`.

        Parameters
        ----------
        also
            Written in the same database transaction, such as the new state of the answer that is settled.

        Raises
        ------
        NotAllowed, SpendLimit, FeeCap, OutOfFunds
            Before anything is signed.
        Reverts
            The contract would refuse it.
        NodeFault
            No node answers, or two disagree.
        """
        self.policy.require_allowed(call.to, call.data)
        there = transactions.by_subject(self.database, self.node.chain, call.purpose, call.subject)
        if there is None:
            gas, price, count = self._priced(call)
        else:
            gas, price, count = there.gas, Fees(0, 0), 0
        wanted = Transaction(
            chain=self.node.chain,
            account=self.account,
            nonce=0,
            purpose=call.purpose,
            subject=call.subject,
            to=call.to,
            data=call.data,
            gas=gas,
            value=str(call.value),
        )
        with self.database.begin() as connection:
            kept, _ = transactions.keep_in(
                self.database, connection, wanted, count, lambda nonce: self._signed(wanted, nonce, price)
            )
            if also is not None:
                also(connection, kept)
        return kept

    def submit_anew(self, call: Call, also: Callable[[Connection, Transaction], None] | None = None) -> Transaction:
        """`submit`, also where what was sent before for the same subject was refused, replaced or cancelled."""
        subject, _ = standing(self.database, self.node.chain, call.purpose, call.subject)
        return self.submit(replace(call, subject=subject), also)

    def release(self) -> None:
        """Let another process follow the account at once."""
        if self._lease is not None:
            leases.give_back(self.database, self._lease)
            self._lease = None

    def cancel(self, name: str) -> Transaction:
        """Take a transaction's nonce with an empty transfer to oneself, at higher fees; the first one mined counts.

        Raises
        ------
        NotCancellable
            It is mined or has ended.
        """
        held = transactions.get(self.database, name)
        if held.state not in {"signed", "broadcast"}:
            raise NotCancellable(f"the transaction {name} is {held.state}", "Nothing can take its place.")
        if held.attempts[-1]["cancels"]:
            return held
        return self._more(held, cancels=True) or held

    def step(self) -> int:
        """Move every open transaction as far as it goes now; returns how many are still open.

        Raises
        ------
        NodeFault
            What could not be asked; what was found before is kept.
        WrongChain
            The node is on another chain, or a local one was started anew.
        """
        lease = self._take()
        if lease is None:
            return len(self._find_open())
        found = self._find_open()
        if not found:
            return 0
        self.node.recheck()
        self.node.require_agreement()
        self._require_history()
        final = self.node.final(self.policy.confirmations)
        taken = time.monotonic()
        still = 0
        for one in found:
            if time.monotonic() - taken > LEASE_SECONDS / 3:  # a slow node: hold it longer, or stop
                lease, taken = self._take() or lease, time.monotonic()
            still += self._advance(one, final, lease).state in _OPEN
        return still

    def _take(self) -> Lease | None:
        name = f"outbox:{self.node.chain}:{self.account.lower()}"
        self._lease = leases.take(self.database, name, self.holder, LEASE_SECONDS)
        return self._lease

    def _find_open(self) -> list[Transaction]:
        return transactions.find(self.database, self.node.chain, self.account, states=_OPEN)

    def _priced(self, call: Call) -> tuple[int, Fees, int]:
        """Gas, fees and the account's count on the chain, after a simulation."""
        self.node.recheck()  # another chain's count would be a nonce that this one never comes to
        self.node.require_agreement()
        draft = {"from": self.account, "data": call.data, "value": hex(call.value)}
        draft |= {"to": call.to} if call.to is not None else {}
        self.node.call(draft)
        gas = self.node.estimate(draft)
        gas += gas // _MARGIN
        price = fees.suggested(self.node, self.policy.max_fee)
        cost = gas * price.limit + call.value
        with self.database.read() as connection:
            now = self.database.now(connection)
        self.policy.require_affordable(self.database, self.node.chain, self.account, cost, now)
        balance = self.node.balance(self.account)
        if balance < cost:
            raise OutOfFunds(
                f"{self.account} has {balance / WEI:.6f} on {self.node.chain}, and this may take {cost / WEI:.6f}",
                "Fund it.",
            )
        return gas, price, self.node.count(self.account, "pending")

    def _signed(self, wanted: Transaction, nonce: int, price: Fees, *, cancels: bool = False) -> dict[str, Any]:
        content: dict[str, Any] = {"to": wanted.to or "", "value": int(wanted.value), "data": wanted.data}
        content["gas"] = wanted.gas
        if cancels:
            content = {"to": self.account, "value": 0, "data": "0x", "gas": _TRANSFER_GAS}
        name, raw = sign_transaction(
            self.signer,
            {
                "chainId": self.node.chain_id,
                "nonce": nonce,
                "maxFeePerGas": price.limit,
                "maxPriorityFeePerGas": price.tip,
                **content,
            },
        )
        return {
            "hash": name,
            "raw": raw,
            "max_fee": str(price.limit),
            "priority_fee": str(price.tip),
            "cancels": cancels,
        }

    def _require_history(self) -> None:
        """A chain that has fewer of our transactions than are final is not the one they were sent to."""
        last = transactions.last_nonce(self.database, self.node.chain, self.account, ("final", "cancelled"))
        if last is not None and self.node.count(self.account) <= last:
            raise WrongChain(
                f"{self.node.chain} does not have transaction {last} of {self.account}, which was final",
                "It is another chain, or a local one that was started anew: use a new database with it.",
            )

    def _advance(self, held: Transaction, final: int, lease: Lease) -> Transaction:
        found = watch.mined(self.node, held)
        if found is not None:
            return self._mined(held, found, final, lease)
        if held.state == "mined":  # its block is gone: the same bytes are sent again
            held = self._move(held, "broadcast", lease, mined=None)
        taker = watch.taker(self.node, held, final) if final >= 0 else None
        if taker is not None:
            if taker in {attempt["hash"] for attempt in held.attempts}:
                return held  # it is there: the node that was asked for its receipt lags
            said = {
                "code": "settle/replaced",
                "what": f"the transaction {taker} took nonce {held.nonce} of {self.account}",
                "todo": "Another program signs with this account: give each its own.",
            }
            return self._move(held, "replaced", lease, error=said)
        return self._send(held, lease)

    def _mined(self, held: Transaction, found: dict[str, Any], final: int, lease: Lease) -> Transaction:
        if held.state != "mined" or held.mined != found:
            held = self._move(held, "mined", lease, mined=found, error=None)
        if found["block"] > final:
            return held
        cancels = next(attempt["cancels"] for attempt in held.attempts if attempt["hash"] == found["hash"])
        error = None
        if not found["ok"]:
            error = {
                "code": "settle/reverted",
                "what": f"the transaction {found['hash']} was mined and the contract refused it",
                "todo": "See what the contract asked; its gas is spent.",
            }
        return self._move(held, "cancelled" if cancels else "final", lease, error=error)

    def _send(self, held: Transaction, lease: Lease) -> Transaction:
        last = held.attempts[-1]
        with self.database.read() as connection:
            now = self.database.now(connection)
        if held.state == "broadcast" and self.node.knows(last["hash"]):
            if 0 <= now - last["at"] < self.policy.bump_after:  # below zero the clock was set back since
                return held
            held = self._more(held, cancels=last["cancels"], lease=lease) or held
        try:
            self.node.broadcast(held.attempts[-1]["raw"])
        except Underpriced:
            held = self._more(held, cancels=last["cancels"], lease=lease) or held
            return self._said(held, lease, NotTaken("its fees are too low for the node", "It is sent again with more."))
        except (NonceTooLow, AlreadyKnown):
            pass  # mined since, or replaced: the next step sees which
        except OutOfFunds as error:
            return self._said(held, lease, error)
        except NotTaken as error:
            return self._said(held, lease, error)
        return held if held.state == "broadcast" else self._move(held, "broadcast", lease, error=None)

    def _said(self, held: Transaction, lease: Lease, error: AssayError) -> Transaction:
        content = {"code": error.code, "what": error.what, "todo": error.todo}
        return held if held.error == content else self._move(held, held.state, lease, error=content)

    def _more(self, held: Transaction, *, cancels: bool, lease: Lease | None = None) -> Transaction | None:
        """Another attempt at the same nonce for at least an eighth more; None where the cap does not allow it."""
        last = held.attempts[-1]
        before = Fees(int(last["max_fee"]), int(last["priority_fee"]))
        try:
            now = fees.suggested(self.node, self.policy.max_fee)
        except FeeCap:
            now = before
        price = fees.bumped(before, now, self.policy.max_fee)
        if price is None:
            return None
        attempt = self._signed(held, held.nonce, price, cancels=cancels)
        with self.database.begin() as connection:
            if lease is not None:
                leases.require(self.database, connection, lease)
            attempt["at"] = self.database.now(connection)
            attempts = [*held.attempts, attempt]
            return transactions.move_in(self.database, connection, held, held.state, attempts=attempts)

    def _move(self, held: Transaction, state: Any, lease: Lease, **changes: Any) -> Transaction:
        with self.database.begin() as connection:
            leases.require(self.database, connection, lease)
            return transactions.move_in(self.database, connection, held, state, **changes)


def standing(
    database: Database, chain: str, purpose: str, subject: str, *, undone: bool = False
) -> tuple[str, Transaction | None]:
    """The subject under which something is or would be sent, and its transaction if there is one that may still count.

    What was refused, replaced or cancelled is left behind: the next one is called SUBJECT/2, and so on.

    Parameters
    ----------
    undone
        Whether the chain was asked and needs it all the same: what was mined well is then left behind, too.
    """
    for number in itertools.count(1):
        name = subject if number == 1 else f"{subject}/{number}"
        found = transactions.by_subject(database, chain, purpose, name)
        if found is None:
            return name, None
        failed = found.state == "final" and found.mined is not None and not found.mined["ok"]
        over = undone and found.mined is not None and found.state in {"mined", "final"}
        if not (failed or over or found.state in {"replaced", "cancelled"}):
            return name, found
    raise AssertionError(subject)
