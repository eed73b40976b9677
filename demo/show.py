"""What the demo says while it runs: plain words on standard output, progress for what takes time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

_INDENT = (0, 0, 0, 3)


class Surprise(Exception):
    """Something that must not happen did: the demo stops and says so."""


class Show:
    """The console, and the seconds of every step.

    Attributes
    ----------
    seconds
        By step, in order.
    """

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @property
    def total(self) -> float:
        """Seconds since the demo began."""
        return time.perf_counter() - self._start

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time a step under a spinner; gives the function that says what is being done right now."""
        start = time.perf_counter()
        with self.console.status(f"{name} ...") as status:
            yield lambda doing: status.update(f"{name}: {doing} ...")
        self.seconds[name] = time.perf_counter() - start
        self.console.print(f"\n[bold]{len(self.seconds)}. {name}[/]  [dim]{self.seconds[name]:.1f} s[/]")

    def say(self, text: str) -> None:
        """Print a line or more below the step, indented."""
        self.console.print(Padding(text, _INDENT, expand=False))

    def line(self, text: str) -> None:
        """Print a line that is never broken, such as a path."""
        self.console.print(f"   {text}", soft_wrap=True)

    def table(self, columns: list[str], rows: list[list[str]], *, title: str | None = None) -> None:
        """Print a table; the first column is text and the others are aligned to the right."""
        table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
        for number, column in enumerate(columns):
            table.add_column(column, justify="left" if number == 0 else "right")
        for row in rows:
            table.add_row(*row)
        self.console.print(Padding(table, _INDENT, expand=False))
