"""The page's section on networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import results, shown
from benchmarks.networks import models

NAME = "networks"

_COLUMNS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("prove", "prove_seconds", shown.seconds),
    ("processor time", "prove_cpu_seconds", shown.seconds),
    ("first proof", "first_prove_seconds", shown.seconds),
    ("memory", "prove_memory_bytes", shown.size),
    ("setup", "setup_seconds", shown.seconds),
    ("its memory", "setup_memory_bytes", shown.size),
    ("with a new string", "first_setup_seconds", shown.seconds),
    ("proving key", "proving_key_bytes", shown.size),
    ("powers", "powers", shown.count),
    ("proof", "proof_bytes", shown.size),
    ("gas", "gas", shown.count),
    ("contract", "contract_bytes", shown.size),
    ("verify", "verify_seconds", shown.seconds),
)
_BY_ROW = ("prove_seconds", "prove_cpu_seconds", "gas")


def section() -> str:
    """The section, from the result; empty if there is none."""
    result = results.read(NAME)
    if result is None:
        return ""
    asked = result["configuration"]
    lines = [
        f"## {result['title']}",
        "",
        f"`python -m benchmarks.networks`, {asked['models']}: hidden weights, public inputs;",
        f"medians of {asked['repeats']} proofs by one prover; *first proof* includes reading key and string, *memory*",
        "is the most that the proving process held, *powers* what the key needs of a reference string (64 bytes each,",
        "no second point of G2), *with a new string* setup with a development string made for it.",
        "",
        f"| | must, aim | {' | '.join(label for label, _, _ in _COLUMNS)} | decisions that differ |",
        f"|---|---:|{'---:|' * len(_COLUMNS)}---:|",
    ]
    failures = []
    for network in models.NETWORKS:
        found = result["networks"].get(network.key)
        if found is None:
            continue
        promised = f"{shown.seconds(network.must)}, {shown.seconds(network.aim)}"
        lines.append(_line(network.title, promised, found["figures"], network.batch))
        failures += _failed(network.title, "Assay", found)
        if (peer := found.get("ezkl")) is not None:
            lines.append(_line(f"*{peer['tool']}*", "", peer["figures"], 1))
            failures += _failed(network.title, peer["tool"], peer)
    note = "Decisions: of the model's own rows, and of rows drawn evenly from the declared ranges; onnxruntime judges."
    about = [f"{one.title}: {one.about}" for one in models.NETWORKS if one.about and one.key in result["networks"]]
    return "\n".join([*lines, "", note, *about, *failures, ""])


def _line(title: str, promised: str, figures: dict[str, Any], batch: int) -> str:
    cells = []
    for _, key, show in _COLUMNS:
        value = figures.get(key)
        value = value / batch if value is not None and key in _BY_ROW else value
        cells.append("" if value is None else show(value))
    differing = ""
    if "rows_checked" in figures:
        differing = f"{figures['rows_differing']} of {figures['rows_checked']}"
    if "drawn_checked" in figures:
        differing += f", {figures['drawn_differing']} of {figures['drawn_checked']}"
    return f"| {title} | {promised} | {' | '.join(cells)} | {differing} |"


def _failed(title: str, tool: str, found: dict[str, Any]) -> list[str]:
    if found["status"] == "ok":
        return []
    what = found["failure"]
    message = what["message"].replace("\n", " ").replace("`", "'")
    return [f"{title}: {tool} failed at *{what['stage']}*: `{message}`"]
