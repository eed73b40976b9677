"""Random forest: the mean of trees grown on samples of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families import estimators
from assay.models.families.family import PILOT_TREES, Family, Params, Suggest

if TYPE_CHECKING:
    from pathlib import Path

    from assay.models.cost.shape import Size
    from assay.models.families.estimators import FittedEstimator
    from assay.models.rows import Kind, Problem, Rows

ROWS_A_TREE = 100_000
"""The most rows that each tree draws: together they see far more, and none is deep enough to tell more apart."""


class Forest(Family):
    """Many trees of comparisons, averaged."""

    name: ClassVar[str] = "forest"
    title: ClassVar[str] = "random forest"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"regression", "binary", "multiclass"})

    def space(self, suggest: Suggest, problem: Problem) -> Params:
        """Trees, depth, the least rows of a leaf, and the share of features that a split may choose from."""
        del problem
        return {
            "trees": suggest.integer("trees", 4, 128, log=True),
            "depth": suggest.integer("depth", 2, 9),
            "leaf_rows": suggest.integer("leaf_rows", 1, 100, log=True),
            "features": suggest.number("features", 0.2, 1.0),
        }

    def defaults(self, problem: Problem) -> Params:
        """A forest that proves in well under a second."""
        del problem
        return {"trees": 32, "depth": 5, "leaf_rows": 10, "features": 0.5}

    def expected_size(self, params: Params, problem: Problem, rows: Rows, seed: int) -> Size:
        """That of the first trees, as often as it takes."""
        few = min(params["trees"], PILOT_TREES)
        return self.fit(params | {"trees": few}, problem, rows, seed).size().times(params["trees"] / few)

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedEstimator:
        """Grow the trees, one after the other."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestRegressor if problem.kind == "regression" else RandomForestClassifier
        model = kind(
            n_estimators=params["trees"],
            max_depth=params["depth"],
            min_samples_leaf=params["leaf_rows"],
            max_features=params["features"],
            max_samples=ROWS_A_TREE if len(rows) > ROWS_A_TREE else None,
            n_jobs=1,
            random_state=seed,
        )
        fitted = estimators.fit(model, rows, classes=problem.kind != "regression")
        return estimators.FittedEstimator(fitted, problem, estimators.trees_size)

    def load(self, path: Path, problem: Problem) -> FittedEstimator:
        """Read the forest."""
        return estimators.FittedEstimator(estimators.load(path), problem, estimators.trees_size)
