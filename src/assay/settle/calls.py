"""An account that calls a chain's registry: what is asked is written down, sent once, and followed into the record."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.record import journal, transactions
from assay.record.errors import Conflict, LeaseLost
from assay.record.journal import Event
from assay.settle.errors import NodeFault, NotPermitted, Reverts
from assay.settle.network import selector
from assay.settle.outbox import Call, Outbox, standing
from assay.settle.registry import ERRORS, Registry
from assay.settle.reverts import refused
from assay.settle.shadow import ASKED, DONE, PURPOSE, follow
from assay.settle.wait import mined

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.record.database import Database
    from assay.record.transactions import Transaction


@dataclass(frozen=True)
class Standing:
    """How far something is on a chain.

    Attributes
    ----------
    state
        "default": the version decides; "proposed" or "next": it waits until `ready_at`; "frozen", "refused", "retired",
        "withdrawn": it was the next default.
    version
        Its number in the registry; 0 for a model of which none is there.
    ready_at
        Seconds since 1970, by the chain's clock; 0 if nothing waits.
    block
        Where the last step was mined; None if nothing was sent.
    """

    state: str
    version: int
    ready_at: int = 0
    block: int | None = None


@dataclass
class RegistryCalls:
    """An account that calls the registry of a chain.

    Parameters
    ----------
    counts
        Whether it is the chain that counts, of which the champion is the shadow.
    who, why
        For the history.
    told
        Told, in one line each, what happens.
    patience
        Seconds to wait for a block.
    """

    database: Database
    project: str
    registry: Registry
    outbox: Outbox
    counts: bool
    who: str
    why: str
    told: Callable[[str], None] = field(default=lambda _: None)
    patience: float = 600.0
    poll: float = 0.5
    _block: int | None = None

    def _require(self, *roles: str) -> None:
        account = self.outbox.account
        if not any(self.registry.has(role, account) for role in roles):
            wanted = " or ".join(role.lower() for role in roles)
            raise NotPermitted(
                f"{account} is not the {wanted} of the registry {self.registry.address} on {self.registry.on.name}",
                "Sign with that account: --signer FILE or kms:KEY. Nothing was sent.",
            )

    def _ask(self, do: str, of: str, evidence: dict[str, str] | None = None) -> Event:
        """Write down who wants what and why, before anything is sent; what was begun is gone on with.

        What shows that it may be done is written down, too: with other evidence it is asked for anew.
        """
        begun = self._begun(do, of)
        if begun is not None and begun.evidence == (evidence or {}):
            return begun
        happened = Event(ASKED, self._subject, self.who, {"do": do, "of": of}, self.why, evidence or {})
        return journal.append(self.database, self.project, happened)

    def _begun(self, do: str, of: str | None = None) -> Event | None:
        """What was asked for last and did not come to its end."""
        ended = {one.what["asked"] for one in journal.read(self.database, self.project, [DONE], subject=self._subject)}
        for one in reversed(journal.read(self.database, self.project, [ASKED], subject=self._subject)):
            if one.number not in ended and one.what["do"] == do and of in {None, one.what["of"]}:
                return one
        return None

    def _ended(self, found: Standing, *over: tuple[str, str]) -> Standing:
        """Follow the registry, and close what came to its end: what was asked for, and of what.

        What was asked for of another release waits on, with its evidence.
        """
        follow(self.database, self.project, self.registry, counts=self.counts)
        for do, of in over:
            while (begun := self._begun(do, of)) is not None:
                self._done(begun)
        self.outbox.release()
        return found

    def _done(self, begun: Event) -> None:
        what = {"asked": begun.number, "block": self._block}
        journal.append(self.database, self.project, Event(DONE, self._subject, self.who, what))

    def _errors(self) -> list[dict[str, Any]]:
        """What a call may be refused with."""
        return ERRORS

    @property
    def _subject(self) -> str:
        return f"{self.registry.on.name}:{self.registry.address}"

    def _base(self, function: str, key: str) -> str:
        return f"{self.registry.address}:{function.partition('(')[0]}:{key}"

    def _signed(self, function: str, key: str) -> Transaction | None:
        return transactions.by_subject(self.database, self.registry.on.name, PURPOSE, self._base(function, key))

    def _send(self, function: str, types: list[str], values: list[Any], key: str, *, undone: bool = True) -> None:
        """Sign a call unless it is signed and may still count, and wait for its block; `undone` as in `standing`."""
        from eth_abi.abi import encode

        name = function.partition("(")[0]
        base = self._base(function, key)
        subject, kept = standing(self.database, self.registry.on.name, PURPOSE, base, undone=undone)
        if kept is None:
            call = Call(PURPOSE, subject, self.registry.address, selector(function) + encode(types, values).hex())
            try:
                kept = self.outbox.submit(call)
            except Reverts as error:
                raise refused("the registry", error, self._errors()) from None
        if kept.account.lower() != self.outbox.account.lower():
            raise NotPermitted(
                f"{name} is signed by {kept.account} already and waits for a block",
                "Run it with that account's signer, or wait until it is mined.",
            )
        self.told(f"{name}: nonce {kept.nonce} of {kept.account}, waiting for a block")
        kept = mined(
            self.outbox, kept, f"{name} did not happen", told=self.told, patience=self.patience, poll=self.poll
        )
        self._block = kept.mined["block"] if kept.mined is not None else None

    def _catch_up(self) -> None:
        """Know what became of everything that was sent before, and ask no node that lags behind it."""
        try:
            self.outbox.step()
        except (LeaseLost, Conflict):
            pass  # a service that runs follows the same account
        except NodeFault as error:
            if not error.retry:
                raise
        until = time.monotonic() + self.patience
        while self._block is not None and self.registry.on.node.head() < self._block and time.monotonic() < until:
            time.sleep(self.poll)
        follow(self.database, self.project, self.registry, counts=self.counts)
