"""Which file has which command. Only that of the wanted one is imported: every start would pay for the others."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FILES = (
    "backup",
    "bench",
    "certify",
    "check",
    "data",
    "decide",
    "deploy",
    "dispute",
    "experiment",
    "explore",
    "feed",
    "forget",
    "guide",
    "init",
    "key",
    "monitor",
    "outcomes",
    "promote",
    "prove",
    "registry",
    "rehearse",
    "release",
    "report",
    "retrain",
    "row",
    "run",
    "setup",
    "solidity",
    "srs",
    "status",
    "task",
    "transpile",
    "up",
    "verify",
)
"""Every file that registers a command by being imported."""

_OTHERWISE = {"restore": ("backup",), "explain": ("guide",), "release": ("promote", "registry", "release")}
"""Commands that are not in the one file of their name."""


def files_of(name: str) -> tuple[str, ...]:
    """The files of a command; all of them for what is none."""
    return _OTHERWISE.get(name, (name,) if name in FILES else FILES)


def register(arguments: Sequence[str] = ()) -> None:
    """Import the files of the command that is called; all of them if none is, or it is not known which."""
    for file in files_of(arguments[0] if arguments else ""):
        import_module(f"assay.cli.{file}")
