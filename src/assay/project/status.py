"""What of a project is fresh, stale or missing, and why."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from assay.project.content import ABSENT

if TYPE_CHECKING:
    from assay.project.state import Done


@dataclass(frozen=True)
class StepStatus:
    """Where one step stands.

    Attributes
    ----------
    step
        Its name.
    state
        "fresh": running it again would change nothing; "stale": what it was made from, or what it made, has
        changed since; "missing": it has not run yet, or what it made is gone.
    why
        The reasons, for people; empty if fresh.
    when
        Seconds since 1970 when it last ended well, None if it never did.
    seconds
        How long it took then.
    """

    step: str
    state: Literal["fresh", "stale", "missing"]
    why: tuple[str, ...] = ()
    when: float | None = None
    seconds: float | None = None

    def after(self, before: list[str]) -> StepStatus:
        """The status as it is when the steps `before` it have to run again first."""
        if self.state != "fresh" or not before:
            return self
        return replace(self, state="stale", why=tuple(f"the step {name} has to run again" for name in before))

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values."""
        return {
            "step": self.step,
            "state": self.state,
            "why": list(self.why),
            "when": None if self.when is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.when)),
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        """One line for a person."""
        if self.state == "fresh" and self.when is not None:
            made = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.when))
            return f"{self.step:<8} fresh    {made}, took {duration(self.seconds or 0)}"
        return f"{self.step:<8} {self.state:<8} {'; '.join(self.why)}"


def status_of(step: str, done: Done | None, inputs: dict[str, str], output: str) -> StepStatus:
    """Compare what a step was made from, and what it made, with what is there now."""
    if done is None:
        made = "it was not made by `assay run`; running it again is quick if nothing changed"
        return StepStatus(step, "missing", ("not made yet" if output == ABSENT else made,))
    if output == ABSENT:
        return StepStatus(step, "missing", ("what it made is gone",), done.when, done.seconds)
    changed = _changes(done.inputs, inputs)
    if output != done.output:
        changed.append("what it made was altered since")
    return StepStatus(step, "stale" if changed else "fresh", tuple(changed), done.when, done.seconds)


def _changes(before: dict[str, str], now: dict[str, str]) -> list[str]:
    listed = []
    for name in sorted(before.keys() | now.keys()):
        if name not in before:
            listed.append(f"{name} is new")
        elif name not in now:
            listed.append(f"{name} is no longer used")
        elif now[name] == ABSENT != before[name]:
            listed.append(f"{name} is gone")
        elif before[name] != now[name]:
            listed.append(f"{name} changed")
    return listed


def duration(seconds: float) -> str:
    """A time for a person."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
