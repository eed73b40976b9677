from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.transpile.circuit.keys import (
    KEY_OF_ZERO,
    ZERO_THRESHOLD,
    ceil32,
    float32_keys,
    floor32,
    flush_zero,
    integer_split,
    keys_to_float32,
    split_keys,
)

float32s = st.floats(width=32, allow_nan=False)
doubles = st.floats(allow_nan=False)
near_float32 = st.builds(
    lambda x, step: float(np.nextafter(np.float64(x), step)), float32s, st.sampled_from([-np.inf, np.inf])
)


def key(x: float) -> int:
    return int(float32_keys(np.float32(x)))


def test_known_keys():
    assert key(0.0) == key(-0.0) == KEY_OF_ZERO == 1 << 31
    assert key(-math.inf) == 0x007F_FFFF
    assert key(math.inf) == 0xFF80_0000
    assert key(1e-45) == (1 << 31) + 1
    assert key(-1e-45) == (1 << 31) - 2  # between them lies the unused place of -0.0
    assert key(1.0) == 0xBF80_0000
    assert [key(-ZERO_THRESHOLD), key(ZERO_THRESHOLD)] == [0x7FFF_FFFF ^ 0x0554_AD2E, 0x8000_0000 | 0x0554_AD2E]


@given(float32s, float32s)
def test_order_of_keys_is_the_order_of_numbers(x, y):
    assert (x < y) == (key(x) < key(y))
    assert (x == y) == (key(x) == key(y))


@given(float32s)
def test_keys_can_be_undone(x):
    back = float(keys_to_float32(float32_keys(np.float32(x))))
    assert back == x


@given(doubles | near_float32)
def test_floor_and_ceiling_enclose(t):
    below, above = float(floor32(t)), float(ceil32(t))
    assert below <= t <= above
    with np.errstate(over="ignore"):
        # As doubles: NumPy would round a Python float to float32 before it compares.
        assert float(np.nextafter(np.float32(below), np.float32(np.inf))) > t or below == np.inf
        assert float(np.nextafter(np.float32(above), np.float32(-np.inf))) < t or above == -np.inf


@given(float32s, doubles | near_float32 | float32s)
def test_splits_decide_as_the_comparison_does(x, t):
    assert (key(x) < int(split_keys(t, strict=True))) == (x < t)
    assert (key(x) < int(split_keys(t, strict=False))) == (x <= t)


@given(st.integers(-50, 50), st.floats(-60, 60) | st.sampled_from([math.inf, -math.inf]))
def test_integer_splits_decide_as_the_comparison_does(x, t):
    for strict in (True, False):
        split = integer_split(t, strict=strict, low=-50, high=50)
        assert 0 <= split <= 101
        assert (x + 50 < split) == (x < t if strict else x <= t)


def test_integer_splits_of_wide_ranges_are_exact():
    low, high = 0, (1 << 64) - 1
    assert integer_split(2.0**53 + 2, strict=True, low=low, high=high) == 2**53 + 2
    assert integer_split(2.0**63, strict=False, low=low, high=high) == 2**63 + 1
    assert integer_split(0.5, strict=True, low=low, high=high) == 1
    assert integer_split(math.inf, strict=True, low=low, high=high) == 1 << 64


@given(float32s, doubles | float32s | st.floats(-2e-35, 2e-35))
def test_flushed_thresholds_decide_as_a_flushed_value(x, t):
    flushed = 0.0 if abs(x) <= ZERO_THRESHOLD else x
    (threshold,) = flush_zero(np.array([t]))
    assert (key(x) < int(split_keys(threshold, strict=False))) == (flushed <= t)


@pytest.mark.parametrize("shape", [(0,), (3,), (2, 3)])
def test_shapes_are_kept(shape):
    assert float32_keys(np.zeros(shape, np.float32)).shape == shape


@given(st.binary(min_size=4, max_size=4))
def test_every_bit_pattern_has_a_key_of_32_bits(raw):
    (x,) = struct.unpack("<f", raw)
    assert 0 <= key(x) < 1 << 32
