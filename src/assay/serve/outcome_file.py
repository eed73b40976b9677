"""`assay outcomes`: a file of what came of answers, brought whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.core import files, sheet
from assay.core.errors import AssayError
from assay.core.hashing import digest
from assay.record import answers
from assay.serve.errors import RequestMalformed
from assay.serve.outcomes import Brought, asked, bring

if TYPE_CHECKING:
    from pathlib import Path

    from assay.record.database import Database


def bring_file(database: Database, file: Path, *, who: str, correct: str | None = None) -> tuple[int, int]:
    """Keep the outcomes of a CSV file with the columns `answer` and `outcome`; (new, there already).

    It is looked through before anything is kept; where another process brings the same answers meanwhile, a line may
    still be refused, and the same file goes on from there. The file's digest is the idempotency key: the same file
    again changes nothing, also if it corrected and another one corrected since.

    Raises
    ------
    RequestMalformed, Conflict, AnswerEnded, Unknown
        As `assay.serve.outcomes.bring` says it, with the line; then no line is kept.
    """
    content = files.read(file)
    request = digest(content)
    lines = _read(file, content)
    given: dict[str, Brought] = {}
    for line, (name, text) in lines.items():
        try:
            one = Brought(_plain(database, name, text), who, request, correct)
            bring(database, name, one, look=True)
        except AssayError as error:
            raise type(error)(f"{file}, line {line}: {error.what}", error.todo) from None
        if given.setdefault(name, one) != one:
            raise RequestMalformed(f"{file}, line {line}: {name} has two outcomes", "Give each answer once.")
    new = sum(bring(database, name, one)[1] for name, one in given.items())
    return new, len(given) - new


def _read(file: Path, content: bytes) -> dict[int, tuple[str, str]]:
    try:
        rows = sheet.rows(content)
    except ValueError as error:
        raise RequestMalformed(f"{file}{error}", "Give a CSV file with the columns answer and outcome.") from None
    found = {}
    for line, row in rows:
        name, came = (row.get(column, "") for column in ("answer", "outcome"))
        if not name or not came:
            raise RequestMalformed(
                f"{file}, line {line}: there is no answer with an outcome",
                "Give the columns answer and outcome; leave out answers of which nothing is known.",
            )
        found[line] = (name, came)
    return found


def _plain(database: Database, name: str, text: str) -> Any:
    """A class as it is named, else a number, else the text."""
    _, classes = asked(database, answers.get(database, name).release)
    if text in classes:
        return text
    try:
        number = sheet.number(text)
    except ValueError:
        return text
    try:
        return int(text)
    except ValueError:
        return number
