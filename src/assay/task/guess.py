"""What a file of rows says about itself: columns, the kind of its target, a column of times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core import paths
from assay.core.errors import MissingLibrary
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
    """

    path: Path
    kind: str
    head: pl.DataFrame

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


def look(text: str, *, delimiter: str = ",", missing: Sequence[str] = MISSING) -> Rows:
    """Read the first rows of the file at `text`, as building the dataset does.

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
        raise AnswerMissing(f"{place} is neither .csv nor .parquet", "Give such a file.")
    if not paths.exists(place) or not place.is_file():
        raise AnswerMissing(f"there is no file {place}", "Check the path.")
    try:
        head = (
            _csv(place, delimiter, missing)
            if kind == "csv"
            else pl.scan_parquet(place, glob=False).head(_ROWS).collect()
        )
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - the file is not trusted
        reason = " ".join(str(error).split())[:120]
        raise AnswerMissing(f"{place} cannot be read as {kind}: {reason}", "Check the file.") from None
    if head.height == 0:
        raise AnswerMissing(f"{place} has no rows", "Give a file with rows.")
    return Rows(place, kind, head)


def _csv(place: Path, delimiter: str, missing: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    found = pl.scan_csv(
        place,
        separator=delimiter,
        glob=False,
        n_rows=_ROWS,
        infer_schema_length=_ROWS,
        null_values=list(missing),
    )
    # "a, b": the space belongs to no name.
    return found.rename({name: name.strip() for name in found.collect_schema().names()}).collect()


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
