"""The settlement loop: proven answers become transactions, and transactions that are final end answers.

One step: follow the outbox, sign for what is proven, end what has ended. An answer goes from `proven` to `settling` in
the database transaction that signs for it, so that it is sent once whoever is killed when; the outbox takes it from
there. Any number of these loops may run on one account: one of them, by a lease, follows the outbox.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.core.errors import AssayError
from assay.prove.proof import Proof
from assay.record import answers, artefacts, claims, transactions
from assay.record.errors import Conflict, LeaseLost
from assay.record.holder import me
from assay.record.pause import pause
from assay.release import alias
from assay.settle.deploy import deployed, interface
from assay.settle.errors import NoChain, NoConsumer, NotCancellable, Reverts, SettleError
from assay.settle.network import SETTLE, network, policy, selector, signer
from assay.settle.outbox import Call, Outbox
from assay.settle.registry import acting
from assay.settle.reverts import refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from assay.record.answers import Answer
    from assay.record.database import Database
    from assay.record.transactions import Transaction
    from assay.settle.deploy import Deployed
    from assay.settle.network import Network
    from assay.task.task import Task

PURPOSE = "settle"
CONSUMER = "consumer"
"""In an answer's evidence: address of the contract that its context is of."""
LEASE_SECONDS = 60.0
MOST_REVERTS = 6
_LONGEST_WAIT = 30.0
_AT_ONCE = 16


@dataclass
class Settler:
    """The loop on one chain.

    Parameters
    ----------
    consumer
        The contract that acts on the answers of the release that decides.
    told
        Told, once each, what keeps it from going on.
    arm
        Whose answers it settles.
    beside
        Called in each turn: what else is looked after on the chain.
    project
        Whose answers they are: of several projects in one database each has its own loop. None for all.
    """

    database: Database
    on: Network
    outbox: Outbox
    consumer: Deployed
    told: Callable[[str], None] = field(default=lambda _: None)
    name: str = field(default_factory=me)
    arm: str = "champion"
    beside: Callable[[], object] = field(default=lambda: None)
    project: str | None = None
    _said: str = ""
    _abi: list[dict[str, Any]] | None = None

    def run(self, stopped: Callable[[], bool]) -> None:
        """Settle until `stopped()`; what is under way is finished first."""
        claims.free_gone(self.database)
        while not stopped():
            until = time.monotonic() + (0.0 if self.step() else self.on.pause)
            self.beside()
            while time.monotonic() < until and not stopped():
                time.sleep(0.02)
        self.outbox.release()

    def step(self) -> bool:
        """Move everything as far as it goes now; whether an answer moved."""
        moved = False
        try:
            self.outbox.step()
            moved |= self._end()
            moved |= self._sign()
            self._said = ""
        except (LeaseLost, Conflict):
            pass  # another loop was faster
        except SettleError as error:
            self._tell(error)
        return moved

    def _tell(self, error: AssayError) -> None:
        if error.what != self._said:
            self.told(f"{self.on.name}: [{error.code}] {error}")
            self._said = error.what

    def _sign(self) -> bool:
        """Sign for what is proven."""
        if not claims.any_due(self.database, ["proven"], self.on.name, self.arm, self.project):
            return False
        head = self.on.node.head()
        for number in range(_AT_ONCE):
            claimed = self._claimed()
            if not claimed:
                return number > 0
            self._sign_one(claimed[0], head)
        return True

    def _claimed(self) -> list[Answer]:
        on = self.on.name
        return claims.claim(
            self.database, ["proven"], self.name, LEASE_SECONDS, project=self.project, chain=on, arm=self.arm
        )

    def _sign_one(self, held: Answer, head: int) -> None:
        try:
            if held.deadline is not None and head > held.deadline:
                self._late(held, head)
            else:
                self._submit(held)
        except LeaseLost:
            return
        except Reverts as error:
            self._reverts(held, refused("the consumer", error, self.abi))
        except SettleError as error:
            # Nothing of the answer's: no node, no funds, a limit. It waits, as long as its period lasts.
            self._wait(held, error, pause(held.attempts, _LONGEST_WAIT))
            raise
        except AssayError as error:
            if error.retry:  # nor is a database that is busy
                raise
            answers.commit(self.database, held, "refused", error=_said(error))

    def _submit(self, held: Answer) -> None:
        if held.proof is None:
            raise AssayError(f"{held.id} has no proof", "This is a mistake in Assay.")
        proof = Proof.from_json(artefacts.get(self.database, held.proof).decode())
        call = Call(PURPOSE, held.id, self.at(held), settle_data(proof))

        def also(connection: Connection, kept: Transaction) -> None:
            answers.commit_in(self.database, connection, held, "settling", transaction=kept.id, error=None)

        self.outbox.submit_anew(call, also)

    def at(self, held: Answer) -> str:
        """Address of the contract that an answer is for: that of its context, else that of its own release.

        The release that decides now may have another one.
        """
        bound, allowed = held.evidence.get(CONSUMER), self.outbox.policy.allowed
        if bound is not None and (allowed is None or bound.lower() in allowed):
            return str(bound)
        own = acting(self.database, held.project, self.on, "consumer", held.release) if self.arm == "champion" else None
        return (own or self.consumer).address

    def _late(self, held: Answer, head: int) -> None:
        said = {
            "code": "settle/late",
            "what": f"block {head} has passed, and this counted until {held.deadline}",
            "todo": "It was not sent. Allow more blocks, or look at what took so long.",
        }
        answers.commit(self.database, held, "expired", error=said)

    def _reverts(self, held: Answer, error: Reverts) -> None:
        """A refusal may pass, such as that of a row that is not posted yet: it is tried again a few times."""
        count = int(held.evidence.get("reverts", 0)) + 1
        evidence = held.evidence | {"reverts": count}
        if count >= MOST_REVERTS:
            answers.commit(self.database, held, "refused", error=_said(error), evidence=evidence)
        else:
            self._wait(held, error, 2.0 ** (count - 2), evidence=evidence)

    def _wait(self, held: Answer, error: AssayError, seconds: float, **changes: Any) -> None:
        with self.database.read() as connection:
            due = self.database.now(connection) + seconds
        answers.commit(self.database, held, held.state, error=_said(error), due=due, **changes)

    def _end(self) -> bool:
        """End the answers whose transactions have ended; take back what has become late."""
        moved, head = False, None
        for held in self._settling():
            sent = transactions.get(self.database, str(held.transaction))
            if sent.account.lower() != self.outbox.account.lower():
                continue
            try:
                if sent.state in {"final", "replaced", "cancelled"}:
                    self._ended(held, sent)
                    moved = True
                elif held.deadline is not None and sent.mined is None and not sent.attempts[-1]["cancels"]:
                    head = self.on.node.head() if head is None else head
                    if head > held.deadline:
                        self.outbox.cancel(sent.id)
            except (LeaseLost, NotCancellable):
                continue  # another loop ended it, or a block has just taken it
        return moved

    def _settling(self) -> list[Answer]:
        return answers.find(
            self.database, self.project, states=["settling"], chain=self.on.name, arm=self.arm, limit=1000
        )

    def _ended(self, held: Answer, sent: Transaction) -> None:
        if sent.state == "replaced":
            answers.commit(self.database, held, "proven", error=sent.error, transaction=None)
        elif sent.state == "cancelled":
            said = {
                "code": "settle/late",
                "what": f"no block took it until {held.deadline}, and it was taken back",
                "todo": "Raise max_fee_gwei, or allow more blocks.",
            }
            answers.commit(self.database, held, "expired", error=said)
        elif sent.mined is not None and sent.mined["ok"]:
            answers.commit(self.database, held, "settled", error=None)
        else:
            answers.commit(self.database, held, "refused", error=sent.error)

    @property
    def abi(self) -> list[dict[str, Any]]:
        """The consumer's interface, if it was deployed from here."""
        if self._abi is None:
            self._abi = interface(self.database, self.consumer)
        return self._abi


def open_settler(database: Database, project: Path, task: Task, chain: str | None) -> Settler:
    """Open a chain for settling.

    Raises
    ------
    NoChain, NoSigner, KeyUnreadable
        See `assay.settle.network`.
    NoConsumer
        No contract is declared or deployed that acts on answers.
    """
    on = network(task, chain)
    consumer = _consumer(database, task, on)
    # Answers under way when another release began to decide are still for their own release's contract.
    earlier = [one.address for one in deployed(database, task.name, on.name) if one.name == "consumer"]
    outbox = Outbox(database, on.node, signer(on, project), policy(on, consumer.address, *earlier))
    return Settler(database, on, outbox, consumer, project=task.name)


def moved(settler: Settler, task: Task) -> bool:
    """Whether another contract acts on answers by now than when this was opened: another release's, or a newer one."""
    return _consumer(settler.database, task, settler.on).address != settler.consumer.address


def settling(database: Database, task: Task, chain: str | None, told: Callable[[str], None]) -> str | None:
    """The chain that a service settles on: the one that is asked for; else the one that counts, if it can be.

    Parameters
    ----------
    chain
        A name, "none" for no settlement, None for the task's.
    told
        Told why nothing is settled.

    Raises
    ------
    NoChain, NoConsumer
        The one that is asked for cannot be settled on.
    """
    if chain == "none":
        return None
    try:
        on = network(task, chain)
        _consumer(database, task, on)
    except (NoChain, NoConsumer) as error:
        if chain is not None:
            raise
        told(f"nothing is settled: {error.what}")
        return None
    return on.name


def settle_data(proof: Proof) -> str:
    """Calldata of the consumer's `settle(bytes,uint256[])`, 0x-hexadecimal."""
    from eth_abi.abi import encode

    return selector(SETTLE) + encode(["bytes", "uint256[]"], [proof.body, proof.public_inputs]).hex()


def _consumer(database: Database, task: Task, on: Network) -> Deployed:
    found = acting(database, task.name, on, "consumer", alias.champion(database, task.name))
    if found is None:
        raise NoConsumer(
            f"nothing on {on.name} acts on answers", f"Write consumer = ... under [chains.{on.name}], or deploy one."
        )
    return found


def _said(error: AssayError) -> dict[str, str]:
    return {"code": error.code, "what": error.what, "todo": error.todo}
