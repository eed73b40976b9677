"""The rules of a network's public part (section 6 of docs/spec/networks-circuit.md), each with its number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.circuit.network.network import FIRST_SLOT, IDENTITY, INPUT_LIMIT, Network, Table
from assay.transpile.errors import CircuitMalformed

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIMIT = 1 << 52
_ID_LIMIT = 1 << 40
_SIZES = {"rows": (3, 24), "slots": (3, 24), "columns": (1, 20)}
_RANGES = {"limb_bits": (4, 16), "limbs": (1, 4), "low_bits": (1, 12), "output_bits": (0, 60), "q_shift": (0, 63)}


def check(network: Network, features: int, outputs: int) -> None:
    """Hold a network to the rules under which every input has at most one output, whatever its weights are.

    Parameters
    ----------
    features, outputs
        How many the circuit names.

    Raises
    ------
    CircuitMalformed
        Names the rule and the first row or table at fault.
    """
    _sizes(network, features, outputs)
    _tables(network)
    _special(network)
    _addresses(network)
    _positions(network)
    _weights(network)
    order(network)


def _sizes(network: Network, features: int, outputs: int) -> None:
    for name, (low, high) in _RANGES.items():
        _need(low <= getattr(network, name) <= high, 1, f"{name} is {getattr(network, name)}")
    _need(network.shift <= 40, 1, f"the shift is {network.shift} bits")
    for name, (low, high) in _SIZES.items():
        size = getattr(network, name)
        _need(1 << low <= size <= 1 << high and size & (size - 1) == 0, 1, f"{name} is {size}")
    _need(0 <= network.q_table < len(network.tables), 1, f"q_table is {network.q_table}")
    _need(1 <= network.listed <= network.rows - 1, 1, f"{network.listed} rows are listed of {network.rows}")
    _need(len(network.input_rows) == features, 1, f"there are {len(network.input_rows)} input rows")
    _need(len(network.input_centres) == features, 1, f"there are {len(network.input_centres)} input centres")
    _need(len(network.output_rows) == outputs, 1, f"there are {len(network.output_rows)} output rows")


def _tables(network: Network) -> None:
    identity = network.tables[IDENTITY]
    segments = np.arange(identity.low, identity.high)
    exact = (identity.slope == 1).all() and (identity.offset == segments << network.low_bits).all()
    _need(identity.base == 0 and identity.low <= 0 < identity.high and exact, 2, "table 0 is not the identity")
    _need(not identity.ends, 2, "table 0 has ends")
    ids = np.concatenate([table.base + np.arange(table.low, table.high) for table in network.tables])
    _need(len(np.unique(ids)) == len(ids), 2, "two tables share an id")
    _need(int(np.abs(ids).max()) < _ID_LIMIT, 2, "an id has more than 40 bits")
    for table in network.tables:
        sizes = max(int(np.abs(table.slope).max()), int(np.abs(table.offset).max()))
        _need(sizes < _LIMIT, 2, f"table {table.name} has a slope or offset of more than 52 bits")
        _need(in_lanes(table, network.low_bits), 3, f"table {table.name} has a fixed point outside the lanes")


def in_lanes(table: Table, low_bits: int) -> bool:
    """Whether ``offset + slope * l = 2^f * id + l`` only where the value is within a lane (rule 3)."""
    gap = ((table.base + np.arange(table.low, table.high)) << low_bits) - table.offset
    slope = table.slope - 1
    everywhere = (slope == 0) & (gap == 0)
    low = np.where(slope == 0, 0, gap // np.where(slope == 0, 1, slope))
    single = (slope != 0) & (low * slope == gap) & (low >= 0) & (low < 1 << low_bits)
    for low_part, holds in ((0, everywhere), ((1 << low_bits) - 1, everywhere), (low, single)):
        values = (table.offset + table.slope * low_part)[holds]
        if not ((values >= -INPUT_LIMIT) & (values < INPUT_LIMIT)).all():
            return False
    return True


def _special(network: Network) -> None:
    """Rules 8 and 9, and row 0."""
    given = [*network.input_rows, network.one_row]
    rows = [*given, *network.output_rows]
    _need(all(0 < row < network.listed for row in rows), 8, "an input or output row is not listed")
    _need(len(set(rows)) == len(rows), 8, "an input or output row stands twice")
    cells = network.cells
    for name in ("a", "b", "slot", "position", "product", "max"):
        column = getattr(cells, name)
        checked = [0, *given] if name == "a" else [0, *rows]
        _need(not column[checked].any(), 8, f"an input, output or reserved row has a {name}")
    _need((cells.column[[0, *rows]] == -1).all(), 8, "an input, output or reserved row has a column")
    multiplying = np.union1d(given, np.flatnonzero(cells.product))
    below = multiplying + 1
    _need(not np.isin(below, given).any(), 8, "an input row stands below a row that multiplies")
    after = np.array(given) + 1
    _need(not cells.b[after[after < network.listed]].any(), 8, "the row after an input row reads by b")


def _addresses(network: Network) -> None:
    cells = network.cells
    for name in ("a", "b"):
        column = getattr(cells, name)
        _refuse(np.abs(column) >= network.listed, 4, f"reads by {name} a row that is not listed")
        _refuse(np.isin(np.abs(column), network.output_rows), 4, f"reads an output row by {name}")
        queried = column[column < 0]
        _need(not cells.max[-queried].any(), 7, "the argument of a max row is read")


def _positions(network: Network) -> None:
    cells = network.cells
    own = cells.position == 0
    _refuse(cells.position < 0, 5, "has a negative position")
    _refuse(own & ((cells.slot != 0) | (cells.column != -1)), 5, "has a slot or column but no position")
    _refuse((cells.slot != 0) & ((cells.slot < FIRST_SLOT) | (cells.slot >= network.slots)), 1, "has no such slot")
    _refuse((cells.column < -1) | (cells.column >= network.columns), 1, "has no such column")
    for name, empty in (("slot", 0), ("column", -1)):
        values = getattr(cells, name)
        used = ~own & (values != empty)
        pairs = np.stack([cells.position[used], values[used]], axis=1)
        _need(len(np.unique(pairs, axis=0)) == len(pairs), 5, f"a position uses a {name} twice")
        without = np.setdiff1d(cells.position[~own], cells.position[used])
        _need(without.size == 0, 5, f"position {without[:1]} has no {name}")
    _refuse((cells.max != 0) & (cells.max != 1), 7, "has a max that is neither 0 nor 1")
    _refuse((cells.max != 0) & (cells.product != 0), 7, "has both max and product")
    read = np.zeros(network.listed, dtype=np.bool_)
    read[np.abs(cells.a)] = read[np.abs(cells.b)] = True
    shared = ~own & (cells.column == -1)
    _refuse(shared & read, 6, "shares its equation and is read")
    _refuse(shared & ((cells.product != 0) | (cells.max != 0)), 6, "shares its equation and has a product or max")


def _weights(network: Network) -> None:
    taken: list[tuple[int, int, int, int]] = []
    for block in network.weights:
        top, left = block.slot, block.column
        bottom, right = top + block.values.shape[0], left + block.values.shape[1]
        inside = top >= FIRST_SLOT and bottom <= network.slots and left >= 0 and right <= network.columns
        _need(inside, 1, f"weights at slot {top}, column {left} leave the matrix")
        taken.append((top, bottom, left, right))
    taken.sort()
    for index, (_, bottom, left, right) in enumerate(taken):
        for other_top, _, other_left, other_right in taken[index + 1 :]:
            if other_top >= bottom:
                break
            _need(other_left >= right or left >= other_right, 1, "two rectangles of weights overlap")


def order(network: Network) -> NDArray[np.int64]:
    """A level for each listed row, int64[R], above those of all rows that it needs (rule 10).

    Raises
    ------
    CircuitMalformed
        If rows need one another in a circle.
    """
    sources, targets, nodes = _edges(network)
    by_source = np.argsort(sources, kind="stable")
    starts = np.searchsorted(sources[by_source], np.arange(nodes + 1)).tolist()
    following = targets[by_source].tolist()
    waiting = np.bincount(targets, minlength=nodes).tolist()
    level = [0] * nodes
    ready = [node for node, needed in enumerate(waiting) if not needed]
    for node in ready:
        for target in following[starts[node] : starts[node + 1]]:
            level[target] = max(level[target], level[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    _need(len(ready) == nodes, 10, "rows need one another in a circle")
    return np.array(level[: network.listed], dtype=np.int64)


def _edges(network: Network) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Who is needed by whom; a node for each row, then one for each position, between its reads and its columns."""
    cells, count = network.cells, network.listed
    rows = np.arange(count)
    _, hub = np.unique(cells.position, return_inverse=True)
    hub = hub.reshape(-1) + count
    reads, columns = cells.slot > 0, cells.column >= 0
    pair = (cells.a != 0) & (cells.b != 0)  # one with the zero cell is 0, whatever the other is
    own = ((cells.product != 0) & pair) | (cells.max != 0)
    below = (cells.product[:-1] != 0) & pair[1:]
    parts = [
        (np.abs(cells.a[reads]), hub[reads]),
        (hub[columns], rows[columns]),
        *((np.abs(operand[own]), rows[own]) for operand in (cells.a, cells.b)),
        *((np.abs(operand[1:][below]), rows[:-1][below]) for operand in (cells.a, cells.b)),
    ]
    sources, targets = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    used = sources != 0  # the zero cell
    return sources[used], targets[used], count + int(hub.max() - count) + 1


def _refuse(faulty: NDArray[np.bool_], rule: int, problem: str) -> None:
    if faulty.any():
        raise _broken(rule, f"row {int(np.flatnonzero(faulty)[0])} {problem}")


def _need(holds: object, rule: int, problem: str) -> None:
    if not holds:
        raise _broken(rule, problem)


def _broken(rule: int, problem: str) -> CircuitMalformed:
    return CircuitMalformed(f"the network breaks rule {rule} of its wiring: {problem}", "Transpile the model again.")
