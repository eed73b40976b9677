"""Objectives of one kind in wrappers of the other: the answers are those of the wrapper's own predict."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelUnsupported
from assay.transpile.importers import lightgbm as importer

lightgbm = pytest.importorskip("lightgbm")
xgboost = pytest.importorskip("xgboost")

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(300, 3)).round(3)
Y = (X[:, 0] * 3 - X[:, 1] + RANDOM.normal(size=300) > 0).astype(int)
NAMES = np.where(Y, "yes", "no")
SMALL = {"n_estimators": 4}
QUIET = SMALL | {"verbose": -1}


def answered(model):
    circuit = assay.transpile(model)
    assert assay.fidelity(circuit, model, X).ok
    return circuit.answers, circuit.predict(X)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (xgboost.XGBClassifier(objective="reg:logistic", **SMALL), Y),
        (lightgbm.LGBMClassifier(objective="cross_entropy", **QUIET), Y),
        (lightgbm.LGBMClassifier(objective="cross_entropy", **QUIET), NAMES),
    ],
    ids=["xgboost", "lightgbm", "lightgbm-names"],
)
def test_classifiers_answer_classes(model, y):
    answers, margins = answered(model.fit(X, y))
    assert answers.labels(margins) == model.predict(X).tolist()
    np.testing.assert_allclose(answers.probabilities(margins), model.predict_proba(X), rtol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        xgboost.XGBRegressor(objective="binary:logistic", **SMALL),
        xgboost.XGBRegressor(objective="binary:logitraw", **SMALL),
        lightgbm.LGBMRegressor(objective="binary", **QUIET),
        lightgbm.LGBMRegressor(objective="binary", sigmoid=2.0, **QUIET),
        lightgbm.LGBMRegressor(objective="cross_entropy", **QUIET),
    ],
    ids=str,
)
def test_regressors_answer_values(model):
    answers, margins = answered(model.fit(X, Y))
    assert answers.labels(margins) is None
    np.testing.assert_allclose(answers.values(margins)[:, 0], model.predict(X), rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (xgboost.XGBClassifier(objective="count:poisson", **SMALL), Y),
        (xgboost.XGBClassifier(objective="reg:squarederror", **SMALL), Y),
        (xgboost.XGBRegressor(objective="binary:hinge", **SMALL), Y),
        (xgboost.XGBRegressor(objective="multi:softprob", num_class=3, **SMALL), RANDOM.integers(0, 3, 300)),
        (lightgbm.LGBMClassifier(objective="regression", **QUIET), Y),
        (lightgbm.LGBMClassifier(objective="cross_entropy_lambda", **QUIET), Y),
        (lightgbm.LGBMRegressor(objective="multiclass", num_class=3, **QUIET), RANDOM.integers(0, 3, 300)),
    ],
    ids=str,
)
def test_what_answers_neither_is_refused_by_name(model, y):
    with pytest.raises(ModelUnsupported, match=model.objective):
        assay.transpile(model.fit(X, y))


def test_a_wrong_reading_of_the_margins_is_found(monkeypatch):
    model = lightgbm.LGBMRegressor(objective="poisson", **QUIET).fit(X, Y)
    assert assay.fidelity(assay.transpile(model), model, X).ok
    monkeypatch.setitem(importer._LINKS, "poisson", "identity")
    assert not assay.fidelity(assay.transpile(model), model, X).ok
