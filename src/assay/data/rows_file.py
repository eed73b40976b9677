"""Rows of a dataset as a file that `assay prove` takes: the features alone, windows whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assay.core import files
from assay.data.errors import SettingsUnfit, TooFewRows

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from assay.data.dataset.dataset import Dataset


def write_rows(dataset: Dataset, part: str, path: Path, last: int | None = None) -> int:
    """Write the rows of one part.

    Parameters
    ----------
    dataset
        Where they are.
    part
        train, validation or test.
    path
        A file .json (numbers in the order of the features, null where missing) or .parquet (with names).
    last
        Only so many, the latest.

    Returns
    -------
    How many rows were written.

    Raises
    ------
    SettingsUnfit
        The part or the kind of file is not known.
    TooFewRows
        The part has none.
    """
    suffix = path.suffix.lower()
    if suffix not in {".json", ".parquet"}:
        raise SettingsUnfit(f"{path} is no kind of file that rows are written to", "Name it .json or .parquet.")
    frame = _frame(dataset, part)
    if last is not None:
        frame = frame.tail(last)
    if not frame.height:
        raise TooFewRows(f"the dataset has no rows in {part}", "Choose another part.")
    if suffix == ".parquet":
        with files.scratch() as work:
            frame.write_parquet(work / path.name)
            files.write(path, (work / path.name).read_bytes(), over="PAR1")
    else:
        rows = ",\n".join(json.dumps(_plain(row)) for row in frame.iter_rows())
        files.write(path, f'{{"inputs": [\n{rows}\n]}}\n', over='{"inputs"')
    return frame.height


def _frame(dataset: Dataset, part: str) -> pl.DataFrame:
    windows = dataset.manifest.window > 1
    found = dataset.windows(part) if windows else dataset.frame(part)
    return found.select(dataset.inputs)


def _plain(row: tuple[object, ...]) -> list[object]:
    return [None if isinstance(value, float) and value != value else value for value in row]  # noqa: PLR0124 - NaN
