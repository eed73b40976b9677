import math
import threading
from dataclasses import replace

import pytest

from assay.keep.watch import alarms
from assay.keep.watch.alarms import Alarm, Rows
from assay.record import journal

DRIFT = Alarm(
    "inputs-drift",
    "r" * 64,
    "the feature vol moved away from the training rows: retrain",
    Rows(12, 100, 210, ("ans_1", "ans_12")),
    since=1000.5,
    figures={"psi": 0.4},
    chain="mainnet",
    about=("vol",),
)


def test_an_alarm_comes_back_as_it_was_raised_and_stands_until_it_is_cleared(database):
    kept = alarms.raise_(database, "fee", DRIFT)
    assert replace(kept, number=0, time=0.0) == DRIFT
    assert kept.code == "watch/inputs-drift"
    assert alarms.open_alarms(database, "fee") == [kept]
    assert alarms.raise_(database, "fee", replace(DRIFT, figures={"psi": 0.5})) is None
    assert alarms.open_alarms(database, "other") == []
    assert alarms.clear(database, "fee", kept, "it is as in training again", {"psi": 0.1})
    assert not alarms.clear(database, "fee", kept, "again")
    assert alarms.open_alarms(database, "fee") == []
    again = alarms.raise_(database, "fee", DRIFT)
    assert not alarms.clear(database, "fee", kept, "of the first one, which is cleared already")
    assert alarms.open_alarms(database, "fee") == [again]
    kinds = [one.kind for one in journal.read(database, "fee")]
    assert kinds == ["watch.alarm", "watch.cleared", "watch.alarm"]


def test_what_stood_at_a_time_can_be_said_and_signals_and_chains_are_apart(database):
    first = alarms.raise_(database, "fee", DRIFT)
    other = alarms.raise_(database, "fee", replace(DRIFT, chain=None))
    loss = alarms.raise_(database, "fee", replace(DRIFT, signal="loss-promised"))
    assert alarms.open_alarms(database, "fee") == [first, other, loss]
    alarms.clear(database, "fee", other, "well again")
    assert alarms.open_alarms(database, "fee") == [first, loss]
    assert other in alarms.open_alarms(database, "fee", at=loss.time)


def test_an_alarm_about_another_release_takes_the_place_of_the_one_before(database):
    alarms.raise_(database, "fee", DRIFT)
    now = alarms.raise_(database, "fee", replace(DRIFT, release="s" * 64))
    assert alarms.open_alarms(database, "fee") == [now]


def test_services_that_see_the_same_at_once_raise_one_alarm(database):
    barrier, raised = threading.Barrier(5), []

    def look():
        barrier.wait()
        raised.append(alarms.raise_(database, "fee", DRIFT))

    threads = [threading.Thread(target=look) for _ in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len([one for one in raised if one is not None]) == 1
    assert len(journal.read(database, "fee", [alarms.RAISED])) == 1
    assert journal.verify(database, "fee") == 1


def test_figures_that_are_no_numbers_are_not_kept(database):
    with pytest.raises(ValueError, match="JSON"):
        alarms.raise_(database, "fee", replace(DRIFT, figures={"psi": math.nan}))
    assert alarms.open_alarms(database, "fee") == []
