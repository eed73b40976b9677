"""Scores: unbiased by the draw alone, better with what was known, never worse than their promise."""

import numpy as np
import pytest
from tests.unit.compare.played import switchback

from assay.compare.effect import Units, scores
from assay.compare.errors import NotComparable
from assay.compare.sequence import confidence_sequence


def units(outcome, treated, share=0.5, before=None, cluster=None):
    count = len(outcome)
    return Units(
        np.asarray(outcome, float),
        np.asarray(treated, bool),
        share,
        np.zeros((count, 0)) if before is None else before,
        np.arange(count) if cluster is None else np.asarray(cluster),
    )


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_the_mean_over_all_draws_is_the_effect(share):
    rng = np.random.default_rng(0)
    outcome, effect, before = rng.normal(3, 1, 6), rng.normal(1, 1, 6), rng.normal(0, 1, (6, 1))
    total = 0.0
    for draw in range(2**6):
        treated = np.array([draw >> place & 1 for place in range(6)], bool)
        chance = np.prod(np.where(treated, share, 1 - share))
        total += chance * scores(units(outcome + effect * treated, treated, share, before)).mean()
    assert total == pytest.approx(effect.mean(), abs=1e-12)


def test_no_score_sees_its_own_or_a_later_outcome():
    one = switchback(200, 1)
    changed = one.outcome.copy()
    changed[150:] += 1000.0
    other = Units(changed, one.treated, one.share, one.before, one.cluster)
    np.testing.assert_array_equal(scores(one)[:150], scores(other)[:150])


def test_what_was_known_before_makes_it_narrower():
    known = switchback(400, 2)
    unknown = Units(known.outcome, known.treated, known.share, np.zeros((400, 0)), known.cluster)
    assert scores(known).std() < 0.9 * scores(unknown).std()


def test_a_cluster_counts_once():
    outcome, treated = [1.0, 3.0, 5.0, 2.0], [True, True, False, True]
    together = scores(units(outcome, treated, cluster=[0, 0, 1, 1]))
    assert len(together) == 2
    assert together[0] == pytest.approx((1.0 + 3.0) / 2 / 0.5)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_an_experiment_without_effect_read_every_day_shows_one_as_rarely_as_promised(share):
    shown = 0
    for seed in range(300):
        found = confidence_sequence(scores(switchback(200, seed, share)), 0.05, 200)
        shown += found.first_above is not None or found.first_below is not None
    assert shown / 300 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


def test_the_interval_holds_the_effect_at_every_look():
    missed = 0
    for seed in range(300):
        found = confidence_sequence(scores(switchback(200, seed, effect=2.0)), 0.1, 200)
        missed += bool(((found.low > 2.0) | (found.high < 2.0)).any())
    assert missed / 300 <= 0.1 + 2 * np.sqrt(0.1 * 0.9 / 300)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (lambda: units([1.0], [True], share=1.0), "leaves an arm empty"),
        (lambda: units([1.0, 2.0], [True]), "differ in length"),
        (lambda: units([1.0, np.inf], [True, False]), "not finite"),
        (lambda: units([1.0, 2.0], [True, False], cluster=[1, 0]), "out of order"),
    ],
)
def test_refuses_by_name(given, says):
    with pytest.raises(NotComparable, match=says):
        given()
