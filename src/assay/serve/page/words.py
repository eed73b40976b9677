"""How the page says times, amounts and states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

STATES = {
    "received": "asked for; its row is being made",
    "fixed": "its row is fixed; it waits for a prover",
    "proven": "proven, and the proof was verified here",
    "answered": "answered with a proof; nothing was to be settled",
    "settling": "its transaction is on the way",
    "settled": "settled: the transaction is final",
    "expired": "too late: its block went by",
    "refused": "refused",
    "cancelled": "cancelled",
    "signed": "signed and kept, not sent yet",
    "broadcast": "sent to the nodes",
    "mined": "in a block, not final yet",
    "final": "final",
    "replaced": "something else took its nonce",
}
_GOOD = {"answered", "settled", "final", "proven"}
_BAD = {"refused", "expired", "replaced"}
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def tone(state: str) -> str:
    """The class that colours a state; the word itself always stands beside it."""
    return "good" if state in _GOOD else "bad" if state in _BAD else "soft"


def moment(seconds: float | None) -> str:
    """A time, UTC, to the second."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def lasting(seconds: float | None) -> str:
    """A duration in the largest unit that it fills."""
    if seconds is None:
        return "none"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.3g} s"


def ether(wei: int) -> str:
    """An amount of wei in ETH, exact to a billionth of one."""
    whole, rest = divmod(wei, 10**18)
    return f"{whole}.{rest:018d}"[:-9].rstrip("0").rstrip(".") + " ETH" if wei else "0 ETH"


def short(text: Any) -> str:
    """The beginning of a digest or an address."""
    shown = str(text)
    return shown if len(shown) <= 18 else f"{shown[:10]}…{shown[-4:]}"
