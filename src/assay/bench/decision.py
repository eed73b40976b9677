"""`Decision`: which candidate is good enough and why, or that none is and which limit stands in the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.bench.errors import DecisionDamaged
from assay.bench.evaluate import Fidelity, Measured
from assay.core import documents
from assay.core.hashing import digest
from assay.models.cost.economics import Latency

if TYPE_CHECKING:
    import os

    from assay.task.task import Task

FILE = "decision.json"


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(_Facts):
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
    fidelity: Fidelity | None
    measured: Measured | None
    usd_per_inference: float
    latency_blocks: Latency
    meets: dict[str, bool]

    @property
    def qualifies(self) -> bool:
        """Whether it is proven and meets every limit."""
        return self.provable and all(self.meets.values())


class Nearest(_Facts):
    """The candidate that comes closest when none qualifies: the limit that it breaks, and by which share."""

    id: str
    limit: str
    excess: float


class Decision(_Facts):
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
        The id of the cheapest that meets every limit; None if none does.
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
    reasons: tuple[str, ...]
    limits: tuple[str, ...]
    binding: str | None = None
    nearest: Nearest | None = None
    test_rows: int
    test_looks: int
    basis: str

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
