"""`check`: does the data keep its contracts, and does any feature know what it cannot know?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core import files
from assay.core.shown import Told
from assay.data import columns as columns_of
from assay.data import rows as rows_of
from assay.data.build import build
from assay.data.errors import ContractBroken, Leaks
from assay.data.features import features, leakage
from assay.data.opened import open_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.data.features.leakage import Leak
    from assay.task.task import Task


@dataclass(frozen=True, repr=False)
class CheckReport(Told):
    """What was checked, and what was found.

    Attributes
    ----------
    rows
        Rows that features are made of.
    features
        Features that were tried.
    leaks
        Features that know the future or the target.
    broken
        The contract that is broken, as a sentence; None if all are kept.
    quarantined
        Rows that contracts set aside.
    notes
        What was found out of the data that the task does not say.
    """

    rows: int
    features: int
    leaks: tuple[Leak, ...]
    broken: str | None
    quarantined: int
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.leaks and self.broken is None

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as JSON values."""
        return {"ok": self.ok, **asdict(self)}

    def __str__(self) -> str:
        """Return what a person reads."""
        many = f"{self.features} feature{'s' * (self.features != 1)}"
        lines = [f"{self.rows} rows, {many}: {'no leak found' if self.ok else 'NOT OK'}"]
        lines += [f"  {leak.what}" for leak in self.leaks]
        if self.broken:
            lines.append(f"  {self.broken}")
        if self.quarantined:
            lines.append(f"  {self.quarantined} rows were quarantined")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


def check(task: Task, project: str | Path, progress: Callable[[str], None] | None = None) -> CheckReport:
    """Check a task's data, from its sources on.

    Every feature is made anew from rows whose future was changed; no earlier value may move. Then the dataset is
    built beside the project, which checks all contracts and whether a feature alone nearly is the target.

    Raises
    ------
    DataError, StorageError
        If the data cannot be had; broken contracts and leaks are in the report.
    """
    step = progress or (lambda _: None)
    home = Path(project)
    with files.scratch() as work:
        try:
            (work / "rows").mkdir()
            tables = open_tables(task, home, work / "rows", step)
            rows = rows_of.make(task, home, work / "rows", tables, step)
        except ContractBroken as error:
            return CheckReport(0, len(task.data.features), (), str(error), 0)
        specs = columns_of.specs(task, rows)
        step("Changing the future")
        made = features.make(rows.frame, specs, time=rows.time, project=home, entity=rows.entity)
        found = leakage.future(rows.frame, made, specs, time=rows.time, project=home, entity=rows.entity)
        broken, quarantined, notes = None, rows.quarantine.rows, tuple(rows.notes)
        try:
            about = build(task, home, work / "dataset", step).manifest
            quarantined, notes = about.quarantined, about.notes
        except ContractBroken as error:
            broken = str(error)
        except Leaks as error:
            if not found:
                found = [leakage.Leak("", "target", error.what)]
        return CheckReport(rows.frame.height, len(specs), tuple(found), broken, quarantined, notes)
