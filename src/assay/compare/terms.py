"""`experiment.toml`: what is agreed before an experiment starts; every field says in its description what it means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from assay.task.sections import LARGEST, Amount, Name, NotNegative, Number, Positive, Section, Whole

SCHEMA = "assay-experiment/1"
Kind = Literal["switchback", "entities", "shadow"]
ARM = r"^(existing|champion|[1-9][0-9]{0,4})$"
ArmName = Annotated[str, StringConstraints(pattern=ARM)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_PARTS = 1_000_000
MOST_PERIODS = 100_000
"""The whole chain of hashes is made at the start, and a link is hashed once for each period that was left out."""


class Arms(Section):
    """Who decides: the old arm, and the new one that is on trial."""

    old: ArmName = Field(
        "existing",
        description='What decides otherwise: "existing" (the process of [existing] in task.toml), "champion" (the '
        'release that decides), or the version of a release, such as "3".',
    )
    new: ArmName = Field("champion", description='What is on trial: "champion", or the version of a release.')
    share: Number = Field(0.5, gt=0, lt=1, description="The chance of the new arm, for each unit by itself.")
    old_contract: Name = Field(
        "existing", description="The contract that the old arm decides by: its name in [chains.NAME], or its address."
    )
    new_contract: Name = Field(
        "consumer",
        description="The contract that the new arm's answers are settled in, by its name or address. A version beside "
        "the champion needs one of its own.",
    )
    new_sha256: Sha256 | None = Field(
        None,
        description="Digest of the release on trial, as `assay release show` says it: so the plan on the chain says "
        "which it is, with its task and its [value] loss. Another one is not started.",
    )
    old_sha256: Sha256 | None = Field(
        None,
        description="Digest of the old arm's release; of an existing process that is a Python function, SHA-256 of its "
        "file. So the plan on the chain says what decides otherwise; another one is not started.",
    )
    router: Literal["fee", "limit", "none"] | None = Field(
        None,
        description='The contract that asks the draw and then the arm: "fee" is SwitchbackFee, "limit" SplitLimit, '
        '"none" where a contract of yours asks the draw itself. By default that of the design.',
    )

    @model_validator(mode="after")
    def _two(self) -> Arms:
        if self.old == self.new:
            raise ValueError("both arms are the same process")
        if self.old.isdecimal() and self.new.isdecimal():
            raise ValueError('one arm is "existing" or "champion": two versions beside the champion are not compared')
        if not 1 <= round(self.share * _PARTS) < _PARTS:
            raise ValueError("this share leaves one arm without traffic: it is kept in millionths")
        return self


class SwitchbackTerms(Section):
    """One pool, or anything that only one process can decide about: time is cut into periods of blocks."""

    start_block: Amount = Field(description="First block of the first period; still to come when it is started.")
    period_blocks: Whole = Field(ge=1, le=2**32 - 1, description="Blocks of a period. Each period is one unit.")
    periods: Whole = Field(
        ge=1,
        le=MOST_PERIODS,
        description="Number of periods: the planned length; at most 100,000, each a link of the chain of hashes.",
    )
    grace_blocks: Whole = Field(
        ge=2,
        le=256,
        description="Blocks after a period's start in which its link may be opened; later it is the existing "
        "process's. At most 256: a chain knows no older hash.",
    )
    burn_in_blocks: Whole = Field(
        0,
        ge=0,
        le=LARGEST,
        description="Blocks at the start of each period whose decisions are not counted: what was decided before still "
        "works there. At least grace_blocks, so that all that counts is of the drawn arm.",
    )
    carry_over_periods: Whole = Field(
        1, ge=1, le=100, description="Periods for which a decision might still work; the report tests that it does not."
    )

    @model_validator(mode="after")
    def _has_traffic(self) -> SwitchbackTerms:
        if self.grace_blocks > self.period_blocks:
            raise ValueError("grace_blocks is longer than a period")
        if self.burn_in_blocks >= self.period_blocks:
            raise ValueError("burn_in_blocks leaves nothing of a period to count")
        return self

    @property
    def end_block(self) -> int:
        """The last block of the last period."""
        return self.start_block + self.period_blocks * self.periods - 1

    def first_of(self, period: int) -> int:
        """First block of a period, from 1."""
        return self.start_block + self.period_blocks * (period - 1)

    def period_of(self, block: int) -> int | None:
        """The period that a block lies in; None if in none."""
        if not self.start_block <= block <= self.end_block:
            return None
        return (block - self.start_block) // self.period_blocks + 1


class EntitiesTerms(Section):
    """Many accounts or borrowers, each decided about by itself: each is one unit, and keeps its arm."""

    file: Name = Field(description="A CSV file in the project whose column `entity` lists the addresses, all of them.")
    sha256: Sha256 | None = Field(
        None,
        description="SHA-256 of the list: the addresses in lower case and in the file's order, a line feed between "
        "two; `assay experiment plan` says it. So the plan's own digest, which is on the chain before the draw, binds "
        "the list; without it nothing starts.",
    )
    mix_block: Amount = Field(description="The block whose hash is mixed into the draw; still to come at the start.")
    start_block: Amount = Field(description="First block in which the new arm decides; after mix_block.")
    end_block: Amount = Field(description="The last such block.")

    @model_validator(mode="after")
    def _in_order(self) -> EntitiesTerms:
        if not self.mix_block < self.start_block <= self.end_block:
            raise ValueError("mix_block comes before start_block, and end_block not before it")
        return self


class ShadowTerms(Section):
    """The new arm answers and is proven, and decides nothing."""

    start_block: Amount = Field(description="First block whose periods are answered; still to come at the start.")
    end_block: Amount = Field(description="The last one.")

    @model_validator(mode="after")
    def _in_order(self) -> ShadowTerms:
        if self.end_block < self.start_block:
            raise ValueError("end_block is before start_block")
        return self


class MetricTerms(Section):
    """What is compared, in the units of `[value]` in task.toml; less is better, as of a loss."""

    of: Literal["loss", "recorded"] = Field(
        "loss",
        description='"loss": [value] loss of what was decided and what then happened, by the records. "recorded": '
        "numbers that were measured elsewhere, brought in by `assay experiment outcomes`.",
    )
    unit: str = Field("", description="The unit; the same as that of [value].")
    before: bool = Field(
        default=True,
        description="Whether what is known of a unit before its draw narrows the interval (CUPED): the unit before "
        "it for a switchback, the column `before` where outcomes are recorded.",
    )


class AimTerms(Section):
    """What the experiment is to show."""

    smallest_effect: Positive = Field(
        description="The smallest gain that matters, in the metric's unit for one decision."
    )
    alpha: Number = Field(0.05, gt=0, lt=0.5, description="The chance of a false result, over all looks at it.")
    power: Number = Field(0.8, gt=0.5, lt=1, description="The chance to see the smallest effect that matters.")
    stop: Literal["end", "shown"] = Field(
        "end",
        description='When it ends: at its planned length, or as soon as a gain or a harm is "shown".',
    )


class Guardrail(Section):
    """What ends the experiment by itself: the consumer then goes back to the existing process."""

    metric: Literal["loss", "missed", "latency_blocks", "gas"] = Field(
        description="What is watched in the new arm: the mean of the metric, the share of decisions that came to "
        "nothing, the mean blocks from a row to its settlement, or the mean gas of a settlement."
    )
    at_most: Number = Field(description="The bound.")
    last: Amount = Field(10, description="Of the new arm's last so many decisions (`loss`: units); fewer say nothing.")
    then: Literal["stop", "tell"] = Field(
        "stop", description="What happens above it: the experiment ends for ever, or it is only said and kept."
    )


class Money(Section):
    """What the report turns gains and costs into, in USD."""

    at_risk_usd: NotNegative | None = Field(
        None, description="What depends on these decisions while the experiment runs, for the record."
    )
    usd_per_unit: Positive | None = Field(
        None, description="Worth of one unit of the metric for one decision; by default that of [value]."
    )
    hours: NotNegative = Field(0.0, description="Hours of people's work that the experiment takes.")
    usd_per_hour: NotNegative = Field(0.0, description="What such an hour costs.")


class Terms(Section):
    """An experiment as it is agreed."""

    schema_: Literal["assay-experiment/1"] = Field(
        "assay-experiment/1", alias="schema", description="The format of this file."
    )
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")] = Field(
        description="Its name: lowercase letters, digits and hyphens."
    )
    title: str = Field("", description="The question in one sentence.")
    design: Kind = Field(description="How units are drawn to arms.")
    chain: str = Field("", description="The [chains.NAME] it runs on; by default the one that counts.")
    arms: Arms = Field(default_factory=lambda: Arms.model_validate({}), description="Who decides.")
    switchback: SwitchbackTerms | None = Field(None, description='Of design = "switchback".')
    entities: EntitiesTerms | None = Field(None, description='Of design = "entities".')
    shadow: ShadowTerms | None = Field(None, description='Of design = "shadow".')
    metric: MetricTerms = Field(default_factory=lambda: MetricTerms.model_validate({}), description="What is compared.")
    aim: AimTerms | None = Field(None, description="What is to be shown; nothing for a shadow.")
    guardrails: tuple[Guardrail, ...] = Field((), description="What ends it by itself.")
    money: Money = Field(default_factory=lambda: Money.model_validate({}), description="Gains and costs in USD.")

    @model_validator(mode="after")
    def _fits_its_design(self) -> Terms:
        given = {name for name in ("switchback", "entities", "shadow") if getattr(self, name) is not None}
        if given != {self.design}:
            raise ValueError(f'design = "{self.design}" takes the table [{self.design}] and no other of its kind')
        if self.design != "shadow" and self.aim is None:
            raise ValueError("the table [aim] is missing: what is the smallest effect that matters?")
        if self.design == "entities" and self.metric.of != "recorded":
            raise ValueError('outcomes of entities are brought in: write [metric] of = "recorded"')
        if self.design == "shadow" and self.arms.new == "champion":
            raise ValueError('a shadow is a version beside the champion: write [arms] new = "VERSION"')
        return self

    @property
    def start_block(self) -> int:
        """The first block of the experiment."""
        found = self.switchback or self.entities or self.shadow
        return 0 if found is None else found.start_block

    @property
    def end_block(self) -> int:
        """The last one."""
        found = self.switchback or self.entities or self.shadow
        return 0 if found is None else found.end_block

    @property
    def share_parts(self) -> int:
        """The chance of the new arm in millionths, as the contract has it."""
        return round(self.arms.share * _PARTS)

    @property
    def router(self) -> str:
        """The contract that routes."""
        by_design = {"switchback": "fee", "entities": "limit"}.get(self.design, "none")
        return self.arms.router or by_design
