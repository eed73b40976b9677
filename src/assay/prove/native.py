"""The one door to the native module: imported when used, its errors translated."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assay.prove.errors import KeyVersion, NativeModuleMissing, ProofVersion, from_core

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from assay.core.errors import AssayError

_FORMAT = re.compile(rb"(assay-(vk|pk|proof)/[0-9]{1,9})\0")
_NAMES = {b"vk": "verifying key", b"pk": "proving key", b"proof": "proof"}


@contextmanager
def native(read: bytes = b"") -> Iterator[ModuleType]:
    """Give the native module; a `CoreError` leaves the block as the Assay error of the same code.

    Parameters
    ----------
    read
        The key or proof that the block has it read, so that one of another version is refused by its name.
    """
    try:
        from assay import _core
    except ImportError as error:
        raise NativeModuleMissing(f"the native module of Assay is not installed ({error}).") from error
    try:
        yield _core
    except _core.CoreError as error:
        code, message = error.args
        raise _other_version(str(code), read) or from_core(str(code), str(message)) from error


def _other_version(code: str, read: bytes) -> AssayError | None:
    match = _FORMAT.match(read)
    if match is None or code.rpartition("/")[2] != "version":
        return None
    kind = ProofVersion if match[2] == b"proof" else KeyVersion
    return kind(f"the {_NAMES[match[2]]} has the format {match[1].decode()}, which this release does not read.")
