"""The demo's findings in words and tables for the terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import assay
from demo.chain import Settled
from demo.data import EMBARGO, Dataset, Prices, Split
from demo.model import LABELS, TREES, Study, verdict
from demo.outcome import Outcome
from demo.proof import BATCH, PROOF_FILE, Proven
from demo.report import edge_text, event_row, metric_text, percent, seconds
from demo.show import Show


def explain_data(show: Show, prices: Prices, days: Dataset, parts: Split) -> None:
    """What is learned from, and how it is divided."""
    counts = ", ".join(f"{len(rows):,}" for rows in vars(parts).values())
    show.say(
        f"{len(prices.dates):,} days of the S&P 500, {prices.dates[0]} to {prices.dates[-1]}; {len(days.names)}"
        " features known at each close.\nA day is turbulent if its true range is above the median of the year before;"
        f" the target is tomorrow.\nTrain, validation, test in order of time, {EMBARGO} days apart: {counts} days."
    )


def explain_study(show: Show, study: Study) -> None:
    """What was trained, and how it does on the test days."""
    chosen = study.trained.chosen
    show.say(
        f"XGBoost, {TREES} trees of depth {chosen.depth}, learning rate {chosen.rate}: the best of"
        f" {len(study.trained.tried)} settings on the validation days. On the test days:"
    )
    rows = [
        [name, *(metric_text(metric, getattr(metrics, metric)) for metric in LABELS)]
        for name, metrics in study.measured.items()
    ]
    show.table(["", "accuracy", "balanced", "AUC", "log loss"], rows)
    lines = [verdict(study.measured), *(f"Accuracy {edge_text(edge)}." for edge in study.edges[:2])]
    show.say("\n".join(lines))


def explain_keys(show: Show, keys: assay.Keys) -> None:
    """How large the keys are and what they are worth."""
    kind = keys.verifying_key.srs_kind
    origin = "made on this machine, for tests only" if kind == "development" else "imported from a ceremony"
    show.say(
        f"Proving key {len(keys.proving_key):,} bytes, verifying key {len(keys.verifying_key):,} bytes.\n"
        f"Both are stamped [bold]{kind}[/]: the reference string was {origin}."
    )


def explain_proof(show: Show, proven: Proven, day: str, tampered: str) -> None:
    """What was proven and what it took."""
    took = proven.seconds
    show.say(
        f"{day}: margin {proven.single.outputs[0, 0]:+.6f}, proven in {seconds(took['one day'])},"
        f" verified in {seconds(took['verify one day'])}.\n"
        f"The last {BATCH} days in one proof: {seconds(took['batch'])}, verified in {seconds(took['verify batch'])}.\n"
        f"With one bit flipped it is refused: {tampered}."
    )


def explain_chain(show: Show, settled: Settled) -> None:
    """The transactions in order."""
    rows = []
    for event in settled.events:
        row = event_row(event)
        rows.append([row["what"], row["outcome"], row["gas"], row["fee"]])
    show.table(["transaction on Anvil", "outcome", "gas", "pool's fee"], rows)


def summary(show: Show, outcome: Outcome, folder: Path) -> None:
    """The table at the end, and where to look next."""
    model, rule, *_ = outcome.study.measured.values()
    took, gas = outcome.proven.seconds, outcome.settled.gas
    refused = sum(event.outcome.startswith("refused") for event in outcome.settled.events)
    fidelity = outcome.converted.fidelity
    rows = [
        ["test accuracy, model / existing rule", f"{percent(model.accuracy)} / {percent(rule.accuracy)}"],
        ["test days where circuit and XGBoost differ", f"{fidelity.rows_differing} of {fidelity.rows:,}"],
        ["prove one day / each of a batch", f"{seconds(took['one day'])} / {seconds(took['batch'] / BATCH)}"],
        ["verify natively", seconds(took["verify one day"])],
        ["gas to verify one day / each of a batch", f"{gas['one']:,} / {gas['batch'] // BATCH:,}"],
        ["gas of the pool's whole transaction", f"{gas['settle']:,}"],
        ["size of proof / proving key / contract", sizes(outcome)],
        ["forged or repeated proofs refused", f"{refused} of {refused}"],
        ["everything together", f"{show.total:.0f} s"],
    ]
    show.console.print()
    show.table(["[bold]Summary[/]", ""], rows)
    show.console.print()
    show.say(
        "Not audited; development reference string; the row and the margin are public, the model is not.\n"
        "Report and artefacts, to go on by hand:"
    )
    out, command = relative(folder / "out"), relative(Path(sys.executable).parent / "assay")
    show.line(str(relative(folder / "report.html")))
    show.line(f"{command} verify {out} {out / PROOF_FILE}")


def relative(path: Path) -> Path:
    """The path as one would type it here."""
    here = Path.cwd()
    return path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path


def sizes(outcome: Outcome) -> str:
    """Three sizes in bytes."""
    size = outcome.sizes
    return f"{size['proof of one day']:,} / {size['proving key']:,} / {size['verifier contract']:,} bytes"
