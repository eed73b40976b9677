"""Outcomes, proofs, latency and money: what the record says of how a release is served, against its limits."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import files
from assay.core.errors import AssayError
from assay.keep.watch.alarms import Rows
from assay.keep.watch.signal import Signal, unknown
from assay.record import artefacts, journal, transactions
from assay.release.make import private_digests
from assay.transpile.fidelity.fidelity import fidelity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.keep.watch.material import Watched
    from assay.keep.watch.signal import State
    from assay.record.answers import Answer
    from assay.record.database import Database
    from assay.record.transactions import Transaction
    from assay.task.task import Task
    from assay.task.watch import Watch

DAY = 86_400.0
GWEI, ETHER = 10**9, 10**18
_SETTLE = "settle"
_OF_ANSWERS = {_SETTLE, "post"}
"""What an answer costs: a deployment, a registry's call or an experiment's seed is none of it."""
_OVERDUE = 3
"""Outcomes or periods that are missing in a row before that is told of: one is chance."""
_FEWEST = 3
_SLOW, _LEAST_SECONDS = 10.0, 5.0
"""Without a limit a proof is slow at so many times what the decision measured, and so many seconds."""
_COMPARED = 50
_SPENT = 0.8
"""Share of spend_per_day that is told of: the rest is the time to do something."""


@dataclass(frozen=True)
class Served:
    """What is looked at.

    Attributes
    ----------
    task
        The project's: its limits and chains, as whoever runs it has them now.
    kept
        The release's answers, the oldest first.
    chain, head
        Whose periods they are, and its newest block; None where it is not known.
    now
        By the database's clock.
    after
        When a person took an alarm back last, by signal: what was asked for before counts no more for it.
    """

    of: Watched
    task: Task
    kept: list[Answer]
    chain: str | None
    head: int | None
    now: float
    after: dict[str, float] = field(default_factory=dict)

    @property
    def watch(self) -> Watch:
        """What is an alarm."""
        return self.task.watch

    def of_signal(self, name: str) -> list[Answer]:
        """The answers that count for a signal."""
        return [one for one in self.kept if one.created > self.after.get(name, 0.0)]

    def last(self, name: str) -> list[Answer]:
        """The last of them."""
        return self.of_signal(name)[-self.watch.rows :]


def rows_of(found: Sequence[Answer]) -> Rows:
    """Which answers they are."""
    if not found:
        return Rows(0)
    return Rows(len(found), found[0].period, found[-1].period, tuple(one.id for one in found[:20]))


def outcomes(served: Served, database: Database) -> list[Signal]:
    """Whether periods are answered, and whether what came of them arrives."""
    if served.chain is None or all(one.period is None for one in served.kept):
        why = "what is asked for at the endpoint has no periods" if served.kept else "nothing was answered yet"
        return [unknown("periods-missing", why), _brought(served, database)]
    bar = _bar(served)
    if bar is None or served.head is None:
        why = "the task has no bars" if bar is None else "the chain's newest block is not known"
        return [unknown("periods-missing", why), unknown("outcomes-missing", why)]
    return [_periods(served, bar, served.head), _outcomes(served, database, bar, served.head)]


def _brought(served: Served, database: Database) -> Signal:
    """Of questions at the endpoint: only whoever asked knows when something comes of them."""
    name, known = "outcomes-missing", [one for one in served.kept if one.outcome is not None]
    if not known:
        return unknown(name, "nobody has brought what came of an answer (POST /v1/answers/ID/outcome)")
    ids = {one.id for one in served.kept}
    events = journal.read(database, served.task.name, ["outcome.changed"])
    changed = sum(one.subject in ids and one.what.get("before") not in (None, one.what.get("now")) for one in events)
    figures = {"answers": float(len(served.kept)), "known": float(len(known)), "changed": float(changed)}
    said = f"what came of {len(known)} of {len(served.kept)} answers was brought; {changed} were corrected"
    return Signal(name, "well", said, figures, rows_of(known[-1:]))


def _bar(served: Served) -> float | None:
    """Blocks of a bar."""
    bars = served.of.task.data.bars
    if bars is None:
        return None
    return float(bars.blocks) if bars.blocks is not None else (bars.seconds or 0) / served.task.block_seconds


def _periods(served: Served, bar: float, head: int) -> Signal:
    last = served.kept[-1]
    behind = head - (last.period or 0) - served.of.task.protocol.feature_delay_blocks
    allowed = (_OVERDUE + 1) * bar
    figures = {"blocks since the last": float(behind), "blocks of a period": bar}
    said = f"the last period that has an answer ended {behind} blocks ago, and a period is {bar:g} blocks"
    # Taken back, it has as long again.
    since = (served.now - served.after.get("periods-missing", -math.inf)) / served.task.block_seconds
    if min(behind, since) <= allowed:
        return Signal("periods-missing", "well", said, figures, rows_of([last]))
    return Signal("periods-missing", "alarm", said, figures, rows_of([last]), since=last.created)


def _outcomes(served: Served, database: Database, bar: float, head: int) -> Signal:
    task = served.of.task
    ahead = task.data.label.reach * bar + task.protocol.feature_delay_blocks
    # A bar more: the live loop looks when a bar ends.
    due = [one for one in served.of_signal("outcomes-missing") if head - (one.period or 0) > ahead + 2 * bar]
    changed = sum(
        one.chain == served.chain and (one.block or 0) >= (served.kept[0].period or 0)
        for one in journal.read(database, task.name, ["outcome.changed"])
    )
    open_ = [one for one in due[-served.watch.rows :] if one.outcome is None]
    share = len(open_) / max(len(due[-served.watch.rows :]), 1)
    figures = {"due": float(len(due)), "missing": float(len(open_)), "changed": float(changed)}
    silent = len(due) >= _OVERDUE and all(one.outcome is None for one in due[-_OVERDUE:])
    many = len(due) >= served.watch.fewest and share > 4 * served.watch.failures
    if silent or many:
        said = f"what came of {len(open_)} answers is not known, although {ahead:g} blocks after each it should be"
        return Signal("outcomes-missing", "alarm", said, figures, rows_of(open_), since=open_[0].created)
    said = f"what came of {len(due) - len(open_)} of {len(due)} answers that are due is known; {changed} changed since"
    return Signal("outcomes-missing", "well", said, figures, rows_of(due[-1:]))


def proving(served: Served) -> list[Signal]:
    """Time of proofs, proofs that fail, answers that are too late, blocks until the answer acts."""
    return [_slow(served), _failed(served), _expired(served)]


def _slow(served: Served) -> Signal:
    name = "proving-slow"
    taken = [(one, spent) for one in served.last(name) if (spent := _seconds(one)) is not None]
    if len(taken) < _FEWEST:
        return unknown(name, f"{len(taken)} answers are proven, and fewer than {_FEWEST} say nothing")
    limit = served.task.limits.prove_seconds
    measured = float((served.of.release.public.get("measured") or {}).get("prove_seconds") or 0.0)
    allowed = limit if limit is not None else max(_LEAST_SECONDS, _SLOW * measured)
    last = taken[-served.watch.fewest :]
    median = statistics.median(spent for _, spent in last)
    figures = {"median seconds": median, "limit seconds": allowed, "measured seconds": measured}
    whose = "the limit" if limit is not None else "what is allowed without a limit"
    said = f"from a fixed row to its proof takes {median:.3g} s, waiting included; {whose} is {allowed:.3g} s"
    state: State = "alarm" if median > allowed else "well" if median <= 0.8 * allowed else "between"
    return Signal(name, state, said, figures, rows_of([one for one, _ in last]), since=last[0][0].created)


def _seconds(one: Answer) -> float | None:
    when = dict(one.timeline)
    return float(when["proven"] - when["fixed"]) if "proven" in when and "fixed" in when else None


def _failed(served: Served) -> Signal:
    last = served.last("proving-failed")
    ended = [one for one in last if one.ended or one.state in {"proven", "settling"}]
    bad = [one for one in ended if one.state == "refused"]
    return _share("proving-failed", "refused", ended, bad, served)


def _expired(served: Served) -> Signal:
    ended = [one for one in served.last("periods-expired") if one.ended]
    bad = [one for one in ended if one.state == "expired"]
    return _share("periods-expired", "too late, and so never sent", ended, bad, served)


def _share(name: str, words: str, ended: list[Answer], bad: list[Answer], served: Served) -> Signal:
    if not ended:
        return unknown(name, "no answer has ended yet")
    share = len(bad) / len(ended)
    figures = {"share": share, "count": float(len(bad)), "of": float(len(ended))}
    said = f"{len(bad)} of the last {len(ended)} answers are {words}"
    allowed = served.watch.failures
    if len(bad) >= _FEWEST and share > allowed:
        return Signal(name, "alarm", said, figures, rows_of(bad), since=bad[0].created)
    return Signal(name, "well" if share <= allowed / 2 or not bad else "between", said, figures, rows_of(bad))


def latency(served: Served, database: Database) -> Signal:
    """Blocks from a period to the block that its transaction is in, against the limit."""
    name, limit = "latency", served.task.latency_blocks
    if limit is None:
        return Signal(name, "well", "the task has no limit on the blocks until an answer acts")
    blocks = [(one, taken) for one in served.last(name) if (taken := _blocks_of(one, database)) is not None]
    if not blocks:
        return unknown(name, "no answer is in a block yet")
    late = [one for one, taken in blocks if taken > limit]
    share = len(late) / len(blocks)
    median = statistics.median(taken for _, taken in blocks)
    figures = {"median blocks": float(median), "limit blocks": float(limit), "share": share}
    said = f"{len(late)} of the last {len(blocks)} answers acted more than {limit} blocks after their rows"
    if len(late) >= _FEWEST and share > served.watch.failures:
        return Signal(name, "alarm", said, figures, rows_of(late), since=late[0].created)
    return Signal(name, "well" if share <= served.watch.failures / 2 else "between", said, figures, rows_of(late))


def _blocks_of(one: Answer, database: Database) -> int | None:
    if one.transaction is None or one.period is None:
        return None
    sent = transactions.get(database, one.transaction)
    return int((sent.mined or {})["block"]) - one.period if sent.acted else None


def money(served: Served, database: Database) -> list[Signal]:
    """What the last day's transactions cost, and how many were in vain."""
    names = ("money-gas", "money-spent", "money-wasted")
    if served.chain is None:
        return [unknown(name, "answers of no chain cost no gas") for name in names]
    sent = transactions.find(database, served.chain, since=served.now - DAY)
    own = {name: [one for one in sent if one.created > served.after.get(name, 0.0)] for name in names}
    return [made(served, own[name]) for name, made in zip(names, (_per_answer, _spent, _wasted), strict=True)]


def _per_answer(served: Served, sent: list[Transaction]) -> Signal:
    name, value = "money-gas", served.task.value
    sent = [one for one in sent if one.purpose in _OF_ANSWERS]
    settled = [one for one in sent if one.purpose == _SETTLE and one.acted]
    limit = served.task.limits.usd_per_inference
    if not settled:
        return unknown(name, "no answer was settled within a day")
    usd = sum(map(_wei, sent)) / ETHER * value.native_usd / len(settled)
    gwei = statistics.median(int((one.mined or {})["price"]) for one in settled) / GWEI
    figures = {"usd an answer": usd, "gwei": gwei, "answers": float(len(settled))}
    said = f"an answer costs {usd:.4g} USD of gas at {gwei:.3g} gwei, the day's posts and failures included"
    if limit is None:
        return Signal(name, "well", f"{said}; the task has no limit", figures)
    figures["limit"] = limit
    state: State = "alarm" if usd > limit else "well" if usd <= 0.8 * limit else "between"
    rows = Rows(len(settled), answers=tuple(one.subject for one in settled[:20]))
    return Signal(name, state, f"{said}; the limit is {limit:.4g} USD", figures, rows, since=settled[0].created)


def _spent(served: Served, sent: list[Transaction]) -> Signal:
    limit = served.task.chain(served.chain).spend_per_day
    spent = sum(map(_wei, sent)) / ETHER
    figures = {"spent": spent, "limit": limit}
    said = f"{spent:.4g} was spent within a day, of {limit:g} that may be (in the chain's native token)"
    state: State = "alarm" if spent > _SPENT * limit else "well" if spent <= _SPENT * limit / 2 else "between"
    return Signal("money-spent", state, said, figures, since=sent[0].created if sent else None)


def _wasted(served: Served, sent: list[Transaction]) -> Signal:
    ended = [one for one in sent if one.mined is not None or one.state in {"replaced", "cancelled"}]
    bad = [one for one in ended if one.state in {"replaced", "cancelled"} or not (one.mined or {}).get("ok", True)]
    if not ended:
        return unknown("money-wasted", "no transaction has ended within a day")
    share = len(bad) / len(ended)
    figures = {"share": share, "count": float(len(bad)), "of": float(len(ended))}
    said = f"{len(bad)} of the day's {len(ended)} transactions failed or were replaced"
    rows = Rows(len(bad), answers=tuple(one.subject for one in bad[:20]))
    if len(bad) >= _FEWEST and share > served.watch.failures:
        return Signal("money-wasted", "alarm", said, figures, rows, since=bad[0].created)
    return Signal("money-wasted", "well" if share <= served.watch.failures / 2 else "between", said, figures, rows)


def _wei(one: Transaction) -> int:
    return int(one.mined["gas_used"]) * int(one.mined["price"]) if one.mined else 0


def faithful(served: Served, database: Database) -> Signal:
    """The user's own model on live rows, against the integers that were proven."""
    name, circuit = "fidelity", served.of.circuit
    if circuit is None:
        return unknown(name, served.of.absent)
    proven = [one for one in served.last(name) if one.outputs and one.row][-_COMPARED:]
    if not proven:
        return unknown(name, "no row is proven yet")
    rows = [row for one in proven for row in one.row]
    shown = [[int(value) for value in row] for one in proven for row in one.outputs["integers"]]
    own = [[int(value) for value in row] for row in circuit.evaluate(*circuit.encode(rows))]
    apart = [place for place, (left, right) in enumerate(zip(own, shown, strict=True)) if left != right]
    try:
        report: Any = _compared(served, database, rows)
    except AssayError as error:
        report = error
    # The circuit stands between what was shown and the model: a row may be in one count or the other.
    differing = min(len(apart) + (0 if isinstance(report, AssayError) else report.rows_differing), len(rows))
    figures = {"rows": float(len(rows)), "differing": float(differing)}
    if differing:
        said = f"{differing} of the last {len(rows)} proven rows say otherwise than the model itself"
        owners = [one for one in proven for _ in one.row]
        # Of which rows the model differs is not said one by one: then it is about all that were compared.
        which = [owners[place] for place in apart] if apart and differing == len(apart) else proven
        which = list({one.id: one for one in which}.values())
        return Signal(name, "alarm", said, figures, rows_of(which), since=which[0].created)
    if isinstance(report, AssayError):
        return unknown(name, f"the circuit says what was proven; the model itself cannot be asked: {report.what}")
    return Signal(name, "well", f"the last {len(rows)} proven rows say what the model itself says", figures)


def _compared(served: Served, database: Database, rows: list[list[Any]]) -> Any:
    private = private_digests(served.of.release)
    model = next((name for name in private if name.startswith("model/")), None)
    if model is None or served.of.circuit is None:
        from assay.record.errors import ArtefactAbsent

        raise ArtefactAbsent("the release holds no model", "Nothing needs to be done.")
    table = np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=np.float64)
    with files.scratch() as place:
        path = place / Path(model).name
        files.write(path, artefacts.get(database, private[model]), secret=True)
        return fidelity(served.of.circuit, path, table)
