"""The one door to the native module: imported when used, its errors translated."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from assay.prove.errors import NativeModuleMissing, from_core

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


@contextmanager
def native() -> Iterator[ModuleType]:
    """Give the native module; a `CoreError` leaves the block as the Assay error of the same code."""
    try:
        from assay import _core
    except ImportError as error:
        raise NativeModuleMissing(f"the native module of Assay is not installed ({error}).") from error
    try:
        yield _core
    except _core.CoreError as error:
        code, message = error.args
        raise from_core(str(code), str(message)) from error
