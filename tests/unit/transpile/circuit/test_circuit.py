from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assay
from assay.core.errors import StorageError
from assay.transpile.circuit.circuit import Circuit, Feature, Tree, View
from assay.transpile.circuit.quantise import choose_scale, from_integers, round_shift, to_integer, to_integers
from assay.transpile.circuit.schema import from_dict
from assay.transpile.errors import CircuitMalformed, ModelUnsupported, OptionError


def example():
    return Circuit(
        kind="trees",
        inputs="public",
        features=[Feature("f0"), Feature("amount", "integer", 0, 2**63 - 1)],
        views=[View(0, "low"), View(0, "high", zero_missing=True), View(1, "refuse")],
        outputs=["margin"],
        scale_bits=44,
        base=[12],
        trees=[
            Tree(
                view=np.array([0, -1, -1], np.int32),
                key=np.array([2147483648, 0, 0], np.uint64),
                left=np.array([1, 0, 0], np.int32),
                right=np.array([2, 0, 0], np.int32),
                leaf=np.array([[0], [-123], [77]], np.int64),
            )
        ],
        meta={"library": "xgboost"},
    )


def linear():
    features = [Feature("x", "fixed", -(2**40), 2**40, 20), Feature("n", "fixed", 0, 9, 0)]
    return Circuit("linear", "private", features, ["a", "b"], 50, [1, -(2**70)], weights=[[2**61, -1], [0, 5]])


def test_the_format():
    assert example().to_dict() == {
        "schema": "assay-circuit/1",
        "kind": "trees",
        "inputs": "public",
        "features": [
            {"name": "f0", "kind": "float32"},
            {"name": "amount", "kind": "integer", "min": "0", "max": "9223372036854775807"},
        ],
        "views": [
            {"feature": 0, "missing": "low"},
            {"feature": 0, "missing": "high", "zero_missing": True},
            {"feature": 1, "missing": "refuse"},
        ],
        "outputs": ["margin"],
        "scale_bits": 44,
        "trees": [
            {"nodes": [{"view": 0, "key": "2147483648", "left": 1, "right": 2}, {"leaf": ["-123"]}, {"leaf": ["77"]}]}
        ],
        "base": ["12"],
        "meta": {"library": "xgboost"},
    }
    assert linear().to_dict() == {
        "schema": "assay-circuit/1",
        "kind": "linear",
        "inputs": "private",
        "features": [
            {"name": "x", "kind": "fixed", "bits": 20, "min": str(-(2**40)), "max": str(2**40)},
            {"name": "n", "kind": "fixed", "bits": 0, "min": "0", "max": "9"},
        ],
        "outputs": ["a", "b"],
        "scale_bits": 50,
        "weights": [[str(2**61), "-1"], ["0", "5"]],
        "base": ["1", str(-(2**70))],
        "meta": {},
    }


@pytest.mark.parametrize("circuit", [example(), linear()], ids=["trees", "linear"])
def test_save_and_load(circuit, tmp_path):
    path = circuit.save(tmp_path / "new" / "folder")
    assert path.name == "circuit.json"
    assert [file.name for file in path.parent.iterdir()] == ["circuit.json"]
    for place in (path, path.parent, str(path.parent)):
        assert Circuit.load(place).to_json() == circuit.to_json()
    before = path.read_bytes()
    circuit.save(path.parent)
    assert path.read_bytes() == before


def test_absent_and_damaged_files(tmp_path):
    with pytest.raises(StorageError):
        Circuit.load(tmp_path / "absent")
    with pytest.raises(StorageError):
        Circuit.load(tmp_path)
    path = example().save(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CircuitMalformed):
        Circuit.load(tmp_path)


def test_integers_and_words():
    circuit = linear()
    words, missing = circuit.encode([[1.5, 3], [-2.0, 0]])
    assert words.tolist() == [[2**40 + 3 * 2**19, 3], [2**40 - 2**21, 0]]
    outputs = circuit.evaluate(words, missing)
    assert outputs.tolist() == [
        [2**61 * 3 * 2**19 - 3 + 1, 15 - 2**70],
        [-(2**61) * 2**21 + 1, -(2**70)],
    ]
    assert circuit.decode(outputs)[1, 1] == -(2.0**20)


def test_summaries_name_what_matters():
    text = example().summary()
    assert "1 float32, 1 integer" in text
    assert "refused" in text
    assert "zeros count as missing" in text
    assert "depth up to 1" in text
    assert "2^-44" in text
    assert "2 (a, b)" in linear().summary()
    assert "private" in linear().summary()


def leaves_of(content, path=()):
    """Every place in a document, for breaking one at a time."""
    if path:
        yield path
    children = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, child in children:
        if name != "meta":
            yield from leaves_of(child, (*path, name))


def read_or_refuse(content):
    """A circuit, or None if it was refused as it should."""
    try:
        return from_dict(content)
    except CircuitMalformed:
        return None


def broken(content, path, value):
    changed = copy.deepcopy(content)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("circuit", [example(), linear()], ids=["trees", "linear"])
@pytest.mark.parametrize("value", [..., None, -1, 1.5, True, "x", "", "1_0", "٣", [], {}, [None], 10**30, "9" * 200])
def test_every_broken_place_is_refused(circuit, value):
    content = circuit.to_dict()
    for path in leaves_of(content):
        changed = broken(content, path, value)
        again = read_or_refuse(changed)
        if again is None:
            continue
        # Only changes that leave a circuit: names, and flags or bits with a default.
        assert path[-1] in {"name", "zero_missing", "bits", 0, 1} or path == ("meta",)
        assert isinstance(again, Circuit)


def test_children_must_come_after_their_parent():
    for name, value in (("left", 0), ("right", 3), ("left", -1), ("view", 3), ("key", str(2**64))):
        content = example().to_dict()
        content["trees"][0]["nodes"][0][name] = value
        with pytest.raises(CircuitMalformed):
            from_dict(content)


documents = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["assay-circuit/1", "trees", "1", "-7"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted({*example().to_dict(), *linear().to_dict(), "nodes"})), inner)
    ),
    max_leaves=20,
)


@given(documents | st.text() | st.binary())
@settings(max_examples=300, deadline=None)
def test_any_document_gives_a_circuit_or_a_clear_error(content):
    circuit = read_or_refuse(content)
    assert circuit is None or circuit.trees or circuit.weights


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff\xfe", '{"schema":"assay-circuit/2"}', "1" * 5000])
def test_text_that_is_no_circuit(text):
    with pytest.raises(CircuitMalformed):
        Circuit.from_json(text)


def test_scales():
    assert choose_scale(np.array([0.5, -0.25]), 1.0, 1).bits == 2
    assert choose_scale(np.array([0.0]), 0.0, 1).bits == 0
    assert choose_scale(np.array([4.0, 8.0]), 12.0, 1).bits == 0
    fine = choose_scale(np.array([1.0, 2.0**-60]), 1.0, 1)
    assert fine.exact
    assert fine.bits == 60
    coarse = choose_scale(np.array([1.0, 2.0**-61 * 1.5]), 1.0, 1)
    assert not coarse.exact
    assert coarse.bits == 61
    assert choose_scale(np.array([1.0, 2.0**-60]), 1.0, 3).bits == 53
    # Four outputs share a field element: the sum, not the leaf, is what must fit 60 bits.
    assert choose_scale(np.array([1.0, 2.0**-60]), 1000.0, 4).bits == 60 - 2 - 10
    assert choose_scale(np.array([5e-324]), 5e-324, 1).bits == 1024
    for values in ([2.0**63], [1e30], [5e-324, 1e300]):
        with pytest.raises(ModelUnsupported, match="rescaled"):
            choose_scale(np.array(values), max(values), 1)


@given(st.floats(-(2.0**40), 2.0**40), st.integers(0, 20))
def test_rounding_is_half_to_even(value, bits):
    expected = round(value * 2**bits)
    assert to_integer(value, bits) == expected
    assert to_integers(np.array([value]), bits).tolist() == [expected]


@given(st.integers(-(2**200), 2**200), st.integers(-90, 90))
def test_shifts_round_half_to_even(integer, shift):
    from fractions import Fraction

    assert round_shift(integer, shift) == round(Fraction(integer) * Fraction(2) ** shift)
    assert from_integers(np.array([integer], dtype=object), 60)[0] == float(Fraction(integer, 2**60))


def test_options_that_make_no_sense(data):
    xgb = pytest.importorskip("xgboost")
    X, y = data(missing=0)
    booster = xgb.train({}, xgb.DMatrix(X, label=y), 2)
    for options in (
        {"inputs": "hidden"},
        {"integer_features": {"nobody": (0, 1)}},
        {"integer_features": {9: (0, 1)}},
        {"integer_features": {0: (1, 0)}},
        {"integer_features": {0: (0, 2**64)}},
        {"integer_features": {0: (0.5, 2)}},
        {"integer_features": {0: 7}},
        {"feature_names": ["a"]},
        {"iterations": 1.5},
    ):
        with pytest.raises(OptionError):
            assay.transpile(booster, **options)
    circuit = assay.transpile(booster, integer_features={"f2": (0, 2**64 - 1)})
    assert circuit.bits == 64
    assert circuit.features[2].kind == "integer"
    renamed = assay.transpile(booster, feature_names=list("abcde"), integer_features={"c": (0, 10)})
    assert renamed.features[2].name == "c"
    assert renamed.features[2].high == 10
    with pytest.raises(assay.AssayError, match="column 2"):
        assay.transpile(booster, X, integer_features={2: (0, 10)})
