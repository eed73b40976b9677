"""From a linear model to a circuit: inputs and weights as fixed point."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.circuit.circuit import Circuit, Feature
from assay.transpile.circuit.quantise import LARGEST_SCALE, to_integer
from assay.transpile.errors import ModelUnsupported, OutOfRange
from assay.transpile.importers.check import malformed
from assay.transpile.rows.arrange import by_name
from assay.transpile.rows.columns import to_floats, to_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.ensemble import Linear, Ranges

# Without calibration rows: values up to a million in size. With them: this many times the largest seen.
DEFAULT_RANGE_BITS = 20
MARGIN_BITS = 4

# Values take 54 bits of the 64 of an input word, and a sum 120: the native core computes it in 128.
_VALUE_BITS = 54
_WEIGHT_BITS = 62
_SUM_BITS = 120
# The core packs outputs into 250 bits, each with room for any 64-bit word times a weight.
_PACKED_BITS, _WORD_ROOM = 250, 64 + 4


def assemble_linear(linear: Linear, integers: Ranges, calibration: Any) -> Circuit:
    """Make the circuit of a linear model.

    A feature x becomes ``round(x * 2^b)`` with b as large as 54 bits for its range allow, and a weight
    ``round(w * 2^(scale_bits - b))``.

    Parameters
    ----------
    linear
        Weights [K, F] and base [K].
    integers
        Inclusive ranges of whole-number features: fixed point with b = 0.
    calibration
        Rows that choose the ranges, or None for -2^20 to 2^20.

    Raises
    ------
    ModelMalformed
        If a weight is not finite.
    ModelUnsupported
        If values or weights are too large for the proof's integers.
    """
    if not (np.isfinite(linear.weights).all() and np.isfinite(linear.base).all()):
        raise malformed("weights", "there is one that is not a finite number")
    weight_bits = _weight_bits(linear)
    ranges = _range_bits(linear, calibration)
    features = [
        Feature(name, "fixed", *integers[index]) if index in integers else _feature(name, int(ranges[index]))
        for index, name in enumerate(linear.features)
    ]
    features = [replace(feature, fill=linear.fill.get(index)) for index, feature in enumerate(features)]
    scale_bits = _scale(linear, features, weight_bits)
    circuit = Circuit(
        kind="linear",
        inputs="public",
        features=features,
        outputs=linear.outputs,
        scale_bits=scale_bits,
        base=[to_integer(float(value), scale_bits) for value in linear.base],
        weights=[
            [
                to_integer(float(weight), scale_bits - feature.bits)
                for weight, feature in zip(row, features, strict=True)
            ]
            for row in linear.weights
        ],
        meta=linear.meta,
    )
    if calibration is not None:
        circuit.encode(calibration)
    return circuit


def _weight_bits(linear: Linear) -> int:
    """Bits of a weight such that two outputs share a field element."""
    outputs, width = (int(size) for size in linear.weights.shape)
    return min(_WEIGHT_BITS, _PACKED_BITS // min(outputs, 2) - _WORD_ROOM - width.bit_length())


def _range_bits(linear: Linear, calibration: Any) -> NDArray[np.int64]:
    """For each feature the r of its range -2^r to 2^r."""
    if calibration is None:
        return np.full(len(linear.features), DEFAULT_RANGE_BITS)
    columns = by_name(to_table(calibration), linear.features)
    largest = np.nan_to_num(np.abs(to_floats(columns, linear.features)), nan=0.0, posinf=np.inf).max(axis=0)
    if np.isinf(largest).any():
        index = int(np.flatnonzero(np.isinf(largest))[0])
        raise OutOfRange(f"column {index} ({linear.features[index]}) of the calibration rows is infinite", "Remove it.")
    # A column of zeros says nothing about its size: leave room for values up to 1.
    return np.where(largest > 0, np.frexp(largest)[1] + MARGIN_BITS, 0).astype(np.int64)


def _feature(name: str, range_bits: int) -> Feature:
    bits = min(max(_VALUE_BITS - 1 - range_bits, 0), 512)
    limit = 1 << (range_bits + bits)
    if range_bits + bits > 62:
        raise ModelUnsupported(
            f"the values of {name} reach 2^{range_bits - MARGIN_BITS}, more than an input word holds",
            "Rescale the feature, or declare its range in integer_features.",
        )
    return Feature(name, "fixed", -limit, limit, bits)


def _scale(linear: Linear, features: list[Feature], weight_bits: int) -> int:
    """The finest scale at which weights and sums fit their bits."""
    reach = np.array([_log2(max(abs(feature.low), abs(feature.high))) - feature.bits for feature in features])
    scale = LARGEST_SCALE
    for row, base in zip(np.abs(linear.weights), np.abs(linear.base), strict=True):
        used = np.flatnonzero(row)
        exponents = np.frexp(row[used])[1]
        for index, exponent in zip(used.tolist(), exponents.tolist(), strict=True):
            scale = min(scale, weight_bits - exponent + features[index].bits)
        # Bits of the largest sum: those of the largest term and of the number of terms.
        terms = [*(exponents + reach[used]).tolist(), math.frexp(base)[1]]
        scale = min(scale, math.floor(_SUM_BITS - 2 - max(terms) - math.log2(len(terms))))
    if scale < 0:
        raise ModelUnsupported("the model's weights are too large for the proof's integers", "Rescale its target.")
    return scale


def _log2(integer: int) -> int:
    return max(integer, 1).bit_length()
