"""scikit-learn models saved with skops: opened only if they hold nothing but known types."""

from __future__ import annotations

from typing import Any

from assay.core.errors import MissingLibrary
from assay.transpile.errors import ModelUnreadable, ModelUnsupported

# Compiled containers of scikit-learn's trees: arrays, no programs. skops does not list them itself.
_KNOWN = {
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
}


def load(name: str, data: bytes) -> Any:
    """Load the bytes of a .skops file.

    Raises
    ------
    MissingLibrary
        If skops is not installed.
    ModelUnreadable
        If the file is damaged.
    ModelUnsupported
        If it holds types that could run programs.
    """
    try:
        import skops.io as skops
    except ImportError:
        raise MissingLibrary(
            f"reading {name} needs the library skops", "Install skops, or pass the model object itself."
        ) from None
    try:
        unknown = sorted(set(skops.get_untrusted_types(data=data)) - _KNOWN)
        if not unknown:
            return skops.loads(data, trusted=sorted(_KNOWN))
    except Exception as error:  # the file is not trusted
        problem = " ".join(str(error).split())[:100] or type(error).__name__
        raise ModelUnreadable(f"{name} is no readable skops file ({problem})", "Save the model again.") from error
    raise ModelUnsupported(
        f"{name} holds types that are not known to be safe: {', '.join(unknown)[:200]}",
        "Pass the model object itself, or train with scikit-learn's own classes.",
    )
