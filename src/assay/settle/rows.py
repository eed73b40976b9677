"""Whether the contract that makes rows is of the release that is deployed: `assay row` writes it for one model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.chain.errors import RowNotOnChain
from assay.chain.row import WRITTEN, row_contract
from assay.core.paths import place
from assay.record import artefacts
from assay.release.features import task_of
from assay.release.make import private_digests
from assay.release.parts import CIRCUIT_FILE
from assay.settle.errors import RowOfAnother
from assay.transpile.circuit.circuit import Circuit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.task.chains import ContractSpec


def circuit_of(database: Database, release: Release) -> Circuit:
    """The release's model as it is proven; raises PrivatePartAbsent where it is not held here."""
    return Circuit.from_json(artefacts.get(database, private_digests(release)[CIRCUIT_FILE]).decode())


def require_row(database: Database, project: Path, release: Release, specs: Sequence[ContractSpec]) -> None:
    """Look at the files of contracts that `assay row` wrote: a row of another model settles nothing.

    Raises
    ------
    RowOfAnother
        One of them is of another model, or of other features, than the release's.
    PrivatePartAbsent
        There is such a file, and nothing here to compare it with.
    """
    for name in dict.fromkeys(spec.source.partition(":")[0] for spec in specs):
        path = place(project, name)
        text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        if WRITTEN not in text:
            continue
        try:
            same = row_contract(task_of(database, release), circuit_of(database, release)) == text
            why = f"{name} is not the contract that makes the rows of {release.name}"
        except RowNotOnChain as error:
            same, why = False, f"{name} makes rows, and no contract can make those of {release.name}: {error.what}"
        if not same:
            raise RowOfAnother(why, f"Write it anew, `assay row --release {release.version}`; nothing was sent.")
