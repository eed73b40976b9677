"""`report.html`: one file that needs nothing from elsewhere, made from one run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.core import files
from demo.chain import CALM_FEE, TURBULENT_FEE, Event
from demo.figures import figures
from demo.model import LABELS, Edge, Metrics
from demo.outcome import Outcome, machine
from demo.proof import BATCH

SHOWN_FEATURES = 8


def write(outcome: Outcome, path: Path) -> None:
    """Render the report and write it, whole or not at all; raises `StorageError`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    files.write(path, environment.get_template("report.html.j2").render(content(outcome)))


def content(outcome: Outcome) -> dict[str, Any]:
    """Everything the template shows, as text where a number needs a form."""
    return {
        "figures": figures(outcome),
        "headline": headline(outcome),
        "metrics": metrics_rows(outcome),
        "metric_names": list(LABELS.values()),
        "edges": [edge_text(edge) for edge in outcome.study.edges[:2]],
        "verdict": outcome.verdict,
        "spans": spans(outcome),
        "features": outcome.study.data.names,
        "tried": outcome.study.trained.tried,
        "chosen": outcome.study.trained.chosen,
        "fidelity": outcome.converted.fidelity,
        "closest": f"{abs(outcome.converted.exact).min():.2g}",
        "circuit": outcome.converted.circuit.summary(),
        "costs": cost_rows(outcome),
        "events": [event_row(event) for event in outcome.settled.events],
        "proven": proven(outcome),
        "srs": outcome.proven.single.srs_kind,
        "tampered": outcome.tampered,
        "batch": BATCH,
        "machine": machine(),
        "seconds": {name: f"{took:.1f} s" for name, took in outcome.seconds.items()},
    }


def headline(outcome: Outcome) -> dict[str, str]:
    """The figures that matter most."""
    model, rule, *_ = outcome.study.measured.values()
    return {
        "model": percent(model.accuracy),
        "rule": percent(rule.accuracy),
        "days": f"{len(outcome.study.truth):,}",
        "differing": str(outcome.converted.fidelity.rows_differing),
        "prove": seconds(outcome.proven.seconds["one day"]),
        "verify": seconds(outcome.proven.seconds["verify one day"]),
        "gas": f"{outcome.settled.gas['one']:,}",
        "settle_gas": f"{outcome.settled.gas['settle']:,}",
    }


def metrics_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """A row a forecaster: its name, its metrics, and which of them are the best of all."""
    everyone = outcome.study.measured.values()
    best = {
        name: (min if name == "log_loss" else max)(getattr(metrics, name) for metrics in everyone) for name in LABELS
    }
    return [
        {"name": name, "cells": [metric_cell(metrics, metric, best[metric]) for metric in LABELS]}
        for name, metrics in outcome.study.measured.items()
    ]


def metric_cell(metrics: Metrics, metric: str, best: float) -> dict[str, Any]:
    """One number, and whether nobody does better."""
    value = getattr(metrics, metric)
    return {"text": metric_text(metric, value), "best": value == best}


def metric_text(metric: str, value: float) -> str:
    """Shares in percent, the others with three digits."""
    return percent(value) if "accuracy" in metric else f"{value:.3f}"


def edge_text(edge: Edge) -> str:
    """The gain in accuracy over another forecaster, in percentage points."""
    interval = f"95 % interval {100 * edge.low:+.1f} to {100 * edge.high:+.1f}"
    return f"{100 * edge.difference:+.1f} points over the {edge.over} ({interval})"


def spans(outcome: Outcome) -> list[list[str]]:
    """The three parts: name, first day, last day, number of days, share that were turbulent."""
    data = outcome.study.data
    return [
        [name, str(data.dates[rows[0]]), str(data.dates[rows[-1]]), f"{len(rows):,}", percent(data.y[rows].mean())]
        for name, rows in vars(outcome.study.parts).items()
    ]


def cost_rows(outcome: Outcome) -> list[list[str]]:
    """What proving and verifying took, and how large everything is."""
    took = outcome.proven.seconds
    rows = [
        ["setup (reference string from the cache or made now)", seconds(outcome.seconds["Keys"])],
        ["prove one day", seconds(took["one day"])],
        ["prove one day, the first time (loads the key)", seconds(took["first proof, key loaded"])],
        [f"prove {BATCH} days in one proof", seconds(took["batch"])],
        ["verify one day", seconds(took["verify one day"])],
        [f"verify {BATCH} days", seconds(took["verify batch"])],
    ]
    return rows + [[name, f"{size:,} bytes"] for name, size in outcome.sizes.items()]


def event_row(event: Event) -> dict[str, str]:
    """One line of the chain's story."""
    return {
        "what": event.what,
        "outcome": event.outcome,
        "kind": event.outcome.partition(":")[0],
        "gas": "" if event.gas is None else f"{event.gas:,}",
        "fee": "" if event.state is None else fee(event.state.fee),
    }


def proven(outcome: Outcome) -> dict[str, Any]:
    """The statement on the chain: which day, what the model says of it, and what that did."""
    words = outcome.proven.single.public_inputs
    values = outcome.study.data.X[outcome.row]
    chance = float(outcome.study.forecasters[0].probability[outcome.proven.day])
    return {
        "day": str(outcome.study.data.dates[outcome.row]),
        "tomorrow": str(outcome.study.data.tomorrow[outcome.row]),
        "came": "turbulent" if outcome.study.data.y[outcome.row] else "calm",
        "regime": "turbulent" if outcome.margin > 0 else "calm",
        "margin": f"{outcome.margin:.9f}",
        "integer": f"{outcome.proven.single.output_integers[0][0]:,}",
        "scale": outcome.proven.single.scale_bits,
        "probability": percent(chance),
        "model_id": outcome.settled.model_id,
        "row": [
            [name, f"{value:.6g}", f"{word:,}"]
            for name, value, word in zip(outcome.study.data.names, values, words[:-1], strict=True)
        ][:SHOWN_FEATURES],
        "more": len(outcome.study.data.names) - SHOWN_FEATURES,
        "calm_fee": fee(CALM_FEE),
        "turbulent_fee": fee(TURBULENT_FEE),
    }


def fee(hundredths: int) -> str:
    """A fee of the pool in percent."""
    return f"{hundredths / 10_000:.2f} %"


def percent(share: float) -> str:
    """A share with one digit."""
    return f"{100 * share:.1f} %"


def seconds(value: float) -> str:
    """A duration in the unit that suits it."""
    return f"{value:.2f} s" if value >= 0.1 else f"{1000 * value:.1f} ms"
