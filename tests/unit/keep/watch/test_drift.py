"""Drift against scipy, against exact enumeration, and against its own promise of false alarms."""

import itertools

import numpy as np
import pytest
from scipy import stats

from assay.keep.watch.drift import Trained, dependence, distance, moved, psi, share_of
from assay.keep.watch.inputs import judged

ALPHA = 0.1


def ar(source, rows, columns, keep=0.9):
    noise = source.normal(size=(rows, columns)) * np.sqrt(1 - keep**2)
    found = np.empty((rows, columns))
    last = source.normal(size=columns)
    for row in range(rows):
        last = keep * last + noise[row]
        found[row] = last
    return found


def trained(table, *, timed=True):
    return [Trained.of(f"f{place}", column, timed=timed) for place, column in enumerate(table.T)]


@pytest.mark.parametrize("ties", [False, True])
def test_the_distance_is_scipy_s(ties):
    source = np.random.default_rng(3)
    for size in (1, 7, 200):
        old, new = source.normal(size=500), source.normal(0.3, 1.2, size=size)
        if ties:
            old, new = np.round(old, 1), np.round(new, 1)
        assert distance(np.sort(old), new) == pytest.approx(stats.ks_2samp(old, new).statistic, abs=1e-12)


def test_of_rows_that_depend_on_none_the_chance_is_scipy_s():
    source = np.random.default_rng(4)
    old, new = source.normal(size=2000), source.normal(0.2, 1, size=300)
    found = moved(Trained.of("x", old, timed=False), new, new)
    wanted = 2 * stats.ks_2samp(old, new, method="asymp").pvalue
    assert wanted <= found.p_moved <= 1.1 * wanted


def test_the_index_is_its_formula_and_zero_for_the_same_rows():
    source = np.random.default_rng(5)
    old = source.normal(size=100_000)
    one = Trained.of("x", old, timed=False)
    assert psi(one, old) < 1e-6
    # A normal moved by half its deviation, in the tenths of the one that was not moved.
    edges = stats.norm.ppf(np.arange(1, 10) / 10)
    new = np.diff([0.0, *stats.norm.cdf(edges - 0.5), 1.0])
    wanted = ((new - 0.1) * np.log(new / 0.1)).sum()
    assert psi(one, source.normal(0.5, 1, size=100_000)) == pytest.approx(wanted, rel=0.03)


def test_the_chance_of_new_extremes_is_that_of_all_orders():
    old = np.array([1.0, 2.0, 3.0, 4.0])
    one = Trained.of("x", old, timed=False)
    found = moved(one, np.array([9.0, 8.0, 0.5 + 1]), np.array([9.0, 8.0, 1.5]))
    orders = list(itertools.combinations(range(7), 2))  # which two of seven rows are the greatest
    wanted = sum(set(pair) <= {4, 5, 6} for pair in orders) / len(orders)
    assert found.p_beyond == pytest.approx(4 * wanted)  # of two sides and two scales
    assert found.beyond == pytest.approx(2 / 3)


def test_more_that_is_missing_than_in_training_is_fisher_s_test():
    old, new = np.ones(400), np.ones(100)
    old[:4], new[:9] = np.nan, np.nan
    found = moved(Trained.of("x", old, timed=False), new, new)
    wanted = stats.fisher_exact([[9, 91], [4, 396]], alternative="greater").pvalue
    assert found.p_missing == pytest.approx(wanted)
    assert (found.missing, found.missing_trained) == (0.09, 0.01)


def test_dependence_is_one_without_and_known_for_an_autoregression():
    source = np.random.default_rng(6)
    assert np.mean([dependence(source.normal(size=4000)) for _ in range(40)]) < 1.3
    found = np.mean([dependence(ar(source, 4000, 1, keep=0.8)[:, 0]) for _ in range(40)])
    assert found == pytest.approx((1 + 0.8) / (1 - 0.8), rel=0.25)
    # Batches of so few rows are shorter than what they measure: less than half of it was said.
    found = np.mean([dependence(ar(source, 500, 1, keep=0.97)[:, 0]) for _ in range(40)])
    assert 40 < found < 130
    assert dependence(np.ones(100)) == 1.0


def test_all_looks_together_have_what_one_was_given():
    assert sum(share_of(ALPHA, look) for look in range(1, 10_000)) == pytest.approx(ALPHA, rel=1e-3)


@pytest.mark.parametrize("keep", [0.0, 0.9])
def test_without_a_change_alarms_are_as_rare_as_promised_over_many_looks(keep):
    """Four columns, thirty looks, three kinds of alarm with alpha each; neighbours depend on each other or do not."""
    runs, false = 40, {"inputs-moved": 0, "inputs-missing": 0, "inputs-range": 0}
    for seed in range(runs):
        source = np.random.default_rng(seed)
        table = ar(source, 3000, 4, keep) if keep else source.normal(size=(3000, 4))
        known, live = table[:2000], table[2000:]
        columns = trained(known)
        seen = {
            signal.name
            for rows in range(50, 1001, 50)
            for signal in judged(columns, live[:rows], alpha=ALPHA, lately=200, psi_limit=0.0)
            if signal.state == "alarm"
        }
        for name in seen:
            false[name] += 1
    bound = ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / runs)
    assert all(count / runs <= bound for count in false.values()), false


def test_what_changes_is_found_and_named():
    source = np.random.default_rng(8)
    table = ar(source, 4000, 3, 0.8)
    live = ar(source, 400, 3, 0.8)
    live[:, 1] += 4.0
    live[::5, 2] = np.nan
    by_name = {one.name: one for one in judged(trained(table), live, alpha=0.01, lately=200, psi_limit=0.2)}
    assert by_name["inputs-moved"].about == ("f1",)
    assert by_name["inputs-range"].about == ("f1",)
    assert by_name["inputs-missing"].about == ("f2",)
    assert by_name["inputs-moved"].figures["psi of f1"] > 0.2
    assert all(one.rows.count == 200 for one in by_name.values())


def test_a_change_that_is_sure_and_small_is_none():
    source = np.random.default_rng(9)
    known = source.normal(size=(20_000, 1))
    live = source.normal(0.12, 1.0, size=(20_000, 1))
    found = {one.name: one for one in judged(trained(known), live, alpha=0.01, lately=20_000, psi_limit=0.2)}
    assert found["inputs-moved"].state == "well"
    assert found["inputs-moved"].figures["psi"] < 0.05
    sure = {one.name: one for one in judged(trained(known), live, alpha=0.01, lately=20_000, psi_limit=0.0)}
    assert sure["inputs-moved"].state == "alarm"
