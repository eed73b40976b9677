"""Model files that are truncated, altered or made up: one clear error each, and nothing else."""

from __future__ import annotations

import copy
import json
import pickle
import struct
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import assay
from assay.core.errors import MissingLibrary
from assay.transpile.ensemble import Ensemble, Linear
from assay.transpile.errors import ModelError, ModelMalformed, ModelUnreadable, ModelUnsupported
from assay.transpile.importers.importers import read_file
from assay.transpile.importers.lightgbm import from_text
from assay.transpile.importers.ubjson import parse_ubjson
from assay.transpile.importers.xgboost import from_document

SLOW = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def xgboost_document():
    """A small model as XGBoost writes it: two rounds, two classes of splits, one categorical."""
    tree = {
        "base_weights": [0.0] * 5,
        "categories": [1, 4],
        "categories_nodes": [1],
        "categories_segments": [0],
        "categories_sizes": [2],
        "default_left": [1, 0, 0, 0, 0],
        "id": 0,
        "left_children": [1, 3, -1, -1, -1],
        "right_children": [2, 4, -1, -1, -1],
        "parents": [2147483647, 0, 0, 1, 1],
        "split_conditions": [0.5, 1e-45, 0.25, -0.5, 0.75],
        "split_indices": [0, 1, 0, 0, 0],
        "split_type": [0, 1, 0, 0, 0],
        "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": "5", "size_leaf_vector": "1"},
    }
    return {
        "learner": {
            "attributes": {"best_iteration": "1", "scikit_learn": "{}"},
            "feature_names": ["a", "b"],
            "feature_types": ["float", "c"],
            "gradient_booster": {
                "model": {
                    "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "2"},
                    "iteration_indptr": [0, 1, 2],
                    "tree_info": [0, 0],
                    "trees": [tree, copy.deepcopy(tree)],
                },
                "name": "gbtree",
            },
            "learner_model_param": {"base_score": "[5E-1]", "num_class": "0", "num_feature": "2", "num_target": "1"},
            "objective": {"name": "binary:logistic"},
        },
        "version": [3, 2, 0],
    }


LIGHTGBM = """tree
version=v4
num_class=1
num_tree_per_iteration=1
max_feature_idx=1
objective=binary sigmoid:1
feature_names=a b

Tree=0
num_leaves=3
num_cat=1
split_feature=0 1
threshold=0.5 0
decision_type=10 1
left_child=1 -1
right_child=-2 -3
leaf_value=0.25 -0.5 0.75
cat_boundaries=0 1
cat_threshold=18
is_linear=0
shrinkage=1

Tree=1
num_leaves=1
leaf_value=0.125

end of trees
"""


def use(source):
    """What follows reading: a circuit that evaluates."""
    from assay.transpile.linear.assemble import assemble_linear
    from assay.transpile.trees.assemble import assemble

    if isinstance(source, Ensemble):
        circuit = assemble(source, {}, "public")
    else:
        assert isinstance(source, Linear)
        circuit = assemble_linear(source, {}, None)
    circuit.predict(np.ones((2, len(circuit.features))))
    circuit.to_json()


def fault(call):
    """The error of a call; None if it went well. Errors of other kinds are the test's failure."""
    try:
        call()
    except ModelError as error:
        return error
    return None


def refused(call):
    error = fault(lambda: use(call()))
    if error is not None:
        assert error.code.startswith("model/")
        assert str(error)
        assert "\n" not in str(error)


def test_the_examples_are_models():
    use(from_document(xgboost_document(), "file", None, wrapper=True))
    use(from_text(LIGHTGBM, "file", None))


def at(document, *path):
    for name in path:
        document = document[name]
    return document


TREE = ("learner", "gradient_booster", "model", "trees", 0)


@pytest.mark.parametrize(
    ("path", "value", "error", "words"),
    [
        ((*TREE, "left_children"), [1, 0, -1, -1, -1], ModelMalformed, "tree 0.*two ways"),
        ((*TREE, "left_children"), [0, 3, -1, -1, -1], ModelMalformed, "tree 0.*two ways"),
        ((*TREE, "left_children"), [1, 2, -1, -1, -1], ModelMalformed, "tree 0.*two ways"),
        ((*TREE, "left_children"), [1, 99, -1, -1, -1], ModelMalformed, "child that does not exist"),
        ((*TREE, "left_children"), [1, -7, -1, -1, -1], ModelMalformed, "child that does not exist"),
        ((*TREE, "left_children"), [1, 3], ModelMalformed, "differ in length"),
        ((*TREE, "left_children"), [1, 2**70, -1, -1, -1], ModelMalformed, "left_children"),
        ((*TREE, "left_children"), [[1], [3]], ModelMalformed, "left_children"),
        ((*TREE, "left_children"), "11111", ModelMalformed, "left_children"),
        ((*TREE, "left_children"), [1, 3.5, -1, -1, -1], ModelMalformed, "integers"),
        ((*TREE, "left_children"), [1, None, -1, -1, -1], ModelMalformed, "left_children"),
        ((*TREE, "split_conditions"), [float("nan"), 0, 0.25, 0, 0], ModelMalformed, "threshold that is not a number"),
        ((*TREE, "split_conditions"), [0.5, 0, float("nan"), 0, 0], ModelMalformed, "leaf that is not a finite"),
        ((*TREE, "split_conditions"), [0.5, 0, 1e39, 0, 0], ModelMalformed, "leaf that is not a finite"),
        ((*TREE, "split_conditions"), [0.5, 0, 1e30, 0, 0], ModelUnsupported, "leaf values reach"),
        ((*TREE, "split_indices"), [0, 2, 0, 0, 0], ModelMalformed, "not among the model's 2"),
        ((*TREE, "split_indices"), [0, -1, 0, 0, 0], ModelMalformed, "negative"),
        ((*TREE, "categories"), [1], ModelMalformed, "categories that are not in the file"),
        ((*TREE, "categories_sizes"), [2**62], ModelMalformed, "categor"),
        ((*TREE, "categories_sizes"), [0], ModelMalformed, "categor"),
        ((*TREE, "categories_segments"), [-5], ModelMalformed, "categor"),
        ((*TREE, "categories_nodes"), [0], ModelMalformed, "categor"),
        ((*TREE, "categories_nodes"), [77], ModelMalformed, "categor"),
        ((*TREE, "tree_param", "size_leaf_vector"), "3", ModelMalformed, "3 values"),
        ((*TREE, "tree_param"), None, ModelMalformed, "size_leaf_vector"),
        (TREE[:-1], [], ModelMalformed, "tree_info"),
        (TREE[:-1], {}, ModelMalformed, "not a list"),
        (TREE, 7, ModelMalformed, "left_children"),
        ((*TREE[:3], "tree_info"), [0, 5], ModelMalformed, "output that the model does not have"),
        ((*TREE[:3], "tree_info"), [0, -1], ModelMalformed, "output that the model does not have"),
        ((*TREE[:3], "iteration_indptr"), [0, 5], ModelMalformed, "rounds"),
        ((*TREE[:3], "iteration_indptr"), [0, 2, 1, 2], ModelMalformed, "rounds"),
        (("learner", "learner_model_param", "num_feature"), "99999999999", ModelMalformed, "num_feature"),
        (("learner", "learner_model_param", "num_feature"), "0", ModelMalformed, "num_feature"),
        (("learner", "learner_model_param", "num_class"), "-3", ModelMalformed, "num_class"),
        (("learner", "learner_model_param", "base_score"), "[]", ModelMalformed, "base_score"),
        (("learner", "learner_model_param", "base_score"), "nan", ModelMalformed, "base_score"),
        (("learner", "learner_model_param", "base_score"), "-1E-3", ModelMalformed, "base_score"),
        (("learner", "learner_model_param", "base_score"), "1.5E0", ModelMalformed, "base_score"),
        (("learner", "learner_model_param", "base_score"), "[1E-1,2E-1]", ModelMalformed, "base_score"),
        (("learner", "learner_model_param"), 3, ModelMalformed, "num_feature"),
        (("learner", "feature_names"), ["a"], ModelMalformed, "feature_names"),
        (("learner", "feature_names"), [1, 2], ModelMalformed, "feature_names"),
        (("learner", "feature_names"), ["a", "\ud800"], ModelMalformed, "feature_names"),
        (("learner", "attributes"), {"best_iteration": "x", "scikit_learn": "{}"}, ModelMalformed, "best_iteration"),
        (("learner", "objective", "name"), ["x"], ModelUnsupported, "objective"),
        (("learner", "gradient_booster", "name"), {"a": 1}, ModelUnsupported, "booster"),
        (("learner", "gradient_booster"), None, ModelError, "."),
        (("learner",), [], ModelMalformed, "objective"),
    ],
)
def test_xgboost_documents_that_contradict_themselves(path, value, error, words, tmp_path):
    document = xgboost_document()
    at(document, *path[:-1])[path[-1]] = value
    with pytest.raises(error, match=words):
        use(from_document(document, "file", None, wrapper=True))
    (tmp_path / "model.json").write_text(json.dumps(document))
    with pytest.raises(error, match=words):
        assay.transpile(tmp_path / "model.json")


@pytest.mark.parametrize(
    ("old", "new", "error", "words"),
    [
        ("left_child=1 -1", "left_child=0 -1", ModelMalformed, "two ways"),
        ("left_child=1 -1", "left_child=1 1", ModelMalformed, "two ways"),
        ("left_child=1 -1", "left_child=1 -2", ModelMalformed, "two ways"),
        ("left_child=1 -1", "left_child=1 -9", ModelMalformed, "does not exist"),
        ("left_child=1 -1", "left_child=1 2", ModelMalformed, "does not exist"),
        ("left_child=1 -1", "left_child=1", ModelMalformed, "1 entries instead of 2"),
        ("left_child=1 -1", "left_child=1 x", ModelMalformed, "integers"),
        ("left_child=1 -1", f"left_child=1 {2**80}", ModelMalformed, "integers"),
        ("left_child=1 -1\n", "", ModelMalformed, "0 entries instead of 2"),
        ("num_leaves=3", "num_leaves=2000000000", ModelMalformed, "instead of 2000000000"),
        ("num_leaves=3", "num_leaves=0", ModelMalformed, "num_leaves"),
        ("num_leaves=3\n", "", ModelMalformed, "num_leaves"),
        ("threshold=0.5 0", "threshold=nan 0", ModelMalformed, "not a number"),
        ("threshold=0.5 0", "threshold=0.5 7", ModelMalformed, "set that is not in the file"),
        ("threshold=0.5 0", "threshold=0.5 nan", ModelMalformed, "set that is not in the file"),
        ("threshold=0.5 0", "threshold=0.5 1e999", ModelMalformed, "set that is not in the file"),
        ("threshold=0.5 0", "threshold=0.5 zero", ModelMalformed, "numbers"),
        ("leaf_value=0.25", "leaf_value=inf", ModelMalformed, "finite"),
        ("split_feature=0 1", "split_feature=0 2", ModelMalformed, "not among the model's 2"),
        ("split_feature=0 1", "split_feature=0 -1", ModelMalformed, "negative"),
        ("decision_type=10 1", "decision_type=12 1", ModelMalformed, "missing type"),
        ("cat_boundaries=0 1", "cat_boundaries=0 9", ModelMalformed, "out of order"),
        ("cat_boundaries=0 1", "cat_boundaries=1 0", ModelMalformed, "out of order"),
        ("cat_threshold=18", "cat_threshold=-1", ModelMalformed, "out of order"),
        ("num_cat=1", "num_cat=0", ModelMalformed, "num_cat"),
        ("num_cat=1", "num_cat=1000000000", ModelMalformed, "instead of"),
        ("is_linear=0", "is_linear=1", ModelUnsupported, "linear_tree"),
        ("version=v4", "version=v1", ModelUnsupported, "v1"),
        ("max_feature_idx=1", "max_feature_idx=-1", ModelMalformed, "max_feature_idx"),
        ("max_feature_idx=1\n", "", ModelMalformed, "max_feature_idx"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=0", ModelMalformed, "num_tree_per_iteration"),
        ("num_tree_per_iteration=1", "num_tree_per_iteration=3", ModelMalformed, "do not divide"),
        ("end of trees", "", ModelUnreadable, "truncated"),
        ("tree\n", "forest\n", ModelUnreadable, "."),
    ],
)
def test_lightgbm_files_that_contradict_themselves(old, new, error, words, tmp_path):
    assert old in LIGHTGBM
    path = tmp_path / "model.txt"
    path.write_text(LIGHTGBM.replace(old, new, 1))
    with pytest.raises(error, match=words):
        assay.transpile(path)


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("model.json", b"", ModelUnreadable, "empty"),
        ("model.json", b"{", ModelUnreadable, "no JSON"),
        ("model.json", b'{"learner"', ModelUnreadable, "no JSON"),
        ("model.json", b'{"a":' * 100_000, ModelUnreadable, "nested too deeply"),
        ("model.json", b'{"a": "\xff"}', ModelUnreadable, "no JSON"),
        ("model.json", b'{"a": ' + b"1" * 5000 + b"}", ModelUnreadable, "no JSON"),
        ("model.json", b"{}", ModelMalformed, "learner"),
        ("model.json", b'{"learner": 3}', ModelMalformed, "objective"),
        ("model.json", b"[1]", ModelUnreadable, "no model file"),
        ("model.json", b"hello", ModelUnreadable, "no model file"),
        ("model.ubj", b"{L", ModelUnreadable, "ends too early"),
        ("model.ubj", b"{L\xff\xff\xff\xff\xff\xff\xff\xff", ModelUnreadable, "negative size"),
        ("model.ubj", b"{L\x7f\xff\xff\xff\xff\xff\xff\xff", ModelUnreadable, "ends too early"),
        ("model.ubj", b"{i\x01a[$L#L\x7f\xff\xff\xff\xff\xff\xff\xff", ModelUnreadable, "ends too early"),
        ("model.ubj", b"{i\x01a[$Z#L\x7f\xff\xff\xff\xff\xff\xff\xff", ModelUnreadable, "of type b'Z'"),
        ("model.ubj", b"{i\x01a[#L\x7f\xff\xff\xff\xff\xff\xff\xff", ModelUnreadable, "ends too early"),
        ("model.ubj", b"{i\x01a" * 100, ModelUnreadable, "nested too deeply"),
        ("model.ubj", b"{i\x01a" + b"[" * 5000, ModelUnreadable, "nested too deeply"),
        ("model.ubj", b"{i\x01\xffZ}", ModelUnreadable, "not UTF-8"),
        ("model.ubj", b"{i\x01aQ}", ModelUnreadable, "unknown type"),
        ("model.ubj", b"{i\x01aZ}Z", ModelUnreadable, "follow its end"),
        ("model.ubj", b"{$i#i\x01", ModelUnreadable, "."),
        ("model.txt", b"tree\n\xff\xff", ModelUnreadable, "not UTF-8"),
        ("model.txt", b"tree\nversion=v4\n", ModelUnreadable, "truncated"),
        ("model.bin", b"binf" + bytes(100), ModelUnsupported, "old binary format"),
        ("model.pkl", b"anything", ModelUnsupported, "pickle"),
        ("model.joblib", b"anything", ModelUnsupported, "pickle"),
        ("model.dat", pickle.dumps({"a": 1}), ModelUnsupported, "pickle"),
        ("model.onnx", b"anything", ModelUnreadable, "no ONNX model"),
        ("model.keras", b"anything", ModelUnsupported, "own format"),
        ("model.json", bytes(1000), ModelUnreadable, "no model file"),
    ],
)
def test_files_that_are_no_models(name, content, error, words, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=words) as caught:
        assay.transpile(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_paths_that_are_no_files(tmp_path):
    for path in (tmp_path / "absent.json", tmp_path, "zero\0byte.json", "x" * 5000):
        with pytest.raises(ModelUnreadable):
            assay.transpile(path)


def test_a_pickle_is_never_opened(tmp_path):
    marker = tmp_path / "opened"

    class Bomb:
        def __reduce__(self):
            return open, (str(marker), "w")

    for name in ("model.pkl", "model.json", "model"):
        (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(ModelUnsupported, match="pickle"):
            assay.transpile(tmp_path / name)
    assert not marker.exists()


def test_damaged_skops_files(tmp_path):
    pytest.importorskip("skops.io")
    (tmp_path / "model.skops").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(ModelUnreadable, match="skops"):
        assay.transpile(tmp_path / "model.skops")


def test_skops_files_without_skops(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    (tmp_path / "model.skops").write_bytes(b"PK\x03\x04")
    with pytest.raises(MissingLibrary, match="needs the library skops"):
        assay.transpile(tmp_path / "model.skops")


def test_skops_files_with_foreign_types_are_refused(tmp_path):
    skops = pytest.importorskip("skops.io")
    pytest.importorskip("sklearn")
    from sklearn.preprocessing import FunctionTransformer

    skops.dump(FunctionTransformer(func=np.exp), tmp_path / "model.skops")
    with pytest.raises(ModelUnsupported):
        assay.transpile(tmp_path / "model.skops")
    skops.dump(FunctionTransformer(func=pytest.importorskip), tmp_path / "model.skops")
    with pytest.raises(ModelUnsupported, match="not known to be safe"):
        assay.transpile(tmp_path / "model.skops")


hostile = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 9),
    st.integers(),
    st.floats(),
    st.sampled_from(["", "x", "1", "-1", "99999999999999999999", "[1E0", "nan", "gblinear", "dart", "multi:softprob"]),
    st.lists(st.integers(-2, 7), max_size=6),
    st.lists(st.floats(), max_size=6),
    st.lists(st.lists(st.integers(), max_size=2), max_size=3),
    st.dictionaries(st.sampled_from(["name", "model", "trees", "weights"]), st.integers() | st.lists(st.floats())),
)


def places(document, path=()):
    yield path
    children = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, child in children:
        yield from places(child, (*path, name))


PLACES = [path for path in places(xgboost_document()) if path]


@given(st.lists(st.tuples(st.sampled_from(PLACES), hostile), min_size=1, max_size=3))
@SLOW
def test_altered_xgboost_documents(changes):
    document = xgboost_document()
    for path, value in changes:
        try:
            at(document, *path[:-1])[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    refused(lambda: from_document(document, "file", None, wrapper=True))


def to_ubjson(value):
    if isinstance(value, dict):
        return b"{" + b"".join(text(name) + to_ubjson(inner) for name, inner in value.items()) + b"}"
    if isinstance(value, list):
        if value and all(type(item) is int for item in value):
            return b"[$l#L" + struct.pack(">q", len(value)) + struct.pack(f">{len(value)}i", *value)
        if value and all(type(item) is float for item in value):
            return b"[$d#L" + struct.pack(">q", len(value)) + struct.pack(f">{len(value)}f", *value)
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(to_ubjson, value))
    if isinstance(value, str):
        return b"S" + text(value)
    return b"d" + struct.pack(">f", value) if isinstance(value, float) else b"l" + struct.pack(">i", value)


def text(value):
    raw = value.encode()
    return b"L" + struct.pack(">q", len(raw)) + raw


def from_bytes(path, content):
    path.write_bytes(content)
    return read_file(str(path), None)


BINARY = to_ubjson(xgboost_document())
FORMATS = {"ubj": BINARY, "json": json.dumps(xgboost_document()).encode(), "txt": LIGHTGBM.encode()}


@pytest.mark.parametrize("suffix", FORMATS)
def test_truncated_files(suffix, tmp_path):
    content = FORMATS[suffix]
    use(from_bytes(tmp_path / f"model.{suffix}", content))
    for length in range(0, len(content) - 1, 7):
        with pytest.raises(ModelError):
            from_bytes(tmp_path / f"model.{suffix}", content[:length])


@pytest.mark.parametrize("suffix", FORMATS)
@given(data=st.data())
@SLOW
def test_altered_bytes(suffix, data, tmp_path_factory):
    content = bytearray(FORMATS[suffix])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz") / f"model.{suffix}"
    refused(lambda: from_bytes(path, bytes(content)))


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from(LIGHTGBM.split("\n")), st.text("0123456789.-ena \n=")),
        min_size=1,
        max_size=3,
    )
)
@SLOW
def test_altered_lightgbm_lines(changes):
    lines = LIGHTGBM.split("\n")
    for position, line, tail in changes:
        lines[position % len(lines)] = line.partition("=")[0] + "=" + tail
    refused(lambda: from_text("\n".join(lines), "file", None))


@given(st.binary(max_size=200))
@SLOW
def test_any_bytes_as_ubjson(content):
    error = fault(lambda: parse_ubjson(content))
    assert error is None or isinstance(error, ModelUnreadable)


def test_ubjson_reads_what_it_should():
    document = {"a": [1, 2, 300], "b": [0.5, -1.0], "c": [], "d": ["x", "ü"], "e": {"f": 7, "g": 0.25}}
    parsed = parse_ubjson(to_ubjson(document))
    assert parsed["a"].tolist() == [1, 2, 300]
    assert parsed["b"].tolist() == [0.5, -1.0]
    assert {name: parsed[name] for name in "cde"} == {name: document[name] for name in "cde"}
    assert parse_ubjson(b"[i\x01U\xffI\x01\x00l\x00\x01\x00\x00ZTFCaD\x3f\xf0" + bytes(6) + b"]") == [
        1,
        255,
        256,
        65536,
        None,
        True,
        False,
        "a",
        1.0,
    ]
