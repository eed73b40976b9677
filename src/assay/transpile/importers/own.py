"""What a model's own `predict` may be: its library's, with settings that conversion models. All else is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.transpile.errors import ModelUnsupported

if TYPE_CHECKING:
    from collections.abc import Iterable

# What answers come from. A subclass that replaces one of them is another model.
_METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "_raw_predict",
    "_decision_function",
    "get_booster",
    "inplace_predict",
)


def nearest(model: Any, library: str) -> str | None:
    """The name of the first class of a library's own that a model is an instance of, or None."""
    kinds = (kind for kind in type(model).__mro__ if kind.__module__.partition(".")[0] == library)
    first = next(kinds, None)
    return None if first is None else first.__name__


def refuse_overrides(model: Any, library: str) -> None:
    """Refuse a model whose answers are computed by code that is not its library's.

    Parameters
    ----------
    model
        Any object.
    library
        The library's package, for example "sklearn".

    Raises
    ------
    ModelUnsupported
        A method that answers come from is defined by a subclass elsewhere, or set on the object itself.
    """
    kind = type(model)
    for name in _METHODS:
        owner = next((base for base in kind.__mro__ if name in vars(base)), None)
        # The wrappers of other libraries inherit from scikit-learn's classes.
        foreign = owner is not None and owner.__module__.partition(".")[0] not in {library, "sklearn"}
        if foreign or name in getattr(model, "__dict__", {}):
            where = f"{owner.__module__}.{owner.__qualname__}" if foreign and owner else "the object itself"
            raise ModelUnsupported(
                f"the {kind.__name__} has a {name} of its own ({where}), which conversion does not model",
                f"Pass a model of {library}'s own class, and apply what {name} adds to the proven outputs.",
            )


def refuse_settings(settings: dict[str, Any], refused: dict[str, tuple[Any, ...]], known: Iterable[str]) -> None:
    """Refuse settings that change what predict answers, and those that nobody has looked at.

    Parameters
    ----------
    settings
        Names and values, as the user set them.
    refused
        Names that change answers, each with the values that do not.
    known
        Names that concern training, speed or output only.

    Raises
    ------
    ModelUnsupported
        Names the first setting that is refused.
    """
    fine = set(known)
    for name, value in settings.items():
        if name in refused:
            if not any(value is harmless or value == harmless for harmless in refused[name]):
                raise ModelUnsupported(
                    f"the model's setting {name}={value!r:.40} changes what its predict answers, "
                    "and conversion does not model it",
                    "Set it back to its default, compare the model's answers, and transpile again.",
                )
        elif name not in fine:
            raise ModelUnsupported(
                f"the model has the setting {name}={value!r:.40}, which conversion does not know",
                "Remove it if predict does not need it.",
            )
