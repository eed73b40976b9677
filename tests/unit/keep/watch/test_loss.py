"""Loss and calibration against their own promise where a few rows far off carry the mean, and what they find."""

import numpy as np
import pytest

from assay.keep.watch.loss import Realised, calibration, history, loss_signals
from assay.keep.watch.material import Lines
from assay.keep.watch.realised import Promise
from assay.task.watch import Watch

ALPHA, RUNS, ROWS, TEST = 0.1, 40, 300, 500
BOUND = ALPHA + 2 * np.sqrt(ALPHA * (1 - ALPHA) / RUNS)
NONE = np.zeros((0, 0))


def realised(model, *, existing=None, residuals=NONE, test=None, against=None, size=1):
    """Rows of one release, with what is known of its test rows."""
    count = len(model)
    zeros, ids = np.zeros(count), tuple(map(str, range(count)))
    created = np.arange(count, dtype=np.float64)
    lines = Lines(
        ids,
        np.full(count, -1),
        created,
        created,
        zeros[:, None],
        zeros[:, None],
        zeros > 0,
        zeros,
        zeros,
        ({},) * count,
    )
    test = np.zeros(0) if test is None else test
    promise = Promise(0.0, -0.01, 0.01)
    existing = np.full(count, np.nan) if existing is None else existing
    made = Realised(lines, model, existing, size, 1.0, promise, test, "loss", residuals, timed=False)
    spread = made.spread(test)[0], made.spread(np.zeros(0) if against is None else against)
    return Realised(
        lines,
        model,
        existing,
        size,
        1.0,
        promise,
        test,
        "loss",
        residuals,
        timed=False,
        least=spread[0],
        against=spread[1],
    )


def probabilities(source, rows, base, off=0.0):
    """What a calibrated model of a class as frequent as `base` leaves over; of one that is `off`, more."""
    chance = source.beta(100 * base, 100 * (1 - base), rows)
    return ((source.random(rows) < chance + off) - chance)[:, np.newaxis]


def calibrated(live, test):
    found = realised(np.zeros(len(live)), residuals=live)
    return calibration(found, test, alpha=ALPHA, watch=Watch(), after=-1.0)


@pytest.mark.parametrize("base", [0.03, 0.1, 0.5, 0.97])
def test_a_rare_class_that_is_as_rare_as_was_said_raises_nothing(base):
    wrong = 0
    for seed in range(RUNS):
        source = np.random.default_rng(seed)
        test, live = probabilities(source, TEST, base), probabilities(source, ROWS, base)
        # Looked at often: those who alarm at some time, and would be well later, count.
        wrong += any(calibrated(live[:rows], test).state == "alarm" for rows in (40, 80, 120, 200, ROWS))
    assert wrong / RUNS <= BOUND


@pytest.mark.parametrize(("base", "rows"), [(0.1, 1000), (0.5, 3000)])
def test_ten_points_off_are_found(base, rows):
    source = np.random.default_rng(1)
    found = calibrated(probabilities(source, rows, base, 0.1), probabilities(source, 4 * TEST, base))
    assert (found.state, found.figures["lately"] > found.figures["at most"]) == ("alarm", True)


def test_without_test_rows_calibration_is_not_known():
    assert calibrated(np.zeros((50, 1)), NONE).state == "unknown"


def disasters(source, rows):
    """Differences of mean zero: the model is a little worse, and now and then today's process fails badly."""
    return 0.1 * source.normal(size=rows) + np.where(source.random(rows) < 0.02, -4.9, 0.1)


@pytest.mark.parametrize("differences", [disasters, lambda source, rows: 1 - source.normal(size=rows) ** 2])
def test_a_process_that_fails_rarely_and_badly_is_not_taken_for_a_better_one(differences):
    wrong = 0
    for seed in range(RUNS):
        source = np.random.default_rng(seed)
        test, live = differences(source, TEST), differences(source, ROWS)
        found = realised(live, existing=np.zeros(ROWS), test=test, against=test)
        wrong += any(one.state == "alarm" for one in loss_signals(found, alpha=ALPHA, watch=Watch(), after={}))
    assert wrong / RUNS <= BOUND


def test_a_process_that_became_better_is_found_and_unknown_test_rows_are_said():
    source = np.random.default_rng(2)
    test = disasters(source, TEST)
    live = realised(disasters(source, 600) + 1.0, existing=np.zeros(600), against=test)
    one = loss_signals(live, alpha=ALPHA, watch=Watch(), after={})[1]
    assert (one.name, one.state) == ("loss-existing", "alarm")
    assert "alpha" not in one.said
    one = loss_signals(realised(np.ones(60), existing=np.zeros(60)), alpha=ALPHA, watch=Watch(), after={})[1]
    assert "alpha does not bound this alarm" in one.said


def test_what_is_worse_and_may_be_chance_is_not_called_well():
    source = np.random.default_rng(3)
    test = source.normal(0, 1, TEST)
    live = realised(np.full(40, 0.05), existing=np.zeros(40), residuals=np.full((40, 1), 0.2), test=test, against=test)
    found = loss_signals(live, alpha=ALPHA, watch=Watch(), after={})
    found.append(calibration(live, test[:, np.newaxis], alpha=ALPHA, watch=Watch(), after=-1.0))
    assert {one.name: one.state for one in found} == dict.fromkeys(
        ("loss-promised", "loss-existing", "calibration"), "between"
    )
    assert all(one.said.endswith("; it may be chance so far") for one in found)


def test_rows_before_an_alarm_ended_count_no_more_and_none_is_no_loss_of_zero():
    live = realised(np.ones(60), existing=np.zeros(60), residuals=np.ones((60, 1)))
    after = {"loss-promised": 59.0, "loss-existing": 59.0}
    found = loss_signals(live, alpha=ALPHA, watch=Watch(), after=after)
    found.append(calibration(live, np.zeros((9, 1)), alpha=ALPHA, watch=Watch(), after=59.0))
    assert {(one.state, one.said) for one in found} == {
        ("unknown", "no row that was asked for since its last alarm ended has an outcome")
    }


def test_of_a_process_that_is_not_known_nothing_is_drawn():
    drawn = history(realised(np.ones(8), size=4, existing=np.array([np.nan] * 4 + [2.0] * 4)), ALPHA)
    assert drawn["loss"] == [1.0, 1.0]
    assert np.array(drawn["existing"]) == pytest.approx([np.nan, 2.0], nan_ok=True)
