"""What proven outputs mean, for `assay prove` and `assay verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.prove.proof import Proof
    from assay.transpile.circuit.answers import Answers

_ROWS = 3


def answered(proof: Proof, answers: Answers | None) -> dict[str, Any]:
    """Labels, probabilities and what outputs mean, as JSON; what a model has not is left out."""
    if answers is None:
        return {}
    labels, shares = answers.labels(proof.outputs), answers.probabilities(proof.outputs)
    found: dict[str, Any] = {"meaning": answers.describe()}
    if labels is not None:
        found["labels"] = labels
    if shares is not None:
        found["probabilities"] = shares.tolist()
    if answers.unit:
        found["unit"] = answers.unit
    return found


def lines(proof: Proof, answers: Answers | None) -> str:
    """`shown` as indented lines, each after a line break."""
    rows = shown(proof, answers)
    return "".join(f"\n  {name:<8}{text}" for name, text in rows)


def shown(proof: Proof, answers: Answers | None) -> list[tuple[str, str]]:
    """The same in a few lines for people."""
    if answers is None:
        return []
    told = answers.told(proof.outputs)
    rows = [("answer" if index == 0 else "", text) for index, text in enumerate(told[:_ROWS])]
    if len(told) > _ROWS:
        more = len(told) - _ROWS
        rows.append(("", f"and {more} more row{'s' * (more != 1)}"))
    return [*rows, ("meaning", answers.describe())]
