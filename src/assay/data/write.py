"""Writes a dataset's folder: the rows, their manifest and profile, and what was set aside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import assay
from assay.core import files
from assay.core.errors import WrongKindOfFile
from assay.core.hashing import digest
from assay.data.dataset.dataset import MANIFEST_FILE, PROFILE_FILE, QUARANTINE_FILE, ROWS_FILE, Dataset
from assay.data.dataset.manifest import SCHEMA, FeatureInfo, Manifest, PartInfo, SourceInfo
from assay.data.dataset.profile import profile
from assay.data.tables.content import hash_file, hash_frames
from assay.data.tables.store import write_parquet
from assay.data.targets.splits import PARTS

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from assay.data.rows import Rows
    from assay.task.task import Task

SPLIT = "split"
_MEANING = {"features", "target", "type", "classes", "keep", "time", "horizon"}
_OF_SERIES = {"entity", "series"}
_OF_WINDOWS = {"window", "before"}


@dataclass(frozen=True)
class Finished:
    """Rows as they are written.

    Attributes
    ----------
    frame
        Time, kept columns, features, target and `split`, which is missing in rows that only windows hold.
    features, keep, classes
        Names of the features, of the kept columns, and of the classes in the order of their numbers.
    units
        Unit of each feature that has one.
    """

    frame: pl.DataFrame
    features: list[str]
    keep: list[str]
    classes: list[str]
    units: dict[str, str]


def write(finished: Finished, task: Task, rows: Rows, out: Path, *, inputs: str, code: str) -> Dataset:
    """Write the dataset, whole or not at all; raises StorageError."""
    frame = finished.frame.rechunk()
    described = profile(
        frame.filter(frame[SPLIT].is_not_null()), finished.features, task.predict.target, finished.classes, rows.entity
    )
    aside = rows.quarantine.frame()
    # The rows of one series mean what they meant before there were several.
    meaningful, unsaid = (_MEANING, _OF_SERIES) if rows.entity is None else (_MEANING | _OF_SERIES, set())
    if task.data.window > 1:
        meaningful = meaningful | {"window"}
    else:
        unsaid = unsaid | _OF_WINDOWS
    _require_no_folder(out / QUARANTINE_FILE)
    with files.folder(out) as place:
        write_parquet(frame, place / ROWS_FILE)
        about = _about(finished, task, rows) | {
            "code_hash": code,
            "inputs_hash": inputs,
            "rows_sha256": hash_file(place / ROWS_FILE),
            "content_hash": "",
        }
        meaning = Manifest.model_validate(about).model_dump(mode="json", include=meaningful)
        about["content_hash"] = digest((json.dumps(meaning, sort_keys=True) + hash_frames([frame])).encode())
        manifest = Manifest.model_validate(about)
        files.write(place / MANIFEST_FILE, manifest.model_dump_json(indent=1, by_alias=True, exclude=unsaid) + "\n")
        files.write(place / PROFILE_FILE, json.dumps(described, indent=1, allow_nan=False) + "\n")
        if aside is not None:
            write_parquet(aside, place / QUARANTINE_FILE)
    if aside is None:
        with files.translated(out / QUARANTINE_FILE, "remove"):
            (out / QUARANTINE_FILE).unlink(missing_ok=True)
    return Dataset.load(out)


def _require_no_folder(place: Path) -> None:
    if place.is_dir():
        raise WrongKindOfFile(f"cannot write {place}: it is a folder", "Move it away.")


def _about(finished: Finished, task: Task, rows: Rows) -> dict[str, Any]:
    """The manifest but for its hashes."""
    data, frame = task.data, finished.frame
    by = data.split.by or ("time" if rows.time else "random")
    return {
        "schema": SCHEMA,
        "task": task.name,
        "features": tuple(_feature(frame, name, finished.units.get(name, "")) for name in finished.features),
        "target": task.predict.target,
        "target_unit": task.predict.unit,
        "type": task.predict.type,
        "classes": tuple(finished.classes),
        "horizon": data.label.reach,
        "keep": tuple(finished.keep),
        "time": rows.time,
        "entity": rows.entity,
        "series": frame[rows.entity].n_unique() if rows.entity else None,
        "rows": {part: _part(frame, part, rows.time) for part in PARTS},
        "split": by,
        # Parts that divide the series need none for their labels.
        "embargo": max(data.split.embargo or 0, 0 if by == "group" else data.label.reach + data.window - 1),
        "window": data.window,
        "before": frame[SPLIT].null_count(),
        "left_out": tuple(rows.left_out),
        "notes": tuple(rows.notes),
        "quarantined": rows.quarantine.rows,
        "blocks": rows.blocks,
        "sources": tuple(SourceInfo(table=name, sha256=hash_) for name, hash_ in sorted(rows.sources.items())),
        "assay": assay.__version__,
    }


def _feature(frame: pl.DataFrame, name: str, unit: str) -> FeatureInfo:
    import polars as pl

    column = frame[name]
    low, high = column.min(), column.max()
    return FeatureInfo.model_validate(
        {
            "name": name,
            "dtype": str(column.dtype),
            "unit": unit,
            "kind": "float32" if column.dtype == pl.Float32 else "integer",
            "min": low,
            "max": high,
            "missing": column.null_count(),
        }
    )


def _part(frame: pl.DataFrame, part: str, time: str | None) -> PartInfo:
    own = frame.filter(frame[SPLIT] == part)
    if time is None:
        return PartInfo(rows=own.height)
    first, last = own[time][0], own[time][-1]
    if not own.schema[time].is_temporal():
        return PartInfo(rows=own.height, first_time=str(first), last_time=str(last))
    return PartInfo(rows=own.height, first_time=first.isoformat(), last_time=last.isoformat())
