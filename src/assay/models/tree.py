"""One decision tree: the model that a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models import estimators, growth
from assay.models.family import Family, Params, Suggest
from assay.models.shape import Size

if TYPE_CHECKING:
    from pathlib import Path

    from assay.models.estimators import FittedEstimator
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

    def expected_size(self, params: Params, problem: Problem, rows: int) -> Size:
        """One tree."""
        return expected(
            problem, rows, trees=1, depth=params["depth"], leaf_rows=params["leaf_rows"], stops=problem.stops
        )

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


def expected(problem: Problem, rows: int, *, trees: int, depth: int, leaf_rows: int, stops: tuple[float, ...]) -> Size:
    """The size of scikit-learn's trees before they are grown."""
    outputs = estimators.tree_outputs(problem)
    each = growth.grown(rows, depth, leaf_rows, trees, stops)
    slots = estimators.tree_slots(trees, outputs)
    return Size(
        kind="trees",
        features=len(problem.features),
        outputs=outputs,
        views=estimators.tree_views(problem, 2),
        trees=slots,
        wide=bool(problem.wide),
        private=problem.private,
        **each.times(slots),
    )
