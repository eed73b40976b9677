"""Evidence against a bootstrap that draws the rows themselves and computes every metric anew."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from tests.unit.models.small import problem

from assay.bench.bootstrap import runs, tail_of
from assay.bench.evidence import Judged, evidence, net
from assay.models.metrics import improvement, score
from assay.models.rows import Rows
from assay.models.terms import terms

from .test_choose import task

ROWS = 300
FIGURES = {
    "rmse": lambda y, prediction: np.sqrt(np.mean((y - prediction) ** 2)),
    "qlike": lambda y, prediction: np.mean((y / prediction) ** 2 - np.log((y / prediction) ** 2) - 1),
    "auc": roc_auc_score,
}


def judged(asked, y, prediction, frame, metrics):
    found = {
        name: terms(name, y, prediction, frame, probability=prediction, loss=asked.loss) for name in {*metrics, "value"}
    }
    return Judged(score(asked, y, prediction, frame), found)


def sample(kind):
    random = np.random.default_rng(8)
    if kind == "regression":
        y = np.exp(random.normal(size=ROWS))
        return y, y * np.exp(0.4 * random.normal(size=ROWS)), np.full(ROWS, float(y.mean()))
    y = random.integers(0, 2, ROWS).astype(float)
    return y, np.clip(0.3 * y + 0.7 * random.random(ROWS), 0, 1), np.clip(0.1 * y + 0.9 * random.random(ROWS), 0, 1)


@pytest.mark.parametrize(("kind", "metric"), [("regression", "rmse"), ("regression", "qlike"), ("binary", "auc")])
def test_the_interval_is_that_of_rows_drawn_by_hand(kind, metric):
    y, prediction, today = sample(kind)
    frame = pl.DataFrame({"y": y})
    asked = problem(kind, metric=metric, loss="ABS(y - prediction)", timed=True, reach=6)
    question = task(metric=metric).model_copy(update={"predict": task().predict.model_copy(update={"type": kind})})
    test = Rows(np.zeros((ROWS, 4), np.float32), y, frame)
    both = [judged(asked, y, one, frame, {metric}) for one in (prediction, today)]
    found = evidence(question, asked, test, *both)
    assert (found.unit, found.confidence) == ("rows", 0.9)
    assert found.length >= 6
    blocks = runs(np.arange(ROWS), found.length)
    assert found.blocks == blocks.max() + 1
    random = np.random.default_rng(0)
    gains = []
    for _ in range(300):
        drawn = random.integers(0, found.blocks, found.blocks)
        at = np.concatenate([np.flatnonzero(blocks == block) for block in drawn])
        figures = [FIGURES[metric](y[at], one[at]) for one in (prediction, today)]
        gains.append(improvement(metric, *figures))
    tail = tail_of(0.9, found.blocks)
    low, high = np.quantile(gains, [tail, 1 - tail])
    width = high - low
    assert found.improvement.low == pytest.approx(low, abs=0.2 * width)
    assert found.improvement.high == pytest.approx(high, abs=0.2 * width)
    assert found.is_gain == (found.improvement.low > 0)
    assert found.loss is not None


def test_rows_of_one_entity_are_drawn_together():
    random = np.random.default_rng(2)
    pools, hours = 25, 40
    pool = np.tile(np.arange(pools), hours)
    hour = np.repeat(np.arange(hours), pools)
    y = random.normal(size=pools)[pool] + 0.1 * random.normal(size=pools * hours)
    frame = pl.DataFrame({"pool": pool, "at": hour, "y": y})
    asked = problem(metric="mae", loss="ABS(y - prediction)", timed=True, entity="pool", time="at", reach=2)
    test = Rows(np.zeros((len(y), 4), np.float32), y, frame)
    both = [judged(asked, y, np.full(len(y), one), frame, {"mae"}) for one in (0.1, 0.4)]
    found = evidence(task(metric="mae"), asked, test, *both)
    # What differs are the pools, so the wider interval is theirs.
    assert (found.unit, found.blocks, found.length) == ("entities", pools, 0)
    few = Rows(test.X[pool < 5], y[pool < 5], frame.filter(pl.col("pool") < 5))
    both = [judged(asked, few.y, np.full(len(few), one), few.frame, {"mae"}) for one in (0.1, 0.4)]
    found = evidence(task(metric="mae"), asked, few, *both)
    assert found.unit == "times"
    assert found.length >= 2


def test_a_gain_is_worth_money():
    value = {"loss": "ABS(y - prediction)", "unit": "USD per decision", "decisions_per_day": 10.0}
    y, prediction, today = sample("regression")
    frame = pl.DataFrame({"y": y})
    asked = problem(metric="rmse", loss="ABS(y - prediction)")
    test = Rows(np.zeros((ROWS, 4), np.float32), y, frame)
    both = [judged(asked, y, one, frame, {"rmse"}) for one in (prediction, today)]
    question = task(value, metric="rmse")
    found = net(question, *both, 0.01, evidence(question, asked, test, *both))
    gain = float(np.mean(np.abs(y - today)) - np.mean(np.abs(y - prediction))) * 3650
    assert found.gain_usd == pytest.approx(gain)
    assert found.cost_usd == pytest.approx(36.5)
    assert found.usd == pytest.approx(gain - 36.5)
    assert found.interval.low < found.usd < found.interval.high
    assert net(task(metric="rmse"), *both, 0.01, None) is None
