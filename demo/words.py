"""The demo's findings in words and tables for the terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from assay.project.steps import REPORT_FILE
from demo.chain import Settled
from demo.proof import Proven
from demo.show import Show


def explain_data(show: Show, told: list[str], data: dict[str, Any]) -> None:
    """What happened on the chain, and what was made of it."""
    parts = ", ".join(f"{name} {part['rows']}" for name, part in data["rows"].items())
    show.say(
        "Real prices (S&P 500), synthetic trades. " + "\n".join(told) + ".\n"
        f"Rows by part, in order of time: {parts}; {len(data['features'])} features; hash {data['content_hash'][:16]}."
    )


def explain_front(show: Show, front: dict[str, Any]) -> None:
    """What is possible, before anything is proven."""
    rows = [
        [
            one["id"],
            f"{one['cv']:.4f}",
            f"{1000 * one['predicted']['prove_seconds']:.0f} ms" if one["provable"] else "not proven",
            f"{one['predicted']['gas']:,}" if one["provable"] else "",
        ]
        for one in front["candidates"]
        if one["front"] or not one["provable"]
    ]
    show.table(["candidate", "loss (cross-validated)", "prove, predicted", "gas, predicted"], rows)


def explain_decision(show: Show, decision: dict[str, Any]) -> None:
    """What was measured on the test rows and on the node, and what was chosen."""
    rows = []
    for row in decision["rows"]:
        measured = row["measured"]
        interval = row["evidence"] and row["evidence"]["improvement"]
        gain = [
            _share(row["improvement"]),
            f"{100 * interval['low']:.1f} to {_share(interval['high']).lstrip('+')}" if interval else "",
            _share(row["cv_improvement"]),
        ]
        cost = [f"{1000 * measured['prove_seconds']:.0f} ms", f"{measured['gas']:,}"] if measured else ["", ""]
        rows.append([row["id"], f"{row['test'][decision['metric']]:.4f}", *gain, *cost])
    heads = ["candidate", "loss", "vs today", "90 % sure", "in folds", "prove", "gas"]
    show.say(f"[bold]{decision['headline']}[/]")
    show.table(heads, rows)
    show.say("\n".join([f"[bold]Chosen: {decision['chosen']}[/]", *decision["reasons"]]))


def _share(number: float | None) -> str:
    return "" if number is None else f"{100 * number:+.1f} %"


def explain_proof(show: Show, proven: Proven) -> None:
    """What was proven and what it took."""
    show.say(
        f"The newest row ({proven.when[:16]}): forecast {proven.forecast:.5f}, proven in "
        f"{1000 * proven.seconds['prove']:.0f} ms, verified in {1000 * proven.seconds['verify']:.1f} ms.\n"
        f"With one bit flipped: refused ({proven.tampered})."
    )


def explain_chain(show: Show, settled: Settled) -> None:
    """What the contracts did with the proof and with its forgeries."""
    rows = [
        [
            event.what,
            event.outcome,
            f"{event.gas:,}" if event.gas else "",
            f"{event.state.fee / 10_000:.2f} %" if event.state else "",
        ]
        for event in settled.events
    ]
    show.table(["transaction", "outcome", "gas", "fee after it"], rows)
    refused = [event for event in settled.events if event.outcome.startswith("refused")]
    unchanged = sum(not event.changed for event in refused)
    show.say(f"Forgeries and replays refused without any change: {unchanged} of {len(refused)}.")


def summary(show: Show, project: Path, proof: Path) -> None:
    """Where everything is, and what it is not."""
    show.console.print(f"\n[bold]Done in {show.total:.0f} s.[/] Go on by hand:")
    command = _command()
    show.line(f"open {_short(project / REPORT_FILE)} in a browser: the report of all of it")
    show.line(f"{command} status {_short(project)}")
    show.line(f"{command} verify {_short(proof.parent)} {_short(proof)}")
    show.say(
        "The prices are real and the trades synthetic. The reference string is a development one, made on this\n"
        "machine, for tests only. Not audited."
    )


def _command() -> str:
    local = Path(sys.executable).with_name("assay")
    return _short(local) if local.exists() else "assay"


def _short(path: Path) -> str:
    """The path from here, if that is shorter."""
    near = os.path.relpath(path)
    return near if len(near) < len(str(path)) else str(path)
