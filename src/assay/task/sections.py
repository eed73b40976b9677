"""The sections of `task.toml`, one model each; every field says in its description what it means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

_FUNCTION = re.compile(r"[^:]+\.py:[A-Za-z_]\w*\Z")

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]
Metric = Literal["rmse", "mae", "qlike", "log_loss", "brier", "accuracy", "f1", "auc", "value"]
TaskType = Literal["regression", "binary", "multiclass"]
Number = Annotated[float, Field(strict=True)]
Positive = Annotated[float, Field(strict=True, gt=0)]
NotNegative = Annotated[float, Field(strict=True, ge=0)]
_REQUIREMENT = re.compile(
    rf"\s*({'|'.join(get_args(Metric))})\s*(>=|<=)\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*\Z"
)
LARGEST = 2**63 - 1
MOST_ROWS = 2**20
"""Rows of one proof that any key can be made for (docs/spec/protocol.md)."""
Whole = Annotated[int, Field(strict=True)]
Amount = Annotated[int, Field(strict=True, ge=1, le=LARGEST)]


class Section(BaseModel):
    """A section of `task.toml`: unknown fields are refused, numbers are finite, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Existing(Section):
    """What decides today. It is executed on every row: it is the baseline that a model has to beat.

    It answers in the units of the target: a value for a regression, a class for more than two classes, and for two
    a class or the probability of the second. A class is written as the target has it; names are counted from 0.
    """

    kind: Literal["constant", "column", "rule", "function"] = Field(
        description="How it decides: one constant, a column of the data, an SQL rule, or a Python function."
    )
    description: str = Field("", description="How it decides today, in plain words.")
    value: Number | None = Field(None, description='kind = "constant": the value it always answers.')
    column: Name | None = Field(None, description='kind = "column": the column that holds its answers.')
    rule: Expression | None = Field(
        None, description='kind = "rule": an SQL expression over the columns of the dataset.'
    )
    function: Name | None = Field(
        None,
        description='kind = "function": "file.py:name" in the project folder; called with the rows as a polars '
        "DataFrame (those of each series by itself, if there are several), it returns one value a row.",
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Existing:
        field = {"constant": "value"}.get(self.kind, self.kind)
        given = {name for name in ("value", "column", "rule", "function") if getattr(self, name) is not None}
        if field not in given:
            raise ValueError(f'kind = "{self.kind}" needs the field {field}')
        if given - {field}:
            raise ValueError(f'kind = "{self.kind}" takes {field} only, not {", ".join(sorted(given - {field}))}')
        if self.function is not None and not _FUNCTION.match(self.function):
            raise ValueError('function is written "file.py:name"')
        return self


class Predict(Section):
    """What is predicted."""

    target: Name = Field(description="The column of the dataset that holds the answers to learn.")
    type: TaskType = Field(description="A number (regression), one of two classes (binary), or one of more.")
    unit: str = Field("", description='The unit of the target, such as "log return".')
    description: str = Field("", description="What the target means, in plain words.")


class Protocol(Section):
    """Who acts on the answer, and how soon."""

    kind: Literal["amm", "lending", "other"] = Field("other", description="What kind of protocol it is.")
    chain: Name = Field("ethereum", description="The chain that counts: the NAME of a [chains.NAME].")
    chain_id: Whole | None = Field(
        None,
        ge=1,
        le=LARGEST,
        description="Where [chains.NAME] id stood before; still read as such, and `assay task check` says so.",
    )
    block_seconds: Positive = Field(12.0, description="Seconds from one block to the next.")
    latency_blocks: Amount | None = Field(
        None,
        description="Blocks allowed from the end of the observed data to the transaction that acts on it.",
    )
    feature_delay_blocks: Whole = Field(
        1, ge=0, le=LARGEST, description="Blocks waited before the data counts as final (confirmations)."
    )
    state: str = Field("", description="The contract state that the answer changes.")
    inputs: Literal["public", "private"] = Field(
        "public", description="Whether the proof shows the rows or hides them behind a commitment (trees and networks)."
    )
    max_batch: Whole = Field(
        128,
        ge=1,
        le=MOST_ROWS,
        description="The most rows of one proof that the chosen model's keys are made for; fewer where the reference "
        "string is too short, and the decision says so.",
    )
    model: Literal["hidden", "public"] = Field(
        "hidden",
        description="Whether the model stays hidden behind a commitment. Here only that is implemented; `assay setup "
        "--model public` publishes a network's weights beside its key.",
    )


class Value(Section):
    """What a decision is worth, and what gas and machines cost."""

    loss: Expression | None = Field(
        None,
        description="What a decision costs: an SQL expression over y (what happened), prediction and the "
        "dataset's columns. Its mean over the rows is the loss; less is better.",
    )
    unit: str = Field(
        "", description='The unit of the loss, such as "USD per decision"; one that begins with USD is money.'
    )
    usd_per_unit: Positive | None = Field(
        None,
        description="What one unit of the loss is worth in USD for one decision, where the unit is not USD: the loss "
        "is then money as well, and by default the best net value a year is chosen.",
    )
    decisions_per_day: Positive = Field(24.0, description="How often the answer is needed.")
    gas_price_gwei: NotNegative = Field(1.0, description="Price of a unit of gas, in gwei.")
    native_usd: NotNegative = Field(3000.0, description="Price of the chain's native token, in USD.")
    machine_usd_per_hour: NotNegative = Field(0.10, description="Price of the proving machine, in USD an hour.")

    @property
    def usd(self) -> float | None:
        """What a unit of the loss is worth in USD; None if the loss is not money."""
        if self.loss is None:
            return None
        return self.usd_per_unit or (1.0 if re.match(r"\s*USD\b", self.unit) else None)


@dataclass(frozen=True)
class Requirement:
    """An absolute limit on a metric: "auc >= 0.9"."""

    metric: Metric
    at_least: bool
    number: float

    @classmethod
    def read(cls, text: str) -> Requirement:
        """Read it as it is written; ValueError says how."""
        match = _REQUIREMENT.match(text)
        if match is None:
            known = ", ".join(get_args(Metric))
            raise ValueError(f'"{text}" is no limit; write a metric, >= or <=, and a number. Metrics: {known}')
        return cls(cast("Metric", match[1]), match[2] == ">=", float(match[3]))

    def __str__(self) -> str:
        """As a person writes it."""
        return f"{self.metric} {'>=' if self.at_least else '<='} {self.number:g}"


class Limits(Section):
    """What is good enough. Every limit is optional.

    Of the candidates that meet all of them the cheapest is chosen, or, where [value] is money, the one of the best net
    value a year.
    """

    metric: Metric | None = Field(
        None,
        description='How accuracy is measured; "value" is the loss of [value]. By default "value" where that loss is '
        "written, else rmse for a regression and log_loss for classes.",
    )
    better_than_existing: Number | None = Field(
        None,
        ge=0,
        description="Relative improvement over the existing process on the test rows: 0.05 is 5 %, 0 at least as good.",
    )
    confidence: Number = Field(
        0.9,
        ge=0,
        lt=1,
        description="How sure the improvement has to be: a candidate is good enough only if the interval of this "
        "confidence around its improvement on the test rows holds gains alone. 0: the estimate alone counts.",
    )
    require: tuple[Name, ...] = Field(
        (), description='Limits on metrics on the test rows themselves: ["auc >= 0.9", "log_loss <= 0.3"].'
    )
    choose: Literal["cheapest", "net_value"] | None = Field(
        None,
        description="Which of the candidates that meet every limit is chosen: the cheapest, or the one of the best net "
        "value a year (gain in the loss less gas and machine). By default net_value where [value] is money.",
    )
    prove_seconds: Positive | None = Field(None, description="Seconds for one proof.")
    memory_mb: Positive | None = Field(None, description="Memory for one proof, in megabytes.")
    gas: Amount | None = Field(None, description="Gas for verifying one proof.")
    usd_per_inference: Positive | None = Field(None, description="Gas and machine for one answer, in USD.")
    latency_blocks: Amount | None = Field(
        None, description="As [protocol] latency_blocks, if the limit for choosing is another one."
    )

    @field_validator("require")
    @classmethod
    def _readable(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(Requirement.read(text)) for text in texts)

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The absolute limits on metrics."""
        return tuple(Requirement.read(text) for text in self.require)


class Explore(Section):
    """How models are searched."""

    families: tuple[Name, ...] = Field(
        (), description="Model families to try; all that suit the target's type if empty."
    )
    trials: Whole = Field(40, ge=1, le=100_000, description="Models to try in all.")
    seed: Whole = Field(7, ge=0, lt=2**32, description="Seed of everything random.")
    folds: Whole = Field(4, ge=2, le=50, description="Folds of the cross-validation on the training rows.")
    workers: Whole = Field(1, ge=1, le=1024, description="Processes that train at once.")
