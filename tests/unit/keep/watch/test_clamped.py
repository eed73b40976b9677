"""Values at the ends of declared ranges, and values within a network that end: both are counted."""

from types import SimpleNamespace

import numpy as np
import pytest

from assay.keep.watch.inputs import Terms, clamped
from assay.keep.watch.material import Watched, lines_of
from assay.record.answers import Answer
from assay.task.watch import Watch
from assay.transpile.circuit.circuit import Feature

FEATURES = [Feature("wind", "fixed", -8, 8, 2)]


def answer(number, rows, ended):
    outputs = {"integers": [["1"]] * rows, "values": [[1.0]] * rows} | ({"ended": ended} if ended else {})
    return Answer("fee", "r" * 64, id=f"ans_{number}", row=[[0.5]] * rows, outputs=outputs, created=float(number))


def lines(ended, rows=200):
    """Answers of two rows each, of which the second of so many ended."""
    circuit = SimpleNamespace(features=FEATURES, outputs=["y"])
    of = Watched(None, None, {}, ("wind",), circuit, None, "")
    return lines_of(of, [answer(number, 2, [1] if number < ended else []) for number in range(rows // 2)])


@pytest.mark.parametrize(("ended", "state"), [(0, "well"), (5, "well"), (8, "between"), (11, "alarm"), (60, "alarm")])
def test_rows_whose_values_ended_are_counted_by_the_share_that_may_fail(ended, state):
    own = lines(ended)
    assert own.ended.sum() == ended
    assert own.last(3).ended.shape == (3,)
    signal = clamped(own, FEATURES, None, Terms(0.05, Watch()))
    assert signal.state == state
    assert signal.about == ()  # no feature is to blame
    assert signal.figures.get("share within the model") == (pytest.approx(ended / 200) if ended else None)
    assert ("values within the model ended" in signal.said) == bool(ended)
    assert signal.figures["share"] == 0.0


def test_what_ended_long_ago_is_over():
    own = lines(11, rows=800)  # only the last 200 count
    signal = clamped(own, FEATURES, None, Terms(0.05, Watch()))
    assert (signal.state, "share within the model" in signal.figures) == ("well", False)


def test_a_feature_at_its_end_is_named_whatever_the_rest_does():
    own = lines(1)
    own.X[:] = 2.0
    signal = clamped(own, FEATURES, None, Terms(0.05, Watch()))
    assert (signal.state, signal.about) == ("alarm", ("wind",))
    assert np.isclose(signal.figures["share within the model"], 1 / 200)
