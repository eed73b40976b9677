"""What a circuit's outputs mean: classes, probabilities, values in the target's units.

Nothing here is proven. A proof shows the outputs (*margins*); what a library makes of them afterwards is written
down by the importers, and `fidelity` holds it against the library's own predict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_TASKS = ("classification", "multilabel", "ranking", "regression")
_LINKS = (
    "identity",
    "log",
    "logit",
    "half-logit",
    "softmax",
    "ovr",
    "softplus",
    "signed-square",
    "probability",
    "margin",
)
_LONGEST = 200


@dataclass(frozen=True)
class Answers:
    """How margins are read.

    Attributes
    ----------
    task
        "classification", "multilabel", "ranking" or "regression".
    link
        What the library makes of a margin: "identity", "log", "logit", "half-logit", "softmax", "ovr"
        (logistic, then normalised), "softplus", "signed-square", "probability" (the outputs are
        probabilities already), or "margin" (a class follows from it and nothing else).
    factor
        A margin is multiplied by it before the logistic function.
    threshold
        A single margin above it means the second class.
    classes
        Labels, of a classifier.
    unit
        Of a regression's values; empty where nobody said.
    """

    task: str
    link: str
    factor: float = 1.0
    threshold: float = 0.0
    classes: tuple[Any, ...] = ()
    unit: str = ""

    @classmethod
    def of(cls, meta: Mapping[str, Any], outputs: int) -> Answers:
        """From a circuit's `meta` or a key's facts, which nobody vouches for; what they lack becomes plain margins."""
        task = _one_of(meta.get("task"), _TASKS, "regression")
        classes = meta.get("classes")
        if task == "classification":
            count = outputs if outputs > 1 else 2
            known = isinstance(classes, list) and len(classes) == count and all(map(_is_label, classes))
            classes = classes if known else list(range(count))
        unit = meta.get("unit")
        return cls(
            task=task,
            link=_one_of(meta.get("link"), _LINKS, "identity"),
            factor=_number(meta.get("link_factor"), 1.0),
            threshold=_number(meta.get("threshold"), 0.0),
            classes=tuple(classes) if task == "classification" and classes else (),
            unit=unit if isinstance(unit, str) and unit.isprintable() and len(unit) <= _LONGEST else "",
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values: what `of` reads."""
        content: dict[str, Any] = {"task": self.task, "link": self.link}
        if self.factor != 1.0:
            content["link_factor"] = self.factor
        if self.threshold:
            content["threshold"] = self.threshold
        if self.classes:
            content["classes"] = list(self.classes)
        if self.unit:
            content["unit"] = self.unit
        return content

    def numbers(self, margins: Floats) -> NDArray[np.int64]:
        """Class numbers, int64[B]: the largest output, or whether the only one is above the threshold."""
        if margins.shape[1] > 1 or self.link == "probability":
            return np.asarray(margins.argmax(axis=1))
        return (margins[:, 0] > self.threshold).astype(np.int64)

    def labels(self, margins: Floats) -> list[Any] | None:
        """One class a row (several labels: a list of 0 and 1 a row); None where the model does not classify."""
        if self.task == "multilabel":
            return [[int(value) for value in row] for row in margins > self.threshold]
        if self.task != "classification":
            return None
        return [self.classes[number] for number in self.numbers(margins)]

    def probabilities(self, margins: Floats) -> Floats | None:
        """The library's probabilities, float64[B, classes]; None where it has none."""
        if self.task not in {"classification", "multilabel"}:
            return None
        if self.link == "probability":
            return margins
        if self.link == "softmax":
            return _normal(np.exp(margins - margins.max(axis=1, keepdims=True)))
        if self.link in {"logit", "half-logit", "ovr"}:
            factor = 2.0 if self.link == "half-logit" else self.factor
            share = _logistic(factor * margins)
            if self.link == "ovr":
                return _normal(share)
            one = margins.shape[1] == 1 and self.task == "classification"
            return np.concatenate([1 - share, share], axis=1) if one else share
        return None

    def values(self, margins: Floats) -> Floats:
        """What a regression's predict answers, float64[B, K]."""
        with np.errstate(over="ignore"):
            if self.link == "log":
                return np.exp(margins)
            if self.link == "logit":
                return _logistic(self.factor * margins)
            if self.link == "softplus":
                return np.logaddexp(0.0, margins)
            if self.link == "signed-square":
                return np.sign(margins) * margins**2
        return margins

    def told(self, margins: Floats) -> list[str]:
        """What the model answers, a text a row, for people."""
        labels, shares = self.labels(margins), self.probabilities(margins)
        if labels is None:
            values = margins if self.task == "ranking" else self.values(margins)
            unit = f" {self.unit}" if self.unit and self.task == "regression" else ""
            return [", ".join(f"{value:.6g}" for value in row) + unit for row in values]
        if self.task == "multilabel" or shares is None:
            return [f"class {label!r}" if self.task == "classification" else f"labels {label}" for label in labels]
        likely = shares[np.arange(len(shares)), self.numbers(margins)]
        return [f"class {label!r}, probability {share:.3f}" for label, share in zip(labels, likely, strict=True)]

    def describe(self) -> str:
        """One line for people: what an output means."""
        if self.task == "classification":
            if len(self.classes) == 2 and self.link != "probability":
                below, above = self.classes
                limit = f"above {self.threshold:g}" if self.threshold else "above 0"
                return f"a margin {limit} means class {above!r}, else {below!r}"
            kind = "probability" if self.link == "probability" else "margin"
            shown = ", ".join(repr(label) for label in self.classes[:8]) + (", ..." if len(self.classes) > 8 else "")
            return f"one {kind} for each class, the largest wins: {shown}"
        if self.task == "multilabel":
            return "one margin for each label; above 0 means yes"
        if self.task == "ranking":
            return "a score; higher ranks first"
        unit = f" in {self.unit}" if self.unit else " in the target's units"
        return f"the predicted value{unit}" + _LINKED.get(self.link, "")


_LINKED = {
    "log": " is the exponential of the output",
    "logit": " is the logistic function of the output",
    "softplus": " is log(1 + exp(output))",
    "signed-square": " is the square of the output, with its sign",
}


def _one_of(value: Any, known: tuple[str, ...], otherwise: str) -> str:
    return value if isinstance(value, str) and value in known else otherwise


def _is_label(value: Any) -> bool:
    return len(value) <= _LONGEST if isinstance(value, str) else isinstance(value, bool | int | float)


def _number(value: Any, otherwise: float) -> float:
    return value if isinstance(value, float) and math.isfinite(value) else otherwise


def _logistic(margins: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-margins)))


def _normal(shares: Floats) -> Floats:
    total = shares.sum(axis=1, keepdims=True)
    return np.where(total > 0, shares / np.where(total > 0, total, 1.0), 1.0 / shares.shape[1])
