"""The power that a plan promises, against experiments played on outcomes it has not seen."""

import numpy as np
import pytest
from tests.unit.compare.played import series, switchback

from assay.compare.errors import NotComparable
from assay.compare.estimate import estimate
from assay.compare.power import Design, Past, power


def past(count=2000):
    found = series(count + 1, 99)
    return Past(found[1:], found[:-1, np.newaxis])


def test_power_is_within_five_points_of_what_happens():
    promised = power(past(), Design(1.0), 150)
    happened = 0
    for seed in range(800):
        found = estimate(switchback(150, seed, effect=1.0), 0.05, 150)
        happened += found.first_above is not None
    assert 0.2 < promised < 0.95
    assert promised == pytest.approx(happened / 800, abs=0.05)


def test_a_harm_is_seen_as_well_as_a_gain():
    assert power(past(), Design(-3.0), 150) > 0.9


def test_refuses_by_name():
    with pytest.raises(NotComparable, match="say nothing"):
        power(past(10), Design(1.0), 100)
    with pytest.raises(NotComparable, match="say nothing"):
        power(past(), Design(0.0), 100)
