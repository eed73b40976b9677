"""Rows in order: which row hosts which read, so that a block has as few as can be."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from assay.transpile.circuit.network.network import CELL_FIELDS, FIRST_SLOT, Cells, Network, Weights
from assay.transpile.flow.flow import ZERO
from assay.transpile.networks.quantise import ONE, IntegerCall, Quantised
from assay.transpile.networks.tables import power_of_two
from assay.transpile.networks.tiling import Width, tiled

_SMALLEST = 8


@dataclass
class _Place:
    """A row before it has a number: reads are values (`ONE`, or 0), `after` what must stand below it."""

    a: int = 0
    b: int = 0
    slot: int = 0
    column: int = -1
    position: int = 0
    product: int = 0
    max: int = 0
    value: int = 0  # the value that the row makes
    role: str = "row"
    output: int = 0
    second: tuple[int, int] | None = None  # the pair that the row below must hold

    @property
    def needs_below(self) -> bool:
        """Whether the row below must read nothing by b, or hold this row's second pair."""
        return bool(self.product) or self.role in {"input", "one"}

    @property
    def free(self) -> bool:
        """Whether it reads nothing."""
        return not (self.a or self.b or self.needs_below or self.role != "row")

    @property
    def quiet(self) -> bool:
        """Whether it reads nothing by b and multiplies nothing."""
        return not (self.b or self.needs_below or self.max)


@dataclass
class Layout:
    """Places in order, the rectangles of weights, and the sizes that follow."""

    places: list[_Place] = field(default_factory=list)
    blocks: list[Weights] = field(default_factory=list)
    slots: int = FIRST_SLOT
    columns: int = 2

    @property
    def rows(self) -> int:
        """Of a block: what is placed, row 0 and the zero cell."""
        return max(power_of_two(len(self.places) + 2), _SMALLEST)


def lay_out(made: Quantised, width: Width) -> Layout:
    """Place every row for one choice of widths."""
    layout = Layout()
    blocks: dict[tuple[object, tuple[int, ...]], int] = {}
    hosts: list[_Place] = []
    for position, call in enumerate(tiled(made.calls, width, made.plan.levels()), start=1):
        # A column that no row of the position receives must have no weight there (rule 5 of the weights).
        absent = tuple(column for column, row in enumerate(call.outputs) if row is None)
        slot = blocks.get((call.key, absent))
        if slot is None:
            slot = blocks[call.key, absent] = layout.slots
            weights = call.weights.copy()
            weights[:, absent] = 0
            layout.blocks.append(Weights(slot, 0, weights))
            layout.slots += len(call.reads)
            layout.columns = max(layout.columns, call.weights.shape[1])
        hosts += _position(made, call, position, slot)
    for row in made.plan.rows.values():
        if row.kind == "input":
            hosts.append(_Place(value=row.base, role="input"))
    hosts.append(_Place(value=ONE, role="one"))
    hosts += [_Place(a=number, role="output", output=index) for index, number in enumerate(made.plan.outputs)]
    layout.places = _ordered(hosts)
    layout.slots, layout.columns = (max(power_of_two(size), _SMALLEST) for size in (layout.slots, layout.columns))
    return layout


def _position(made: Quantised, call: IntegerCall, position: int, slot: int) -> list[_Place]:
    """The rows of a call: outputs host reads unless they multiply or compare."""
    places = []
    for column, row in enumerate(call.outputs):
        if row is None:
            continue
        place = _Place(column=column, position=position, value=row.base)
        if row.pairs:
            place.a, place.b = row.pairs[0]
            if row.kind == "max":
                place.max = 1
            else:
                place.product = made.factors[row.base]
                place.second = row.pairs[1] if len(row.pairs) > 1 else None
        places.append(place)
    open_places = iter([place for place in places if place.free])
    for offset, read in enumerate(call.reads.tolist()):
        if read == ZERO:
            continue
        host = next(open_places, None)
        if host is None:
            host = _Place(position=position)
            places.append(host)
        host.a, host.slot = read, slot + offset
    return places


def _ordered(hosts: list[_Place]) -> list[_Place]:
    """Rows that need something below them, each above a row that can be there; then the rest."""
    free = [place for place in hosts if place.free and not place.slot]
    pairs = [place for place in hosts if place.second is not None]
    single = [place for place in hosts if place.needs_below and place.second is None]
    quiet = [place for place in hosts if place.quiet and not (place.free and not place.slot)]
    others = [place for place in hosts if not (place.needs_below or place.quiet)]
    ordered: list[_Place] = []
    for place in pairs:
        below = free.pop() if free else _Place()
        assert place.second is not None  # noqa: S101 - chosen so above
        below.a, below.b = place.second
        ordered += [place, below]
    for place in single:
        ordered += [place, quiet.pop() if quiet else free.pop() if free else _Place()]
    return ordered + others + quiet + free


def addresses(made: Quantised, layout: Layout) -> dict[int, int]:
    """The address of each value: its row, or minus the row whose argument it is."""
    number = {ZERO: 0} | {place.value: row for row, place in enumerate(layout.places, start=1) if place.value}
    return number | {alias: -number[row] for alias, row in made.plan.alias.items()}


def build(made: Quantised, layout: Layout, centres: list[int], output_bits: int) -> Network:
    """The network of a layout."""
    number = addresses(made, layout)
    fields = {name: np.zeros(len(layout.places) + 1, dtype=np.int64) for name in CELL_FIELDS}
    fields["column"][:] = -1
    for row, place in enumerate(layout.places, start=1):
        for name in CELL_FIELDS:
            value = getattr(place, name)
            fields[name][row] = number[value] if name in {"a", "b"} else value
    inputs = [row for row in made.plan.rows.values() if row.kind == "input"]
    outputs = sorted((place.output, row) for row, place in enumerate(layout.places, start=1) if place.role == "output")
    return Network(
        limb_bits=made.profile.limb_bits,
        limbs=made.profile.limbs,
        low_bits=made.profile.low_bits,
        rows=layout.rows,
        slots=layout.slots,
        columns=layout.columns,
        output_bits=output_bits,
        tables=made.tables,
        input_rows=[number[row.base] for row in inputs],
        input_centres=centres,
        one_row=number[ONE],
        output_rows=[row for _, row in outputs],
        cells=Cells(**fields),
        weights=layout.blocks,
        q_table=made.index[made.exponents.alias_table] if made.exponents.alias_table is not None else 0,
        q_shift=made.exponents.alias_shift if made.plan.alias else 0,
    )
