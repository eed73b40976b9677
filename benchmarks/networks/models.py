"""The networks that are measured, and their rows: built here from a seed, or read from a folder of trained ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
OPSET, IR = 17, 8
STEPS, INPUTS, HIDDEN = 20, 4, 32
WIDTH = 1024


@dataclass(frozen=True)
class Network:
    """An architecture, and how many rows are proven at once.

    `must` and `aim` are seconds of a proof; `heavy` says that another tool takes minutes and gigabytes, `large` that
    converting and setup take minutes here: they are measured once. `about` is what the page says below the table.
    """

    name: str
    title: str
    shape: tuple[int, ...]
    rows: int
    build: Callable[[Graph], None]
    must: float
    aim: float
    batch: int = 1
    heavy: bool = False
    outputs: int = 1
    large: bool = False
    about: str = ""

    @property
    def key(self) -> str:
        """Its name in results: a batch stands beside the single row."""
        return self.name if self.batch == 1 else f"{self.name}_batch{self.batch}"


class Graph:
    """A graph that grows node by node, with weights drawn as PyTorch draws them: evenly, within 1/sqrt(fan in)."""

    def __init__(self) -> None:
        self._generator = np.random.default_rng(0)
        self.last = "input"
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def drawn(self, name: str, shape: tuple[int, ...], fan: int) -> str:
        bound = fan**-0.5
        return self.constant(name, self._generator.uniform(-bound, bound, shape).astype(np.float32))

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, operator: str, *more: str, outputs: tuple[str, ...] = (), **attributes: Any) -> None:
        from onnx import helper

        made = outputs or (f"{operator.lower()}_{len(self.nodes)}",)
        self.nodes.append(helper.make_node(operator, [self.last, *more], list(made), **attributes))
        self.last = made[-1]

    def dense(self, name: str, inputs: int, outputs: int) -> None:
        weight, bias = self.drawn(f"{name}.w", (outputs, inputs), inputs), self.drawn(f"{name}.b", (outputs,), inputs)
        self.node("Gemm", weight, bias, transB=1)

    def convolution(self, name: str, inputs: int, outputs: int) -> None:
        fan = inputs * 25
        weight = self.drawn(f"{name}.w", (outputs, inputs, 5, 5), fan)
        self.node("Conv", weight, self.drawn(f"{name}.b", (outputs,), fan), kernel_shape=[5, 5], strides=[2, 2])
        self.node("Relu")

    def recurrent(self, directions: int) -> None:
        """The last step's hidden state of an LSTM over steps x inputs."""
        gates = 4 * HIDDEN
        self.node("Transpose", perm=[1, 0, 2])
        parts = [self.drawn(f"lstm.{part}", (directions, gates, width), HIDDEN) for part, width in _PARTS]
        bias = self.drawn("lstm.b", (directions, 2 * gates), HIDDEN)
        direction = "forward" if directions == 1 else "bidirectional"
        self.node("LSTM", *parts, bias, outputs=("steps",), hidden_size=HIDDEN, direction=direction)
        self.node("Gather", self.constant("last", np.array(STEPS - 1)), axis=0)
        self.node("Transpose", perm=[1, 0, 2])
        self.node("Flatten", axis=1)
        self.dense("out", directions * HIDDEN, 1)


_PARTS = (("w", INPUTS), ("r", HIDDEN))


def _mlp(graph: Graph) -> None:
    graph.dense("first", 30, 64)
    graph.node("Relu")
    graph.dense("second", 64, 64)
    graph.node("Relu")
    graph.dense("third", 64, 1)


def _dense_4m(graph: Graph) -> None:
    """4,198,400 weights and biases in four layers, and 10,250 in the last."""
    for layer in range(4):
        graph.dense(f"layer{layer}", WIDTH, WIDTH)
        graph.node("Relu")
    graph.dense("out", WIDTH, 10)


def _cnn(graph: Graph) -> None:
    graph.convolution("first", 1, 4)
    graph.convolution("second", 4, 8)
    graph.node("Flatten", axis=1)
    graph.dense("out", 128, 10)


def _lstm(graph: Graph) -> None:
    graph.recurrent(1)


def _bilstm(graph: Graph) -> None:
    graph.recurrent(2)


NETWORKS = (
    Network("mlp_30_64_64_1", "Dense, 30-64-64-1", (30,), 64, _mlp, 0.10, 0.03),
    Network("cnn_28x28", "Convolutions with stride 2 on 28 x 28", (1, 28, 28), 16, _cnn, 0.20, 0.08, outputs=10),
    Network("lstm_sp500", "LSTM, 20 steps, 4 inputs, hidden 32", (STEPS, INPUTS), 32, _lstm, 0.20, 0.08, heavy=True),
    Network("bilstm_sp500", "BiLSTM, the same", (STEPS, INPUTS), 32, _bilstm, 0.35, 0.15, heavy=True),
    Network("lstm_sp500", "LSTM, 32 rows in one proof, a row", (STEPS, INPUTS), 32, _lstm, 0.09, 0.05, batch=32),
    Network(
        "dense_4m",
        "Dense, 4.2 million weights, 1024 wide",
        (WIDTH,),
        4,
        _dense_4m,
        1.5,
        0.4,
        outputs=10,
        large=True,
        about="The weights are drawn, not trained. Bounds that hold for every input grow eightfold a layer, while its "
        "values shrink. The circuit measured here is from before values could end (guides/networks.md, Precision), "
        "and no format kept its decisions. Made since, with ends and in the widest format, it decides all but 1 of 512 "
        "drawn rows as the model does; `assay transpile` still calls it not kept. What is measured is the size.",
    ),
)


def by_key(key: str) -> Network:
    """The network of a key; KeyError if there is none."""
    return {network.key: network for network in NETWORKS}[key]


def write(network: Network, folder: Path, trained: Path | None) -> None:
    """Write `model.onnx` and `rows.npy` (rows x inputs) into `folder`.

    `trained` holds a folder of the network's name with `model.onnx` and `inputs.json` ({"inputs": rows}).
    """
    folder.mkdir(parents=True, exist_ok=True)
    if trained is None:
        (folder / "model.onnx").write_bytes(_model(network))
        rows = np.random.default_rng(1).normal(size=(network.rows, int(np.prod(network.shape))))
    else:
        own = trained / network.name
        (folder / "model.onnx").write_bytes((own / "model.onnx").read_bytes())
        rows = np.array(json.loads((own / "inputs.json").read_text(encoding="utf-8"))["inputs"])
    np.save(folder / "rows.npy", rows.astype(np.float32))


def rows(folder: Path) -> Floats:
    """The rows that `write` wrote."""
    found: Floats = np.load(folder / "rows.npy")
    return found


def _model(network: Network) -> bytes:
    from onnx import TensorProto, checker, helper

    graph = Graph()
    network.build(graph)
    graph.nodes[-1].output[0] = "output"
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, *network.shape])
    answer = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, network.outputs])
    whole = helper.make_graph(graph.nodes, network.name, [given], [answer], graph.constants)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data
