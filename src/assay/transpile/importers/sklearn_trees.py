"""scikit-learn's trees: decision trees, forests, gradient boosting and histogram gradient boosting.

Splits are ``x <= t`` with a double t. Trees and forests round x to float32 first, which the rows already
are; where the model takes missing values, each split says where they go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.ensemble import Ensemble, RawTree, class_labels
from assay.transpile.errors import ModelUnsupported
from assay.transpile.importers.check import check_tree
from assay.transpile.importers.own import nearest, refuse_overrides

if TYPE_CHECKING:
    from assay.transpile.ensemble import MissingRule

NAME = "scikit-learn"

_TREES = {"DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"}
_FORESTS = {"RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"}
_BOOSTING = {"GradientBoostingClassifier", "GradientBoostingRegressor"}
_HISTOGRAM = {"HistGradientBoostingClassifier", "HistGradientBoostingRegressor"}


def family(model: Any) -> str | None:
    """The class of scikit-learn's own that a model is, or None."""
    kind = nearest(model, "sklearn")
    return kind if kind in _TREES | _FORESTS | _BOOSTING | _HISTOGRAM else None


def accepts(model: Any) -> bool:
    """Whether this is one of the tree models above."""
    return family(model) is not None


def read(model: Any) -> Ensemble:
    """Read a fitted model."""
    kind = str(family(model))
    refuse_overrides(model, "sklearn")
    if not hasattr(model, "n_features_in_"):
        raise ModelUnsupported(f"the {kind} is not fitted", "Call fit first.")
    if kind in _BOOSTING:
        return _boosting(model, kind)
    if kind in _HISTOGRAM:
        return _histogram(model, kind)
    return _forest(model, kind)


def is_classifier(kind: str) -> bool:
    """Whether a class name is a classifier's."""
    return kind.endswith("Classifier")


def _forest(model: Any, kind: str) -> Ensemble:
    """Trees and forests: an average of leaf values, which are class probabilities for classifiers."""
    members = [model] if kind in _TREES else list(model.estimators_)
    classifier = is_classifier(kind)
    if classifier and model.n_outputs_ != 1:
        raise ModelUnsupported(f"the {kind} predicts {model.n_outputs_} labels at once", "Train one model a label.")
    trees = [_tree(member.tree_, classifier=classifier) for member in members]
    for tree in trees:
        tree.value /= len(trees)
    width = trees[0].value.shape[1]
    meta = _meta(kind, "probability" if classifier else "identity")
    if classifier:
        meta["classes"] = class_labels(model.classes_)
        outputs = [f"probability[{label}]" for label in meta["classes"]]
    else:
        outputs = ["value"] if width == 1 else [f"value[{index}]" for index in range(width)]
    for tree in trees:
        tree.outputs = list(range(width))
    return Ensemble(
        trees=trees,
        features=_names(model),
        outputs=outputs,
        base=np.zeros(width),
        strict=False,
        missing=_missing_rule(model),
        meta=meta,
    )


def _boosting(model: Any, kind: str) -> Ensemble:
    initial = model.init_
    if not (isinstance(initial, str) and initial == "zero") and type(initial).__name__ not in {
        "DummyClassifier",
        "DummyRegressor",
    }:
        raise ModelUnsupported(
            f"the {kind} starts from another model (init={type(initial).__name__})", "Train with init=None or 'zero'."
        )
    rounds, groups = model.estimators_.shape
    trees: list[RawTree] = []
    for member, output in zip(model.estimators_.ravel(), list(range(groups)) * rounds, strict=True):
        tree = _tree(member.tree_, classifier=False)
        tree.value *= model.learning_rate
        tree.outputs = [output]
        # Checked before the library itself walks it for the start value below.
        check_tree(tree, model.n_features_in_, groups, f"tree {len(trees)}")
        trees.append(tree)
    meta = _meta(kind, _boosting_link(model, groups)) | {"iterations": int(rounds)}
    if is_classifier(kind):
        meta["classes"] = class_labels(model.classes_)
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))  # noqa: SLF001
    return Ensemble(
        trees=trees,
        features=_names(model),
        outputs=_margin_names(groups),
        base=np.asarray(start, dtype=np.float64).reshape(groups),
        strict=False,
        missing="refuse",
        meta=meta,
    )


def _boosting_link(model: Any, groups: int) -> str:
    if not is_classifier(type(model).__name__):
        return "identity"
    if model.loss == "exponential":
        # Its margin is half the log-odds.
        return "half-logit"
    return "logit" if groups == 1 else "softmax"


def _histogram(model: Any, kind: str) -> Ensemble:
    categorical = model.is_categorical_
    if categorical is not None and np.any(categorical):
        raise ModelUnsupported(
            f"the {kind} has categorical features", "Encode them as numbers before training, or use LightGBM."
        )
    predictors = model._predictors  # noqa: SLF001 - there is no public way to the trees
    groups = len(predictors[0])
    trees = []
    for stage in predictors:
        for output, predictor in enumerate(stage):
            trees.append(_histogram_tree(predictor.nodes, output))
    link = "identity"
    if is_classifier(kind):
        link = "logit" if groups == 1 else "softmax"
    elif model.loss in {"poisson", "gamma"}:
        link = "log"
    meta = _meta(kind, link) | {"iterations": len(predictors)}
    if is_classifier(kind):
        meta["classes"] = class_labels(model.classes_)
    return Ensemble(
        trees=trees,
        features=_names(model),
        outputs=_margin_names(groups),
        base=np.asarray(model._baseline_prediction, dtype=np.float64).reshape(groups),  # noqa: SLF001
        strict=False,
        missing="directions",
        meta=meta,
        reads="float64",
    )


def _tree(tree: Any, *, classifier: bool) -> RawTree:
    leaf = tree.children_left < 0
    values = np.array(tree.value, dtype=np.float64)
    value = values[:, 0, :] if classifier else values[:, :, 0]
    if classifier:
        # Before 1.3 leaves held weighted counts; the library's predict_proba divides by their sum, and so do we.
        total = value.sum(axis=1, keepdims=True)
        value = value / np.where(total == 0, 1.0, total)
    count = len(leaf)
    goes_left = getattr(tree, "missing_go_to_left", None)
    return RawTree(
        feature=np.where(leaf, -1, tree.feature).astype(np.int64),
        threshold=np.array(tree.threshold, dtype=np.float64),
        left=tree.children_left.astype(np.int64),
        right=tree.children_right.astype(np.int64),
        default_left=np.zeros(count, np.bool_) if goes_left is None else np.asarray(goes_left).astype(np.bool_),
        value=value,
        outputs=list(range(value.shape[1])),
        runtime_leaf=np.arange(count),
    )


def _histogram_tree(nodes: Any, output: int) -> RawTree:
    leaf = nodes["is_leaf"].astype(np.bool_)
    if nodes["is_categorical"][~leaf].any():
        raise ModelUnsupported("the model has categorical splits", "Encode the categories as numbers before training.")
    return RawTree(
        feature=np.where(leaf, -1, nodes["feature_idx"]).astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        default_left=nodes["missing_go_to_left"].astype(np.bool_),
        value=nodes["value"].astype(np.float64)[:, np.newaxis],
        outputs=[output],
        runtime_leaf=np.arange(len(nodes)),
    )


def _missing_rule(model: Any) -> MissingRule:
    """Trees take missing values since 1.3, forests since 1.4, each only with some criteria."""
    tags = getattr(model, "__sklearn_tags__", None)
    if tags is not None:
        return "directions" if tags().input_tags.allow_nan else "refuse"
    return "directions" if model._get_tags().get("allow_nan") else "refuse"  # noqa: SLF001 - before 1.6


def _names(model: Any) -> list[str]:
    names = getattr(model, "feature_names_in_", None)
    return [f"f{index}" for index in range(model.n_features_in_)] if names is None else [str(name) for name in names]


def _margin_names(groups: int) -> list[str]:
    return ["margin"] if groups == 1 else [f"margin[{index}]" for index in range(groups)]


def _meta(kind: str, link: str) -> dict[str, Any]:
    task = "classification" if is_classifier(kind) else "regression"
    return {"library": NAME, "model": kind, "link": link, "task": task}
