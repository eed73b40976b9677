"""Gradient-boosted trees: XGBoost classifiers of a synthetic task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases.trained import Trained

TRAINING_ROWS = 6000


def train(trees: int, depth: int, *, features: int = 20) -> Trained:
    """Train `trees` trees of depth `depth` on the first 6,000 of 8,000 rows of so many features."""
    import xgboost
    from sklearn.datasets import make_classification

    values, labels = make_classification(8000, features, n_informative=12, flip_y=0.05, random_state=0)
    values = values.astype(np.float32)
    model = xgboost.XGBClassifier(n_estimators=trees, max_depth=depth, learning_rate=0.3, n_jobs=1, random_state=0)
    model.fit(values[:TRAINING_ROWS], labels[:TRAINING_ROWS])
    booster = model.get_booster()
    test = values[TRAINING_ROWS:]
    return Trained(
        model_json=booster.save_raw(raw_format="json").decode("utf-8"),
        calibration=values[:TRAINING_ROWS],
        test=test,
        margins=booster.predict(xgboost.DMatrix(test), output_margin=True),
    )


def load(folder: Path) -> Any:
    """The Booster of `model.json`."""
    import xgboost

    return xgboost.Booster(model_file=folder / "model.json")
