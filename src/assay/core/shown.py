"""What an object says of itself: one line in a console, a small table in a notebook, never its whole content."""

from __future__ import annotations

from html import escape

_LONGEST = 300
_ROW = 200


class Shown:
    """Gives `__repr__` and `_repr_html_` to a class that says in `_facts` what is worth knowing of it.

    A data class that uses this is declared with `repr=False`, for else its own takes the place.
    """

    def _facts(self) -> list[tuple[str, str]]:
        """Names and values, the most telling first; made without work that takes long, and without errors."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Return one line of at most 300 characters."""
        said = ", ".join(f"{name} {value}" for name, value in self._facts())
        return f"<{_shortened(f'{type(self).__name__}: {said}', _LONGEST - 2)}>"

    def __str__(self) -> str:
        """Return the same line."""
        return repr(self)

    def _repr_html_(self) -> str:
        """Return a table for a notebook; nothing in it is taken for markup."""
        rows = "".join(
            f'<tr><th style="text-align: left">{escape(name)}</th>'
            f'<td style="text-align: left">{escape(_shortened(value, _ROW))}</td></tr>'
            for name, value in self._facts()
        )
        return f"<table><caption>{escape(type(self).__name__)}</caption>{rows}</table>"


class Told:
    """Gives `__repr__` and `_repr_html_` to a report whose `__str__` is what a person reads."""

    def __repr__(self) -> str:
        """Return the report's first line."""
        first = str(self).partition("\n")[0]
        return f"<{_shortened(f'{type(self).__name__}: {first}', _LONGEST - 2)}>"

    def _repr_html_(self) -> str:
        """Return the report as a notebook shows it."""
        return f"<pre>{escape(str(self))}</pre>"


def _shortened(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."
