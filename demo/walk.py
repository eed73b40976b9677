"""The example's project by the commands of its README: each step is a command that a user would type."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from demo.show import Surprise

EXAMPLE = Path(__file__).parents[1] / "examples" / "dynamic-fee"
POOL = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
HISTORY = EXAMPLE / "history"
"""Days that were replayed before, as Cryo collected them; the days after them are replayed here."""

ANSWERS = {
    "pool": POOL,
    "rpc": "$RPC_URL",
    "fee_percent": "0.3",
    "chain": "local",
    "chain_id": "31337",
    "start_block": "1",
    "end_block": "14087",
    "block_seconds": "10800",
    "latency_blocks": "2",
    "decisions_per_day": "4",
    "gas_price_gwei": "0.05",
    "better_than_existing": "0.02",
    "usd_per_inference": "0.2",
    "trials": "8",
}


CONTRACTS = """
[chains.local]
id = 31337
rpc = ["$RPC_URL"]
late_after_blocks = 60
spend_per_day = 10.0

[[chains.local.contracts]]
name = "existing"
source = "contracts/PoolFee.sol:ExistingFee"

[[chains.local.contracts]]
name = "registry"
source = "contracts/PoolFee.sol:ModelRegistry"
# Task, admin, proposer, guardian, delay, gate.
arguments = [
    "0x0000000000000000000000000000000000000000000000000000000000000000",
    "$account", "$account", "$account", 0, "0x0000000000000000000000000000000000000000",
]

[[chains.local.contracts]]
name = "consumer"
source = "contracts/PoolFee.sol:PoolFee"
arguments = ["$registry", "$account", "$existing"]
"""
"""What the chain has for the second half: written into task.toml, as docs/guides/consumers.md says."""


class CommandFailed(Exception):
    """A command ended with an error, which it has explained on standard error."""


def init(project: Path) -> list[str]:
    """`assay init`; the command as a person would type it, in short."""
    command = ["init", str(project), "--template", "dynamic-fee"]
    for name, value in ANSWERS.items():
        command += ["--answer", f"{name}={value}"]
    assay(*command)
    task = project / "task.toml"
    text = task.read_text()
    if (there := "\n[chains.local]\nid = 31337\n") not in text:
        raise Surprise("the template declares its chain otherwise than it did")
    task.write_text(text.replace(there, CONTRACTS))
    return ["assay", "init", project.name, "--template", "dynamic-fee", "--answer", f"pool={POOL[:8]}...", "..."]


def assay(*arguments: str) -> dict[str, Any]:
    """Run `assay ARGUMENTS --json`; what it printed."""
    return _run([sys.executable, "-m", "assay", *arguments, "--json"])


def build(project: Path) -> dict[str, Any]:
    """Build the dataset, of the blocks that are kept and those of the node at $RPC_URL."""
    shutil.copytree(HISTORY, project / "chain")
    return assay("data", "build", str(project))


def shown(command: list[str]) -> str:
    """A command as a person types it."""
    return " ".join(shlex.quote(part) if part != "..." else part for part in command)


def _run(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "100"})
    return _answer(done, command)


def _answer(done: subprocess.CompletedProcess[str], command: list[str]) -> dict[str, Any]:
    if done.returncode == 3:
        raise Surprise("no candidate meets every limit, and on these prices one always did")
    if done.returncode != 0:
        raise CommandFailed(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"{command} failed")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
