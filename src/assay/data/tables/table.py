"""A table that is read in parts, so that no more than one part is ever in memory."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.data.errors import Duplicated, ExpressionInvalid, SourceEmpty, SourceUnreadable, TimeBackwards
from assay.data.expressions import check, evaluated
from assay.data.expressions.failures import Behind, Failure, uncomputable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    import polars as pl

    from assay.data.errors import DataError
    from assay.data.tables.gates import Gate

PART_ROWS = 500_000
TIME = "time"


@dataclass(frozen=True)
class Table:
    """Rows in an order, in parts.

    Attributes
    ----------
    name
        What the task calls it.
    parts
        The rows, lazily: each part holds at most about `PART_ROWS` rows, and they follow each other in order.
    order
        Columns whose values never fall from one row to the next: ("block_number", "log_index") or a time.
    digest
        SHA-256 of what the source holds; equal content gives an equal digest wherever it lies.
    path
        Where it is, for messages.
    time
        The time column, of type Datetime in UTC; None if it has none.
    gates
        Checks that every part passes when it is read.
    empty
        Says what is wrong if the table has no rows.
    within
        The column that tells series apart, if the order is that of each series by itself.
    notes
        What was found out, and not said by the task, while the table was opened.
    again
        Computes expressions of the rows once more, to raise ExpressionInvalid with the row's number (`explaining`).
    """

    name: str
    parts: tuple[pl.LazyFrame, ...]
    digest: str
    path: str
    order: tuple[str, ...] = ()
    time: str | None = None
    gates: tuple[Gate, ...] = ()
    empty: Callable[[], DataError] | None = None
    within: str | None = None
    notes: tuple[str, ...] = ()
    again: Callable[[], None] | None = None

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return [name for name in self.schema.names() if not name.startswith("\x00")]

    @property
    def log_order(self) -> bool:
        """Whether rows are logs in the chain's order, in which no two have the same place."""
        return self.order[-1:] == ("log_index",)

    @property
    def schema(self) -> pl.Schema:
        """Columns and their types."""
        return self.parts[0].collect_schema()

    def map(self, change: Callable[[pl.LazyFrame], pl.LazyFrame]) -> Table:
        """The table with every part changed, row by row."""
        return replace(self, parts=tuple(change(part) for part in self.parts))

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Give the parts in order; parts without rows are left out.

        Raises
        ------
        SourceUnreadable
            If a file is cut short or damaged.
        """
        wanted = list(self.columns if columns is None else columns)
        needed = list(dict.fromkeys([*wanted, *(name for gate in self.gates for name in gate.needs)]))
        rows = 0
        for part in self.parts:
            with self.rows_named():
                frame = collect(part.select(needed), self.path, before=rows)
            rows += frame.height
            for gate in self.gates:
                frame = gate.passed(frame)
            if frame.height:
                yield frame.select(wanted)

    def explaining(self, made: Table, expressions: Mapping[str, str], where: str) -> Table:
        """`made`, in which these expressions of this table's rows are computed: what they cannot be computed for is
        named by its row here.

        polars computes them while it reads, a file or a piece of one at a time, so that only this table's own parts
        say which row it was.
        """

        def again() -> None:
            if self.again is not None:
                self.again()
            named = sorted(set().union(*(check(sql, self.columns, where) for sql in expressions.values())))
            rows = 0
            for frame in self.batches(named or self.columns[:1]):
                evaluated(frame, expressions, Behind.of(where, rows))
                rows += frame.height

        return replace(made, again=again)

    @contextmanager
    def rows_named(self) -> Iterator[None]:
        """Where an expression cannot be computed, say for which row."""
        try:
            yield
        except ExpressionInvalid:
            if self.again is not None:
                self.again()
            raise

    def frame(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows at once, in order.

        Raises
        ------
        SourceEmpty
            If there are none.
        SourceUnreadable
            If a file is cut short or damaged.
        """
        import polars as pl

        found = list(self.batches(columns))
        if not found:
            raise self.nothing()
        return pl.concat(found, rechunk=True)

    def ordered(self, columns: Sequence[str] | None = None, *, unique: bool = False) -> Iterator[pl.DataFrame]:
        """Give the parts, and stop where the order is broken.

        Raises
        ------
        TimeBackwards
            If a row comes before the one ahead of it.
        Duplicated
            If `unique`, and two rows are at the same place of the order.
        """
        import polars as pl

        last: pl.DataFrame | None = None
        rows = 0
        for frame in self.batches(columns):
            place = frame.select(*self.order, *([self.within] if self.within else []))
            joined = place if last is None else pl.concat([last, place])
            falls = first_fall(joined, unique=unique, within=self.within)
            if falls is not None:
                raise self._broken(joined, falls, rows - (0 if last is None else last.height), unique=unique)
            # The last row, or that of each series.
            last = joined.tail(1) if self.within is None else joined.filter(pl.col(self.within).is_last_distinct())
            rows += frame.height
            yield frame

    def nothing(self) -> DataError:
        """The error for a table without rows."""
        if self.empty is not None:
            return self.empty()
        return SourceEmpty(f"{self.name} has no rows ({self.path})", "Check its path, its `where` and its blocks.")

    def _broken(self, place: pl.DataFrame, at: int, offset: int, *, unique: bool) -> TimeBackwards | Duplicated:
        before, here = row_before(place, at, self.within), place.row(at)
        if unique and before == here:
            shown = ", ".join(f"{name} {value}" for name, value in zip(self.order, here, strict=True))
            return Duplicated(
                f"{self.name} has {shown} more than once (row {offset + at + 1} of {self.path})",
                "Remove the copy, or collect those blocks again.",
            )
        return TimeBackwards(
            f"{self.name} goes backwards in {self.order[0]} at row {offset + at + 1} of {self.path}: "
            f"{here[0]} after {before[0]}",
            "Sort it, or add a check with rule increasing and on_fail repair:sort.",
        )


def first_fall(place: pl.DataFrame, *, unique: bool = False, within: str | None = None) -> int | None:
    """The first row whose values, read as one word, are below (with `unique`: not above) the row before's.

    With `within`, one of the columns, the row before is the one before of equal value there.
    """
    import polars as pl

    falls = pl.lit(value=False)
    equal = pl.lit(value=True)
    for name in place.columns:
        if name == within:
            continue
        column = pl.col(name)
        before = column.shift(1) if within is None else column.shift(1).over(within)
        falls |= equal & (column < before)
        equal &= column == before
    if unique:
        falls |= equal
    found = place.select(falls.fill_null(value=False).arg_true().first()).item() if place.height > 1 else None
    return None if found is None else int(found)


def row_before(place: pl.DataFrame, at: int, within: str | None) -> tuple[Any, ...]:
    """The row that `first_fall` compared the row `at` with."""
    import polars as pl

    earlier = place.head(at)
    return (earlier if within is None else earlier.filter(pl.col(within) == place[within][at])).row(-1)


def collect(part: pl.LazyFrame, path: str, *, before: int = 0) -> pl.DataFrame:
    """Read a part, `before` it so many rows; what polars says of a damaged file becomes SourceUnreadable."""
    import polars as pl

    try:
        # Not the streaming engine: the order of its sums depends on the number of cores.
        # In one piece, so that what is computed of it counts its rows from the first.
        return part.collect(engine="in-memory").rechunk()
    except Failure as failure:
        raise failure.error(before) from None
    except pl.exceptions.ColumnNotFoundError:
        raise  # not the file's fault: columns are looked for by name before
    except (pl.exceptions.InvalidOperationError, pl.exceptions.SchemaError) as error:
        raise uncomputable(f"an expression over the rows of {path}", error) from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise unreadable(path, error) from None


def unreadable(path: str | Path, error: BaseException) -> SourceUnreadable:
    """Say that a file is damaged, in one line."""
    said = " ".join(str(error).split())[:120]
    return SourceUnreadable(
        f"cannot read {path}: it is cut short, damaged or of another kind ({said})", "Get it again."
    )
