"""Metrics, limits and terms in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.bench.words import percent
from assay.models.metrics import HIGHER_IS_BETTER
from assay.report.table import UNKNOWN, short

if TYPE_CHECKING:
    from assay.task.task import Task

_METRICS = {
    "rmse": ("typical error (RMSE)", "the size of a typical error, where large errors count more"),
    "mae": ("mean error (MAE)", "the mean size of the errors"),
    "qlike": ("QLIKE", "a loss for forecasts of volatility, harder on forecasts that are too low"),
    "log_loss": ("log loss", "how much probability was given to what did not happen"),
    "brier": ("Brier score", "the mean squared difference between probabilities and what happened"),
    "accuracy": ("accuracy", "the share of right answers"),
    "f1": ("F1 score", "right alarms against false and missed ones"),
    "auc": ("AUC", "how often a case that happened was ranked above one that did not"),
}

KINDS = {
    "regression": "a number",
    "binary": "one of two answers (as the probability of the second)",
    "multiclass": "one of several answers (as a probability for each)",
}

PROTOCOLS = {"amm": "an exchange that trades against a pool", "lending": "a lending protocol", "other": "a protocol"}

PARTS = {
    "train": ("training", "models learn from these"),
    "validation": ("validation", "checks the search; models never learned from these while they were searched"),
    "test": ("test", "kept away until the decision, which looks at them once"),
}

GLOSSARY = (
    ("Candidate", "a model that was trained and could be used; what decides today is a candidate too."),
    (
        "Proof",
        (
            "a short string of bytes that shows that the model that everybody agreed on gave exactly this answer for "
            "these inputs. It does not show the model, nor that the answer is good."
        ),
    ),
    ("Proving", "making a proof, on an ordinary machine; whoever runs the model does it."),
    ("Verifying", "checking a proof. A contract on the chain does it and pays gas for it."),
    ("Gas", "what the chain charges for work, paid in its own money at a price that changes all the time."),
    ("Block", "the chain moves in blocks; nothing on it happens faster than one."),
    ("Test rows", "data that no model saw before the decision. Only figures on them say what to expect later."),
    (
        "Cross-validation",
        (
            "a rehearsal on the training rows: learn from one part, be judged on another, several times over. "
            "Candidates are compared by it while they are searched."
        ),
    ),
    ("Front", "the candidates that no other candidate beats in accuracy, proving time and gas at once."),
    (
        "Fidelity",
        (
            "whether the proven model says the same as the trained one. A proof is about whole numbers, so the model "
            "is converted, and the conversion is checked row by row."
        ),
    ),
    ("Hash", "a fingerprint of a file: if one byte of the file changes, so does its hash."),
)


def metric_name(task: Task, name: str) -> str:
    """A metric's name for a person; the user's own loss is called by its unit."""
    if name == "value":
        return f"loss, {task.value.unit}" if task.value.unit else "the task's own loss"
    return _METRICS[name][0]


def metric_about(name: str) -> str:
    """What a metric says, and which way is better."""
    better = "more is better" if name in HIGHER_IS_BETTER else "less is better"
    said = "what a decision costs, as the task defines it" if name == "value" else _METRICS[name][1]
    return f"{said}; {better}"


def metric_text(name: str, value: float | None) -> str:
    """A metric's number."""
    if value is None:
        return UNKNOWN
    return percent(value) if name == "accuracy" else short(value, full=True)


def height_of(metric: str, number: float) -> float:
    """The metric turned so that more is better: where a figure shows it."""
    return number if metric in HIGHER_IS_BETTER else -number


def metric_at(metric: str, height: float) -> float:
    """The metric that is shown at this height."""
    return height_of(metric, height)


def capital(text: str) -> str:
    """The text with a capital at its start, and otherwise as it is."""
    return text[:1].upper() + text[1:]


def gain(share: float | None) -> str:
    """An improvement with its sign."""
    return UNKNOWN if share is None else f"{'+' if share > 0 else ''}{percent(share)}"


def span(seconds: float) -> str:
    """A time that may be long."""
    for unit, size in (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= size:
            many = round(seconds / size, 1)
            return f"{many:g} {unit}{'s' * (many != 1)}"
    return f"{seconds:g} s"


def megabytes(number: float | None) -> str:
    """Memory."""
    return UNKNOWN if number is None else f"{number:,.0f} MB"


def size(number: int) -> str:
    """Bytes."""
    if number < 10_000:
        return f"{number:,} bytes"
    return f"{number / 1e3:,.0f} kB" if number < 1e6 else f"{number / 1e6:,.1f} MB"


def thousands(number: float) -> str:
    """A number on an axis."""
    if number >= 1e6:
        return f"{number / 1e6:g}M"
    return f"{number / 1e3:g}k" if number >= 1e3 else f"{number:g}"
