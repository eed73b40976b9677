"""Experiments as the history has them: agreed, started, stopped, ended; a fold over events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.compare.errors import NoExperiment
from assay.compare.plan import Plan, parse
from assay.record import artefacts, journal, plans

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.journal import Event

KIND = "experiment"
AGREED, STARTED, STOPPED, ENDED = (f"experiment.{name}" for name in ("agreed", "started", "stopped", "ended"))
OPENED, WITHHELD, PASSED, WRONG = (f"experiment.{name}" for name in ("opened", "withheld", "guardrail", "wrong-draw"))
OUTCOMES = "experiment.outcomes"
PURPOSE = "experiment"


@dataclass(frozen=True)
class Experiment:
    """An experiment of a project, as far as it is.

    Attributes
    ----------
    plan
        What was agreed.
    chain
        Where it runs.
    new, old
        Digests of the arms' releases; None for the existing process.
    secret
        Digest of the artefact that holds the secret; None of a shadow.
    existing
        SHA-256 of the file of the existing process when it was agreed; None where it is no Python function.
    draw, router
        The contracts' addresses; None before they are there, or if it has none.
    block
        Of the draw's deployment, or of the transaction that carries a shadow's plan; None before.
    over
        The event that ended it, or None.
    started
        Seconds since 1970 when it was agreed.
    """

    plan: Plan
    chain: str
    new: str
    old: str | None
    secret: str | None
    draw: str | None = None
    router: str | None = None
    block: int | None = None
    over: Event | None = None
    agreed: float = 0.0
    existing: str | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self.plan.terms.name

    @property
    def short(self) -> str:
        """The beginning of its plan's digest, which names its transactions."""
        return self.plan.digest[:16]

    @property
    def started(self) -> bool:
        """Whether its plan is on the chain."""
        return self.block is not None


def found(database: Database, project: str) -> list[Experiment]:
    """Every experiment of a project, oldest first."""
    held: dict[str, dict[str, Any]] = {}
    for event in journal.read(database, project, [AGREED, STARTED, STOPPED, ENDED]):
        name = event.what["plan"]
        if event.kind == AGREED:
            keys = ("new", "old", "secret")
            held[name] = {key: event.what[key] for key in keys} | {"chain": event.chain, "agreed": event.time}
            held[name] |= {"existing": event.what.get("existing")}
        elif event.kind == STARTED:
            held[name] |= {"draw": event.what["draw"], "router": event.what["router"], "block": event.block}
        else:
            held[name].setdefault("over", event)
    return [Experiment(parse(plans.get(database, name).content, "the plan"), **one) for name, one in held.items()]


def running(database: Database, project: str, chain: str | None = None) -> Experiment | None:
    """The experiment that was started and is not over; None if there is none."""
    there = [one for one in found(database, project) if one.over is None and one.started]
    return next((one for one in reversed(there) if chain is None or one.chain == chain), None)


def named(database: Database, project: str, name: str | None) -> Experiment:
    """An experiment by its name or the beginning of its plan's digest; by default the newest.

    Raises
    ------
    NoExperiment
        There is none.
    """
    there = found(database, project)
    fitting = [one for one in there if name is None or one.name == name or one.plan.digest.startswith(name)]
    if not fitting:
        what = f'no experiment "{name:.64}" was started' if name else "no experiment was started"
        raise NoExperiment(what, "Write a plan, `assay experiment plan`, and start it.")
    return fitting[-1]


def mixed_of(database: Database, project: str, one: Experiment) -> dict[int, bytes]:
    """The hashes that were mixed into periods' draws, by period, as compared with the chain's once they were final."""
    kept = journal.read(database, project, [OPENED], subject=one.name)
    return {
        each.what["period"]: bytes.fromhex(each.what["mixed"]) for each in kept if each.what["plan"] == one.plan.digest
    }


def secret_of(database: Database, one: Experiment) -> bytes:
    """What links and entities are drawn from; never to be shown before its time."""
    return b"" if one.secret is None else artefacts.get(database, one.secret)
