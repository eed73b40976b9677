"""What encoders and indicators make of a row, by asking the pipeline itself.

A column that an encoder makes depends on one category of the row alone, and an indicator's on whether a value is
missing. So each is a table: its value for every category, for one that training did not know, and for a missing value.
The tables are what the pipeline's own `transform` gives for such rows, whatever its steps round, drop or group.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.categorical import Category, Values
from assay.transpile.errors import ModelUnsupported
from assay.transpile.importers.wrappers import steps_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assay.transpile.pipelines.routes import Route

    Floats = NDArray[np.float64]

_UNKNOWN = "\x00no category"


@dataclass(frozen=True)
class Table:
    """One column that the model reads, whose source is a category or may be missing.

    Attributes
    ----------
    values
        By the code of the category, the last one for unknown ones where the pipeline takes them; of an indicator the
        one value that it has for every number; empty for a column of numbers.
    missing
        Its value where the source is missing; None where the pipeline refuses that.
    """

    values: Floats
    missing: float | None


class Given:
    """Rows as the pipeline takes them, of numbers and categories; and what the last step gets for them."""

    def __init__(self, model: Any, names: list[str], ways: Sequence[Route]) -> None:
        self._model, self._names = model, names
        self._named = getattr(steps_of(model)[0], "feature_names_in_", None) is not None
        self.known = _known(ways)
        self._base = {source: known[0] for source, known in self.known.items()}
        self.sparse = False
        """Whether the last step gets sparse rows, in which zeros are not written."""

    def transformed(self, rows: NDArray[Any], changed: dict[int, list[Any]] | None = None) -> Floats:
        """What the last step gets for rows of numbers (rows, F), with these columns in place of theirs."""
        columns = {source: [value] * len(rows) for source, value in self._base.items()} | (changed or {})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self._model[:-1].transform(self._made(rows, columns))
        self.sparse = hasattr(found, "toarray")
        return np.asarray(found.toarray() if self.sparse else found)

    def _made(self, rows: NDArray[Any], columns: dict[int, list[Any]]) -> Any:
        if self._named:
            import pandas as pd

            content = {name: columns.get(index, rows[:, index]) for index, name in enumerate(self._names)}
            # A column of nothing but missing texts would be one of numbers.
            words = [self._names[index] for index, known in self.known.items() if isinstance(known[0], str)]
            return pd.DataFrame(content).astype(dict.fromkeys(words, object))
        if not columns:
            return rows
        texts = any(isinstance(value, str | None) for column in columns.values() for value in column)
        made = rows.astype(object) if texts else rows.copy()
        for index, column in columns.items():
            made[:, index] = column
        return made


def tables(given: Given, ways: Sequence[Route], width: int) -> dict[int, Table]:
    """The table of each column whose source is a category, or has an indicator; by its place.

    Raises
    ------
    ModelUnsupported
        A column is taken for a number and for a category.
    """
    found: dict[int, Table] = {}
    for source in sorted({way.source for way in ways if way.coded}):
        places = [place for place, way in enumerate(ways) if way.source == source]
        known = given.known.get(source)
        if known is not None and not all(ways[place].coded for place in places):
            raise ModelUnsupported(
                "the pipeline takes one column for numbers and for categories", "Give it as two columns."
            )
        asked = [0.0] if known is None else [*known]
        if known is not None and not refuses(ways, source):
            asked.append(_unknown(known))
        values = given.transformed(np.zeros((len(asked), width)), {source: asked})
        missing = _missing(given, source, width)
        for place in places:
            absent = None if missing is None else float(missing[place])
            found[place] = Table(values[:, place] if ways[place].coded else np.zeros(0), absent)
    return found


def refuses(ways: Sequence[Route], source: int) -> bool:
    """Whether an encoder refuses categories of this column that it does not know."""
    return any(way.refuses for way in ways if way.source == source)


def values_of(ways: Sequence[Route], given: Given) -> dict[int, Values]:
    """The categories of each column that has some: a code is a place among them, and unknown ones have the next."""
    return {
        source: Values(tuple(known), "refuse" if refuses(ways, source) else "apart", in_arrays=True)
        for source, known in given.known.items()
    }


def regions(sides: Sequence[bool], missing: bool) -> Category:  # noqa: FBT001 - one more side
    """A split of codes 0, 1, ... that sends each to its side, with a place for missing values on theirs."""
    ends = [at for at in range(1, len(sides)) if sides[at] != sides[at - 1]]
    thresholds, found = [at - 0.5 for at in ends], [sides[0], *(sides[at] for at in ends)]
    if missing not in found:
        return Category((-0.5, *thresholds), (missing, *found))
    return Category(tuple(thresholds), tuple(found))


def _known(ways: Sequence[Route]) -> dict[int, list[Any]]:
    """The categories of each column that an encoder reads, in the order of the first encoder."""
    found: dict[int, dict[tuple[bool, Any], Any]] = {}
    for way in ways:
        for value in way.known or ():
            found.setdefault(way.source, {}).setdefault((isinstance(value, bool), value), value)
    return {source: list(known.values()) for source, known in found.items()}


def _unknown(known: Sequence[Any]) -> Any:
    if isinstance(known[0], str):
        return _UNKNOWN
    return max(float(value) for value in known) + 1.0


def _missing(given: Given, source: int, width: int) -> Floats | None:
    """What the last step gets where a column's value is missing, written as pandas does or as None; None if it is
    refused.
    """
    for absent in (float("nan"), None):
        try:
            return np.asarray(given.transformed(np.zeros((1, width)), {source: [absent]})[0])
        except (ValueError, TypeError):
            continue
    return None
