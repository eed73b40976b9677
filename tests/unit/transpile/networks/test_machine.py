"""The integer semantics: the specification's reference and the evaluator for many rows against formulas by hand."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from assay.transpile.circuit.network import bounds, reference, schema, wiring
from assay.transpile.circuit.network.evaluate import Evaluator, _low_product
from assay.transpile.errors import CircuitMalformed

_SPEC = importlib.util.spec_from_file_location("networks_tiny", Path(__file__).parent / "tiny.py")
tiny = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tiny)


@pytest.fixture(params=tiny.ALL)
def case(request):
    return json.loads((tiny.CASES / f"{request.param}.json").read_text())


@pytest.mark.parametrize("name", tiny.ALL)
def test_the_cases_are_what_the_formulas_say(name):
    assert json.loads((tiny.CASES / f"{name}.json").read_text()) == tiny.case(name)


def test_reference_and_evaluator_agree_with_the_formulas(case):
    network = schema.from_dict(case["circuit"]["network"])
    assert [reference.outputs(network, u) for u in case["inputs"]] == case["outputs"]
    assert Evaluator(network).outputs(np.array(case["inputs"])).tolist() == case["outputs"]
    assert len({tuple(output) for output in case["outputs"]}) > 5


def test_the_rules_hold_and_the_file_is_stable(case):
    network = schema.from_dict(case["circuit"]["network"])
    wiring.check(network, len(network.input_rows), len(network.output_rows))
    reach = bounds.check(network, [(-32, 31)] * len(network.input_rows))
    read = [int(network.cells.a[row]) for row in network.output_rows]
    for output in case["outputs"]:
        assert all(reach[row][0] <= value <= reach[row][1] for row, value in zip(read, output, strict=True))
    assert schema.to_dict(network) == case["circuit"]["network"]


def test_which_rows_reached_an_end_is_what_the_formula_says():
    network, rows = tiny.ended(), json.loads((tiny.CASES / "dense.json").read_text())["inputs"]
    wanted = [tiny.ended_formula(u) for u in rows]
    assert [place for place, reached in enumerate(wanted) if reached] == [2, 4, 5]
    assert [reference.ended(network, u) for u in rows] == wanted
    outputs, found = Evaluator(network).told(np.array(rows))
    assert found.tolist() == wanted
    assert outputs.tolist() == Evaluator(tiny.dense()).outputs(np.array(rows)).tolist()
    assert not Evaluator(tiny.dense()).told(np.array(rows))[1].any()
    # In the file the field is there where there is something to say, and nowhere else.
    written = schema.to_dict(network)
    assert [table.get("ends") for table in written["tables"]] == [None, [[7, 64]]]
    assert schema.from_dict(written).tables[1].ends == ((7, 64),)
    assert all("ends" not in table for table in schema.to_dict(tiny.dense())["tables"])


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize(
    "ends",
    [
        *(None, 7, "x", {}, [7], [[7]], [[7, 64, 65]], [[7, 7]], [[9, 7]], [[7, 65]], [[-65, 7]], [[7, 9], [9, 11]]),
        *([[9, 11], [5, 7]], [[7.0, 9]], [[True, 9]], [[7, 1 << 60]], [[7, 64]]),
    ],
)
def test_ends_that_are_no_segments_are_refused(index, ends):
    content = schema.to_dict(tiny.dense())
    content["tables"][index]["ends"] = ends
    if (index, ends) == (1, [[7, 64]]):
        wiring.check(schema.from_dict(content), 3, 1)
        return
    with pytest.raises(CircuitMalformed):
        wiring.check(schema.from_dict(content), 3, 1)


def test_an_input_beyond_its_tables_has_no_proof():
    network = tiny.dense()
    with pytest.raises(reference.NoProof, match="no table has"):
        reference.outputs(network, [2000, -2000, 2000])
    with pytest.raises(reference.NoProof, match="no table has"):
        Evaluator(network).outputs(np.array([[2000, -2000, 2000]]))
    with pytest.raises(CircuitMalformed, match="rule 1 of its weights"):
        bounds.check(network, [(-2000, 2000)] * 3)


def _edited(name, **edits):
    """A case with fields of single rows changed: ``field=(row, value)``."""
    network = getattr(tiny, name)()
    for field, (row, value) in edits.items():
        getattr(network.cells, field)[row] = value
    return network


# One entry for each rule of the wiring: the case, what is changed, the rule that must refuse it.
BROKEN = {
    "a slot beyond the matrix": ("dense", {"slot": (9, 40)}, 1),
    "a reserved slot": ("dense", {"slot": (9, 3)}, 1),
    "a column beyond the matrix": ("dense", {"column": (9, 8)}, 1),
    "an address beyond the rows": ("dense", {"a": (9, 99)}, 4),
    "a read of an output row": ("dense", {"a": (9, 16)}, 4),
    "a slot without a position": ("dense", {"slot": (2, 6)}, 5),
    "a column used twice at a position": ("dense", {"column": (11, 0)}, 5),
    "a slot used twice at a position": ("dense", {"slot": (10, 6)}, 5),
    "a position without a column": ("dense", {"column": (13, -1)}, 5),
    "a row that shares its equation is read": ("dense", {"a": (15, 11)}, 6),
    "a product on a row that shares its equation": ("dense", {"product": (11, 1)}, 6),
    "max and product": ("pooled", {"product": (10, 1)}, 7),
    "the argument of a max row": ("pooled", {"a": (13, -10)}, 7),
    "an input row with a product": ("dense", {"product": (1, 1)}, 8),
    "an input row with a read": ("dense", {"a": (1, 9)}, 8),
    "a pair below an input row": ("dense", {"b": (2, 9)}, 8),
    "an input row below a product": ("pooled", {"product": (2, 1)}, 8),
    "an output row with a slot": ("dense", {"slot": (16, 20)}, 8),
    "a row that reads itself through its position": ("dense", {"a": (13, 13)}, 10),
    "a product of its own value": ("pooled", {"b": (13, 13)}, 10),
    "a second pair of its own value": ("recurrent", {"b": (9, 8)}, 10),
    "a maximum of itself": ("pooled", {"b": (12, 12)}, 10),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_of_the_wiring_refuses(name):
    case, edits, rule = BROKEN[name]
    network = _edited(case, **edits)
    with pytest.raises(CircuitMalformed, match=f"rule {rule} of its wiring"):
        wiring.check(network, len(network.input_rows), len(network.output_rows))


def test_two_calls_of_one_position_may_not_read_each_other():
    # A hostile matrix may connect the slots of one call with the columns of another (H5 of the design's review).
    network = tiny.dense()
    for row in (13, 14, 15):
        network.cells.position[row] = 1
    network.cells.column[13] = 5
    with pytest.raises(CircuitMalformed, match="rule 10"):
        wiring.check(network, 3, 1)


def test_a_fused_row_may_not_read_what_its_position_reads_of_it():
    network = tiny.pooled()
    network.cells.a[9] = 13  # the call's third read becomes the fused row, an output of the same call
    with pytest.raises(CircuitMalformed, match="rule 10"):
        wiring.check(network, 2, 2)


def _with_table(network, index, **fields):
    tables = list(network.tables)
    tables[index] = dataclasses.replace(tables[index], **fields)
    return dataclasses.replace(network, tables=tables)


@pytest.mark.parametrize(
    ("index", "fields", "rule"),
    [
        (0, {"offset": tiny.IDENTITY.offset + 1}, 2),
        (0, {"slope": tiny.IDENTITY.slope * 2}, 2),
        (1, {"base": 64}, 2),  # its ids meet the identity's
        (1, {"base": 1 << 40}, 2),
        (1, {"slope": tiny.RELU.slope + (1 << 52)}, 2),
        # A far table that is the identity of its own ids lets a free input row leave its lane (M2 of the review).
        (
            1,
            {"base": 1 << 17, "slope": np.ones(128, dtype=np.int64), "offset": ((1 << 17) + np.arange(-64, 64)) << 2},
            3,
        ),
        (1, {"base": 1 << 17, "slope": np.full(128, 2), "offset": (((1 << 17) + np.arange(-64, 64)) << 2) - 1}, 3),
    ],
)
def test_tables_are_held_to_their_rules(index, fields, rule):
    with pytest.raises(CircuitMalformed, match=f"rule {rule} of its wiring"):
        wiring.check(_with_table(tiny.dense(), index, **fields), 3, 1)


def test_weights_are_held_to_their_rules():
    spans = [(-32, 31)] * 2
    capped = _with_table(tiny.pooled(), 1, slope=np.zeros(128, dtype=np.int64))
    with pytest.raises(CircuitMalformed, match="rule 2 of its weights"):
        bounds.check(capped, spans)
    with pytest.raises(CircuitMalformed, match="rule 3 of its weights"):
        bounds.check(dataclasses.replace(tiny.recurrent(), q_table=1), spans)
    with pytest.raises(CircuitMalformed, match="rule 4 of its weights"):
        bounds.check(dataclasses.replace(tiny.pooled(), output_bits=3), spans)


def test_overlapping_weights_are_refused():
    network = tiny.dense()
    network.weights.append(dataclasses.replace(network.weights[0], slot=9, column=2))
    network.weights.append(dataclasses.replace(network.weights[0], slot=12, column=3))
    with pytest.raises(CircuitMalformed, match="overlap"):
        wiring.check(network, 3, 1)


@pytest.mark.parametrize("path", ["rows", "tables", "cells", "weights", "one_row", "input_rows", "input_centres"])
@pytest.mark.parametrize("value", [None, -1, 1.5, "x", [], [[]], [None], {}, [{}], 1 << 60, True])
def test_a_malformed_file_is_refused(path, value):
    if (path, value) == ("weights", []):
        return  # a matrix of zeros is a matrix
    content = schema.to_dict(tiny.dense()) | {path: value}
    with pytest.raises(CircuitMalformed):
        wiring.check(schema.from_dict(content), 3, 1)


@pytest.mark.parametrize("shift", [20, 33])
def test_sums_that_need_more_than_a_word_are_exact(shift):
    random = np.random.default_rng(0)
    for size in (1 << 10, 1 << 30):
        matrix = random.integers(0, 1 << shift, (3, 600))
        values = random.integers(-size, size, (600, 4))
        carried, low = _low_product(matrix, values, "a position", shift)
        half = shift // 2
        wanted = (matrix.astype(object) @ values.astype(object)) >> shift
        assert (((carried + (low >> half)) >> (shift - half)) == wanted).all()
        assert bool(carried.any()) == (600 * (1 << shift) * size / 2 > 1 << 62)
