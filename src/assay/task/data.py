"""The `[data]` section of `task.toml`: from which sources the rows come, and what is made of them.

Everything but one source has a default, so that a CSV with a target column is a task. SQL expressions (`CASE`,
`ABS`, `LN`, `POW`, `COALESCE`, comparisons) see one row at a time; docs/reference/expressions.md says what they mean.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from assay.task.fields import (
    DURATION,
    SPAN,
    Address,
    Column,
    Count,
    Fraction,
    Positive,
    Switch,
    Text,
    seconds,
)
from assay.task.sections import Section
from assay.task.sources import AnySource
from assay.task.state import StateWord


class Event(Section):
    """A contract's event: logs of one signature become typed columns.

    The table has `block_number`, `transaction_index`, `log_index`, `address`, `time`, and a column for each
    parameter. Whole numbers of at most 64 bits stay whole numbers. A wider one with `decimals` becomes the
    exact integer divided by 10^decimals; without, the exact integer. `NAME_raw` is the exact integer; with `decimals`
    it is made where the task names it.
    """

    name: Column = Field(description="The table's name.")
    source: Text | None = Field(None, description='The source that has the logs ("NAME" or "NAME.logs").')
    signature: Text | None = Field(
        None, description='In Solidity\'s words: "event Swap(address indexed sender, uint256 amountIn, ...)".'
    )
    abi: Text | None = Field(None, description="A JSON file with the contract's ABI, instead of a signature.")
    event: Text | None = Field(None, description="The event's name in the ABI; by default `name`.")
    contract: Address | tuple[Address, ...] | None = Field(None, description="Logs of these contracts only.")
    decimals: dict[Text, Annotated[int, Field(strict=True, ge=0, le=77)]] = Field(
        default_factory=dict, description="Decimals of amounts: {amountIn = 18}."
    )
    on_mismatch: Literal["refuse", "quarantine"] = Field(
        "refuse", description="What happens to a log that has this event's topic and does not fit its types."
    )

    @model_validator(mode="after")
    def _signature_or_abi(self) -> Event:
        if (self.signature is None) == (self.abi is None):
            raise ValueError("give either signature or abi")
        return self


class Aggregate(Section):
    """One column of the bars."""

    name: Column = Field(description="The column's name.")
    op: Literal["count", "sum", "mean", "std", "min", "max", "median", "first", "last"] = Field(
        description="How the rows of a bar become one value."
    )
    of: Text | None = Field(None, description="An SQL expression over one row of the table; not for count.")
    where: Text | None = Field(None, description="An SQL condition; only rows that meet it count.")
    table: Text | None = Field(None, description="The table, if that is not the one of [data.bars].")
    empty: Literal["zero", "previous", "missing"] | None = Field(
        None,
        description="The value of a bar without rows; by default zero for count and sum, the previous bar's for "
        "last, and missing for the others.",
    )
    onchain: Literal["price", "volume"] | None = Field(
        None,
        description="What it is in the history that the market's own contract keeps (contracts/src/observations): its "
        "price (op last) or its volume (op sum), in the units in which the contract records them.",
    )

    @model_validator(mode="after")
    def _of_something(self) -> Aggregate:
        if (self.of is None) != (self.op == "count"):
            raise ValueError("count takes no `of`" if self.op == "count" else f"{self.op} needs `of`")
        return self


class Bars(Section):
    """Bars: the rows of a table, gathered by time or by blocks. A bar's time is its end."""

    table: Text | None = Field(None, description="The table; by default the first event, or the only source.")
    every: Annotated[str, StringConstraints(pattern=SPAN.pattern.replace(r"\Z", "$"))] = Field(
        description='A bar\'s length: "1h", "15m", "1d", or "50 blocks".'
    )
    columns: tuple[Aggregate, ...] = Field((), description="The bars' columns; there is one, or a word of `state`.")
    state: tuple[StateWord, ...] = Field(
        (), description="What another contract keeps at the end of each bar: columns, too; the bars are of blocks then."
    )

    @model_validator(mode="after")
    def _some_columns(self) -> Bars:
        if not self.columns and not self.state:
            raise ValueError("bars have columns: give columns, or state")
        return self

    @field_validator("every")
    @classmethod
    def _not_too_long(cls, every: str) -> str:
        if DURATION.match(every):
            seconds(every)
        return every

    @property
    def names(self) -> list[str]:
        """The columns' names, and the words'."""
        return [column.name for column in self.columns] + [word.name for word in self.state]

    @property
    def blocks(self) -> int | None:
        """Blocks in a bar, None if it is of a time."""
        match = SPAN.match(self.every)
        return int(match[1]) if match and match[2].startswith("block") else None

    @property
    def seconds(self) -> int | None:
        """Seconds in a bar, None if it is of blocks."""
        return None if self.blocks is not None else seconds(self.every)


class Join(Section):
    """Columns of another table. With time, the last row that was known by then; else by equal keys."""

    table: Text = Field(description="The table to take them from.")
    on: tuple[Text, ...] = Field((), description="Columns that must be equal in both tables.")
    columns: tuple[Text, ...] = Field((), description="Columns to take; all others if empty.")
    delay: Text = Field("0s", description="How long after its time a row becomes known.")
    tolerance: Text | None = Field(None, description="The oldest row to take, such as 1d; any if absent.")

    @model_validator(mode="after")
    def _durations(self) -> Join:
        if self.delay != "0s":
            seconds(self.delay)
        if self.tolerance is not None:
            seconds(self.tolerance)
        return self


class _Feature(Section):
    name: Column = Field(description="The feature's name.")
    unit: str = Field("", description="Its unit, for people.")
    scale: Annotated[int, Field(strict=True, ge=1, le=76)] | None = Field(
        None,
        description="Whole numbers are divided by 10 to this power and the fraction left away, so that those beyond 64 "
        "bits can be proven: 12 turns wei into millionths of an ether. A contract does the same with "
        "AssayWords.scaledWord.",
    )
    onchain: Literal["observations", "state", "feed"] | None = Field(
        None,
        description="\"observations\": the consumer's contract computes it from the market's own history "
        '(docs/guides/inputs.md). "state": a feed\'s contract computes it from proofs of what another contract '
        "keeps, the words of [[data.bars.state]] (docs/guides/state-proofs.md). By the same whole numbers either way; "
        'one that cannot be is refused, as is a dataset in which it differs. "feed": it is not on the chain, and the '
        "signers of a feed vouch for it (docs/guides/feeds.md). All features of a task are of one kind.",
    )


class ColumnFeature(_Feature):
    """A value of the row itself."""

    op: Literal["column"]
    of: Text | None = Field(None, description="An SQL expression over the row; by default the column `name`.")


class ShiftFeature(_Feature):
    """The value some rows ago (lag), or the change since then."""

    op: Literal["lag", "difference", "return", "log_return"]
    of: Text = Field(description="An SQL expression over the row.")
    periods: Positive = Field(1, description="How many rows back.")


class RollingFeature(_Feature):
    """A statistic of the last `window` rows, this one included."""

    op: Literal[
        "rolling_mean",
        "rolling_std",
        "rolling_min",
        "rolling_max",
        "rolling_sum",
        "rolling_median",
        "realised_volatility",
        "volume",
    ]
    of: Text = Field(
        description="An SQL expression over the row: a price for realised_volatility (the root of the sum of squared "
        "log returns), an amount for volume (its sum)."
    )
    window: Positive = Field(description="Rows in the window.")


class ImbalanceFeature(_Feature):
    """Flow imbalance: (buy - sell) / (buy + sell) over the last `window` rows; 0 if nothing flowed."""

    op: Literal["imbalance"]
    buy: Text = Field(description="An SQL expression over the row: what flowed one way.")
    sell: Text = Field(description="An SQL expression over the row: what flowed the other way.")
    window: Positive = Field(1, description="Rows in the window.")


class TimeSinceFeature(_Feature):
    """How long ago a condition last held; missing before it ever did."""

    op: Literal["time_since"]
    when: Text = Field(description="An SQL condition over the row.")
    measure: Literal["rows", "seconds"] = Field("rows", description="Whether rows or seconds are counted.")


class CalendarFeature(_Feature):
    """A part of the row's time, in UTC."""

    op: Literal["calendar"]
    part: Literal["minute", "hour", "weekday", "day", "month", "hour_sin", "hour_cos", "weekday_sin", "weekday_cos"] = (
        Field(description="Which part; weekday 1 is Monday; the sines and cosines turn once a day or a week.")
    )


class CategoryFeature(_Feature):
    """A text as its number in a list; missing if it is not in it."""

    op: Literal["category"]
    of: Text | None = Field(None, description="The column; by default `name`.")
    values: tuple[str, ...] = Field(min_length=1, description="The texts, numbered 0, 1, ... in this order.")


class FunctionFeature(_Feature):
    """A Python function of the project's own, marked with `assay.data.features.decorator.feature`."""

    op: Literal["function"]
    function: Annotated[str, StringConstraints(pattern=r"^[^:]+\.py:[A-Za-z_]\w*$")] = Field(
        description='"features.py:name"; called with the table so far (a polars DataFrame; of one series, if there '
        "are several), it returns one value a row."
    )


Feature = Annotated[
    ColumnFeature
    | ShiftFeature
    | RollingFeature
    | ImbalanceFeature
    | TimeSinceFeature
    | CalendarFeature
    | CategoryFeature
    | FunctionFeature,
    Field(discriminator="op"),
]


class Label(Section):
    """What is to be predicted: row t's label is made of rows t+gap+1 to t+gap+horizon, and of none after them.

    A return starts from the value of row t+gap, and so does the first return of a realised volatility.
    """

    op: Literal[
        "column",
        "forward_value",
        "forward_return",
        "forward_log_return",
        "forward_sum",
        "forward_mean",
        "forward_max",
        "forward_min",
        "forward_realised_volatility",
    ] = Field("column", description='How it is made; "column" takes it from the data as it is.')
    of: Text | None = Field(None, description="An SQL expression over one row; by default the column [predict] target.")
    horizon: Count | None = Field(
        None,
        description='Rows ahead that it looks: 1 by default where it is made. A ready-made label (op = "column") says '
        "how many it was made of, or 0 if it comes with its row: the embargo counts them, and reference models, which "
        "see past labels, need them.",
    )

    @field_validator("horizon")
    @classmethod
    def _ahead_at_all(cls, horizon: int | None, info: ValidationInfo) -> int | None:
        op = info.data.get("op", "column")
        if op != "column" and horizon == 0:
            raise ValueError(f"{op} looks at least 1 row ahead")
        return horizon

    gap: Count = Field(0, description="Rows between a row and the first one that its label sees.")
    edges: tuple[Annotated[float, Field(strict=True)], ...] = Field(
        (), description="Bounds that turn the value into a class: 0 up to the first, 1 up to the second, and so on."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Label:
        if self.op != "column" and self.of is None:
            raise ValueError(f"{self.op} needs `of`")
        if self.op == "column" and self.gap and not self.horizon:
            raise ValueError("a ready-made label has a gap before the rows that it looks at: give horizon as well")
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError("edges must grow")
        return self

    @property
    def reach(self) -> int:
        """Rows ahead that the label sees; 0 if it comes with the row, or does not say."""
        return 0 if self.op == "column" and not self.horizon else self.gap + self.ahead

    @property
    def ahead(self) -> int:
        """Rows that the label is made of, where it is made."""
        return self.horizon or 1

    @property
    def unsaid(self) -> bool:
        """Whether nobody says how far a ready-made label looks."""
        return self.op == "column" and self.horizon is None


class Split(Section):
    """Which rows train, which validate and which test."""

    by: Literal["time", "random", "group"] | None = Field(
        None, description="By default time where there is a time column, else random."
    )
    train: Fraction = Field(0.6, description="Share of the training rows.")
    validation: Fraction = Field(0.2, description="Share of the validation rows.")
    test: Fraction = Field(0.2, description="Share of the test rows.")
    embargo: Count | None = Field(
        None,
        description="Rows (of several series: distinct times) left out between two parts; by default, and at least, "
        "as far as the label sees, and the rows of a [data] window but one.",
    )
    group: Text | None = Field(None, description='by = "group": rows of equal value in this column stay together.')
    stratify: Switch | None = Field(
        None, description="Whether each class has its share in each part; by default for classes split at random."
    )
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = Field(7, description="Seed of the shuffle.")

    @model_validator(mode="after")
    def _adds_up(self) -> Split:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train, validation and test add up to {total:g}, not 1")
        if min(self.train, self.validation, self.test) == 0:
            raise ValueError("train, validation and test must each be above 0")
        if (self.by == "group") != (self.group is not None):
            raise ValueError('by = "group" and the column `group` belong together')
        return self


class Check(Section):
    """A contract that the data keeps, and what happens to rows that break it."""

    column: Text = Field(description="The column.")
    rule: Text = Field(
        description='"not missing", "finite", "unique", "increasing", "between LOW and HIGH", "at least LOW", '
        '"at most HIGH", "one of A, B, C", or an SQL condition over the row.'
    )
    on_fail: Text = Field(
        "refuse",
        description='"refuse", "quarantine" (to quarantine.parquet, with the reason), or "repair:RULE" with the rule '
        "missing (the value is removed), previous (the row before's), zero, clip (to the bounds), sort (increasing) "
        "or first (unique: the first of its kind is kept).",
    )
    table: Text | None = Field(None, description="The table; by default the rows that features are made of.")

    @model_validator(mode="after")
    def _known(self) -> Check:
        known = ("missing", "previous", "zero", "clip", "sort", "first")
        if self.on_fail not in ("refuse", "quarantine", *(f"repair:{rule}" for rule in known)):
            raise ValueError(
                f'on_fail is "{self.on_fail}"; allowed: refuse, quarantine, repair: and one of {", ".join(known)}'
            )
        rule, repair = self.rule.lower(), self.on_fail.removeprefix("repair:")
        fits = {"sort": rule == "increasing", "first": rule == "unique"}
        fits["clip"] = rule.startswith(("between", "at least", "at most"))
        if not fits.get(repair, True):
            raise ValueError(f'repair:{repair} does not fit the rule "{self.rule}"')
        return self


class DataSpec(Section):
    """From which sources the rows come, and what is made of them."""

    time: Text | None = Field(None, description="The time column; without one the rows have no order.")
    entity: Text | None = Field(
        None,
        description="The column that tells series apart, such as a pool, an account or a borrower: bars, lags, "
        "windows and labels then stay within one series. It needs a time; without it all rows are one series.",
    )
    table: Text | None = Field(
        None, description="The table whose rows are learned from, where there are no bars; by default the first."
    )
    window: Annotated[int, Field(strict=True, ge=1, le=4096)] = Field(
        1,
        description="Rows that a model sees at once: a row and those before it in its series, the oldest first. "
        "Networks read them as a sequence; trees and linear models as columns of their own, NAME@-3 for three rows "
        "before. Rows without a whole window are left out, and the embargo counts it.",
    )
    keep: tuple[Text, ...] = Field(
        (),
        description="Columns kept beside the features, which no model sees; those that [existing] and [value] name "
        "are kept by themselves.",
    )
    drop: tuple[Text, ...] = Field(
        (),
        description="Columns that are no features; a listed feature that is named here is only a step to those after "
        "it, and no model sees it.",
    )
    all_columns: Switch | None = Field(
        None,
        description="Whether every column of numbers that is not named elsewhere is a feature, beside those listed; by "
        "default only where none is listed.",
    )
    may_repeat: tuple[Literal["times", "rows", "series"], ...] = Field(
        (),
        description='What may be there more than once: "times" (several rows of one moment that are no series of '
        'their own), "rows" (copies of training rows among those that test), "series" (contracts or pools whose rows '
        "are taken for one series, or gathered into one bar).",
    )
    trusted: tuple[Text, ...] = Field(
        (), description="Features that may look like the target: the check for leaks leaves them alone."
    )
    sources: tuple[AnySource, ...] = Field(min_length=1, description="Where the data is.")
    events: tuple[Event, ...] = Field((), description="Contract events to decode.")
    bars: Bars | None = Field(None, description="How rows are gathered into bars.")
    joins: tuple[Join, ...] = Field((), description="Columns of other tables.")
    features: tuple[Feature, ...] = Field(
        (), description="What models see; by default every column of numbers that is not named elsewhere."
    )
    label: Label = Field(default_factory=lambda: Label.model_validate({}), description="How the target is made.")
    split: Split = Field(default_factory=lambda: Split.model_validate({}), description="How the rows are divided.")
    checks: tuple[Check, ...] = Field((), description="Contracts that the data keeps.")

    @model_validator(mode="after")
    def _names_are_unique(self) -> DataSpec:
        tables = [source.name for source in self.sources] + [event.name for event in self.events]
        columns = [feature.name for feature in self.features]
        bars = self.bars.names if self.bars else []
        bars += [self.entity] if self.bars and self.entity else []
        for what, names in (("tables", tables), ("features", columns), ("columns of the bars", bars)):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"two {what} are called {twice[0]}")
        words = {word.name for word in self.bars.state} if self.bars else set()
        taken = sorted(words & {"time", "block_number", self.time})
        if taken:
            raise ValueError(f"a word of [[data.bars.state]] is called {taken[0]}, as a column that all bars have")
        return self
