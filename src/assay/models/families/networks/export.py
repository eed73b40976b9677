"""A trained network as an ONNX file: the scaling of inputs and outputs is part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.models.families.networks.architecture import GATES, Architecture, Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPSET, IR = 17, 9
ARCHITECTURE = "assay.architecture"


@dataclass(frozen=True)
class Scaling:
    """Inputs lose `mean` and are divided by `deviation`, each (features,); outputs are multiplied and moved."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    output_scale: float = 1.0
    output_shift: float = 0.0


class _Graph:
    """Nodes one after the other; the newest result is `last`."""

    def __init__(self, given: str) -> None:
        import onnx

        self._onnx = onnx
        self.last = given
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: Any) -> str:
        kind = np.int64 if np.asarray(value).dtype.kind == "i" else np.float32
        self.constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(value, dtype=kind), name))
        return name

    def node(self, operator: str, *more: str, outputs: tuple[str, ...] = (), **attributes: Any) -> None:
        name = f"{operator.lower()}_{len(self.nodes)}"
        made = outputs or (name,)
        self.nodes.append(
            self._onnx.helper.make_node(operator, [self.last, *more], list(made), name=name, **attributes)
        )
        self.last = made[-1]


def export(architecture: Architecture, params: Parameters, scaling: Scaling) -> bytes:
    """Write the network.

    Returns
    -------
    bytes
        An ONNX model of one input, (rows, window, features), or (rows, window * features) of a dense network, and
        one output, (rows, outputs): values in the target's units, or margins of classes.
    """
    from onnx import TensorProto, helper

    one = architecture
    graph = _Graph("rows")
    times = one.window if one.kind == "mlp" else 1
    graph.node("Sub", graph.constant("mean", np.tile(scaling.mean, times)))
    graph.node("Mul", graph.constant("scale", np.tile(1 / scaling.deviation, times)))
    _hidden(graph, one, params)
    weight = params["output.weight"].astype(np.float64) * scaling.output_scale
    bias = params["output.bias"].astype(np.float64) * scaling.output_scale + scaling.output_shift
    graph.node(
        "Gemm",
        graph.constant("output.weight", weight),
        graph.constant("output.bias", bias),
        outputs=("outputs",),
        transB=1,
    )
    shape = [one.window * one.features] if one.kind == "mlp" else [one.window, one.features]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            one.kind,
            [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["batch", *shape])],
            [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["batch", one.outputs])],
            graph.constants,
        ),
        producer_name="assay",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
    )
    helper.set_model_props(model, {ARCHITECTURE: one.to_json()})
    return bytes(model.SerializeToString())


def _hidden(graph: _Graph, one: Architecture, params: Parameters) -> None:
    if one.kind in GATES:
        graph.node("Transpose", perm=[1, 0, 2])
        for layer, width in enumerate(one.widths):
            _recurrent(graph, one, params, layer, width)
        return
    if one.kind == "cnn1d":
        graph.node("Transpose", perm=[0, 2, 1])
    for layer in range(len(one.widths)):
        weight, bias = (graph.constant(name, params[name]) for name in (f"{layer}.weight", f"{layer}.bias"))
        if one.kind == "cnn1d":
            graph.node("Conv", weight, bias, kernel_shape=[one.kernel])
        else:
            graph.node("Gemm", weight, bias, transB=1)
        graph.node("Relu")
    if one.kind == "cnn1d":
        graph.node("Flatten", axis=1)


def _recurrent(graph: _Graph, one: Architecture, params: Parameters, layer: int, width: int) -> None:
    """A layer as one node; the next layer reads all its states, the output layer the last ones."""
    bias, gates = params[f"{layer}.bias"], GATES[one.kind]
    inner = np.zeros_like(bias)
    if one.kind == "gru":
        inner[:, 2 * width :] = params[f"{layer}.inner"]
    names = [
        graph.constant(f"{layer}.weight", params[f"{layer}.weight"]),
        graph.constant(f"{layer}.recurrent", params[f"{layer}.recurrent"]),
        graph.constant(f"{layer}.bias", np.concatenate([bias, inner], axis=1)),
    ]
    last = layer == len(one.widths) - 1
    extra: dict[str, Any] = {"linear_before_reset": 1} if gates == 3 else {}
    if one.directions == 2:
        extra["direction"] = "bidirectional"
    outputs = ("", f"{layer}.last") if last else (f"{layer}.every",)
    graph.node("LSTM" if gates == 4 else "GRU", *names, outputs=outputs, hidden_size=width, **extra)
    if last:
        graph.node("Transpose", perm=[1, 0, 2])
        graph.node("Flatten", axis=1)
    else:
        graph.node("Transpose", perm=[0, 2, 1, 3])
        graph.node("Reshape", graph.constant(f"{layer}.shape", np.array([0, 0, -1])))
