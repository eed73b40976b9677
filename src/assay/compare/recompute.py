"""Who got what, computed again from a plan and the chain alone: for whoever has neither the project nor its records."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.compare import assign, draws
from assay.compare.draft import list_digest
from assay.compare.errors import LinkRefused, OutcomesUnfit, PlanNotOnChain, PlanUnfit
from assay.compare.result import Unit, judged
from assay.compare.running import Experiment
from assay.compare.start import built_draw, require_plan
from assay.core import files, sheet
from assay.core.keccak import keccak256
from assay.settle.deploy import create2, fits
from assay.settle.errors import SettleError
from assay.settle.network import selector
from assay.settle.node import quantity

if TYPE_CHECKING:
    from pathlib import Path

    from assay.compare.plan import Plan
    from assay.compare.result import Result
    from assay.settle.network import Network

_REVEALED = "0x" + keccak256(b"Revealed(bytes32,bytes32)").hex()
_STOPPED = "0x" + keccak256(b"Stopped(string)").hex()
_EMPTY = bytes(32)


@dataclass
class Recomputed:
    """The arms of an experiment, by the chain.

    Attributes
    ----------
    arms
        (name, whether the new arm was drawn, whether it was opened in time), one a unit that is over and drawn.
    planned
        How many units there are to be.
    block
        The newest block that was looked at.
    said
        What was found, and what the chain cannot say, in sentences.
    """

    one: Experiment
    planned: int
    block: int
    arms: list[tuple[str, bool, bool]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def recompute(plan: Plan, on: Network, draw: str, listed: list[str] | None = None) -> Recomputed:
    """Look at the contract that draws, and make every draw again.

    Parameters
    ----------
    plan
        As it was agreed.
    draw
        The contract's address.
    listed
        Of a design on entities, all of them in the list's order.

    Raises
    ------
    PlanNotOnChain
        The contract is of another plan, or not Assay's.
    LinkRefused
        A draw is not what its link and the chain's blocks give.
    PlanUnfit
        A shadow draws nothing; or the list is missing, or another one than the plan's.
    """
    terms = plan.terms
    if terms.design == "shadow":
        raise PlanUnfit("a shadow decides nothing, and nothing is drawn", "See its report.")
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", draw):
        raise PlanNotOnChain(f"{draw:.60} is no address", "Give the contract that draws: 0x and 40 digits.")
    require_plan(on, draw, plan)
    one, head = Experiment(plan, on.name, "", None, None, draw=draw, block=terms.start_block), on.node.head()
    stopped = _stopped(on, one, head)
    end = min(head, terms.end_block if stopped is None else stopped)
    if terms.switchback is not None:
        found = _periods(on, one, head, end)
    else:
        found = _entities(on, one, head, _required(plan, listed))
    if stopped is not None:
        found.said.append(f"it was stopped in block {stopped}: the old arm decides from then on.")
    return found


def compared(found: Recomputed, path: Path) -> Result:
    """The gain with its interval, of a report's units.csv whose arms are those of the chain.

    Raises
    ------
    OutcomesUnfit
        Names the unit: another arm, one that the chain does not know, one that is missing, or no number.
    """
    try:
        rows = sheet.rows(files.read(path))
    except ValueError as error:
        raise OutcomesUnfit(f"{path}{error}", "Give the units.csv of a report.") from None
    known = {name: (new, opened) for name, new, opened in found.arms}
    units = []
    for line, row in rows:
        name = row.get("unit", "")
        if name not in known:
            what = f"{path}, line {line}: the chain has no unit {name:.60}"
            raise OutcomesUnfit(what, "It is of another experiment, or is there twice.")
        new, opened = known.pop(name)
        own = f"{'new' if new else 'old'}, opened {'yes' if opened else 'no'}"
        said = f"{row.get('arm', ''):.9}, opened {row.get('opened', ''):.9}"
        if said != own:
            what = f"{path}, line {line}: {name} is there: {said}; and by the chain: {own}"
            raise OutcomesUnfit(what, "Do not believe the file.")
        units.append(_unit(name, row, f"{path}, line {line}", new=new, withheld=not opened))
    if known:
        raise OutcomesUnfit(
            f"{path} has nothing of {next(iter(known))} ({len(known)} such units), which the chain has drawn",
            "A file that leaves out units shows nothing, unless it was written before they were over.",
        )
    return judged(found.one, units, found.planned)


def _unit(name: str, row: dict[str, str], where: str, *, new: bool, withheld: bool) -> Unit:
    try:
        outcome, before = (sheet.number(row[column]) if row[column] else None for column in ("outcome", "before"))
        decisions = int(row["decisions"])
    except (KeyError, ValueError):
        outcome, before, decisions = math.nan, None, 0
    if not all(math.isfinite(value) for value in (outcome, before) if value is not None):
        raise OutcomesUnfit(f"{where}: {name} has no numbers", "Give the units.csv of a report.")
    return Unit(name, new, outcome, before, withheld, decisions)


def _required(plan: Plan, listed: list[str] | None) -> list[str]:
    terms = plan.terms.entities
    if listed is None:
        raise PlanUnfit("the plan is about entities, and their list is not given", "Give --entities FILE.")
    if terms is not None and terms.sha256 not in {None, list_digest(listed)}:
        raise PlanUnfit(
            f"the list has the SHA-256 {list_digest(listed)[:16]}.., and the plan says {str(terms.sha256)[:16]}..",
            "Ask for the list that was agreed, in its order.",
        )
    return listed


def _value(on: Network, one: Experiment, function: str) -> bytes:
    return on.node.call({"to": str(one.draw), "data": selector(function)})


def _stopped(on: Network, one: Experiment, head: int) -> int | None:
    """The block in which it was stopped, before its last one; None if it was not."""
    terms = one.plan.terms
    if not any(_value(on, one, "stopped()")):
        return None
    last = min(head, terms.end_block)
    logs = draws.logged(on, str(one.draw), _STOPPED, terms.start_block, last)
    if logs:
        return quantity(logs[0]["blockNumber"])
    later = draws.logged(on, str(one.draw), _STOPPED, last + 1, head)
    return None if later else terms.start_block - 1


def _require_code(on: Network, one: Experiment, hidden: bytes) -> str:
    """That the contract is Assay's, with this plan and secret; a sentence on since when."""
    draw, first = str(one.draw), one.plan.terms.start_block
    guardian = "0x" + _value(on, one, "guardian()")[-20:].hex()
    built = built_draw(one.plan, hidden, guardian)
    if create2(built.creation({})).lower() == draw.lower():
        return (
            f"the contract's address follows from Assay's code, the plan and the commitment {hidden.hex()[:16]}..: "
            f"none of them could be chosen later, and its constructor refuses to stand there after block {first - 1}."
        )
    if not fits(built.compiled.runtime, on.node.code(draw)):
        raise PlanNotOnChain(
            f"the contract {draw} on {on.name} is not Assay's {built.spec.source.rpartition(':')[2]}",
            "Read its source: what it draws is not computed again here.",
        )
    if any(int.from_bytes(_value(on, one, name), "big") != wanted for name, wanted in _said(one).items()):
        raise PlanNotOnChain(
            f"{draw} on {on.name} has other blocks or another share than the plan", "Do not believe it."
        )
    try:
        there = on.node.ask("eth_getCode", draw, hex(first - 1))
    except SettleError:
        return f"whether the contract stood there before block {first} this node cannot say: ask an archive node."
    if there in {"0x", None}:
        raise PlanNotOnChain(
            f"{draw} was not on {on.name} before block {first}", "What was agreed too late shows nothing."
        )
    return f"the contract's code is Assay's and stood there before block {first}; that of its constructor is not shown."


def _said(one: Experiment) -> dict[str, int]:
    """What a draw says of itself, by the function's name."""
    terms = one.plan.terms
    of = terms.switchback
    found = {"share()": terms.share_parts, "start()": terms.start_block}
    if of is not None:
        return found | {"length()": of.period_blocks, "periods()": of.periods, "grace()": of.grace_blocks}
    return found | {"mixBlock()": 0 if terms.entities is None else terms.entities.mix_block, "end()": terms.end_block}


def _periods(on: Network, one: Experiment, head: int, end: int) -> Recomputed:
    of = one.plan.terms.switchback
    if of is None:
        raise PlanUnfit("it is no switchback", "Give its plan.")
    logs = draws.opened(on, one, min(head, of.end_block))
    anchor = _value(on, one, "link()")
    if logs:
        anchor = logs[0].link
        for _ in range(logs[0].period):
            anchor = assign.commitment(anchor)
    found = Recomputed(one, of.periods, head, said=[_require_code(on, one, anchor)])
    drawn = draws.drawn(on, one, logs, anchor)
    over = [each for each in drawn if of.first_of(each.period + 1) - 1 <= end]
    found.arms = [(str(each.period), each.new, each.opened is not None) for each in over]
    withheld = sum(each.opened is None for each in over)
    if withheld:
        found.said.append(f"{withheld} links were not opened in time: the old arm decided; later links show the draws.")
    undrawn = max(0, (end - of.start_block + 1) // of.period_blocks) - len(over)
    if undrawn:
        found.said.append(f"{undrawn} periods that are over have no link yet: nobody can say whose they were.")
    return found


def _entities(on: Network, one: Experiment, head: int, listed: list[str]) -> Recomputed:
    terms = one.plan.terms
    first = 0 if terms.entities is None else terms.entities.mix_block + 1
    hidden = _value(on, one, "commitment()")
    found = Recomputed(one, len(listed), head, said=[_require_code(on, one, hidden)])
    logs: list[dict[str, Any]] = draws.logged(on, str(one.draw), _REVEALED, first, min(head, terms.start_block))
    if not logs:
        found.said.append(f"its secret was not shown by block {min(head, terms.start_block)}: nothing is drawn.")
        return found
    secret = bytes.fromhex(str(logs[0]["data"]).removeprefix("0x"))[:32]
    if assign.commitment(secret) != hidden:
        raise LinkRefused("what was shown is not the secret that was committed to", "Compare with another node.")
    seed = draws.seed(on, one, secret)
    found.arms = [(who, new, True) for who, new in draws.arms_of(listed, seed, terms.share_parts).items()]
    return found
