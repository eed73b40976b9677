"""The onnx package, which is imported when it is used."""

from __future__ import annotations

from typing import Any

from assay.core.errors import MissingLibrary


def library() -> Any:
    """The onnx package."""
    try:
        import onnx
        import onnx.external_data_helper
        import onnx.inliner
        import onnx.shape_inference
    except ImportError:
        raise MissingLibrary(
            "reading ONNX models needs onnx", "Install it with `pip install 'assay[networks]'`."
        ) from None
    return onnx
