"""The `[[data.sources]]` of `task.toml`: files, databases, nodes, web services and packages that the rows come from."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from assay.task import times
from assay.task.fields import MISSING, SECONDS, Address, Block, Column, Count, Dataset, Positive, Switch, Text, Topic
from assay.task.sections import LARGEST, Section
from assay.task.times import Unit


def _known_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ValueError(f"{name!r:.40} is no encoding that Python knows, such as utf-8 or cp1252") from None


class Source(Section):
    """What all sources share."""

    name: Column = Field(description="The name that the rest of the task calls this source by.")
    time: Text | None = Field(None, description="Its time column, if that is not [data] time.")
    time_unit: Unit | None = Field(
        None,
        description="What numbers in the time column count since 1970: s, ms, us, ns, or d (days); excel: the days of "
        "a spreadsheet; order: nothing, they only order the rows (blocks, steps). If absent, the only one of s, ms, us "
        "and ns in which all values lie in the years 1980 to 2099.",
    )
    time_format: Text | None = Field(
        None,
        description='How the time column is written, if not in ISO 8601: "%d/%m/%Y %H:%M", or "%Y%m%d" for numbers '
        "such as 20240125. Without a zone it is UTC.",
    )
    key: tuple[Text, ...] = Field((), description="Columns that together tell its rows apart; duplicates are refused.")
    rename: dict[Text, Column] = Field(
        default_factory=dict, description='Columns to call otherwise: {"old name" = "new_name"}.'
    )
    where: Text | None = Field(None, description="An SQL condition; rows that do not meet it are not read.")

    @model_validator(mode="after")
    def _one_way_to_read_times(self) -> Source:
        if self.time_format is not None and self.time_unit is not None:
            raise ValueError("give either time_unit (numbers that count) or time_format (dates that are written)")
        if self.time_format is not None and (problem := times.problem(self.time_format)) is not None:
            raise ValueError(f"time_format {self.time_format!r}: {problem}")
        return self


class ChainSource(Source):
    """Chain data, from a node or from a folder of what was collected before."""

    datasets: tuple[Dataset, ...] = Field(
        ("blocks", "logs"), min_length=1, description='What to collect; each is a table called "NAME.DATASET".'
    )
    rpc: Text | None = Field(
        None, description='Address of the node; "$NAME" reads it from the environment. Without it `folder` is read.'
    )
    folder: Text | None = Field(
        None, description="Folder of Cryo's Parquet files; by default chain/NAME in the project."
    )
    start_block: Block = Field(0, description="First block.")
    end_block: Block | Literal["latest"] = Field(
        "latest",
        description='Last block, included; "latest" is the head less `reorg_buffer`, found when first collected.',
    )
    contract: Address | tuple[Address, ...] | None = Field(None, description="Logs and traces of these contracts only.")
    topic0: Topic | None = Field(None, description="Logs of this event only; by default those of [[data.events]].")
    chunk_size: Positive = Field(1000, description="Blocks in a file; what was collected is kept file by file.")
    requests_per_second: Positive | None = Field(None, description="Ask the node no more often than this.")
    max_concurrent_requests: Positive = Field(4, description="Requests to the node at once.")
    retries: Annotated[int, Field(strict=True, ge=0, le=20)] = Field(
        5, description="How often a failed chunk is tried again."
    )
    timeout_seconds: Annotated[float, Field(strict=True, gt=0, le=SECONDS["w"])] = Field(
        120.0, description="Longest wait for one chunk."
    )
    reorg_buffer: Count | None = Field(
        None, description="Blocks left out before the head; by default [protocol] feature_delay_blocks."
    )
    continuity: Switch = Field(default=True, description="Whether gaps, duplicates and reorganised blocks are refused.")

    @model_validator(mode="after")
    def _has_a_place(self) -> ChainSource:
        if self.rpc is None and self.folder is None:
            raise ValueError("give rpc (the address of a node) or folder (of files that Cryo wrote)")
        if isinstance(self.end_block, int) and self.end_block < self.start_block:
            raise ValueError(f"end_block {self.end_block} lies before start_block {self.start_block}")
        return self


class CryoSource(ChainSource):
    """Chain data that Cryo extracts from a node, or has extracted already into a folder."""

    kind: Literal["cryo"]


class RpcSource(ChainSource):
    """Chain data by JSON-RPC, without Cryo: the same datasets, files and columns, so that all later steps are one."""

    kind: Literal["rpc"]


class ParquetSource(Source):
    """Parquet files."""

    kind: Literal["parquet"]
    path: Text = Field(description="A file, a folder of .parquet files, or a pattern such as data/*.parquet.")


class CsvSource(Source):
    """CSV files with a header."""

    kind: Literal["csv"]
    path: Text = Field(description="A file, a folder of .csv files, or a pattern.")
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = Field(
        ",", description="What stands between values."
    )
    decimal: Literal[".", ","] = Field(".", description="What stands before a number's decimal places.")
    thousands: Literal["", ",", ".", " ", "'", "\u2019", "\u00a0"] = Field(
        "", description="What stands between a number's thousands; nothing if absent."
    )
    skip_rows: Annotated[int, Field(strict=True, ge=0, le=10_000)] = Field(0, description="Lines above the header.")
    encoding: Annotated[str, AfterValidator(_known_encoding)] = Field(
        "utf-8", description='As Python calls it: "utf-8", "utf-16", "cp1252", "latin-1".'
    )
    missing: tuple[str, ...] = Field(MISSING, description="Texts that mean: no value.")
    types: dict[Text, Literal["integer", "number", "text", "boolean", "time"]] = Field(
        default_factory=dict, description="Types of columns, where guessing them is not wanted."
    )


class SqlSource(Source):
    """The rows of a query."""

    kind: Literal["sql"]
    url: Text = Field(
        description='"duckdb:///FILE", "sqlite:///FILE" or "postgresql://USER@HOST/DATABASE"; '
        '"$NAME" reads it from the environment.'
    )
    query: Text = Field(description="One SELECT in the database's own SQL; with a time column, ordered by it.")


class WebSource(Source):
    """The rows of a web service that answers with JSON, page by page: GET, or a GraphQL query."""

    kind: Literal["web"]
    url: Text = Field(description='Its address; "$NAME" reads it from the environment.')
    query: Text | None = Field(None, description="A GraphQL query; it is posted, with `parameters` as its variables.")
    parameters: dict[Text, str | int | float | bool] = Field(
        default_factory=dict, description="Parameters of the address, or variables of the query."
    )
    headers: dict[Text, Text] = Field(
        default_factory=dict, description='Headers to send; "$NAME" reads a value from the environment.'
    )
    rows: Text | None = Field(
        None, description='Where the rows lie in an answer: "data.swaps"; the answer itself if absent.'
    )
    columns: tuple[Column, ...] = Field(
        (),
        description="Columns to take: of rows that are objects their fields (token.symbol is token_symbol; all if "
        "empty), of rows that are lists the names of their values in order.",
    )
    paging: Literal["cursor", "last", "offset", "page"] | None = Field(
        None,
        description="How the next page is asked for: by a cursor that the answer holds, by a value of the last row, by "
        "how many rows there were, or by its number; one page if absent.",
    )
    parameter: Text | None = Field(None, description="The parameter that says which page: after, id_gt, skip, page.")
    cursor: Text | None = Field(
        None, description='Where it lies: in the answer ("pageInfo.endCursor"), or, with "last", the column of the row.'
    )
    first: Annotated[int, Field(strict=True, ge=0, le=LARGEST)] | None = Field(
        None, description='The first offset or page; by default 0 or 1. With "last" the first value, none if absent.'
    )
    most_pages: Positive = Field(10_000, description="More pages are refused.")
    types: dict[Text, Literal["integer", "number", "text", "boolean", "time"]] = Field(
        default_factory=dict, description="Types of columns, where guessing them is not wanted."
    )
    folder: Text | None = Field(None, description="Where answers are kept; by default web/NAME in the project.")
    retries: Annotated[int, Field(strict=True, ge=0, le=20)] = Field(
        5, description="How often a page is tried again that fails or is limited (429, 5xx)."
    )
    timeout_seconds: Annotated[float, Field(strict=True, gt=0, le=SECONDS["w"])] = Field(
        60.0, description="Longest wait for one page."
    )
    requests_per_second: Positive | None = Field(None, description="Ask no more often than this.")

    @model_validator(mode="after")
    def _pages(self) -> WebSource:
        if (self.paging is None) != (self.parameter is None):
            raise ValueError("paging and parameter belong together: which parameter says which page?")
        if (self.paging in {"cursor", "last"}) != (self.cursor is not None):
            raise ValueError('cursor says where the next page\'s place lies; it belongs to paging = "cursor" or "last"')
        if self.first is not None and self.paging not in {"offset", "page", "last"}:
            raise ValueError('first belongs to paging = "offset", "page" or "last"')
        return self


class PackageSource(Source):
    """Data that an installed Python package carries."""

    kind: Literal["package"]
    load: Text | None = Field(
        None, description='A function without arguments, "module:function", such as "arch.data.sp500:load".'
    )
    file: Text | None = Field(None, description='A .csv or .parquet file inside a package, "package:path/in/it.csv".')
    arguments: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="Keyword arguments of the function."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> PackageSource:
        if (self.load is None) == (self.file is None):
            raise ValueError('give either load = "module:function" or file = "package:path"')
        if ":" not in (self.load or self.file or ""):
            raise ValueError("write it with a colon: MODULE:FUNCTION, or PACKAGE:PATH")
        return self


AnySource = Annotated[
    CryoSource | RpcSource | ParquetSource | CsvSource | SqlSource | WebSource | PackageSource,
    Field(discriminator="kind"),
]
