"""LightGBM: gradient-boosted trees, grown leaf by leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from assay.core import files
from assay.models.errors import CandidateDamaged
from assay.models.families import estimators
from assay.models.families.family import Family, Fitted, Params, Suggest
from assay.models.families.xgboost import boosted_size, most_rounds, pilot

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.models.cost.shape import Size
    from assay.models.rows import Kind, Problem, Rows

FILE = "model.txt"
_OBJECTIVES = {"regression": "regression", "binary": "binary", "multiclass": "multiclass"}


class FittedLightgbm(Fitted):
    """A trained Booster."""

    def __init__(self, booster: Any, problem: Problem) -> None:
        self.booster = booster
        self._problem = problem

    def predict(self, rows: Rows, start: int = 0) -> NDArray[np.float64]:
        """Values, or probabilities."""
        found = self.booster.predict(rows.X[start:].astype(np.float64), num_threads=1)
        return np.asarray(found, dtype=np.float64)

    def save(self, folder: Path) -> str:
        """Write the Booster as text."""
        files.write(folder / FILE, self.booster.model_to_string())
        return FILE

    def size(self) -> Size:
        """Counted from the trees themselves."""
        trees = self.booster.dump_model()["tree_info"]
        levels = [np.array(_levels(tree["tree_structure"], 0)) for tree in trees]
        missing = any(_directions(tree["tree_structure"]) for tree in trees)
        return boosted_size(self._problem, 2 if missing else 1, trees=len(trees), **estimators.counted(levels))


class Lightgbm(Family):
    """Gradient-boosted trees of LightGBM."""

    name: ClassVar[str] = "lightgbm"
    title: ClassVar[str] = "LightGBM"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"regression", "binary", "multiclass"})

    def space(self, suggest: Suggest, problem: Problem) -> Params:
        """Rounds, depth and leaves, step, and what keeps trees from learning noise."""
        return {
            "rounds": suggest.integer("rounds", 4, most_rounds(problem), log=True),
            "depth": suggest.integer("depth", 2, 8),
            "leaves": suggest.integer("leaves", 3, 64, log=True),
            "rate": suggest.number("rate", 0.02, 0.5, log=True),
            "leaf_rows": suggest.integer("leaf_rows", 5, 200, log=True),
            "penalty": suggest.number("penalty", 0.01, 30.0, log=True),
            "features": suggest.number("features", 0.4, 1.0),
        }

    def defaults(self, problem: Problem) -> Params:
        """A small model with large steps."""
        del problem
        defaults: Params = {"rounds": 40, "depth": 5, "leaves": 12, "rate": 0.12}
        return defaults | {"leaf_rows": 20, "penalty": 1.0, "features": 0.8}

    def expected_size(self, params: Params, problem: Problem, rows: Rows, seed: int) -> Size:
        """That of a pilot, as often as it takes."""
        small, times = pilot(params)
        return self.fit(small, problem, rows, seed).size().times(times)

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedLightgbm:
        """Boost on one thread."""
        import lightgbm

        options: dict[str, Any] = {
            "objective": _OBJECTIVES[problem.kind],
            "max_depth": params["depth"],
            "num_leaves": min(params["leaves"], 1 << params["depth"]),
            "learning_rate": params["rate"],
            "min_data_in_leaf": params["leaf_rows"],
            "lambda_l2": params["penalty"],
            "feature_fraction": params["features"],
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "seed": seed,
            "verbosity": -1,
        }
        if problem.kind == "multiclass":
            options["num_class"] = problem.classes
        data = lightgbm.Dataset(rows.X.astype(np.float64), rows.y)
        return FittedLightgbm(lightgbm.train(options, data, num_boost_round=params["rounds"]), problem)

    def load(self, path: Path, problem: Problem) -> FittedLightgbm:
        """Read the Booster."""
        import lightgbm

        text = files.read(path).decode("utf-8", errors="replace")
        try:
            return FittedLightgbm(lightgbm.Booster(model_str=text), problem)
        except lightgbm.basic.LightGBMError as error:
            raise CandidateDamaged(f"{path} is damaged", "Run `assay explore` again.") from error


def _levels(node: dict[str, Any], level: int) -> list[int]:
    """Levels of all nodes of a tree."""
    if "split_index" not in node:
        return [level]
    return [level, *_levels(node["left_child"], level + 1), *_levels(node["right_child"], level + 1)]


def _directions(node: dict[str, Any]) -> bool:
    """Whether a split sends missing values its own way."""
    if "split_index" not in node:
        return False
    own = node["missing_type"] != "None"
    return own or _directions(node["left_child"]) or _directions(node["right_child"])
