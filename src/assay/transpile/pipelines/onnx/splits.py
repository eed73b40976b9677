"""Which values of a feature each split sends to its true branch, found with onnxruntime's own arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.categorical import Category
from assay.transpile.circuit.keys import float32_keys, float64_keys, keys_to_float32, keys_to_float64

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from assay.transpile.pipelines.onnx.columns import Column

    Floats = NDArray[np.float64]
    Keys = NDArray[np.uint64]
    Transform = Callable[[Floats], Floats]

_CHUNK = 1 << 22  # numbers that are asked at once
_ONE = np.uint64(1)
COMPARE = {
    "BRANCH_LEQ": np.less_equal,
    "BRANCH_LT": np.less,
    "BRANCH_GTE": np.greater_equal,
    "BRANCH_GT": np.greater,
    "BRANCH_EQ": np.equal,
    "BRANCH_NEQ": np.not_equal,
}
MEMBER = "BRANCH_MEMBER"
_EQUAL = {"BRANCH_EQ", "BRANCH_NEQ", MEMBER}


@dataclass(frozen=True)
class Split:
    """A comparison of the model: column, what it is compared with, and how; missing numbers are true if `tracks`.

    `members` are the values that are true where the mode asks for a set.
    """

    column: int
    threshold: float
    mode: str
    tracks: bool
    members: tuple[float, ...] = ()

    @property
    def ends(self) -> list[Split]:
        """Of one that asks for single values, the comparisons with them between which they lie."""
        return [
            Split(self.column, value, mode, self.tracks)
            for value in (self.members or (self.threshold,))
            for mode in ("BRANCH_LT", "BRANCH_LEQ")
        ]


@dataclass(frozen=True)
class Found:
    """The regions of a feature's values, by turns true and false, and where a missing one goes."""

    regions: Category
    missing: bool


@dataclass(frozen=True)
class Rows:
    """How columns come of rows.

    Attributes
    ----------
    columns
        What the trees read.
    width
        F, of the rows.
    transform
        float64[B, F] to those columns.
    compared
        The type in which the model compares.
    double
        Whether rows hold doubles; else float32.
    texts
        Of features that are text the values known; a row has their places.
    """

    columns: Sequence[Column]
    width: int
    transform: Transform
    compared: str
    double: bool
    texts: Mapping[int, Sequence[str]]

    def keys(self, values: Any) -> Keys:
        """Of values of features."""
        return float64_keys(values) if self.double else float32_keys(values)

    def values(self, keys: Keys) -> Floats:
        """Of keys."""
        return np.asarray(keys_to_float64(keys) if self.double else keys_to_float32(keys), dtype=np.float64)


def find(rows: Rows, splits: Sequence[Split], required: set[int]) -> dict[Split, Found]:
    """The regions of every split.

    Values of a monotone column that equal a number lie between those below it and those not above it, so they are
    looked for there. Features in `required` are never missing.
    """
    distinct = list(dict.fromkeys(splits))
    source = {split: rows.columns[split.column].source for split in distinct}
    equal = [split for split in distinct if split.mode in _EQUAL and source[split] not in rows.texts]
    ends = {split: split.ends for split in equal}
    near = _search(rows, [end for pair in ends.values() for end in pair], {})
    more = {split: [key for end in pair for key in near[end][0]] for split, pair in ends.items()}
    changes = _search(rows, distinct, more)
    absent = np.array([0.0 if source[split] in required else np.nan for split in distinct])
    missing = _Asked(rows, distinct).sides(np.arange(len(distinct)), absent)
    return {
        split: Found(
            _regions(rows.values(np.array(changes[split][0], dtype=np.uint64)), first=changes[split][1], missing=side),
            side,
        )
        for split, side in zip(distinct, missing.tolist(), strict=True)
    }


def _regions(last: Floats, *, first: bool, missing: bool) -> Category:
    if not len(last) and first != missing:  # what no number does, a region of none: above infinity
        last = np.array([np.inf])
    return Category(tuple(last.tolist()), tuple(first ^ bool(turn % 2) for turn in range(len(last) + 1)))


def _search(rows: Rows, splits: list[Split], more: Mapping[Split, list[int]]) -> dict[Split, tuple[list[int], bool]]:
    """The last key of each region but the highest, and the side of the lowest."""
    if not splits:
        return {}
    asked = _Asked(rows, splits)
    tries = [_candidates(rows, split, more.get(split, [])) for split in splits]
    owner = np.repeat(np.arange(len(splits)), [len(keys) for keys in tries])
    keys = np.concatenate(tries)
    sides = asked.sides(owner, rows.values(keys))
    change = np.flatnonzero((owner[1:] == owner[:-1]) & (sides[1:] != sides[:-1]))
    low, high, who, left = keys[change], keys[change + 1], owner[change], sides[change]
    # Between the places of two texts there is none.
    open_ = np.array([rows.columns[splits[index].column].source not in rows.texts for index in who.tolist()], np.bool_)
    while ((high - low > _ONE) & open_).any():
        middle = low + (high - low) // np.uint64(2)
        same = asked.sides(who, rows.values(middle)) == left
        low, high = np.where(same & open_, middle, low), np.where(~same & open_, middle, high)
    first = sides[np.searchsorted(owner, np.arange(len(splits)))]
    return {split: (low[who == index].tolist(), bool(first[index])) for index, split in enumerate(splits)}


def _candidates(rows: Rows, split: Split, more: list[int]) -> Keys:
    column = rows.columns[split.column]
    if column.source in rows.texts:
        return rows.keys(np.arange(max(len(rows.texts[column.source]), 1), dtype=np.float64))
    largest = np.finfo(np.float64 if rows.double else np.float32).max
    ends = rows.keys(np.array([-np.inf, np.inf]))
    found = rows.keys(np.array([-largest, 0.0, largest, *sorted(column.cuts)]))
    # Of both kinds of whole numbers NumPy would make floats, which hold no key of 64 bits.
    near = np.concatenate([found.astype(np.uint64), np.array(more, dtype=np.uint64)])
    return np.unique(np.clip(np.concatenate([ends, near, near - _ONE, near + _ONE]), ends[0], ends[1]))


class _Asked:
    """Whether values of their features make splits true."""

    def __init__(self, rows: Rows, splits: Sequence[Split]) -> None:
        self._rows = rows
        self._column = np.array([split.column for split in splits], dtype=np.int64)
        self._source = np.array([rows.columns[split.column].source for split in splits], dtype=np.int64)
        self._limit = np.array([split.threshold for split in splits]).astype(rows.compared)
        self._mode = np.array([split.mode for split in splits])
        self._members = {
            index: np.array(split.members).astype(rows.compared)
            for index, split in enumerate(splits)
            if split.mode == MEMBER
        }
        self._tracks = np.array([split.tracks for split in splits], dtype=np.bool_)

    def sides(self, owner: NDArray[np.int64], values: Floats) -> NDArray[np.bool_]:
        """Of each value for the split that owns it."""
        found = np.zeros(len(values), dtype=np.bool_)
        step = max(_CHUNK // (self._rows.width + len(self._rows.columns)), 1)
        for start in range(0, len(values), step):
            who = owner[start : start + step]
            lines = np.arange(len(who))
            rows = np.zeros((len(who), self._rows.width))
            rows[lines, self._source[who]] = values[start : start + step]
            with np.errstate(over="ignore"):
                read = self._rows.transform(rows)[lines, self._column[who]].astype(self._rows.compared)
            side = self._tracks[who] & np.isnan(read)
            for mode, compare in COMPARE.items():
                side |= (self._mode[who] == mode) & compare(read, self._limit[who])
            for number in set(who.tolist()) & set(self._members):
                side |= (who == number) & np.isin(read, self._members[number])
            found[start : start + step] = side
        return found
