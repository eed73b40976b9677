"""`assay.transpile`: from a trained model to a circuit."""

from __future__ import annotations

import math
import operator
import os
from typing import TYPE_CHECKING, Any, Literal, get_args

from assay.core.errors import WrongType
from assay.transpile.circuit.circuit import Circuit, Inputs
from assay.transpile.ensemble import Linear, Precision
from assay.transpile.errors import ModelUnsupported, OptionError
from assay.transpile.importers import importers
from assay.transpile.importers.onnx.reading import parse
from assay.transpile.linear.assemble import assemble_linear
from assay.transpile.networks.assemble import TOLERANCE, assemble_network
from assay.transpile.pipelines import fold
from assay.transpile.pipelines.onnx import trees
from assay.transpile.rows.columns import named_each, shown
from assay.transpile.trees.assemble import assemble
from assay.transpile.trees.precision import precision_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assay.transpile.ensemble import Ensemble, Ranges, Source

_LARGEST_SPAN = 1 << 64


def transpile(
    model_or_path: Any,
    calibration: Any = None,
    inputs: Inputs = "public",
    *,
    integer_features: Mapping[str | int, tuple[int, int]] | None = None,
    feature_names: Sequence[str] | None = None,
    iterations: int | None = None,
    ranges: Mapping[str | int, Sequence[float]] | Sequence[float] | None = None,
    dimensions: Mapping[str, int] | None = None,
    tolerance: float | None = None,
    missing: float | None = None,
    precision: Literal["auto"] | Precision = "auto",
) -> Circuit:
    """Turn a trained model into a circuit that makes the same decisions.

    Parameters
    ----------
    model_or_path
        A fitted XGBoost, LightGBM or scikit-learn model, an ONNX message, or the path of a model file (.json and
        .ubj of XGBoost, .txt of LightGBM, .skops of scikit-learn, .onnx).
    calibration
        Rows like those to be proven, in any form that `Circuit.encode` takes. They choose the fixed-point
        range of a linear model's or network's features (a network needs them, or `ranges`); trees are exact
        without, and only check them.
    inputs
        "public": rows are public in every proof; "private": they are hidden behind a commitment (not linear
        models).
    integer_features
        Features, by name or number, whose values are whole numbers, with the smallest and largest value
        allowed (for example ``{"amount": (0, 2**63 - 1)}``). They are compared as integers, never rounded
        to float32.
    feature_names
        Names to use instead of the model's own.
    iterations
        Boosting rounds to use; by default those that the model's own `predict` uses.
    ranges
        Networks only: the least and largest value of features, by name or number (or one pair for all), instead of
        or beside calibration rows. Every row in the declared range has a proof, any other is refused.
    dimensions
        Networks only: sizes of dimensions that the model leaves open, by their names.
    tolerance
        Networks only: how far outputs may stray, as a share of their spread over the calibration rows, and what
        share of decisions may differ; 0.001 by default. The cheapest format that keeps it is taken.
    missing
        A number that stands for a missing value in the rows, besides None and NaN (XGBoost's `missing`). A model
        object says it itself; a model file does not, whatever its model was trained with.
    precision
        What the words of features are keys of, in tree models: "float32" (rows are rounded to it), or "float64",
        exact for every double; its keys have 64 bits, and proofs cost more. "auto" takes float32 where the model's
        library rounds rows to it, or where the thresholds show that the model was trained on float32 values.

    Returns
    -------
    Circuit

    Raises
    ------
    ModelError
        If the model cannot be read or converted, or is a linear one with private inputs; the message names
        the kind and what to do.
    RowsError
        If the calibration rows do not fit the model.
    OptionError
        If an option does not fit the model.
    """
    if isinstance(model_or_path, Circuit):
        raise WrongType("model_or_path is a Circuit, and has to be a model or its file", "Call assay.setup(circuit).")
    _choices(inputs, precision)
    network = importers.onnx_bytes(model_or_path)
    if network is not None and not _holds_trees(*network):
        _apply("networks", {"integer_features": integer_features, "iterations": iterations, "missing": missing})
        return assemble_network(
            *network,
            calibration=calibration,
            ranges=ranges,
            dimensions=dimensions,
            inputs=inputs,
            feature_names=feature_names,
            tolerance=TOLERANCE if tolerance is None else tolerance,
        )
    _apply("trees and linear models", {"ranges": ranges, "dimensions": dimensions, "tolerance": tolerance})
    source = read(model_or_path, iterations, "float32" if precision == "float32" else "float64")
    if iterations is not None:
        source.meta["iterations_given"] = True
    if feature_names is not None:
        source.features = named_each(feature_names, len(source.features))
    integers = _ranges(integer_features or {}, source.features)
    if isinstance(source, Linear):
        _apply("a linear model", {"missing": missing})
        if inputs == "private":
            raise ModelUnsupported(
                "private inputs are supported for tree models only, because the proof would not bound the hidden "
                "values of a linear model",
                'Use inputs="public".',
            )
        return assemble_linear(source, integers, calibration)
    source.missing_value = _missing(missing, source)
    circuit = assemble(source, integers, inputs, _precision(precision, source, integers))
    if calibration is not None:
        circuit.encode(calibration)
    return circuit


def _apply(kind: str, options: Mapping[str, Any]) -> None:
    given = next((name for name, value in options.items() if value is not None), None)
    if given is not None:
        raise OptionError(f"{given} does not apply to {kind}", "Leave it out.")


def read(model_or_path: Any, iterations: int | None = None, precision: Precision = "float64") -> Source:
    """Read a model or a model file in its own numbers; raises as `transpile` does.

    `precision` is that of the rows, which the scalers of a pipeline compute in.
    """
    if iterations is not None and (type(iterations) is not int or iterations < 1):
        raise OptionError(f"iterations is {iterations!r:.40}", "Give a positive whole number.")
    found = importers.onnx_bytes(model_or_path)
    if found is not None and _holds_trees(*found):
        _apply("trees in ONNX", {"iterations": iterations})
        return trees.read(parse(*found), precision)
    if isinstance(model_or_path, str | os.PathLike):
        path = os.fspath(model_or_path)
        if importers.form(path) != "skops":
            return importers.read_file(path, iterations)
        model_or_path = importers.load_skops(path)
    return fold.read(model_or_path, iterations, precision)


def _holds_trees(data: bytes, path: str) -> bool:
    # The name stands in the file as it is; only then it is worth to read it twice.
    return b"TreeEnsemble" in data and trees.holds_trees(parse(data, path))


def _choices(inputs: Any, precision: Any) -> None:
    if inputs not in get_args(Inputs):
        raise OptionError(f"inputs is {inputs!r:.40}", 'Choose "public" or "private".')
    if precision not in ("auto", *get_args(Precision)):
        raise OptionError(f"precision is {precision!r:.40}", 'Choose "auto", "float32" or "float64".')


def _missing(missing: Any, source: Ensemble) -> float | None:
    if missing is None:
        return source.missing_value
    if isinstance(missing, bool) or not isinstance(missing, int | float) or not math.isfinite(missing):
        raise OptionError(f"missing is {missing!r:.40}", "Give a number; None and NaN are missing anyway.")
    if source.missing_value not in (None, missing):
        raise OptionError(
            f"missing is {missing:g}, and the model itself says {source.missing_value:g}", "Leave it out."
        )
    if source.missing == "refuse":
        raise OptionError("missing does not apply: the model takes no missing values", "Leave it out.")
    return float(missing)


def _precision(asked: Any, source: Ensemble, ranges: Ranges) -> Precision:
    if asked == "auto":
        return precision_of(source, ranges)
    if asked == "float64" and source.reads == "float32":
        raise OptionError(
            "precision is float64, and the model's own predict rounds rows to float32",
            "Leave it out: 32-bit keys are exact.",
        )
    chosen: Precision = asked
    return chosen


def _ranges(integer_features: Mapping[str | int, tuple[int, int]], names: list[str]) -> dict[int, tuple[int, int]]:
    ranges = {}
    for feature, span in integer_features.items():
        index = names.index(feature) if isinstance(feature, str) and feature in names else feature
        if type(index) is not int or not 0 <= index < len(names):
            raise OptionError(
                f"integer_features names {feature!r:.40}, which the model does not have", "Check the name."
            )
        try:
            low, high = (operator.index(bound) for bound in span)
        except (TypeError, ValueError):
            raise OptionError(f"the range of {names[index]} is {span!r:.60}", "Give two whole numbers.") from None
        if low > high or high - low >= _LARGEST_SPAN:
            raise OptionError(
                f"the range of {names[index]}, {shown(low)} to {shown(high)}, "
                + ("is empty" if low > high else "spans more than the 64 bits of a whole number in a proof"),
                "Give the smallest and the largest value allowed; in a larger unit where they are too large.",
            )
        ranges[index] = (low, high)
    return ranges
