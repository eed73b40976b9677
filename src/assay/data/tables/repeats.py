"""What is there more than once and should not be: times and contracts of one series, training rows among those that
test.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from assay.data.errors import Duplicated
from assay.task import series

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import polars as pl

_CHANCE = 10.0
"""Copies that chance makes of columns that know nothing of each other; of real ones it makes some more."""
_POSSIBLE = 100
"""Rows that the columns' values could make, for each row there is: below that, equal rows are no copies."""


def refuse_times(rows: pl.DataFrame, time: str, table: str, target: str) -> None:
    """Raise Duplicated if two rows of one series are of the same time; the message says which, and what to do."""
    again = rows[time].is_duplicated()
    if not again.any():
        return
    apart = series.apart(rows, time, target)
    todo = f'If they are several series, name what tells them apart: [data] entity = "{apart}".' if apart else ""
    copies = rows.is_duplicated()
    if not apart and bool(copies.any()):
        todo = "Some of them are copies of each other: remove those."
    parts = [name for name in series.clocks(rows.columns) if name != time]
    if not todo and parts:
        holds = f"{' and '.join(parts[:3])} {'holds' if len(parts) == 1 else 'hold'}"
        todo = f"If {holds} a part of the time, make one column of it all."
    raise Duplicated(
        _said(rows, time, again, table),
        f"{todo or 'Name what tells series apart in [data] entity.'} Or gather rows by [data.bars], or write "
        '[data] may_repeat = ["times"] if their order within a moment is known.',
    )


def refuse_joined(rows: pl.DataFrame, time: str, on: Sequence[str], table: str) -> None:
    """Raise Duplicated if two rows of a joined table have one time and equal keys: it is not said which counts."""
    import polars as pl

    again = rows.select(pl.struct(*on, time).is_duplicated()).to_series()
    if again.any():
        raise Duplicated(
            _said(rows, time, again, table) + ", and only one can be joined",
            'Join by what tells its series apart (`on`), or write [data] may_repeat = ["times"]: the last then counts.',
        )


def one_series(frames: Iterable[pl.DataFrame], columns: Sequence[str], table: str, into: str) -> Iterator[pl.DataFrame]:
    """The frames, if each of these columns has one value in all their rows; raises Duplicated if not.

    Parameters
    ----------
    frames
        Rows of a table that is taken for one series.
    columns
        Those that would tell several apart, as `series.telling` finds them.
    table
        The table's name.
    into
        What its rows are made into, for the message.
    """
    import polars as pl

    first: dict[str, Any] = {}
    for frame in frames:
        for column in columns:
            values = frame[column].drop_nulls()
            if not len(values):
                continue
            one = first.setdefault(column, values[0])
            other = values.filter(values.to_frame().select(pl.all() != pl.lit(one)).to_series())
            if len(other):
                raise Duplicated(
                    f"rows of several series are in {table}, and go into {into}: {_value(one)} and {_value(other[0])} "
                    f"in {column}",
                    f'Name what tells them apart, [data] entity = "{column}", or choose one (`contract` of the event, '
                    '`where` of the source); if all of them together are meant, write [data] may_repeat = ["series"].',
                )
        yield frame


def _value(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else f"{value!s:.44}"


def _said(rows: pl.DataFrame, time: str, again: pl.Series, table: str) -> str:
    count = rows[time].filter(again).n_unique()
    first = rows[time].filter(again)[0]
    places = (again & (rows[time] == first)).arg_true().head(2)
    times = f"{count} times of {time} are" if count > 1 else f"one time of {time} is"
    return f"{times} in {table} more than once (first {first}, in rows {places[0] + 1} and {places[-1] + 1})"


def copied(rows: pl.DataFrame, columns: Sequence[str], *, split: str) -> tuple[int, int, bool]:
    """Count rows that validate or test and have an equal row, label included, among those that train.

    Parameters
    ----------
    rows
        Finished rows.
    columns
        Features and target.
    split
        The column of the parts.

    Returns
    -------
    copies, judged, by_chance
        How many there are, of how many rows, and whether few values explain them.
    """
    import polars as pl

    train = rows.filter(pl.col(split) == "train").select(columns)
    judged = rows.filter(pl.col(split).is_in(["validation", "test"])).select(columns)
    equal = judged.join(train.unique(), on=list(columns), how="semi", nulls_equal=True)
    if not equal.height:
        return 0, judged.height, True
    return equal.height, judged.height, _by_chance(rows.select(columns), equal.height, train.height * judged.height)


def _by_chance(rows: pl.DataFrame, copies: int, pairs: int) -> bool:
    """Whether rows of so few values would be equal anyway: if not much oftener than columns that know nothing of each
    other agree.
    """
    distinct = rows.unique()
    parts = [name for name in rows.columns if _has_fractions(rows[name])]
    possible = math.prod(float(distinct[name].n_unique()) for name in rows.columns)
    if not parts and possible <= _POSSIBLE * rows.height:
        return True
    # Copies make the values of a continuous column repeat, so that is looked at in rows that are no copies.
    agree = math.prod(_agreement(distinct[name], apart=1) for name in parts)
    agree *= math.prod(_agreement(rows[name], apart=0) for name in rows.columns if name not in parts)
    return copies <= _CHANCE * pairs * agree


def _has_fractions(values: pl.Series) -> bool:
    return values.dtype.is_float() and not bool((values == values.round()).all())


def _agreement(values: pl.Series, apart: int) -> float:
    """The chance that two rows have the same value of a column; with `apart` = 1, two that are not the same row."""
    counts: Any = values.value_counts()["count"].cast(float)
    return float((counts * (counts - apart)).sum()) / max(len(values) * (len(values) - apart), 1)
