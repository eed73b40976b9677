"""When a retraining is due, what a look may spend, and that the stated error is one."""

import time
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from assay.bench.evidence import Judged, bound
from assay.keep.retrain.due import Since, due, span_seconds
from assay.keep.retrain.looks import gate, next_look
from assay.keep.watch.alarms import Alarm, Rows
from assay.keep.watch.signal import CURED, TITLES
from assay.models.rows import Problem
from assay.models.rows import Rows as ModelRows
from assay.models.terms import terms
from assay.task.retrain import Retrain
from assay.task.sections import Existing
from assay.task.task import Task

DAY = 86_400.0
NOW = 1_800_000_000.0


def settings(**fields):
    return Retrain.model_validate(fields)


def ask(fields, since, *, alarms=(), handled=(), now=NOW, head=None):
    return due(settings(**fields), alarms, frozenset(handled), since, now=now, head=head or pytest.fail)


def test_by_time_once_a_span_has_passed_and_never_by_a_clock_that_went_back():
    assert ask({"every": "30d"}, Since(NOW - 31 * DAY, None)).trigger.kind == "schedule"
    assert "before" in ask({"every": "30d"}, Since(NOW - 29 * DAY, None)).said
    back = ask({"every": "30d"}, Since(NOW + 5 * DAY, None))
    assert back.trigger is None
    assert "clock" in back.said
    # One that jumped ahead makes one due, not one for each span that it jumped over.
    assert ask({"every": "30d"}, Since(NOW, None), now=NOW + 900 * DAY).trigger is not None
    assert ask({"every": "30d"}, Since(NOW + 900 * DAY, None), now=NOW + 901 * DAY).trigger is None
    assert "no `every`" in ask({}, Since(0.0, None)).said


def test_by_blocks_of_the_chain_that_counts():
    every = {"every": "100 blocks"}
    assert ask(every, Since(0.0, 50), head=lambda: 149).trigger is None
    assert ask(every, Since(0.0, 50), head=lambda: 150).trigger.kind == "schedule"
    assert "before block 50" in ask(every, Since(0.0, 50), head=lambda: 49).said
    assert ask(every, Since(0.0, None)).trigger.kind == "schedule"
    assert (span_seconds("2 blocks", 12.0), span_seconds("1h", 12.0)) == (24.0, 3600.0)


def test_an_alarm_counts_once():
    alarm = Alarm("inputs-moved", "d" * 64, "It drifted.", Rows(3), NOW, number=17, time=time.time())
    found = ask({}, Since(0.0, None), alarms=[alarm]).trigger
    assert (found.kind, found.alarms) == ("alarm", (17,))
    assert "acted on" in ask({}, Since(0.0, None), alarms=[alarm], handled=[17]).said
    assert ask({"on_alarm": False}, Since(0.0, None), alarms=[alarm]).trigger is None


@pytest.mark.parametrize("signal", sorted(set(TITLES) - CURED))
def test_what_no_training_cures_makes_none_due(signal):
    alarm = Alarm(signal, "d" * 64, "The node is away.", Rows(3), NOW, number=17, time=NOW)
    found = ask({}, Since(0.0, None), alarms=[alarm])
    assert (found.trigger, "acted on" in found.said) == (None, False)
    cured = replace(alarm, signal="loss-promised", number=18)
    assert ask({}, Since(0.0, None), alarms=[alarm, cured]).trigger.alarms == (18,)


def test_looks_share_alpha_and_what_is_spent_stays_spent():
    spent = []
    for _ in range(4):
        spent.append(next_look(spent, 0.05, 4).error)
    assert spent == pytest.approx([0.0125] * 4)
    assert not gate(next_look(spent, 0.05, 4), 0.05, 4).holds
    assert not gate(next_look(spent, 0.04, 9), 0.04, 9).holds
    # What rounding leaves over of alpha is no look: 0.1 less three times 0.1 / 3, and all such.
    for looks in range(1, 60):
        spent_ = []
        for _ in range(looks):
            spent_.append(next_look(spent_, 0.1, looks).error)
        assert next_look(spent_, 0.1, looks + 1).error == 0.0
    more = next_look(spent[:2], 0.05, 10)
    assert (more.number, more.error) == (3, pytest.approx(0.025 / 8))
    assert sum(spent[:2]) + 8 * more.error == pytest.approx(0.05)


def test_the_stated_error_is_one_where_neighbours_depend_on_each_other():
    # Two forecasts that are equally good, and whose losses drift together: whoever wins, wins by chance.
    task = Task.model_validate(
        {
            "schema": "assay-task/1",
            "name": "t",
            "existing": {"kind": "constant", "value": 0.0},
            "predict": {"target": "y", "type": "regression"},
            "data": {"sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}]},
        }
    )
    existing = Existing.model_validate({"kind": "constant", "value": 0.0})
    problem = Problem("regression", 0, ("x",), (), "y", "rmse", None, existing, timed=True)
    source, error, days, runs = np.random.default_rng(5), 0.1, 150, 100
    wrong = sure = 0
    for _ in range(runs):
        y = source.normal(size=days)
        drift = np.zeros(days)
        for day in range(1, days):
            drift[day] = 0.7 * drift[day - 1] + source.normal()
        frame = pl.DataFrame({"x": y, "y": y})
        rows = ModelRows(np.zeros((days, 1), dtype=np.float32), y, frame)
        one, other = (_judged(y, y + sign * drift + source.normal(size=days), frame) for sign in (1, -1))
        better = _judged(y, y + 0.2 * drift, frame)
        wrong += bound(task, problem, rows, (one, other), error).least > 0
        sure += bound(task, problem, rows, (better, other), error).least > 0
    assert wrong / runs <= error + 2 * np.sqrt(error * (1 - error) / runs)
    assert sure / runs > 0.9
    assert (
        bound(task, problem, rows, (one, _judged(y, y, frame)), error) is None
    )  # of no loss at all nothing is a share


def _judged(y, prediction, frame):
    found = terms("rmse", y, prediction, frame, probability=prediction, loss=None)
    return Judged({"rmse": float(np.sqrt(((y - prediction) ** 2).mean()))}, {"rmse": found})
