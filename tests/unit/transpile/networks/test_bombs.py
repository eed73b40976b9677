"""Files made to break a reader: each is refused in one sentence with a code, soon and in little memory."""

from __future__ import annotations

import resource
import struct

import numpy as np
import pytest

import assay
from assay.core.errors import AssayError
from assay.transpile.errors import ModelMalformed, ModelUnreadable, ModelUnsupported

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, TensorProto = onnx.helper, onnx.TensorProto
MOST_KB = 3 << 20  # how much the largest of these may have added to the process: 3 GB


def info(name, shape=None, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def ints(name, values):
    return onnx.numpy_helper.from_array(np.asarray(values, dtype=np.int64), name)


def floats(name, *shape):
    return onnx.numpy_helper.from_array(np.ones(shape, dtype=np.float32), name)


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs, outputs, "bomb", **attributes)


def model(nodes, weights=(), shape=(1, 4), functions=(), inputs=None, outputs=None):
    graph = helper.make_graph(nodes, "graph", inputs or [info("x", shape)], outputs or [info("y")], list(weights))
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8, functions=functions)


def function(name, *calls):
    """One that calls others of its domain one after another."""
    names = ["a", *(f"b{index}" for index in range(len(calls) - 1)), "z"]
    nodes = [
        helper.make_node(call, [names[i]], [names[i + 1]], domain="own" if call != "Neg" else "")
        for i, call in enumerate(calls)
    ]
    return helper.make_function(
        "own", name, ["a"], ["z"], nodes, [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    )


def calls(name):
    return [helper.make_node(name, ["x"], ["y"], domain="own")]


def laughs():
    return [function("f0", *["Neg"] * 10), *(function(f"f{n}", *[f"f{n - 1}"] * 10) for n in range(1, 12))]


def nested(depth):
    inner = [node("Neg", ["x"], ["out"])]
    for _ in range(depth):
        branches = {f"{side}_branch": helper.make_graph(inner, side, [], [info("out")]) for side in ("then", "else")}
        inner = [node("If", ["yes"], ["out"], **branches)]
    return [*inner, node("Neg", ["out"], ["y"])]


def looping(body, **attributes):
    graph = helper.make_graph(
        body,
        "body",
        [info("i", (), TensorProto.INT64), info("c", (), TensorProto.BOOL), info("v")],
        [info("c2", (), TensorProto.BOOL), info("v2")],
    )
    return [node("Loop", ["count", "", "x"], ["y"], body=graph, **attributes)]


def declared(shape):
    """A weight whose shape says much more than the file holds."""
    tensor = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=shape)
    tensor.raw_data = b"\0" * 4
    return tensor


BOMBS = {
    "functions that call each other ten times": (
        lambda: model(calls("f11"), functions=laughs()),
        ModelUnsupported,
        "nodes, more than 200000",
    ),
    "a function that calls itself": (
        lambda: model(calls("f"), functions=[function("f", "f")]),
        ModelMalformed,
        "'f' of the model calls itself",
    ),
    "functions in a circle": (
        lambda: model(calls("f"), functions=[function("f", "g"), function("g", "f")]),
        ModelMalformed,
        "calls itself",
    ),
    "functions forty deep": (
        lambda: model(
            calls("f0"), functions=[function(f"f{n}", f"f{n + 1}") for n in range(40)] + [function("f40", "Neg")]
        ),
        ModelUnsupported,
        "more than 24 deep",
    ),
    "two functions of one name": (
        lambda: model(calls("f"), functions=[function("f", "Neg"), function("f", "Neg")]),
        ModelMalformed,
        "functions have one name",
    ),
    "branches thirty deep": (
        lambda: model(nested(12), [onnx.numpy_helper.from_array(np.array(True), "no")]),
        ModelMalformed,
        "'yes', which nothing makes",
    ),
    "a cycle in a loop": (
        lambda: model(
            looping(
                [
                    node("Add", ["v", "b"], ["a"]),
                    node("Neg", ["a"], ["b"]),
                    node("Neg", ["b"], ["v2"]),
                    node("Identity", ["c"], ["c2"]),
                ]
            ),
            [ints("count", 3)],
        ),
        ModelMalformed,
        "cycle",
    ),
    "a state that doubles in a loop": (
        lambda: model(
            looping([node("Concat", ["v", "v"], ["v2"], axis=1), node("Identity", ["c"], ["c2"])]), [ints("count", 60)]
        ),
        ModelUnsupported,
        "numbers, more than",
    ),
    "a huge input": (
        lambda: model([node("Neg", ["x"], ["y"])], shape=(1, 2**40)),
        ModelUnsupported,
        "1099511627776 numbers a row",
    ),
    "a huge input that overflows": (
        lambda: model([node("Neg", ["x"], ["y"])], shape=(2**40, 2**40)),
        ModelUnsupported,
        "numbers a row",
    ),
    "a weight that says more than it holds": (
        lambda: model([node("Add", ["x", "w"], ["y"])], [declared([1 << 20])]),
        ModelMalformed,
        "'w' cannot be read",
    ),
    "a weight of a huge shape": (
        lambda: model([node("Add", ["x", "w"], ["y"])], [declared([1 << 40, 1 << 40])]),
        ModelUnsupported,
        "'w' has a shape",
    ),
    "a weight of a shape below zero": (
        lambda: model([node("Add", ["x", "w"], ["y"])], [declared([-1])]),
        ModelUnsupported,
        "'w' has a shape",
    ),
    "constants that grow": (
        lambda: model(
            [node("Add", ["a", "b"], ["c"]), node("Add", ["x", "c"], ["y"])],
            [floats("a", 1 << 14, 1), floats("b", 1, 1 << 14)],
        ),
        ModelUnsupported,
        "makes 268435456 numbers",
    ),
    "a constant padded without end": (
        lambda: model(
            [node("Pad", ["a", "p"], ["c"]), node("Add", ["x", "c"], ["y"])], [floats("a", 1), ints("p", [0, 1 << 40])]
        ),
        AssayError,
        "numbers, more than|cannot be computed",
    ),
    "a product of all with all": (
        lambda: model([node("MatMul", ["x", "x"], ["y"])], shape=(512, 512)),
        ModelUnsupported,
        "134217728 elements",
    ),
    "a sum of all before": (
        lambda: model([node("CumSum", ["x", "a"], ["y"])], [ints("a", 1)], shape=(1, 1 << 16)),
        ModelUnsupported,
        "4294967296 elements",
    ),
    "a row that is repeated": (
        lambda: model([node("Expand", ["x", "s"], ["z"]), node("Relu", ["z"], ["y"])], [ints("s", [1 << 21, 4])]),
        ModelUnsupported,
        "8388608 numbers, more than 4194304",
    ),
    "two inputs of one name": (
        lambda: model([node("Neg", ["x"], ["y"])], inputs=[info("x", (1, 2)), info("x", (1, 3))]),
        ModelMalformed,
        "two inputs of the model have one name",
    ),
    "two outputs of one name": (
        lambda: model([node("Neg", ["x"], ["y"])], outputs=[info("y"), info("y")]),
        ModelMalformed,
        "two outputs of the model have one name",
    ),
    "two weights of one name": (
        lambda: model([node("Add", ["x", "w"], ["y"])], [floats("w", 4), floats("w", 4)]),
        ModelMalformed,
        "two weights of the model have one name",
    ),
    "a weight that a node makes": (
        lambda: model([node("Neg", ["x"], ["w"]), node("Add", ["x", "w"], ["y"])], [floats("w", 4)]),
        ModelMalformed,
        "'w' is made twice",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(name):
    make, error, words = BOMBS[name]
    made = make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(error, match=words) as caught:
        assay.transpile(made, ranges=(-1, 1))
    assert "\n" not in str(caught.value)
    assert caught.value.code
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_KB


def seeds():
    """Files to break: layers, a loop, functions, trees."""
    yield model(
        [
            node("MatMul", ["x", "w"], ["h"]),
            helper.make_node("f", ["h"], ["z"], domain="own"),
            node("Softmax", ["z"], ["y"]),
        ],
        [floats("w", 4, 3)],
        functions=[function("f", "Neg", "Neg")],
    )
    yield model(looping([node("Neg", ["v"], ["v2"]), node("Identity", ["c"], ["c2"])]), [ints("count", 3)])
    trees = {
        "nodes_featureids": [0],
        "nodes_modes": onnx.numpy_helper.from_array(np.zeros(1, dtype=np.uint8)),
        "nodes_splits": onnx.numpy_helper.from_array(np.ones(1, dtype=np.float32)),
        "nodes_truenodeids": [0],
        "nodes_falsenodeids": [1],
        "nodes_trueleafs": [1],
        "nodes_falseleafs": [1],
        "leaf_targetids": [0, 0],
        "leaf_weights": onnx.numpy_helper.from_array(np.array([1, 2], dtype=np.float32)),
        "tree_roots": [0],
        "n_targets": 1,
    }
    graph = helper.make_graph(
        [helper.make_node("TreeEnsemble", ["x"], ["y"], "trees", domain="ai.onnx.ml", **trees)],
        "graph",
        [info("x", (None, 2))],
        [info("y")],
    )
    yield helper.make_model(graph, opset_imports=[helper.make_opsetid("ai.onnx.ml", 5)], ir_version=10)


def broken(data, generator):
    """The bytes with some changed, cut out, repeated, or with a length made large."""
    changed = bytearray(data)
    kind, place = int(generator.integers(5)), int(generator.integers(len(data)))
    if kind == 0:
        return bytes(changed[:place])
    if kind == 1:
        end = min(place + int(generator.integers(1, 40)), len(data))
        return bytes(changed[:place] + changed[place:end] * 2 + changed[end:])
    if kind == 2:
        return bytes(
            changed[:place] + struct.pack("<Q", int(generator.integers(1 << 62)) | 0x8080808080) + changed[place:]
        )
    for _ in range(int(generator.integers(1, 4))):
        changed[int(generator.integers(len(data)))] = int(generator.integers(256))
    return bytes(changed)


@pytest.mark.parametrize("seed", range(3))
def test_broken_files_are_refused_in_one_sentence(seed, tmp_path):
    data = list(seeds())[seed].SerializeToString()
    generator, path, refused = np.random.default_rng(seed), tmp_path / "model.onnx", []
    for _ in range(150):
        path.write_bytes(broken(data, generator))
        kept = {} if seed == 2 else {"ranges": (-1, 1)}
        try:
            assay.transpile(path, **kept)
        except AssayError as error:
            refused.append((str(error), error.code))
    assert len(refused) > 50
    assert not [words for words, code in refused if "\n" in words or not code]


def test_a_file_of_no_end_of_nesting(tmp_path):
    """Messages within messages, which the standard's own parser ends."""
    data = b""
    for _ in range(5000):
        graph = b"\x0a" + _sized(b"\x22\x02If" + b"\x2a" + _sized(b"\x32" + _sized(data)))
        data = graph if len(graph) < 1 << 20 else data
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x08\x3a" + _sized(data))
    with pytest.raises((ModelUnreadable, ModelUnsupported, ModelMalformed)):
        assay.transpile(path, ranges=(-1, 1))


def _sized(data):
    length, head = len(data), b""
    while length > 127:
        head += bytes([length & 127 | 128])
        length >>= 7
    return head + bytes([length]) + data
