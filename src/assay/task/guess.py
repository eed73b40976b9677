"""What a file of rows says about itself: columns, the kind of its target, a column of times."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core import paths
from assay.core.errors import MissingLibrary
from assay.task import dialect as dialects
from assay.task import suspects
from assay.task.dialect import Dialect
from assay.task.errors import AnswerMissing
from assay.task.fields import MISSING
from assay.task.series import TimeLike, lately, time_like

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

_ROWS = 20_000
_MOST_CLASSES = 20


@dataclass(frozen=True)
class Rows:
    """The first rows of a file.

    Attributes
    ----------
    path
        Of the file.
    kind
        "csv" or "parquet".
    head
        The rows.
    dialect
        How a CSV is written.
    missing
        Texts of a CSV that mean: no value.
    """

    path: Path
    kind: str
    head: pl.DataFrame
    dialect: Dialect = field(default_factory=Dialect)
    missing: tuple[str, ...] = MISSING

    @property
    def cut(self) -> bool:
        """Whether the file may have more rows."""
        return self.head.height == _ROWS

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self.head.columns

    @cached_property
    def times(self) -> list[TimeLike]:
        """Columns that look like times, the likeliest first."""
        return time_like(self.head, end=lately())

    @property
    def numbers(self) -> list[str]:
        """Names of the columns that hold numbers."""
        return [name for name, dtype in self.head.schema.items() if dtype.is_numeric() or dtype.is_decimal()]


def look(text: str, *, dialect: Dialect | None = None, missing: Sequence[str] = MISSING) -> Rows:
    """Read the first rows of the file at `text`, as building the dataset does.

    How a CSV is written is guessed if `dialect` is None, and so are texts that stand for no value among its numbers.

    Raises
    ------
    AnswerMissing
        If it is none that is read.
    """
    try:
        import polars as pl
    except ImportError:
        raise MissingLibrary("reading rows needs polars", "Install it with `pip install 'assay[data]'`.") from None
    place = paths.place(Path(), text)
    kind = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}.get(place.suffix.lower())
    if kind is None:
        raise AnswerMissing(f"{place} is neither .csv nor .parquet", _as_csv(place.suffix.lower()))
    if not paths.exists(place) or not place.is_file():
        raise AnswerMissing(f"there is no file {place}", "Check the path.")
    written = dialect or Dialect()
    try:
        if kind == "csv" and dialect is None:
            written = dialects.guess(place)
        if kind == "csv":
            head = _csv(place, written, missing)
            found = _words(head) if dialect is None else []
            if found:
                missing = (*missing, *found)
                head = _csv(place, written, missing)
        else:
            head = dialects.plain(pl.scan_parquet(place, glob=False).head(_ROWS)).collect()
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - the file is not trusted
        reason = " ".join(str(error).split())[:120]
        raise AnswerMissing(f"{place} cannot be read as {kind}: {reason}", "Check the file.") from None
    if head.height == 0:
        raise AnswerMissing(f"{place} has no rows", "Give a file with rows.")
    return Rows(place, kind, head, written, tuple(missing))


def _as_csv(suffix: str) -> str:
    """What to do with a file of another kind."""
    if suffix in {".tsv", ".tab", ".txt", ".dat"}:
        return "If it is a table of text, call it .csv: what separates its columns is found out."
    if suffix in {".gz", ".zip", ".bz2", ".xz", ".zst"}:
        return "Unpack it first."
    if suffix in {".xls", ".xlsx", ".ods"}:
        return "Save the sheet as CSV."
    return "Give such a file."


def _words(head: pl.DataFrame) -> list[str]:
    """Texts that stand for no value among numbers, of all columns."""
    return list(dict.fromkeys(text for name in head.columns for text in suspects.words(head[name])))


def _csv(place: Path, dialect: Dialect, missing: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    found = pl.read_csv(
        dialects.reading(place, dialect, _ROWS),
        separator=dialect.delimiter,
        n_rows=_ROWS,
        infer_schema_length=_ROWS,
        null_values=list(missing),
        truncate_ragged_lines=True,  # the last record may go on in a line that was not read
    )
    found = found.rename(dict(zip(found.columns, dialects.called(found.columns), strict=True)))
    if dialect.plain_numbers:
        return found
    texts = [name for name, dtype in found.schema.items() if dtype == pl.String]
    typed = found.select(
        dialects.numbers(pl.col(name).str.strip_chars(), dialect).cast(pl.Float64, strict=False) for name in texts
    )
    return found.with_columns(typed[name] for name in texts if typed[name].null_count() == found[name].null_count())


def kind_of_target(rows: Rows, target: str) -> str:
    """Tell "binary", "multiclass" or "regression" from the values of the column."""
    values = rows.head[target].drop_nulls()
    distinct = values.n_unique()
    if distinct <= 2:
        return "binary"
    whole = not values.dtype.is_numeric() or values.dtype.is_integer() or bool((values == values.round()).all())
    return "multiclass" if whole and distinct <= _MOST_CLASSES else "regression"


def usual_answer(rows: Rows, target: str, kind: str) -> float:
    """What somebody would say who knows no features: the mean, the share of class 1, the commonest class.

    Classes of names are counted as the dataset numbers them: 0, 1, ... in their order.
    """
    values = rows.head[target].drop_nulls()
    if kind == "regression":
        return _mean(values)
    classes = values.unique().sort()
    codes = values.replace_strict(classes, range(len(classes)))
    if kind == "multiclass":
        common = float((values if values.dtype.is_numeric() else codes).mode().min())  # type: ignore[arg-type]
        return int(common) if common.is_integer() else common
    return float(f"{(codes == 1).sum() / len(codes):.6g}")


def whose_share(rows: Rows, target: str, kind: str) -> str:
    """The end of a sentence that says which of two named classes the usual answer is the share of."""
    values = rows.head[target].drop_nulls()
    if kind != "binary" or values.dtype.is_numeric() or values.n_unique() != 2:
        return "."
    return f": the share of {values.max()!s:.40}, which is class 1."


def _mean(values: pl.Series) -> float:
    if not (values.dtype.is_numeric() or values.dtype.base_type().__name__ == "Boolean"):
        raise AnswerMissing(
            f"the column {values.name} is of type {values.dtype}, and a regression predicts numbers",
            "Choose binary or multiclass, or another column.",
        )
    numbers = values.cast(float)
    mean = numbers.filter(numbers.is_finite()).mean()
    if not isinstance(mean, float):
        raise AnswerMissing(f"the column {values.name} holds no finite number", "Choose another column.")
    return float(f"{mean:.6g}")
