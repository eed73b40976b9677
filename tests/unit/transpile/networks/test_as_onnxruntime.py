"""Operators and their corners in real numbers, before any rounding: what onnxruntime says of the same graph."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelMalformed, ModelUnsupported
from assay.transpile.flow.evaluate import evaluate, results
from assay.transpile.importers.onnx.convert import convert
from assay.transpile.networks.oracle import Oracle

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
helper, TensorProto = onnx.helper, onnx.TensorProto
KINDS = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32, "uint8": TensorProto.UINT8}
RANDOM = np.random.default_rng(0)


def graph(nodes, inputs, *, outputs=("y",), constants=(), opset=17, kind="float32"):
    """Nodes as (operator, inputs, outputs, attributes), inputs as a shape by name, all of them of one kind."""
    made = helper.make_graph(
        [helper.make_node(operator, *rest[:2], **(rest[2] if len(rest) > 2 else {})) for operator, *rest in nodes],
        "graph",
        [helper.make_tensor_value_info(name, KINDS[kind], shape) for name, shape in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(values), name) for name, values in dict(constants).items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def told(model, rows):
    """All outputs of onnxruntime side by side, row by row."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    kinds = {"tensor(float)": "float32", "tensor(int32)": "int32", "tensor(uint8)": "uint8"}
    found = []
    for row in rows:
        feeds, start = {}, 0
        for one in session.get_inputs():
            size = int(np.prod(one.shape))
            feeds[one.name] = row[start : start + size].reshape(one.shape).astype(kinds[one.type])
            start += size
        found.append(np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in session.run(None, feeds)]))
    return np.stack(found)


def same(model, rows=None):
    flow = convert(model)
    rows = RANDOM.uniform(-1, 1, (8, len(flow.features))).astype(np.float32) if rows is None else rows
    got = results(flow, evaluate(flow, rows.astype(np.float64), np.zeros(rows.shape[1])))
    wanted = told(model, rows)
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() < 1e-4 * max(1.0, float(np.abs(wanted).max()))


EQUATIONS = {
    "bij,jk->bik": [(1, 3, 4), (4, 5)],
    "bqd,bkd->bqk": [(1, 3, 4), (1, 2, 4)],
    "bthk,bshk->bhts": [(1, 3, 2, 2), (1, 3, 2, 2)],
    "i,j->ij": [(3,), (4,)],
    "ij->ji": [(2, 3)],
    "ij->": [(2, 3)],
    "ii->i": [(3, 3)],
    "ij,ij": [(2, 3), (2, 3)],
    "...ij,...jk->...ik": [(2, 1, 2, 3), (1, 3, 3, 2)],
    "ij,jk,kl->il": [(2, 3), (3, 2), (2, 4)],
    "bn,anm,bm->ba": [(2, 3), (4, 3, 2), (2, 2)],
    "b i j , j -> b i": [(1, 2, 3), (3,)],
}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(equation):
    shapes = {f"x{index}": shape for index, shape in enumerate(EQUATIONS[equation])}
    same(graph([("Einsum", list(shapes), ["y"], {"equation": equation})], shapes))
    if len(shapes) > 1:  # the last one a weight
        name = list(shapes)[-1]
        weight = RANDOM.normal(size=shapes.pop(name)).astype(np.float32)
        node = ("Einsum", [*shapes, name], ["y"], {"equation": equation})
        same(graph([node], shapes, constants={name: weight}))


WHOLE = {"steps": np.int64(4), "length": np.int64(8), "axis": np.int64(1), "short": np.int64(5)}
MODELS = {
    "DFT": graph([("DFT", ["x"], ["y"], {"axis": 1})], {"x": (1, 8, 1)}),
    "DFT of one side, filled": graph(
        [("DFT", ["x", "length"], ["y"], {"axis": 1, "onesided": 1})], {"x": (1, 5, 1)}, constants=WHOLE
    ),
    "DFT of complex numbers, cut, back": graph(
        [("DFT", ["x", "short", "axis"], ["y"], {"inverse": 1})], {"x": (2, 6, 2)}, constants=WHOLE, opset=20
    ),
    "STFT": graph(
        [("STFT", ["x", "steps", "window"], ["y"])],
        {"x": (1, 20, 1)},
        constants=WHOLE | {"window": np.hanning(8).astype(np.float32)},
    ),
    "STFT without a window": graph(
        [("STFT", ["x", "steps", "", "length"], ["y"], {"onesided": 0})], {"x": (1, 20, 1)}, constants=WHOLE
    ),
    "LRN": graph([("LRN", ["x"], ["y"], {"size": 3, "alpha": 0.5, "bias": 1.5})], {"x": (1, 5, 2, 2)}),
    "Compress": graph(
        [("Compress", ["x", "c"], ["y"], {"axis": -1})], {"x": (2, 3)}, constants={"c": np.array([True, False, True])}
    ),
    "Compress of all": graph(
        [("Compress", ["x", "c"], ["y"])], {"x": (2, 2)}, constants={"c": np.array([False, True, True])}
    ),
    "ReverseSequence": graph(
        [("ReverseSequence", ["x", "n"], ["y"])], {"x": (4, 2, 3)}, constants={"n": np.array([3, 1])}
    ),
    "ReverseSequence of batches": graph(
        [("ReverseSequence", ["x", "n"], ["y"], {"batch_axis": 0, "time_axis": 1})],
        {"x": (2, 4)},
        constants={"n": np.array([4, 2])},
    ),
    "a scalar is no list of one": graph(
        [
            ("ReduceSum", ["x"], ["s"], {"keepdims": 0}),
            ("Reshape", ["x", "none"], ["r"]),
            ("Add", ["s", "r"], ["t"]),
            ("Tanh", ["t"], ["u"]),
            ("Unsqueeze", ["u", "zero"], ["v"]),
            ("Concat", ["v", "one"], ["y"], {"axis": 0}),
            ("Shape", ["t"], ["w"]),
            ("Size", ["w"], ["z"]),
        ],
        {"x": (1, 1)},
        outputs=("y", "z"),
        constants={"zero": np.array([0]), "one": np.ones(1, dtype=np.float32), "none": np.zeros(0, dtype=np.int64)},
    ),
    "a transposed convolution that leaves gaps": graph(
        [("ConvTranspose", ["x", "w"], ["y"], {"strides": [3, 1], "auto_pad": "SAME_UPPER"})],
        {"x": (1, 1, 3, 2)},
        constants={"w": RANDOM.normal(size=(1, 2, 2, 3)).astype(np.float32)},
    ),
    "a transposed convolution of a size": graph(
        [("ConvTranspose", ["x", "w"], ["y"], {"strides": [3, 3], "output_shape": [6, 6]})],
        {"x": (1, 1, 2, 2)},
        constants={"w": RANDOM.normal(size=(1, 1, 1, 2)).astype(np.float32)},
    ),
    "a pool that leaves gaps": graph(
        [("LpPool", ["x"], ["y"], {"kernel_shape": [1], "strides": [3], "auto_pad": "SAME_UPPER"})], {"x": (1, 2, 6)}
    ),
    "indices along one axis only": graph(
        [("GatherElements", ["x", "i"], ["y"], {"axis": 0})],
        {"x": (2, 1, 3)},
        constants={"i": np.array([[[0, -1]], [[1, 0]], [[1, 1]]])},
    ),
    "reductions of nothing": graph(
        [(f"Reduce{how}", ["x"], [how], {"noop_with_empty_axes": 1}) for how in ("L1", "L2", "SumSquare", "Mean")],
        {"x": (2, 2)},
        outputs=("L1", "L2", "SumSquare", "Mean"),
        opset=18,
    ),
    "a mean of nothing that nobody takes": graph(
        [("ReduceMean", ["x"], ["m"]), ("Greater", ["n", "zero"], ["c"]), ("Where", ["c", "m", "none"], ["y"])],
        {"x": (1, 4)},
        constants={"n": np.float32(4), "zero": np.float32(0), "none": np.float32(np.nan)},
    ),
    "no number is none": graph(
        [("IsNaN", ["x"], ["none"]), ("IsInf", ["x"], ["far"]), ("Where", ["none", "zero", "x"], ["y"])],
        {"x": (1, 4)},
        outputs=("y", "far"),
        constants={"zero": np.float32(0)},
    ),
    "above minus infinity": graph(
        [("Greater", ["x", "low"], ["a"]), ("Equal", ["x", "low"], ["b"]), ("LessOrEqual", ["low", "x"], ["c"])],
        {"x": (1, 4)},
        outputs=("a", "b", "c"),
        constants={"low": np.array([-np.inf, 0, np.inf, -np.inf], dtype=np.float32)},
    ),
    "attention of the standard": graph(
        [("Attention", ["q", "k", "v"], ["y"], {"is_causal": 1})],
        {"q": (1, 4, 3, 2), "k": (1, 2, 3, 2), "v": (1, 2, 3, 2)},
        opset=23,
    ),
    "attention of the standard, masked": graph(
        [
            (
                "Attention",
                ["q", "k", "v", "m"],
                ["y"],
                {"scale": 0.3, "softcap": 2.0, "q_num_heads": 2, "kv_num_heads": 2},
            )
        ],
        {"q": (1, 3, 4), "k": (1, 3, 4), "v": (1, 3, 4)},
        constants={"m": np.array([[True, False, True]] * 3)},
        opset=23,
    ),
    "rotary embedding": graph(
        [("RotaryEmbedding", ["x", "c", "s"], ["y"], {"interleaved": 1})],
        {"x": (1, 2, 3, 4)},
        constants={name: RANDOM.normal(size=(1, 3, 2)).astype(np.float32) for name in "cs"},
        opset=23,
    ),
    "centre": graph(
        [("CenterCropPad", ["x", "n"], ["y"], {"axes": [1, 2]})],
        {"x": (1, 4, 3)},
        constants={"n": np.array([2, 6])},
        opset=18,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_operators(name):
    same(MODELS[name])


@pytest.mark.parametrize("far", [-1e4, -1e9, float(np.finfo(np.float32).min), -np.inf])
def test_a_constant_mask_is_one_however_it_is_written(far):
    mask = np.triu(np.full((3, 3), far), 1)
    added = graph(
        [("MatMul", ["x", "x"], ["s"]), ("Add", ["s", "m"], ["t"]), ("Softmax", ["t"], ["y"])],
        {"x": (3, 3)},
        constants={"m": mask.astype(np.float32)},
    )
    same(added)
    assert len(convert(added).notes) == np.isfinite(far)
    assay.transpile(added, ranges=(-3, 3))
    chosen = graph(
        [("MatMul", ["x", "x"], ["s"]), ("Where", ["c", "s", "m"], ["t"]), ("Softmax", ["t"], ["y"])],
        {"x": (3, 3)},
        constants={"c": np.tri(3).astype(np.bool_), "m": np.float32(far)},
    )
    same(chosen)
    with pytest.raises(ModelUnsupported, match="logarithm of what is masked"):
        convert(
            graph(
                [("Add", ["x", "m"], ["t"]), ("LogSoftmax", ["t"], ["y"])],
                {"x": (2,)},
                constants={"m": np.float32([0, far])},
            )
        )


def test_pools_of_a_size_with_dilations_are_refused():
    how = {"kernel_shape": [2], "dilations": [2], "auto_pad": "SAME_UPPER"}
    with pytest.raises(ModelUnsupported, match="has dilations, which runtimes read in different ways"):
        convert(graph([("MaxPool", ["x"], ["y"], how)], {"x": (1, 1, 6)}))


def _quantised(after, rest, constants):
    """A graph on a row in steps of 0.01 around 128."""
    before = ("QuantizeLinear", ["x", "s", "z"], ["q"])
    return graph([before, *after], rest, constants={"s": np.float32(0.01), "z": np.uint8(128)} | constants)


STEPS = {"t": np.float32(0.05), "u": np.uint8(100), "v": np.array([0.01, 0.02, 0.03], dtype=np.float32)}
BYTES = RANDOM.integers(0, 255, (4, 3)).astype(np.uint8)
SIGNED = RANDOM.integers(-127, 127, (3, 1, 2, 2)).astype(np.int8)
QUANTISED = {
    "QLinearMatMul": _quantised(
        [
            ("QLinearMatMul", ["q", "s", "z", "w", "v", "p", "t", "u"], ["r"]),
            ("DequantizeLinear", ["r", "t", "u"], ["y"]),
        ],
        {"x": (2, 4)},
        STEPS | {"w": BYTES, "p": np.array([100, 110, 120], dtype=np.uint8)},
    ),
    "MatMulInteger": _quantised(
        [("MatMulInteger", ["q", "w", "z", "p"], ["y"])], {"x": (2, 4)}, {"w": BYTES, "p": np.uint8(120)}
    ),
    "QLinearConv": _quantised(
        [
            ("QLinearConv", ["q", "s", "z", "w", "v", "p", "t", "u", "b"], ["r"], {"pads": [1, 1, 0, 0]}),
            ("DequantizeLinear", ["r", "t", "u"], ["y"]),
        ],
        {"x": (1, 1, 4, 4)},
        STEPS | {"w": SIGNED, "p": np.zeros(3, dtype=np.int8), "b": np.array([100, -900, 0], dtype=np.int32)},
    ),
    "ConvInteger": _quantised(
        [("ConvInteger", ["q", "w", "z"], ["y"], {"pads": [1, 1, 1, 1]})],
        {"x": (1, 1, 4, 4)},
        {"w": (SIGNED.astype(np.int16) + 128).astype(np.uint8)},
    ),
}


@pytest.mark.parametrize("name", QUANTISED)
def test_products_of_quantised_numbers(name):
    rows = np.round(RANDOM.uniform(-1, 1, (8, 16 if "Conv" in name else 8)), 2) + 0.001  # between two steps
    same(QUANTISED[name], rows)


def test_a_cast_between_whole_numbers_leaves_an_index_what_it_is():
    nodes = [("Cast", ["x"], ["i"], {"to": TensorProto.INT64}), ("Gather", ["w", "i"], ["y"])]
    table = {"w": RANDOM.normal(size=(6, 2)).astype(np.float32)}
    for kind in ("int32", "uint8"):
        same(graph(nodes, {"x": (1, 3)}, constants=table, kind=kind), RANDOM.integers(0, 6, (8, 3)))


REFUSED = {
    "no shape": (None, "does not say the shape of its input 'x'"),
    "nothing in it": ((1, 0), "input 'x' has no elements: its dimension 1 is 0"),
    "open without a name": ((1, None), r"dimension 1 \(which has no name\) .* is left open. Export the model with a"),
    "open by name": ((1, "T"), "dimension 'T' .* is left open. Say its size: dimensions={'T': 20}"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_inputs_that_are_not_said(name):
    shape, words = REFUSED[name]
    with pytest.raises(ModelUnsupported, match=words):
        convert(graph([("Relu", ["x"], ["y"])], {"x": shape}))


def test_an_operator_is_refused_by_name_where_the_standards_body_does_not_hold():
    node = ("AffineGrid", ["x", "n"], ["y"])
    with pytest.raises(ModelUnsupported, match=r"the operator AffineGrid .* is not supported"):
        convert(graph([node], {"x": (1, 2, 3)}, constants={"n": np.array([1, 1, 2, 2])}, opset=20))


@pytest.mark.parametrize("operator", ["Add", "Mul", "Max", "Less", "Equal", "Div"])
def test_a_constant_that_is_no_number_is_refused_where_it_is_used(operator):
    model = graph([(operator, ["x", "none"], ["y"])], {"x": (1, 4)}, constants={"none": np.float32(np.nan)})
    with pytest.raises(ModelMalformed, match=r"no number|not finite"):
        convert(model)


def test_a_first_axis_that_counts_no_rows():
    shapes = {"x": (3, 2), "z": (2,), "one": ()}
    model = graph([("Add", ["x", "z"], ["a"]), ("Mul", ["a", "one"], ["y"])], shapes)
    rows = RANDOM.uniform(-1, 1, (8, 9)).astype(np.float32)
    found = Oracle(model.SerializeToString(), {name: list(shape) for name, shape in shapes.items()}).outputs(rows)
    assert np.array_equal(found, told(model, rows))
    circuit = assay.transpile(model, calibration=rows)
    assert np.abs(circuit.predict(rows) - found).max() < 2e-3
