"""Confidence sequences against a second implementation, and against their own promise."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from ville import AsymptoticCS

from assay.compare.errors import NotComparable
from assay.compare.sequence import FEWEST, _boundary, _rho2, confidence_sequence

ALPHA = 0.05


def test_equals_a_second_implementation_at_every_look():
    scores = np.random.default_rng(3).standard_t(5, 700) * 1e4 + 1e7
    theirs = AsymptoticCS(alpha=ALPHA, t_opt=400, min_samples=FEWEST)
    theirs.update(scores)
    ours = confidence_sequence(scores, ALPHA, 400)
    assert np.isnan(ours.low[: FEWEST - 1]).all()
    for mine, other in ((ours.low, theirs.lower_), (ours.high, theirs.upper_)):
        np.testing.assert_allclose(mine[FEWEST - 1 :], other[FEWEST - 1 :], rtol=1e-9)


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.001])
def test_is_narrowest_at_the_planned_length(alpha):
    at = np.array([250.0])
    least = minimize_scalar(lambda x: float(_boundary(at, np.exp(x), alpha)[0]), bounds=(-12, 3), method="bounded")
    assert _boundary(at, _rho2(alpha, 250), alpha)[0] == pytest.approx(least.fun, rel=1e-9)


def test_a_look_at_every_unit_is_wrong_at_most_as_often_as_promised():
    wrong = 0
    for seed in range(2000):
        scores = np.random.default_rng(seed).standard_t(4, 400)
        found = confidence_sequence(scores, ALPHA, 400)
        wrong += found.first_above is not None or found.first_below is not None
    assert wrong / 2000 <= ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / 2000)


def test_says_when_it_is_sure():
    found = confidence_sequence(np.random.default_rng(0).normal(1.0, 1.0, 300), ALPHA, 300)
    assert found.first_below is None
    assert FEWEST <= found.first_above < 100
    assert found.low[found.first_above - 1] > 0


@pytest.mark.parametrize(
    ("scores", "alpha", "horizon", "says"),
    [
        (np.array([1.0, np.nan]), 0.05, 10, "unit 1 is not finite"),
        (np.ones(3), 0.0, 10, "out of range"),
        (np.ones(3), 0.05, 0, "out of range"),
    ],
)
def test_refuses_by_name(scores, alpha, horizon, says):
    with pytest.raises(NotComparable, match=says):
        confidence_sequence(scores, alpha, horizon)
