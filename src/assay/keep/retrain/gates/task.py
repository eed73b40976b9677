"""Gate: the same question as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.task.task import Task

GATE = "task"
_ASKED = ("existing", "predict", "data", "protocol", "value", "limits", "explore")


def gate(before: Task, now: Task, name: str) -> Verdict:
    """Whether what is asked, and what is good enough, is as it was when the champion `name` was decided.

    Where data lies and up to when it is read may change: that is what a retraining is for.
    """
    one, other = _asked(before), _asked(now)
    changed = [section for section in _ASKED if one[section] != other[section]]
    if changed:
        listed = ", ".join(f"[{section}]" for section in changed)
        said = (
            f"{listed} of task.toml is not what {name} was decided by: that is another question, so decide and release "
            "it by hand (`assay run`, `assay release create`)."
        )
        return fails(GATE, said)
    return holds(GATE, f"The question is the one that {name} was decided by.")


def _asked(task: Task) -> dict[str, Any]:
    found = task.model_dump(mode="json", by_alias=True, include=set(_ASKED))
    found["data"].pop("sources")
    found["explore"].pop("workers")
    return found
