"""`[watch]`: when whoever runs a model is told that it is not what was agreed to. None of it has to be written."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from assay.task.fields import seconds
from assay.task.sections import Section, Whole

Share = Annotated[float, Field(strict=True, gt=0, lt=1)]


class Watch(Section):
    """What is an alarm. Every field has a default that suits most projects."""

    every: str = Field("1m", description='How often it looks, such as "30s" or "10m"; and no look without new rows.')
    alpha: Share = Field(
        0.05,
        description="The chance that any of the alarms on loss, inputs, outputs and calibration is a false one, over "
        "all looks and features as long as a release decides.",
    )
    rows: Whole = Field(
        200, ge=20, le=100_000, description='Rows that "lately" means. Drift is looked for after each quarter of them.'
    )
    psi: Annotated[float, Field(strict=True, ge=0)] = Field(
        0.2,
        description="The least population stability index of an input or output that is said to have moved: a change "
        "that is sure and smaller is none to act on.",
    )
    failures: Share = Field(
        0.05,
        description="The share of the last answers that may fail, come too late or have a value at the end of its "
        "range, and of the day's transactions that may be in vain.",
    )

    @field_validator("every")
    @classmethod
    def _is_a_duration(cls, text: str) -> str:
        seconds(text)
        return text

    @property
    def seconds(self) -> int:
        """`every` in seconds."""
        return seconds(self.every)

    @property
    def fewest(self) -> int:
        """Answers that a share is taken of at least."""
        return min(20, self.rows)
