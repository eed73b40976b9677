"""What a command says: results on standard output, progress and errors on standard error."""

from __future__ import annotations

import json as json_module
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assay.cli import interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from assay.core.errors import AssayError


# What moves a terminal's cursor, turns the direction of writing or is no character: strangers' files have it in names.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Output:
    """Where one command's words go.

    With `json`, standard output carries one JSON object and nothing else.
    """

    def __init__(self, *, json: bool) -> None:
        self.json = json

    def result(self, fields: Mapping[str, Any], text: str) -> None:
        """Print the result: the fields as JSON, or the text for a person."""
        write(json_module.dumps(fields, allow_nan=False) if self.json else text)

    def table(self, fields: Mapping[str, Any], title: str, rows: list[tuple[str, str]]) -> None:
        """Print the result: the fields as JSON, or a two-column table for a person."""
        width = max((len(name) for name, _ in rows), default=0)
        self.result(fields, "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in rows)]))


def write(text: str) -> None:
    """Print a line on standard output."""
    sys.stdout.write(visible(text) + "\n")
    sys.stdout.flush()


@contextmanager
def progress(first: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner, the current step and the time it takes, on a terminal; elsewhere show nothing.

    Gives the function that names the next step.
    """
    if not sys.stderr.isatty():
        yield lambda _step: interruption.check()
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(first, total=None)

        def show(step: str) -> None:
            interruption.check()
            bar.update(task, description=step)

        yield show


def visible(text: str) -> str:
    """The text with what nobody sees in it written out: no file may write over what is said of it."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def warn(message: str) -> None:
    """Say on standard error what nobody should overlook, whatever is printed beside it."""
    sys.stderr.write(f"warning: {visible(message)}\n")
    sys.stderr.flush()


def complain(code: str, message: str, *, json: bool) -> None:
    """Say in one line why the command failed; with `json`, also as an object on standard output."""
    if json:
        write(json_module.dumps({"error": {"code": code, "message": message}}))
    sys.stderr.write(f"error[{code}]: {visible(message)}\n")
    sys.stderr.flush()


def complain_about(error: AssayError, *, json: bool) -> None:
    """Say in one line what an Assay error says."""
    if json:
        fields = {"code": error.code, "message": str(error), "what": error.what, "todo": error.todo}
        write(json_module.dumps({"error": fields | {"retry": error.retry}}))
    sys.stderr.write(f"error[{error.code}]: {visible(str(error))}\n")
    sys.stderr.flush()


def size(count: int) -> str:
    """Write a number of bytes for a person."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
