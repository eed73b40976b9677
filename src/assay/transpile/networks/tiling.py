"""How calls become positions: neighbours that read the same values join, calls that are too wide part."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.flow import ZERO
from assay.transpile.networks.quantise import IntegerCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.transpile.networks.plan import Row

_MOST_TILES = 24  # shapes of a tile that are tried


@dataclass(frozen=True)
class Width:
    """What a layout tries: columns of the matrix, and the most outputs of a tile."""

    columns: int
    tile: int


def tiled(calls: list[IntegerCall], width: Width, level: dict[int, int]) -> list[IntegerCall]:
    """The positions of a layout.

    Parameters
    ----------
    level
        Of each value, above those it needs: calls may only join if none reads what another makes.
    """
    narrow = [part for call in calls for part in _parts(call, width.columns)]
    groups: dict[tuple[object, ...], list[IntegerCall]] = {}
    for call in narrow:
        reads = max((level[read] for read in call.reads.tolist() if read > ZERO), default=0)
        # Calls that read only the constant never wait for one another.
        groups.setdefault((call.layer, len(call.place), call.key if call.layer >= 0 else 0, reads), []).append(call)
    made: list[IntegerCall] = []
    for members in groups.values():
        made += _joined(members, width) if len(members) > 1 else members
    return made


def _parts(call: IntegerCall, columns: int) -> Iterator[IntegerCall]:
    """A call of at most so many columns; parts leave out what none of their outputs needs."""
    width = len(call.outputs)
    for start in range(0, width, columns):
        outputs = call.outputs[start : start + columns]
        if any(row is not None for row in outputs):
            weights = call.weights[:, start : start + columns]
            used = weights.any(axis=1)
            place = call.place if width <= columns else (*call.place, start)
            yield IntegerCall(call.reads[used], weights[used], outputs, call.layer, place)


def _joined(members: list[IntegerCall], width: Width) -> list[IntegerCall]:
    outputs = len(members[0].outputs)
    most = max(width.tile // outputs, 1)
    if most == 1:
        return members
    best: list[IntegerCall] | None = None
    for tiles in _shapes(members, most):
        pattern: _Pattern | None = None
        found = []
        for tile in sorted(tiles, key=_padding):
            if pattern is None or not pattern.fits(tile):
                pattern = _Pattern(tile)
            found.append(pattern.join(tile))
        if best is None or _cost(found) < _cost(best):
            best = found
    return best or members


def _cost(calls: list[IntegerCall]) -> tuple[int, int]:
    """Rows, then slots."""
    return sum(call.rows for call in calls), sum(
        len(reads) for reads in {call.key: call.reads for call in calls}.values()
    )


Tile = dict[tuple[int, ...], IntegerCall]  # calls by their place in the tile


def _padding(tile: Tile) -> tuple[int, int]:
    """Complete tiles first, then those with the least padding: their pattern fits the others."""
    return -len(tile), sum(int((call.reads == ZERO).sum()) for call in tile.values())


def _shapes(members: list[IntegerCall], most: int) -> Iterator[list[Tile]]:
    """Ways to cut a grid of calls into tiles."""
    places = [member.place for member in members]
    spatial = len(places[0]) - 2
    if spatial < 1:
        members = sorted(members, key=lambda member: member.key)  # equal ones together, so that tiles repeat
        yield [dict(enumerated(members[start : start + most])) for start in range(0, len(members), most)]
        return
    extents = [max(place[2 + axis] for place in places) + 1 for axis in range(spatial)]
    shapes = [shape for shape in itertools.product(*map(_sides, extents)) if np.prod(shape) <= most]
    shapes.sort(key=lambda shape: (-int(np.prod(shape)), max(shape) - min(shape)))
    for shape in shapes[:_MOST_TILES]:
        tiles: dict[tuple[int, ...], Tile] = {}
        for member in members:
            place = tuple(at // side for at, side in zip(member.place[2:], shape, strict=True))
            within = tuple(at % side for at, side in zip(member.place[2:], shape, strict=True))
            tiles.setdefault((*member.place[:2], *place), {})[within] = member
        yield list(tiles.values())


def _sides(extent: int) -> list[int]:
    """Sides of tiles: the least that cuts an extent into as many parts."""
    return sorted({-(-extent // parts) for parts in range(1, extent + 1)})


def enumerated(members: list[IntegerCall]) -> Iterator[tuple[tuple[int, ...], IntegerCall]]:
    """Calls of no grid, by their number."""
    return (((index,), member) for index, member in enumerate(members))


class _Pattern:
    """Which reads of a tile's calls are one, and the weights that follow; others of the shape can use a part of it."""

    def __init__(self, tile: Tile) -> None:
        slots: dict[object, int] = {}
        self.slot = {
            within: [
                slots.setdefault(read if read != ZERO else (within, place), len(slots))
                for place, read in enumerate(call.reads.tolist())
            ]
            for within, call in tile.items()
        }
        self.slots = len(slots)
        self.key = {within: call.key for within, call in tile.items()}
        self.column: dict[tuple[int, ...], int] = {}
        columns = sum(len(call.outputs) for call in tile.values())
        self.weights = np.zeros((self.slots, columns), dtype=np.int64)
        start = 0
        for within, call in tile.items():
            self.column[within] = start
            # Not by assignment: a window over a repeated edge reads one value more than once.
            np.add.at(self.weights[:, start : start + len(call.outputs)], self.slot[within], call.weights)
            start += len(call.outputs)

    def fits(self, tile: Tile) -> bool:
        """Whether another tile's reads can share these slots."""
        if any(self.key.get(within) != call.key for within, call in tile.items()):
            return False
        seen: dict[int, int] = {}
        return all(
            read == ZERO or seen.setdefault(slot, read) == read
            for within, call in tile.items()
            for slot, read in zip(self.slot[within], call.reads.tolist(), strict=True)
        ) and self._whole(tile, seen)

    def _whole(self, tile: Tile, seen: dict[int, int]) -> bool:
        """Whether padding is padding to all calls that share its slot."""
        return all(
            read != ZERO or slot not in seen
            for within, call in tile.items()
            for slot, read in zip(self.slot[within], call.reads.tolist(), strict=True)
        )

    def join(self, tile: Tile) -> IntegerCall:
        """The position of a tile that fits."""
        reads = np.zeros(self.slots, dtype=np.int64)
        outputs: list[Row | None] = [None] * self.weights.shape[1]
        for within, call in tile.items():
            reads[self.slot[within]] = call.reads
            start = self.column[within]
            outputs[start : start + len(call.outputs)] = call.outputs
        first = next(iter(tile.values()))
        return IntegerCall(reads, self.weights, outputs, first.layer, first.place)
