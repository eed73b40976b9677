"""Networks by their public interface, every stage in a process of its own: `python -m benchmarks.networks`."""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import assay
from benchmarks import gas, machine, results
from benchmarks.figures import stage_figures
from benchmarks.measure import Limits, StageFailed, failure, run_stage
from benchmarks.networks import models
from benchmarks.networks.models import Network
from benchmarks.networks.page import NAME
from benchmarks.networks.stages import STAGES_IN_ORDER
from benchmarks.work import WORK

REPEATS = 20
LIMITS = Limits(seconds=3600)
_FIDELITY = ("rows_checked", "rows_differing", "rows_failed", "drawn_checked", "drawn_differing", "error_share")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    keys = [network.key for network in models.NETWORKS]
    parser.add_argument("--only", nargs="+", metavar="NETWORK", choices=keys, help=f"of {', '.join(keys)}")
    parser.add_argument(
        "--models", type=Path, metavar="DIR", help="trained models: DIR/NETWORK/model.onnx, inputs.json"
    )
    parser.add_argument("--repeats", type=int, default=REPEATS, help="proofs of each; default %(default)s")
    parser.add_argument("--peers", action="store_true", help="measure EZKL too: minutes and gigabytes")
    options = parser.parse_args(arguments)
    before = results.read(NAME) or {}
    result: dict[str, Any] = {
        "case": NAME,
        "title": "Networks",
        "tool": f"Assay {assay.__version__}",
        "machine": machine.describe(),
        "started": machine.now(),
        "load_average_before": machine.load_average(),
        "status": "ok",
        "configuration": {
            "models": "trained" if options.models else "seeded weights",
            "repeats": options.repeats,
            "inputs": "public",
        },
        "networks": {},
    }
    # A run of a few networks leaves the others out: figures of several runs would not be of one machine and commit.
    for network in models.NETWORKS:
        if not options.only or network.key in options.only:
            print(network.title, flush=True)
            result["networks"][network.key] = _measured(network, options, before)
            result["load_average_after"] = machine.load_average()
            print(f"wrote {results.write(NAME, result)}", flush=True)  # what ends the run early does not lose this


def _measured(network: Network, options: argparse.Namespace, before: dict[str, Any]) -> dict[str, Any]:
    folder = WORK / NAME / network.key
    shutil.rmtree(folder, ignore_errors=True)
    models.write(network, folder, None if network.large else options.models)
    found: dict[str, Any] = {"title": network.title, "rows_in_one_proof": network.batch, "status": "ok", "stages": {}}
    try:
        for stage in STAGES_IN_ORDER:
            found["stages"][stage] = _call(stage, network, folder, options.repeats)
            print(f"  {stage}: {statistics.median(found['stages'][stage]['seconds']):.4f} s", flush=True)
        source = (folder / "Verifier.sol").read_text(encoding="utf-8")
        found["settlement"] = asdict(gas.settle(source, None, (folder / "calldata.bin").read_bytes()))
    except (StageFailed, RuntimeError, assay.AssayError) as error:
        found |= {"status": "failed", "failure": failure(error)}
        print(f"  {found['failure']}", flush=True)
    found["figures"] = _figures(found)
    if options.peers and network.batch == 1 and not network.large:
        from benchmarks.networks import peer

        found["ezkl"] = peer.run(network, folder, folder / "ezkl")
    elif (kept := before.get("networks", {}).get(network.key, {}).get("ezkl")) is not None:
        found["ezkl"] = kept
    return found


def _call(stage: str, network: Network, folder: Path, repeats: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.networks.stages", stage, network.key, str(folder), str(repeats)]
    # A cache of its own, so that the reference string's generation is measured and the user's cache left alone.
    environment = {**os.environ, "ASSAY_CACHE": str(WORK / NAME / "cache")}
    return run_stage(stage, command, limits=LIMITS, cwd=machine.ROOT, environment=environment)


def _figures(found: dict[str, Any]) -> dict[str, Any]:
    stages = found["stages"]
    figures = stage_figures(stages)
    if "prove" in stages:
        figures["first_prove_seconds"] = stages["prove"]["first_seconds"]
    if "first_setup" in stages:
        figures["first_setup_seconds"] = statistics.median(stages["first_setup"]["seconds"])
    if "setup" in stages:
        figures["powers"] = stages["setup"]["powers"]
    if "fidelity" in stages:
        figures |= {name: stages["fidelity"][name] for name in _FIDELITY}
    settlement: dict[str, Any] = found.get("settlement", {})
    return figures | settlement


if __name__ == "__main__":
    main()
