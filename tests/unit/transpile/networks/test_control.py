"""Loops, scans and branches: written out, as onnxruntime runs them; refused where a count or condition is not known."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelMalformed, ModelUnsupported

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
helper, TensorProto = onnx.helper, onnx.TensorProto
STEPS, WIDTH, HIDDEN = 5, 3, 4
ROWS = np.random.default_rng(0).uniform(-1, 1, (40, STEPS * WIDTH))
W, R, V = (
    np.random.default_rng(seed).normal(size=shape) / 2
    for seed, shape in enumerate([(WIDTH, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)])
)


def info(name, shape=None, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def tensor(values, name, kind=np.float32):
    return onnx.numpy_helper.from_array(np.asarray(values, dtype=kind), name)


def node(operator, inputs, outputs, name="", **attributes):
    return helper.make_node(operator, inputs, outputs, name, **attributes)


def model(nodes, weights=(), output="y", opset=17):
    graph = helper.make_graph(
        nodes,
        "graph",
        [info("x", (1, STEPS, WIDTH))],
        [info(output)],
        [tensor(W, "W"), tensor(R, "R"), tensor(V, "V"), tensor(np.zeros((1, HIDDEN)), "h0"), *weights],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def truth(name, kind=TensorProto.BOOL):
    return info(name, (), kind)


CELL = [
    node("MatMul", ["x_t", "W"], ["own"]),
    node("MatMul", ["h", "R"], ["back"]),
    node("Add", ["own", "back"], ["sum"]),
    node("Tanh", ["sum"], ["h_next"]),
]


def scan(*, backward=0, axis=1, names=("h_last", "all")):
    """A recurrence whose weights are read from around the scan."""
    body = helper.make_graph(
        [*CELL, node("Identity", ["h_next"], ["h_out"])],
        "body",
        [info("h", (1, HIDDEN)), info("x_t", (1, WIDTH))],
        [info("h_next", (1, HIDDEN)), info("h_out", (1, HIDDEN))],
    )
    return node(
        "Scan",
        ["h0", "x"],
        list(names),
        "recurrence",
        body=body,
        num_scan_inputs=1,
        scan_input_axes=[1],
        scan_input_directions=[backward],
        scan_output_axes=[axis],
        scan_output_directions=[backward],
    )


def loop(nodes, condition="c", count="count", states=("h0",), outputs=("h_last", "all")):
    """A recurrence that gathers its element by the number of its step."""
    body = helper.make_graph(
        [node("Gather", ["x", "i"], ["x_t"], axis=1), *CELL, *nodes],
        "body",
        [truth("i", TensorProto.INT64), truth("c"), info("h", (1, HIDDEN))],
        [truth(condition), info("h_next", (1, HIDDEN)), info("sum", (1, HIDDEN))],
    )
    return node("Loop", [count, "", *states], list(outputs), "recurrence", body=body)


COUNT = tensor(STEPS, "count", np.int64)
LARGE = tensor(2**62, "count", np.int64)
BELOW = [node("Less", ["i", "three"], ["more"])]
HEAD = [node("MatMul", ["h_last", "V"], ["y"])]


def nested():
    """A loop in a scan's place: the count of the inner one is its outer's step."""
    inner = helper.make_graph(
        [node("Mul", ["v", "half"], ["v_next"]), node("Identity", ["d"], ["d_next"])],
        "inner",
        [truth("j", TensorProto.INT64), truth("d"), info("v", (1, HIDDEN))],
        [truth("d_next"), info("v_next", (1, HIDDEN))],
    )
    return loop([node("Loop", ["i", "", "sum"], ["faded"], "inner", body=inner), node("Identity", ["c"], ["c2"])], "c2")


def endless():
    body = helper.make_graph(
        [node("Neg", ["v"], ["v_next"]), node("Identity", ["d"], ["d_next"])],
        "endless",
        [truth("j", TensorProto.INT64), truth("d"), info("v")],
        [truth("d_next"), info("v_next")],
    )
    return node("Loop", ["", "", "x"], ["v_last"], "recurrence", body=body)


def branch(name, value):
    return helper.make_graph([node("Mul", ["x", value], [name])], name, [], [info(name)])


MODELS = {
    "scan": model([scan(), *HEAD]),
    "scan, all its outputs": model([scan(), node("Tanh", ["all"], ["y"])]),
    "scan from the end": model([scan(backward=1, axis=2), node("Neg", ["all"], ["y"])]),
    "loop": model([loop([node("Identity", ["c"], ["on"])], "on"), *HEAD], [COUNT]),
    "loop, all its outputs": model([loop([]), node("Neg", ["all"], ["y"])], [COUNT]),
    "loop with the number of its steps from a shape": model(
        [node("Shape", ["x"], ["size"]), node("Gather", ["size", "one"], ["count"]), loop([]), *HEAD],
        [tensor(1, "one", np.int64)],
    ),
    "loop until its condition ends it": model([loop(BELOW, "more"), *HEAD], [LARGE, tensor(3, "three", np.int64)]),
    "loop in a loop": model([nested(), node("Add", ["h_last", "h_last"], ["y"])], [COUNT, tensor(0.5, "half")]),
    "branch": model(
        [
            node("Shape", ["x"], ["size"]),
            node("Gather", ["size", "one"], ["steps"]),
            node("Less", ["steps", "three"], ["short"]),
            node("If", ["short"], ["z"], "choice", then_branch=branch("a", "two"), else_branch=branch("b", "five")),
            node("Tanh", ["z"], ["y"]),
        ],
        [tensor(1, "one", np.int64), tensor(3, "three", np.int64), tensor(0.2, "two"), tensor(0.5, "five")],
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_written_out_as_onnxruntime_runs_it(name):
    made = MODELS[name]
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    circuit = assay.transpile(made, calibration=ROWS)
    wanted = [session.run(None, {"x": row.reshape(1, STEPS, WIDTH).astype(np.float32)})[0].reshape(-1) for row in ROWS]
    assert np.abs(circuit.predict(ROWS) - wanted).max() < 2e-3
    assert assay.fidelity(circuit, made, ROWS[:20]).ok


REFUSED = {
    "a condition on the features": (
        lambda: model(
            [
                loop(
                    [node("ReduceSum", ["sum"], ["level"], keepdims=0), node("Less", ["level", "one"], ["small"])],
                    "small",
                ),
                *HEAD,
            ],
            [COUNT, tensor(1.0, "one")],
        ),
        ModelUnsupported,
        "Loop node 'recurrence' .*: whether it goes on depends on the features",
    ),
    "a count of the features": (
        lambda: model(
            [
                node("ReduceSum", ["x"], ["level"], keepdims=0),
                node("Cast", ["level"], ["count"], to=TensorProto.INT64),
                loop([]),
                *HEAD,
            ]
        ),
        ModelUnsupported,
        "Loop node 'recurrence' .*: the number of its steps depends on the features",
    ),
    "a branch by the features": (
        lambda: model(
            [
                node("ReduceSum", ["x"], ["level"], keepdims=0),
                node("Less", ["level", "two"], ["low"]),
                node("If", ["low"], ["y"], "choice", then_branch=branch("a", "two"), else_branch=branch("b", "two")),
            ],
            [tensor(2.0, "two")],
        ),
        ModelUnsupported,
        "If node 'choice' .*: the branch that it takes depends on the features",
    ),
    "too many steps": (
        lambda: model([loop([]), *HEAD], [tensor(10**9, "count", np.int64)]),
        ModelUnsupported,
        r"1000000000 steps of 5 nodes are 6000000000, more than 50000",
    ),
    "no end": (
        lambda: model([endless(), node("Neg", ["v_last"], ["y"])]),
        ModelUnsupported,
        "makes more than 50000 nodes when it is written out",
    ),
    "no step": (
        lambda: model([loop([]), *HEAD], [tensor(0, "count", np.int64)]),
        ModelUnsupported,
        "'recurrence' .*: it takes no step",
    ),
    "a body of other inputs": (
        lambda: model([loop([], states=("h0", "h0"), outputs=("h_last", "b", "all")), *HEAD], [COUNT]),
        ModelMalformed,
        "a body of 3 inputs is given 4",
    ),
    "what is captured is nowhere": (
        lambda: model([loop([node("Add", ["sum", "ghost"], ["g"])]), *HEAD], [COUNT]),
        ModelMalformed,
        "Loop node 'recurrence' reads 'ghost', which nothing makes",
    ),
    "a name made twice inside": (
        lambda: model([loop([node("Neg", ["own"], ["sum"])]), *HEAD], [COUNT]),
        ModelMalformed,
        "'sum' is made twice",
    ),
    "an operator inside that is not supported": (
        lambda: model([loop([node("Det", ["sum"], ["g"], "odd")]), *HEAD], [COUNT]),
        ModelUnsupported,
        "the operator Det .*'odd'",
    ),
    "opset 8": (lambda: model([scan(), *HEAD], opset=8), ModelUnsupported, "it is opset 8's"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name):
    make, error, words = REFUSED[name]
    with pytest.raises(error, match=words) as caught:
        assay.transpile(make(), calibration=ROWS)
    assert "\n" not in str(caught.value)
