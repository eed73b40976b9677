"""What proving a model will cost here, from its size alone: before it is trained, and without proving anything.

The protocol fixes what a proof consists of (docs/spec/protocol.md), so time, memory, gas and sizes are sums of
a few terms whose number follows from the circuit's shape. What each term costs on this machine and with this
release is measured once, by real proofs of small circuits (`assay.bench.calibrate`), and fitted: no time and
no gas is written down here. A calibration without networks has a prior for them (`assay.models.cost.network`).
"""

from __future__ import annotations

import math
import statistics
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assay.core import documents
from assay.core.hashing import digest
from assay.models.cost.network import block, prior, quotient
from assay.models.cost.shape import Shape, Size, shape
from assay.models.errors import CalibrationDamaged

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_LIMBS_IN_A_HELPER = 3
_FEATURES_A_WORD = 13  # of a network's public words
_FEWEST = 3  # measured networks, to fit prices rather than to scale the prior

_Part = Literal["prove_seconds", "memory_mb", "gas", "setup_seconds"]
_PARTS: tuple[_Part, ...] = ("prove_seconds", "memory_mb", "gas", "setup_seconds")


class Cost(BaseModel):
    """What one proof of one row costs.

    Attributes
    ----------
    prove_seconds
        From a row to a proof, with the key in memory.
    memory_mb
        The most that the process that proves has held, in 10^6 bytes.
    gas
        Of the transaction that verifies, calldata included.
    setup_seconds
        To make the keys, once a model; the reference string not counted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prove_seconds: float
    memory_mb: float
    gas: int
    setup_seconds: float


FREE = Cost(prove_seconds=0.0, memory_mb=0.0, gas=0, setup_seconds=0.0)
"""The cost of what is not proven."""


class Point(BaseModel):
    """One measured circuit; `gas` is None if its proof was not settled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Size
    prove_seconds: float
    memory_mb: float
    setup_seconds: float
    gas: int | None


class Calibration(BaseModel):
    """What small proofs cost on this machine, with this release of the prover.

    Attributes
    ----------
    machine
        Processor, cores and system, for people.
    prover
        Hash of the native module: another build has other times.
    inputs
        Whether the rows of the measured proofs were public or private.
    unrolled_entries
        Up to so many input entries the generated contract writes out the code of each; beyond, it loops.
    points
        At least one of trees and one linear (private inputs: trees only).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_: Literal["assay-calibration/1"] = Field("assay-calibration/1", alias="schema")
    machine: str
    version: str
    prover: str
    inputs: Literal["public", "private"]
    unrolled_entries: int
    points: tuple[Point, ...] = Field(min_length=1)

    @property
    def digest(self) -> str:
        """Content address: predictions with equal ones are equal."""
        return digest(self.model_dump_json(by_alias=True).encode())

    def save(self, path: Path) -> None:
        """Write the calibration to `path`, whole or not at all; raises `StorageError`."""
        documents.write(path, self)

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """Read what `save` wrote.

        Raises
        ------
        StorageError
            There is no such file.
        CalibrationDamaged
            It holds no calibration of this release.
        """
        return documents.read(path, cls, damaged=CalibrationDamaged, todo="Delete it; it is measured again.")

    def predict(self, size: Size | None) -> Cost:
        """What one proof of a model of this size costs; nothing for a model that is not proven."""
        return FREE if size is None else self._model.predict(size)

    @cached_property
    def _model(self) -> CostModel:
        return CostModel(self)


class CostModel:
    """The fitted terms of a calibration, those of trees and those of linear models apart.

    Every term's price is found by non-negative least squares on relative errors, so that a proof of ten
    milliseconds counts as much as one of a second, and no term can be rewarded.
    """

    def __init__(self, calibration: Calibration) -> None:
        self._limit = calibration.unrolled_entries
        self._knots: dict[str, list[int]] = {}
        self._prices: dict[tuple[str, _Part], NDArray[np.float64]] = {}
        for kind in ("trees", "linear"):
            points = [point for point in calibration.points if point.size.kind == kind]
            self._knots[kind] = sorted({_length(point.size) for point in points})
            for part in _PARTS:
                known = [point for point in points if getattr(point, part) is not None]
                if known:
                    rows = [self._terms(point.size)[part] for point in known]
                    self._prices[kind, part] = _fit(rows, [getattr(point, part) for point in known])

        networks = [point for point in calibration.points if point.size.kind == "network"]
        self._scale: dict[str, float] = {}
        for part in _PARTS:
            known = [point for point in networks if getattr(point, part) is not None]
            if len(known) >= _FEWEST:
                rows = [self._terms(point.size)[part] for point in known]
                self._prices["network", part] = _fit(rows, [getattr(point, part) for point in known])
            shares = [getattr(point, part) / prior(point.size)[part] for point in known]
            self._scale[part] = statistics.median(shares) if shares else 1.0

    def predict(self, size: Size) -> Cost:
        """The cost of one proof of a model of this size.

        Raises
        ------
        CalibrationDamaged
            No circuit of this kind was measured.
        """
        if size.kind == "network":
            found: dict[str, Any] = {part: value * self._scale[part] for part, value in prior(size).items()}
            fitted = {part: self._prices.get(("network", part)) for part in _PARTS}
            terms = self._terms(size) if any(one is not None for one in fitted.values()) else {}
            found |= {part: float(one @ terms[part]) for part, one in fitted.items() if one is not None}
            return Cost(**found | {"gas": round(found["gas"])})
        if (size.kind, "gas") not in self._prices:
            raise CalibrationDamaged(
                f"the calibration has no measured circuit of the kind {size.kind}", "Delete it; it is measured again."
            )
        terms = self._terms(size)
        values: dict[str, Any] = {part: float(self._prices[size.kind, part] @ row) for part, row in terms.items()}
        return Cost(**values | {"gas": round(values["gas"])})

    def _terms(self, size: Size) -> dict[_Part, NDArray[np.float64]]:
        import numpy as np

        if size.kind == "network":
            return {part: np.array(row, dtype=np.float64) for part, row in _network_terms(size).items()}
        found = shape(size)
        rows = _linear_terms(size, found) if size.kind == "linear" else _tree_terms(size, found)
        rows["gas"] = [*rows["gas"], *_input_terms(size, self._limit)]
        # The prover keeps tables of points up to some length and none beyond, so memory follows no straight line.
        rows["memory_mb"] = [*_hats(_length(size), self._knots[size.kind]), found.block * max(found.limbs, 1)]
        return {part: np.array(row, dtype=np.float64) for part, row in rows.items()}


def _length(size: Size) -> int:
    """Rows of the witness, or of the table."""
    found = shape(size)
    return max(found.block, found.table)


def _hats(length: int, knots: list[int]) -> list[float]:
    """Weights of the knots in linear interpolation; beyond the last, along the line from the first to it."""
    weights = [0.0] * len(knots)
    if length >= knots[-1]:
        more = (length - knots[-1]) / (knots[-1] - knots[0]) if len(knots) > 1 else 0.0
        weights[-1] = 1.0 + more
        weights[0] -= more
        return weights
    above = next(index for index, knot in enumerate(knots) if knot > length)
    if above == 0:
        return [1.0, *weights[1:]]
    share = (length - knots[above - 1]) / (knots[above] - knots[above - 1])
    weights[above - 1], weights[above] = 1 - share, share
    return weights


def _tree_terms(size: Size, found: Shape) -> dict[_Part, list[float]]:
    n, table, limbs = found.block, found.table, found.limbs
    helpers = -(-limbs // _LIMBS_IN_A_HELPER)
    # Multiplications by full-size scalars: the sums of the lookups, the quotient, and the two of the opening.
    full = n * (helpers + 1) + table + max(3 * n, table) + 2 * max(n, table)
    # Columns over the witness and sums over it, in packs; m, phi_V, and the quotient's chunks.
    columns, sums, width = limbs + 4, helpers + 1, found.pack_width
    points = -(-columns // width) - (-sums // width) + 2 - (-max(3 * n, table) // max(n, table))
    evaluations = 2 * (columns + sums) + 2 if width > 1 else limbs + 9
    return {
        "prove_seconds": [1.0, full, n * (limbs + 4), table],
        "setup_seconds": [1.0, table, n, size.nodes],
        "gas": [1.0, points, evaluations, size.outputs, -(-size.outputs // 4) - 1],
    }


def _linear_terms(size: Size, found: Shape) -> dict[_Part, list[float]]:
    n = found.block
    # The bucket method: the more points a multiplication has, the less each of them costs.
    multiplications = n / math.log2(n)
    return {
        "prove_seconds": [1.0, multiplications],
        "setup_seconds": [1.0, multiplications],
        "gas": [1.0, size.outputs, found.groups - 1],
    }


def _network_terms(size: Size) -> dict[_Part, list[float]]:
    n, table, matrix = block(size), max(size.table, size.slots), size.slots * size.columns
    return {
        # Columns of the block, of the table and of the matrix, and the opening, which is as long as the longest.
        "prove_seconds": [1.0, n, table, matrix, max(n, table, matrix)],
        "memory_mb": [1.0, n, table, matrix],
        "setup_seconds": [1.0, n, table, matrix],
        "gas": [1.0, -(-size.features // _FEATURES_A_WORD), size.outputs, quotient(size)[2]],
    }


def _input_terms(size: Size, limit: int) -> list[float]:
    """What reading the row costs on chain: by code written out for each entry, or in a loop."""
    if size.private:
        return [0.0, 0.0, 0.0, 0.0, 0.0]
    entries = size.features + 1 if size.kind == "linear" else size.views
    looped = float(entries > limit)
    return [size.features, (1 - looped) * entries, looped * entries, looped, size.wide]


def _fit(rows: list[NDArray[np.float64]], measured: list[float]) -> NDArray[np.float64]:
    """Prices of the terms, none negative, with the least squares of relative errors."""
    import numpy as np
    from scipy.optimize import nnls  # type: ignore[import-untyped]  # it has no stubs

    values = np.maximum(np.array(measured, dtype=np.float64), 1e-9)
    matrix = np.stack(rows) / values[:, np.newaxis]
    # Columns of like size: the solver's tolerance is absolute.
    size = np.abs(matrix).max(axis=0)
    scale = np.where(size > 0, size, 1.0)
    prices: NDArray[np.float64] = nnls(matrix / scale, np.ones(len(values)))[0] / scale
    return prices
