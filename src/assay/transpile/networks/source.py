"""A model's flow, with what its features range over and what its runtime says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import OptionError, RowsWidth
from assay.transpile.importers.onnx import labels
from assay.transpile.importers.onnx.convert import convert
from assay.transpile.importers.onnx.reading import parse
from assay.transpile.networks import features
from assay.transpile.networks.oracle import Oracle
from assay.transpile.rows.arrange import by_name, flattened
from assay.transpile.rows.columns import named_each, to_floats, to_table
from assay.transpile.rows.whole import check_whole, types_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from assay.transpile.flow.expressions import Expression
    from assay.transpile.flow.flow import Flow
    from assay.transpile.networks.features import Interval

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """A model's flow with what its features and its runtime are."""

    flow: Flow
    ranges: list[Interval]
    oracle: Oracle
    rows: Floats | None


def read_source(
    data: bytes,
    path: str,
    *,
    calibration: Any,
    ranges: Mapping[str | int, Sequence[float]] | Sequence[float] | None,
    dimensions: Mapping[str, int] | None,
    feature_names: Sequence[str] | None,
    careful: bool = False,
    apart: Collection[Expression] | None = None,
) -> Source:
    """Read a model and what its features range over; careful where digits are worth more rows, `apart` as `convert`."""
    found: dict[str, Any] = {}

    def centres(flow: Flow) -> Floats:
        table = None if calibration is None else flattened(to_table(calibration), flow.features)
        if feature_names is not None:
            flow.features = named_each(feature_names, len(flow.features))
        rows = None if table is None else as_rows(table, flow.features, flow.meta)
        if rows is None and ranges is None:
            raise OptionError(
                "a network needs calibration rows, which choose the fixed-point range of every feature",
                "Pass some hundred rows like those to be proven, or declare the ranges.",
            )
        spans = features.from_rows(rows) if rows is not None else None
        found["rows"] = rows
        found["ranges"] = features.declared(flow.features, ranges or {}, spans, types_of(flow.meta))
        return features.centres(found["ranges"])

    model = parse(data, path)
    names = labels.numbered(model)
    flow = convert(model, dimensions, centres=centres, careful=careful, apart=apart)
    if names:
        flow.meta["classes"] = names
        flow.notes.append(f"classes are said by their numbers: {labels.shown(names)}")
    for index, count in flow.meta.get("indices", {}).items():
        found["ranges"][index] = features.of_index(flow.features[index], found["ranges"][index], count)
    whole = model.SerializeToString()  # with the weights that stood in another file, without ZipMap
    return Source(flow, found["ranges"], Oracle(whole, flow.meta["inputs"]), found["rows"])


def as_rows(rows: Any, names: Sequence[str], meta: Mapping[str, Any]) -> Floats:
    """Rows in any form as float64[B, F], of the types that a model's inputs are of; arrays may have its own shape."""
    columns = by_name(to_table(rows), names)
    check_whole(meta, columns, names)
    values = to_floats(columns, list(names))
    if not np.isfinite(values).all():
        row, column = (int(place) for place in np.argwhere(~np.isfinite(values))[0])
        raise RowsWidth(
            f"row {row}, column {column} ({names[column]}) is missing or not finite, and a network takes numbers only",
            "Fill it in.",
        )
    return values
