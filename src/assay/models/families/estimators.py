"""What the families of scikit-learn share: training on one thread, predictions, and files without pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import files
from assay.models.cost.shape import Size
from assay.models.errors import CandidateDamaged
from assay.models.families.family import Fitted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.models.rows import Problem, Rows

FILE = "model.skops"
# Compiled containers of arrays, which skops does not list itself; as `assay transpile` reads them.
_TREES = "sklearn.tree._tree.Tree"


class FittedEstimator(Fitted):
    """A fitted scikit-learn estimator or pipeline."""

    def __init__(self, model: Any, problem: Problem, size: Callable[[Any, Problem], Size]) -> None:
        self.model = model
        self._problem = problem
        self._size = size

    def predict(self, rows: Rows, start: int = 0) -> NDArray[np.float64]:
        """Values, or probabilities."""
        X = rows.X[start:]
        with one_thread():
            if self._problem.kind == "regression":
                return np.asarray(self.model.predict(X), dtype=np.float64)
            found = np.asarray(self.model.predict_proba(X), dtype=np.float64)
        return found[:, 1] if self._problem.kind == "binary" else found

    def save(self, folder: Path) -> str:
        """Write the estimator with skops."""
        import skops.io

        files.write(folder / FILE, skops.io.dumps(self.model))
        return FILE

    def size(self) -> Size:
        """The fitted model's size."""
        return self._size(self.model, self._problem)


def fit(model: Any, rows: Rows, *, classes: bool) -> Any:
    """Fit on one thread."""
    with one_thread():
        return model.fit(rows.X, rows.y.astype(np.int64) if classes else rows.y)


def load(path: Path) -> Any:
    """Read a .skops file that holds nothing but known types."""
    import skops.io

    data = files.read(path)
    try:
        unknown = set(skops.io.get_untrusted_types(data=data)) - {_TREES}
        if not unknown:
            return skops.io.loads(data, trusted=[_TREES])
    except Exception as error:
        raise CandidateDamaged(f"{path} is damaged ({type(error).__name__})", "Run `assay explore` again.") from error
    raise CandidateDamaged(f"{path} holds types that are not known to be safe", "Run `assay explore` again.")


def one_thread() -> Any:
    """Within it, the libraries of linear algebra use one thread: trials run side by side."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no stubs

    return threadpool_limits(1)


def missing(rows: Rows) -> bool:
    """Whether any feature of any row is missing."""
    return bool(np.isnan(rows.X).any())


def linear_size(_model: Any, problem: Problem) -> Size:
    """The size of a linear model."""
    return Size(kind="linear", features=len(problem.features), outputs=problem.outputs)


def tree_outputs(problem: Problem) -> int:
    """scikit-learn's trees show a probability for every class."""
    return 1 if problem.kind == "regression" else problem.classes


def trees_size(model: Any, problem: Problem) -> Size:
    """The size of fitted trees: a decision tree or a forest."""
    members = [model] if hasattr(model, "tree_") else list(model.estimators_)
    levels = [levels_of(member.tree_.children_left, member.tree_.children_right) for member in members]
    outputs = tree_outputs(problem)
    return Size(
        kind="trees",
        features=len(problem.features),
        outputs=outputs,
        views=tree_views(problem, 2 if _takes_missing(members[0]) else 1),
        trees=tree_slots(len(members), outputs),
        wide=bool(problem.wide),
        private=problem.private,
        **counted(levels, output_groups(outputs)),
    )


def _takes_missing(member: Any) -> bool:
    return bool(getattr(member, "__sklearn_tags__", None)) and bool(member.__sklearn_tags__().input_tags.allow_nan)


def output_groups(outputs: int) -> int:
    """Four outputs share a field element."""
    return -(-outputs // 4)


def tree_slots(trees: int, outputs: int) -> int:
    """Slots of trees that each speak for all outputs."""
    return trees * output_groups(outputs)


def tree_views(problem: Problem, rules: int) -> int:
    """Views of all features under so many rules for missing values; wide integers have one."""
    return len(problem.wide) + rules * (len(problem.features) - len(problem.wide))


def levels_of(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.int64]:
    """The level of each node; children lie behind their parents, -1 marks a leaf."""
    levels = np.zeros(len(left), dtype=np.int64)
    for node in np.flatnonzero(np.asarray(left) >= 0):
        levels[left[node]] = levels[right[node]] = levels[node] + 1
    return levels


def counted(levels: list[NDArray[np.int64]], groups: int = 1) -> dict[str, int]:
    """Depth, nodes and bottom of trees by the levels of their nodes, each tree once for every group of outputs."""
    depth = max(1, *(int(level.max()) for level in levels))
    nodes = sum(int(((level >= 1) & (level < depth)).sum()) for level in levels)
    return {
        "depth": depth,
        "nodes": groups * nodes,
        "bottom": groups * sum(int((level == depth).sum()) for level in levels),
    }
