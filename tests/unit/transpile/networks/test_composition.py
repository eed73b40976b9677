"""Functions of one number that exporters write out: found in the graph, one row each, as onnxruntime has them."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelUnsupported
from assay.transpile.flow.evaluate import evaluate, results
from assay.transpile.importers.onnx.convert import convert
from assay.transpile.networks.plan import plan

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
TensorProto = onnx.TensorProto
_SPEC = importlib.util.spec_from_file_location("networks_graphs", Path(__file__).parent / "graphs.py")
graphs = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(graphs)
UNITS = 6


def sigmoid_by_parts(g, x):
    return g("Div", g.const(1.0), g("Add", g("Exp", g("Neg", x)), g.const(1.0)))


def gelu_tanh(g, x):
    inner = g("Add", x, g("Mul", g("Pow", x, g.const(3.0)), g.const(0.044715)))
    bent = g("Add", g("Tanh", g("Mul", inner, g.const(0.7978845608))), g.const(1.0))
    return g("Mul", g("Mul", x, g.const(0.5)), bent)


def gelu_tanh_by_products(g, x):
    cube = g("Mul", g("Mul", x, x), x)
    inner = g("Mul", g("Add", x, g("Mul", g.const(0.044715), cube)), g.const((2 / np.pi) ** 0.5))
    return g("Mul", g.const(0.5), g("Mul", x, g("Add", g.const(1.0), g("Tanh", inner))))


def gelu_erf(g, x):
    bent = g("Add", g("Erf", g("Div", x, g.const(2**0.5))), g.const(1.0))
    return g("Mul", g("Mul", x, bent), g.const(0.5))


def softplus_with_threshold(g, x):
    chosen = g("Greater", x, g.const(20.0))
    return g("Where", chosen, x, g("Log", g("Add", g("Exp", x), g.const(1.0))))


def squareplus(g, x):
    root = g("Sqrt", g("Add", g("Mul", x, x), g.const(4.0)))
    return g("Mul", g("Add", x, root), g.const(0.5))


def hard_swish(g, x):
    return g("Div", g("Mul", x, g("Clip", g("Add", x, g.const(3.0)), g.const(0.0), g.const(6.0))), g.const(6.0))


def elu(g, x):
    below = g("Sub", g("Exp", g("Min", x, g.const(0.0))), g.const(1.0))
    return g("Where", g("Greater", x, g.const(0.0)), x, below)


def leaky(g, x):
    return g("Where", g("Greater", x, g.const(0.0)), x, g("Mul", x, g.const(0.1)))


def hard_shrink(g, x):
    outside = g("Or", g("Greater", x, g.const(0.5)), g("Less", x, g.const(-0.5)))
    return g("Where", outside, x, g.const(0.0))


def hard_shrink_by_size(g, x):
    return g("Where", g("Greater", g("Abs", x), g.const(0.5)), x, g.const(0.0))


def soft_shrink(g, x):
    above = g("Where", g("Greater", x, g.const(0.5)), g("Sub", x, g.const(0.5)), g.const(0.0))
    return g("Where", g("Less", x, g.const(-0.5)), g("Add", x, g.const(0.5)), above)


def threshold(g, x):
    return g("Where", g("Greater", x, g.const(0.25)), x, g.const(-1.0))


def stairs(g, x):
    steps = [g("Cast", g("GreaterOrEqual", x, g.const(end)), to=TensorProto.FLOAT) for end in (-0.5, 0.0, 0.5, 1.5)]
    return g("Sum", *steps)


def scaled_then_read_twice(g, x):
    small = g("Mul", x, g.const(0.3))
    return g("Add", g("Mul", g("Tanh", small), g.const(2.0)), g("Neg", small))


# How each is written, and what the function of a unit is called.
WRITTEN = {
    "silu": (lambda g, x: g("Mul", x, g("Sigmoid", x)), "swish(1)"),
    "quick gelu": (lambda g, x: g("Mul", x, g("Sigmoid", g("Mul", x, g.const(1.702)))), "swish(1.702)"),
    "gelu by tanh": (gelu_tanh, "gelu_tanh"),
    "gelu by tanh and products": (gelu_tanh_by_products, "gelu_tanh"),
    "gelu by erf": (gelu_erf, "gelu"),
    "mish": (lambda g, x: g("Mul", x, g("Tanh", g("Softplus", x))), "mish"),
    "softplus": (lambda g, x: g("Log", g("Add", g("Exp", x), g.const(1.0))), "softplus"),
    "softplus with a threshold": (softplus_with_threshold, "softplus"),
    "log of sigmoid": (lambda g, x: g("Log", g("Sigmoid", x)), "softplus"),
    "sigmoid by parts": (sigmoid_by_parts, "sigmoid"),
    "softsign": (lambda g, x: g("Div", x, g("Add", g("Abs", x), g.const(1.0))), "softsign"),
    "squareplus": (squareplus, "composed of mul add sqrt add"),
    "hard swish": (hard_swish, "hard_swish"),
    "hard tanh": (lambda g, x: g("Max", g("Min", x, g.const(1.0)), g.const(-1.0)), "clip(-1, 1)"),
    "relu 6 of a tanh": (lambda g, x: g("Clip", g("Tanh", x), g.const(0.0), g.const(6.0)), "composed of tanh clip"),
    "elu": (elu, "elu(1)"),
    "leaky relu": (leaky, "leaky_relu(0.1)"),
    "hard shrink": (hard_shrink, "composed of less greater or where"),
    "hard shrink by size": (hard_shrink_by_size, "composed of abs greater where"),
    "soft shrink": (soft_shrink, "composed of sub greater where add less where"),
    "threshold": (threshold, "composed of greater where"),
    "an operator that jumps": (lambda g, x: g("Shrink", x, lambd=0.5), "composed of less add greater sub where where"),
    "stairs": (stairs, "composed of greaterorequal greaterorequal greaterorequal greaterorequal add add ..."),
    "scaled, then read twice": (scaled_then_read_twice, "composed of neg tanh mul add"),
}


def network(written, *, seed=0):
    g = graphs.Build([1, 4], seed)
    return g.model(g.gemm(written(g, g.gemm("x", 4, UNITS)), UNITS, 1))


def functions(model, width=4, apart=()):
    """Of the rows that a model needs, by their names."""
    flow = convert(model, centres=lambda flow: np.zeros(len(flow.features)), apart=apart)
    return Counter(str(row.function) for row in plan(flow, [(-3.0, 3.0)] * width).rows.values())


def rows_of(count, seed, width=4):
    return np.random.default_rng(seed).normal(size=(count, width))


def told(model, rows):
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    shape = [dimension.dim_value for dimension in model.graph.input[0].type.tensor_type.shape.dim]
    return np.stack([session.run(None, {"x": row.reshape(shape).astype(np.float32)})[0].ravel() for row in rows])


@pytest.mark.parametrize("name", WRITTEN)
def test_it_is_found_as_one_function(name):
    written, function = WRITTEN[name]
    # The inputs and the output are the others.
    assert functions(network(written)) == {"identity": 4 + 1, function: UNITS}


@pytest.mark.parametrize("name", WRITTEN)
def test_it_keeps_the_model(name):
    model = network(WRITTEN[name][0])
    circuit = assay.transpile(model, calibration=rows_of(200, 0))
    assert all(fit["within"] for fit in circuit.meta["fidelity"]), circuit.summary()
    unseen = rows_of(300, 1)
    wanted = told(model, unseen)
    assert np.abs(circuit.predict(unseen) - wanted).max() <= 1e-3 * (wanted.max() - wanted.min())


JUMPS = {
    "> c": ("Greater", 0.5),
    ">= c": ("GreaterOrEqual", 0.5),
    "< c": ("Less", 0.5),
    "<= c": ("LessOrEqual", 0.5),
}


@pytest.mark.parametrize("name", JUMPS)
def test_a_number_on_a_jump_is_on_the_side_that_the_comparison_says(name):
    """Numbers that rounding leaves as they are: halves of whole ones, and the jump itself."""
    operator, end = JUMPS[name]
    g = graphs.Build([1, 1])
    chosen = g(operator, "x", g.const(end))
    model = g.model(g("Where", chosen, g.const(3.0), g("Mul", "x", g.const(0.5))))
    circuit = assay.transpile(model, ranges=(-4, 4))
    rows = np.arange(-7, 8)[:, np.newaxis] / 2
    assert np.abs(circuit.predict(rows) - told(model, rows)).max() < 2e-3


@pytest.mark.parametrize("inner", ["Greater", "GreaterOrEqual"])
@pytest.mark.parametrize("outer", ["Less", "LessOrEqual"])
def test_so_is_one_on_either_of_two_jumps(inner, outer):
    g = graphs.Build([1, 1])
    outside = g("Or", g(inner, "x", g.const(1.5)), g(outer, "x", g.const(-0.5)))
    model = g.model(g("Where", outside, "x", g.const(0.0)))
    circuit = assay.transpile(model, ranges=(-4, 4))
    assert any(table.name.startswith("composed") for table in circuit.network.tables)
    rows = np.arange(-7, 8)[:, np.newaxis] / 2
    assert np.abs(circuit.predict(rows) - told(model, rows)).max() < 2e-3


def test_a_trained_number_stays_hidden():
    """Inside a function it would be seen in the table; before and after it, it is a weight."""

    def bent(g, x):
        return g("Mul", x, g("Sigmoid", g("Mul", x, g.const(1.3472919))))

    found = functions(network(bent))
    assert found["sigmoid"] == UNITS
    assert not any(name.startswith(("composed", "swish")) for name in found)

    def scaled(g, x):
        moved = g("Add", g("Mul", x, g.const(1.3472919)), g.const(0.2718349))
        return g("Mul", g("Mul", moved, g("Sigmoid", moved)), g.const(-0.5913741))

    assert functions(network(scaled))["swish(1)"] == UNITS


def test_what_is_read_elsewhere_is_where_a_function_begins():
    g = graphs.Build([1, 4])
    x = g("Mul", h := g.gemm("x", 4, UNITS), g("Sigmoid", h))
    other = g.gemm(x, UNITS, UNITS)
    model = g.model(g.gemm(g("Add", g("Clip", g("Tanh", x), g.const(0.0)), other), UNITS, 1))
    found = functions(model)
    assert found["swish(1)"] == UNITS
    assert found["composed of tanh clip"] == UNITS


def test_an_output_inside_a_function_is_an_output():
    g = graphs.Build([1, 4])
    bent = g("Sigmoid", h := g.gemm("x", 4, 2))
    model = g.model(g("Mul", h, bent))
    model.graph.output.append(onnx.helper.make_tensor_value_info(bent, TensorProto.FLOAT, None))
    circuit = assay.transpile(model, calibration=rows_of(100, 0))
    assert len(circuit.outputs) == 4
    assert all(fit["within"] for fit in circuit.meta["fidelity"])


def test_functions_without_a_value_somewhere_and_of_trained_shapes_stay_as_they_are_written():
    half = functions(network(lambda g, x: g("Log", g("Sqrt", g("Abs", x)))))
    assert not any(name.startswith("composed") for name in half)
    channels = functions(network(lambda g, x: g("Tanh", g("Mul", x, g.weight(1, UNITS)))))
    assert channels["tanh"] == UNITS


def test_a_step_that_is_refused_by_itself_is_part_of_a_whole():
    """A choice of infinity, of which an exponential makes 0."""

    def masked(g, x):
        return g("Exp", g("Where", g("Greater", x, g.const(0.0)), g("Neg", x), g.const(-np.inf)))

    model = network(masked)
    circuit = assay.transpile(model, calibration=rows_of(200, 0))
    assert all(fit["within"] for fit in circuit.meta["fidelity"])
    g = graphs.Build([1, 4])
    h = g.gemm("x", 4, UNITS)
    model = g.model(g("Where", g("Greater", h, g.const(0.0)), h, g.const(-np.inf)))
    with pytest.raises(ModelUnsupported, match="it chooses infinity"):
        assay.transpile(model, calibration=rows_of(200, 0))


def drawn(g, x, random):
    """A function of one number, step by step: each reads those before it and constants."""
    made = [x]
    for _ in range(int(random.integers(2, 9))):
        one, two = (made[int(random.integers(len(made)))] for _ in range(2))
        number = g.const(float(random.choice([-2.0, -0.5, 0.25, 0.5, 1.5, 3.0])))
        match int(random.integers(6)):
            case 0:
                made.append(g(str(random.choice(["Sigmoid", "Tanh", "Softplus", "Abs", "Relu", "Erf", "Neg"])), one))
            case 1:
                made.append(g(str(random.choice(["Add", "Sub", "Mul", "Div", "Min", "Max"])), one, number))
            case 2:
                made.append(g(str(random.choice(["Add", "Sub", "Min", "Max"])), one, two))
            case 3:
                made.append(g("Mul", g("Tanh", one), two))
            case 4:
                order = str(random.choice(["Less", "LessOrEqual", "Greater", "GreaterOrEqual"]))
                made.append(g("Where", g(order, one, number), two, one))
            case _:
                made.append(g("Clip", one, g.const(-1.0), number))
    return made[-1]


@pytest.mark.parametrize("seed", range(40))
def test_any_function_is_what_onnxruntime_makes_of_it(seed):
    g = graphs.Build([1, 4], seed)
    model = g.model(drawn(g, g.gemm("x", 4, UNITS), np.random.default_rng(seed)))
    rows = rows_of(50, seed)
    flow = convert(model, centres=lambda flow: np.zeros(len(flow.features)), apart=())
    plan(flow, [(-3.0, 3.0)] * 4)
    found = results(flow, evaluate(flow, rows, np.zeros(4)))
    wanted = told(model, rows)
    assert np.abs(found - wanted).max() <= 1e-5 * max(np.abs(wanted).max(), 1.0)
