"""`Decision`: which candidate is good enough and why, or that none is and which limit stands in the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from assay.bench.errors import DecisionDamaged
from assay.bench.facts import Evidence, Facts, Fidelity, Measured, Net
from assay.core import documents
from assay.core.hashing import digest
from assay.core.shown import Shown
from assay.models.cost.economics import Latency

if TYPE_CHECKING:
    import os

    from assay.task.task import Task

FILE = "decision.json"
CHOSEN = "chosen"
"""Beside it: the link to the folder of the chosen one's keys."""


class Row(Facts):
    """One candidate on the test rows, with its measured costs.

    Attributes
    ----------
    id, family, title
        As in the front.
    provable
        Whether it was proven; the existing process and the reference models are not.
    cv
        The metric in the cross-validation, which does not know the test rows.
    test
        All metrics on the test rows.
    improvement
        Of the task's metric over the existing process: 0.05 is 5 % better; None if that has no loss at all.
    cv_improvement
        The same in the cross-validation.
    cv_better, cv_folds
        In how many of its folds the candidate is better than the existing process.
    evidence
        How sure the figures on the test rows are; None for the existing process.
    net
        What it is worth in a year, where the loss is money and it was proven.
    fidelity, measured
        None if it was not proven.
    usd_per_inference
        Gas and machine for one answer; zero if it was not proven.
    latency_blocks
        Blocks from the data to the action.
    meets
        Each limit of the task by name; "fidelity" among them.
    """

    id: str
    family: str
    title: str
    provable: bool
    cv: float
    test: dict[str, float]
    improvement: float | None
    cv_improvement: float | None = None
    cv_better: int = 0
    cv_folds: int = 0
    evidence: Evidence | None = None
    net: Net | None = None
    fidelity: Fidelity | None
    measured: Measured | None
    usd_per_inference: float
    latency_blocks: Latency
    meets: dict[str, bool]

    @property
    def qualifies(self) -> bool:
        """Whether it is proven and meets every limit."""
        return self.provable and all(self.meets.values())

    @property
    def disagrees(self) -> Literal["", "in sign", "in size"]:
        """Whether the cross-validation says something else than the test rows: the reverse, or half or double of it."""
        test, cv, found = self.improvement, self.cv_improvement, self.evidence
        if test is None or cv is None or test == cv:
            return ""
        if (test > 0) != (cv > 0):
            return "in sign"
        if found is None or found.improvement is None or found.improvement.low <= cv <= found.improvement.high:
            return ""
        return "in size" if not abs(test) / 2 <= abs(cv) <= 2 * abs(test) else ""


class Nearest(Facts):
    """The candidate that comes closest when none qualifies: the limit that it breaks, and by which share."""

    id: str
    limit: str
    excess: float


class Decision(Shown, Facts):
    """What `assay decide` says.

    Attributes
    ----------
    dataset, study
        Content hash of the dataset, and the exploration's name.
    metric
        What accuracy is measured by.
    rows
        The candidates: those that were proven by money an inference, then the others.
    chosen
        The id of the candidate that is chosen; None if none meets every limit.
    headline
        The decision in one sentence, with the interval and the cross-validation; first of all what speaks against it.
    modelId
        Identity of the chosen one's keys, which are in the project's `keys/MODELID`; None if none is chosen.
    key
        A sentence: that these keys were kept or made, and for how many rows a proof.
    reasons
        Sentences: why this one, and not the more accurate and the cheaper ones.
    limits
        Sentences: what each limit costs.
    binding, nearest
        If none qualifies: the limit in the way, and the candidate that comes closest.
    test_rows
        Rows in the test set.
    test_looks
        How often new candidates were judged on these test rows, this time included. Above 1 they are no longer unseen.
    basis
        Digest of what the task said of today's process, values, limits and the chain: `basis_of`.
    """

    schema_: Literal["assay-decision/1"] = Field("assay-decision/1", alias="schema")
    dataset: str
    study: str
    metric: str
    rows: tuple[Row, ...]
    chosen: str | None
    headline: str = ""
    modelId: str | None = None  # noqa: N815  (the contract's name for it)
    key: str = ""
    reasons: tuple[str, ...]
    limits: tuple[str, ...]
    binding: str | None = None
    nearest: Nearest | None = None
    test_rows: int
    test_looks: int
    basis: str

    def _facts(self) -> list[tuple[str, str]]:
        names = [row.id for row in self.rows if row.provable]
        return [
            ("chosen", self.chosen or f"none, for {self.binding}"),
            *([("model", self.modelId[:10])] if self.modelId else []),
            ("said", self.headline or (self.reasons[0] if self.reasons else "")),
            ("candidates", ", ".join(names)),
            ("metric", self.metric),
            ("test rows", f"{self.test_rows}, looked at {self.test_looks} time{'s' * (self.test_looks != 1)}"),
        ]

    def save(self, folder: Path) -> Path:
        """Write `decision.json` into `folder`, whole or not at all."""
        path = folder / FILE
        documents.write(path, self)
        return path

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Decision:
        """Read what `save` wrote.

        Raises
        ------
        StorageError
            There is no such file.
        DecisionDamaged
            It holds no decision.
        ArtefactVersion
            It was written by another release.
        """
        path = Path(folder) / FILE
        return documents.read(path, cls, damaged=DecisionDamaged, todo="Run `assay decide` again.")


def basis_of(task: Task) -> str:
    """Digest of what a decision follows from in the task, without what is only words."""
    said = {
        "existing": task.existing.model_dump(mode="json", exclude={"description"}),
        "value": task.value.model_dump(mode="json", exclude={"unit"}),
        "limits": task.limits.model_dump(mode="json"),
        "protocol": task.protocol.model_dump(mode="json", exclude={"kind", "chain", "state"}),
    }
    return digest(json.dumps(said, sort_keys=True).encode())
