"""One decision tree: the model that a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families import estimators
from assay.models.families.family import Family, Params, Suggest

if TYPE_CHECKING:
    from pathlib import Path

    from assay.models.cost.shape import Size
    from assay.models.families.estimators import FittedEstimator
    from assay.models.rows import Kind, Problem, Rows


class DecisionTree(Family):
    """One tree of comparisons."""

    name: ClassVar[str] = "tree"
    title: ClassVar[str] = "decision tree"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"regression", "binary", "multiclass"})

    def space(self, suggest: Suggest, problem: Problem) -> Params:
        """Depth, and the least rows of a leaf."""
        del problem
        return {"depth": suggest.integer("depth", 1, 10), "leaf_rows": suggest.integer("leaf_rows", 1, 200, log=True)}

    def defaults(self, problem: Problem) -> Params:
        """A tree of at most 16 leaves."""
        del problem
        return {"depth": 4, "leaf_rows": 20}

    def expected_size(self, params: Params, problem: Problem, rows: Rows, seed: int) -> Size:
        """That of the tree itself, which is soon grown."""
        return self.fit(params, problem, rows, seed).size()

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedEstimator:
        """Grow it."""
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        kind = DecisionTreeRegressor if problem.kind == "regression" else DecisionTreeClassifier
        model = kind(max_depth=params["depth"], min_samples_leaf=params["leaf_rows"], random_state=seed)
        fitted = estimators.fit(model, rows, classes=problem.kind != "regression")
        return estimators.FittedEstimator(fitted, problem, estimators.trees_size)

    def load(self, path: Path, problem: Problem) -> FittedEstimator:
        """Read the tree."""
        return estimators.FittedEstimator(estimators.load(path), problem, estimators.trees_size)
