"""What is said of a look: never more than it shows, and nothing of what came later."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.compare.test_plan import TEXT

from assay.compare.plan import parse
from assay.compare.report import words
from assay.compare.result import Result, Unit, _others, units_of
from assay.compare.running import Experiment
from assay.compare.sequence import Sequence

ONE = Experiment(parse(TEXT, "plan"), "local", "d" * 64, None, None, agreed=2.0)
NAN = float("nan")


def looked(units, low=(), high=()):
    found = Result(ONE, units, 40, 0, [], [])
    if len(low):
        low, high = np.array(low), np.array(high)
        found.gain = Sequence((low + high) / 2, low, high, 0.05)
    return found


def test_what_was_not_known_of_a_unit_is_guessed_from_those_before_it():
    units = [Unit("1", True, 1.0), Unit("2", False, 2.0, 4.0), Unit("4", True, 3.0), Unit("5", True, 100.0, 50.0)]
    found = units_of(looked(units))
    assert found.before[:, 0].tolist() == [0.0, 4.0, 4.0, 50.0]
    assert found.cluster.tolist() == [1, 2, 4, 5]


UNITS = [Unit(str(number), bool(number % 2), 1.0) for number in range(1, 41)]


@pytest.mark.parametrize(
    ("low", "high", "verdict", "said"),
    [
        ([NAN, 0.5, 0.2], [NAN, 1.5, 0.4], "gain", "A gain is shown: on average 0.3"),
        ([NAN, 0.5, -0.2], [NAN, 1.5, 0.4], "gain", "A gain was shown after 2 units, and no more by now: the mean"),
        ([NAN, -1.5, -0.2], [NAN, -0.5, 0.4], "harm", "A harm was shown after 2 units, and no more by now: the mean"),
        ([NAN, -1.5, -0.2], [NAN, 0.5, 0.4], "no effect shown", "No effect shown: the mean gain is 0.1"),
        ([NAN, 0.5, NAN], [NAN, 1.5, NAN], "too early", "; before those a gain was shown after 2 units."),
        ([NAN, NAN, NAN], [NAN, NAN, NAN], "too early", "a few of them make all the difference"),
    ],
)
def test_a_verdict_in_words(low, high, verdict, said):
    found = looked(UNITS, low, high)
    assert found.verdict == verdict
    assert said in words(found)


def test_of_how_many_experiments_it_is_one():
    first = replace(ONE, plan=parse(TEXT.replace('"one"', '"first"'), "plan"), agreed=1.0)
    (said,) = _others([first, ONE], ONE)
    assert "1 experiments of this project were agreed: first (not over)" in said
    assert "5% in each, and of one among 2 up to 10%" in said
    assert _others([first, ONE], first) == []
