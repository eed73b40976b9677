"""Gates: surely better than the champion, and than the existing process, on the same fresh rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from assay.bench.limits import ACCURACY, CONFIDENCE, broken
from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.bench.decision import Row
    from assay.bench.evidence import Bound
    from assay.task.task import Task

Than = Literal["champion", "existing"]
_NAMES = {"champion": "the champion", "existing": "the existing process"}


def gate(than: Than, found: Bound | None, margin: float, *, refused: int = 0) -> Verdict:
    """Whether the loss that is gone is surely more than `margin` of the other's.

    Parameters
    ----------
    found
        None if no candidate was chosen, or the rows are too few.
    refused
        Fresh rows that the champion cannot answer, and leaves to the existing process.
    """
    name = _NAMES[than]
    left = f"; it cannot answer {refused:,} of these rows, where the existing process decides" if refused else ""
    if found is None:
        return fails(than, f"No candidate could be compared with {name}: none was chosen, or rows are too few.")
    figures = (
        f"{found.improvement:+.1%} of its loss, at least {found.least:+.1%} with a chance of error of "
        f"{found.error:.2g} ({found.blocks:,} blocks)"
    )
    if found.least > margin:
        return holds(than, f"Better than {name} on the fresh rows: {figures}{left}.")
    wanted = f", where {margin:.1%} is wanted" if margin else ""
    return fails(than, f"Not surely better than {name} on the fresh rows: {figures}{wanted}{left}.")


def least_wanted(task: Task, row: Row | None) -> Verdict | None:
    """A refusal where the task wants more, or surer, of an improvement than there is; None if it is enough."""
    unmet = [name for name in (ACCURACY, CONFIDENCE) if row is not None and not row.meets.get(name, True)]
    if row is None or not unmet:
        return None
    return fails("existing", f"{row.id} {'; it '.join(broken(task, row, name) for name in unmet)}.")
