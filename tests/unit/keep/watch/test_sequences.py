"""Sequences and bets against their own promise, and how soon they see a break."""

import numpy as np
import pytest

from assay.compare.sequence import FEWEST, confidence_sequence
from assay.keep.watch.sequences import above, beyond, in_blocks, interval

ALPHA = 0.1
RUNS = 100
BOUND = ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / RUNS)


def skewed(source, size):
    """Losses: above zero, with a long tail, mean one."""
    return source.gamma(2.0, 0.5, size)


def test_the_first_one_is_the_room_s_own_sequence():
    scores = np.random.default_rng(1).normal(size=300)
    mean, low, high = interval(scores, ALPHA, inflation=4.0)
    own = confidence_sequence(scores, ALPHA, 250)
    np.testing.assert_allclose(mean, own.mean)
    np.testing.assert_allclose((high - low)[FEWEST:], 2 * (own.high - own.low)[FEWEST:])


def test_many_sequences_together_are_wrong_as_rarely_as_one():
    wrong = sum(above(skewed(np.random.default_rng(seed), 400), 1.0, ALPHA) is not None for seed in range(RUNS))
    assert wrong / RUNS <= BOUND


def test_bets_on_scores_like_the_test_s_win_as_rarely_as_promised():
    wrong = 0
    for seed in range(RUNS):
        source = np.random.default_rng(seed)
        wrong += beyond(skewed(source, 50), skewed(source, 400), ALPHA) is not None
    assert wrong / RUNS <= BOUND


def test_a_break_is_seen_soon_and_where_it_began():
    source = np.random.default_rng(2)
    test, calm = skewed(source, 60), skewed(source, 90)
    broken = 6 * skewed(source, 40)
    found = beyond(test, np.concatenate([calm, broken]), 0.005)
    assert 90 <= found.stop <= 90 + 12
    assert 85 <= found.start <= 92
    assert found.mean > 3
    slow = above(np.concatenate([calm, 3 * skewed(source, 150)]), 1.2, 0.05)
    assert 90 < slow.stop < 90 + 100
    assert slow.low > 1.2


def test_a_small_lasting_rise_is_seen_by_a_sequence():
    source = np.random.default_rng(3)
    scores = np.concatenate([skewed(source, 200), 1.5 * skewed(source, 300)])
    found = above(scores, 1.0, 0.05)
    assert 200 < found.stop < 400


@pytest.mark.parametrize("scores", [np.zeros(0), np.full(10, 5.0), np.full(100, 5.0)])
def test_few_or_equal_scores_are_sure_of_nothing(scores):
    assert above(scores, 1.0, 0.05) is None


def test_blocks_are_means_of_what_there_is():
    means, starts = in_blocks(np.array([1.0, 3.0, np.nan, 5.0, np.nan, np.nan, 7.0]), 2)
    assert (means.tolist(), starts.tolist()) == ([2.0, 5.0], [0, 2])
