"""`[serve]` and `[[outputs]]`: what the service keeps, and where each answer also goes."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, field_validator, model_validator

from assay.task.fields import Switch, seconds
from assay.task.sections import Name, Section

FOREVER = "forever"
State = Literal["received", "fixed", "proven", "answered", "settling", "settled", "expired", "refused", "cancelled"]
_NEEDS = {"postgresql": "url", "webhook": "url", "sqlite": "path", "duckdb": "path", "parquet": "path"}
_ONLY = {"url": {"postgresql", "webhook"}, "secret_file": {"webhook"}, "local": {"webhook"}}
_ONLY |= {"states": {"webhook"}, "alarms": {"webhook"}}
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]\w*\}?\Z")


class Serve(Section):
    """What the service does with what it is asked."""

    keep_rows: str = Field(
        FOREVER,
        description='How long the rows of questions are kept, from when they were asked, such as "30d" or "12h". Then '
        "rows, and proofs that show them, are deleted; their salted digests stay. A followed chain's rows stay.",
    )

    @field_validator("keep_rows")
    @classmethod
    def _is_a_duration(cls, text: str) -> str:
        if text != FOREVER:
            try:
                seconds(text)
            except ValueError as error:
                raise ValueError(f'{error}, or "{FOREVER}"') from None
        return text

    @property
    def keep_seconds(self) -> int | None:
        """The same in seconds; None for ever."""
        return None if self.keep_rows == FOREVER else seconds(self.keep_rows)


class OutputSpec(Section):
    """A table that has each answer as it now stands, by its id; or an address that is told of each that has ended."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = Field(
        description="What messages call it. Another target under the same name is filled from the beginning."
    )
    kind: Literal["postgresql", "sqlite", "duckdb", "parquet", "webhook"] = Field(description="What it is.")
    url: Name | None = Field(
        None,
        description='postgresql: postgresql://USER@HOST/NAME; webhook: https://...; or "$NAME" of the environment, '
        "where whatever is secret belongs, since this file is part of every release.",
    )
    path: Name | None = Field(None, description="sqlite, duckdb: the file; parquet: a folder, which gets a file a day.")
    table: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")] = Field(
        "answers", description="Name of the table. It is made where there is none."
    )
    rows: Switch = Field(
        default=False,
        description="Whether the answers' rows go there, too. Those that are forgotten are there as well.",
    )
    states: tuple[State, ...] = Field(
        ("answered", "settled", "expired", "refused", "cancelled"),
        description="webhook: the states that are told of.",
    )
    secret_file: Name | None = Field(
        None,
        description='webhook: a file, mode 0600, with the secrets that messages are signed with, "whsec_..." a line; '
        "where there are several, each signs, so that a new one can be brought in.",
    )
    alarms: Switch = Field(
        default=True, description="webhook: whether it is also told of the watch's alarms, and of their end."
    )
    local: Switch = Field(
        default=False,
        description="webhook: whether it may be on this machine or a private network, and without TLS; for tests.",
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        need = _NEEDS[self.kind]
        if getattr(self, need) is None:
            raise ValueError(f'kind = "{self.kind}" needs {need}')
        for field, kinds in {**_ONLY, "path": {"sqlite", "duckdb", "parquet"}}.items():
            if field in self.model_fields_set and self.kind not in kinds:
                raise ValueError(f'{field} is nothing of kind = "{self.kind}"')
        if self.kind == "webhook":
            if self.secret_file is None:
                raise ValueError('kind = "webhook" needs secret_file: messages that are not signed cannot be trusted')
            if "table" in self.model_fields_set or self.rows:
                raise ValueError("a webhook has no table and is never told of rows")
        if self.url is not None and not _VARIABLE.match(self.url):
            _require_no_secret(self.url)
        return self


def _require_no_secret(url: str) -> None:
    try:
        found = urlsplit(url)
        secret = found.password or (found.username and found.scheme in {"http", "https"})
    except ValueError as error:
        raise ValueError(f"url cannot be read: {error}") from None
    if secret:
        raise ValueError('url holds a secret, and this file is part of every release: write url = "$NAME"')
