"""What was found of candidates: figures on the test rows with their intervals, and costs that were measured.

Beside the decision that holds them, and without what finds them: whoever reads a decision imports no model's library.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Unit = Literal["rows", "times", "entities", "groups"]


class Facts(BaseModel):
    """Of a document of its own, or a part of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Interval(Facts):
    """Where a figure lies with the confidence of the task."""

    low: float
    high: float


class Net(Facts):
    """What a candidate is worth in a year, in USD: the gain in the loss less gas and machine."""

    usd: float
    gain_usd: float
    cost_usd: float
    interval: Interval | None


class Evidence(Facts):
    """How sure the figures of a candidate on the test rows are.

    Attributes
    ----------
    confidence
        Of the intervals.
    unit, blocks, length
        What the rows were put together by for the bootstrap, how many blocks that made, and how many rows (of several
        series: times) a block of consecutive ones has; 0 for entities and groups.
    improvement
        Of the improvement over the existing process; None if it is relative to nothing.
    difference
        Of the loss that is gone, in the metric's own unit; None if there are too few rows.
    metrics
        Of the task's metric, and of those that it has absolute limits on.
    loss
        Of the gain in the mean of [value] loss, if there is one.
    """

    confidence: float
    unit: Unit
    blocks: int
    length: int
    improvement: Interval | None
    difference: Interval | None
    metrics: dict[str, Interval]
    loss: Interval | None = None

    @property
    def is_gain(self) -> bool:
        """Whether the interval of the improvement holds gains alone."""
        found = self.improvement or self.difference
        return found is not None and found.low > 0


class Alone(Facts):
    """How sure one figure is by itself; the fields are those of `Evidence`, and its interval."""

    confidence: float
    unit: Unit
    blocks: int
    length: int
    interval: Interval | None


class Fidelity(Facts):
    """The circuit against the model on test rows.

    Attributes
    ----------
    rows
        Compared.
    differing
        Of another class, or (regression) of another value beyond the library's own rounding.
    ok
        No row and no leaf differs.
    problem
        Why rows could not be compared; empty if they could.
    """

    rows: int
    differing: int
    ok: bool
    problem: str = ""


class Measured(Facts):
    """One proof of one row, measured here; the names are those of `assay bench`.

    Attributes
    ----------
    inference_seconds
        The model's own answer to one row.
    memory_mb
        The most that the process that proves has held, in 10^6 bytes; None where the system does not tell.
    """

    prove_seconds: float
    first_prove_seconds: float
    verify_seconds: float
    inference_seconds: float
    memory_mb: float | None
    proof_bytes: int
    calldata_bytes: int
    gas: int
    deployment_gas: int
    contract_bytes: int
    proving_key_bytes: int
    setup_seconds: float


class Evaluation(Facts):
    """What was found of one candidate's proofs; `measured` is None if it cannot be converted or proven."""

    fidelity: Fidelity
    measured: Measured | None
