"""An A/B test by applicant: drawn on a local chain by a committed secret, outcomes of the test set, a report.

    python experiment.py project --out experiment

Each applicant of the test set gets an address. Half of them, by a draw that nobody can choose, are decided about by the
model's score, the others by the scorecard; what each decision cost is then brought in. All of it is played: the
applicants are of the past, and their credits were all granted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from assay.bench.decision import Decision
from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.node import LocalNode
from assay.compare import running
from assay.compare.draft import list_digest
from assay.compare.result import result
from assay.compare.start import CONTRACTS
from assay.core.keccak import keccak256
from assay.data.dataset.dataset import Dataset
from assay.models.candidate import Candidate
from assay.models.existing import decide
from assay.models.metrics import values
from assay.models.rows import problem_of, rows_of
from assay.project.project import Project
from assay.record.database import Database
from assay.release.make import create
from assay.settle.network import network
from assay.settle.node import Node
from assay.task.task import Task

LIMITS = 1_000, 2_000
PLAN = """schema = "assay-experiment/1"
name = "credit-by-applicant"
title = "Does the model lose less than the scorecard?"
design = "entities"
chain = "local"

[arms]
old_contract = "{old}"
new_contract = "{new}"

[entities]
file = "applicants.csv"
sha256 = "{listed}"
mix_block = {mix}
start_block = {start}
end_block = {end}

[metric]
of = "recorded"
unit = "{unit}"

[aim]
smallest_effect = 0.2
"""
CHAIN = """
[chains.local]
id = 31337
rpc = ["$RPC_URL"]
spend_per_day = 10.0
"""


def run(project: Path, out: Path) -> dict[str, Any]:
    """Play it; what the report's summary says."""
    task = Task.load(project)
    with LocalNode(timeout=60) as local:
        os.environ["RPC_URL"] = local.url
        node = Node("local", 31337, (local.url,))
        out.mkdir(parents=True)
        (out / "task.toml").write_text((project / "task.toml").read_text() + CHAIN)
        shutil.copy(project / "existing.py", out / "existing.py")
        database = Database.of_project(out)
        create(database, Project(project), who="example", note="what the project decided")
        new, old = _losses(project, task)
        who = ["0x" + keccak256(f"applicant {number}".encode())[-20:].hex() for number in range(len(new))]
        (out / "applicants.csv").write_text("entity\n" + "\n".join(who) + "\n")
        _plan(out, local.url, node, str(task.value.unit), list_digest(who))
        _start(out, node)
        node.ask("anvil_mine", hex(50))
        one = running.named(database, task.name, None)
        on = network(Task.load(out), one.chain)
        drawn = {each.name: each.new for each in result(database, out, one, on).units}
        lost = [(new if drawn[name] else old)[place] for place, name in enumerate(who)]
        lines = [f"{name},{float(loss)!r}" for name, loss in zip(who, lost, strict=True)]
        (out / "outcomes.csv").write_text("unit,outcome\n" + "\n".join(lines) + "\n")
        assay("outcomes", out / "outcomes.csv", "-C", out)
        said = assay("report", "-C", out)
        database.close()
    return said


def _losses(project: Path, task: Task) -> tuple[Any, Any]:
    """(applicants,) twice: what each decision would cost, by the model and by the scorecard."""
    dataset = Dataset.load(project / "data")
    problem, rows = problem_of(task, dataset), rows_of(dataset, "test")
    chosen = str(Decision.load(project / "decision").chosen)
    said = Candidate.load(project / "candidates" / chosen, project).predict(rows.frame)
    loss = str(task.value.loss)
    return tuple(values(loss, rows.y, each, rows.frame) for each in (said, decide(problem, rows.frame, project)))


def _plan(out: Path, url: str, node: Node, unit: str, listed: str) -> None:
    """Two sources of limits that can be told apart, and the plan."""
    chain = Chain(url)
    compiled = compile_solidity(read_sources(CONTRACTS, paths=["examples/FixedLimit.sol"]))["FixedLimit"]
    old, new = (chain.deploy(compiled, limit).address for limit in LIMITS)
    head = node.head()
    terms = {
        "old": old,
        "new": new,
        "unit": unit,
        "mix": head + 10,
        "start": head + 30,
        "end": head + 60,
        "listed": listed,
    }
    (out / "experiment.toml").write_text(PLAN.format(**terms))


def _start(out: Path, node: Node) -> None:
    """`assay experiment start` waits for the block that is mixed in: it is mined when the command says so."""
    command = [sys.executable, "-m", "assay", "experiment", "start", "-C", str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=sys.stderr, text=True) as process:  # noqa: S603
        for line in process.stderr or ():
            sys.stderr.write(line)
            if "waiting for block" in line and "mixed" in line:
                node.ask("anvil_mine", hex(11))
    if process.returncode != 0:
        raise SystemExit(process.returncode)


def assay(*arguments: object) -> dict[str, Any]:
    """Run `assay experiment ARGUMENTS --json`; what it printed."""
    command = [sys.executable, "-m", "assay", "experiment", *map(str, arguments), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  our own interpreter
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    """Run it, print the report's summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("project", type=Path, help="with its decision, as the README's commands make it")
    parser.add_argument("--out", type=Path, required=True, help="a new folder for the experiment")
    options = parser.parse_args()
    sys.stdout.write(json.dumps(run(options.project, options.out), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
