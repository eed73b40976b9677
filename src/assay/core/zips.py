"""Archives from strangers: entries are read no further than they may be long."""

from __future__ import annotations

import zipfile
import zlib

MALFORMED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What Python's own reader, and `entry`, raise for an archive that somebody made or altered; of bytes, OSError too."""


def entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """The content of an entry; raises `ValueError` if it is longer: a small file may unpack to a large one."""
    with archive.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{name} is longer than {most} bytes")
    return content
