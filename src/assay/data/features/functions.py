"""Python functions of a project's own, loaded from a file of its folder."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core import files
from assay.core.hashing import digest
from assay.data.errors import FunctionFailed
from assay.data.features.decorator import MARK, Marked
from assay.data.features.series import named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import polars as pl


def load(written: str, project: Path, where: str) -> Callable[[pl.DataFrame], Any]:
    """Load "file.py:name" from the project's folder.

    Raises
    ------
    NotFound
        If there is no such file.
    FunctionFailed
        If it cannot be run, or has no such function.
    """
    file, _, name = written.rpartition(":")
    path = project / file
    content = files.read(path)
    spec = importlib.util.spec_from_file_location(f"assay_project_{digest(content)[:16]}", path)
    if spec is None or spec.loader is None:
        raise FunctionFailed(f"{where}: {path} is no Python file", "Name a .py file.")
    module = importlib.util.module_from_spec(spec)
    try:
        with _importing(path.parent, project):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the project's code may raise anything
        raise FunctionFailed(f"{where}: {path} cannot be run ({_said(error)})", "Correct it.") from None
    function = getattr(module, name, None)
    if not callable(function):
        raise FunctionFailed(f"{where}: {path} has no function {name}", "Check its name.")
    return function  # type: ignore[no-any-return]


def code_files(project: Path) -> list[Path]:
    """The Python files of a project's folder, which its functions may import; hidden folders and libraries are not."""
    found = []
    for folder, inner, names in os.walk(project):
        place = Path(folder)
        inner[:] = [
            name
            for name in inner
            if not name.startswith(".")
            and name not in {"__pycache__", "node_modules", "site-packages"}
            and not (place / name / "pyvenv.cfg").exists()
        ]
        found += [place / name for name in names if name.endswith(".py")]
    return sorted(found)


@contextmanager
def _importing(folder: Path, project: Path) -> Iterator[None]:
    """Let a file import those beside it, as they are now: not as an earlier build of this process imported them."""
    own = {str(path.resolve()) for path in code_files(project)}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if (
            name.partition(".")[0] not in {"__main__", "assay"}
            and isinstance(file, str)
            and str(Path(file).resolve()) in own
        ):
            del sys.modules[name]
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = written


def marked(function: Callable[..., Any]) -> Marked:
    """What `@feature` said of a function; the defaults if it was not used."""
    found = getattr(function, MARK, None)
    return found if isinstance(found, Marked) else Marked()


def column(
    function: Callable[[pl.DataFrame], Any], frame: pl.DataFrame, name: str, where: str, entity: str | None = None
) -> pl.Series:
    """Call a function on rows and return its values, one a row; raises FunctionFailed.

    With an entity it is called with the rows of each series, which lie together, and so sees no other.
    """
    import polars as pl

    if entity is None:
        return _called(function, frame, name, where)
    parts = frame.partition_by(entity, maintain_order=True)
    made = [_called(function, part, name, f"{where} of {named(entity, part[entity][0])}").to_frame() for part in parts]
    return pl.concat(made, how="vertical_relaxed").to_series()


def _called(function: Callable[[pl.DataFrame], Any], frame: pl.DataFrame, name: str, where: str) -> pl.Series:
    import numpy as np
    import polars as pl

    try:
        answer = function(frame)
        if isinstance(answer, pl.Expr):
            answer = frame.select(answer.alias(name)).to_series()
        values = answer if isinstance(answer, pl.Series) else pl.Series(name, np.asarray(answer))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        raise FunctionFailed(f"{where} failed ({_said(error)})", "Correct it.") from None
    if len(values) != frame.height:
        raise FunctionFailed(f"{where} returned {len(values)} values for {frame.height} rows", "Return one a row.")
    if not values.dtype.is_numeric() and values.dtype != pl.Boolean:
        raise FunctionFailed(f"{where} returned values of type {values.dtype}", "Return numbers.")
    return values.alias(name)


def _said(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:140]
