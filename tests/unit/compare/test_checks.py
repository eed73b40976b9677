"""The checks of an experiment: against exact counts, a second implementation, and faults put in."""

import itertools

import numpy as np
import pytest
from scipy.stats import kstest
from tests.unit.compare.played import switchback
from tests.unit.compare.test_effect import units
from tests.unit.compare.test_plan import TEXT
from ville import BernoulliTest

from assay.compare.checks import carry_over, randomisation, sample_ratio
from assay.compare.effect import Units
from assay.compare.plan import parse
from assay.compare.result import Result, Unit, _analyse, _doubts
from assay.compare.running import Experiment


def test_the_randomisation_test_is_the_exact_one_on_few_units():
    outcome = np.array([3.0, -1.0, 4.0, 1.0, -5.0, 9.0, 2.0, 6.0])
    treated = np.array([1, 0, 1, 0, 0, 1, 0, 1], bool)
    centred = outcome - outcome.mean()

    def difference(arms):
        return abs(centred[arms].sum() / 0.5 - centred[~arms].sum() / 0.5)

    every = [np.array(arms, bool) for arms in itertools.product([0, 1], repeat=8)]
    exact = np.mean([difference(arms) >= difference(treated) - 1e-9 for arms in every])
    assert randomisation(units(outcome, treated)) == pytest.approx(exact, abs=4 * np.sqrt(exact / 9999))


def test_without_an_effect_its_p_values_are_uniform():
    found = [randomisation(switchback(60, seed), seed) for seed in range(200)]
    assert kstest(found, "uniform").pvalue > 0.001


def test_it_sees_an_effect():
    assert randomisation(switchback(300, 1, effect=2.0)) < 0.001


def test_carry_over_is_found_where_it_is_and_not_where_it_is_not():
    found = [carry_over(switchback(400, seed, effect=3.0, carried=0.5)) < 0.05 for seed in range(40)]
    # With an effect, what is known of the block before hangs on its arm: that is nothing carried over.
    none = np.array([carry_over(switchback(100, seed, effect=3.0)) for seed in range(100)])
    assert np.mean(found) > 0.9
    for level in (0.05, 0.3):
        assert np.mean(none < level) <= level + 2 * np.sqrt(level * (1 - level) / 100)


def test_blocks_without_an_outcome_keep_carry_over_from_nobody():
    one = switchback(500, 3, effect=3.0, carried=0.5)
    there = np.arange(500) % 2 == 1
    some = Units(one.outcome[there], one.treated[there], 0.5, one.before[there], one.cluster[there])
    drawn = dict(enumerate(one.treated.tolist()))
    assert carry_over(some, drawn=drawn) < 0.01
    # The arm of a block is known without its outcome, and counts for the one after it.
    assert carry_over(some) == 1.0


def test_carry_over_of_a_later_order_is_not_that_of_the_first():
    one = switchback(600, 5, effect=4.0, carried=0.0)
    moved = one.outcome.copy()
    moved[2:] += 2.0 * one.treated[:-2]
    late = units(moved, one.treated, before=one.before)
    assert carry_over(late, order=2) < 0.01
    assert carry_over(late, order=1) > 0.01


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_sample_ratio_equals_a_second_implementation(share):
    treated = np.random.default_rng(4).random(2000) < share
    theirs = BernoulliTest(share, prior=(100 * share, 100 * (1 - share)))
    theirs.update(treated.astype(float))
    np.testing.assert_allclose(np.log(sample_ratio(treated, share)), theirs.log_e_values_, rtol=1e-8, atol=1e-8)


def test_a_split_that_was_not_agreed_is_found():
    rng = np.random.default_rng(5)
    assert sample_ratio(rng.random(5000) < 0.5, 0.5).max() < 100
    assert sample_ratio(rng.random(5000) < 0.45, 0.5).max() > 1000


def test_the_agreed_split_is_doubted_as_rarely_as_promised():
    doubted = sum(sample_ratio(np.random.default_rng(s).random(1000) < 0.5, 0.5).max() >= 20 for s in range(1000))
    assert doubted / 1000 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 1000)


@pytest.mark.parametrize(("kept", "alarms"), [(1.0, False), (0.5, True)])
def test_outcomes_that_are_missing_in_one_arm_are_a_ratio_that_was_not_agreed(kept, alarms):
    """Who was drawn is as it was drawn, whatever is done afterwards: what is compared may not be."""
    rng = np.random.default_rng(3)
    drawn = rng.random(400) < 0.5
    there = ~drawn | (rng.random(400) < kept)
    some = [Unit(str(n), bool(drawn[n]), float(rng.normal()) if there[n] else None) for n in range(400)]
    found = Result(Experiment(parse(TEXT, "plan"), "local", "d" * 64, None, None), some, 400, 0, [], [])
    _analyse(found, 0)
    _doubts(found, 0)
    assert (found.ratio >= 20) is alarms
    assert any("with an outcome are the new arm's" in text for text in found.said) is alarms
