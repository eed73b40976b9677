"""LightGBM: boosters, scikit-learn wrappers, and model files as text.

Splits are ``x <= t`` on doubles. What a missing value does is up to each split: missing type *none* reads
it as 0, *zero* sends it and zeros the default way, *NaN* sends it the default way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.categorical import Category, Values, lightgbm_category
from assay.transpile.ensemble import Ensemble, RawTree, class_labels
from assay.transpile.errors import ModelUnreadable, ModelUnsupported, OptionError
from assay.transpile.importers.check import malformed
from assay.transpile.importers.lightgbm_settings import CHANGE_ANSWERS, OTHERS
from assay.transpile.importers.own import nearest, refuse_overrides, refuse_settings
from assay.transpile.importers.reading import integer, number, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NAME = "lightgbm"

# Bits of decision_type: 0 categorical, 1 default left, 2 and 3 the missing type.
_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_NONE, _ZERO, _NAN = 0, 1, 2

_VERSIONS = {"v2", "v3", "v4"}
# What predict makes of the sums. A custom objective is stored as "custom" or none at all, and predict adds nothing.
_LINKS = {
    "binary": "logit",
    "cross_entropy": "logit",
    "cross_entropy_lambda": "softplus",
    "custom": "identity",
    "fair": "identity",
    "gamma": "log",
    "huber": "identity",
    "lambdarank": "identity",
    "mape": "identity",
    "multiclass": "softmax",
    "multiclassova": "logit",
    "none": "identity",
    "poisson": "log",
    "quantile": "identity",
    "rank_xendcg": "identity",
    "regression": "identity",
    "regression_l1": "identity",
    "tweedie": "log",
}
_WRAPPERS = {"LGBMClassifier", "LGBMModel", "LGBMRanker", "LGBMRegressor"}
_TASKS = {
    "binary": "classification",
    "multiclass": "classification",
    "multiclassova": "classification",
    "lambdarank": "ranking",
    "rank_xendcg": "ranking",
}
_AGAIN = "Save the model again."

Fields = dict[str, str]


def accepts(model: Any) -> bool:
    """Whether this is a Booster or one of the library's scikit-learn wrappers."""
    return nearest(model, NAME) in _WRAPPERS | {"Booster"}


def read(model: Any, iterations: int | None) -> Ensemble:
    """Read a Booster or wrapper; without `iterations` the rounds that its own `predict` uses."""
    refuse_overrides(model, NAME)
    if hasattr(model, "get_params"):
        # A wrapper passes its settings on to predict; a Booster does not.
        refuse_settings(model.get_params(), CHANGE_ANSWERS, OTHERS)
    text = booster_of(model).model_to_string(num_iteration=iterations or None)
    ensemble = from_text(text, type(model).__name__, iterations)
    if hasattr(model, "get_params"):
        _read_as(ensemble, nearest(model, NAME))
    classes = getattr(model, "classes_", None)
    if classes is not None:
        ensemble.meta["classes"] = class_labels(classes)
    return ensemble


def _read_as(ensemble: Ensemble, wrapper: str | None) -> None:
    """What a wrapper's predict makes of an objective of the other kind: a classifier takes the likelier class, all
    others give what the objective makes of the sums. One of the user's own is a sum to all of them.
    """
    meta, classifies = ensemble.meta, wrapper == "LGBMClassifier"
    objective = meta["objective"]
    if classifies == (meta["task"] == "classification") or meta["task"] == "ranking" or objective in {"custom", "none"}:
        return
    if objective == "cross_entropy":
        meta["task"] = "classification"
    elif objective == "binary":
        meta["task"] = "regression"
    else:
        raise ModelUnsupported(
            f"an {wrapper} with the objective {objective} answers neither classes nor values of its own",
            f"Train an {'LGBMRegressor' if classifies else 'LGBMClassifier'} with it, or pass booster_.",
        )


def booster_of(model: Any) -> Any:
    """The Booster in a wrapper, or the Booster itself."""
    if not hasattr(model, "fit"):
        return model
    if not model.__sklearn_is_fitted__():
        raise ModelUnsupported(f"the {type(model).__name__} is not fitted", "Call fit first.")
    return model.booster_


def read_file(data: bytes, name: str, iterations: int | None) -> Ensemble:
    """Read the bytes of a .txt file; `name` is for messages."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ModelUnreadable(f"{name} is damaged: byte {error.start} is not UTF-8", _AGAIN) from None
    return from_text(text.replace("\r\n", "\n"), "model file", iterations)


def from_text(text: str, kind: str, iterations: int | None) -> Ensemble:
    """Read a model's text; raises `ModelError` if it is none, or of a kind that is not converted."""
    header, *blocks = _blocks(text)
    if header.get("version") not in _VERSIONS:
        raise ModelUnsupported(
            f"the LightGBM model has format version {header.get('version')!r:.20}", "Supported: v2, v3 and v4."
        )
    groups = integer(header.get("num_tree_per_iteration", "1"), "num_tree_per_iteration", low=1, high=1 << 12)
    width = integer(header.get("max_feature_idx"), "max_feature_idx", high=(1 << 16) - 1) + 1
    rounds = _rounds(len(blocks), groups, iterations)
    trees = [_tree(block, index % groups, f"tree {index}") for index, block in enumerate(blocks[: rounds * groups])]
    # With average_output (random forest mode) predict divides the sum by the number of rounds.
    averaged = "average_output" in header
    for tree in trees if averaged else []:
        tree.value /= rounds
    names = header.get("feature_names", "").split(" ")
    objective, *settings = header.get("objective", "").split() or ["none"]
    if objective not in _LINKS:
        raise ModelUnsupported(
            f"the LightGBM objective {objective[:40]!r} is unknown", f"Supported: {', '.join(sorted(_LINKS))}."
        )
    return Ensemble(
        trees=trees,
        features=names if len(names) == width and all(names) else [f"Column_{index}" for index in range(width)],
        outputs=["margin"] if groups == 1 else [f"margin[{index}]" for index in range(groups)],
        base=np.zeros(groups),
        strict=False,
        missing="zero" if all(_reads_missing_as_zero(block) for block in blocks[: rounds * groups]) else "directions",
        meta={
            "library": NAME,
            "model": kind,
            "objective": objective,
            **_link(objective, settings),
            "task": _TASKS.get(objective, "regression"),
            "iterations": rounds,
            "averaged": averaged,
        },
        flush_tiny=True,
        reads="float64",
        categories=_values(text, width),
    )


def _link(objective: str, settings: list[str]) -> dict[str, Any]:
    """What predict makes of the sums, and the factor before it does."""
    if objective == "regression" and "sqrt" in settings:
        return {"link": "signed-square"}
    factors = [text.partition(":")[2] for text in settings if text.startswith("sigmoid:")]
    if factors and _LINKS[objective] == "logit":
        return {"link": "logit", "link_factor": number(factors[0], "sigmoid")}
    return {"link": _LINKS[objective]}


def _values(text: str, width: int) -> dict[int, Values]:
    """The values of categorical columns of the training data frame, which the model numbers.

    The text lists them in the order of the frame's columns and does not say which these were; the training
    parameters say which features are categorical.
    """
    _, found, listed = text.rpartition("\npandas_categorical:")
    lists = parse_json(listed.strip().encode(), "pandas_categorical") if found else None
    if not lists:
        return {}
    if not isinstance(lists, list) or not all(isinstance(values, list) for values in lists):
        raise malformed("pandas_categorical", "it is not a list of lists")
    _, found, rest = text.partition("\n[categorical_feature: ")
    parts = rest.partition("]")[0].split(",") if found else []
    columns = [integer(part.strip(), "categorical_feature", high=width - 1) for part in parts if part.strip()]
    if len(columns) != len(lists):
        raise ModelUnsupported(
            f"the model records the values of {len(lists)} categorical columns and has {len(columns)} categorical "
            "features, so which are which is not known",
            "Train with all categorical columns unordered and categorical_feature='auto', or with numbers in their "
            "place.",
        )
    return {
        column: Values(tuple(class_labels(values)), "missing")
        for column, values in zip(sorted(columns), lists, strict=True)
    }


def _rounds(trees: int, groups: int, iterations: int | None) -> int:
    rounds, rest = divmod(trees, groups)
    if rest:
        raise malformed("the header", f"{trees} trees do not divide into rounds of {groups}")
    if not rounds:
        raise ModelUnsupported("the LightGBM model has no trees", "Train it for at least one round.")
    if iterations is not None and iterations > rounds:
        raise OptionError(f"iterations is {iterations} and the model has {rounds} rounds", "Choose from them.")
    return iterations or rounds


def _blocks(text: str) -> Iterator[Fields]:
    """The header and then each tree, as fields; what follows the trees is training history."""
    if not text.startswith("tree\n"):
        raise ModelUnreadable("the file is no LightGBM model: it does not begin with 'tree'", _AGAIN)
    body, end, _ = text.partition("\nend of trees")
    if not end:
        raise ModelUnreadable("the LightGBM model is truncated: 'end of trees' is missing", _AGAIN)
    for section in body.split("\nTree="):
        pairs = (line.partition("=") for line in section.split("\n")[1:])
        yield {name.strip(): value.strip() for name, _, value in pairs}


def _tree(fields: Fields, group: int, where: str) -> RawTree:
    if fields.get("is_linear", "0") != "0":
        raise ModelUnsupported(
            "the LightGBM model has linear models in its leaves (linear_tree)", "Train with linear_tree=false."
        )
    leaves = integer(fields.get("num_leaves"), f"{where}, num_leaves", low=1)
    leaf_value = _numbers(fields, "leaf_value", leaves, where)
    inner = leaves - 1
    feature = _integers(fields, "split_feature", inner, where)
    if (feature < 0).any():
        raise malformed(where, "it splits on a feature with a negative number")
    threshold = _numbers(fields, "threshold", inner, where)
    decision = _integers(fields, "decision_type", inner, where)
    missing = (decision >> 2) & 3
    if (missing > _NAN).any():
        raise malformed(where, "it has an unknown missing type")
    # Type none reads a missing value as 0, so that 0 decides which way it goes.
    default_left = np.where(missing == _NONE, threshold >= 0, decision & _DEFAULT_LEFT != 0)
    categories = _categories(fields, decision, threshold, where)
    default_left[list(categories)] = False
    return RawTree(
        feature=np.concatenate([feature, np.full(leaves, -1)]),
        threshold=np.concatenate([threshold, np.zeros(leaves)]),
        left=_children(fields, "left_child", leaves, where),
        right=_children(fields, "right_child", leaves, where),
        default_left=np.concatenate([default_left, np.zeros(leaves, dtype=np.bool_)]),
        value=np.concatenate([np.zeros(inner), leaf_value])[:, np.newaxis],
        outputs=[group],
        runtime_leaf=np.concatenate([np.zeros(inner, dtype=np.int64), np.arange(leaves)]),
        zero_missing=np.concatenate([(missing == _ZERO) & (decision & _CATEGORICAL == 0), np.zeros(leaves, np.bool_)]),
        categories=categories,
    )


def _reads_missing_as_zero(fields: Fields) -> bool:
    """Whether every split of a tree is numeric and of missing type none."""
    return all(int(kind) & (3 << 2 | _CATEGORICAL) == 0 for kind in fields.get("decision_type", "").split())


def _children(fields: Fields, name: str, leaves: int, where: str) -> NDArray[np.int64]:
    """Children as numbers of our nodes: inner nodes first, leaf j at ``leaves - 1 + j``; -1 at leaves."""
    inner = leaves - 1
    child = _integers(fields, name, inner, where)
    if ((child >= inner) | (~child >= leaves)).any():
        raise malformed(where, "a node has a child that does not exist")
    return np.concatenate([np.where(child >= 0, child, inner + ~child), np.full(leaves, -1)])


def _categories(
    fields: Fields, decision: NDArray[np.int64], threshold: NDArray[np.float64], where: str
) -> dict[int, Category]:
    nodes = np.flatnonzero(decision & _CATEGORICAL)
    if not nodes.size:
        return {}
    count = integer(fields.get("num_cat"), f"{where}, num_cat", low=1)
    bounds = _integers(fields, "cat_boundaries", count + 1, where)
    words = _integers(fields, "cat_threshold", None, where)
    if bounds[0] != 0 or (np.diff(bounds) < 0).any() or bounds[-1] > len(words) or (words >> 32 != 0).any():
        raise malformed(where, "its sets of categories are out of order")
    categories = {}
    for node in nodes.tolist():
        chosen = threshold[node]
        if not (0 <= chosen < count and chosen == int(chosen)):
            raise malformed(where, "a categorical split names a set that is not in the file")
        members = words[bounds[int(chosen)] : bounds[int(chosen) + 1]]
        bits = (members[:, np.newaxis] >> np.arange(32)) & 1
        categories[node] = lightgbm_category(np.flatnonzero(bits.ravel()).tolist())
    return categories


def _integers(fields: Fields, name: str, count: int | None, where: str) -> NDArray[np.int64]:
    try:
        values = np.array([int(part) for part in fields.get(name, "").split()], dtype=np.int64)
    except (ValueError, OverflowError):
        raise malformed(where, f"{name} is not a list of integers") from None
    _check_count(values, name, count, where)
    return values


def _numbers(fields: Fields, name: str, count: int | None, where: str) -> NDArray[np.float64]:
    try:
        values = np.array([float(part) for part in fields.get(name, "").split()], dtype=np.float64)
    except ValueError:
        raise malformed(where, f"{name} is not a list of numbers") from None
    _check_count(values, name, count, where)
    return values


def _check_count(values: NDArray[Any], name: str, count: int | None, where: str) -> None:
    if count is not None and len(values) != count:
        raise malformed(where, f"{name} has {len(values)} entries instead of {count}")
