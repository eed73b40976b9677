"""Which importer reads a model or a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assay.core import files
from assay.core.errors import StorageError
from assay.transpile.errors import ModelUnreadable, ModelUnsupported
from assay.transpile.importers import lightgbm, sklearn_linear, sklearn_trees, skops, xgboost

if TYPE_CHECKING:
    from assay.transpile.ensemble import Source

SUPPORTED = (
    "Supported: XGBoost, LightGBM, scikit-learn's decision trees, forests, gradient boosting and linear models, and "
    "networks in ONNX."
)
_FORMATS = "Supported files: XGBoost .json and .ubj, LightGBM .txt, scikit-learn .skops, ONNX .onnx."
_LARGEST_FILE = 1 << 30
_PICKLES = {".pkl", ".pickle", ".joblib", ".sav", ".dill", ".cloudpickle"}
Form = Literal["lightgbm", "onnx", "skops", "xgboost"]
_NETS = {".pt", ".pth", ".h5", ".keras", ".safetensors"}


def read_model(model: Any, iterations: int | None) -> Source:
    """Read a fitted model object; searches and pipelines around one are the business of `pipelines`."""
    if xgboost.accepts(model):
        return xgboost.read(model, iterations)
    if lightgbm.accepts(model):
        return lightgbm.read(model, iterations)
    if iterations is None:
        if sklearn_trees.accepts(model):
            return sklearn_trees.read(model)
        if sklearn_linear.accepts(model):
            return sklearn_linear.read(model)
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    if iterations is not None and (sklearn_trees.accepts(model) or sklearn_linear.accepts(model)):
        raise ModelUnsupported(f"iterations does not apply to a {kind}", "Leave it out.")
    exported = " This one as ONNX: skl2onnx.to_onnx(model, X[:1])." if kind.startswith("sklearn.") else ""
    raise ModelUnsupported(f"models of type {kind} are not supported", SUPPORTED + exported)


def read_file(path: str, iterations: int | None) -> Source:
    """Read a model file; nothing in it is trusted, and nothing in it is run."""
    data, kind = _sniffed(path)
    if kind == "onnx":
        raise ModelUnsupported(f"{path} is a network, and trees or weights are asked for", "Transpile it.")
    if kind == "skops":
        return read_model(skops.load(path, data), iterations)
    if kind == "lightgbm":
        return lightgbm.read_file(data, path, iterations)
    return xgboost.read_file(data, path, iterations)


def onnx_bytes(model_or_path: Any) -> tuple[bytes, str] | None:
    """An ONNX model's bytes and path, of a file or of a message in memory; None for any other model."""
    if isinstance(model_or_path, str | os.PathLike):
        path = os.fspath(model_or_path)
        if Path(path).suffix.lower() != ".onnx":
            return None
        data, found = _sniffed(path)
        return (data, path) if found == "onnx" else None
    kind = type(model_or_path)
    if kind.__name__ == "ModelProto" and kind.__module__.startswith("onnx"):
        return model_or_path.SerializeToString(), "the model"
    return None


def form(path: str) -> Form:
    """Which library a model file belongs to, by its content."""
    return _sniffed(path)[1]


def load_skops(path: str) -> Any:
    """The scikit-learn model in a .skops file that holds nothing but known types."""
    return skops.load(path, _content(path))


def _sniffed(path: str) -> tuple[bytes, Form]:
    suffix = Path(path).suffix.lower()
    if suffix in _PICKLES:
        raise _pickled(path)
    if suffix in _NETS:
        raise ModelUnsupported(f"{path} is a network in its framework's own format", "Export it to ONNX.")
    data = _content(path)
    if suffix == ".onnx" and data:
        return data, "onnx"
    start = data[:64].lstrip()
    if start.startswith(b"PK\x03\x04"):
        return data, "skops"
    if start.startswith((b"tree\n", b"tree\r\n")):
        return data, "lightgbm"
    if start.startswith(b"{"):
        return data.lstrip(), "xgboost"
    raise _unknown(path, data)


def _content(path: str) -> bytes:
    try:
        if os.path.getsize(path) > _LARGEST_FILE:  # noqa: PTH202 - Path.stat would need the same handling
            raise ModelUnsupported(f"{path} is larger than 1 GiB", "Train a smaller model.")
        return files.read(path)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        problem = getattr(error, "strerror", None) or error
        raise ModelUnreadable(f"cannot read {path!r:.200}: {problem}", "Check the path.") from None
    except StorageError as error:
        raise ModelUnreadable(error.what, error.todo) from None


def _pickled(path: str) -> ModelUnsupported:
    return ModelUnsupported(
        f"{path} is a pickle, and opening one runs whatever program is inside",
        "Pass the model object itself, or save it with its library's own format "
        "(XGBoost .json, LightGBM .txt, scikit-learn with skops).",
    )


def _unknown(path: str, data: bytes) -> ModelUnreadable | ModelUnsupported:
    if not data:
        return ModelUnreadable(f"{path} is empty", "Save the model again.")
    if data[:1] == b"\x80":
        return _pickled(path)
    if data.startswith((b"binf", b"CONFIG-offset:")):
        return ModelUnsupported(f"{path} is in XGBoost's old binary format", "Save it as .json or .ubj.")
    return ModelUnreadable(f"{path} is no model file of a known format", _FORMATS)
