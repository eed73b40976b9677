"""`Circuit`: a model as integers, ready for `assay.setup`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from assay.core import files
from assay.core.shown import Shown
from assay.transpile.circuit.answers import Answers
from assay.transpile.circuit.keys import FLOAT_BITS, WORD_BITS
from assay.transpile.errors import CircuitMalformed

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from assay.transpile.categorical import Values
    from assay.transpile.circuit.network.network import Network

FILE_NAME = "circuit.json"
SCHEMA = "assay-circuit/1"

Kind = Literal["trees", "linear", "network"]
Inputs = Literal["public", "private"]
FeatureKind = Literal["float32", "float64", "integer", "fixed"]
Missing = Literal["low", "high", "zero", "refuse"]


@dataclass(frozen=True)
class Feature:
    """An input.

    Attributes
    ----------
    name
        For people; values are matched by it in data frames.
    kind
        "float32" and "float64": the word is the value's key; "integer": ``x - low``; "fixed":
        ``round(x * 2^bits) - low``, in a linear model.
    low, high
        The integers allowed, both included; 0 and 2^32 - 1 for float32, 0 and 2^64 - 1 for float64.
    bits
        Fixed point only.
    categories
        Of a categorical feature whose values the model records: rows give values, the word is the code's key.
    fill
        What the model reads in place of a missing value; the word is that number's. None: the views say.
    """

    name: str
    kind: FeatureKind = "float32"
    low: int = 0
    high: int = (1 << FLOAT_BITS) - 1
    bits: int = 0
    categories: Values | None = None
    fill: float | None = None


@dataclass(frozen=True)
class View:
    """A feature with a rule for its missing values.

    "low" sorts them below everything, "high" above everything, "zero" reads them as 0.0, "refuse" does
    not take them. With `zero_missing` values of at most 1e-35 are missing too.
    """

    feature: int
    missing: Missing
    zero_missing: bool = False


@dataclass
class Tree:
    """``n`` nodes, parents before children; node 0 is the root.

    Attributes
    ----------
    view
        int32[n]; -1 marks a leaf.
    key
        uint64[n]; left if and only if the view's key is below it.
    left, right
        int32[n].
    leaf
        int64[n, K].
    """

    view: NDArray[np.int32]
    key: NDArray[np.uint64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    leaf: NDArray[np.int64]

    def depths(self) -> NDArray[np.int64]:
        """Comparisons above each node."""
        depth = np.zeros(len(self.view), dtype=np.int64)
        for node in np.flatnonzero(self.view >= 0):
            depth[self.left[node]] = depth[self.right[node]] = depth[node] + 1
        return depth

    def depth(self) -> int:
        """Comparisons on the longest path."""
        return int(self.depths().max())


@dataclass(repr=False)
class Circuit(Shown):
    """A model as integers: the artefact that `transpile` makes and `setup` takes.

    Attributes
    ----------
    kind
        "trees", "linear" or "network".
    inputs
        Whether the rows are public in a proof, or hidden behind a commitment.
    features
        F inputs.
    outputs
        K names.
    scale_bits
        An output is ``integer * 2^-scale_bits``.
    base
        K integers, added to the sums.
    views, trees
        Of a tree ensemble.
    weights
        K lists of F integers, of a linear model.
    network
        Rows, tables and weights, of a network.
    meta
        Facts that are not proven: library, objective, link, class labels.
    missing_value
        A number that stands for a missing value in rows, besides None and NaN.
    """

    kind: Kind
    inputs: Inputs
    features: list[Feature]
    outputs: list[str]
    scale_bits: int
    base: list[int]
    views: list[View] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)
    weights: list[list[int]] = field(default_factory=list)
    network: Network | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    missing_value: float | None = None

    @property
    def bits(self) -> int:
        """Bits of an input word: 32 if all features are float32, else 64."""
        return FLOAT_BITS if all(feature.kind == "float32" for feature in self.features) else WORD_BITS

    @property
    def depth(self) -> int:
        """Comparisons on the longest path of any tree; 0 for a linear model."""
        return max((tree.depth() for tree in self.trees), default=0)

    @property
    def answers(self) -> Answers:
        """What the outputs mean: classes, probabilities, units. Not proven."""
        return Answers.of(self.meta, len(self.outputs))

    @property
    def scales(self) -> dict[str, int]:
        """Features that are given divided by 10 to this power, towards zero, as task.toml says. Not proven."""
        said = self.meta.get("scales")
        names = {feature.name for feature in self.features}
        found = said.items() if isinstance(said, dict) else ()
        return {name: power for name, power in found if name in names and type(power) is int and 1 <= power <= 76}

    def encode(self, X: Any) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """Turn rows into the words that are proven.

        Parameters
        ----------
        X
            One row or many: a NumPy array, a pandas or polars data frame, a pyarrow table, or lists.
            None, NaN and `missing_value` are missing. Numbers of float32 features are rounded to float32.
            Categorical features whose values the model records are given by value; in NumPy arrays by code,
            as the libraries take them.

        Returns
        -------
        words : numpy.ndarray
            uint64[B, F]; 0 where missing.
        missing : numpy.ndarray
            bool[B, F].

        Raises
        ------
        RowsError
            Names the row and the column at fault, both counted from 0.
        """
        from assay.transpile.rows.encode import encode

        return encode(self, X)

    def evaluate(self, words: NDArray[np.uint64], missing: NDArray[np.bool_]) -> NDArray[np.object_]:
        """The exact integer outputs, as Python integers in an object array [B, K]."""
        from assay.transpile.circuit.evaluate import evaluate

        return evaluate(self, words, missing)

    def decode(self, integers: NDArray[np.object_]) -> NDArray[np.float64]:
        """Integer outputs as float64 of the same shape."""
        from assay.transpile.circuit.quantise import from_integers

        return from_integers(np.asarray(integers, dtype=object), self.scale_bits)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """What a proof will say about these rows: float64[B, K], raw margins."""
        return self.decode(self.evaluate(*self.encode(X)))

    def ended(self, X: Any) -> list[int]:
        """Rows for which a value within a network ends before the model's own does, counted from 0.

        What a proof says of them may not be what the model says; see the notes of `summary` for where values end.
        """
        from assay.transpile.circuit.evaluate import evaluator

        return evaluator(self)(*self.encode(X))[1]

    def _facts(self) -> list[tuple[str, str]]:
        from assay.transpile.circuit.summary import facts

        return facts(self)

    def summary(self) -> str:
        """A few lines for people."""
        from assay.transpile.circuit.summary import summary

        return summary(self)

    def to_dict(self) -> dict[str, Any]:
        """The circuit as JSON-compatible values; integers that may be large are decimal strings."""
        from assay.transpile.circuit.schema import to_dict

        return to_dict(self)

    def to_json(self) -> str:
        """The circuit as one line of JSON; equal circuits give equal text."""
        return json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False)

    @staticmethod
    def from_json(text: str | bytes) -> Circuit:
        """Read what `to_json` wrote; raises `CircuitMalformed` on anything else."""
        from assay.transpile.circuit.schema import from_json

        return from_json(text)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write `circuit.json` into a folder, whole or not at all; returns its path.

        It is the model, so only its user may read it (mode 0600).
        """
        path = Path(folder) / FILE_NAME
        files.write(path, self.to_json() + "\n", secret=True)
        return path

    @staticmethod
    def load(folder: str | os.PathLike[str]) -> Circuit:
        """Read `circuit.json` from a folder, or the file itself.

        Raises
        ------
        StorageError
            If there is no such file.
        CircuitMalformed
            If it holds no circuit.
        """
        path = Path(folder)
        path = path / FILE_NAME if path.is_dir() else path
        try:
            return Circuit.from_json(files.read(path))
        except CircuitMalformed as error:
            raise type(error)(f"{path}: {error.what}", error.todo) from None
