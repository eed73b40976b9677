"""ONNX graphs under construction, for tests."""

from __future__ import annotations

import numpy as np
import onnx

helper, TensorProto = onnx.helper, onnx.TensorProto


class Build:
    """A graph under construction: each call adds a node and gives its output's name."""

    def __init__(self, shape, seed=0):
        self.random = np.random.default_rng(seed)
        self.shape, self.nodes, self.weights = shape, [], []

    def const(self, values, kind=np.float32):
        name = f"c{len(self.weights)}"
        self.weights.append(onnx.numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def whole(self, values):
        return self.const(values, np.int64)

    def weight(self, *shape, fan=None):
        fan = fan or int(np.prod(shape[1:])) or 1
        return self.const(self.random.normal(size=shape) / fan**0.5)

    def __call__(self, operator, *inputs, outputs=1, take=0, **attributes):
        names = [f"n{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, f"{operator}_{len(self.nodes)}", **attributes))
        return names[take]

    def gemm(self, x, a, b):
        return self("Gemm", x, self.weight(a, b, fan=a), self.weight(b, fan=4))

    def model(self, output, opset=20):
        graph = helper.make_graph(
            self.nodes,
            "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            self.weights,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def deep(layers, width=24, *, far=0.0):
    """Weights as they are drawn for relus, so that values keep their size and bounds do not.

    With `far` the first value of the first layer is 0 for all rows but those that lie far along the diagonal, of
    which it is so many times what they are further: nothing that is drawn comes there. Beside it there is a clip
    that is the model's own, which the first input reaches often.
    """
    g = Build([1, width])
    h = "x"
    for layer in range(layers):
        weights, bias = g.random.normal(size=(width, width)) * (2 / width) ** 0.5, np.zeros(width)
        if far and not layer:
            weights[:, 0], bias[0] = far / width, -3.0 * far
        h = g("Relu", g("Gemm", h, g.const(weights), *([g.const(bias)] if far else [])))
    if far:
        own = g("Clip", g("MatMul", "x", g.const(np.eye(width, 2) * 20.0)), g.const(0.0), g.const(64.0))
        h = g("Concat", h, g("Mul", own, g.const(0.01)), axis=1)
    return g.model(g.gemm(h, width + 2 * bool(far), 3))
