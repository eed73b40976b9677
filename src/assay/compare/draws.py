"""What was drawn, read from the chain and made again here: which period was whose, and which entity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.compare import assign
from assay.compare.errors import LinkRefused
from assay.core.keccak import keccak256
from assay.settle.errors import NodeFault
from assay.settle.network import selector
from assay.settle.node import quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.compare.running import Experiment
    from assay.compare.terms import SwitchbackTerms
    from assay.settle.network import Network

_OPENED = "0x" + keccak256(b"Opened(uint32,bytes32,bytes32,bool)").hex()
_FEWEST_BLOCKS = 1000


@dataclass(frozen=True)
class Opened:
    """A log of the draw: a period's link, the hash that was mixed in, and the arm."""

    period: int
    link: bytes
    mixed: bytes
    new: bool
    block: int
    block_hash: str
    transaction: str


@dataclass(frozen=True)
class Drawn:
    """A period's arm: by the chain where it was opened in time, else what a later link shows would have been drawn."""

    period: int
    new: bool
    opened: Opened | None


def opened(on: Network, one: Experiment, last: int) -> list[Opened]:
    """The draw's logs up to a block, in their order; of a reorganised chain those of the one that counts."""
    if one.draw is None or one.block is None:
        return []
    return [_read(log) for log in logged(on, one.draw, _OPENED, one.block, last)]


def drawn(
    on: Network,
    one: Experiment,
    logs: list[Opened],
    anchor: bytes,
    *,
    since: int = 1,
    final: Mapping[int, bytes] | None = None,
) -> list[Drawn]:
    """Every period from `since` up to the last that was opened, its arm computed again; the links of all are looked at.

    Parameters
    ----------
    final
        The hashes that were mixed in, by period, as far as they were compared with final blocks before: the node is
        not asked for these again, unless a log has another one.

    Raises
    ------
    LinkRefused
        A log is not what its link and the chain's blocks give, or the links are not of the committed chain.
    """
    of = one.plan.terms.switchback
    if of is None:
        return []
    by_period = {log.period: log for log in logs}
    links = assign.withheld({period: log.link for period, log in by_period.items()}, anchor)
    known, found = final or {}, []
    for period, link in links.items():
        if period < since:
            continue
        log, mixed = by_period.get(period), known.get(period)
        if mixed is None or (log is not None and log.mixed != mixed):
            mixed = bytes.fromhex((on.node.block_hash(of.first_of(period) - 1) or "").removeprefix("0x"))
        found.append(_again(on, one, of, (period, link, mixed), log))
    return found


def _again(
    on: Network, one: Experiment, of: SwitchbackTerms, of_period: tuple[int, bytes, bytes], log: Opened | None
) -> Drawn:
    period, value, mixed = of_period
    new = assign.period_is_new(bytes.fromhex(one.plan.digest), period, value, mixed, one.plan.terms.share_parts)
    if log is not None and (log.new, log.mixed) != (new, mixed):
        raise LinkRefused(
            f"period {period} was drawn {'new' if log.new else 'old'} on {on.name}, and its link and block "
            f"{of.first_of(period) - 1} give {'new' if new else 'old'}",
            "The node, or the contract, is not what it says: compare with another node.",
        )
    return Drawn(period, new, log)


def seed(on: Network, one: Experiment, secret: bytes) -> bytes:
    """What entities are drawn by; empty until it is shown.

    Raises
    ------
    LinkRefused
        It is not what the committed secret and the mixed block give.
    """
    terms = one.plan.terms.entities
    if terms is None or one.draw is None:
        return b""
    found, mixed = (on.node.call({"to": one.draw, "data": selector(name)}) for name in ("seed()", "mixed()"))
    if not any(found):
        return b""
    kept = bytes.fromhex((on.node.block_hash(terms.mix_block) or "").removeprefix("0x"))
    if found != assign.seed_of(bytes.fromhex(one.plan.digest), secret, mixed) or mixed != kept:
        raise LinkRefused(f"the seed of {one.draw} is not of this secret and block", "Compare with another node.")
    return found


def arms_of(entities: list[str], seed_: bytes, share: int) -> Mapping[str, bool]:
    """Which entities are the new arm's."""
    return {one: assign.entity_is_new(seed_, bytes.fromhex(one.removeprefix("0x")), share) for one in entities}


def logged(on: Network, address: str, topic: str, first: int, last: int) -> list[dict[str, Any]]:
    """A contract's logs of one kind; nodes that give few blocks at once are asked for fewer."""
    if first > last:
        return []
    asked = {"address": address, "fromBlock": hex(first), "toBlock": hex(last), "topics": [topic]}
    try:
        return list(on.node.ask("eth_getLogs", asked))
    except NodeFault:
        if last - first < _FEWEST_BLOCKS:
            raise
        middle = (first + last) // 2
        return logged(on, address, topic, first, middle) + logged(on, address, topic, middle + 1, last)


def _read(log: Mapping[str, Any]) -> Opened:
    data = bytes.fromhex(str(log["data"]).removeprefix("0x"))
    return Opened(
        period=int(log["topics"][1], 16),
        link=data[:32],
        mixed=data[32:64],
        new=bool(int.from_bytes(data[64:96], "big")),
        block=quantity(log["blockNumber"]),
        block_hash=str(log["blockHash"]),
        transaction=str(log["transactionHash"]),
    )
