"""scikit-learn's linear models, also behind a scaler in a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.ensemble import Linear, class_labels
from assay.transpile.errors import ModelUnsupported

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "scikit-learn"

_CLASSIFIERS = {
    "LinearDiscriminantAnalysis",
    "LinearSVC",
    "LogisticRegression",
    "LogisticRegressionCV",
    "PassiveAggressiveClassifier",
    "Perceptron",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
}
_REGRESSORS = {
    "ARDRegression",
    "BayesianRidge",
    "ElasticNet",
    "ElasticNetCV",
    "HuberRegressor",
    "Lars",
    "LarsCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LinearRegression",
    "LinearSVR",
    "MultiTaskElasticNet",
    "MultiTaskLasso",
    "OrthogonalMatchingPursuit",
    "PassiveAggressiveRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "SGDRegressor",
    "TheilSenRegressor",
}
_LOG_REGRESSORS = {"GammaRegressor", "PoissonRegressor"}
_SCALERS = {"MaxAbsScaler", "MinMaxScaler", "RobustScaler", "StandardScaler"}


def family(model: Any) -> str | None:
    """The class of scikit-learn's own that a model is, "Pipeline", or None."""
    known = _CLASSIFIERS | _REGRESSORS | _LOG_REGRESSORS | {"Pipeline"}
    for kind in type(model).__mro__:
        if kind.__module__.startswith("sklearn.") and kind.__name__ in known:
            return kind.__name__
    return None


def accepts(model: Any) -> bool:
    """Whether this is a linear model or a pipeline."""
    return family(model) is not None


def read(model: Any) -> Linear:
    """Read a fitted linear model, or a pipeline of scalers and one; the scalers are folded into the weights."""
    if family(model) == "Pipeline":
        return _pipeline(model)
    kind = str(family(model))
    if not hasattr(model, "coef_"):
        raise ModelUnsupported(f"the {kind} is not fitted", "Call fit first.")
    coefficients = model.coef_.toarray() if hasattr(model.coef_, "toarray") else np.asarray(model.coef_)
    weights = np.atleast_2d(np.asarray(coefficients, dtype=np.float64))
    base = np.broadcast_to(np.ravel(np.asarray(model.intercept_, dtype=np.float64)), (len(weights),)).copy()
    names = getattr(model, "feature_names_in_", None)
    meta: dict[str, Any] = {"library": NAME, "model": kind, "link": "identity", "task": "regression"}
    if kind in _CLASSIFIERS:
        logistic = "Logistic" in kind or "Discriminant" in kind
        link = ("logit" if len(weights) == 1 else "softmax") if logistic else "margin"
        meta |= {"task": "classification", "classes": class_labels(model.classes_), "link": link}
    elif kind in _LOG_REGRESSORS:
        meta["link"] = "log"
    label = "margin" if kind in _CLASSIFIERS | _LOG_REGRESSORS else "value"
    return Linear(
        weights=weights,
        base=base,
        features=[f"f{index}" for index in range(weights.shape[1])] if names is None else [str(name) for name in names],
        outputs=[label] if len(weights) == 1 else [f"{label}[{index}]" for index in range(len(weights))],
        meta=meta,
    )


def _pipeline(model: Any) -> Linear:
    steps = [step for _, step in model.steps if step is not None and step != "passthrough"]
    if not steps:
        raise ModelUnsupported("the pipeline is empty", "Pass a fitted model.")
    *before, last = steps
    if family(last) in {None, "Pipeline"}:
        raise ModelUnsupported(
            f"a pipeline that ends in {type(last).__name__} is not supported",
            "Supported are scalers before a linear model; trees need none: train them on the features themselves.",
        )
    linear = read(last)
    for step in reversed(before):
        linear = _fold(linear, step)
    names = getattr(before[0], "feature_names_in_", None) if before else None
    if names is not None and len(names) == len(linear.features):
        linear.features = [str(name) for name in names]
    linear.meta["model"] = f"Pipeline({', '.join(type(step).__name__ for step in steps)})"
    return linear


def _fold(linear: Linear, scaler: Any) -> Linear:
    """The linear model of ``scaler(x)`` as one of x."""
    kind = type(scaler).__name__
    if kind not in _SCALERS or not type(scaler).__module__.startswith("sklearn."):
        raise ModelUnsupported(
            f"a pipeline with {kind} is not supported",
            f"Supported before a linear model: {', '.join(sorted(_SCALERS))}. Apply {kind} to the rows yourself "
            "and pass the last step alone.",
        )
    factor, offset = _affine(scaler, kind, len(linear.features))
    linear.base = linear.base + linear.weights @ offset
    linear.weights = linear.weights * factor
    return linear


def _affine(scaler: Any, kind: str, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The scaler as ``x * factor + offset``."""
    if getattr(scaler, "n_features_in_", width) != width:
        raise ModelUnsupported(f"the {kind} is for another number of features", "Fit the pipeline again.")
    if kind == "MinMaxScaler":
        if scaler.clip:
            raise ModelUnsupported("the MinMaxScaler clips", "Use clip=False.")
        return np.asarray(scaler.scale_, dtype=np.float64), np.asarray(scaler.min_, dtype=np.float64)
    centre = getattr(scaler, "mean_" if kind == "StandardScaler" else "center_", None)
    centred = getattr(scaler, "with_mean" if kind == "StandardScaler" else "with_centering", False)
    scale = getattr(scaler, "scale_", None)
    factor = np.ones(width) if scale is None else 1.0 / np.asarray(scale, dtype=np.float64)
    if not centred or centre is None:
        return factor, np.zeros(width)
    return factor, -np.asarray(centre, dtype=np.float64) * factor
