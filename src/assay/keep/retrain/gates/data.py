"""Gate: all data that was there before, and newer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.keep.retrain.gates.history import Compared, in_order
from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.data.dataset.dataset import Dataset

GATE = "data"


def gate(before: Dataset, now: Dataset, history: Compared) -> Verdict:
    """Whether there is not less data than the champion had, and some that is newer."""
    old, new = in_order(before), in_order(now)
    if history.gone or len(new) < len(old):
        said = (
            f"There is less data than before: of the champion's {len(old):,} rows {history.gone:,} are gone "
            f"({len(new):,} rows in all)."
        )
        return fails(GATE, said)
    last: Any = old.max()
    newest: Any = new.max()
    if newest <= last:
        return fails(GATE, f"No row is newer than the champion's last one ({last}): there is nothing to learn yet.")
    return holds(GATE, f"{len(new):,} rows up to {newest}, where the champion had {len(old):,} up to {last}.")
