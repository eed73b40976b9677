"""scikit-learn's linear models."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.transpile.ensemble import Linear, class_labels
from assay.transpile.errors import ModelUnsupported
from assay.transpile.importers.own import nearest, refuse_overrides

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
    "LassoLarsIC",
    "LinearRegression",
    "LinearSVR",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV",
    "PassiveAggressiveRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "SGDRegressor",
    "TheilSenRegressor",
}
_LOG_REGRESSORS = {"GammaRegressor", "PoissonRegressor"}


def family(model: Any) -> str | None:
    """The class of scikit-learn's own that a model is, or None."""
    kind = nearest(model, "sklearn")
    return kind if kind in _CLASSIFIERS | _REGRESSORS | _LOG_REGRESSORS else None


def accepts(model: Any) -> bool:
    """Whether this is a linear model."""
    return family(model) is not None


def read(model: Any) -> Linear:
    """Read a fitted linear model."""
    refuse_overrides(model, "sklearn")
    kind = str(family(model))
    if not hasattr(model, "coef_"):
        raise ModelUnsupported(f"the {kind} is not fitted", "Call fit first.")
    if str(getattr(getattr(model, "_label_binarizer", None), "y_type_", "")).startswith("multilabel"):
        raise ModelUnsupported(f"the {kind} predicts {len(model.coef_)} labels at once", "Train one model a label.")
    coefficients = model.coef_.toarray() if hasattr(model.coef_, "toarray") else np.asarray(model.coef_)
    weights = np.atleast_2d(np.asarray(coefficients, dtype=np.float64))
    base = np.broadcast_to(np.ravel(np.asarray(model.intercept_, dtype=np.float64)), (len(weights),)).copy()
    names = getattr(model, "feature_names_in_", None)
    meta: dict[str, Any] = {"library": NAME, "model": kind, "link": "identity", "task": "regression"}
    if kind in _CLASSIFIERS:
        meta |= {
            "task": "classification",
            "classes": class_labels(model.classes_),
            "link": _link(model, kind, len(weights)),
        }
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


def _link(model: Any, kind: str, outputs: int) -> str:
    """What the classifier's predict_proba makes of its margins; "margin" where it has none or another way."""
    if kind == "SGDClassifier" and model.loss == "log_loss":
        return "logit" if outputs == 1 else "ovr"
    if "Logistic" not in kind and "Discriminant" not in kind:
        return "margin"
    if outputs == 1:
        return "logit"
    # One model a class: the only way of some solvers, and a setting before scikit-learn 1.8.
    apart = "Logistic" in kind and (getattr(model, "multi_class", None) == "ovr" or model.solver == "liblinear")
    return "ovr" if apart else "softmax"
