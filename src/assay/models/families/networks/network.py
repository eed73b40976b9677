"""What every family of networks does: rows that are held out, scaling, training, and the ONNX file that answers."""

from __future__ import annotations

from abc import abstractmethod
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from assay.core import files
from assay.data.features import series
from assay.models.errors import CandidateDamaged
from assay.models.families import estimators
from assay.models.families.family import WINDOWLESS, Family, Fitted, Params, Suggest
from assay.models.families.networks.architecture import Architecture
from assay.models.families.networks.export import ARCHITECTURE, Scaling, export
from assay.models.families.networks.sizes import size_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.models.cost.shape import Size
    from assay.models.rows import Kind, Problem, Rows

    Index = NDArray[np.int64]

FILE = "model.onnx"
FEWEST = 60
"""Rows below which nothing is left to learn from once some are held out."""
_HELD = 0.15
_MOST_HELD = 20_000
_BATCH = 4096
_LIBRARIES = ("jax", "optax", "onnx", "onnxruntime")
_RATES = (3e-4, 2e-2)
_DECAYS = (1e-3, 3.0)


class FittedNetwork(Fitted):
    """A trained network: its ONNX file, and onnxruntime on one thread."""

    def __init__(self, content: bytes, problem: Problem) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self.content = content
        self._problem = problem
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self.architecture = Architecture.from_json(self._session.get_modelmeta().custom_metadata_map[ARCHITECTURE])

    def margins(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """What the file's output says of rows (rows, window * features): (rows, outputs)."""
        (given,) = self._session.get_inputs()
        parts = [
            self._session.run(None, {given.name: np.ascontiguousarray(part.reshape(len(part), *given.shape[1:]))})[0]
            for part in (X[start : start + _BATCH] for start in range(0, max(len(X), 1), _BATCH))
        ]
        return np.concatenate(parts).astype(np.float64)

    def predict(self, rows: Rows, start: int = 0) -> NDArray[np.float64]:
        """Values, or probabilities."""
        found = self.margins(rows.X[start:])
        if self._problem.kind == "regression":
            return found[:, 0]
        if self._problem.kind == "binary":
            return np.asarray(1 / (1 + np.exp(-np.clip(found[:, 0], -700, 700))))
        shares = np.exp(found - found.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def save(self, folder: Path) -> str:
        """Write the ONNX file."""
        files.write(folder / FILE, self.content)
        return FILE

    def size(self) -> Size:
        """By its shape: no weight changes it."""
        return size_of(self.architecture, private=self._problem.private)


class Network(Family):
    """A family of networks."""

    kinds: ClassVar[frozenset[Kind]] = frozenset({"regression", "binary", "multiclass"})
    sequences: ClassVar[bool] = True
    """Whether it reads the rows of a window in sequence, and so needs one."""

    @abstractmethod
    def architecture(self, params: Params, problem: Problem) -> Architecture:
        """The network of these parameters."""

    @abstractmethod
    def layers(self, suggest: Suggest, problem: Problem) -> Params:
        """Parameters of the layers."""

    def refuses(self, problem: Problem, rows: Rows) -> str | None:
        """Refuses missing values, few rows, and rows without a window where it reads sequences."""
        lacking = [name for name in _LIBRARIES if find_spec(name) is None]
        if (found := super().refuses(problem, rows)) is not None:
            return found
        if self.sequences and problem.window == 1:
            return WINDOWLESS
        if lacking:
            return f"needs {lacking[0]}: `pip install 'assay[networks]'`"
        if len(rows) < FEWEST:
            return f"has {len(rows)} training rows, and needs {FEWEST}"
        return "takes no missing values" if estimators.missing(rows) else None

    def space(self, suggest: Suggest, problem: Problem) -> Params:
        """Layers, the step, and the decay of weights."""
        return self.layers(suggest, problem) | {
            "rate": suggest.number("rate", *_RATES, log=True),
            "decay": suggest.number("decay", *_DECAYS, log=True),
        }

    def expected_size(self, params: Params, problem: Problem, rows: Rows, seed: int) -> Size:
        """By its shape, whatever the data."""
        del rows, seed
        return size_of(self.architecture(params, problem), private=problem.private)

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedNetwork:
        """Scale, hold out the last rows (without time: some), and train until they are no longer answered better."""
        from assay.models.families.networks.training import Recipe, Sample, train

        architecture = self.architecture(params, problem)
        learned, held = _held_out(problem, rows, seed)
        scaling = _scaling(architecture, problem, rows, learned)
        parts = []
        for index in (learned, held):
            own = rows.take(index)
            X = own.X.reshape(len(index), architecture.window, architecture.features)
            y = (own.y - scaling.output_shift) / scaling.output_scale
            parts.append(Sample(X, y.astype(np.float32), scaling.mean, scaling.deviation))
        recipe = Recipe(params["rate"], params["decay"])
        found = train(architecture, problem.kind, recipe, learned=parts[0], held=parts[1], seed=seed)
        return FittedNetwork(export(architecture, found, scaling), problem)

    def load(self, path: Path, problem: Problem) -> FittedNetwork:
        """Read the ONNX file."""
        content = files.read(path)
        try:
            return FittedNetwork(content, problem)
        except Exception as error:  # onnxruntime's errors have no common class
            raise CandidateDamaged(f"{path} is damaged", "Run `assay explore` again.") from error


def shape_of(problem: Problem) -> dict[str, Any]:
    """What the question says of an architecture."""
    return {
        "window": problem.window,
        "features": len(problem.features) // problem.window,
        "outputs": problem.outputs,
    }


def _held_out(problem: Problem, rows: Rows, seed: int) -> tuple[Index, Index]:
    """Rows to learn from, and rows that say when to stop: in time the last, with the embargo before them."""
    count = len(rows)
    if problem.timed:
        moments = series.moments(rows.frame, problem.time)
        start = series.whole(moments, count - round(_HELD * count))
        stop = series.embargoed(moments, start, problem.embargo)
        learned, held = np.arange(stop), np.arange(start, count)
        if len(learned) < FEWEST // 2:
            raise ValueError(f"an embargo of {problem.embargo} rows leaves {len(learned)} of {count} to learn from")
    else:
        random = np.random.default_rng([seed, 2])
        parts = _group_numbers(problem, rows)
        order = random.permutation(int(parts.max()) + 1)
        sizes = np.cumsum(np.bincount(parts)[order])
        chosen = order[: int(np.searchsorted(sizes, _HELD * count)) + 1]
        mask = np.isin(parts, chosen)
        learned, held = np.flatnonzero(~mask), np.flatnonzero(mask)
    return learned, held[:: max(len(held) // _MOST_HELD, 1)]


def _group_numbers(problem: Problem, rows: Rows) -> Index:
    """The number of each row's group; without groups each row is one."""
    if problem.group is None or problem.group not in rows.frame.columns:
        return np.arange(len(rows))
    found = rows.frame[problem.group].rank("dense").fill_null(0).to_numpy().astype(np.int64)
    numbers = np.unique(found, return_inverse=True)[1]
    # A single group cannot be divided and kept whole.
    return np.asarray(numbers) if numbers.max() > 0 else np.arange(len(rows))


def _scaling(architecture: Architecture, problem: Problem, rows: Rows, learned: Index) -> Scaling:
    own = rows.X[:, -architecture.features :][learned].astype(np.float64)
    mean, deviation = own.mean(axis=0), own.std(axis=0)
    deviation = np.where(deviation > 1e-12 * np.maximum(np.abs(mean), 1e-12), deviation, 1.0)
    if problem.kind != "regression":
        return Scaling(mean, deviation)
    y = rows.y[learned]
    return Scaling(mean, deviation, float(y.std()) or 1.0, float(y.mean()))
