"""Which version decides on a chain: proposed, allowed, the default; back at once; refused, retired, frozen for ever.

Each call of the registry is a transaction of the outbox, sent only where the chain still needs it. Killed anywhere, the
same command goes on; run twice, it sends nothing twice. What the registry makes wait is said, with from when. What a
gate is given as evidence is kept with what was asked for, and given again when the same command goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.core.keccak import keccak256
from assay.record import artefacts
from assay.release.errors import NoWayBack
from assay.release.rehearsed import passed
from assay.settle.calls import RegistryCalls, Standing
from assay.settle.deploy import MODEL, VERIFIER, deployed, interface
from assay.settle.errors import NotMined, NotRehearsed, NotUsable, Reverts
from assay.settle.network import calling, network, signer
from assay.settle.outbox import Outbox
from assay.settle.registry import ERRORS, GUARDIAN, PROPOSER, Version, previous, require_registry
from assay.settle.reverts import refused

if TYPE_CHECKING:
    from pathlib import Path

    from assay.record.database import Database
    from assay.record.journal import Event
    from assay.record.releases import Release
    from assay.settle.signer import Signer
    from assay.task.task import Task

PROPOSE = "propose(address,bytes32,bytes32,bytes32)"
ALLOW = "allow(uint32,bytes)"
PROPOSE_DEFAULT = "proposeDefault(uint32)"
MAKE_DEFAULT = "makeDefault()"
BACK = "back(uint32)"
FREEZE = "freeze(bytes32,string)"
REFUSE = "refuse(uint32,string)"
WITHDRAW = "withdrawDefault(string)"
RETIRE = "retire(uint32,uint64)"
_ALL = (PROPOSE, ALLOW, PROPOSE_DEFAULT, MAKE_DEFAULT, BACK, FREEZE, REFUSE, WITHDRAW, RETIRE)
_MOST_STEPS = 8


class Registrar(RegistryCalls):
    """What an account may do with the registry of a chain."""

    def promote(self, release: Release, evidence: bytes | None = None) -> Standing:
        """Bring a release as far towards being the default as the registry lets it now.

        Parameters
        ----------
        evidence
            What the registry's gate asks for; by default what was given when this was begun.

        Raises
        ------
        NotPermitted
            A step is the proposer's, and this account is not.
        NotUsable
            Its verifier is not on the chain, it was refused, retired or frozen, or the gate does not let it pass.
        NotRehearsed
            It would be the first default of a chain that is not local, and passed no rehearsal.
        """
        self._catch_up()
        self._require_ready(release)
        if self.registry.default() == getattr(self._version(release), "number", None):
            return self._ended(self._stand(release), ("promote", release.digest))
        given = self._given(release, evidence)
        self._require_gate(release, given)
        self._ask("promote", release.digest, {} if given is None else {"given": artefacts.put(self.database, given)})
        for _ in range(_MOST_STEPS):
            self._catch_up()
            found = self._stand(release)
            if found.state == "default":
                return self._ended(found, ("promote", release.digest))
            if found.ready_at > self.registry.time():
                return self._ended(found)
            self._step(release, given or b"")
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
        if begun is not None and self._is_over(begun, BACK):
            self._done(begun)
            begun = None
        if begun is None:
            self._require(PROPOSER, GUARDIAN)
            begun = self._ask("back", str(self._nearest()))
        version = int(begun.what["of"])
        self._send(BACK, ["uint32"], [version], f"{version}:{begun.number}", undone=False)
        return self._ended(Standing("default", self.registry.default(), 0, self._block), ("back", str(version)))

    def _is_over(self, begun: Event, function: str) -> bool:
        """Whether a way back or a withdrawal that was begun came to nothing, or happened and is undone since.

        What is asked now then counts.
        """
        sent = self._signed(function, f"{begun.what['of']}:{begun.number}")
        if sent is None:
            return True
        if sent.mined is None or self.registry.on.node.head() < sent.mined["block"]:
            return False
        if function == BACK:
            return self.registry.default() != int(begun.what["of"])
        return self.registry.next()[0] != 0

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
        return self._ended(Standing("frozen", version, 0, self._block), ("freeze", model), ("promote", release.digest))

    def refuse(self, release: Release) -> Standing:
        """Let a version that is proposed never become allowed.

        Raises
        ------
        NotPermitted
            The account is not the guardian.
        NotUsable
            It is not proposed.
        """
        self._catch_up()
        version = self._require_version(release)
        if version.state != "refused":
            if version.state != "proposed":
                where = f"{version.state} on {self.registry.on.name}"
                raise NotUsable(
                    f"{release.name} is {where}, and only what is proposed is refused",
                    "Retire it, or freeze its model.",
                )
            self._require(GUARDIAN)
            self._ask("refuse", release.digest)
            self._send(REFUSE, ["uint32", "string"], [version.number, self.why], str(version.number))
        return self._ended(Standing("refused", version.number, 0, self._block), ("refuse", release.digest))

    def withdraw(self) -> Standing:
        """Take back, or refuse, what is proposed as the next default.

        Raises
        ------
        NotPermitted
            The account is neither proposer nor guardian.
        NotUsable
            Nothing is proposed.
        """
        self._catch_up()
        begun = self._begun("withdraw")
        if begun is not None and self._is_over(begun, WITHDRAW):
            self._done(begun)
            begun = None
        if begun is None:
            version, _ = self.registry.next()
            if not version:
                raise NotUsable(f"nothing is to become the default on {self.registry.on.name}", "Nothing was sent.")
            self._require(PROPOSER, GUARDIAN)
            begun = self._ask("withdraw", str(version))
        version = int(begun.what["of"])
        self._send(WITHDRAW, ["string"], [self.why], f"{version}:{begun.number}", undone=False)
        promoted = self.registry.version(version).release
        over = ("withdraw", str(version)), ("promote", promoted)
        return self._ended(Standing("withdrawn", version, 0, self._block), *over)

    def retire(self, release: Release, until: int) -> Standing:
        """Say the last block in which a version's proofs count; it can be brought forward, not put off.

        Raises
        ------
        NotPermitted
            The account is not the proposer.
        NotUsable
            It is the default or was never allowed, or the block has passed or is later than what was said before.
        """
        self._catch_up()
        version = self._require_version(release)
        if version.until != until:
            self._require_retirable(release, version, until)
            self._require(PROPOSER)
            self._ask("retire", release.digest)
            self._send(RETIRE, ["uint32", "uint64"], [version.number, until], f"{version.number}:{until}")
        return self._ended(Standing("retired", version.number, 0, self._block), ("retire", release.digest))

    def _require_version(self, release: Release) -> Version:
        version = self._version(release)
        if version is None:
            raise NotUsable(
                f"{release.name} is no version of the registry on {self.registry.on.name}", "See `assay status`."
            )
        return version

    def _require_retirable(self, release: Release, version: Version, until: int) -> None:
        where, head = self.registry.on.name, self.registry.on.node.head()
        if version.state != "allowed":
            raise NotUsable(f"{release.name} is {version.state} on {where}: no proof of it counts", "Nothing was sent.")
        if self.registry.default() == version.number:
            raise NotUsable(f"{release.name} is the default on {where}", "Promote another first, or go back.")
        if version.until is not None and until > version.until:
            raise NotUsable(
                f"proofs of {release.name} count until block {version.until}, which is not put off",
                "Name an earlier block.",
            )
        if until < head:
            raise NotUsable(f"block {until} of {where} has passed: it is at {head}", "Name a block that is to come.")

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
        """Address and code hash of what the registry gets; raises `NotUsable` if it is not on the chain.

        That is the release's verifier, or, where [chains.NAME] declares a contract "model", that one: it answers as the
        verifier does, and makes rows.
        """
        on = self.registry.on
        wanted = MODEL if any(one.name == MODEL for one in on.spec.contracts) else VERIFIER
        found = [one for one in deployed(self.database, self.project, on.name) if one.name == wanted]
        for one in reversed(found):
            if one.release == release.digest:
                code = on.node.code(one.address)
                if code and "0x" + keccak256(code).hex() == one.code_hash:
                    return one.address, keccak256(code)
        raise NotUsable(
            f"the {wanted if wanted == VERIFIER else f'contract {wanted}'} of {release.name} is not on {on.name}",
            f"Run `assay deploy {release.version} --chain {on.name}` first.",
        )

    def _given(self, release: Release, evidence: bytes | None) -> bytes | None:
        """What is given to the gate: now, or when the promotion was begun."""
        begun = self._begun("promote", release.digest)
        kept = None if begun is None else begun.evidence.get("given")
        if evidence is None and kept is not None:
            self.told(f"the evidence that was given before is given again ({kept[:16]})")
            return artefacts.get(self.database, kept)
        return evidence

    def _require_gate(self, release: Release, given: bytes | None) -> None:
        """Ask the gate before anything is sent; while a proposal waits, what it asks for may still come."""
        version, gate = self._version(release), self.registry.gate()
        if version is not None and version.state == "allowed":
            if given is not None:
                self.told(f"version {version.number} is allowed already: the evidence is not sent")
            return
        if gate is None:
            if given is not None:
                self.told("the registry has no gate: it writes the evidence into its log, and nothing is asked of it")
            return
        model, name = bytes.fromhex(release.public["model_id"].removeprefix("0x")), self.registry.on.name
        try:
            self.registry.check(gate, model, bytes.fromhex(release.digest), given or b"")
        except Reverts as error:
            what = refused(f"the gate {gate} of {name}", error, self._errors()).what
            waits = self.registry.delay() if version is None else version.ready_at - self.registry.time()
            if given is None and waits > 0:
                self.told(f"{what}: give --evidence when the delay is over")
                return
            raise NotUsable(what, "Give what it asks for: --evidence FILE or 0xHEX. Nothing was sent.") from None

    def _errors(self) -> list[dict[str, object]]:
        """What the registry refuses with, and its gate where that was deployed from here."""
        gate = self.registry.gate()
        there = deployed(self.database, self.project, self.registry.on.name)
        found = [one for one in there if gate is not None and one.address.lower() == gate.lower()]
        return [*ERRORS, *(entry for one in found[-1:] for entry in interface(self.database, one))]

    def _step(self, release: Release, evidence: bytes) -> None:
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
            self._send(ALLOW, ["uint32", "bytes"], [number, evidence], str(number))
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
