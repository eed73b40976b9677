"""The `[retrain]` section of `task.toml`: when a model is trained again, and what a new one has to show."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from assay.task.fields import DURATION, SPAN, seconds
from assay.task.sections import NotNegative, Number, Positive, Section, Whole

_SPAN = Annotated[str, StringConstraints(pattern=SPAN.pattern.replace(r"\Z", "$"))]


class Retrain(Section):
    """When a model is trained again, and what a new one has to show before it may decide.

    `assay retrain` reads it. Without `every` and `on_alarm` nothing is due by itself.
    """

    every: _SPAN | None = Field(
        None,
        description='How long after the last one a retraining is due: "30d", or "50400 blocks" of the chain.',
    )
    on_alarm: bool = Field(
        default=True, description="Whether an alarm of `assay monitor` on the release that decides makes one due."
    )
    policy: Literal["manual", "automatic"] = Field(
        "manual",
        description="Who lets a new model decide: a person; or the run proposes it to the chain's registry, whose "
        "delay and guardian stand. Without a registry it waits for a person in both cases.",
    )
    fresh_rows: Whole = Field(
        100, ge=30, description="Test rows after the deciding model's last training row that a new one needs at least."
    )
    margin: NotNegative = Field(
        0.0,
        description="By how much a new model has to be surely better than the deciding one: 0.01 is 1 % of its loss.",
    )
    alpha: Number = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="The chance, over all looks together, that a model is taken which is no better than the deciding "
        "one and today's process.",
    )
    looks: Whole = Field(
        20, ge=1, le=1000, description="Retrainings that may look at test rows; each spends its part of alpha."
    )
    drift: Positive = Field(
        10.0,
        description="How many times its former range a feature may lie outside of it before its unit is doubted.",
    )
    rehearse: bool = Field(
        default=True,
        description="Whether the release has to pass `assay rehearse`; false only where no contract acts on answers.",
    )
    periods: Whole = Field(14, ge=4, le=10_000, description="Periods of that rehearsal.")
    guard: _SPAN = Field(
        "7d",
        description="How long after a promotion an alarm takes the new model back; a time, or blocks of the chain.",
    )

    @field_validator("every", "guard")
    @classmethod
    def _not_too_long(cls, span: str | None) -> str | None:
        if span is not None and DURATION.match(span):
            seconds(span)
        return span
