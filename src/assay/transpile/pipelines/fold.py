"""scikit-learn pipelines: what stands before the model is folded into it, exactly.

Every step known here maps each column by itself and keeps its order, rounding included. So the values that a split
sends left are all values up to a largest one, which is found by bisection over the doubles with the pipeline's own
`transform`: the folded split decides as the pipeline does for every double, whatever its scalers round.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.circuit.keys import float32_keys, float64_keys, flush_zero, keys_to_float32, keys_to_float64
from assay.transpile.ensemble import Ensemble, Linear
from assay.transpile.errors import ModelUnsupported
from assay.transpile.importers import importers, xgboost
from assay.transpile.importers.check import malformed
from assay.transpile.importers.own import refuse_overrides
from assay.transpile.importers.wrappers import is_pipeline, steps_of, unwrapped
from assay.transpile.pipelines.encoders import Given, regions, tables, values_of
from assay.transpile.pipelines.routes import Route, routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.transpile.ensemble import Precision, RawTree, Source

    Floats = NDArray[np.float64]


def read(model: Any, iterations: int | None, precision: Precision) -> Source:
    """Read a fitted model, the best one of a search, or a pipeline.

    Parameters
    ----------
    model
        The object.
    iterations
        Boosting rounds to use; None for those that the model's own predict uses.
    precision
        What the rows hold: a scaler's own arithmetic is float32 on float32 rows.

    Raises
    ------
    ModelUnsupported
        If a step is not known, or cannot be folded exactly into the model.
    """
    model = unwrapped(model)
    if not is_pipeline(model):
        return importers.read_model(model, iterations)
    refuse_overrides(model, "sklearn")
    steps = steps_of(model)
    if not steps:
        raise ModelUnsupported("the pipeline is empty", "Pass a fitted model.")
    *before, last = steps
    source = read(last, iterations, precision)
    if before:
        width = getattr(before[0], "n_features_in_", None)
        if not isinstance(width, int):
            raise ModelUnsupported(f"the {type(before[0]).__name__} of the pipeline is not fitted", "Call fit first.")
        ways = routes(before, width)
        if len(ways) != len(source.features):
            raise ModelUnsupported("the pipeline's last step is for another number of features", "Fit it again.")
        names = _names(before[0], width)
        if isinstance(source, Linear):
            source = _fold_linear(source, ways, names)
        else:
            given = Given(model, names, ways)
            source = _fold_trees(source, ways, names, given, precision)
    source.meta["model"] = f"Pipeline({', '.join(type(step).__name__ for step in steps)})"
    return source


def _names(first: Any, width: int) -> list[str]:
    names = getattr(first, "feature_names_in_", None)
    return [f"f{index}" for index in range(width)] if names is None else [str(name) for name in names]


def _fills(ways: list[Route], width: int) -> dict[int, float]:
    """What missing values of each column of the rows become; one number for all that is made of it."""
    used = {way.source for way in ways}
    # A column that no step passes on may hold anything.
    fills = {source: 0.0 for source in range(width) if source not in used}
    coded = {way.source for way in ways if way.coded}
    for way in ways:
        if way.source in coded:
            continue  # every node says what a missing value means there
        given = [other.fill for other in ways if other.source == way.source]
        if any(fill != given[0] for fill in given):
            raise ModelUnsupported(
                "the pipeline fills the missing values of one column in two ways", "Fill them in one way."
            )
        if way.fill is not None:
            fills[way.source] = way.fill
    return fills


def _fold_linear(linear: Linear, ways: list[Route], names: list[str]) -> Linear:
    if any(way.coded for way in ways):
        raise ModelUnsupported(
            "an encoder or an indicator before a linear model is not supported: it makes several columns of one, and a "
            "proof weighs each number of a row once",
            "Pass the last step alone (pipeline[-1]), and rows that the others have made (pipeline[:-1].transform).",
        )
    if any(way.clipped for way in ways):
        raise ModelUnsupported("the MinMaxScaler clips", "Use clip=False.")
    weights = np.zeros((len(linear.weights), len(names)))
    base = linear.base.copy()
    for place, way in enumerate(ways):
        weights[:, way.source] += linear.weights[:, place] * way.factor
        base += linear.weights[:, place] * way.offset
    return replace(linear, weights=weights, base=base, features=names, fill=_fills(ways, len(names)))


def _fold_trees(
    ensemble: Ensemble,
    ways: list[Route],
    names: list[str],
    given: Given,
    precision: Precision,
) -> Ensemble:
    if ensemble.categories:
        raise ModelUnsupported(
            "the pipeline's model records values of categories", "Train it alone, or on numbers in their place."
        )
    scaled = any(way.scaled and not way.coded for way in ways)
    coding = _Coding(ensemble, ways, given, len(names))
    _refuse_others(ensemble, scaled=scaled, coded=bool(coding.tables))
    splits = _Splits(ensemble, ways, len(names), given.transformed, precision) if scaled else None
    fill = _fills(ways, len(names))
    missing = ensemble.missing
    if len(fill) == len(names):
        missing = "refuse"
    elif coding.tables or (scaled and missing == "zero"):
        # What is read as 0 is the scaled value; every node says which way that goes.
        missing = "directions"
    return replace(
        ensemble,
        trees=[_fold_tree(coding.folded(tree), ways, splits) for tree in ensemble.trees],
        features=names,
        categories=values_of(ways, given),
        required=coding.required(fill),
        # Folded splits are of the form x <= t.
        strict=ensemble.strict and not scaled,
        flush_tiny=ensemble.flush_tiny and not scaled,
        reads=precision if scaled else ensemble.reads,
        missing=missing,
        fill=fill,
    )


class _Coding:
    """Splits of columns that encoders and indicators make, as splits of their source."""

    def __init__(self, ensemble: Ensemble, ways: list[Route], given: Given, width: int) -> None:
        self.ensemble, self.ways = ensemble, ways
        self.tables = tables(given, ways, width)
        self.known = given.known
        self.sparse = False
        if not self.tables:
            return
        self.sparse = given.sparse and ensemble.meta.get("library") == xgboost.NAME
        if self.sparse and not all(way.coded for way in ways):
            raise ModelUnsupported(
                "the pipeline hands XGBoost sparse rows, in which it takes every zero for a missing value",
                "Fit it with ColumnTransformer(sparse_threshold=0), or OneHotEncoder(sparse_output=False).",
            )

    def required(self, fill: dict[int, float]) -> frozenset[int]:
        """Columns that may not be missing, where others may: the pipeline refuses them, or what it makes of them."""
        coded = {way.source for way in self.ways if way.coded}
        if not coded:
            return self.ensemble.required
        found = {
            self.ways[place].source
            for place, table in self.tables.items()
            if table.missing is None or (np.isnan(table.missing) and self.ensemble.missing == "refuse")
        }
        if self.ensemble.missing == "refuse":
            found |= {way.source for way in self.ways} - coded - set(fill)
        return frozenset(found)

    def folded(self, raw: RawTree) -> RawTree:
        """The tree with splits of the sources: by their code, or by whether they are missing."""
        if not self.tables:
            return raw
        categories, threshold, default_left = dict(raw.categories), raw.threshold.copy(), raw.default_left.copy()
        for node, place in enumerate(raw.feature.tolist()):
            table = self.tables.get(place)
            if table is None:
                continue
            absent = np.nan if table.missing is None else table.missing
            *sides, missing = self._sides(np.array([*table.values, absent]), raw, node)
            default_left[node] = missing
            if not sides:
                continue
            if self.ways[place].source in self.known:
                categories[node] = regions(sides, missing)
            else:
                # Every number goes the same way.
                threshold[node] = np.inf if sides[0] else -np.inf
        return replace(raw, threshold=threshold, default_left=default_left, categories=categories)

    def _sides(self, values: Floats, raw: RawTree, node: int) -> list[bool]:
        """Whether the model's library sends values to the left of a node."""
        limits = np.full(len(values), raw.threshold[node])
        absent = np.isnan(values) | (self.sparse & (values == 0.0))
        read = np.where(absent, 0.0, values)
        left = np.where(
            absent & ((self.ensemble.missing == "directions") | self.sparse),
            raw.default_left[node],
            goes_left(self.ensemble, read, limits),
        )
        return [bool(one) for one in left]


def _refuse_others(ensemble: Ensemble, *, scaled: bool, coded: bool) -> None:
    """Refuse what the model itself does with values, where other ones reach it than those of the rows."""
    zeros = any(tree.zero_missing is not None and tree.zero_missing.any() for tree in ensemble.trees)
    own = zeros or any(tree.categories for tree in ensemble.trees) or ensemble.missing_value is not None
    if scaled and own:
        raise ModelUnsupported(
            "a scaler stands before a model with categories, or with zeros or another number as missing values",
            "Train the model without the scaler: trees need none.",
        )
    if coded and own:
        raise ModelUnsupported(
            "an encoder stands before a model with categories, or with zeros or another number as missing values",
            "Train the model on what the encoder gives, as numbers.",
        )


def _fold_tree(raw: RawTree, ways: list[Route], splits: _Splits | None) -> RawTree:
    inner = raw.feature >= 0
    if (raw.feature[inner] >= len(ways)).any():
        raise malformed("the pipeline's model", "a split names a column that is not there")
    sources = np.array([way.source for way in ways], dtype=np.int64)
    feature = np.where(inner, sources[np.where(inner, raw.feature, 0)], -1)
    if splits is None:
        return replace(raw, feature=feature)
    return replace(raw, feature=feature, threshold=splits.of(raw))


class _Splits:
    """The largest number of the rows that each split of a model sends left."""

    def __init__(
        self,
        ensemble: Ensemble,
        ways: list[Route],
        width: int,
        transform: Callable[[Floats], Floats],
        precision: Precision,
    ) -> None:
        self.ensemble, self.ways, self.width, self.transform = ensemble, ways, width, transform
        self.double = precision == "float64"
        self.found: dict[tuple[int, float], float] = {}
        for turn in self._turns():
            self._search(turn, self._limits(turn))

    def of(self, raw: RawTree) -> Floats:
        """Thresholds of a tree after folding, in the order of its nodes."""
        pairs = zip(raw.feature.tolist(), raw.threshold.tolist(), strict=True)
        # Those of encoders and indicators are done.
        return np.array([self.found.get(pair, pair[1]) for pair in pairs], dtype=np.float64)

    def _turns(self) -> list[list[int]]:
        """The model's columns in groups that have no source in common: a row has one value of each."""
        turns: list[list[int]] = []
        for place, way in enumerate(self.ways):
            if way.coded:
                continue
            fits = (turn for turn in turns if all(self.ways[other].source != way.source for other in turn))
            turn = next(fits, None)
            if turn is None:
                turns.append([place])
            else:
                turn.append(place)
        return turns

    def _limits(self, turn: list[int]) -> list[Floats]:
        """The thresholds on each of these columns."""
        wanted: dict[int, set[float]] = {place: set() for place in turn}
        for raw in self.ensemble.trees:
            for feature, threshold in zip(raw.feature.tolist(), raw.threshold.tolist(), strict=True):
                if feature in wanted:
                    wanted[feature].add(threshold)
        return [np.array(sorted(wanted[place]), dtype=np.float64) for place in turn]

    def _search(self, turn: list[int], limits: list[Floats]) -> None:
        """Bisection over the keys of all finite numbers, for all thresholds of these columns at once."""
        depth = max(map(len, limits), default=0)
        if not depth:
            return
        kind = np.float64 if self.double else np.float32
        keys, values = (float64_keys, keys_to_float64) if self.double else (float32_keys, keys_to_float32)
        ends = np.array([-np.finfo(kind).max, np.finfo(kind).max], dtype=kind)
        least, most = self._taken(turn, ends, keys, values)
        table = np.full((depth, len(turn)), np.inf)
        for column, own in enumerate(limits):
            table[: len(own), column] = own
        # All keys below `low` go left, and none from `high` on does.
        low, high = np.broadcast_to(least, table.shape), np.broadcast_to(most + np.uint64(1), table.shape)
        while (low < high).any():
            middle = low + (high - low) // np.uint64(2)
            rows = np.zeros((depth, self.width), dtype=kind)
            rows[:, [self.ways[place].source for place in turn]] = values(np.minimum(middle, most))
            left = goes_left(self.ensemble, self.transform(rows)[:, turn], table) & (middle <= most)
            open_ = low < high
            low = np.where(open_ & left, middle + np.uint64(1), low)
            high = np.where(open_ & ~left, middle, high)
        for column, place in enumerate(turn):
            for row, limit in enumerate(limits[column].tolist()):
                key = low[row, column]
                beyond = key > most[column], key == least[column]
                last = np.inf if beyond[0] else -np.inf if beyond[1] else float(values(key - np.uint64(1)))
                self.found[place, limit] = last

    def _taken(
        self, turn: list[int], ends: NDArray[Any], keys: Callable[..., Any], values: Callable[..., Any]
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """The keys of the least and the greatest number of each column that the steps take: beyond, one of them
        overflows, and the next refuses what is infinite, as it does in the pipeline's own predict.
        """
        kind = ends.dtype
        full = np.zeros((2, self.width), dtype=kind)
        full[:, [self.ways[place].source for place in turn]] = ends[:, np.newaxis]
        found = np.repeat(keys(ends)[:, np.newaxis], len(turn), axis=1)
        if self._takes(full):
            return found[0], found[1]
        zero = keys(np.zeros(1, dtype=kind))[0]
        for end in (0, 1):
            for column, place in enumerate(turn):
                inside, outside = zero, found[end, column]
                row = np.zeros((1, self.width), dtype=kind)
                while inside != outside:
                    # Half way, rounded away from the middle, so that the last step tries the end itself.
                    step = max(inside, outside) - min(inside, outside)
                    half = step // np.uint64(2) + step % np.uint64(2)
                    tried = inside + half if end else inside - half
                    row[0, self.ways[place].source] = values(tried[np.newaxis])[0]
                    if self._takes(row):
                        inside = tried
                    else:
                        outside = tried - np.uint64(1) if end else tried + np.uint64(1)
                found[end, column] = inside
        return found[0], found[1]

    def _takes(self, rows: Floats) -> bool:
        try:
            self.transform(rows)
        except ValueError:
            return False
        return True


def goes_left(ensemble: Ensemble, values: Floats, limits: Floats) -> NDArray[np.bool_]:
    """Whether values are below limits, as the model's library decides."""
    with np.errstate(over="ignore"):
        read: NDArray[Any] = values.astype(np.float32 if ensemble.reads == "float32" else np.float64)
    limits = flush_zero(limits) if ensemble.flush_tiny else limits
    return np.asarray(read < limits if ensemble.strict else read <= limits)
