"""The JSON of one measured run: who measured what, on which machine, with which figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("results")
SCHEMA = "assay-benchmark/1"


def write(name: str, result: dict[str, Any]) -> Path:
    """Write `results/<name>.json`, whole or not at all."""
    path = FOLDER / f"{name}.json"
    beside = path.with_suffix(".json.partial")
    FOLDER.mkdir(exist_ok=True)
    beside.write_text(json.dumps({"schema": SCHEMA, **result}, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
    return path


def read(name: str) -> dict[str, Any] | None:
    """The last result called `name`, or None."""
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        return None
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if result.get("schema") != SCHEMA:
        raise ValueError(f"{path} has the schema {result.get('schema')!r}; this program reads {SCHEMA!r}.")
    return result
