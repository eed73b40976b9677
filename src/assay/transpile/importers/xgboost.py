"""XGBoost: boosters, scikit-learn wrappers, and model files as JSON or UBJSON.

The model is read from its document, never from memory layouts, and the library is not needed for that.
Splits are ``x < t`` on float32; a missing value takes the node's default direction.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.categorical import Values, xgboost_category
from assay.transpile.ensemble import Ensemble, Linear, RawTree, class_labels
from assay.transpile.errors import ModelUnsupported, OptionError
from assay.transpile.importers.check import malformed
from assay.transpile.importers.own import nearest, refuse_overrides
from assay.transpile.importers.reading import child, integer, integers, number, numbers, parse_json, texts
from assay.transpile.importers.ubjson import parse_ubjson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.ensemble import Source

NAME = "xgboost"

# How a stored base_score becomes a margin, and what a margin stands for; as the library's 3.2 does it.
_IDENTITY, _LOGIT, _LOG = "identity", "logit", "log"
_BASE_LINKS = {
    "binary:hinge": _IDENTITY,
    "binary:logistic": _LOGIT,
    "binary:logitraw": _IDENTITY,
    "count:poisson": _LOG,
    "multi:softmax": _IDENTITY,
    "multi:softprob": _IDENTITY,
    "rank:map": _IDENTITY,
    "rank:ndcg": _IDENTITY,
    "rank:pairwise": _IDENTITY,
    "reg:absoluteerror": _IDENTITY,
    "reg:expectileerror": _IDENTITY,
    "reg:gamma": _LOG,
    "reg:linear": _IDENTITY,
    "reg:logistic": _LOGIT,
    "reg:pseudohubererror": _IDENTITY,
    "reg:quantileerror": _IDENTITY,
    "reg:squarederror": _IDENTITY,
    "reg:squaredlogerror": _IDENTITY,
    "reg:tweedie": _LOG,
    "survival:aft": _LOG,
    "survival:cox": _LOG,
}


_WRAPPERS = {"XGBClassifier", "XGBModel", "XGBRFClassifier", "XGBRFRegressor", "XGBRanker", "XGBRegressor"}


def accepts(model: Any) -> bool:
    """Whether this is a Booster or one of the library's scikit-learn wrappers."""
    return nearest(model, NAME) in _WRAPPERS | {"Booster"}


def read(model: Any, iterations: int | None) -> Source:
    """Read a Booster or wrapper.

    Parameters
    ----------
    model
        Fitted.
    iterations
        Boosting rounds to use; None for those that the model's own `predict` uses.
    """
    # Of a wrapper's settings predict reads `missing` and what the document says too; all others are for training.
    refuse_overrides(model, NAME)
    wrapper = hasattr(model, "get_booster")
    source = from_document(_document(booster_of(model)), type(model).__name__, iterations, wrapper=wrapper)
    if wrapper:
        _read_as(source, nearest(model, NAME))
    classes = getattr(model, "classes_", None) if source.meta["task"] == "classification" else None
    if classes is not None:
        source.meta["classes"] = class_labels(classes)
    missing = getattr(model, "missing", None)
    if wrapper and missing is not None and not np.isnan(missing):
        if isinstance(source, Linear):
            raise ModelUnsupported(
                f"the linear model was told that missing values are written as {missing}, and skips them",
                "Train a linear model on rows without missing values.",
            )
        source.missing_value = float(missing)
    return source


def _read_as(source: Source, wrapper: str | None) -> None:
    """What a wrapper's predict makes of an objective of the other kind: a classifier takes values above 0.5 for the
    second class, all others give values.
    """
    meta = source.meta
    objective, classifies = meta["objective"], wrapper in {"XGBClassifier", "XGBRFClassifier"}
    if classifies == (meta["task"] in {"classification", "multilabel"}) or meta["task"] == "ranking":
        return
    if objective == "reg:logistic" and len(source.outputs) == 1:
        meta["task"] = "classification"
    elif objective == "binary:logistic":
        meta["task"] = "regression"
    elif objective == "binary:logitraw":
        meta |= {"task": "regression", "link": _IDENTITY, "threshold": 0.0}
    else:
        raise ModelUnsupported(
            f"an {wrapper} with the objective {objective} answers neither classes nor values of its own",
            f"Train an {'XGBRegressor' if classifies else 'XGBClassifier'} with it, or pass get_booster().",
        )


def booster_of(model: Any) -> Any:
    """The Booster in a wrapper, or the Booster itself."""
    if not hasattr(model, "get_booster"):
        return model
    if not model.__sklearn_is_fitted__():
        raise ModelUnsupported(f"the {type(model).__name__} is not fitted", "Call fit first.")
    return model.get_booster()


def _document(booster: Any) -> Any:
    return parse_ubjson(bytes(booster.save_raw("ubj")))


def read_file(data: bytes, name: str, iterations: int | None) -> Source:
    """Read the bytes of a .json or .ubj file; `name` is for messages."""
    # Both begin with a brace; in UBJSON the length of the first key follows, in JSON a quote or a space.
    binary = len(data) > 1 and data[1:2] in (b"L", b"l", b"I", b"U", b"i")
    document = parse_ubjson(data) if binary else parse_json(data, name)
    attributes = document.get("learner", {}) if isinstance(document, dict) else {}
    attributes = attributes.get("attributes", {}) if isinstance(attributes, dict) else {}
    wrapper = isinstance(attributes, dict) and "scikit_learn" in attributes
    return from_document(document, "model file", iterations, wrapper=wrapper)


def from_document(document: Any, kind: str, iterations: int | None, *, wrapper: bool) -> Source:
    """Read a parsed model; `wrapper` if it belongs to a scikit-learn wrapper, which stops at the best iteration."""
    learner = child(document, "learner")
    objective = child(learner, "objective", "name")
    if not isinstance(objective, str) or objective not in _BASE_LINKS:
        raise ModelUnsupported(
            f"the XGBoost objective {str(objective)[:40]!r} is unknown", f"Supported: {', '.join(sorted(_BASE_LINKS))}."
        )
    parameters = child(learner, "learner_model_param")
    width = integer(child(parameters, "num_feature"), "num_feature", low=1, high=1 << 16)
    groups = max(_count(parameters, "num_class"), _count(parameters, "num_target"), 1)
    features = _feature_names(learner, width)
    base = _base_margin(parameters, objective, groups)
    outputs = _output_names(groups)
    multi = objective.startswith("multi:")
    meta: dict[str, Any] = {
        "library": NAME,
        "model": kind,
        "objective": objective,
        "link": _margin_link(objective),
        "task": "multilabel" if groups > 1 and _task(objective) == "classification" and not multi else _task(objective),
    }
    if wrapper and objective == "binary:logitraw":
        # The wrapper's predict compares with 0.5 whatever predict gives, here the margin itself.
        meta["threshold"] = 0.5
    booster = child(learner, "gradient_booster")
    form = booster.get("name", "gbtree") if isinstance(booster, dict) else None
    if form == "gblinear":
        return _linear(booster, base, features, outputs, meta)
    if form not in ("gbtree", "dart"):
        raise ModelUnsupported(
            f"the XGBoost booster {str(form)[:40]!r} is unknown", "Supported: gbtree, dart and gblinear."
        )
    model = child(booster, *(("gbtree", "model") if form == "dart" else ("model",)))
    raw_trees = child(model, "trees")
    if not isinstance(raw_trees, list):
        raise malformed("trees", "it is not a list")
    info = integers(child(model, "tree_info"), "tree_info")
    weights = numbers(child(booster, "weight_drop"), "weight_drop") if form == "dart" else np.ones(len(raw_trees))
    if len(info) != len(raw_trees) or len(weights) != len(raw_trees):
        raise malformed("tree_info", "it does not have one entry for each tree")
    bounds = _iteration_bounds(model, raw_trees, groups)
    rounds = _rounds(learner, len(bounds) - 1, iterations, wrapper=wrapper)
    meta |= {"booster": form, "iterations": rounds}
    if not bounds[rounds]:
        raise ModelUnsupported("the XGBoost model has no trees", "Train it for at least one round.")
    trees = [
        _tree(raw_trees[index], int(info[index]), float(np.float32(weights[index])), groups, f"tree {index}")
        for index in range(bounds[rounds])
    ]
    return Ensemble(
        trees=trees,
        features=features,
        outputs=outputs,
        base=base,
        strict=True,
        missing="directions",
        meta=meta,
        categories=_values(learner, model, width),
    )


def _values(learner: Any, model: Any, width: int) -> dict[int, Values]:
    """The values of categorical columns of the training data frame, which the model numbers; since 3.1."""
    stored = model.get("cats") or learner.get("cats")
    if not stored:
        return {}
    entries = child(stored, "enc")
    if not isinstance(entries, list) or len(entries) not in (0, width):
        raise malformed("cats", "it does not have one entry for each feature")
    known = {index: _labels(entry) for index, entry in enumerate(entries)}
    return {index: Values(labels, "refuse") for index, labels in known.items() if labels}


def _labels(entry: Any) -> tuple[int | str, ...]:
    values = integers(child(entry, "values"), "cats").tolist()
    if "offsets" not in entry:
        return tuple(values)
    ends = integers(entry["offsets"], "cats").tolist()
    if not ends:
        return ()
    if ends[0] != 0 or ends[-1] != len(values) or sorted(ends) != ends:
        raise malformed("cats", "its texts are out of order")
    try:
        # Bytes, signed or not, as the library's versions write them.
        letters = bytes(value % 256 for value in values)
        return tuple(letters[start:end].decode() for start, end in pairwise(ends))
    except UnicodeDecodeError:
        raise malformed("cats", "its texts are not UTF-8") from None


def _count(parameters: Any, name: str) -> int:
    return integer(parameters.get(name, "0"), name, high=1 << 12) if isinstance(parameters, dict) else 0


def _feature_names(learner: Any, width: int) -> list[str]:
    names = texts(learner.get("feature_names", []), "feature_names")
    if names and len(names) != width:
        raise malformed("feature_names", f"there are {len(names)} for {width} features")
    return names or [f"f{index}" for index in range(width)]


def _output_names(groups: int) -> list[str]:
    return ["margin"] if groups == 1 else [f"margin[{index}]" for index in range(groups)]


def _margin_link(objective: str) -> str:
    if objective.startswith("multi:"):
        return "softmax"
    if objective == "binary:hinge":
        return "margin"
    if objective == "binary:logitraw":
        return _LOGIT
    return _BASE_LINKS[objective]


def _task(objective: str) -> str:
    kind = objective.partition(":")[0]
    return {"binary": "classification", "multi": "classification", "rank": "ranking"}.get(kind, "regression")


def _base_margin(parameters: Any, objective: str, groups: int) -> NDArray[np.float64]:
    """base_score is stored in the space of predictions: one number or, since 3.1, a list as text."""
    stored = child(parameters, "base_score")
    text = stored.strip("[]") if isinstance(stored, str) else stored
    parts = text.split(",") if isinstance(text, str) else [text]
    scores = np.array([number(part, "base_score") for part in parts])
    if len(scores) not in (1, groups):
        raise malformed("base_score", f"there are {len(scores)} for {groups} outputs")
    with np.errstate(all="ignore"):
        margins = _link(scores.astype(np.float32), _BASE_LINKS[objective]).astype(np.float64)
    if not np.isfinite(margins).all():
        raise malformed("base_score", f"the margin of {str(stored)[:40]} is not finite under {objective}")
    return np.broadcast_to(margins, (groups,)).copy()


def _link(scores: NDArray[np.float32], link: str) -> NDArray[np.float32]:
    # In float32, step by step as the library computes it; but the logarithm in double precision, rounded
    # once, since NumPy's own in float32 is off by an ulp at times.
    if link == _IDENTITY:
        return scores
    if link == _LOG:
        return np.log(scores.astype(np.float64)).astype(np.float32)
    one, least = np.float32(1), np.float32(1e-6)
    inside = np.where((scores >= 0) & (scores <= one), np.clip(scores, least, one - least), np.float32(np.nan))
    odds = one / inside - one
    return -np.log(odds.astype(np.float64)).astype(np.float32)


def _iteration_bounds(model: Any, trees: list[Any], groups: int) -> list[int]:
    """How many trees the first i rounds have, for i from 0."""
    if "iteration_indptr" in model:
        bounds = [int(bound) for bound in integers(model["iteration_indptr"], "iteration_indptr")]
        if not bounds or bounds[0] != 0 or bounds[-1] != len(trees) or sorted(bounds) != bounds:
            raise malformed("iteration_indptr", "it does not divide the trees into rounds")
        return bounds
    parallel = integer(child(model, "gbtree_model_param", "num_parallel_tree"), "num_parallel_tree", low=0)
    step = groups * max(parallel, 1)
    return [*range(0, len(trees), step), len(trees)] if trees else [0]


def _rounds(learner: Any, available: int, iterations: int | None, *, wrapper: bool) -> int:
    if iterations is not None:
        if not 1 <= iterations <= available:
            raise OptionError(f"iterations is {iterations} and the model has {available} rounds", "Choose from them.")
        return iterations
    attributes = learner.get("attributes", {})
    if wrapper and isinstance(attributes, dict) and "best_iteration" in attributes:
        return min(integer(attributes["best_iteration"], "best_iteration") + 1, available)
    return available


def _tree(raw: Any, group: int, weight: float, groups: int, where: str) -> RawTree:
    def ints(name: str) -> NDArray[np.int64]:
        return integers(child(raw, name), f"{where}, {name}")

    left, right = ints("left_children"), ints("right_children")
    condition = _float32(child(raw, "split_conditions"), f"{where}, split_conditions")
    feature = ints("split_indices")
    default_left = ints("default_left")
    count = len(left)
    if any(len(array) != count for array in (right, condition, feature, default_left)):
        raise malformed(where, "its lists of nodes differ in length")
    leaf = left == -1
    if (feature[~leaf] < 0).any():
        raise malformed(where, "it splits on a feature with a negative number")
    size = integer(child(raw, "tree_param", "size_leaf_vector"), f"{where}, size_leaf_vector", high=1 << 12)
    if size > 1 and size != groups:
        raise malformed(where, f"its leaves have {size} values and the model {groups} outputs")
    places = np.where(leaf, right, -1)
    value = condition[:, np.newaxis] if size <= 1 else _vectors(raw, places, size, where)
    return RawTree(
        feature=np.where(leaf, -1, feature),
        threshold=condition,
        left=left,
        right=right,
        default_left=default_left != 0,
        # In dart the library multiplies two float32; their product is exact in a double.
        value=value * weight,
        outputs=[group] if size <= 1 else list(range(size)),
        runtime_leaf=np.arange(count),
        categories=_categories(raw, leaf, where),
    )


def _vectors(raw: Any, places: NDArray[np.int64], size: int, where: str) -> NDArray[np.float64]:
    """Vector leaves. Since 3.1 a leaf's right child is its place in leaf_weights; before, base_weights had them."""
    count = len(places)
    name = "leaf_weights" if "leaf_weights" in raw else "base_weights"
    rows = places if name == "leaf_weights" else np.arange(count)
    table = _float32(child(raw, name), f"{where}, {name}")
    if len(table) % size or (rows >= len(table) // size).any():
        raise malformed(where, f"{name} does not have {size} values for each leaf")
    return np.where(rows[:, np.newaxis] >= 0, table.reshape(-1, size)[rows], 0.0)


def _float32(values: Any, where: str) -> NDArray[np.float64]:
    with np.errstate(over="ignore", under="ignore"):
        return numbers(values, where).astype(np.float32).astype(np.float64)


def _categories(raw: Any, leaf: NDArray[np.bool_], where: str) -> dict[int, Any]:
    if not np.any(integers(raw.get("split_type", []), f"{where}, split_type")):
        return {}
    names = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
    codes, nodes, starts, sizes = (integers(child(raw, name), f"{where}, {name}") for name in names)
    types = integers(raw["split_type"], f"{where}, split_type")
    marked = np.flatnonzero((types[: len(leaf)] == 1) & ~leaf[: len(types)])
    if not len(nodes) == len(starts) == len(sizes) or set(marked.tolist()) != set(nodes.tolist()):
        raise malformed(where, "its categorical splits and their categories differ in number")
    categories = {}
    for node, start, size in zip(nodes.tolist(), starts.tolist(), sizes.tolist(), strict=True):
        members = codes[start : start + size]
        # With no category at all a missing value could not be told from the others.
        if start < 0 or size < 1 or len(members) != size or (members < 0).any() or (members >= 1 << 24).any():
            raise malformed(where, "a categorical split has categories that are not in the file")
        categories[node] = xgboost_category(members.tolist())
    return categories


def _linear(
    booster: Any, base: NDArray[np.float64], features: list[str], outputs: list[str], meta: dict[str, Any]
) -> Linear:
    weights = _float32(child(booster, "model", "weights"), "weights")
    if len(weights) != (len(features) + 1) * len(outputs) or not np.isfinite(weights).all():
        raise malformed("weights", "there is not one finite number for each feature and output")
    table = weights.reshape(len(features) + 1, len(outputs))
    # With several outputs the library (3.2) adds the first base score to all of them here.
    return Linear(table[:-1].T.copy(), base[0] + table[-1], features, outputs, meta | {"booster": "gblinear"})
