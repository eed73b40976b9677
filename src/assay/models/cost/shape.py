"""How large a model is, and the shape that its circuit will have: what a proof's cost depends on.

The shape of a tree circuit is chosen by the prover (`crates/circuit/src/plan.rs`; the names are those of
docs/spec/protocol.md, section 4.1). The same choice is made here from a size alone, before there is a model;
a test compares the two.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

# As in the prover: what a committed limb column costs, in table rows.
_LIMB_COST = 4000
_LARGEST_LOG_TABLE = 24
_SMALLEST_BLOCK = 16
_SMALLEST_LINEAR_STRIDE = 16
_OUTPUTS_PACKED = 4
_LINEAR_OUTPUTS_PACKED = 2


class Size(BaseModel):
    """What a model's cost depends on.

    Attributes
    ----------
    kind
        "trees", "linear" or "network".
    features
        F, inputs of a row.
    outputs
        K, numbers that a proof shows of a row.
    views
        Trees: how often a feature appears with another rule for missing values, over all features.
    trees
        Trees that are summed, over all outputs.
    depth
        Comparisons on the longest path.
    nodes
        Nodes of all trees below the root and above the last level; those have a row in the table.
    bottom
        Nodes of all trees on the last level; they have a row where the prover rounds the depth up.
    rows, table, slots, columns, limbs
        Networks: rows of the witness in use, rows of the public table, the two sides of the hidden matrix, and how many
        limbs a remainder has.
    wide
        Whether an input word has 64 bits instead of 32: a feature is compared as a large integer.
    private
        Whether the rows are hidden.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["trees", "linear", "network"]
    features: int
    outputs: int = 1
    views: int = 0
    trees: int = 0
    depth: int = 0
    nodes: int = 0
    bottom: int = 0
    rows: int = 0
    table: int = 0
    slots: int = 0
    columns: int = 0
    limbs: int = 2
    wide: bool = False
    private: bool = False

    def times(self, factor: float) -> Size:
        """The size of so many times as many trees like these."""
        counts = {name: round(factor * getattr(self, name)) for name in ("trees", "nodes", "bottom")}
        return self.model_copy(update=counts)


class Shape(BaseModel):
    """The shape of one proof of one row: `n = stride * groups`, table `N`, its ratio `q`, limbs `L`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stride: int
    groups: int
    table: int = 0
    ratio: int = 0
    limbs: int = 0

    @property
    def block(self) -> int:
        """Rows of the witness for one row of input, `S`."""
        return self.stride * self.groups

    @property
    def pack_width(self) -> int:
        """How many columns may share a commitment (protocol.md, 4.3): a pack is no longer than the table."""
        return max(self.table // self.block, 1)


@lru_cache(maxsize=4096)
def shape(size: Size) -> Shape:
    """The shape of the circuit of a model of this size."""
    if size.kind == "linear":
        packed = 1 if size.outputs == 1 else -(-size.outputs // _LINEAR_OUTPUTS_PACKED)
        return Shape(stride=max(_SMALLEST_LINEAR_STRIDE, power_of_two(size.features + 2)), groups=power_of_two(packed))
    # Pairs of views need an even number of input slots, which an odd depth leaves.
    pairs = size.private and size.views > size.features
    depth = max(size.depth, 1) | (1 if pairs else 0)
    nodes = size.nodes + (size.bottom if depth > size.depth else 0)
    stride, groups = _block(size, depth, pairs=pairs)
    table, ratio, limbs = _table(nodes + groups, 64 if size.wide else 32)
    return Shape(stride=stride, groups=groups, table=table, ratio=ratio, limbs=limbs)


def power_of_two(least: int) -> int:
    """The least power of two that is not below `least`."""
    return 1 << max(least - 1, 0).bit_length()


def _block(size: Size, depth: int, *, pairs: bool) -> tuple[int, int]:
    """The smallest block that holds all trees' steps and all input entries."""
    output_groups = -(-size.outputs // _OUTPUTS_PACKED)
    trees = -(-size.trees // output_groups) * output_groups
    entries = 1 + (size.features if pairs else size.views)
    least = power_of_two(depth + 2)
    found = []
    for stride in (least, 2 * least, 4 * least):
        slots = stride - depth - 1
        if pairs and slots % 2:
            continue
        usable = slots // 2 if pairs else slots
        groups = power_of_two(max(trees, -(-entries // usable), _SMALLEST_BLOCK // stride + 1))
        found.append((stride * groups, stride, groups))
    _, stride, groups = min(found)
    return stride, groups


def _table(nodes: int, bits: int) -> tuple[int, int, int]:
    """Table size `N`, ratio `q` and limbs `L` with the least work."""
    best: tuple[int, tuple[int, int, int]] | None = None
    for log in range(5, _LARGEST_LOG_TABLE + 1):
        table = 1 << log
        for ratio in (2, 4, 8):
            base = table // ratio - 1
            if table - table // ratio < nodes or base < 3:
                continue
            limbs = next((count for count in range(1, 10) if base**count >= 1 << bits), None)
            if limbs is None:
                continue
            cost = 3 * table + _LIMB_COST * (limbs + -(-limbs // 3))
            if best is None or cost < best[0]:
                best = (cost, (table, ratio, limbs))
    # More nodes than the largest table has rows: the prover refuses it, and no limit is met by this.
    return best[1] if best else (1 << _LARGEST_LOG_TABLE, 2, 2)
