"""An older version beside this one, in one run: `python -m benchmarks.versions`.

The older commit is checked out in a folder of its own and gets a native module of its own; then both prove by turns,
so that a busy machine slows both. What 64-bit keys cost is `benchmarks.precision`'s to say: XGBoost has none.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import cases, gas, machine, results, shown
from benchmarks.work import WORK

NAME = "versions"
BEFORE = "697181d"
"""The last commit before protocol version 3."""
REPEATS = 30
SIDES = ("before", "after")
Result = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """A case, the rows of its proof and the most rows of its key."""

    case: str
    title: str
    rows: int
    max_batch: int


MEASURED = (
    Measured("xgb_100x6", "XGBoost, 100 trees of depth 6, key for 128 rows", 1, 128),
    Measured("xgb_100x6", "XGBoost, 100 trees of depth 6, key for one row", 1, 1),
    Measured("xgb_50x4", "XGBoost, 50 trees of depth 4, key for 128 rows", 1, 128),
    Measured("xgb_500x6", "XGBoost, 500 trees of depth 6, key for one row", 1, 1),
    Measured("xgb_1000x3", "XGBoost, 1,000 trees of depth 3, key for one row", 1, 1),
    Measured("xgb_1000_features", "XGBoost, 100 trees of depth 4, 1,000 features, key for one row", 1, 1),
    Measured("logistic_30", "Logistic regression, 30 features, key for 128 rows", 1, 128),
    Measured("xgb_100x6_batch128", "XGBoost, 100 trees of depth 6, 128 rows in one proof", 128, 128),
)
_PARTS = {
    "prove, median": ("prove_seconds", shown.seconds),
    "prove, processor time of all cores": ("prove_processor_seconds", shown.seconds),
    "verify": ("verify_seconds", shown.seconds),
    "setup": ("setup_seconds", shown.seconds),
    "peak memory of the proving process": ("peak_memory_bytes", shown.size),
    "proving key": ("proving_key_bytes", shown.size),
    "verifying key": ("verifying_key_bytes", shown.size),
    "proof": ("proof_bytes", shown.size),
    "gas": ("gas", shown.count),
    "gas to deploy": ("deployment_gas", shown.count),
    "code on the chain": ("contract_bytes", shown.size),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=__doc__)
    parser.add_argument("--before", default=BEFORE, metavar="COMMIT", help="the older version; default %(default)s")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="proofs of each side; default %(default)s")
    parser.add_argument("--only", nargs="+", metavar="CASE", choices=sorted({own.case for own in MEASURED}))
    options = parser.parse_args(arguments)
    started, load = machine.now(), machine.load_average()
    measured = {}
    with checked_out(options.before) as before:
        for own in MEASURED:
            if not options.only or own.case in options.only:
                print(own.title, flush=True)
                measured[own.title] = _by_turns(own, before, options.repeats)
                print(f"  {measured[own.title]}", flush=True)
        commit = _git("rev-parse", "HEAD", cwd=before)
    path = results.write(
        NAME,
        {
            "case": NAME,
            "title": "Before and after",
            "machine": machine.describe(),
            "started": started,
            "load_average_before": load,
            "load_average_after": machine.load_average(),
            "status": "ok",
            "configuration": {"before": commit, "repeats": options.repeats},
            "measured": measured,
        },
    )
    print(f"wrote {path}")


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """The tree of a commit with its own native module; the tree is removed behind."""
    root = WORK / NAME / "tree"
    _git("worktree", "prune", cwd=machine.ROOT)
    shutil.rmtree(root, ignore_errors=True)
    _git("worktree", "add", "--force", "--detach", str(root), commit, cwd=machine.ROOT)
    try:
        target = WORK / NAME / "target"
        environment = {**os.environ, "CARGO_TARGET_DIR": str(target), "PYO3_PYTHON": sys.executable}
        build = ["cargo", "build", "--release", "-p", "assay-python", "--locked", "--quiet"]
        print(f"building {commit}", flush=True)
        subprocess.run(build, cwd=root, env=environment, check=True)
        shutil.copyfile(target / "release" / "lib_core.so", root / "src" / "assay" / "_core.abi3.so")
        yield root
    finally:
        _git("worktree", "remove", "--force", str(root), cwd=machine.ROOT)


def _git(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Side:
    """A process of one version that proves when it is told to."""

    def __init__(self, source: Path, own: Measured, case: Path, work: Path) -> None:
        self._work = work
        program = [sys.executable, str(Path(__file__).with_name("versions_side.py"))]
        path = os.pathsep.join([str(source / "src"), str(machine.ROOT)])
        self._process = subprocess.Popen(
            [*program, own.case, str(case), str(work), str(own.rows), str(own.max_batch)],
            env={**os.environ, "PYTHONPATH": path, "ASSAY_CACHE": str(work / "cache")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.found = self._answer()
        if Path(self.found.pop("source")) != source / "src" / "assay":
            raise RuntimeError(f"the process for {source} measured another Assay")
        self._proofs: list[Result] = []

    def prove(self) -> None:
        """One proof more."""
        self._proofs.append(self._ask("prove"))

    def finish(self) -> Result:
        """All figures, those of the chain with them."""
        self.found |= self._ask("finish")
        self._process.wait()
        source = (self._work / "Verifier.sol").read_text(encoding="utf-8")
        settled = gas.settle(source, None, (self._work / "calldata.bin").read_bytes())
        seconds, spent = ([proof[name] for proof in self._proofs] for name in ("seconds", "processor_seconds"))
        # The first proof behind the keys' own may still build what later ones use.
        return (
            self.found
            | asdict(settled)
            | {
                "prove_seconds": statistics.median(seconds[1:]),
                "prove_processor_seconds": statistics.median(spent[1:]),
                "seconds": seconds,
            }
        )

    def stop(self) -> None:
        """End the process, however far it is."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _ask(self, what: str) -> Result:
        print(what, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Result:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"a measured process ended with code {self._process.wait()}")
        answer: Result = json.loads(line)
        return answer


def _by_turns(own: Measured, before: Path, repeats: int) -> dict[str, Result]:
    with tempfile.TemporaryDirectory(prefix="assay-versions-") as folder, ExitStack() as running:
        root = Path(folder)
        cases.write(cases.by_name(own.case), root / "case")
        sides = {}
        for name in SIDES:
            source = before if name == "before" else machine.ROOT
            sides[name] = Side(source, own, root / "case", root / name)
            running.callback(sides[name].stop)
        for _ in range(repeats + 1):
            for side in sides.values():
                side.prove()
        return {name: side.finish() for name, side in sides.items()}


def section() -> str:
    """The page's section on this, from the result; empty if there is none."""
    result = results.read(NAME)
    if result is None:
        return ""
    configuration = result["configuration"]
    changes = " and changes" if result["machine"]["uncommitted_changes"] else ""
    lines = [
        f"## {result['title']}",
        "",
        "`python -m benchmarks.versions`: an older version, built from its commit, beside this one, by turns in one",
        "run. What 64-bit keys cost, which only models of float64 rows need, stands under precision.",
        f"Before: commit `{configuration['before'][:7]}`, after: `{result['machine']['commit'][:7]}`{changes};",
        f"{configuration['repeats']} proofs of each; load {result['load_average_before']} at the start.",
    ]
    for title, own in result["measured"].items():
        before, after = (own[side] for side in SIDES)
        lines += ["", f"### {title}", "", "| | before | after | ratio |"]
        lines.append("|---|---:|---:|---:|")
        for label, (key, show) in _PARTS.items():
            lines.append(f"| {label} | {show(before[key])} | {show(after[key])} | {after[key] / before[key]:.2f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
