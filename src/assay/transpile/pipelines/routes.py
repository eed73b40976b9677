"""What a scikit-learn pipeline does to each column before its model: where it comes from, and how it changes.

Only steps are known that treat every column by itself and in order: imputers, scalers, column transformers of them,
and choices of columns. Any other is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import ModelUnsupported
from assay.transpile.importers.own import nearest, refuse_overrides
from assay.transpile.importers.wrappers import is_pipeline, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SCALERS = {"MaxAbsScaler", "MinMaxScaler", "RobustScaler", "StandardScaler"}
_CHOOSERS = {
    "GenericUnivariateSelect",
    "RFE",
    "RFECV",
    "SelectFdr",
    "SelectFpr",
    "SelectFromModel",
    "SelectFwe",
    "SelectKBest",
    "SelectPercentile",
    "SequentialFeatureSelector",
    "VarianceThreshold",
}
_ENCODERS = {"OneHotEncoder", "OrdinalEncoder"}
SUPPORTED = (
    f"Supported before a model: {', '.join(sorted(_SCALERS))}, SimpleImputer, before trees also "
    f"{', '.join(sorted(_ENCODERS))} and MissingIndicator, ColumnTransformer of them, and choices of columns."
)


@dataclass(frozen=True)
class Route:
    """How one column that the model reads is made of one of the rows': ``x * factor + offset``, nearly.

    Attributes
    ----------
    source
        The column of the rows.
    factor, offset
        The composed scalers; their exact values are the pipeline's own arithmetic.
    fill
        What an imputer puts in place of a missing value, before anything else happens to it.
    scaled
        Whether anything changes a value that is not missing.
    clipped
        Whether a scaler clips.
    coded
        Whether it is made of a category of the source, or says whether the source is missing: then nothing above
        counts but the source.
    known
        The categories, where an encoder reads the source.
    refuses
        Whether that encoder refuses others.
    texts
        Whether an imputer puts text in place of a missing value.
    """

    source: int
    factor: float = 1.0
    offset: float = 0.0
    fill: float | None = None
    scaled: bool = False
    clipped: bool = False
    coded: bool = False
    known: tuple[Any, ...] | None = None
    refuses: bool = False
    texts: bool = False


def routes(steps: Sequence[Any], width: int) -> list[Route]:
    """The route of each column that comes out of fitted steps, from rows of so many columns.

    Raises
    ------
    ModelUnsupported
        A step is none of those above, or not fitted, or an imputer comes after a scaler.
    """
    found = [Route(index) for index in range(width)]
    for step in steps:
        found = _through(step, found)
    if any(route.texts and not route.coded for route in found):
        raise ModelUnsupported("the SimpleImputer fills in text, and the model reads numbers", "Encode the column.")
    return found


def _through(step: Any, before: list[Route]) -> list[Route]:
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return before
    refuse_overrides(step, "sklearn")
    if is_pipeline(step):
        for inner in steps_of(step):
            before = _through(inner, before)
        return before
    kind = nearest(step, "sklearn") or type(step).__name__
    width = getattr(step, "n_features_in_", len(before))
    if width != len(before):
        raise ModelUnsupported(f"the {kind} is for another number of features", "Fit the pipeline again.")
    known = _KNOWN.get(kind)
    if known is not None:
        return known(step, kind, before)
    if kind == "FunctionTransformer" and step.func is None:
        return before
    raise ModelUnsupported(
        f"a pipeline with {kind} is not supported",
        f"{SUPPORTED} Apply {kind} to the rows yourself, train on what it gives, and pass the last step alone.",
    )


def _scaled(scaler: Any, kind: str, before: list[Route]) -> list[Route]:
    factors, offsets = affine(scaler, kind, len(before))
    if not (np.isfinite(factors).all() and np.isfinite(offsets).all() and (factors > 0).all()):
        raise ModelUnsupported(f"the {kind} turns a column round or to nothing", "Fit the pipeline again without it.")
    clipped = bool(getattr(scaler, "clip", False))
    return [
        replace(
            route,
            factor=route.factor * factor,
            offset=route.offset * factor + offset,
            scaled=True,
            clipped=route.clipped or clipped,
        )
        for route, factor, offset in zip(before, factors.tolist(), offsets.tolist(), strict=True)
    ]


def affine(scaler: Any, kind: str, width: int) -> tuple[Any, Any]:
    """The scaler as ``x * factor + offset``: float64[width] each."""
    if not hasattr(scaler, "n_features_in_"):
        raise ModelUnsupported(f"the {kind} is not fitted", "Call fit first.")
    if kind == "MinMaxScaler":
        return np.asarray(scaler.scale_, dtype=np.float64), np.asarray(scaler.min_, dtype=np.float64)
    centre = getattr(scaler, "mean_" if kind == "StandardScaler" else "center_", None)
    centred = getattr(scaler, "with_mean" if kind == "StandardScaler" else "with_centering", False)
    scale = getattr(scaler, "scale_", None)
    factor = np.ones(width) if scale is None else 1.0 / np.asarray(scale, dtype=np.float64)
    if not centred or centre is None:
        return factor, np.zeros(width)
    return factor, -np.asarray(centre, dtype=np.float64) * factor


def _imputed(imputer: Any, _kind: str, before: list[Route]) -> list[Route]:
    if not hasattr(imputer, "statistics_"):
        raise ModelUnsupported("the SimpleImputer is not fitted", "Call fit first.")
    marker = imputer.missing_values
    if not (isinstance(marker, float | np.floating) and np.isnan(marker)):
        raise ModelUnsupported(
            f"the SimpleImputer reads {marker!r:.40} as missing",
            "Write missing values as NaN in the rows, and fit it with missing_values=nan.",
        )
    found = []
    for route, statistic in zip(before, imputer.statistics_.tolist(), strict=True):
        if isinstance(statistic, str) or route.coded:
            found.append(replace(route, texts=True))
            continue
        number = statistic if isinstance(statistic, int | float) else float("nan")
        if np.isnan(number):
            # A column without any value in training is left out, unless it is kept and filled with 0.
            if not getattr(imputer, "keep_empty_features", False):
                continue
            number = 0.0
        if route.scaled:
            raise ModelUnsupported("the SimpleImputer comes after a scaler", "Put it first in the pipeline.")
        found.append(replace(route, fill=float(number) if route.fill is None else route.fill))
    return found + (_indicated(imputer.indicator_, "MissingIndicator", before) if imputer.add_indicator else [])


def _indicated(indicator: Any, _kind: str, before: list[Route]) -> list[Route]:
    """Columns that say which values are missing."""
    if not hasattr(indicator, "features_"):
        raise ModelUnsupported("the MissingIndicator is not fitted", "Call fit first.")
    marker = indicator.missing_values
    if not (isinstance(marker, float | np.floating) and np.isnan(marker)):
        raise ModelUnsupported(f"the MissingIndicator reads {marker!r:.40} as missing", "Write missing values as NaN.")
    return [replace(before[place], coded=True) for place in indicator.features_.tolist()]


def _encoded(encoder: Any, kind: str, before: list[Route]) -> list[Route]:
    """Columns made of categories; what they hold is asked of the pipeline itself."""
    if not hasattr(encoder, "categories_"):
        raise ModelUnsupported(f"the {kind} is not fitted", "Call fit first.")
    widths = encoder._n_features_outs if kind == "OneHotEncoder" else [1] * len(before)  # noqa: SLF001 - names would be ambiguous
    refuses = encoder.handle_unknown == "error"
    found = []
    for route, categories, width in zip(before, encoder.categories_, widths, strict=True):
        if route.coded or route.scaled:
            raise ModelUnsupported(f"the {kind} comes after another step that changes values", "Put it first.")
        known = tuple(value for value in categories.tolist() if not (value is None or value != value))  # noqa: PLR0124 - NaN
        if not known or not all(isinstance(value, bool | int | float | str) for value in known):
            raise ModelUnsupported(
                f"the {kind} reads categories that are no text and no numbers", "Write them as text."
            )
        found += [replace(route, coded=True, known=known, refuses=refuses) for _ in range(width)]
    return found


def _by_column(transformer: Any, _kind: str, before: list[Route]) -> list[Route]:
    if not hasattr(transformer, "transformers_"):
        raise ModelUnsupported("the ColumnTransformer is not fitted", "Call fit first.")
    columns = transformer._transformer_to_input_indices  # noqa: SLF001 - the public columns may be names, masks or functions
    found: list[Route] = []
    for name, inner, _ in transformer.transformers_:
        if isinstance(inner, str) and inner == "drop":
            continue
        found += _through(inner, [before[index] for index in columns[name]])
    return found


def _chosen(chooser: Any, _kind: str, before: list[Route]) -> list[Route]:
    return [route for route, kept in zip(before, chooser.get_support(), strict=True) if kept]


_KNOWN: dict[str, Callable[[Any, str, list[Route]], list[Route]]] = {
    **dict.fromkeys(_SCALERS, _scaled),
    **dict.fromkeys(_CHOOSERS, _chosen),
    **dict.fromkeys(_ENCODERS, _encoded),
    "SimpleImputer": _imputed,
    "MissingIndicator": _indicated,
    "ColumnTransformer": _by_column,
}
