"""XGBoost: gradient-boosted trees, grown level by level."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from assay.core import files
from assay.models.cost.shape import Size
from assay.models.errors import CandidateDamaged
from assay.models.families import estimators
from assay.models.families.family import PILOT_TREES, Family, Fitted, Params, Suggest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.models.rows import Kind, Problem, Rows

FILE = "model.json"
_OBJECTIVES = {"regression": "reg:squarederror", "binary": "binary:logistic", "multiclass": "multi:softprob"}
# Each split sends missing values either way: every feature appears twice.
_RULES = 2


class FittedXgboost(Fitted):
    """A trained Booster."""

    def __init__(self, booster: Any, problem: Problem) -> None:
        self.booster = booster
        self._problem = problem

    def predict(self, rows: Rows, start: int = 0) -> NDArray[np.float64]:
        """Values, or probabilities."""
        import xgboost

        found = self.booster.predict(xgboost.DMatrix(rows.X[start:], nthread=1))
        return np.asarray(found, dtype=np.float64)

    def save(self, folder: Path) -> str:
        """Write the Booster as JSON."""
        files.write(folder / FILE, bytes(self.booster.save_raw(raw_format="json")))
        return FILE

    def size(self) -> Size:
        """Counted from the trees themselves."""
        trees = json.loads(self.booster.save_raw(raw_format="json"))["learner"]["gradient_booster"]["model"]["trees"]
        levels = [
            estimators.levels_of(np.array(tree["left_children"]), np.array(tree["right_children"])) for tree in trees
        ]
        return boosted_size(self._problem, _RULES, trees=len(trees), **estimators.counted(levels))


class Xgboost(Family):
    """Gradient-boosted trees of XGBoost."""

    name: ClassVar[str] = "xgboost"
    title: ClassVar[str] = "XGBoost"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"regression", "binary", "multiclass"})

    def space(self, suggest: Suggest, problem: Problem) -> Params:
        """Rounds, depth, step, and what keeps trees from learning noise."""
        return {
            "rounds": suggest.integer("rounds", 4, most_rounds(problem), log=True),
            "depth": suggest.integer("depth", 1, 7),
            "rate": suggest.number("rate", 0.02, 0.5, log=True),
            "leaf_weight": suggest.number("leaf_weight", 1.0, 100.0, log=True),
            "penalty": suggest.number("penalty", 0.1, 30.0, log=True),
            "rows": suggest.number("rows", 0.5, 1.0),
            "features": suggest.number("features", 0.4, 1.0),
        }

    def defaults(self, problem: Problem) -> Params:
        """A small model with large steps."""
        del problem
        defaults: Params = {"rounds": 40, "depth": 4, "rate": 0.12, "leaf_weight": 5.0, "penalty": 1.0}
        return defaults | {"rows": 0.9, "features": 0.8}

    def expected_size(self, params: Params, problem: Problem, rows: Rows, seed: int) -> Size:
        """That of a pilot, as often as it takes."""
        small, times = pilot(params)
        return self.fit(small, problem, rows, seed).size().times(times)

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedXgboost:
        """Boost on one thread."""
        import xgboost

        options: dict[str, Any] = {
            "objective": _OBJECTIVES[problem.kind],
            "max_depth": params["depth"],
            "eta": params["rate"],
            "min_child_weight": params["leaf_weight"],
            "lambda": params["penalty"],
            "subsample": params["rows"],
            "colsample_bytree": params["features"],
            "tree_method": "hist",
            "nthread": 1,
            "seed": seed,
            "verbosity": 0,
        }
        if problem.kind == "multiclass":
            options["num_class"] = problem.classes
        data = xgboost.DMatrix(rows.X, label=rows.y, nthread=1)
        return FittedXgboost(xgboost.train(options, data, num_boost_round=params["rounds"]), problem)

    def load(self, path: Path, problem: Problem) -> FittedXgboost:
        """Read the Booster."""
        import xgboost

        data = files.read(path)
        try:
            booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(data))
        except xgboost.core.XGBoostError as error:
            raise CandidateDamaged(f"{path} is damaged", "Run `assay explore` again.") from error
        return FittedXgboost(booster, problem)


def most_rounds(problem: Problem) -> int:
    """Rounds of boosting that still prove in seconds: each round grows one tree an output."""
    return max(300 // problem.outputs, 8)


def boosted_size(problem: Problem, rules: int, *, trees: int, depth: int, nodes: int, bottom: int) -> Size:
    """The size of boosted trees, each of which speaks for one output."""
    return Size(
        kind="trees",
        features=len(problem.features),
        outputs=problem.outputs,
        views=estimators.tree_views(problem, rules),
        trees=trees,
        depth=depth,
        nodes=nodes,
        bottom=bottom,
        wide=bool(problem.wide),
        private=problem.private,
    )


def pilot(params: Params) -> tuple[Params, float]:
    """Parameters that go the same way in a few long steps, and how many times more rounds `params` has.

    Trees change on the way: rows that are answered well weigh less, and less of them is divided.
    """
    few = min(params["rounds"], PILOT_TREES)
    times = params["rounds"] / few
    return params | {"rounds": few, "rate": 1 - (1 - params["rate"]) ** times}, times
