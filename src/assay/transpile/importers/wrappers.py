"""What stands around a model: searches that hold the best one, and pipelines that end in it."""

from __future__ import annotations

from typing import Any

from assay.transpile.errors import ModelUnsupported
from assay.transpile.importers.own import nearest, refuse_overrides

_SEARCHES = {"GridSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "RandomizedSearchCV"}


def unwrapped(model: Any) -> Any:
    """The model whose predict a search's own predict calls, or the model itself.

    Raises
    ------
    ModelUnsupported
        The search is not fitted, or was told not to train its best model (``refit=False``).
    """
    while nearest(model, "sklearn") in _SEARCHES | {"FrozenEstimator"}:
        kind = type(model).__name__
        refuse_overrides(model, "sklearn")
        name = "estimator" if kind == "FrozenEstimator" else "best_estimator_"
        if not hasattr(model, name):
            raise ModelUnsupported(
                f"the {kind} holds no trained model", "Call fit, with refit=True, or pass the model that you chose."
            )
        model = getattr(model, name)
    return model


def is_pipeline(model: Any) -> bool:
    """Whether this is a scikit-learn pipeline."""
    return nearest(model, "sklearn") == "Pipeline"


def steps_of(model: Any) -> list[Any]:
    """A pipeline's steps that do something, or the model itself."""
    if not is_pipeline(model):
        return [model]
    return [unwrapped(step) for _, step in model.steps if step is not None and step != "passthrough"]


def last_step(model: Any) -> Any:
    """The model that a pipeline ends in, or the model itself."""
    while is_pipeline(model) and steps_of(model):
        model = steps_of(model)[-1]
    return model


def steps_before(model: Any, rows: Any) -> Any:
    """Rows as the last step of a pipeline gets them."""
    while is_pipeline(model):
        if len(model.steps) > 1:
            rows = model[:-1].transform(rows)
        model = model.steps[-1][1]
    return rows
