"""`profile.json`: how the values of every column are distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.data.dataset.coverage import lacking
from assay.data.expressions import wide
from assay.data.targets.splits import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

SCHEMA = "assay-profile/1"
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_BINS = 20
_LARGE = 1e150


def profile(
    rows: pl.DataFrame, features: Sequence[str], target: str, classes: Sequence[str], entity: str | None = None
) -> dict[str, Any]:
    """Describe finished rows: each column's distribution, by part where it shows drift, and its tie to the target."""
    rows = wide.real(rows, rows.columns)
    numeric = [name for name in rows.columns if rows.schema[name].is_numeric()]
    columns = {name: _column(rows, name, target, is_feature=name in features) for name in numeric}
    counts = {
        part: [int((rows.filter(rows["split"] == part)[target] == number).sum()) for number in range(len(classes))]
        for part in PARTS
    }
    return {
        "schema": SCHEMA,
        "rows": rows.height,
        "columns": columns,
        "lacking": lacking(rows, [*features, target], entity),
        **({"classes": list(classes), "class_counts": counts} if classes else {}),
    }


def _column(rows: pl.DataFrame, name: str, target: str, *, is_feature: bool) -> dict[str, Any]:
    values = _numbers(rows[name])
    there = values[np.isfinite(values)]
    found: dict[str, Any] = {"missing": int(len(values) - len(there)), "distinct": rows[name].n_unique()}
    if len(there) == 0:
        return found
    counts, edges = _histogram(there)
    found |= {
        "mean": _mean(there),
        "std": _std(there),
        "min": float(there.min()),
        "max": float(there.max()),
        "quantiles": {str(at): _quantile(there, at) for at in _QUANTILES},
        "histogram": {"counts": counts, "edges": edges},
        "mean_by_part": {part: _mean(_numbers(rows.filter(rows["split"] == part)[name])) for part in PARTS},
    }
    if is_feature:
        found["correlation_with_target"] = _correlation(values, _numbers(rows[target]))
    return found


def _scale(values: np.ndarray[Any, Any]) -> float:
    """What values are divided by so that their squares are numbers; 1 but for very large ones."""
    largest = float(np.abs(values).max(initial=0.0))
    return largest if largest > _LARGE else 1.0


def _histogram(there: np.ndarray[Any, Any]) -> tuple[list[int], list[float]]:
    scale = _scale(there)
    try:
        counts, edges = np.histogram(there / scale, bins=_BINS)
    except ValueError:  # no double lies between the least and the greatest
        return [len(there)], [float(there.min()), float(there.max())]
    return counts.tolist(), (edges * scale).tolist()


def _quantile(there: np.ndarray[Any, Any], at: float) -> float:
    scale = _scale(there)
    return float(np.quantile(there / scale, at) * scale)


def _std(there: np.ndarray[Any, Any]) -> float:
    scale = _scale(there)
    return float((there / scale).std() * scale)


def _numbers(column: pl.Series) -> np.ndarray[Any, Any]:
    import polars as pl

    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _mean(values: np.ndarray[Any, Any]) -> float | None:
    there = values[np.isfinite(values)]
    scale = _scale(there)
    return float((there / scale).mean() * scale) if len(there) else None


def _correlation(values: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float | None:
    there = np.isfinite(values) & np.isfinite(labels)
    x, y = values[there], labels[there]
    x, y = x / _scale(x), y / _scale(y)
    if len(x) < 2 or x.std() == 0 or y.std() == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])
