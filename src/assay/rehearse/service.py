"""The service that is rehearsed, in a process of its own that can be killed: `python -m assay.rehearse.service FOLDER`.

The same loops as `assay up` runs (follow, prove, settle), in turns. Only where a period's row comes from is another
place: the release's dataset, of which a live row is a row, byte for byte.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core import files, jsontext
from assay.data.errors import BlocksMissing, TooFewRows
from assay.data.live import Newest
from assay.record import claims
from assay.record.database import Database
from assay.serve.live import Live
from assay.serve.models import Models
from assay.serve.parts import ending
from assay.serve.settle import open_settler
from assay.serve.work import Worker
from assay.task.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT, ROWS, READY = "service.json", "rows.jsonl", "ready"


@dataclass(frozen=True)
class Replay:
    """The newest row that has come, in place of one made of the chain's own blocks."""

    path: Path

    def __call__(self, task: Task, project: Path, end_block: int, names: Sequence[str]) -> Newest:
        """The last row up to a block; raises what making rows raises where blocks are missing."""
        del task, project, names
        there = [one for one in self._lines() if one["block"] <= end_block]
        if not there:
            raise TooFewRows("no row has come yet", "Wait for more blocks.")
        last = there[-1]
        if last.get("gap"):
            raise BlocksMissing(f"blocks up to {last['block']} are missing", "They are asked for again.")
        return Newest(tuple(last["values"]), last["block"], last["time"], {}, {})

    def _lines(self) -> list[Any]:
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines() if line.endswith("}")]


def main(place: Path) -> None:
    """Run until SIGTERM."""
    about: Any = jsontext.parse(files.read(place / ABOUT))
    task = Task.model_validate(about["task"])
    database = Database(about["database"])
    settler = open_settler(database, place, task, None)
    settler.told = _tell
    row = Replay(place / ROWS)
    live = Live(database, task.name, settler, Models(database), place / "live", _tell, counts=True, row=row)
    worker, ended = Worker(database), ending()
    claims.free_gone(database)
    (place / READY).touch()
    while not ended():
        moved = [live.step(), worker.step(), settler.step()]
        if not any(moved):
            time.sleep(0.02)
    settler.outbox.release()
    database.close()


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
