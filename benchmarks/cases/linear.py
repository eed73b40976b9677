"""A linear model: logistic regression of scikit-learn's breast cancer data, 30 standardised features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases.trained import Trained

TRAINING_ROWS = 400


def train() -> Trained:
    """Train on 400 rows in a fixed random order; each feature is standardised by the training rows."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression

    features, labels = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    features, labels = features[order], labels[order]
    head = features[:TRAINING_ROWS]
    # float32, as the other tools read their inputs.
    features = ((features - head.mean(axis=0)) / head.std(axis=0)).astype(np.float32)
    model = LogisticRegression(max_iter=1000).fit(features[:TRAINING_ROWS], labels[:TRAINING_ROWS])
    weights = {"coef": model.coef_.astype(float).tolist(), "intercept": model.intercept_.astype(float).tolist()}
    test = features[TRAINING_ROWS:]
    return Trained(
        model_json=json.dumps(weights),
        calibration=features[:TRAINING_ROWS],
        test=test,
        margins=model.decision_function(test),
    )


def load(folder: Path) -> Any:
    """The fitted `LogisticRegression` of `model.json`."""
    from sklearn.linear_model import LogisticRegression

    weights = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    model = LogisticRegression(max_iter=1000)
    model.coef_ = np.array(weights["coef"])
    model.intercept_ = np.array(weights["intercept"])
    model.classes_ = np.array([0, 1])
    model.n_features_in_ = model.coef_.shape[1]
    return model
