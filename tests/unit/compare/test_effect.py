"""Scores: unbiased by the draw alone, better with what was known, never worse than their promise."""

from statistics import NormalDist

import numpy as np
import pyarrow as pa
import pytest
import tea_tasting
from tests.unit.compare.played import switchback

from assay.compare.effect import Units, scores
from assay.compare.errors import NotComparable
from assay.compare.estimate import estimate


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
    # All but the first, by which the second is guessed.
    assert total == pytest.approx(effect[1:].mean(), abs=1e-12)


def test_no_score_sees_its_own_or_a_later_outcome():
    one = switchback(200, 1)
    changed = one.outcome.copy()
    changed[150:] += 1000.0
    other = Units(changed, one.treated, one.share, one.before, one.cluster)
    np.testing.assert_array_equal(scores(one)[:149], scores(other)[:149])  # the first is the second unit's


def test_what_was_known_before_makes_it_narrower():
    known = switchback(400, 2)
    unknown = Units(known.outcome, known.treated, known.share, np.zeros((400, 0)), known.cluster)
    assert scores(known).std() < 0.9 * scores(unknown).std()


def test_a_wild_regression_makes_no_wild_score():
    """Guesses stay within what was seen, and of few units the mean of the past is guessed."""
    rng = np.random.default_rng(4)
    outcome, treated = rng.random(300), rng.random(300) < 0.5
    wild = units(outcome, treated, before=rng.standard_cauchy((300, 1)) ** 3)
    assert np.abs(scores(wild)).max() <= 3.0  # 1 between guesses, and at most 1 / 0.5 of what is not explained
    known = units(outcome, treated, before=outcome[:, np.newaxis])
    np.testing.assert_allclose(scores(known)[:18], scores(units(outcome, treated))[:18], atol=1e-12)
    assert scores(known)[100:].std() < 0.2 * scores(units(outcome, treated))[100:].std()


def test_a_cluster_counts_once():
    outcome, treated = [9.0, 1.0, 3.0, 5.0, 2.0], [True, True, True, False, True]
    together = scores(units(outcome, treated, cluster=[0, 1, 1, 2, 2]))
    assert len(together) == 2
    # Guessed by the unit before: of both arms 9.
    assert together[0] == pytest.approx((1.0 + 3.0 - 2 * 9.0) / 2 / 0.5)


def test_how_large_outcomes_are_makes_nothing_wider():
    """The first unit has no score: guessed by nothing it would be as wrong as outcomes are large, and decide all."""
    one = switchback(200, 3)
    high = units(one.outcome + 1e6, one.treated, before=one.before)
    assert scores(high).std() < 1.1 * scores(one).std()


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_at_the_end_it_is_what_a_second_implementation_says(share, known):
    """Of so many units that it makes no difference in which order they came, with CUPED and without."""
    rng, count = np.random.default_rng(7), 20_000
    before, treated = rng.normal(3, 2, count), rng.random(count) < share
    outcome = 0.8 * before + rng.standard_t(5, count) + 0.3 * treated
    ours = scores(units(outcome, treated, share, before[:, np.newaxis] if known else None))
    mean = tea_tasting.Mean("outcome", "before") if known else tea_tasting.Mean("outcome")
    table = pa.table({"variant": treated.astype(int), "outcome": outcome, "before": before})
    theirs = tea_tasting.Experiment(gain=mean).analyze(table)["gain"]
    error = (theirs.effect_size_ci_upper - theirs.effect_size_ci_lower) / 2 / NormalDist().inv_cdf(0.975)
    assert ours.mean() == pytest.approx(theirs.effect_size, abs=0.15 * error)
    assert ours.std(ddof=1) / np.sqrt(len(ours)) == pytest.approx(error, rel=0.02)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_an_experiment_without_effect_read_every_day_shows_one_as_rarely_as_promised(share):
    shown = 0
    for seed in range(300):
        found = estimate(switchback(200, seed, share), 0.05, 200)
        shown += found.first_above is not None or found.first_below is not None
    assert shown / 300 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


def test_the_interval_holds_the_effect_at_every_look():
    missed = 0
    for seed in range(300):
        found = estimate(switchback(200, seed, effect=2.0), 0.1, 200)
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
