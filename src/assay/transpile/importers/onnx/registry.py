"""Which function converts which operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.transpile.importers.onnx.node import Node, Operand

    Results = Operand | Sequence[Operand]
    Convert = Callable[[Node], Any]

ML = "ai.onnx.ml"


@dataclass(frozen=True)
class Operator:
    """An operator that is converted.

    Attributes
    ----------
    rows
        What it costs, for the table in the documentation.
    limits
        What of it is refused; empty if nothing is.
    even_constant
        Whether the function also computes constants (and bounds their size), rather than onnxruntime.
    """

    name: str
    domain: str
    convert: Convert
    rows: str
    limits: str
    even_constant: bool


OPERATORS: dict[tuple[str, str], Operator] = {}


def operator(
    *names: str, rows: str, limits: str = "", domain: str = "", even_constant: bool = False
) -> Callable[[Convert], Convert]:
    """Register a function for operators."""

    def register(convert: Convert) -> Convert:
        for name in names:
            OPERATORS[domain, name] = Operator(name, domain, convert, rows, limits, even_constant)
        return convert

    return register


def supported() -> str:
    """The names of all operators that are converted."""
    plain = sorted(name for domain, name in OPERATORS if not domain)
    ml = sorted(name for domain, name in OPERATORS if domain)
    return f"Supported operators: {', '.join(plain)}; of ai.onnx.ml: {', '.join(ml)}."
