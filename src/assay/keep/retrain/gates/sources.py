"""Gate: what the champion learned from still says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from assay.data.dataset.manifest import Manifest
    from assay.keep.retrain.gates.history import Compared

GATE = "sources"


def gate(before: Manifest, now: Manifest, history: Compared) -> Verdict:
    """Whether the sources are the same tables, and the champion's rows in them are as they were.

    A source's hash differs as soon as a row is added. So the rows themselves are compared, and the hashes say of which
    sources they are.
    """
    tables = [one.table for one in before.sources], [one.table for one in now.sources]
    if tables[0] != tables[1]:
        return fails(GATE, f"The sources were {', '.join(tables[0])} and are {', '.join(tables[1])}.")
    if history.altered:
        said = f"History was rewritten: {history.altered:,} of the champion's {history.rows:,} rows are other now."
        return fails(GATE, said)
    hashes = ", ".join(f"{one.table} {one.sha256[:12]}" for one in now.sources)
    return holds(GATE, f"The champion's rows are as they were ({hashes}).")
