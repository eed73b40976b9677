"""`@feature`: marks a Python function of a project as a feature, and says how far back it looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")
MARK = "__assay_feature__"


@dataclass(frozen=True)
class Marked:
    """What a function says of itself."""

    lookback: int = 0
    unit: str = ""


def feature(*, lookback: int = 0, unit: str = "") -> Callable[[F], F]:
    """Mark a function as a feature.

    The function takes the rows as a polars DataFrame, in the order of time, with every column of the table and
    the features before it; where there are several series, it is called with the rows of each. It returns one
    value a row, as a polars Series or expression or a numpy array. Row t's value may depend on rows up to t only;
    each build checks that by changing the rows after it.

    Parameters
    ----------
    lookback
        Rows before the first one that has a value; those rows are left out of the dataset.
    unit
        The feature's unit, for people.

    Examples
    --------
    >>> import polars as pl
    >>> from assay.data.features.decorator import feature
    >>> @feature(lookback=2)
    ... def range_of_three(rows):
    ...     return pl.col("high").rolling_max(3) - pl.col("low").rolling_min(3)
    """

    def mark(function: F) -> F:
        setattr(function, MARK, Marked(lookback, unit))
        return function

    return mark
