"""The promise of the interval where it is hard to keep: few of one arm, rare events, heavy tails, levels, clusters."""

import numpy as np
import pytest

from assay.compare.effect import Units
from assay.compare.estimate import LEAST, carrying, estimate, wanted

PLAYED = 300
KINDS = {
    "normal": lambda rng, count: rng.normal(size=count),
    "heavy": lambda rng, count: rng.standard_t(3, count),
    "skewed": lambda rng, count: rng.lognormal(0, 1.5, count),
    "rare": lambda rng, count: (rng.random(count) < 0.03).astype(float),
    "high": lambda rng, count: rng.normal(1000, 1, count),
    "moving": lambda rng, count: np.linspace(0, 10, count) + rng.normal(size=count),
    "clustered": lambda rng, count: np.repeat(2 * rng.normal(size=count // 5), 5) + rng.normal(size=count),
}


def played(kind, seed, share, count, effect, *, cuped):
    rng = np.random.default_rng(seed)
    treated = rng.random(count) < share
    outcome = KINDS[kind](rng, count) + effect * treated
    if kind == "rare":  # events are more, not larger
        outcome = (rng.random(count) < 0.03 + 0.07 * effect * treated).astype(float)
    there = rng.random(count) < 0.9  # outcomes that never came
    before = np.append(outcome[0], outcome[:-1])[:, np.newaxis] if cuped else np.zeros((count, 0))
    places = np.flatnonzero(there)
    return Units(outcome[there], treated[there], share, before[there], places)


@pytest.mark.parametrize(("share", "count"), [(0.5, 60), (0.2, 150), (0.8, 150), (0.05, 400)])
@pytest.mark.parametrize("kind", KINDS)
def test_unequal_arms_are_wrong_at_any_look_as_rarely_as_promised(kind, share, count):
    """Without an effect, and with one, whatever the outcomes are like, read after each unit."""
    wrong = {0.0: 0, 1.0: 0}
    for effect in wrong:
        true = 0.07 * effect if kind == "rare" else effect
        for seed in range(PLAYED):
            found = estimate(played(kind, seed, share, count, effect, cuped=seed % 2 == 0), 0.05, count)
            wrong[effect] += bool(((found.low > true) | (found.high < true)).any())
    assert max(wrong.values()) / PLAYED <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / PLAYED)


def test_it_is_there_while_both_arms_carry_it():
    rng = np.random.default_rng(1)
    treated = np.arange(900) % 20 == 0
    outcome = rng.normal(size=900)
    outcome[899] = 1e6
    found = estimate(Units(outcome, treated, 0.05, np.zeros((900, 0)), np.arange(900)), 0.05, 900)
    first = int(np.flatnonzero(np.isfinite(found.mean))[0])
    arm = outcome[: first + 1][treated[: first + 1]]
    kurtosis = ((arm - arm.mean()) ** 4).mean() / arm.var() ** 2
    assert len(arm) / kurtosis >= wanted(0.05)
    assert first > LEAST
    assert np.isfinite(found.mean[first:899]).mean() > 0.9
    assert np.isnan(found.mean[899])  # one unit makes all the difference


def test_at_the_least_number_of_units_there_is_one():
    rng = np.random.default_rng(2)
    outcome = np.repeat([-1.0, 1.0], 20)[rng.permutation(40)]
    found = estimate(Units(outcome, np.arange(40) % 2 == 0, 0.5, np.zeros((40, 0)), np.arange(40)), 0.05, 40)
    assert np.flatnonzero(np.isfinite(found.low))[0] == LEAST - 1


def test_of_what_a_spread_is_made():
    every = np.ones(900, bool)
    spread = np.random.default_rng(3).normal(1e9, 1, 900)
    assert carrying(spread, every)[-1] == pytest.approx(300, rel=0.1)
    events = (np.arange(900) % 100 == 7).astype(float)
    assert carrying(events, every)[-1] == pytest.approx(9, rel=0.05)
    # What is the same for all has no spread, however it is rounded.
    assert carrying(np.full(900, 0.1), every).max() == 0
    assert carrying(spread, ~every).max() == 0
    assert not np.isfinite(
        estimate(Units(events * 0, every, 0.5, np.zeros((900, 0)), np.arange(900)), 0.05, 900).low
    ).any()
