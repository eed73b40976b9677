"""`python -m demo`: from a question to a fee that a contract changed because of a proof.

Ends with 0 when everything went as it must, 1 when something did not, 2 when it could not run or was
interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assay.core import files
from assay.core.errors import AssayError
from assay.prove.store import KEYS_FOLDER
from demo import chain, proof, service, walk
from demo.show import Show, Surprise
from demo.words import explain_chain, explain_data, explain_decision, explain_front, explain_proof, summary
from demo.world import World

HERE = Path(__file__).parent
PROJECT = "project"
RESULT_FILE = "result.json"
ABOUT = "Two to three minutes; a minute longer the first time, when this machine's proving costs are measured."


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for the project (default: demo/out)")
    folder: Path = parser.parse_args().out
    try:
        run(folder)
    except Surprise as surprise:
        sys.stderr.write(f"The demo stopped, for this must not happen: {surprise}\n")
        return 1
    except walk.CommandFailed as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except AssayError as error:
        sys.stderr.write(f"error[{error.code}]: {error}\n")
        return 2
    except ImportError as error:
        sys.stderr.write(f"{error}. Run `make demo`, which installs what the demo needs.\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return 2
    return 0


def run(folder: Path) -> None:
    """All steps; what would fail at the end fails at the start."""
    chain.require_tools()
    project = folder / PROJECT
    with files.translated(folder, "write"):
        folder.mkdir(parents=True, exist_ok=True)
        # The demo's own earlier project: it is made anew, so that every step is seen. Keys cannot be, and stay.
        for made in project.iterdir() if project.is_dir() else ():
            if made.name == KEYS_FOLDER:
                continue
            if made.is_dir() and not made.is_symlink():
                shutil.rmtree(made)
            else:
                made.unlink()
    show = Show()
    show.console.print("[bold]Should a pool's fee follow tomorrow's volatility?[/] From the question to a proof")
    show.line(ABOUT)
    with World.node() as node:
        os.environ["RPC_URL"] = node.url
        world, found = decide(show, project, node.url)
        keys = proof.Keys.load(project)
        with show.step("Proof") as doing:
            proven = proof.prove(project, keys, doing)
        explain_proof(show, proven)
        with show.step("Chain") as doing:
            settled = chain.settle(keys.verifying, proven, folder, doing)
        explain_chain(show, settled)
        saved = proof.save(project, proven)
        served = service.serve(show, project, folder, node.url, world)
        service.explain_end(show, served)
    found |= {"served": served.to_dict()}
    found |= {"forecast": proven.forecast, "settled": asdict(settled), "seconds": show.seconds}
    files.write(folder / RESULT_FILE, json.dumps(found, indent=1) + "\n")
    summary(show, project, saved)


def decide(show: Show, project: Path, url: str) -> tuple[World, dict[str, Any]]:
    """The walk of the example's README, command by command, on a fresh node; the chain, and what was found."""
    with show.step("Question"):
        typed = walk.init(project)
        walk.assay("task", "check", str(project))
    show.line(f"$ {walk.shown(typed)}")
    show.line(f"$ assay task check {project.name}")
    with show.step("Data") as doing:
        doing("going on with a replay of real prices and synthetic traders on a local node, collecting with Cryo")
        world = World(url)
        data = walk.build(project)
    show.line("$ python replay.py --after history")
    show.line(f"$ cp -r history {project.name}/chain")
    show.line(f"$ assay data build {project.name}")
    explain_data(show, world.told, data)
    with show.step("Models") as doing:
        doing("exploring; the first time, also measuring what proofs cost on this machine")
        front = walk.assay("explore", str(project))
    show.line(f"$ assay explore {project.name}")
    explain_front(show, front)
    with show.step("Decision") as doing:
        doing("proving the best candidates and settling them on a local node")
        decision = walk.assay("decide", str(project))
    show.line(f"$ assay decide {project.name}")
    explain_decision(show, decision)
    with show.step("Report"):
        walk.assay("report", str(project))
    show.line(f"$ assay report {project.name}")
    return world, {"replay": world.told, "data": data, "front": front, "decision": decision}


if __name__ == "__main__":
    sys.exit(main())
