"""Intervals hold the true figure as often as they say, on rows whose dependence is known."""

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length

from assay.bench import bootstrap
from assay.bench.bootstrap import draws, kinds, length_of, runs, tail_of

REPEATS = 300


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(bootstrap, "DRAWS", 500)


def autoregressive(random, rows, share):
    steps = random.normal(size=rows + 100)
    for row in range(1, len(steps)):
        steps[row] += share * steps[row - 1]
    return steps[100:]


def coverage(sample, truth, confidence=0.9, repeats=REPEATS):
    """How often the interval of a mean holds the truth; `sample` gives rows and their blocks."""
    hits = 0
    for seed in range(repeats):
        rows, blocks = sample(np.random.default_rng(seed))
        low, high = draws(rows[:, np.newaxis], blocks).interval(lambda means: means[..., 0], confidence)
        hits += low <= truth <= high
    return hits / repeats


def in_runs(rows, least=1):
    length = max(least, min(2 * length_of(rows), len(rows) // 10))
    return rows, runs(np.arange(len(rows)), length)


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95])
def test_independent_rows(confidence):
    found = coverage(lambda random: in_runs(random.normal(1, 2, 200)), 1.0, confidence)
    assert found == pytest.approx(confidence, abs=0.045)


def test_skewed_rows_of_which_there_are_few():
    found = coverage(lambda random: in_runs(random.exponential(1, 60)), 1.0)
    assert 0.83 <= found <= 0.95


def test_labels_that_overlap():
    def sample(random):
        return in_runs(np.convolve(random.normal(size=405), np.ones(6), "valid"), least=6)

    assert 0.85 <= coverage(sample, 0.0) <= 0.95

    def alone(random):
        rows, _ = sample(random)
        return rows, np.arange(len(rows))

    # As if rows were independent, which they are not: such an interval promises far too much.
    assert coverage(alone, 0.0, repeats=60) < 0.7


def test_rows_that_depend_on_each_other_for_longer_than_any_horizon_says():
    assert 0.83 <= coverage(lambda random: in_runs(autoregressive(random, 1000, 0.8)), 0.0) <= 0.95


def test_entities_that_differ():
    def sample(random):
        entities = np.repeat(np.arange(25), 20)
        return random.normal(size=25)[entities] + random.normal(size=500), kinds(entities)

    assert coverage(sample, 0.0) == pytest.approx(0.9, abs=0.05)


def test_block_lengths_are_those_of_another_implementation():
    random = np.random.default_rng(5)
    for share in (0.3, 0.6, 0.9):
        rows = autoregressive(random, 1500, share)
        theirs = float(optimal_block_length(rows)["circular"].iloc[0])
        assert length_of(rows) == pytest.approx(theirs, rel=0.15, abs=1.5)
    assert length_of(np.ones(100)) == 1
    assert length_of(np.arange(5.0)) == 1


def test_blocks_hold_whole_times():
    moments = np.array([0, 0, 1, 1, 1, 2, 3, 3, 4])
    assert runs(moments, 2).tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert runs(moments, 100).tolist() == [0] * 9
    assert kinds(np.array(["b", "a", "b"])).tolist() == [1, 0, 1]
    assert len(set(kinds(np.arange(5000)).tolist())) == bootstrap.MOST_BLOCKS
    assert runs(np.arange(100_000), 1).max() < bootstrap.MOST_BLOCKS


def test_one_block_tells_nothing_and_few_tell_little():
    assert draws(np.ones((5, 1)), np.zeros(5, dtype=np.int64)) is None
    assert tail_of(0.9, 1000) == pytest.approx(0.05, abs=0.001)
    assert tail_of(0.9, 5) < 0.02


def test_the_same_rows_give_the_same_interval():
    rows = np.random.default_rng(0).normal(size=(50, 1))
    found = [draws(rows, np.arange(50)).interval(lambda means: means[..., 0], 0.9) for _ in range(2)]
    assert found[0] == found[1]
    assert draws(rows, np.arange(50)).interval(lambda means: means[..., 0] * np.inf, 0.9) is None
