"""`make bench`: measure every tool on every case, write JSON, render docs/benchmarks.md."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import cases, render
from benchmarks.cases import Case
from benchmarks.networks import __main__ as networks
from benchmarks.work import WORK

TOOLS = ("assay", "ezkl", "floor")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and do what it says."""
    options = _parser().parse_args(arguments)
    if not options.render:
        for case in cases.CASES:
            if not options.only or case.name in options.only:
                _measure(case, options)
        if "assay" in options.tool and not options.only:
            networks.main(["--peers"] if options.peers and "ezkl" in options.tool else [])
    print(f"wrote {render.write()}")


def _measure(case: Case, options: argparse.Namespace) -> None:
    folder = WORK / case.name
    print(f"{case.title}: training", flush=True)
    cases.write(case, folder / "case")
    if "assay" in options.tool:
        from benchmarks import assay_side

        print(f"{case.title}: Assay", flush=True)
        print(f"  {assay_side.run(case, folder / 'case', folder / 'assay')}", flush=True)
    if "floor" in options.tool:
        from benchmarks import floor

        print(f"  {floor.run(case, folder / 'assay')}", flush=True)
    if "ezkl" in options.tool and options.peers and case.same_model_as is None:
        _measure_ezkl(case, folder, options)


def _measure_ezkl(case: Case, folder: Path, options: argparse.Namespace) -> None:
    if case.heavy and not options.large:
        print(f"{case.title}: EZKL left out (up to an hour; --large runs it); its last result stays", flush=True)
        return
    from benchmarks.peers.ezkl import side

    print(f"{case.title}: EZKL", flush=True)
    for path in side.run(case, folder / "case", folder / "ezkl", options.mode):
        print(f"  {path}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="CASE", choices=[case.name for case in cases.CASES])
    parser.add_argument("--tool", nargs="+", default=list(TOOLS), choices=TOOLS, help="default: all")
    parser.add_argument(
        "--peers", action=argparse.BooleanOptionalAction, default=True, help="measure the other tools too (default)"
    )
    parser.add_argument("--large", action="store_true", help="measure the other tools on the large model too")
    parser.add_argument("--mode", nargs="+", choices=("resources", "accuracy"), help="EZKL's calibration; default both")
    parser.add_argument("--render", action="store_true", help="measure nothing, only write docs/benchmarks.md")
    return parser
