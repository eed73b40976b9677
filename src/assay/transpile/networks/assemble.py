"""From an ONNX model to a circuit: the cheapest format that keeps the model."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.circuit import layers
from assay.transpile.circuit.circuit import Circuit, Feature
from assay.transpile.circuit.network import bounds, wiring
from assay.transpile.circuit.network.evaluate import Evaluator
from assay.transpile.circuit.network.reference import NoProof
from assay.transpile.errors import CircuitMalformed, ModelUnsupported
from assay.transpile.networks import composition, cost, features, report
from assay.transpile.networks.caps import caps, ends_of
from assay.transpile.networks.exponents import choose, unified
from assay.transpile.networks.layout import Layout, addresses, build, lay_out
from assay.transpile.networks.outputs import Outputs
from assay.transpile.networks.plan import Plan, plan
from assay.transpile.networks.quantise import Quantised, quantise, tables_of
from assay.transpile.networks.source import Source, read_source
from assay.transpile.networks.tables import Profile
from assay.transpile.networks.tiling import Width

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Inputs
    from assay.transpile.circuit.network.network import Network
    from assay.transpile.flow.flow import Flow
    from assay.transpile.networks.features import Interval

    Floats = NDArray[np.float64]

TOLERANCE = 1e-3  # of the outputs' spread, and of the rows whose decision may differ
_SAFETY = 0.5  # of the tolerance, on the rows that choose a format: others may be worse
_LARGEST_GAIN = 30  # bits that outputs may have above a table's values
DRAWN = 512  # rows drawn from the declared ranges while formats are compared
_FEW, _MORE = 3, 8  # decisions that differ, and how many times as many rows say whether they are too many
# Cheapest first, as far as that is known before the layout; the last is what is taken if none keeps the model.
PROFILES = (
    Profile(10, 2, 9, 16, 15, 16),
    Profile(10, 2, 8, 16, 15, 16),
    Profile(10, 2, 8, 17, 15, 16),
    Profile(11, 2, 8, 17, 15, 17),
    Profile(11, 2, 7, 16, 15, 17),
    Profile(12, 2, 7, 16, 15, 18),
    Profile(12, 2, 7, 17, 15, 18),
    Profile(12, 2, 8, 18, 16, 18),
    Profile(10, 3, 8, 18, 16, 24),
    Profile(10, 3, 7, 18, 16, 24),
    Profile(10, 3, 6, 18, 16, 24),
    # Wider than a public input's lane, which only inputs have to keep to.
    Profile(10, 3, 10, 20, 17, 26),
    Profile(10, 3, 10, 21, 17, 26),
    Profile(11, 3, 12, 23, 17, 30),
)
_CAREFUL = 7  # the first of them that is tried for what takes more rows to keep more digits


@dataclass(frozen=True)
class Fit:
    """How a format keeps the model on some rows.

    Attributes
    ----------
    largest, typical
        The largest and the root mean square error, as shares of the outputs' spread over these rows.
    decisions
        Rows whose decision differs.
    """

    largest: float
    typical: float
    decisions: int
    rows: int

    def keeps(self, tolerance: float) -> bool:
        """Whether that is within a tolerance."""
        return self.largest <= tolerance and self.decisions <= tolerance * self.rows

    def undecided(self, tolerance: float) -> bool:
        """Whether all that is beyond a tolerance is one or a few decisions, on too few rows to say how many in all."""
        return self.largest <= tolerance and tolerance * self.rows < self.decisions <= _FEW

    def joined(self, other: Fit) -> Fit:
        """On the rows of both."""
        rows = self.rows + other.rows
        square = (self.rows * self.typical**2 + other.rows * other.typical**2) / rows
        return Fit(max(self.largest, other.largest), math.sqrt(square), self.decisions + other.decisions, rows)


def assemble_network(
    data: bytes,
    path: str,
    *,
    calibration: Any = None,
    ranges: Mapping[str | int, Sequence[float]] | Sequence[float] | None = None,
    dimensions: Mapping[str, int] | None = None,
    inputs: Inputs = "public",
    feature_names: Sequence[str] | None = None,
    tolerance: float = TOLERANCE,
) -> Circuit:
    """Make the circuit of an ONNX model.

    Parameters
    ----------
    data, path
        The file's bytes, and where external weights are looked for.
    calibration
        Rows like those to be proven: [B, F], or [B, ...] of the model's own shape.
    ranges
        The least and largest value of features, instead of or beside calibration rows.
    dimensions
        Sizes of dimensions that the model leaves open.
    tolerance
        How far outputs may stray, as a share of their spread, and how many decisions may differ.

    Raises
    ------
    ModelError, RowsError, OptionError
        In one sentence each.
    """
    read = cache(
        partial(
            read_source,
            data,
            path,
            calibration=calibration,
            ranges=ranges,
            dimensions=dimensions,
            feature_names=feature_names,
        )
    )
    return _circuit(*_best(read, tolerance), inputs=inputs, tolerance=tolerance)


Found = tuple["Compiled", list["Fit"], Quantised]


def _best(read: Callable[..., Source], tolerance: float) -> tuple[Source, Found]:
    """The cheapest format that keeps the model, with functions of one number taken as such where that is no dearer."""
    together = composition.read(read, PROFILES[-1])
    # A model without such functions is the same either way, and has been read.
    readings = (partial(read, apart=frozenset()),) if together is None else (together, read)
    choices, problem = [], None
    for reading in readings:
        try:
            choices.append(_with_care(reading, tolerance))
        except ModelUnsupported as error:
            problem = error
    if not any(_kept(found[1], tolerance) for _, found in choices):
        choices += _with_ends(readings[0], tolerance)
    if not choices:
        assert problem is not None  # noqa: S101 - all were refused
        raise problem
    return min(choices, key=lambda choice: _rank(choice[1], tolerance))


def _with_ends(read: Callable[..., Source], tolerance: float) -> list[tuple[Source, Found]]:
    """With ends of values that bounds let grow far beyond all that rows reach, where there are any."""
    found: list[tuple[Source, Found]] = []
    meta = read().flow.meta
    for careful in (False, True) if meta.get("norms") or meta.get("softmaxes") else (False,):
        source = read(careful=True) if careful else read()
        try:
            one = _cheapest(source, tolerance, ended=True)
        except ModelUnsupported:
            continue
        found += [(source, one)] if one[2].plan.ends else []
        if _kept(one[1], tolerance):
            break
    return found


def _rank(found: Found, tolerance: float) -> tuple[bool, float]:
    """Those that keep the model by their time, all others after them by their error."""
    kept = _kept(found[1], tolerance)
    return not kept, cost.of_network(found[0].network).milliseconds if kept else _worst(found[1])


def _with_care(read: Callable[..., Source], tolerance: float) -> tuple[Source, Found]:
    """The cheapest format that keeps the model; norms and softmaxes take more rows where the finest does not do."""
    source = read()
    norms = bool(source.flow.meta.get("norms"))
    if not norms and not source.flow.meta.get("softmaxes"):
        return source, _cheapest(source, tolerance)
    first = _tried(source, tolerance, PROFILES[-1:] if norms else PROFILES)
    if first is not None and _kept(first[1], tolerance):
        return source, _cheapest(source, tolerance) if norms else first
    careful = read(careful=True)
    again = _tried(careful, tolerance, PROFILES[_CAREFUL:])
    both = [(one, found) for one, found in ((careful, again), (source, first)) if found is not None]
    return min(both, key=lambda item: _worst(item[1][1])) if both else (source, _cheapest(source, tolerance))


def _tried(source: Source, tolerance: float, profiles: Sequence[Profile]) -> Found | None:
    try:
        return _cheapest(source, tolerance, profiles)
    except ModelUnsupported:
        return None


def _kept(fits: list[Fit], tolerance: float) -> bool:
    return all(fit.keeps(tolerance * _SAFETY) for fit in fits)


def _worst(fits: list[Fit]) -> float:
    return max(fit.largest for fit in fits)


def _cheapest(
    source: Source,
    tolerance: float,
    profiles: Sequence[Profile] = PROFILES,
    *,
    ended: bool = False,
) -> Found:
    """Try formats from the cheapest on until one keeps the model; `ended` as in `caps`."""
    shifts = source.flow.meta["centres"]
    spans = [(low - shift, high - shift) for (low, high), shift in zip(source.ranges, shifts, strict=True)]
    spans = unified(plan(source.flow, spans), spans)
    source.ranges[:] = [(low + shift, high + shift) for (low, high), shift in zip(spans, shifts, strict=True)]
    given = source.rows[:2000] if source.rows is not None else np.zeros((0, len(source.ranges)))
    whole = source.flow.meta.get("whole", [])
    drawn = features.draw(source.ranges, DRAWN, whole)
    drawn, told = source.oracle.taken(drawn)
    samples = [(given, source.oracle.outputs(given)) if len(given) else (given, given), (drawn, told)]
    samples = [(rows, wanted) for rows, wanted in samples if len(rows) > 1]
    for _, wanted in samples:
        _as_many(source.flow, wanted)
    ended = ended and bool(samples)
    ends = caps(plan(source.flow, spans), np.concatenate([rows for rows, _ in samples])) if ended else None
    planned = _planned(source.flow, spans, ends)
    ranked, problem = _ranked(planned, profiles)
    best: Found | None = None
    widths: list[Width] = []
    few: list[Found] = []
    outputs = Outputs.of(source.flow.meta, len(source.flow.outputs))
    for profile in ranked:
        try:
            made = quantise(planned, profile)
        except ModelUnsupported as error:
            problem = error
            continue
        layout, widths = _laid_out(made, widths)
        try:
            found = compiled(source.flow, source.ranges, made, layout)
            fits = [judge(found, rows, wanted, outputs) for rows, wanted in samples]
        except (CircuitMalformed, NoProof) as error:  # a bound that rounding moved by more than a table has room for
            what = error.what if isinstance(error, CircuitMalformed) else str(error)
            problem = ModelUnsupported(f"a format does not hold it ({what})", "Report this model.")
            continue
        if _kept(fits, tolerance):
            return found, fits, made
        if len(drawn) > 1 and _kept(fits[:-1], tolerance) and fits[-1].undecided(tolerance * _SAFETY):
            few.append((found, fits, made))
        if best is None or _worst(fits) < _worst(best[1]):
            best = found, fits, made
    again = _counted_again(source, few, tolerance)
    if again is not None:
        return again
    if best is None:
        assert problem is not None  # noqa: S101 - each profile was refused, or one was tried
        raise problem
    return best


def _counted_again(source: Source, few: list[Found], tolerance: float) -> Found | None:
    """The first of those that keep the model but for a few of the drawn rows, if they are few of many more, too."""
    if not few:
        return None
    rows = features.draw(source.ranges, _MORE * DRAWN, source.flow.meta.get("whole", []), seed=2)
    rows, wanted = source.oracle.taken(rows)
    outputs = Outputs.of(source.flow.meta, len(source.flow.outputs))
    for found, fits, made in few:
        all_fits = [*fits[:-1], fits[-1].joined(judge(found, rows, wanted, outputs))]
        if _kept(all_fits, tolerance):
            return found, all_fits, made
    return None


def _as_many(flow: Flow, wanted: Floats) -> None:
    """Refuse what the standard and onnxruntime read in different ways."""
    if wanted.shape[1] != len(flow.outputs):
        raise ModelUnsupported(
            f"the model has {len(flow.outputs)} numbers as its outputs, of which onnxruntime gives {wanted.shape[1]}",
            "Export the model without what it reads in another way: a padding, a size or a reduction.",
        )


def _ranked(planned: Plan, profiles: Sequence[Profile]) -> tuple[list[Profile], ModelUnsupported | None]:
    """Formats by what their tables cost, the cheapest first."""
    found: list[tuple[float, int]] = []
    problem: ModelUnsupported | None = None
    for index, profile in enumerate(profiles):
        try:
            tables, _ = tables_of(planned, profile, choose(planned, profile))
        except ModelUnsupported as error:
            problem = error
            continue
        segments = sum(len(table.slope) for table in tables)
        size = cost.table_rows(profile.limb_bits, profile.low_bits, segments, 8)
        found.append((size * (1 + 0.2 * (profile.limbs - 2)), index))
    return [profiles[index] for _, index in sorted(found)], problem


def _planned(flow: Flow, spans: list[Interval], ends: Mapping[int, float] | None) -> Plan:
    """A plan whose outputs have no fewer bits after the point than none: large ones get a table with a gain."""
    planned = plan(flow, spans, 0, ends)
    known, problem = [], None
    for profile in PROFILES:
        try:
            known.append(choose(planned, profile).value[planned.outputs[0]])
        except ModelUnsupported as error:
            problem = error
    if not known:
        assert problem is not None  # noqa: S101 - every format was refused
        raise problem
    bits = min(known)
    if bits < -_LARGEST_GAIN:
        raise ModelUnsupported(
            f"the outputs can reach 2^{17 - bits} over the declared ranges, more than the proof's integers hold",
            "Train on a rescaled target, or declare narrower ranges.",
        )
    return planned if bits >= 0 else plan(flow, spans, -bits, ends)


def _laid_out(made: Quantised, widths: list[Width]) -> tuple[Layout, list[Width]]:
    """The cheapest layout; the best widths of one format are tried first, and alone, for the next."""
    outputs = max(len(call.outputs) for call in made.calls)
    if not widths:
        top = min(max(1 << (outputs - 1).bit_length(), 64), 2048)
        columns = [1 << bits for bits in range(3, 12) if 1 << bits <= top and outputs <= 32 << bits]
        widths = [Width(column, tile) for column in columns for tile in {column, column // 2, column // 4} if tile > 0]
    ranked = sorted(
        (
            (_predicted(made, layout).milliseconds, index, layout)
            for index, layout in enumerate(lay_out(made, w) for w in widths)
        ),
        key=lambda item: item[:2],
    )
    return ranked[0][2], [widths[index] for _, index, _ in ranked[:2]]


def _predicted(made: Quantised, layout: Layout) -> cost.Cost:
    profile = made.profile
    table = cost.table_rows(
        profile.limb_bits, profile.low_bits, sum(len(table.slope) for table in made.tables), layout.slots
    )
    pairs = any(place.b for place in layout.places)
    return cost.predict(
        len(layout.places) + 2, layout.rows, table, layout.slots, layout.columns, limbs=profile.limbs, pairs=pairs
    )


@dataclass(frozen=True)
class Compiled:
    """A network with how its integers are read.

    Attributes
    ----------
    addresses
        Of each value of the flow.
    spans
        Least and largest integer of each feature, and the bits after its point.
    scale_bits
        Bits after the point of the outputs.
    """

    network: Network
    addresses: dict[int, int]
    spans: list[tuple[int, int, int]]
    scale_bits: int

    def integers(self, rows: Floats) -> NDArray[np.int64]:
        """Inputs ``u`` of rows, which are moved into the declared range (rounding may put them a step beyond)."""
        low, high, bits = (np.array(part) for part in zip(*self.spans, strict=True))
        words = np.clip(np.rint(np.ldexp(rows, bits)), low, high).astype(np.int64)
        return np.asarray(words - np.array(self.network.input_centres, dtype=np.int64))

    def outputs(self, rows: Floats) -> Floats:
        """What a proof says about rows: float64[B, K]."""
        return np.ldexp(Evaluator(self.network).outputs(self.integers(rows)).astype(np.float64), -self.scale_bits)


def compiled(flow: Flow, ranges: list[Interval], made: Quantised, layout: Layout) -> Compiled:
    """The network of a layout, held to both lists of rules of the specification."""
    spans = _spans(ranges, made)
    shifts = [round(math.ldexp(shift, bits)) for shift, (_, _, bits) in zip(flow.meta["centres"], spans, strict=True)]
    network = build(made, layout, shifts, 60)
    wiring.check(network, len(flow.features), len(flow.outputs))
    inputs = [(low - shift, high - shift) for (low, high, _), shift in zip(spans, shifts, strict=True)]
    reach = bounds.check(network, inputs)
    ends = [end for row in network.output_rows for end in reach[int(network.cells.a[row])]]
    top = max(max(-end, end + 1) for end in ends)
    network = replace(network, output_bits=(max(top, 1) - 1).bit_length())
    return Compiled(network, addresses(made, layout), spans, made.exponents.value[made.plan.outputs[0]])


def _spans(ranges: list[Interval], made: Quantised) -> list[tuple[int, int, int]]:
    rows = [row for row in made.plan.rows.values() if row.kind == "input"]
    result = []
    for (low, high), row in zip(ranges, rows, strict=True):
        bits = made.exponents.value[row.base]
        result.append((math.ceil(math.ldexp(low, bits)), math.floor(math.ldexp(high, bits)), bits))
    return result


def judge(network: Compiled, rows: Floats, wanted: Floats, outputs: Outputs) -> Fit:
    """Compare a network with what the model says on rows."""
    got = network.outputs(rows)
    error = outputs.shares(wanted, got)
    return Fit(float(error.max()), float(np.sqrt(np.mean(error**2))), outputs.differing(wanted, got), len(rows))


def differing(wanted: Floats, got: Floats, outputs: Outputs | None = None) -> int:
    """Rows that are decided otherwise."""
    return (outputs or Outputs.of({}, wanted.shape[1])).differing(wanted, got)


def predicted(network: Network, features: int, outputs: int, *, private: bool) -> dict[str, str]:
    """What a proof will cost, for people."""
    found, gas = cost.of_network(network), layers.gas(network, features, outputs, private=private)
    return {
        "proof": f"about {found.milliseconds:.0f} ms on two cores",
        "gas": f"about {gas:,} a transaction with a proof of one row",
        "reference": f"{found.powers} powers",
        "table": f"{found.table} rows",
    }


def _circuit(source: Source, chosen: Found, *, inputs: Inputs, tolerance: float) -> Circuit:
    flow, (found, fits, made) = source.flow, chosen
    rows = source.rows if source.rows is not None else features.draw(source.ranges, DRAWN, flow.meta.get("whole", []))
    inputs_of = found.integers(rows)
    layered = report.layers(made, found.network, found.addresses, inputs=inputs_of, rows=rows)
    meta = {
        key: value
        for key, value in flow.meta.items()
        if key not in {"centres", "whole", "indices", "norms", "softmaxes", "composed"}
    }
    if flow.meta.get("whole"):
        meta["whole"] = sorted(
            set(flow.meta["whole"])
        )  # features of whole numbers, which rows drawn for a test respect
    notes = [
        *flow.notes,
        *(f"{what} can be asked outside its domain, and is flat there" for what in dict.fromkeys(made.plan.saturated)),
        *ends_of(made.plan),
    ]
    return Circuit(
        kind="network",
        inputs=inputs,
        features=[
            Feature(name, "fixed", low, high, bits)
            for name, (low, high, bits) in zip(flow.features, found.spans, strict=True)
        ],
        outputs=flow.outputs,
        scale_bits=found.scale_bits,
        base=[0] * len(flow.outputs),
        network=found.network,
        meta=meta
        | {
            "format": str(made.profile),
            "tolerance": tolerance,
            "fidelity": [
                {
                    "rows": fit.rows,
                    "largest_error": fit.largest,
                    "typical_error": fit.typical,
                    "decisions_differing": fit.decisions,
                    "within": fit.keeps(tolerance),
                }
                for fit in fits
            ],
            "predicted": predicted(found.network, len(flow.features), len(flow.outputs), private=inputs == "private"),
            "layers": [layer.to_dict() for layer in layered],
            "blamed": report.blamed(layered),
            "notes": notes,
        },
    )
