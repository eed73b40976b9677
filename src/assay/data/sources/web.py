"""The rows of a web service, page by page. Each answer is kept, so that nothing is asked twice."""

from __future__ import annotations

import csv
import io
import json
import time
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from assay.core import documents, files
from assay.core.errors import ArtefactDamaged
from assay.core.hashing import digest
from assay.core.jsontext import parse
from assay.data.errors import ColumnMissing, SettingsUnfit, SourceEmpty, SourceUnreadable, WebRefused, WebUnreachable
from assay.data.sources.context import from_environment
from assay.data.sources.csv import open_csv
from assay.data.sources.http import Client, host_of
from assay.task.sources import CsvSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assay.data.sources.context import Context
    from assay.data.tables.table import Table
    from assay.task.sources import WebSource

PLAN_FILE, ROWS_FILE = "collection.json", "rows.csv"
_SHAPE = ("url", "query", "parameters", "rows", "paging", "parameter", "cursor", "first")
_END = object()
"""What stands for the place of no further page."""


class Plan(BaseModel):
    """The content of collection.json.

    Attributes
    ----------
    asked
        SHA-256 of what determines the answers.
    pages
        How many there are; None until the last has come.
    """

    model_config = ConfigDict(strict=True)

    schema_: str = Field("assay-web/1", alias="schema", pattern=r"^assay-web/1$")
    asked: str
    pages: int | None = None


def open_web(spec: WebSource, context: Context) -> Table:
    """Collect what is missing and open the rows.

    Raises
    ------
    WebUnreachable, WebRefused
        If the service does not answer, or answers with an error; pages before it are kept.
    SourceUnreadable, ColumnMissing, SourceEmpty
        If the answers hold no rows where the task says.
    SettingsUnfit
        If the folder holds the answers to something else.
    """
    folder = place(spec, context)
    plan = _plan(spec, folder)
    rows: list[Any] = []
    for answer in _collected(spec, context, folder, plan):
        page = _rows(spec, answer)
        # Asked for what begins at the last row, a service gives that row again.
        again = spec.paging == "last" and bool(rows) and page[:1] == rows[-1:]
        rows += page[again:]
    if not rows:
        raise SourceEmpty(f"[[data.sources]] {spec.name}: the service gives no rows", "Check `parameters` and `rows`.")
    files.write(folder / ROWS_FILE, _as_csv(spec, rows))
    kept = CsvSource.model_validate(
        {"name": spec.name, "kind": "csv", "path": str(folder / ROWS_FILE), "types": spec.types, "missing": ("",)}
    )
    return open_csv(kept.model_copy(update={"key": spec.key}), context)


def place(spec: WebSource, context: Context) -> Path:
    """The folder of a source's answers."""
    return context.path(spec.folder) if spec.folder is not None else context.project / "web" / spec.name


def _plan(spec: WebSource, folder: Path) -> Plan:
    asked = digest(json.dumps(spec.model_dump(mode="json", include=set(_SHAPE)), sort_keys=True).encode())
    file = folder / PLAN_FILE
    if not file.is_file():
        return Plan(schema="assay-web/1", asked=asked)
    kept = documents.read(file, Plan, damaged=ArtefactDamaged, todo="Remove the folder to collect anew.")
    if kept.asked != asked:
        raise SettingsUnfit(
            f"{folder} holds the answers to another query than the task has now",
            "Give the source another `folder`, or remove that one to collect anew.",
        )
    return kept


def _collected(spec: WebSource, context: Context, folder: Path, plan: Plan) -> Iterator[Any]:
    """Every answer in order: those that are kept, then those that are asked for."""
    client = Client(timeout=spec.timeout_seconds, retries=spec.retries)
    at: Any = _start(spec)
    seen: set[str] = set()
    number = 0
    while at is not _END:
        number += 1
        if number > spec.most_pages:
            todo = "Raise it, or check `paging`: does the service know the parameter?"
            raise WebRefused(f"{spec.name} has more than most_pages = {spec.most_pages} pages", todo)
        file = folder / f"{number:06}.json"
        answer = _kept(file)
        if answer is None:
            context.progress(f"Collecting page {number} of {spec.name}")
            answer = _asked(spec, client, at)
            _rows(spec, answer)  # an answer without rows is not kept
            files.write(file, json.dumps(answer) + "\n")
            files.write(folder / PLAN_FILE, plan.model_dump_json(by_alias=True, exclude_none=True) + "\n")
        yield answer
        at = _next(spec, answer, at)
        if at is not _END and repr(at) in seen:
            todo = "Check `cursor` and `parameter`: does the service know the parameter?"
            raise WebRefused(f"page {number} of {spec.name} says that the next is at {at!r:.40}, as one before", todo)
        seen.add(repr(at))
        if plan.pages == number:
            return
    done = plan.model_copy(update={"pages": number})
    files.write(folder / PLAN_FILE, done.model_dump_json(by_alias=True) + "\n")


def _kept(file: Path) -> Any:
    try:
        return parse(files.read(file)) if file.is_file() else None
    except ValueError:
        return None  # cut short: it is asked for again


def _start(spec: WebSource) -> Any:
    """Where the first page is: None if that need not be said."""
    if spec.paging in {"offset", "page"} and spec.first is None:
        return 0 if spec.paging == "offset" else 1
    return spec.first


def _next(spec: WebSource, answer: Any, at: Any) -> Any:
    """Where the next page is, `_END` if there is none."""
    if spec.paging is None:
        return _END
    rows = _rows(spec, answer)
    if spec.paging == "cursor":
        found = _at(answer, str(spec.cursor))
        return _END if found in (None, "", False) else found
    if not rows:
        return _END
    if spec.paging == "last":
        row = _flat(spec, rows[-1])
        if spec.cursor not in row:
            raise _no_column(spec, str(spec.cursor), row)
        return _END if row[spec.cursor] == at else row[spec.cursor]
    return at + (len(rows) if spec.paging == "offset" else 1)


def _asked(spec: WebSource, client: Client, at: Any) -> Any:
    """One page; the address may hold a key, so messages name the host only."""
    import requests

    where = f"[[data.sources]] {spec.name}"
    url = from_environment(spec.url, f"{where}: url")
    if not url.startswith(("http://", "https://")):
        raise SettingsUnfit(f"{where}: url is no address of a web service", "It starts with https:// or http://.")
    headers = {name: from_environment(value, f"{where}: headers") for name, value in spec.headers.items()}
    given = dict(spec.parameters) | ({str(spec.parameter): at} if spec.parameter and at is not None else {})
    host = host_of(url)
    if spec.requests_per_second is not None:
        time.sleep(1 / spec.requests_per_second)
    try:
        if spec.query is not None:
            body = {"query": spec.query, "variables": given}
            reply = client.session.post(url, json=body, headers=headers, timeout=client.timeout)
        else:
            reply = client.session.get(url, params=_texts(given), headers=headers, timeout=client.timeout)
        content = reply.content
    except requests.exceptions.RequestException as error:
        what = f"{host} gives no whole answer ({type(error).__name__})"
        raise WebUnreachable(what, "What was collected is kept: run it again later.") from None
    if not reply.ok:
        said = " ".join(reply.text.split())[:100]
        limited = reply.status_code == 429
        todo = "What was collected is kept: run it again later, with a lower requests_per_second." if limited else ""
        raise WebRefused(f"{host} answers {reply.status_code}: {said}", todo or "Check url, parameters and headers.")
    return _json(content, host)


def _texts(given: dict[str, Any]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def _json(content: bytes, host: str) -> Any:
    """The answer; GraphQL says what is wrong inside it."""
    try:
        answer = parse(content)
    except ValueError as error:
        raise WebRefused(f"{host} answers with something else than JSON ({error!s:.60})", "Check url.") from None
    if isinstance(answer, dict) and answer.get("errors"):
        said = " ".join(json.dumps(answer["errors"]).split())[:160]
        raise WebRefused(f"{host} refuses the query: {said}", "Check query and parameters.")
    return answer


def _at(answer: Any, path: str) -> Any:
    """What lies at a dotted path, None if nothing does."""
    for name in path.split("."):
        if isinstance(answer, list) and name.isdigit() and int(name) < len(answer):
            answer = answer[int(name)]
        elif isinstance(answer, dict):
            answer = answer.get(name)
        else:
            return None
    return answer


def _rows(spec: WebSource, answer: Any) -> list[Any]:
    found = answer if spec.rows is None else _at(answer, spec.rows)
    if not isinstance(found, list):
        keys = f" The answer has {', '.join(list(answer)[:8])}." if isinstance(answer, dict) else ""
        raise SourceUnreadable(
            f"[[data.sources]] {spec.name}: the answer has no list of rows at {spec.rows or 'its top'}",
            f"Say in `rows` where they lie.{keys}",
        )
    return found


def _flat(spec: WebSource, row: Any, before: str = "") -> dict[str, Any]:
    """A row as columns: the fields of an object in it become columns of its own."""
    if isinstance(row, list):
        if len(row) < len(spec.columns) or not spec.columns:
            raise SourceUnreadable(
                f"[[data.sources]] {spec.name}: a row is a list of {len(row)} values, and columns names "
                f"{len(spec.columns)}",
                "Name them in `columns`, in order.",
            )
        return dict(zip(spec.columns, row, strict=False))
    if not isinstance(row, dict):
        raise SourceUnreadable(f"[[data.sources]] {spec.name}: {row!r:.40} is no row", "Check `rows`.")
    flat: dict[str, Any] = {}
    for name, value in row.items():
        more = _flat(spec, value, f"{before}{name}_") if isinstance(value, dict) else {f"{before}{name}": value}
        if flat.keys() & more.keys():
            raise SourceUnreadable(
                f"[[data.sources]] {spec.name}: two fields of a row would be the column {next(iter(more))}",
                "Ask the service for one of them.",
            )
        flat |= more
    return flat


def _as_csv(spec: WebSource, rows: list[Any]) -> str:
    """All rows as a CSV file, which types are found from as in any other."""
    flat = [_flat(spec, row) for row in rows]
    names = list(spec.columns) or list(dict.fromkeys(name for row in flat for name in row))
    for name in spec.columns:
        if not any(name in row for row in flat):
            raise _no_column(spec, name, flat[0])
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for number, row in enumerate(flat, start=1):
        writer.writerow([_text(spec, name, row.get(name), number) for name in names])
    return text.getvalue()


def _text(spec: WebSource, name: str, value: Any, number: int) -> str:
    if isinstance(value, list | dict):
        raise SourceUnreadable(
            f"[[data.sources]] {spec.name}: {name} of row {number} holds several values", "Leave it out: `columns`."
        )
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool | float) else str(value)


def _no_column(spec: WebSource, name: str, row: dict[str, Any]) -> ColumnMissing:
    shown = ", ".join(list(row)[:12])
    return ColumnMissing(f"[[data.sources]] {spec.name}: no row has a field {name}", f"A row has {shown}.")
