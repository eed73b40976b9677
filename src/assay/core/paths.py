"""Paths that a person writes: from a project's folder, with ~ for the home folder and patterns such as data/*.csv."""

from __future__ import annotations

from pathlib import Path

_SIGNS = frozenset("*?[")


def place(project: Path, written: str) -> Path:
    """Where a path leads."""
    path = Path(written)
    try:
        return project / path.expanduser()
    except RuntimeError:  # ~name of nobody: a path like any other
        return project / path


def exists(path: Path) -> bool:
    """Whether there is a file or folder; a name that no file can have is not there."""
    try:
        return path.exists()
    except OSError:
        return False


def is_pattern(written: str) -> bool:
    """Whether it has a sign that stands for others."""
    return not _SIGNS.isdisjoint(written)


def matching(project: Path, written: str) -> tuple[list[Path], Path]:
    """The files that a pattern means, sorted, and the folder that they are below.

    Raises
    ------
    ValueError
        If it is no pattern, such as "a***/b".
    """
    path = place(project, written)
    root = project if path.is_relative_to(project) else Path(path.anchor)
    pattern = path.relative_to(root).as_posix()
    return sorted(found for found in root.glob(pattern) if found.is_file()), root
