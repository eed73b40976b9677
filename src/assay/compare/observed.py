"""What became of an experiment's decisions: answers, their transactions and outcomes, and what each cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.compare.arms import arm_name, existing_digest
from assay.compare.errors import NotComparable
from assay.compare.plan import Window
from assay.compare.running import OUTCOMES
from assay.models.existing import decide
from assay.models.metrics import values
from assay.models.rows import Problem
from assay.record import answers, artefacts, journal, releases, transactions
from assay.release.features import features_of, task_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.compare.running import Experiment
    from assay.record.answers import Answer
    from assay.record.database import Database
    from assay.record.transactions import Transaction
    from assay.task.task import Task

    Floats = NDArray[np.float64]

_MOST = 1_000_000


@dataclass(frozen=True)
class Decision:
    """An answer of one arm within an experiment.

    Attributes
    ----------
    answer
        As it stands.
    period
        The switchback's period in which all of its outcome happens, after the burn-in; None if it does not count.
    settled
        Its transaction, if one is mined that did what it should.
    """

    answer: Answer
    period: int | None
    settled: Transaction | None

    @property
    def missed(self) -> bool:
        """Whether nothing came of it, and nothing will."""
        return self.answer.ended and self.answer.state not in {"settled", "answered"}

    @property
    def latency(self) -> int | None:
        """Blocks from its row to its settlement."""
        if self.settled is None or self.settled.mined is None or self.answer.period is None:
            return None
        return int(self.settled.mined["block"]) - self.answer.period


class Observer:
    """Reads an experiment's decisions; what does not change is read once."""

    def __init__(self, database: Database, project: Path, one: Experiment) -> None:
        self._database, self._folder, self.one = database, project, one
        self._new = releases.by_digest(database, one.new)
        self.task: Task = task_of(database, self._new)
        self._features = features_of(database, self._new) if one.plan.terms.metric.of == "loss" else []
        self._window = Window.of(self.task)
        self.all = True
        self.strangers: dict[str, set[int]] = {}
        """By process that was read: blocks whose row a release answered that was not agreed."""

    def decisions(self, process: str, *, most: int = _MOST) -> list[Decision]:
        """The answers of an arm's agreed release within the experiment, oldest first; others are `strangers`.

        Of all arms only the newest answers are looked at, at `most` so many; whether these were `all`.
        """
        terms, of = self.one.plan.terms, self.one.plan.terms.switchback
        agreed = self.one.new if process == terms.arms.new else self.one.old
        strangers = self.strangers[process] = set()
        since, found = max(0, terms.start_block - self._window.first), []
        kept = answers.find(self._database, self.task.name, chain=self.one.chain, periods=True, since=since, limit=most)
        self.all = len(kept) < most
        sent = transactions.some(self._database, {one.transaction for one in kept if one.transaction is not None})
        for one in kept:
            if one.arm != arm_name(process) or one.period is None:
                continue
            if not terms.start_block <= one.period + self._window.first <= terms.end_block:
                continue
            if one.release != agreed:
                strangers.add(one.period)
                continue
            period = None if of is None else self._window.counts(of, one.period)
            # Of one that was taken back in time, the empty transfer to oneself was mined, and nothing was settled.
            by = sent.get(one.transaction or "")
            found.append(Decision(one, period, by if by is not None and by.acted else None))
        return found[::-1]

    def losses(self, new: list[Decision], old: list[Decision], periods: dict[int, bool]) -> dict[int, Floats]:
        """[value] loss of what decided, by period: of those whose outcome is known and whose arm was drawn.

        Where the arm's answer came to nothing, what the existing process says counts: it decides then.

        Raises
        ------
        NotComparable
            The task has no loss, or its target is of classes.
        """
        if self.task.value.loss is None or self.task.predict.type != "regression":
            raise NotComparable(
                "[value] loss of what was decided is computed of regressions that say one",
                'Measure outcomes and bring them in: [metric] of = "recorded".',
            )
        # What another release decided is no loss of an agreed one, whichever arm's turn it was.
        left_out = set().union(*self.strangers.values())
        known = [
            each
            for each in new
            if each.period in periods and each.answer.outcome is not None and each.answer.period not in left_out
        ]
        if not known:
            return {}
        table, existing = self._table(known)
        others = {each.answer.period: each for each in old}
        said = np.array([self._said(each, others.get(each.answer.period), periods) for each in known])
        prediction = np.where(np.isnan(said), existing, said)
        outcome = np.array([float(each.answer.outcome) for each in known])
        found = values(self.task.value.loss, outcome, prediction, table)
        by_period: dict[int, list[float]] = {}
        for each, loss in zip(known, found, strict=True):
            if not np.isnan(loss) and each.period is not None:
                by_period.setdefault(each.period, []).append(float(loss))
        return {period: np.array(some) for period, some in sorted(by_period.items())}

    def _said(self, new: Decision, old: Decision | None, periods: dict[int, bool]) -> float:
        """What decided: NaN where that is the existing process."""
        chosen = new if new.period is not None and periods[new.period] else old
        if chosen is None or chosen.settled is None or not chosen.answer.outputs:
            return float("nan")
        return float(chosen.answer.outputs["values"][0][0])

    def _table(self, known: list[Decision]) -> tuple[Any, Floats]:
        """The rows' columns, and what the existing process says of them."""
        import polars as pl

        agreed = self.one.existing
        if agreed is not None and existing_digest(self.task, self._folder) != agreed:
            raise NotComparable(
                f"{self.task.existing.function} was changed since {self.one.name} was agreed (SHA-256 {agreed[:16]}..)",
                "Put back the file as it was: what would decide otherwise is part of what was agreed.",
            )
        rows = [dict(zip(self._features, each.answer.row[0], strict=True)) for each in known if each.answer.row]
        if len(rows) < len(known):
            raise NotComparable("rows of this experiment were forgotten", "Keep rows longer than an experiment takes.")
        table = pl.DataFrame(rows, infer_schema_length=None)
        problem = Problem(
            kind="regression",
            classes=0,
            features=tuple(self._features),
            wide=(),
            target=self.task.predict.target,
            metric=self.task.metric,
            loss=self.task.value.loss,
            existing=self.task.existing,
        )
        return table, decide(problem, table, self._folder)

    def recorded(self) -> dict[str, tuple[float, float | None]]:
        """Outcomes that were brought in, and what was known before, by unit; a correction counts last."""
        found: dict[str, tuple[float, float | None]] = {}
        for event in journal.read(self._database, self.task.name, [OUTCOMES], subject=self.one.name):
            if event.what["plan"] == self.one.plan.digest:
                content = json.loads(artefacts.get(self._database, event.evidence["rows"]))
                found |= {unit: (value, before) for unit, (value, before) in content.items()}
        return found
