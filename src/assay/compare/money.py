"""What an experiment cost and gained, in USD, each line with where it is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.compare.running import PURPOSE
from assay.compare.status import proving
from assay.record import transactions
from assay.settle.deploy import deployed

if TYPE_CHECKING:
    from assay.compare.result import Result
    from assay.record.database import Database
    from assay.record.transactions import Transaction
    from assay.task.task import Task

_WEI, _GWEI = 10**18, 10**9
_HOUR, _YEAR_DAYS = 3600.0, 365.0


@dataclass(frozen=True)
class Line:
    """A cost: what for, how many transactions, gas, USD, and where the figure is from."""

    name: str
    count: int
    gas: int
    usd: float
    source: str


@dataclass(frozen=True)
class Sum:
    """What it comes to.

    Attributes
    ----------
    lines
        The costs.
    usd_per_unit
        Worth of a unit of the metric for one decision; None if nobody said: then only costs are known.
    decisions
        Decisions of the new arm's units that count.
    gain, low, high
        What the new arm gained in them, with its interval; None without either.
    running, once
        Costs that every decision has again, and those that were paid once.
    yearly
        Gain less running costs in a year of such decisions, by the new arm alone; with its interval.
    break_even_gwei
        The price of a unit of gas at which the gain is eaten by the running costs; None if the gain is none.
    break_even_share
        Of the declared worth of a unit (such as the pool's volume), the share at which the gain only pays the running
        costs; None if the gain is none.
    return_
        Gain less all costs, over all costs.
    """

    lines: list[Line]
    usd_per_unit: float | None
    decisions: int
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    running: float = 0.0
    once: float = 0.0
    yearly: tuple[float, float, float] | None = None
    break_even_gwei: float | None = None
    break_even_share: float | None = None
    return_: float | None = None


def reckon(database: Database, task: Task, found: Result) -> Sum:
    """Add up.

    Gas is what was paid, by the records: also of what failed, was replaced or taken back. A chain's fee for data, where
    it has one, is in no receipt's gas and so not in here.
    """
    one, value = found.one, task.value
    sent = _sent(database, task.name, found)
    lines = [_gas(name, some, value.native_usd) for name, some in sent.items() if some]
    seconds = sum(filter(None, (proving(each) for each in found.new)))
    machine = seconds / _HOUR * value.machine_usd_per_hour
    lines.append(Line("machine", 0, 0, machine, f"{seconds:.1f} s of proving at [value] machine_usd_per_hour"))
    money = one.plan.terms.money
    hours = money.hours * money.usd_per_hour
    lines.append(Line("people", 0, 0, hours, f"{money.hours:g} hours, as [money] says"))
    once = sum(line.usd for line in lines if line.name in {"deployments", "people"})
    running = sum(line.usd for line in lines) - once
    per_unit = money.usd_per_unit or value.usd
    decisions = sum(max(1, unit.decisions) for unit in found.known if unit.new)
    total = Sum(lines, per_unit, decisions, running=running, once=once)
    if per_unit is None or found.now is None or not decisions:
        return total
    return _with_gain(task, total, found.now, per_unit, len(found.new))


def _with_gain(task: Task, total: Sum, found: tuple[float, float, float], per_unit: float, answers: int) -> Sum:
    gain, low, high = (each * per_unit * total.decisions for each in found)
    each = total.running / max(1, answers)
    year = task.value.decisions_per_day * _YEAR_DAYS
    yearly = tuple((value * per_unit - each) * year for value in found)
    gas = sum(line.gas for line in total.lines if line.name in {"settlements", "rows", "draws", "failed"})
    rest = total.running - sum(line.usd for line in total.lines if line.gas and line.name != "deployments")
    spare = gain - rest
    even = spare / gas / task.value.native_usd * _WEI / _GWEI if gas and spare > 0 and task.value.native_usd else None
    costs = total.running + total.once
    return Sum(
        total.lines,
        per_unit,
        total.decisions,
        gain,
        low,
        high,
        total.running,
        total.once,
        (yearly[0], yearly[1], yearly[2]),
        even,
        total.running / gain if gain > 0 else None,
        (gain - costs) / costs if costs > 0 else None,
    )


def _sent(database: Database, project: str, found: Result) -> dict[str, list[Transaction]]:
    """The experiment's transactions, by what they were for."""
    one = found.one
    ids = {each.answer.id for each in found.new}
    own = transactions.find(database, one.chain)
    good = [each for each in own if each.mined is not None and each.mined["ok"] and each.state != "cancelled"]
    lost = [each for each in own if each not in good]

    def of(some: list[Transaction], purpose: str) -> list[Transaction]:
        return [each for each in some if each.purpose == purpose and each.subject.split("/")[0] in ids]

    draws = [each for each in good if each.purpose == PURPOSE and each.subject.startswith(one.short)]
    failed = of(lost, "settle") + of(lost, "post")
    failed += [each for each in lost if each.purpose == PURPOSE and each.subject.startswith(one.short)]
    names = {each.address for each in deployed(database, project, one.chain) if each.release == one.new}
    names |= {each for each in (one.draw, one.router) if each is not None}
    brought = [each for each in good if each.purpose == "deploy" and _made(each, names)]
    return {
        "settlements": of(good, "settle"),
        "rows": of(good, "post"),
        "draws": draws,
        "failed": failed,
        "deployments": brought,
    }


def _made(each: Transaction, addresses: set[str]) -> bool:
    """Whether it created one of these contracts: it says so, or the factory's address follows from its code."""
    from assay.settle.deploy import create2

    there = (each.mined or {}).get("contract")
    if there is None and each.data:
        there = create2(bytes.fromhex(each.data.removeprefix("0x"))[32:])
    return there in addresses


def _gas(name: str, some: list[Transaction], native_usd: float) -> Line:
    mined = [each.mined for each in some if each.mined is not None]
    gas = sum(int(each["gas_used"]) for each in mined)
    paid = sum(int(each["gas_used"]) * int(each["price"]) for each in mined) / _WEI * native_usd
    resent = sum(len(each.attempts) - 1 for each in some)
    words = "gas and its price by the receipts, at [value] native_usd"
    if resent:
        words += f"; {resent} were sent again for more, and of each one was paid"
    if name == "failed":
        words += f"; {len(some) - len(mined)} of them took nothing: replaced before a block, or not mined yet"
    return Line(name, len(some), gas, paid, words)
