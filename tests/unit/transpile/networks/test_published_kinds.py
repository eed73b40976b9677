"""Graphs of published kinds: each is proven within the tolerance, or refused by name."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelUnsupported, OptionError, OutOfRange
from assay.transpile.networks.assemble import differing

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, TensorProto = onnx.helper, onnx.TensorProto


_SPEC = importlib.util.spec_from_file_location("networks_graphs", Path(__file__).parent / "graphs.py")
graphs = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(graphs)
Build = graphs.Build


def conv_1d():
    g = Build([1, 2, 24])
    h = g("Relu", g("Conv", "x", g.weight(6, 2, 5), g.weight(6, fan=4), kernel_shape=[5], pads=[2, 2]))
    return g.model(g.gemm(g("Flatten", g("GlobalAveragePool", h)), 6, 2))


def conv_2d():
    g = Build([1, 1, 12, 12])
    h = g("Conv", "x", g.weight(4, 1, 3, 3), kernel_shape=[3, 3], pads=[1] * 4)
    h = g("BatchNormalization", h, *(g.const(g.random.uniform(0.5, 1.5, 4)) for _ in range(4)))
    h = g("MaxPool", g("Relu", h), kernel_shape=[2, 2], strides=[2, 2])
    return g.model(g.gemm(g("Flatten", h), 144, 3))


def recurrent(operator, gates, directions=1):
    def build():
        g = Build([1, 6, 3])
        sequence = g("Transpose", "x", perm=[1, 0, 2])
        many = {"direction": "bidirectional"} if directions > 1 else {}
        weights = [g.weight(directions, gates * 5, width, fan=width) for width in (3, 5)]
        bias = g.weight(directions, 2 * gates * 5, fan=9)
        h = g(operator, sequence, *weights, bias, outputs=2, take=1, hidden_size=5, **many)
        h = g("Reshape", g("Transpose", h, perm=[1, 0, 2]), g.whole([1, 5 * directions]))
        return g.model(g.gemm(h, 5 * directions, 1))

    return build


def attended(g, x, width):
    """One head of self-attention over [1, T, width]."""
    q, k, v = (g("MatMul", x, g.weight(width, width, fan=width)) for _ in range(3))
    scores = g("Div", g("MatMul", q, g("Transpose", k, perm=[0, 2, 1])), g.const(width**0.5))
    return g("MatMul", g("Softmax", scores, axis=-1), v)


def normed(g, x, width):
    return g("LayerNormalization", x, g.const(np.ones(width)), g.const(np.zeros(width)), axis=-1)


def attention():
    g = Build([1, 4, 6])
    return g.model(g("ReduceMean", attended(g, "x", 6), g.whole([1]), keepdims=0))


def transformer_block():
    g = Build([1, 4, 6])
    h = normed(g, g("Add", "x", attended(g, "x", 6)), 6)
    f = g("Add", g("MatMul", h, g.weight(6, 12, fan=6)), g.weight(12, fan=9))
    f = g("MatMul", g("Gelu", f), g.weight(12, 6, fan=12))
    h = normed(g, g("Add", h, f), 6)
    return g.model(g.gemm(g("ReduceMean", h, g.whole([1]), keepdims=0), 6, 2))


def edges(mode):
    """A convolution over a padding that repeats what is there, so that windows read one value more than once."""

    def build():
        g = Build([1, 2, 8])
        padded = g("Pad", "x", g.whole([0, 0, 2, 0, 0, 2]), mode=mode)
        h = g("Relu", g("Conv", padded, g.weight(4, 2, 5), g.weight(4, fan=4), kernel_shape=[5]))
        return g.model(g.gemm(g("Flatten", h), 32, 1))

    return build


def residual_block():
    g = Build([1, 3, 8, 8])
    h = g("Relu", g("Conv", "x", g.weight(3, 3, 3, 3), kernel_shape=[3, 3], pads=[1] * 4))
    h = g("Conv", h, g.weight(3, 3, 3, 3), kernel_shape=[3, 3], pads=[1] * 4)
    h = g("Relu", g("Add", h, "x"))
    return g.model(g.gemm(g("Flatten", g("GlobalAveragePool", h)), 3, 2))


def depthwise_block():
    g = Build([1, 3, 8, 8])
    six = g.const(0.0), g.const(6.0)
    h = g("Clip", g("Conv", "x", g.weight(6, 3, 1, 1), kernel_shape=[1, 1]), *six)
    h = g("Conv", h, g.weight(6, 1, 3, 3), kernel_shape=[3, 3], pads=[1] * 4, group=6, strides=[2, 2])
    h = g("Conv", g("Clip", h, *six), g.weight(4, 6, 1, 1), kernel_shape=[1, 1])
    return g.model(g.gemm(g("Flatten", g("GlobalAveragePool", h)), 4, 2))


def squeeze_and_excite():
    g = Build([1, 4, 6, 6])
    h = g("Conv", "x", g.weight(4, 4, 3, 3), kernel_shape=[3, 3])
    s = g("Relu", g.gemm(g("Flatten", g("GlobalAveragePool", h)), 4, 2))
    s = g("Reshape", g("Sigmoid", g.gemm(s, 2, 4)), g.whole([1, 4, 1, 1]))
    return g.model(g("ReduceMean", g("Mul", h, s), g.whole([2, 3]), keepdims=0))


def autoencoder():
    g = Build([1, 1, 8, 8])
    h = g("Tanh", g("Conv", "x", g.weight(3, 1, 2, 2), kernel_shape=[2, 2], strides=[2, 2]))
    return g.model(g("Sigmoid", g("ConvTranspose", h, g.weight(3, 1, 2, 2), kernel_shape=[2, 2], strides=[2, 2])))


def u_net():
    g = Build([1, 1, 8, 8])
    one = g("Relu", g("Conv", "x", g.weight(2, 1, 3, 3), kernel_shape=[3, 3], pads=[1] * 4))
    low = g("MaxPool", one, kernel_shape=[2, 2], strides=[2, 2])
    low = g("Relu", g("Conv", low, g.weight(2, 2, 3, 3), kernel_shape=[3, 3], pads=[1] * 4))
    up = g("Resize", low, "", g.const([1.0, 1.0, 2.0, 2.0]), mode="nearest")
    return g.model(g("Conv", g("Concat", one, up, axis=1), g.weight(1, 4, 1, 1), kernel_shape=[1, 1]))


def gathered():
    g = Build([1, 8])
    a = g("Gather", "x", g.whole([6, 0, 3]), axis=1)
    b = g("Slice", "x", g.whole([1]), g.whole([7]), g.whole([1]), g.whole([2]))
    return g.model(g("Tanh", g.gemm(g("Concat", a, b, axis=1), 6, 2)))


def scattered():
    g = Build([1, 4])
    h = g("Relu", g.gemm("x", 4, 3))
    return g.model(g("ScatterElements", "x", g.whole([[3, 0, 1]]), h, axis=1))


def gated():
    g = Build([1, 6])
    a, b = g("Split", g.gemm("x", 6, 8), outputs=2, axis=1, num_outputs=2), "n1_1"
    return g.model(g.gemm(g("Mul", a, g("Sigmoid", b)), 4, 1))


def selu_stack():
    g = Build([1, 6])
    h = g("Selu", g.gemm("x", 6, 8))
    return g.model(g("LogSoftmax", g.gemm(g("Elu", g.gemm(h, 8, 8)), 8, 3), axis=1))


def swish_mixer():
    g = Build([1, 5, 4])
    h = g("Transpose", normed(g, "x", 4), perm=[0, 2, 1])
    h = g("MatMul", g("HardSwish", g("MatMul", h, g.weight(5, 6, fan=5))), g.weight(6, 5, fan=6))
    return g.model(g("ReduceMax", g("Add", "x", g("Transpose", h, perm=[0, 2, 1])), g.whole([1]), keepdims=0))


def unrolled_cell():
    """A recurrent cell written out step by step, as exporters do without an operator for it."""
    g = Build([1, 4, 3])
    w, u, h = g.weight(3, 5, fan=3), g.weight(5, 5, fan=5), None
    for step in range(4):
        x = g("Squeeze", g("Slice", "x", g.whole([step]), g.whole([step + 1]), g.whole([1])), g.whole([1]))
        own = g("MatMul", x, w)
        h = g("Tanh", own if h is None else g("Add", own, g("MatMul", h, u)))
    return g.model(g.gemm(h, 5, 1))


def picked():
    g = Build([1, 6])
    return g.model(g("Cast", g("ArgMax", g.gemm("x", 6, 4), axis=1, keepdims=1), to=TensorProto.FLOAT))


def distances():
    """To four centres, as a nearest centre or a radial basis computes them."""
    g = Build([1, 3])
    apart = g("Sub", g("Unsqueeze", "x", g.whole([1])), g.const(g.random.normal(size=(1, 4, 3))))
    return g.model(g("Exp", g("Neg", g("ReduceSumSquare", apart, g.whole([2]), keepdims=0))))


def two_ends():
    """A middle less one product and plus another: rows of one column that differ in their products alone."""
    g = Build([1, 5])
    middle, a, b = (g.gemm("x", 5, 2) for _ in range(3))
    below = g("Sub", middle, g("Mul", g("Sigmoid", a), b))
    return g.model(g("Concat", below, g("Add", middle, g("Mul", g("Sigmoid", b), a)), axis=1))


def read_before_its_tanh():
    """A product that a call reads before a tanh is put on it: the state of an LSTM under attention."""
    g = Build([1, 5])
    state = g("Mul", g("Sigmoid", g.gemm("x", 5, 4)), g.gemm("x", 5, 4))
    following = g("Relu", g.gemm(state, 4, 4))
    return g.model(g("Add", following, g("Tanh", state)))


def embedded():
    """A category of seven beside two numbers."""
    g = Build([1, 2])
    chosen = g("Gather", g.weight(7, 3, fan=1), "category")
    return g.model(g("Tanh", g.gemm(g("Concat", "x", g("Reshape", chosen, g.whole([1, 3])), axis=1), 5, 2)))


def written_out(inverse):
    """Norms as exporters without an operator for them write them, on numbers that are small beside their bounds."""

    def build():
        g = Build([1, 6])
        h = g.gemm(g("Relu", g.gemm("x", 6, 24)), 24, 12)
        if not inverse:
            h = g("Sub", h, g("ReduceMean", h, axes=[1], keepdims=1))
        square = g("ReduceMean", g("Pow", h, g.const(2.0)), axes=[1], keepdims=1)
        root = g("Sqrt", g("Add", square, g.const(1e-5)))
        h = g("Mul", h, g("Reciprocal", root)) if inverse else g("Div", h, root)
        return g.model(g.gemm(g("Tanh", h), 12, 1), opset=17)

    return build


def stacked_blocks():
    g = Build([1, 4, 6])
    h = "x"
    for _ in range(2):
        h = normed(g, g("Add", h, attended(g, h, 6)), 6)
        f = g("Gelu", g("Add", g("MatMul", h, g.weight(6, 12, fan=6)), g.weight(12, fan=9)))
        h = normed(g, g("Add", h, g("MatMul", f, g.weight(12, 6, fan=12))), 6)
    return g.model(g.gemm(g("ReduceMean", h, g.whole([1]), keepdims=0), 6, 2))


def gelu_by_tanh(g, x):
    """As the exporter by TorchScript writes it."""
    cube = g("Mul", g("Mul", x, x), x)
    inner = g("Mul", g("Add", x, g("Mul", g.const(0.044715), cube)), g.const((2 / np.pi) ** 0.5))
    return g("Mul", g.const(0.5), g("Mul", x, g("Add", g.const(1.0), g("Tanh", inner))))


def written_activations():
    g = Build([1, 6])
    h = gelu_by_tanh(g, g.gemm("x", 6, 12))
    h = g.gemm(h, 12, 8)
    above = g("Where", g("Greater", h, g.const(0.5)), g("Sub", h, g.const(0.5)), g.const(0.0))
    return g.model(g.gemm(g("Where", g("Less", h, g.const(-0.5)), g("Add", h, g.const(0.5)), above), 8, 2))


def relu_recurrent():
    g = Build([1, 12, 3])
    sequence = g("Transpose", "x", perm=[1, 0, 2])
    turned, _ = np.linalg.qr(g.random.normal(size=(10, 10)))
    weights = g.weight(1, 10, 3, fan=3), g.const(turned[np.newaxis]), g.weight(1, 20, fan=9)
    h = g("RNN", sequence, *weights, outputs=2, take=1, hidden_size=10, activations=["Relu"])
    return g.model(g.gemm(g("Reshape", h, g.whole([1, 10])), 10, 1))


def perceptron(operator, *, softmax=False):
    """Weights as they are drawn for relus, so that values keep their size and bounds do not."""

    def build():
        g = Build([1, 10])
        h, width = "x", 10
        for _ in range(3):
            h = g(operator, g("Gemm", h, g.const(g.random.normal(size=(width, 24)) * (2 / width) ** 0.5)))
            width = 24
        h = g.gemm(h, width, 4)
        return g.model(g("Softmax", h, axis=1) if softmax else h)

    return build


def residual_forecast():
    """Three blocks, each of which takes from its input what it explains and adds to the forecast."""
    g = Build([1, 12])
    x, forecast = "x", None
    for _ in range(3):
        h = g("Relu", g("Gemm", x, g.const(g.random.normal(size=(12, 16)) * (2 / 12) ** 0.5)))
        h = g("Relu", g("Gemm", h, g.const(g.random.normal(size=(16, 16)) * (2 / 16) ** 0.5)))
        x = g("Sub", x, g.gemm(h, 16, 12))
        part = g.gemm(h, 16, 4)
        forecast = part if forecast is None else g("Add", forecast, part)
    return g.model(forecast)


def scores_by_einsum():
    g = Build([1, 4, 6])
    keys = g("MatMul", "x", g.weight(6, 6, fan=6))
    return g.model(g("Einsum", "x", keys, equation="btc,bsc->bts"))


def quantiles():
    """The first, and by how much each of the others is above it."""
    g = Build([1, 8])
    h = g.gemm(g("Relu", g.gemm(g("Relu", g.gemm("x", 8, 16)), 16, 16)), 16, 5)
    first, rest = (g("Slice", h, g.whole([start]), g.whole([end]), g.whole([1])) for start, end in ((0, 1), (1, 5)))
    gaps = g("Log", g("Add", g("Exp", rest), g.const(1.0)))
    return g.model(g("CumSum", g("Concat", first, gaps, axis=1), g.whole(1)))


def instance_norm():
    g = Build([1, 1, 6, 6])
    h = g("Conv", "x", g.weight(3, 1, 3, 3), kernel_shape=[3, 3], pads=[1] * 4)
    h = g("InstanceNormalization", h, g.const(g.random.uniform(0.5, 1.5, 3)), g.const(g.random.normal(size=3) * 0.2))
    return g.model(g.gemm(g("Flatten", g("Relu", h)), 108, 3))


KINDS = {
    "activations written out": written_activations,
    "recurrent with relu": relu_recurrent,
    "perceptron with hard swish": perceptron("HardSwish"),
    "perceptron with softmax": perceptron("Relu", softmax=True),
    "residual forecast": residual_forecast,
    "quantiles": quantiles,
    "scores by einsum": scores_by_einsum,
    "instance norm": instance_norm,
    "conv 1-D": conv_1d,
    "conv 2-D": conv_2d,
    "lstm": recurrent("LSTM", 4),
    "gru": recurrent("GRU", 3),
    "rnn": recurrent("RNN", 1),
    "bidirectional lstm": recurrent("LSTM", 4, 2),
    "attention": attention,
    "transformer block": transformer_block,
    "stacked transformer blocks": stacked_blocks,
    "repeated edges": edges("edge"),
    "mirrored edges": edges("reflect"),
    "two ends": two_ends,
    "layer norm": written_out(inverse=False),
    "rms norm": written_out(inverse=True),
    "read before its tanh": read_before_its_tanh,
    "residual block": residual_block,
    "depthwise block": depthwise_block,
    "squeeze and excite": squeeze_and_excite,
    "autoencoder": autoencoder,
    "u-net": u_net,
    "gathers and slices": gathered,
    "scatter": scattered,
    "gated unit": gated,
    "selu and elu": selu_stack,
    "mixer": swish_mixer,
    "unrolled cell": unrolled_cell,
    "arg max": picked,
    "distances": distances,
}
REFUSED = {
    "an embedding of a feature": (
        lambda g: g("Gather", g.weight(9, 4), g("Cast", "x", to=TensorProto.INT64)),
        "Gather node .* indices are computed from the features.*one-hot columns",
    ),
    "a random layer": (lambda g: g("RandomNormalLike", "x"), "draws random numbers"),
    "what is not zero": (lambda g: g("NonZero", "x"), "the operator NonZero"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_published_kind_is_proven_and_kept(name):
    model = KINDS[name]()
    size = int(np.prod([one.dim_value for one in model.graph.input[0].type.tensor_type.shape.dim]))
    rows = np.random.default_rng(7).uniform(-1, 1, (60, size))
    circuit = assay.transpile(model, calibration=rows[:40])
    report = assay.fidelity(circuit, model, rows[40:])
    assert report.ok, str(report)
    keys = assay.setup(circuit, max_batch=1)
    proof = assay.prove(keys.proving_key, rows[40:41])
    assert assay.verify(keys.verifying_key, proof)
    assert np.array_equal(proof.outputs, circuit.predict(rows[40:41]))


@pytest.mark.parametrize(
    "name", ["two ends", "read before its tanh", "repeated edges", "mirrored edges", "layer norm", "rms norm"]
)
def test_a_kind_keeps_the_tolerance(name):
    model = KINDS[name]()
    circuit = assay.transpile(model, ranges=(-1, 1))
    assert all(found["within"] for found in circuit.meta["fidelity"])


def test_a_probability_is_decided_at_one_half_and_a_size_not_at_all():
    told = np.array([[1e-9], [0.2], [0.9]])
    assert differing(told, np.array([[0.0], [0.3], [0.8]])) == 0
    assert differing(told, np.array([[0.0], [0.6], [0.4]])) == 2
    assert differing(told * 9, np.array([[0.0], [0.6], [0.4]])) == 0
    assert differing(told - 0.5, np.array([[-0.5], [0.3], [0.4]])) == 1
    assert differing(np.eye(3), np.eye(3)[::-1]) == 2
    assert differing(told[:0], told[:0]) == 0


def test_a_feature_chooses_an_entry_of_a_table():
    model = embedded()
    model.graph.input.append(helper.make_tensor_value_info("category", TensorProto.INT64, [1]))
    rows = np.random.default_rng(3).uniform(-1, 1, (60, 3))
    rows[:, 2] = np.arange(60) % 7
    circuit = assay.transpile(model, calibration=rows[:40])
    assert (circuit.features[2].low, circuit.features[2].high * 2.0 ** -circuit.features[2].bits) == (0, 6)
    assert assay.fidelity(circuit, model, rows[40:]).ok
    with pytest.raises(OutOfRange, match=r"column 2 \(category\[0\]\): 7 is outside the circuit's range 0 to 6"):
        circuit.predict([[0, 0, 7]])
    with pytest.raises(OptionError, match="chooses one of 7 entries, and its range is 7 to 9"):
        assay.transpile(model, ranges={0: (-1, 1), 1: (-1, 1), 2: (7, 9)})


@pytest.mark.parametrize("name", REFUSED)
def test_a_kind_that_cannot_be_proven_is_refused_by_name(name):
    make, words = REFUSED[name]
    g = Build([1, 4, 6])
    with pytest.raises(ModelUnsupported, match=words):
        assay.transpile(g.model(make(g)), ranges=(-1, 1))
