"""A network's inputs as the public words of a proof: thirteen features in one (networks-circuit.md, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.circuit.network.network import INPUT_LIMIT, LANE_BITS, LANES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Circuit


def packed(circuit: Circuit, words: NDArray[np.uint64]) -> list[int]:
    """The public words of rows, from their features' words uint64[B, F]."""
    shifts = _shifts(circuit)
    return [
        sum((int(word) + shift + INPUT_LIMIT) << LANE_BITS * lane for lane, (word, shift) in enumerate(lanes))
        for row in words
        for lanes in _groups(list(zip(row.tolist(), shifts, strict=True)))
    ]


def unpacked(circuit: Circuit, public: Sequence[int]) -> NDArray[np.object_]:
    """The features' words of public words, as Python integers in an object array [B, F].

    A lane may hold an input that is not in its feature's declared range; its word is then negative or too large.

    Raises
    ------
    ValueError
        If there are not whole rows of words.
    """
    features = len(circuit.features)
    shifts = _shifts(circuit)
    width = -(-features // LANES)
    if len(public) % width:
        raise ValueError(f"{len(public)} words are no rows of {width}")
    mask = (1 << LANE_BITS) - 1
    rows = [
        [(public[first + index // LANES] >> LANE_BITS * (index % LANES)) & mask for index in range(features)]
        for first in range(0, len(public), width)
    ]
    lanes = np.array(rows, dtype=object).reshape(len(rows), features)
    words: NDArray[np.object_] = lanes - INPUT_LIMIT - np.array(shifts, dtype=object)
    return words


def _shifts(circuit: Circuit) -> list[int]:
    """What is added to a word to give the machine's input, feature by feature."""
    centres = circuit.network.input_centres if circuit.network is not None else [0] * len(circuit.features)
    return [feature.low - centre for feature, centre in zip(circuit.features, centres, strict=True)]


def _groups(items: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    return [items[first : first + LANES] for first in range(0, len(items), LANES)]
