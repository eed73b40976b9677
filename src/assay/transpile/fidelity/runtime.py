"""The model's own library as the oracle: its raw margins and its leaf numbers."""

from __future__ import annotations

import json
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import MissingLibrary
from assay.transpile.errors import ModelUnsupported
from assay.transpile.importers import importers, lightgbm, sklearn_linear, sklearn_trees, xgboost

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Leaves = NDArray[np.int64]


@dataclass(frozen=True)
class Runtime:
    """What the library computes.

    Attributes
    ----------
    margins
        From float64[B, F] (NaN where missing) to float64[B, K].
    leaves
        From the same rows to the leaf numbers int64[B, T], where the library tells them.
    float32
        Whether it sums in float32.
    """

    margins: Callable[[Floats], Floats]
    leaves: Callable[[Floats], Leaves] | None
    float32: bool


def runtime(model_or_path: Any, iterations: int | None, outputs: int) -> Runtime:
    """The library's own predictions of a model.

    Parameters
    ----------
    model_or_path
        As for `transpile`. A file is opened by the library: call `read` first, which trusts nothing.
    iterations
        Boosting rounds; None leaves the choice to the library's own `predict`.
    outputs
        K.
    """
    model = _opened(model_or_path) if isinstance(model_or_path, str | os.PathLike) else model_or_path
    if xgboost.accepts(model):
        return _xgboost(model, iterations, outputs)
    if lightgbm.accepts(model):
        return _lightgbm(model, iterations, outputs)
    if sklearn_trees.accepts(model):
        return _sklearn_trees(model, outputs)
    if sklearn_linear.accepts(model):
        return Runtime(lambda X: _sklearn_linear(model, X).reshape(-1, outputs), None, float32=False)
    raise ModelUnsupported(f"models of type {type(model).__name__} are not supported", importers.SUPPORTED)


def _opened(path: str | os.PathLike[str]) -> Any:
    place = os.fspath(path)
    form = importers.form(place)
    if form == "skops":
        return importers.load_skops(place)
    try:
        if form == "lightgbm":
            import lightgbm as library

            # Without the index of tree sizes, which the library follows in threads that cannot report a
            # fault: a wrong one would end the process.
            text = re.sub(r"^tree_sizes=.*\n", "", Path(place).read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
            return library.Booster(model_str=text)
        import xgboost as boosting

        booster = boosting.Booster()
        with _quiet():
            booster.load_model(_with_suffix(place))
        if booster.attr("scikit_learn") is None:
            return booster
        # Saved by a scikit-learn wrapper, whose predict stops at the best iteration.
        wrapper = {"classifier": boosting.XGBClassifier, "regressor": boosting.XGBRegressor}.get(
            json.loads(booster.attr("scikit_learn") or "{}").get("_estimator_type"), boosting.XGBRanker
        )()
        wrapper.load_model(_with_suffix(place))
    except ImportError:
        raise MissingLibrary(
            f"comparing with {place} needs the library {form}", "Install it, or leave the comparison out."
        ) from None
    return wrapper


def _with_suffix(place: str) -> Any:
    """The library chooses the format by the suffix; other names are passed as bytes."""
    if place.lower().endswith((".json", ".ubj")):
        return place
    return bytearray(Path(place).read_bytes())


def _xgboost(model: Any, iterations: int | None, outputs: int) -> Runtime:
    import xgboost as library

    booster = xgboost.booster_of(model)
    span = (0, iterations or 0)
    wrapper = model if model is not booster else None
    if wrapper is not None and iterations is None and "best_iteration" in (booster.attributes() or {}):
        span = (0, int(booster.attributes()["best_iteration"]) + 1)
    linear = _booster_name(booster) == "gblinear"
    if linear:
        span = (0, 0)

    def margins(X: Floats) -> Floats:
        with _quiet():
            if wrapper is not None and iterations is None and not np.isinf(X).any():
                found = wrapper.predict(X, output_margin=True, validate_features=False)
            elif np.isinf(X).any():
                # A DMatrix refuses infinities; prediction in place does not.
                found = booster.inplace_predict(X, span, predict_type="margin", validate_features=False)
            else:
                found = booster.predict(
                    library.DMatrix(X), output_margin=True, iteration_range=span, validate_features=False
                )
        return np.asarray(found, dtype=np.float64).reshape(len(X), outputs)

    def leaves(X: Floats) -> Leaves:
        # As above; a finite threshold cannot tell the largest float32 from infinity.
        largest = float(np.finfo(np.float32).max)
        rows = library.DMatrix(np.clip(X, -largest, largest))
        found = booster.predict(rows, pred_leaf=True, iteration_range=span, validate_features=False)
        return np.asarray(found).reshape(len(X), -1).astype(np.int64)

    return Runtime(margins, None if linear else leaves, float32=True)


def _booster_name(booster: Any) -> str:
    return str(json.loads(booster.save_config())["learner"]["gradient_booster"]["name"])


def _lightgbm(model: Any, iterations: int | None, outputs: int) -> Runtime:
    booster = lightgbm.booster_of(model)
    averaged = "\naverage_output\n" in booster.model_to_string(num_iteration=1)[:10_000]

    def margins(X: Floats) -> Floats:
        found = booster.predict(X, raw_score=True, num_iteration=iterations)
        if averaged:
            # The raw score is a sum there, while predict goes on with the average.
            found = found / (leaves(X[:1]).shape[1] // outputs)
        return np.asarray(found, dtype=np.float64).reshape(len(X), outputs)

    def leaves(X: Floats) -> Leaves:
        found = booster.predict(X, pred_leaf=True, num_iteration=iterations)
        return np.asarray(found).reshape(len(X), -1).astype(np.int64)

    return Runtime(margins, leaves, float32=False)


def _sklearn_trees(model: Any, outputs: int) -> Runtime:
    kind = str(sklearn_trees.family(model))
    if kind.startswith("Hist"):
        return Runtime(lambda X: model._raw_predict(X).reshape(len(X), outputs), None, float32=False)  # noqa: SLF001
    members = [model] if not hasattr(model, "estimators_") else list(np.ravel(model.estimators_))
    forest = not kind.startswith("GradientBoosting")

    def margins(X: Floats) -> Floats:
        if np.isinf(X).any():
            return _tree_by_tree(model, members, X, forest=forest).reshape(len(X), outputs)
        with _quiet():
            if not sklearn_trees.is_classifier(kind):
                found = model.predict(X)
            else:
                found = model.predict_proba(X) if forest else model.decision_function(X)
        return np.asarray(found, dtype=np.float64).reshape(len(X), outputs)

    def leaves(X: Floats) -> Leaves:
        rows = X.astype(np.float32)
        return np.stack([member.tree_.apply(rows) for member in members], axis=1).astype(np.int64)

    return Runtime(margins, leaves, float32=False)


def _tree_by_tree(model: Any, members: list[Any], X: Floats, *, forest: bool) -> Floats:
    """The same sums from the compiled trees, for infinities, which the estimators refuse."""
    rows = X.astype(np.float32)
    found = [member.tree_.predict(rows).reshape(len(X), -1) for member in members]
    if forest:
        return np.asarray(np.mean(found, axis=0))
    groups = model.estimators_.shape[1]
    start = model._raw_predict_init(np.zeros((1, X.shape[1]), dtype=np.float32))  # noqa: SLF001
    stages = np.stack(found, axis=1)[:, :, 0].reshape(len(X), -1, groups)
    return np.asarray(start + model.learning_rate * stages.sum(axis=1))


def _sklearn_linear(model: Any, X: Floats) -> Floats:
    with _quiet():
        if hasattr(model, "decision_function"):
            return np.asarray(model.decision_function(X), dtype=np.float64)
        found = np.asarray(model.predict(X), dtype=np.float64)
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return np.log(found) if type(last).__name__ in {"GammaRegressor", "PoissonRegressor"} else found


class _quiet(warnings.catch_warnings):  # noqa: N801 - used as a function
    """The libraries warn of rows without the names of the training data, and of overflow in their own checks."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
