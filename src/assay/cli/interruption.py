"""Ctrl-C and SIGTERM. An interrupt that a library swallows, or takes for an error of its own, is still one."""

from __future__ import annotations

import signal
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_asked = Event()


def watch() -> None:
    """Take both signals from now on."""
    signal.signal(signal.SIGINT, _ask)
    signal.signal(signal.SIGTERM, _ask)


def asked() -> bool:
    """Whether one of them came."""
    return _asked.is_set()


def check() -> None:
    """Raise KeyboardInterrupt if one of them came, and whatever was done with it."""
    if asked():
        raise KeyboardInterrupt


def _ask(_number: int, _frame: FrameType | None) -> None:
    _asked.set()
    raise KeyboardInterrupt
