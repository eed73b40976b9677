"""`Task.load`: from the text of a `task.toml` to a `Task`, or to an error that says where and what instead."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from assay.core import files
from assay.core.errors import ArtefactVersion, WrongKindOfFile
from assay.task.errors import TaskField, TaskUnreadable
from assay.task.positions import Path, line_of, positions
from assay.task.schema import fields_at
from assay.task.task import Task

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

_QUOTED = re.compile(r"'([^']*)'")
_SHAPES = {
    "tuple_type": "list",
    "list_type": "list",
    "model_type": "table",
    "model_attributes_type": "table",
    "dict_type": "table",
}
_SUBJECT = {"int": "a whole number", "float": "a number", "string": "text", "bool": "true or false"}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a field.

    Attributes
    ----------
    path
        The field in the file.
    field
        As a person writes it, such as "[limits] gas" or "[[data.sources]] 2: kind".
    line
        Of the file, counted from 1; None where the file has nothing near it.
    what, todo
        What is wrong, and what is allowed.
    kind
        Pydantic's word for it.
    """

    path: Path
    field: str
    line: int | None
    what: str
    todo: str
    kind: str


def read(path: pathlib.Path) -> Task:
    """Read the task at `path`; raises as `Task.load` does."""
    if path.is_dir():
        raise WrongKindOfFile(f"{path} is a folder, and a task is a file", "Move it away, or name another project.")
    content = files.read(path)
    try:
        text = content.decode("utf-8-sig")
        raw = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise TaskUnreadable(f"{path} is not UTF-8 text (byte {error.start})", "Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise TaskUnreadable(f"{path} is not TOML: {error}", "Correct that line.") from None
    except ValueError as error:
        raise TaskUnreadable(
            f"{path} holds what cannot be read ({str(error).split(':')[0]:.80})", "Correct it."
        ) from None
    except RecursionError:
        raise TaskUnreadable(f"{path} is nested too deeply", "Write it as `assay init` does.") from None
    return parse(raw, text, str(path))


def parse(raw: dict[str, Any], text: str, name: str) -> Task:
    """Make a task of a parsed TOML document; `text` gives the lines and `name` the file for messages."""
    schema, own = raw.get("schema"), Task.model_fields["schema_"].default
    if isinstance(schema, str) and schema != own and schema.startswith("assay-task/"):
        # Before any field is looked at: those of another version may be others.
        raise ArtefactVersion(f"{name} has the format {schema:.40}, and {own} is read", f'Write schema = "{own}".')
    try:
        return Task.model_validate(raw)
    except ValidationError as error:
        raise _refusal(problems(error.errors(include_url=False), raw, text), name) from None


def problems(details: Iterable[ErrorDetails], raw: dict[str, Any], text: str) -> list[Problem]:
    """Say pydantic's complaints in terms of the file, in the order of its lines."""
    found = positions(text)
    listed = _causes([_problem(detail, raw, found) for detail in details])
    # A union complains once for each of its members; one complaint a field is enough.
    once = {(problem.line, problem.field): problem for problem in reversed(listed)}
    return sorted(once.values(), key=lambda problem: problem.line or 0)


def _causes(listed: list[Problem]) -> list[Problem]:
    """Without what follows from another mistake: a misspelt field is missing, a list is short of a refused element."""
    spelt = {(problem.path[:-1], problem.todo) for problem in listed if problem.kind == "extra_forbidden"}
    causes = [
        problem
        for problem in listed
        if problem.kind != "too_short"
        and not (
            problem.kind == "missing"
            and any(
                table == problem.path[:-1] and todo.startswith(f"Did you mean {problem.path[-1]}?")
                for table, todo in spelt
            )
        )
    ]
    return causes or listed


def nearest(name: str, allowed: Iterable[str]) -> str:
    """A question that suggests the closest allowed name, or nothing."""
    close = get_close_matches(name, list(allowed), n=1, cutoff=0.55)
    return f"Did you mean {close[0]}?" if close else ""


def _refusal(listed: list[Problem], name: str) -> TaskField:
    first, *others = listed
    where = f"{name}, line {first.line}" if first.line else name
    more = ""
    if others:
        lines = ", ".join(f"{problem.field} (line {problem.line})" for problem in others[:5])
        more = f" Then also look at {lines}{' and more' * (len(others) > 5)}."
    return TaskField(f"{where}: {first.field} {first.what}", f"{first.todo}{more}")


def _problem(detail: ErrorDetails, raw: dict[str, Any], found: dict[Path, int]) -> Problem:
    path = _in_file(detail["loc"], raw, missing=detail["type"] == "missing")
    if detail["type"] == "union_tag_invalid":
        path = (*path, _QUOTED.findall(detail["ctx"]["discriminator"])[0])
    what, todo = _said(detail, path, raw)
    return Problem(path, written(path), line_of(found, path), what, todo, detail["type"])


def _in_file(loc: tuple[str | int, ...], raw: Any, *, missing: bool) -> Path:
    """The path in the file: pydantic's without the names of union members."""
    path: list[str | int] = []
    place = raw
    for index, part in enumerate(loc):
        if _has(place, part):
            place = place[part]
        elif not (missing and index == len(loc) - 1):
            continue
        path.append(part)
    return tuple(path)


def _has(place: Any, part: str | int) -> bool:
    if isinstance(place, dict):
        return part in place
    return isinstance(place, list) and isinstance(part, int) and part < len(place)


def written(path: Path) -> str:
    """A path as a person finds it in the file: "[limits] gas", "[[data.sources]] 2: kind"."""
    if not path:
        return "the file"
    if len(path) == 1:
        return str(path[0])
    *table, field = path
    if isinstance(field, int):
        return f"[[{_dotted(table)}]] {field + 1}"
    if isinstance(table[-1], int):
        return f"[[{_dotted(table[:-1])}]] {table[-1] + 1}: {field}"
    return f"[{_dotted(table)}] {field}"


def _dotted(parts: Iterable[str | int]) -> str:
    return ".".join(str(part + 1 if isinstance(part, int) else part) for part in parts)


def _said(detail: ErrorDetails, path: Path, raw: dict[str, Any]) -> tuple[str, str]:
    """What is wrong, and what is allowed, in plain words."""
    kind, context = detail["type"], detail.get("ctx", {})
    shown = _shown(detail["input"])
    if kind == "extra_forbidden":
        fields = fields_at(path[:-1], raw)
        guess = nearest(str(path[-1]), fields)
        return "is not a field of a task", f"{guess} Allowed here: {', '.join(fields)}.".strip()
    if kind == "missing":
        return "is missing", _described(path, raw)
    if kind in {"literal_error", "union_tag_invalid"}:
        allowed = _QUOTED.findall(str(context.get("expected", context.get("expected_tags", ""))))
        given = context["tag"] if kind == "union_tag_invalid" else detail["input"]
        spelt = ", ".join(f'"{value}"' for value in allowed)
        return f"is {_shown(given)}", f"{nearest(str(given), allowed)} Allowed: {spelt}.".strip()
    if kind == "union_tag_not_found":
        field = str(context.get("discriminator", "kind")).strip("'")
        return f"does not say its {field}", f"Add {field} = ..., which decides what else stands there."
    if kind == "string_pattern_mismatch":
        return f"is {shown}, which it may not be", _described(path, raw)
    if kind == "value_error":
        return f"is not right: {context.get('error', detail['msg'])}", _described(path, raw)
    if kind in _SHAPES:
        return _misshapen(detail, path, raw)
    return f"is {shown}", _rule(detail)


def _misshapen(detail: ErrorDetails, path: Path, raw: dict[str, Any]) -> tuple[str, str]:
    """A table, a list or a single value where another of them belongs."""
    given, name = detail["input"], _dotted(path)
    if _SHAPES[detail["type"]] == "table":
        if any(isinstance(part, int) for part in path[:-1]):
            return f"is {_shown(given)}", f"It is a table: write {path[-1]} = {{...}}."
        header = f"[[{_dotted(path[:-1])}]]" if isinstance(path[-1], int) else f"[{name}]"
        return f"is {_shown(given)}", f"It is a table: write {header}, and its fields in the lines below."
    tables = bool(fields_at((*path, 0), raw))
    if isinstance(given, dict) and tables:
        return "is one table in single brackets, and there may be several", f"Write [[{name}]], in double brackets."
    todo = f"Write a table [[{name}]] for each." if tables else 'Write a list in brackets, such as ["a", "b"].'
    return f"is {_shown(given)}", todo


def _described(path: Path, raw: dict[str, Any]) -> str:
    about = fields_at(path[:-1], raw).get(str(path[-1]), "") if path else ""
    return f"It says: {about}" if about else ""


def _rule(detail: ErrorDetails) -> str:
    """Pydantic's own sentence ("Input should be greater than 0"), as advice."""
    for name, subject in _SUBJECT.items():
        if detail["type"] in {f"{name}_type", f"{name}_parsing", f"{name}_from_float"}:
            return f"Give {subject}."
    sentence = detail["msg"].removeprefix("Input should be").removeprefix("Value error,").strip()
    return f"It should be {sentence}." if detail["msg"].startswith("Input should be") else f"{detail['msg']}."


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
