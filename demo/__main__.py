"""`python -m demo`: from S&P 500 prices to a fee that a contract changed because of a proof.

Ends with 0 when everything went as it must, 1 when something did not, 2 when it could not run or was
interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import assay
from assay.core import files
from assay.core.errors import AssayError
from demo import chain, data, model, proof, report
from demo.outcome import Outcome, to_dict
from demo.show import Show, Surprise
from demo.summary import explain_chain, explain_data, explain_keys, explain_proof, explain_study, summary

HERE = Path(__file__).parent
ARTEFACTS = "out"
REPORT_FILE = "report.html"
RESULT_FILE = "result.json"


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder for report.html and out/ (default: demo/)")
    folder: Path = parser.parse_args().out
    try:
        run(folder)
    except Surprise as surprise:
        sys.stderr.write(f"The demo stopped, for this must not happen: {surprise}\n")
        return 1
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
    """All steps, then the report; what would fail at the end fails at the start."""
    chain.require_tools()
    with files.translated(folder, "write"):
        (folder / ARTEFACTS).mkdir(parents=True, exist_ok=True)
    show = Show()
    show.console.print("[bold]Tomorrow's volatility of the S&P 500[/]: forecast, proven, settled on a local node")
    study = forecast(show)
    converted, keys = convert(show, study)
    proven, tampered = prove(show, study, converted, keys)
    with show.step("Chain") as doing:
        settled = chain.settle(keys, proven, folder / ARTEFACTS, doing)
    explain_chain(show, settled)
    outcome = Outcome(study, converted, keys, proven, tampered, settled, show.seconds)
    with show.step("Report"):
        report.write(outcome, folder / REPORT_FILE)
    proof.save(folder / ARTEFACTS, study.trained.classifier, converted, keys, proven)
    files.write(folder / ARTEFACTS / RESULT_FILE, json.dumps(to_dict(outcome), indent=1) + "\n")
    summary(show, outcome, folder)


def forecast(show: Show) -> model.Study:
    """From prices to a trained model and what it is worth."""
    with show.step("Data"):
        prices = data.load()
        days = data.dataset(prices)
        parts = data.split(days)
    explain_data(show, prices, days, parts)
    with show.step("Model") as doing:
        doing("training, choosing on the validation days")
        study = model.study(days, parts)
    explain_study(show, study)
    return study


def convert(show: Show, study: model.Study) -> tuple[proof.Converted, assay.Keys]:
    """From the model to a circuit that agrees with it on every test day, and its keys."""
    with show.step("Circuit") as doing:
        doing("converting and comparing with XGBoost")
        converted = proof.convert(study.trained.classifier, study.rows, study.truth)
    show.say(f"{converted.circuit.summary()}\n\n{converted.fidelity}")
    with show.step("Keys") as doing:
        keys = proof.make_keys(converted.circuit, doing)
    explain_keys(show, keys)
    return converted, keys


def prove(show: Show, study: model.Study, converted: proof.Converted, keys: assay.Keys) -> tuple[proof.Proven, str]:
    """Proofs of one day and of a batch, verified; and why a tampered one is refused."""
    with show.step("Proof") as doing:
        turbulent = np.flatnonzero(study.forecasters[0].turbulent)
        day = int(turbulent[-1]) if len(turbulent) else len(study.rows) - 1
        proven = proof.prove(keys, study.rows, day, doing)
        proof.agree(proven, converted)
        tampered = proof.refused_natively(keys, proven.single)
    explain_proof(show, proven, str(study.data.dates[study.parts.test[day]]), tampered)
    return proven, tampered


if __name__ == "__main__":
    sys.exit(main())
