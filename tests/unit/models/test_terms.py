"""Terms give the metric itself on all rows, and to first order on any part of them."""

import numpy as np
import polars as pl
import pytest

from assay.models.errors import LossFailed
from assay.models.metrics import BY_KIND, score
from assay.models.terms import terms

from .small import problem

ROWS = 600


def sample(kind):
    random = np.random.default_rng(3)
    if kind == "regression":
        y = np.exp(random.normal(size=ROWS))
        return y, y * np.exp(0.3 * random.normal(size=ROWS))
    if kind == "binary":
        y = random.integers(0, 2, ROWS).astype(float)
        return y, np.round(np.clip(0.4 * y + 0.6 * random.random(ROWS), 0.01, 0.99), 2)
    y = random.integers(0, 3, ROWS).astype(float)
    raw = random.random((ROWS, 3)) + np.eye(3)[y.astype(int)]
    return y, raw / raw.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("kind", "metric"), [(kind, metric) for kind, names in BY_KIND.items() for metric in names])
def test_of_all_rows_and_of_a_part(kind, metric):
    y, prediction = sample(kind)
    found = terms(metric, y, prediction, pl.DataFrame({"a": y}), probability=prediction, loss=None)
    exact = score(problem(kind), y, prediction, pl.DataFrame({"a": y}))[metric]
    assert float(found.metric(found.rows.mean(axis=0))) == pytest.approx(exact, rel=1e-9)
    part = np.random.default_rng(1).permutation(ROWS)[:450]
    exact = score(problem(kind), y[part], prediction[part], pl.DataFrame({"a": y[part]}))[metric]
    assert float(found.metric(found.rows[part].mean(axis=0))) == pytest.approx(exact, rel=0.005)


def test_of_the_users_own_loss():
    y, prediction = sample("regression")
    loss = "CASE WHEN a < 1 THEN NULL ELSE 3 * ABS(y - prediction) END"
    frame = pl.DataFrame({"a": y})
    found = terms("value", y, prediction, frame, probability=prediction, loss=loss)
    counted = y >= 1
    assert float(found.metric(found.rows.mean(axis=0))) == pytest.approx(
        float(np.mean(3 * np.abs(y - prediction)[counted]))
    )
    with pytest.raises(LossFailed):
        terms("value", y, prediction, frame, probability=prediction, loss="y / (y - y)")
