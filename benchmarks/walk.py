"""The whole walk, from the question to the report, by the commands that a user types: `python -m benchmarks.walk`.

Twice: with an empty cache, as on a new machine (that is with this machine's calibration and the reference strings),
and again as on the second day. Writes results/walk.json.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import machine, results
from benchmarks.work import WORK

NAME = "walk"
TRIALS = 12
COMMANDS = {
    "assay init": ["init", "project", "--template", "credit-score", "--answer", f"trials={TRIALS}"],
    "assay task check": ["task", "check", "project"],
    "assay data build": ["data", "build", "project"],
    "assay explore": ["explore", "project"],
    "assay decide": ["decide", "project"],
    "assay report": ["report", "project"],
    "assay run, all of it fresh": ["run", "project"],
}


def main() -> None:
    """Walk twice and write the result."""
    work = WORK / NAME
    shutil.rmtree(work, ignore_errors=True)
    result: dict[str, Any] = {
        "case": NAME,
        "title": "The whole walk: credit score",
        "tool": "Assay",
        "machine": machine.describe(),
        "started": machine.now(),
        "load_average_before": machine.load_average(),
        "status": "ok",
        "configuration": {"template": "credit-score", "trials": TRIALS},
        "runs": {},
    }
    for run in ("empty cache", "again"):
        (work / run).mkdir(parents=True)
        result["runs"][run] = _walk(work / run, work / "cache")
        print(f"{run}: {sum(result['runs'][run]['seconds'].values()):.1f} s", flush=True)
    decision = json.loads((work / "again" / "project" / "decision" / "decision.json").read_text(encoding="utf-8"))
    result["figures"] = {
        "total_seconds": sum(result["runs"]["empty cache"]["seconds"].values()),
        "total_seconds_again": sum(result["runs"]["again"]["seconds"].values()),
        "chosen": decision["chosen"],
    }
    result["load_average_after"] = machine.load_average()
    shutil.rmtree(work)
    print(f"wrote {results.write(NAME, result)}")


def _walk(folder: Path, cache: Path) -> dict[str, Any]:
    seconds = {}
    environment = {**os.environ, "ASSAY_CACHE": str(cache)}
    environment.setdefault("ASSAY_NODE_MODULES", str(machine.ROOT / "node_modules"))
    for name, arguments in COMMANDS.items():
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "assay", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds[name] = time.perf_counter() - start
        if done.returncode:
            raise SystemExit(f"{name} ended with {done.returncode}: {done.stderr.strip()}")
    return {"seconds": seconds}


def section() -> str:
    """The page's section on this, from the result; empty if there is none."""
    result = results.read(NAME)
    if result is None:
        return ""
    first, again = (result["runs"][run]["seconds"] for run in ("empty cache", "again"))
    lines = [
        f"## {result['title']}",
        "",
        f"`python -m benchmarks.walk` runs the commands of examples/credit-score ({TRIALS} trials), each in a process",
        "of its own. The first walk has an empty cache: it makes reference strings and calibrates this machine.",
        "",
        "| | empty cache | again, in a new project |",
        "|---|---:|---:|",
        *(f"| {name} | {first[name]:.1f} s | {again[name]:.1f} s |" for name in first),
        f"| sum | {sum(first.values()):.1f} s | {sum(again.values()):.1f} s |",
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
