"""Public words: entries of the views, packed outputs (spec, sections 3, 4.2 and 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .curve import Point, parse_point
from .field import check
from .key import HIGH, LOW, REFUSE, ZERO, Key, View
from .transcript import word

if TYPE_CHECKING:
    from collections.abc import Sequence

# Keys of float32: the order-preserving map of the bit patterns to unsigned integers.
ZERO_KEY = 0x80000000
TINY = 0x0554AD2E  # the pattern of float32(1e-35)
TINY_LOW, TINY_HIGH = 0xFFFFFFFF - (0x80000000 | TINY), 0x80000000 | TINY


@dataclass(frozen=True)
class Statement:
    """`inputs[b][j]`: entry j (trees) or word j (linear) of row b; `outputs[b][g]`: the packed group."""

    inputs: list[list[int]]
    commitment: Point | None
    outputs: list[list[int]]


def read_words(key: Key, rows: int, words: Sequence[int]) -> Statement:
    first = 2 if key.private else rows * key.F
    # The last word is the context: any word, bound by the transcript.
    check(len(words) == first + rows * key.K + 1, "not the number of public words")
    check(all(0 <= value < 1 << 256 for value in words), "a public word is not a word")
    commitment, inputs = None, []
    if key.private:
        commitment = parse_point(word(words[0]) + word(words[1]))
    else:
        inputs = [read_row(key, words[b * key.F : (b + 1) * key.F]) for b in range(rows)]
    outputs = [pack_outputs(key, words[first + b * key.K : first + (b + 1) * key.K]) for b in range(rows)]
    return Statement(inputs, commitment, outputs)


def read_row(key: Key, row: Sequence[int]) -> list[int]:
    missing = 1 << key.bits
    for feature, value in enumerate(row):
        allowed = key.trees and all(v.missing != REFUSE for v in key.views if v.feature == feature)
        check(value < missing or (value == missing and allowed), "an input word is out of range")
    if not key.trees:
        return list(row)
    return [(j + 1 << key.W) + view_key(key, view, row[view.feature]) for j, view in enumerate(key.views)]


def view_key(key: Key, view: View, value: int) -> int:
    if value == 1 << key.bits or (view.zero_missing and TINY_LOW <= value <= TINY_HIGH):
        check(view.missing != REFUSE, "a missing value is refused")
        return {LOW: 0, HIGH: (1 << key.bits) - 1, ZERO: ZERO_KEY}[view.missing]
    return value


def pack_outputs(key: Key, row: Sequence[int]) -> list[int]:
    lanes = []
    for value in row:
        lane = (value - (1 << 256) if value >> 255 else value) + key.off
        check(0 <= lane < 1 << key.lane, "an output word is out of range")
        lanes.append(lane)
    groups = [lanes[k : k + key.lanes] for k in range(0, key.K, key.lanes)]
    return [sum(lane << key.lane * j for j, lane in enumerate(group)) for group in groups]
