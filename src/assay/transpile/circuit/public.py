"""The public words of rows: what a proof shows of them, and what a contract is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.transpile.circuit.network.words import packed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Circuit


def public_words(circuit: Circuit, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> list[list[int]]:
    """One list a row, from the features' words and flags, both [B, F].

    Of trees and linear models a word a feature, 2^bits where it is missing; of networks thirteen features in a word.
    """
    if circuit.kind == "network":
        flat = packed(circuit, words)
        width = len(flat) // len(words) if len(words) else 1
        return [flat[first : first + width] for first in range(0, len(flat), width)]
    absent = 1 << circuit.bits
    return [
        [absent if gone else word for word, gone in zip(row, flags, strict=True)]
        for row, flags in zip(words.tolist(), missing.tolist(), strict=True)
    ]
