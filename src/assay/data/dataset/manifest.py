"""`manifest.json`: what a dataset is, where it is from, and what was left out of it."""

from __future__ import annotations

import textwrap
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = "assay-dataset/1"
Part = Literal["train", "validation", "test"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeatureInfo(_Model):
    """A feature.

    `kind` says how a circuit may read it: "integer" for whole numbers, else "float32". `min` and `max` are those
    of all rows, None if every value is missing.
    """

    name: str
    dtype: str
    unit: str = ""
    kind: Literal["float32", "integer"]
    min: float | int | None
    max: float | int | None
    missing: int


class SourceInfo(_Model):
    """A table that was read, and the hash of its content."""

    table: str
    sha256: str


class LeftOut(_Model):
    """Rows, columns, values or digits that are not in the dataset, and why."""

    what: str
    count: int
    reason: str

    def __str__(self) -> str:
        """For people."""
        counted = f"{self.count} {self.what}" if self.what in {"rows", "bars"} else f"{self.what} ({self.count})"
        return f"{counted}: {self.reason}"


class PartInfo(_Model):
    """The rows of one part, and the times they lie between."""

    rows: int
    first_time: str | None = None
    last_time: str | None = None


class Manifest(_Model):
    """The whole of manifest.json.

    Attributes
    ----------
    features, target, target_unit, type, classes
        What models see, what they predict; `classes` are the names of the classes 0, 1, ...
    keep
        Columns beside them.
    time
        The time column, None if there is none.
    entity, series
        The column that tells series apart, and how many there are; None if the rows are one series.
    rows
        Rows of each part.
    left_out
        What the rows of the sources had that the dataset does not, with counts; nothing is left out silently.
    notes
        What was found out of the data that the task does not say: units of times, and the like.
    embargo
        Rows left out before each boundary; of several series, the distinct times whose rows are.
    window, before
        Rows that a model sees at once, and the rows of no part that are kept because windows hold them.
    blocks
        First and last block, where the data is of a chain.
    sources
        What was read.
    code_hash
        SHA-256 of the code that made it: this room's, and the project's functions.
    inputs_hash
        SHA-256 of everything that determines the content: the task's data, the sources, the code.
    content_hash
        SHA-256 of the rows and of what they mean. It binds whatever is made of this dataset.
    rows_sha256
        SHA-256 of rows.parquet as it is on the disk.
    """

    # `schema` is a method of pydantic's base class.
    schema_: Literal["assay-dataset/1"] = Field("assay-dataset/1", alias="schema")
    task: str
    features: tuple[FeatureInfo, ...]
    target: str
    target_unit: str = ""
    type: Literal["regression", "binary", "multiclass"]
    classes: tuple[str, ...] = ()
    horizon: int = 0
    keep: tuple[str, ...] = ()
    time: str | None = None
    entity: str | None = None
    series: int | None = None
    rows: dict[Part, PartInfo]
    split: str
    embargo: int
    window: int = 1
    before: int = 0
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    quarantined: int = 0
    blocks: tuple[int, int] | None = None
    sources: tuple[SourceInfo, ...]
    code_hash: str
    inputs_hash: str
    content_hash: str
    rows_sha256: str
    assay: str

    def told(self) -> list[tuple[str, str]]:
        """What is not in the dataset as it came, each under its heading, for people."""
        said = [("left out", f"{self.quarantined} rows: see quarantine.parquet for why")] * bool(self.quarantined)
        columns = [one.what.removeprefix("column ") for one in self.left_out if one.what.startswith("column ")]
        said += [("left out", str(one)) for one in self.left_out if not one.what.startswith("column ")]
        said += [("columns left out", textwrap.shorten(", ".join(columns), 200, placeholder=" ..."))] * bool(columns)
        return [*said, *(("note", note) for note in self.notes)]
