from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.events import words

UNSIGNED = st.one_of(st.integers(0, 2**256 - 1), st.integers(0, 2**127 - 1), st.integers(0, 2**60))
SIGNED = st.one_of(st.integers(-(2**255), 2**255 - 1), st.integers(-(2**127), 2**127 - 1), st.integers(-(2**60), 2**60))


def column(values, *, signed):
    return pl.DataFrame({"w": [value.to_bytes(32, "big", signed=signed) for value in values]})


@pytest.mark.parametrize(("strategy", "signed"), [(UNSIGNED, False), (SIGNED, True)])
def test_scaling_is_within_one_unit_in_the_last_place_of_the_exact_quotient(strategy, signed):
    @given(st.lists(strategy, min_size=1, max_size=20), st.integers(0, 77))
    def check(values, decimals):
        found = column(values, signed=signed).select(words.scaled(pl.col("w"), decimals, signed=signed).alias("w"))["w"]
        for value, got in zip(values, found, strict=True):
            exact = Fraction(value, 10**decimals)
            assert abs(Fraction(got) - exact) <= Fraction(np.spacing(abs(got)))
            if abs(value) < 2**53 or decimals > 22:
                assert got == float(exact)

    check()


def test_amounts_that_a_float_cannot_tell_apart_stay_apart():
    # 10^24 and 10^24 + 1 are one float64; a token of 18 decimals would lose the difference before any division.
    values = [10**24, 10**24 + 1]
    found = column(values, signed=False).select(words.wide(pl.col("w"), signed=False).alias("w"))["w"].to_list()
    assert found == values
    assert float(values[0]) == float(values[1])


@given(st.lists(SIGNED, min_size=1, max_size=20))
def test_wide_integers_are_exact_or_missing(values):
    found = column(values, signed=True).select(words.wide(pl.col("w"), signed=True).alias("w"))["w"].to_list()
    assert found == [value if -(2**127) <= value < 2**127 else None for value in values]


@given(st.lists(UNSIGNED, min_size=1, max_size=20))
def test_wide_unsigned_integers_are_exact_or_missing(values):
    found = column(values, signed=False).select(words.wide(pl.col("w"), signed=False).alias("w"))["w"].to_list()
    assert found == [value if value < 2**127 else None for value in values]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 24, 64, 128, 160, 248])
def test_fits_tells_integers_of_a_width_from_wider_ones(bits, signed):
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    inside, outside = [low, high, 0], [high + 1, *([low - 1] if signed else [])]
    frame = column([*inside, *outside], signed=signed)
    found = frame.select(words.fits(pl.col("w"), bits, signed=signed).alias("w"))["w"].to_list()
    assert found == [True] * len(inside) + [False] * len(outside)


@pytest.mark.parametrize("signed", [False, True])
def test_small_integers(signed):
    values = [-1, -(2**63), 2**63 - 1] if signed else [0, 2**64 - 1, 5]
    assert column(values, signed=signed).select(words.small(pl.col("w"), signed=signed))["w"].to_list() == values
