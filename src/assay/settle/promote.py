"""Which version decides on a chain: proposed, allowed, made the default; back at once; frozen for ever.

Each call of the registry is a transaction of the outbox, sent only where the chain still needs it. Killed anywhere, the
same command goes on; run twice, it sends nothing twice. What the registry makes wait is said, with from when.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.core.keccak import keccak256
from assay.record import journal, transactions
from assay.record.errors import Conflict, LeaseLost
from assay.record.journal import Event
from assay.release.errors import NoWayBack
from assay.release.rehearsed import passed
from assay.settle.deploy import VERIFIER, deployed
from assay.settle.errors import NodeFault, NotMined, NotPermitted, NotRehearsed, NotUsable, Reverts
from assay.settle.network import calling, network, selector, signer
from assay.settle.outbox import Call, Outbox, standing
from assay.settle.registry import ERRORS, GUARDIAN, PROPOSER, Registry, Version, previous, require_registry
from assay.settle.reverts import refused
from assay.settle.shadow import ASKED, DONE, PURPOSE, follow
from assay.settle.wait import mined

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.record.transactions import Transaction
    from assay.settle.signer import Signer
    from assay.task.task import Task

PROPOSE = "propose(address,bytes32,bytes32,bytes32)"
ALLOW = "allow(uint32,bytes)"
PROPOSE_DEFAULT = "proposeDefault(uint32)"
MAKE_DEFAULT = "makeDefault()"
BACK = "back(uint32)"
FREEZE = "freeze(bytes32,string)"
_ALL = (PROPOSE, ALLOW, PROPOSE_DEFAULT, MAKE_DEFAULT, BACK, FREEZE)
_MOST_STEPS = 8


@dataclass(frozen=True)
class Standing:
    """How far something is on a chain.

    Attributes
    ----------
    state
        "default": the version decides; "proposed" or "next": it waits until `ready_at`; "frozen".
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
class Registrar:
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

    def promote(self, release: Release) -> Standing:
        """Bring a release as far towards being the default as the registry lets it now.

        Raises
        ------
        NotPermitted
            A step is the proposer's, and this account is not.
        NotUsable
            Its verifier is not on the chain, or it was refused, retired or frozen.
        NotRehearsed
            It would be the first default of a chain that is not local, and passed no rehearsal.
        """
        self._catch_up()
        self._require_ready(release)
        if self.registry.default() == getattr(self._version(release), "number", None):
            return self._ended(self._stand(release))
        self._ask("promote", release.digest)
        for _ in range(_MOST_STEPS):
            self._catch_up()
            found = self._stand(release)
            if found.state == "default" or found.ready_at > self.registry.time():
                return self._ended(found)
            self._step(release)
        raise NotMined(f"{release.name} did not become the default", "See `assay status`, and run it again.")

    def back(self) -> Standing:
        """Go back, at once, to the version that decided before.

        Raises
        ------
        NotPermitted
            The account is neither proposer nor guardian.
        NoWayBack
            No version that still counts decided before.
        """
        self._catch_up()
        begun = self._begun("back")
        if begun is not None and self._signed(BACK, f"{begun.what['of']}:{begun.number}") is None:
            self._done(begun)  # it came to nothing: what is asked now counts
            begun = None
        if begun is None:
            self._require(PROPOSER, GUARDIAN)
            begun = self._ask("back", str(self._nearest()))
        version = int(begun.what["of"])
        self._send(BACK, ["uint32"], [version], f"{version}:{begun.number}", undone=False)
        return self._ended(Standing("default", self.registry.default(), 0, self._block))

    def freeze(self, release: Release) -> Standing:
        """Let no proof of a release's model count any more, at whatever address, for ever.

        Raises
        ------
        NotPermitted
            The account is not the guardian.
        """
        self._catch_up()
        model = release.public["model_id"].removeprefix("0x")
        version = getattr(self._version(release), "number", 0)
        if not self.registry.is_frozen(model):
            self._require(GUARDIAN)
            self._ask("freeze", model)
            self._send(FREEZE, ["bytes32", "string"], [bytes.fromhex(model), self.why], model)
        return self._ended(Standing("frozen", version, 0, self._block))

    def _version(self, release: Release) -> Version | None:
        found = [one for one in self.registry.versions() if one.release == release.digest]
        return found[-1] if found else None

    def _stand(self, release: Release) -> Standing:
        version = self._version(release)
        if version is None:
            return Standing("none", 0)
        if self.registry.default() == version.number:
            return Standing("default", version.number, 0, self._block)
        next_, ready_at = self.registry.next()
        if next_ == version.number:
            return Standing("next", version.number, ready_at, self._block)
        waits = version.ready_at if version.state == "proposed" else 0
        return Standing(version.state, version.number, waits, self._block)

    def _require_ready(self, release: Release) -> None:
        """Everything that can be known before the first transaction."""
        version = self._version(release)
        name = self.registry.on.name
        if version is not None and version.state == "refused":
            raise NotUsable(
                f"the guardian of {name} refused {release.name} (version {version.number})",
                "Make another release: a version that was refused stays so.",
            )
        if version is not None and version.until is not None:
            raise NotUsable(
                f"{release.name} is retired on {name}: its proofs count until block {version.until}",
                "Make another release.",
            )
        if self.registry.is_frozen(release.public["model_id"]):
            raise NotUsable(
                f"the model of {release.name} is frozen on {name}, for ever", "Make a release of another model."
            )
        first = not self.registry.on.local and not any(one.decided for one in self.registry.versions())
        if first and passed(self.database, release) is None:
            raise NotRehearsed(
                f"{release.name} passed no rehearsal, and would be the first to decide on {name}",
                "Run `assay rehearse`; nothing was sent.",
            )
        if self._stand(release).state not in {"default", "next"}:
            self._require(PROPOSER)
        if version is None:
            self._verifier(release)

    def _verifier(self, release: Release) -> tuple[str, bytes]:
        """Address and code hash of the release's verifier; raises `NotUsable` if it is not on the chain."""
        on = self.registry.on
        found = [one for one in deployed(self.database, self.project, on.name) if one.name == VERIFIER]
        for one in reversed(found):
            if one.release == release.digest:
                code = on.node.code(one.address)
                if code and "0x" + keccak256(code).hex() == one.code_hash:
                    return one.address, keccak256(code)
        raise NotUsable(
            f"the verifier of {release.name} is not on {on.name}",
            f"Run `assay deploy {release.version} --chain {on.name}` first.",
        )

    def _step(self, release: Release) -> None:
        version = self._version(release)
        if version is None:
            address, code_hash = self._verifier(release)
            model = bytes.fromhex(release.public["model_id"].removeprefix("0x"))
            types = ["address", "bytes32", "bytes32", "bytes32"]
            values = [address, code_hash, model, bytes.fromhex(release.digest)]
            self._send(PROPOSE, types, values, release.digest)
            return
        number = version.number
        if version.state == "proposed":
            self._send(ALLOW, ["uint32", "bytes"], [number, b""], str(number))
            return
        next_, _ = self.registry.next()
        if next_ == number:
            self._send(MAKE_DEFAULT, [], [], str(number))
            return
        if next_:
            self.told(f"version {next_} was to become the default; {number} takes its place")
        self._send(PROPOSE_DEFAULT, ["uint32"], [number], str(number))

    def _nearest(self) -> int:
        """The last version before the default that still counts."""
        for number in previous(self.registry.changes()):
            if number and self.registry.counts(self.registry.version(number)):
                return number
        raise NoWayBack(
            f"no version decided on {self.registry.on.name} before the one that decides, or none that still counts",
            "Promote one by its version.",
        )

    def _require(self, *roles: str) -> None:
        account = self.outbox.account
        if not any(self.registry.has(role, account) for role in roles):
            wanted = " or ".join(role.lower() for role in roles)
            raise NotPermitted(
                f"{account} is not the {wanted} of the registry {self.registry.address} on {self.registry.on.name}",
                "Sign with that account: --signer FILE or kms:KEY. Nothing was sent.",
            )

    def _ask(self, do: str, of: str) -> Event:
        """Write down who wants what and why, before anything is sent; what was begun is gone on with."""
        begun = self._begun(do, of)
        if begun is not None:
            return begun
        what = {"do": do, "of": of}
        return journal.append(self.database, self.project, Event(ASKED, self._subject, self.who, what, self.why))

    def _begun(self, do: str, of: str | None = None) -> Event | None:
        """What was asked for and did not come to its end."""
        ended = {one.what["asked"] for one in journal.read(self.database, self.project, [DONE], subject=self._subject)}
        for one in journal.read(self.database, self.project, [ASKED], subject=self._subject):
            if one.number not in ended and one.what["do"] == do and of in {None, one.what["of"]}:
                return one
        return None

    def _ended(self, found: Standing) -> Standing:
        follow(self.database, self.project, self.registry, counts=self.counts)
        if found.state in {"default", "frozen"}:
            for do in ("promote", "back", "freeze"):
                while (begun := self._begun(do)) is not None:
                    self._done(begun)
        self.outbox.release()
        return found

    def _done(self, begun: Event) -> None:
        what = {"asked": begun.number, "block": self._block}
        journal.append(self.database, self.project, Event(DONE, self._subject, self.who, what))

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
                raise refused("the registry", error, ERRORS) from None
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


def registrar(
    database: Database, project: Path, task: Task, chain: str, *, who: str, why: str, by: Signer | None = None
) -> Registrar:
    """Open the registry of a chain; nothing is sent.

    Parameters
    ----------
    by
        Who signs; by default the chain's signer.

    Raises
    ------
    NoChain, NoSigner, KeyUnreadable
        See `network` and `signer`.
    NoRegistry
        None is known there.
    """
    on = network(task, chain)
    registry = require_registry(database, task.name, on)
    outbox = Outbox(database, on.node, by or signer(on, project), calling(on, registry.address, _ALL))
    return Registrar(database, task.name, registry, outbox, task.protocol.chain == on.name, who, why)
