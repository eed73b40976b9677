"""What `make soak` found: the page's section on it; it measures nothing itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "tests" / "soak" / "results"


def section() -> str:
    """The large counts that stand in the repository, with what was found wrong."""
    whole, periods = _read("whole"), _read("periods")
    lines = [
        "## Killed, and asked through a node that misbehaves",
        "",
        "`make soak`: hours, so its results are kept. A judge that stands outside reads database and chain: one",
        "end for every accepted answer, no gap in the nonces, the consumer's events are the settled answers, each",
        "once.",
        "",
        "| | how often | found wrong | commit |",
        "|---|---:|---:|---|",
    ]
    for matrix in filter(None, map(_read, ("matrix", "matrix-postgresql"))):
        kinds = ", ".join(f"{count:,} {how}" for how, count in matrix["kills"].items())
        total = sum(matrix["kills"].values())
        lines.append(
            f"| SIGKILL of prover and settlement ({matrix['database']}; {kinds}) | {total:,} | "
            f"{len(matrix['faults'])} | `{matrix['commit'][:7]}` |"
        )
    if whole is not None:
        lines.append(
            f"| SIGKILL of a whole `assay up` ({whole['accepted']:,} questions, {whole['joined']:,} of them to be "
            f"proven together; {whole['periods']:,} periods followed; {whole['told']:,} messages to a webhook) | "
            f"{whole['kills']:,} | {len(whole['faults'])} | `{whole['commit'][:7]}` |"
        )
    if periods is not None:
        kinds = ", ".join(f"{count:,} {fault}" for fault, count in periods["done"].items())
        lines.append(
            f"| periods settled through the node ({kinds}) | {periods['count']:,} | {len(periods['faults'])} | "
            f"`{periods['commit'][:7]}` |"
        )
    return "\n".join([*lines, ""])


def _read(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
