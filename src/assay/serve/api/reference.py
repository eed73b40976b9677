"""The OpenAPI document as a file, made from the application; `python -m assay.serve.api.reference DIR`."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from assay.core import files
from assay.record.database import Database
from assay.serve.api.app import make_app
from assay.serve.settings import Settings

OPENAPI_FILE = "openapi.json"


def openapi_text() -> str:
    """The document that a service answers at /openapi.json."""
    with tempfile.TemporaryDirectory(prefix="assay-openapi-") as name, closing(Database.of_project(Path(name))) as base:
        content = make_app(Settings(Path(name), base.address), base).openapi()
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    place = Path(sys.argv[1]) / OPENAPI_FILE
    files.write(place, openapi_text())
    sys.stdout.write(f"{place}\n")
