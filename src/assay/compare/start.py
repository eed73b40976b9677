"""`assay experiment start`: the plan is frozen, its secret made, and its digest brought onto the chain.

Killed at any point it goes on where it was: the plan and its secret are kept before anything is signed, contracts are
deployed once, and the history says when it is done.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.compare import assign, running
from assay.compare.arms import existing_digest, require_named, sides
from assay.compare.draft import require_list
from assay.compare.errors import ExperimentRuns, PlanChanged, PlanNotOnChain, PlanUnfit, StartPassed
from assay.compare.plan import PLAN_FILE, Plan, counted_bars, read, require_metric
from assay.compare.running import AGREED, ENDED, KIND, PURPOSE, STARTED, STOPPED, Experiment
from assay.record import artefacts, journal, plans
from assay.record.journal import Event
from assay.release.features import task_of
from assay.settle.contracts import Built, build
from assay.settle.deploy import Deployment
from assay.settle.errors import Reverts
from assay.settle.network import calling, deploying, network, policy, selector, signer
from assay.settle.outbox import Call, Outbox
from assay.settle.wait import mined
from assay.task.chains import ContractSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from assay.compare.arms import Sides
    from assay.record.database import Database
    from assay.settle.network import Network
    from assay.task.task import Task

CONTRACTS = Path(__file__).parents[1] / "task" / "templates" / "contracts"
"""Assay's own contracts, as `assay init` copies them."""
DRAW, ROUTER = "experiment_draw", "experiment_router"
MIX, REVEAL, OPEN, STOP = "mix()", "reveal(bytes32)", "open(bytes32)", "stop(string)"
_ROUTERS = {"fee": "SwitchbackFee", "limit": "SplitLimit"}
_OTHER_BLOCKS = frozenset({42161, 42170, 421614})
"""Arbitrum One, Nova and Sepolia: what a contract sees as its block's number is about Ethereum's, not the node's."""
_LEAST_AHEAD = 2


@dataclass
class Contracts(Deployment):
    """Contracts alone, as a deployment brings them: once, resumed, compared with what was compiled."""

    known: dict[str, Any] = field(default_factory=dict)

    def _known(self) -> dict[str, Any]:
        return dict(self.known)

    def _wanted(self, known: dict[str, Any]) -> Iterator[tuple[str, bytes, bytes]]:
        for built in self.contracts:
            yield built.spec.name, built.creation(known), built.compiled.runtime


@dataclass
class Starter:
    """Starts the project's plan on its chain.

    Parameters
    ----------
    told
        Told, in one line each, what happens.
    patience
        Seconds to wait for a block; what was sent goes on afterwards, and the next run finds it.
    """

    database: Database
    project: Path
    task: Task
    who: str
    told: Callable[[str], None] = field(default=lambda _: None)
    patience: float = 600.0
    poll: float = 0.5

    def prepare(self) -> tuple[Plan, Network, Sides, Experiment | None]:
        """Look at everything that `run` needs; nothing is written or sent.

        Raises
        ------
        PlanChanged, ExperimentRuns, StartPassed, ArmUnfit, PlanUnfit
            Each with what to do.
        """
        plan = read(self.project / PLAN_FILE)
        on = network(self.task, plan.terms.chain or None)
        if on.chain_id in _OTHER_BLOCKS:
            raise PlanUnfit(
                f"{on.name} is chain {on.chain_id}, where a contract counts other blocks than the node: no period of "
                "the plan would ever begin",
                "Give another chain in experiment.toml.",
            )
        there = self._there(plan, on)
        counted_bars(self.task, plan.terms)
        require_metric(self.task, plan.terms)
        if there is None:
            require_list(self.project, plan.terms)
        if there is None or not there.started:
            head = on.node.head()
            first = plan.terms.entities.mix_block if plan.terms.entities is not None else plan.terms.start_block
            if head + _LEAST_AHEAD >= first:
                raise StartPassed(
                    f"{on.name} is at block {head}, and the plan begins in block {first}: it would be agreed too late",
                    "Give later blocks in experiment.toml, and start it again.",
                )
        both = sides(self.database, self.task.name, plan.terms, on)
        require_named(plan.terms, both, self._existing(both) if there is None else there.existing)
        return plan, on, both, there

    def run(self) -> Experiment:
        """Bring the plan onto the chain; returns the experiment, started.

        Raises
        ------
        SettleError
            A contract was refused, or no block took it within the time.
        """
        plan, on, both, there = self.prepare()
        if there is None:
            there = self._agree(plan, on, both)
            self.told(f"agreed: plan {plan.digest[:16]}")
        if there.started:
            return there
        draw, router, block, evidence = self._brought(there, on, both)
        what = {"plan": plan.digest, "draw": draw, "router": router}
        happened = Event(STARTED, plan.terms.name, self.who, what, "as agreed", evidence, on.name, block)
        journal.append_if(self.database, self.task.name, happened, lambda there: self._begins(there, happened))
        return running.named(self.database, self.task.name, plan.digest)

    def _there(self, plan: Plan, on: Network) -> Experiment | None:
        """The experiment of the plan, if it was agreed before; no other may run beside it."""
        same = None
        for one in running.found(self.database, self.task.name):
            if one.plan.digest == plan.digest:
                if one.over is not None:
                    raise ExperimentRuns(f"{one.name} is over", "Plan another, of another name and later blocks.")
                same = one
            elif one.name == plan.terms.name:
                raise PlanChanged(
                    f"{one.name} was agreed as plan {one.short}, and experiment.toml is {plan.digest[:16]}",
                    "Put the file back, or stop that experiment and give this one another name.",
                )
            elif one.over is None and one.started and one.chain == on.name:
                last, passed = one.plan.terms.end_block, on.node.head() > one.plan.terms.end_block
                todo = "`assay up` ends it" if passed else "Wait"
                raise ExperimentRuns(
                    f"{one.name} runs on {on.name} until block {last}{', which has passed' if passed else ''}",
                    f"{todo}, or stop it: `assay experiment stop`.",
                )
        return same

    def _existing(self, both: Sides) -> str | None:
        return existing_digest(task_of(self.database, both.new), self.project)

    def _agree(self, plan: Plan, on: Network, both: Sides) -> Experiment:
        """Keep the plan and its secret, before anything is signed."""
        plans.agree(self.database, self.task.name, KIND, plan.text)
        listed = plan.terms.entities is not None
        content = "\n".join(require_list(self.project, plan.terms)).encode()
        secret = None if plan.terms.design == "shadow" else artefacts.put(self.database, assign.new_secret())
        what = {
            "plan": plan.digest,
            "new": both.new.digest,
            "old": None if both.old is None else both.old.digest,
            "secret": secret,
            "existing": self._existing(both),
            "entities": artefacts.put(self.database, content) if listed else None,
        }
        happened = Event(AGREED, plan.terms.name, self.who, what, plan.terms.title, chain=on.name)
        # Of two processes at once one agrees, and the other goes on with that one's secret.
        journal.append_if(self.database, self.task.name, happened, lambda there: not self._said(there, happened))
        return running.named(self.database, self.task.name, plan.digest)

    def _said(self, connection: Connection, happened: Event) -> bool:
        """Whether it is written down already that this became of the plan."""
        there = journal.read_in(connection, self.task.name, [happened.kind], subject=happened.subject)
        return any(event.what["plan"] == happened.what["plan"] for event in there)

    def _begins(self, connection: Connection, happened: Event) -> bool:
        """Whether it is still to be written down that it started; raises ExperimentRuns if another did meanwhile."""
        if self._said(connection, happened):
            return False
        events = journal.read_in(connection, self.task.name, [STARTED, STOPPED, ENDED])
        over = {event.what["plan"] for event in events if event.kind != STARTED}
        for event in events:
            if event.kind == STARTED and event.chain == happened.chain and event.what["plan"] not in over:
                raise ExperimentRuns(
                    f"{event.subject} was started on {happened.chain} meanwhile",
                    "Wait, or stop it. The contracts of this one stand; nothing has to ask them.",
                )
        return True

    def _brought(self, one: Experiment, on: Network, both: Sides) -> tuple[str | None, str | None, int, dict[str, Any]]:
        """The draw and the router on the chain, and the block from which the plan stands there."""
        if one.plan.terms.design == "shadow":
            return self._anchored(one, on)
        outbox = Outbox(self.database, on.node, signer(on, self.project), deploying(on))
        known = {"old": both.old_contract, "new": both.new_contract}
        made = Contracts(
            self.database, self.project, self.task, both.new, on, outbox, _built(self.database, one, outbox), self.who
        )
        made.known, made.told, made.patience, made.poll = known, self.told, self.patience, self.poll
        done = {each.name: each for each in made.run()}
        draw = done[DRAW].address
        require_plan(on, draw, one.plan)
        if ROUTER not in done:
            self.told(f"let your consumer ask {draw}: no router is deployed")
        block = done[DRAW].block
        router = done[ROUTER].address if ROUTER in done else None
        return draw, router, on.node.head() if block is None else block, {}

    def _anchored(self, one: Experiment, on: Network) -> tuple[None, None, int, dict[str, Any]]:
        """A shadow has no contract: its plan's digest is the data of a transaction to oneself."""
        account = signer(on, self.project)
        allowed = {account.address.lower(): frozenset({"*"})}
        outbox = Outbox(self.database, on.node, account, replace(policy(on), allowed=allowed))
        kept = outbox.submit_anew(Call(PURPOSE, f"{one.short}:plan", account.address, "0x" + one.plan.digest))
        kept = mined(
            outbox, kept, "the plan is not on the chain", told=self.told, patience=self.patience, poll=self.poll
        )
        outbox.release()
        there = kept.mined or {}
        return None, None, int(there["block"]), {"transaction": kept.id, "hash": there["hash"]}


def require_plan(on: Network, draw: str, plan: Plan) -> None:
    """Raise PlanNotOnChain unless a contract says that it is of this plan."""
    try:
        said = on.node.call({"to": draw, "data": selector("plan()")}).hex() if on.node.code(draw) else ""
    except Reverts:
        said = ""  # a contract that has no plan
    if said != plan.digest:
        raise PlanNotOnChain(
            f"the contract {draw} on {on.name} is of the plan {said[:16] or '(none)'}, and this is {plan.digest[:16]}",
            "A plan that was not on the chain before the start shows nothing: only the agreed one is reported.",
        )


def commitment(database: Database, one: Experiment) -> bytes:
    """What the chain is shown of an experiment's secret: a switchback's anchor, or a hash."""
    secret, of = running.secret_of(database, one), one.plan.terms.switchback
    return assign.commitment(secret) if of is None else assign.links(secret, of.periods)[0]


def waited(
    one: Experiment, on: Network, outbox: Outbox, secret: bytes, *, told: Callable[[str], None], poll: float
) -> None:
    """Of an experiment on entities: mix a block's hash in and show the secret, as soon as the blocks are there."""
    terms = one.plan.terms.entities
    if terms is None or one.draw is None:
        return
    for name, function, arguments in (("mix", MIX, b""), ("reveal", REVEAL, secret)):
        field_ = "mixed()" if name == "mix" else "seed()"
        if any(on.node.call({"to": one.draw, "data": selector(field_)})):
            continue
        said = False
        while on.node.head() <= terms.mix_block:
            if not said:
                told(f"waiting for block {terms.mix_block}, whose hash is mixed into the draw")
                said = True
            time.sleep(poll)
        kept = outbox.submit_anew(Call(PURPOSE, f"{one.short}:{name}", one.draw, selector(function) + arguments.hex()))
        mined(outbox, kept, f"the draw's {name} failed", told=told, patience=600.0, poll=poll)
        told(
            {"mix": f"the hash of block {terms.mix_block} is mixed in", "reveal": "the secret is shown: all is drawn"}[
                name
            ]
        )
    outbox.release()


def steering(on: Network, project: Path, database: Database, draw: str) -> Outbox:
    """An outbox that may do with a draw what its operator does, and nothing else."""
    return Outbox(database, on.node, signer(on, project), calling(on, draw, [OPEN, MIX, REVEAL, STOP]))


def built_draw(plan: Plan, hidden: bytes, guardian: str) -> Built:
    """The draw of a switchback or of entities, compiled, with what its constructor takes."""
    terms = plan.terms
    if terms.switchback is not None:
        of = terms.switchback
        name, more = "Switchback", [of.start_block, of.period_blocks, of.periods, of.grace_blocks]
    else:
        mix_block = 0 if terms.entities is None else terms.entities.mix_block
        name, more = "EntityDraw", [mix_block, terms.start_block, terms.end_block]
    arguments = ["0x" + plan.digest, "0x" + hidden.hex(), terms.share_parts, *more, guardian]
    return _compiled((DRAW, name, arguments))[0]


def _built(database: Database, one: Experiment, outbox: Outbox) -> list[Built]:
    """The draw and the router, compiled."""
    found, router = [built_draw(one.plan, commitment(database, one), outbox.account)], one.plan.terms.router
    if router in _ROUTERS:
        found += _compiled((ROUTER, _ROUTERS[router], [f"${DRAW}", "$old", "$new"]))
    return found


def _compiled(*specs: tuple[str, str, list[Any]]) -> list[Built]:
    return build(
        CONTRACTS,
        [
            ContractSpec(name=spec_name, source=f"experiments/{contract}.sol:{contract}", arguments=tuple(arguments))
            for spec_name, contract, arguments in specs
        ],
    )
