"""Each metric against a hand's calculation or scikit-learn's."""

import numpy as np
import polars as pl
import pytest
from sklearn import metrics as theirs

from assay.models.errors import LossFailed, MetricUnsuitable
from assay.models.metrics import classes_of, improvement, loss_of, require_measurable, require_suitable, score, value

from .small import problem

Y = np.array([1.0, 2.0, 4.0])
PREDICTED = np.array([1.0, 3.0, 2.0])
CLASSES = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
PROBABILITY = np.array([0.2, 0.9, 0.4, 0.6, 0.7])
THREE = np.array([0.0, 1.0, 2.0, 1.0])
MATRIX = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.6, 0.3, 0.1]])
NOTHING = pl.DataFrame({"size": [1.0, 1.0, 3.0]})


def test_of_a_regression():
    found = score(problem(), Y, PREDICTED, NOTHING)
    assert found["rmse"] == pytest.approx(np.sqrt(5 / 3))
    assert found["mae"] == pytest.approx(1.0)
    ratio = (Y / PREDICTED) ** 2
    assert found["qlike"] == pytest.approx(np.mean(ratio - np.log(ratio) - 1))
    assert set(found) == {"rmse", "mae", "qlike"}


def test_a_forecast_of_zero_is_very_wrong_and_not_infinite():
    found = score(problem(), Y, np.zeros(3), NOTHING)
    assert 1e3 < found["qlike"] < 1e9


def test_of_two_classes():
    found = score(problem("binary"), CLASSES, PROBABILITY, NOTHING)
    assert found["log_loss"] == pytest.approx(theirs.log_loss(CLASSES, PROBABILITY))
    assert found["brier"] == pytest.approx(theirs.brier_score_loss(CLASSES, PROBABILITY))
    assert found["accuracy"] == pytest.approx(0.6)
    assert found["f1"] == pytest.approx(theirs.f1_score(CLASSES, PROBABILITY >= 0.5))
    assert found["auc"] == pytest.approx(theirs.roc_auc_score(CLASSES, PROBABILITY))


def test_of_more_classes():
    found = score(problem("multiclass"), THREE, MATRIX, NOTHING)
    assert found["log_loss"] == pytest.approx(theirs.log_loss(THREE, MATRIX))
    assert found["accuracy"] == pytest.approx(0.75)
    truth = np.eye(3)[THREE.astype(int)]
    assert found["brier"] == pytest.approx(((truth - MATRIX) ** 2).sum(axis=1).mean())
    assert found["auc"] == pytest.approx(theirs.roc_auc_score(THREE, MATRIX, multi_class="ovr"))


def test_one_class_alone_has_no_auc():
    assert "auc" not in score(problem("binary"), np.ones(3), np.full(3, 0.5), NOTHING)


def test_probabilities_are_judged_apart_from_decisions():
    hard, share = np.array([0.0, 1.0, 0.0, 1.0, 1.0]), np.array([0.3, 0.8, 0.3, 0.8, 0.8])
    found = score(problem("binary"), CLASSES, hard, NOTHING, share)
    assert found["log_loss"] == pytest.approx(theirs.log_loss(CLASSES, share))
    assert found["accuracy"] == pytest.approx(0.6)


def test_the_users_loss_sees_outcome_answer_and_columns():
    assert value("size * ABS(y - prediction)", Y, PREDICTED, NOTHING) == pytest.approx((0 + 1 + 6) / 3)
    found = score(problem(loss="size * ABS(y - prediction)"), Y, PREDICTED, NOTHING)
    assert found["value"] == pytest.approx(7 / 3)
    # Of more than two classes the loss sees the likeliest.
    assert value("CASE WHEN prediction = y THEN 0 ELSE 1 END", THREE, MATRIX, pl.DataFrame({"a": [0] * 4})) == 0.25


@pytest.mark.parametrize("expression", ["no_such_column", "y -", "1 / 0", "NULL"])
def test_a_loss_that_cannot_be_computed(expression):
    with pytest.raises(LossFailed):
        value(expression, Y, PREDICTED, NOTHING)


def test_improvement_has_one_direction_for_all():
    assert improvement("rmse", 0.9, 1.0) == pytest.approx(0.1)
    assert improvement("accuracy", 0.9, 0.8) == pytest.approx(0.5)  # half of the errors are gone
    assert improvement("value", -2.0, -1.0) == pytest.approx(1.0)  # a gain that doubled
    assert improvement("value", 1.0, -1.0) == pytest.approx(-2.0)
    assert improvement("rmse", 0.0, 0.0) == 0.0
    assert improvement("rmse", 0.1, 0.0) == -float("inf")
    assert loss_of("auc", 0.7) == pytest.approx(0.3)


def test_a_metric_must_fit_the_target():
    with pytest.raises(MetricUnsuitable, match="regression"):
        require_suitable(problem(metric="accuracy"))
    with pytest.raises(MetricUnsuitable):
        require_suitable(problem(metric="value"))
    require_suitable(problem(metric="value", loss="y"))


def test_a_probability_of_one_half_is_class_1():
    assert classes_of(np.array([0.49, 0.5])).tolist() == [0, 1]
    assert classes_of(MATRIX).tolist() == [0, 1, 2, 0]


def test_a_loss_that_is_missing_for_some_predictions_is_refused():
    frame, y = pl.DataFrame({"a": [1.0, 2.0, 3.0]}), np.array([1.0, 2.0, 3.0])
    with pytest.raises(LossFailed, match="missing for some predictions and not for others"):
        value("CASE WHEN prediction > 2 THEN ABS(y - prediction) END", y, np.array([0.0, 2.5, 0.0]), frame)
    # Rows that do not count whatever is said of them are left out for every model alike.
    assert value("CASE WHEN a > 1 THEN ABS(y - prediction) END", y, np.array([0.0, 2.5, 0.0]), frame) == 1.75
    with pytest.raises(LossFailed, match="missing in every row"):
        value("CASE WHEN a > 9 THEN y END", y, y, frame)


def test_a_loss_without_bounds_names_a_row():
    frame, y = pl.DataFrame({"a": [1.0, 2.0]}), np.array([1.0, 2.0])
    with pytest.raises(LossFailed, match=r"in 1 of 2 rows: it is -?inf where y is 2 and prediction 0"):
        value("LN(prediction)", y, np.array([1.0, 0.0]), frame)


def test_qlike_says_nothing_of_outcomes_below_zero():
    y = np.array([0.5, -0.5, 1.0])
    assert "qlike" not in score(problem(), y, y, pl.DataFrame({"a": y}))
    assert "qlike" in score(problem(), np.abs(y), y, pl.DataFrame({"a": y}))
    require_measurable(problem(metric="rmse"), y)
    with pytest.raises(MetricUnsuitable, match="below 0 in 1 of 3 rows"):
        require_measurable(problem(metric="qlike"), y)
