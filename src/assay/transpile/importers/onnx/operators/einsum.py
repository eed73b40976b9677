"""Einsum: sums of products by the letters of an equation, as matrix products."""

from __future__ import annotations

import math
from dataclasses import dataclass
from string import ascii_letters
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.flow.tensor import Tensor, total
from assay.transpile.importers.onnx.operators.gemm import matrix_product
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node

_ELLIPSIS = "..."


@dataclass(frozen=True)
class _Term:
    """A tensor and the letters of its axes."""

    tensor: Tensor
    letters: str

    def ordered(self, letters: str) -> Tensor:
        """With its axes in the order of some letters, which are its own."""
        order = [self.letters.index(letter) for letter in letters]
        return self.tensor.moved(lambda part: np.transpose(part, order))

    def summed(self, node: Node, kept: set[str]) -> _Term:
        """Without the axes of letters that nothing else has."""
        own = "".join(letter for letter in self.letters if letter in kept)
        lost = "".join(letter for letter in self.letters if letter not in kept)
        if not lost:
            return self
        wide = self.ordered(own + lost)
        flat = wide.moved(lambda part: part.reshape(*part.shape[: len(own)], -1))
        return _Term(total(node.flow, flat), own)


@operator("Einsum", rows="as MatMul, for two operands at a time")
def einsum(node: Node) -> Tensor:
    """Operands one after the other; letters that neither the rest nor the result has are summed first."""
    parts, result = _equation(node)
    terms = _terms(node, parts)
    found = terms[0]
    for index, term in enumerate(terms):
        later = set(result).union(*(other.letters for other in terms[index + 1 :]))
        if not index:
            found = term.summed(node, later)
            continue
        found = _product(
            node, found.summed(node, later | set(term.letters)), term.summed(node, later | set(found.letters)), later
        )
    return found.ordered(result)


def _equation(node: Node) -> tuple[list[str], str]:
    """The letters of each operand and of the result, with letters of their own for what an ellipsis stands for."""
    text = "".join(str(node.attribute("equation", "")).split())
    left, arrow, right = text.partition("->")
    parts, ranks = left.split(","), [len(node.tensor(index).shape) for index in range(len(node.inputs))]
    if len(parts) != len(ranks):
        raise node.malformed(f"an equation {text!r:.60} for {len(ranks)} operands")
    if not arrow:
        letters = left.replace(_ELLIPSIS, "").replace(",", "")
        once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
        right = (_ELLIPSIS if _ELLIPSIS in left else "") + "".join(once)
    free = [letter for letter in ascii_letters if letter not in text]
    hidden = [
        rank - len(part.replace(_ELLIPSIS, "")) if _ELLIPSIS in part else 0
        for part, rank in zip(parts, ranks, strict=True)
    ]
    if min(hidden) < 0 or max(hidden) > len(free):
        raise node.malformed(f"an equation {text!r:.60} for operands of {ranks} dimensions")
    dots = "".join(free[: max(hidden)])
    spelled = [part.replace(_ELLIPSIS, dots[len(dots) - count :]) for part, count in zip(parts, hidden, strict=True)]
    result = right.replace(_ELLIPSIS, dots)
    known = set("".join(spelled))
    if (
        any(len(part) != rank for part, rank in zip(spelled, ranks, strict=True))
        or not all(letter.isalpha() for letter in known)
        or not set(result) <= known
        or len(set(result)) != len(result)
    ):
        raise node.malformed(f"an equation {text!r:.60} for operands of {ranks} dimensions")
    return spelled, result


def _terms(node: Node, parts: list[str]) -> list[_Term]:
    """Operands with one axis a letter, of its full extent."""
    extents: dict[str, int] = {}
    for index, part in enumerate(parts):
        for letter, extent in zip(part, node.tensor(index).shape, strict=True):
            if extents.get(letter, 1) != 1 and extent not in {1, extents[letter]}:
                raise node.malformed(f"{letter!r} is of {extents[letter]} and of {extent} elements")
            extents[letter] = max(extents.get(letter, 1), extent)
    terms = []
    for index, part in enumerate(parts):
        node.fits(tuple(extents[letter] for letter in part))
        tensor = node.tensor(index).broadcast(tuple(extents[letter] for letter in part))
        single = "".join(dict.fromkeys(part))
        places = np.indices([extents[letter] for letter in single])
        diagonal = tuple(places[single.index(letter)] for letter in part)
        if single != part:
            tensor = tensor.moved(_picked(diagonal))
        terms.append(_Term(tensor, single))
    return terms


def _picked(places: tuple[NDArray[np.int64], ...]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    return lambda part: part[places]


def _product(node: Node, one: _Term, two: _Term, kept: set[str]) -> _Term:
    """Over letters of both that are kept a product each, over the other common ones a sum."""
    both = "".join(letter for letter in one.letters if letter in two.letters and letter in kept)
    summed = "".join(letter for letter in one.letters if letter in two.letters and letter not in kept)
    rows = "".join(letter for letter in one.letters if letter not in two.letters)
    columns = "".join(letter for letter in two.letters if letter not in one.letters)
    left, right = one.ordered(both + rows + summed), two.ordered(both + summed + columns)
    extents = dict(zip(both + rows + summed, left.shape, strict=True)) | dict(
        zip(both + summed + columns, right.shape, strict=True)
    )

    def size(letters: str) -> int:
        return math.prod(extents[letter] for letter in letters)

    batch = [size(both)] if both else []
    found = matrix_product(
        node,
        left.moved(lambda part: part.reshape(*batch, size(rows), size(summed))),
        right.moved(lambda part: part.reshape(*batch, size(summed), size(columns))),
    )
    letters = both + rows + columns
    shape = [extents[letter] for letter in letters]
    return _Term(found.moved(lambda part: part.reshape(shape)), letters)
