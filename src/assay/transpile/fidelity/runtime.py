"""The model's own predict as the oracle: its margins, its answers and its leaf numbers."""

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
from assay.transpile.ensemble import class_labels
from assay.transpile.errors import LibraryRefuses, ModelUnsupported
from assay.transpile.importers import importers, lightgbm, sklearn_linear, sklearn_trees, xgboost
from assay.transpile.importers.wrappers import last_step, steps_before, unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.transpile.circuit.answers import Answers

    Floats = NDArray[np.float64]
    Leaves = NDArray[np.int64]
    Answering = Callable[[Any], Any]


@dataclass(frozen=True)
class Runtime:
    """What the library computes from rows in the user's own types.

    Attributes
    ----------
    margins
        float64[B, K].
    answers
        What predict says: labels as a list, or float64[B, K] of values; None where the object's predict gives
        neither (a plain Booster does not know its classes).
    leaves
        The leaf numbers int64[B, T], where the library tells them.
    float32
        Whether it sums in float32.
    ordered
        Whether it sums base and trees one after the other, and not in some order of its own.
    """

    margins: Callable[[Any], Floats]
    answers: Answering | None
    leaves: Callable[[Any], Leaves] | None
    float32: bool
    ordered: bool = True


def runtime(model_or_path: Any, iterations: int | None, outputs: int, answers: Answers) -> Runtime:
    """The library's own predictions of a model; what they raise is `LibraryRefuses`.

    Parameters
    ----------
    model_or_path
        As for `transpile`. A file is opened by the library: call `read` first, which trusts nothing.
    iterations
        Boosting rounds; None leaves the choice to the library's own `predict`.
    outputs
        K.
    answers
        What the outputs mean.
    """
    model = unwrapped(opened(model_or_path) if isinstance(model_or_path, str | os.PathLike) else model_or_path)
    last = last_step(model)
    if xgboost.accepts(last):
        found = _xgboost(model, iterations, outputs, answers)
    elif lightgbm.accepts(last):
        found = _lightgbm(model, iterations, outputs, answers)
    elif sklearn_trees.accepts(last):
        found = _sklearn_trees(model, outputs, answers)
    elif sklearn_linear.accepts(last):
        found = _sklearn_linear(model, outputs, answers)
    else:
        raise ModelUnsupported(f"models of type {type(last).__name__} are not supported", importers.SUPPORTED)
    return Runtime(
        _clear(found.margins),
        None if found.answers is None else _clear(found.answers),
        None if found.leaves is None else _clear(found.leaves),
        found.float32,
    )


def _clear(call: Answering) -> Answering:
    """The call with the library's complaints about rows as ours, in one line."""

    def called(rows: Any) -> Any:
        try:
            with _quiet():
                return call(rows)
        except MemoryError:
            raise
        except Exception as error:  # the library's, of whatever class
            text = " ".join(str(error).split("Stack trace")[0].split())
            raise LibraryRefuses(
                f"the model's own predict does not take these rows ({text[:200] or type(error).__name__})",
                "Give rows that it takes.",
            ) from error

    return called


def opened(path: str | os.PathLike[str]) -> Any:
    """The model in a file, as its own library reads it."""
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


def _shaped(outputs: int, call: Answering) -> Callable[[Any], Floats]:
    def shaped(rows: Any) -> Floats:
        return np.asarray(call(rows), dtype=np.float64).reshape(len(rows), outputs)

    return shaped


def _answering(model: Any, outputs: int, answers: Answers) -> Answering:
    """The object's predict: labels of a classifier, values of a regression."""
    if answers.task == "classification":
        # JSON-compatible, as circuits hold labels.
        return lambda rows: class_labels(np.asarray(model.predict(rows)).ravel())
    if answers.task == "multilabel":
        return lambda rows: np.asarray(model.predict(rows)).reshape(len(rows), outputs).astype(int).tolist()
    return _shaped(outputs, model.predict)


def _array(rows: Any) -> NDArray[Any] | None:
    return rows if isinstance(rows, np.ndarray) else None


def _infinite(rows: Any) -> bool:
    array = _array(rows)
    return array is not None and array.dtype.kind == "f" and bool(np.isinf(array).any())


def _xgboost(model: Any, iterations: int | None, outputs: int, answers: Answers) -> Runtime:
    import xgboost as library

    last = last_step(model)
    booster = xgboost.booster_of(last)
    span = (0, iterations or 0)
    wrapper = last is not booster
    if wrapper and iterations is None and "best_iteration" in (booster.attributes() or {}):
        span = (0, int(booster.attributes()["best_iteration"]) + 1)
    linear = _booster_name(booster) == "gblinear"
    if linear:
        span = (0, 0)
    missing = getattr(last, "missing", np.nan)
    missing = np.nan if missing is None else missing

    def matrix(rows: Any) -> Any:
        if _infinite(rows):
            # A DMatrix refuses infinities; a finite threshold cannot tell them from the largest float32.
            largest = float(np.finfo(np.float32).max)
            rows = np.clip(rows.astype(np.float64), -largest, largest)
        return library.DMatrix(rows, missing=missing, enable_categorical=True)

    def margins(rows: Any) -> Any:
        if wrapper and iterations is None:
            # Names are compared by the library too, where the rows have any.
            return model.predict(rows, output_margin=True, validate_features=_array(rows) is None)
        rows = steps_before(model, rows)
        if _infinite(rows):
            return booster.inplace_predict(rows, span, predict_type="margin", validate_features=False, missing=missing)
        return booster.predict(
            matrix(rows), output_margin=True, iteration_range=span, validate_features=_array(rows) is None
        )

    def leaves(rows: Any) -> Leaves:
        rows = matrix(steps_before(model, rows))
        found = booster.predict(rows, pred_leaf=True, iteration_range=span, validate_features=False)
        return np.asarray(found).reshape(rows.num_row(), -1).astype(np.int64)

    own: Answering | None = None
    # For a linear booster predict makes a matrix, which compares names, and an array has none.
    if wrapper and iterations is None and answers.task != "ranking" and not linear:
        own = _answering(model, outputs, answers)
    return Runtime(_shaped(outputs, margins), own, None if linear else leaves, float32=True)


def _booster_name(booster: Any) -> str:
    return str(json.loads(booster.save_config())["learner"]["gradient_booster"]["name"])


def _lightgbm(model: Any, iterations: int | None, outputs: int, answers: Answers) -> Runtime:
    last = last_step(model)
    booster = lightgbm.booster_of(last)
    averaged = "\naverage_output\n" in booster.model_to_string(num_iteration=1)[:10_000]

    def margins(rows: Any) -> Any:
        found = np.asarray(model.predict(rows, raw_score=True, num_iteration=iterations))
        # The raw score is a sum there, while predict goes on with the average.
        return found / (leaves(rows[:1]).shape[1] // outputs) if averaged else found

    def leaves(rows: Any) -> Leaves:
        found = np.asarray(model.predict(rows, pred_leaf=True, num_iteration=iterations))
        return found.reshape(len(rows), -1).astype(np.int64)

    own = None
    if iterations is None and (last is not booster or answers.task == "regression"):
        own = _answering(model, outputs, answers)
    return Runtime(_shaped(outputs, margins), own, leaves, float32=False)


def _sklearn_trees(model: Any, outputs: int, answers: Answers) -> Runtime:
    last = last_step(model)
    kind = str(sklearn_trees.family(last))
    own = _answering(model, outputs, answers)
    if kind.startswith("Hist"):
        return Runtime(_shaped(outputs, _raw(model, answers)), own, None, float32=False)
    members = [last] if not hasattr(last, "estimators_") else list(np.ravel(last.estimators_))
    forest = not kind.startswith("GradientBoosting")

    def margins(rows: Any) -> Any:
        if _infinite(rows):
            return _tree_by_tree(last, members, steps_before(model, rows), forest=forest)
        if not sklearn_trees.is_classifier(kind):
            return model.predict(rows)
        return model.predict_proba(rows) if forest else model.decision_function(rows)

    def leaves(rows: Any) -> Leaves:
        array = steps_before(model, rows)
        array = np.asarray(array.toarray() if hasattr(array, "toarray") else array, dtype=np.float32)
        return np.stack([member.tree_.apply(array) for member in members], axis=1).astype(np.int64)

    def answering(rows: Any) -> Any:
        return None if _infinite(rows) else own(rows)

    return Runtime(_shaped(outputs, margins), answering, leaves, float32=False)


def _raw(model: Any, answers: Answers) -> Answering:
    """Margins from the public predict: of a regression with a logarithm in between, its logarithm."""
    if hasattr(model, "decision_function"):
        decide: Answering = model.decision_function
        return decide
    if answers.link == "log":
        return lambda rows: np.log(np.asarray(model.predict(rows), dtype=np.float64))
    predict: Answering = model.predict
    return predict


def _tree_by_tree(model: Any, members: list[Any], X: Any, *, forest: bool) -> Floats:
    """The same sums from the compiled trees, for infinities, which the estimators refuse."""
    rows = np.asarray(X).astype(np.float32)
    found = [member.tree_.predict(rows).reshape(len(rows), -1) for member in members]
    if forest:
        return np.asarray(np.mean(found, axis=0))
    groups = model.estimators_.shape[1]
    start = model._raw_predict_init(np.zeros((1, rows.shape[1]), dtype=np.float32))  # noqa: SLF001
    stages = np.stack(found, axis=1)[:, :, 0].reshape(len(rows), -1, groups)
    return np.asarray(start + model.learning_rate * stages.sum(axis=1))


def _sklearn_linear(model: Any, outputs: int, answers: Answers) -> Runtime:
    return Runtime(_shaped(outputs, _raw(model, answers)), _answering(model, outputs, answers), None, float32=False)


class _quiet(warnings.catch_warnings):  # noqa: N801 - used as a function
    """The libraries warn of rows without the names of the training data, and of overflow in their own checks."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
