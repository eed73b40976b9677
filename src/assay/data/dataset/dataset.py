"""`Dataset`: a folder of rows that models learn from, with all that is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import documents, files, jsontext
from assay.core.errors import ArtefactDamaged
from assay.core.shown import Shown
from assay.data.dataset.manifest import Manifest
from assay.data.errors import NoDataset, SettingsUnfit
from assay.data.features import sequences
from assay.data.tables.content import hash_file
from assay.data.tables.table import collect

if TYPE_CHECKING:
    import os

    import polars as pl

ROWS_FILE = "rows.parquet"
MANIFEST_FILE = "manifest.json"
PROFILE_FILE = "profile.json"
QUARANTINE_FILE = "quarantine.parquet"
_SHOWN = 8


@dataclass(frozen=True, repr=False)
class Dataset(Shown):
    """Rows with features, a target and a split.

    Attributes
    ----------
    folder
        Where it is.
    manifest
        What it is.
    """

    folder: Path
    manifest: Manifest

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Dataset:
        """Read a dataset's manifest and check that the rows beside it are its own.

        Raises
        ------
        NoDataset
            If the folder holds none.
        ArtefactVersion, ArtefactDamaged
            If it is of another version, or was altered.
        """
        place = Path(folder)
        if not (place / MANIFEST_FILE).is_file():
            raise NoDataset(f"{place} holds no dataset", "Build it with `assay data build`.")
        manifest = documents.read(
            place / MANIFEST_FILE, Manifest, damaged=ArtefactDamaged, todo="Build the dataset again."
        )
        if not (place / ROWS_FILE).is_file() or hash_file(place / ROWS_FILE) != manifest.rows_sha256:
            raise ArtefactDamaged(f"{place / ROWS_FILE} is not what its manifest says", "Build the dataset again.")
        return cls(place, manifest)

    @property
    def features(self) -> list[str]:
        """The names of the features."""
        return [feature.name for feature in self.manifest.features]

    @property
    def inputs(self) -> list[str]:
        """The names of what a model sees, in the order of `arrays`: the features, or those of a window's rows."""
        return sequences.names(self.features, self.manifest.window)

    @property
    def target(self) -> str:
        """The column of labels; for classes it holds their numbers."""
        return self.manifest.target

    @property
    def time(self) -> str | None:
        """The time column, None if there is none."""
        return self.manifest.time

    @property
    def hash(self) -> str:
        """The content's address, 64 hexadecimal digits."""
        return self.manifest.content_hash

    def frame(self, split: str | None = None) -> pl.DataFrame:
        """The rows of one part, or of all: time, kept columns, features, target and `split`, in order of time."""
        import polars as pl

        part = pl.scan_parquet(self.folder / ROWS_FILE, glob=False)
        if split is not None:
            self._known(split)
            part = part.filter(pl.col("split") == split)
        elif self.manifest.window > 1:
            part = part.filter(pl.col("split").is_not_null())
        return collect(part, str(self.folder / ROWS_FILE))

    def arrays(self, split: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Features and labels of one part.

        Returns
        -------
        X : ndarray of float32, shape (rows, inputs)
            NaN where a value is missing; with a window, in the order of `inputs` and read-only, see `sequences`.
        y : ndarray of float64, shape (rows,)
            For classes, their numbers 0 to K-1.
        """
        import polars as pl

        if self.manifest.window > 1:
            return self._windows(split)
        frame = self.frame(split)
        columns = [frame[name].cast(pl.Float32).fill_null(float("nan")).to_numpy() for name in self.features]
        return np.ascontiguousarray(np.column_stack(columns), dtype=np.float32), frame[self.target].cast(
            pl.Float64
        ).to_numpy().copy()

    def sequences(self, split: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Windows and labels of one part.

        Returns
        -------
        X : ndarray of float32, shape (rows, window, features)
            The oldest row of each window first, its own last; NaN where a value is missing. Of one series it is a
            read-only view of an array that holds each row once.
        y : ndarray of float64, shape (rows,)
            For classes, their numbers 0 to K-1.
        """
        X, y = self._windows(split)
        return X.reshape(len(X), self.manifest.window, len(self.features)), y

    def windows(self, split: str) -> pl.DataFrame:
        """The rows of one part as `assay prove` and `Candidate.predict` read them: a column for each of `inputs`."""
        import polars as pl

        X, _ = self.arrays(split)
        own = [name for name in self.inputs if name not in self.features]
        frame = self.frame(split)
        return frame.with_columns(pl.Series(name, X[:, place]) for place, name in enumerate(self.inputs) if name in own)

    def profile(self) -> dict[str, Any]:
        """What profile.json says: distributions of every column."""
        found: dict[str, Any] = jsontext.parse(files.read(self.folder / PROFILE_FILE))
        return found

    def _facts(self) -> list[tuple[str, str]]:
        about = self.manifest
        parts = ", ".join(f"{name} {part.rows}" for name, part in about.rows.items())
        shown = [*self.features[:_SHOWN], *["..."] * (len(self.features) > _SHOWN)]
        return [
            ("rows", f"{sum(part.rows for part in about.rows.values())} ({parts})"),
            ("target", f"{about.target} ({about.type})"),
            ("features", f"{len(self.features)} ({', '.join(shown)})"),
            *([("window", f"{about.window} rows")] if about.window > 1 else []),
            ("split", f"by {about.split}"),
            ("hash", about.content_hash[:16]),
            ("folder", str(self.folder)),
        ]

    def _windows(self, split: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        import polars as pl

        self._known(split)
        path, about = self.folder / ROWS_FILE, self.manifest
        wanted = [*self.features, *([about.entity] if about.entity else []), self.target, "split"]
        rows = collect(pl.scan_parquet(path, glob=False).select(*dict.fromkeys(wanted)), str(path))
        own = (rows["split"] == split).fill_null(value=False).to_numpy()
        X = sequences.windows(rows, self.features, own, about.window, about.entity)
        return X, rows.filter(own)[self.target].cast(pl.Float64).to_numpy().copy()

    def _known(self, split: str) -> None:
        if split not in self.manifest.rows:
            raise SettingsUnfit(f"{split!r:.40} is no part of a dataset", "Choose train, validation or test.")
