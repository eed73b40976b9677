"""LSTM, GRU and RNN: forward, reverse, bidirectional, with initial states; each step is rows like the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.functions import Function
from assay.transpile.flow.tensor import Tensor, add, apply, concatenate, constant, linear, multiply, stack
from assay.transpile.importers.onnx.operators.activations import clipped
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node

    Floats = NDArray[np.float64]

# The standard's activations: our function, and the defaults of alpha and beta that it takes.
_ACTIVATIONS: dict[str, tuple[str, tuple[float, ...]]] = {
    "relu": ("relu", ()),
    "tanh": ("tanh", ()),
    "sigmoid": ("sigmoid", ()),
    "affine": ("affine", (1.0, 0.0)),
    "leakyrelu": ("leaky_relu", (0.01,)),
    "thresholdedrelu": ("thresholded_relu", (1.0,)),
    "scaledtanh": ("scaled_tanh", (1.0, 1.0)),
    "hardsigmoid": ("hard_sigmoid", (0.2, 0.5)),
    "elu": ("elu", (1.0,)),
    "softsign": ("softsign", ()),
    "softplus": ("softplus", ()),
}
_MOST_STEPS = 1 << 14
_LIMITS = "weights that are not constant, sequences of different lengths"


@dataclass(frozen=True)
class _Direction:
    """One direction's weights, [gates, H, *], and activations."""

    weights: Floats
    recurrent: Floats
    bias: Floats
    recurrent_bias: Floats
    peepholes: Floats | None
    functions: list[Function]


class _Layer:
    """What the three operators share."""

    def __init__(self, node: Node, gates: int, per_direction: int, defaults: list[str]) -> None:
        self.node, self.gates = node, gates
        direction = str(node.attribute("direction", "forward"))
        if direction not in {"forward", "reverse", "bidirectional"}:
            raise node.malformed(f"direction {direction!r:.40}")
        self.reverse = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
        self.batch_first = bool(node.attribute("layout", 0))
        x = node.tensor(0)
        self.x = x.moved(lambda part: np.swapaxes(part, 0, 1)) if self.batch_first else x
        weights, recurrent = (np.asarray(node.constant(index), dtype=np.float64) for index in (1, 2))
        self.hidden = recurrent.shape[-1]
        count = len(self.reverse)
        if len(self.x.shape) != 3 or weights.shape != (count, gates * self.hidden, self.x.shape[2]):
            raise node.malformed(f"inputs of {list(self.x.shape)} and weights of {list(weights.shape)} do not match")
        bias = np.asarray(node.optional(3, np.zeros((count, 2 * gates * self.hidden))), dtype=np.float64)
        steps, batch = self.x.shape[:2]
        if steps > _MOST_STEPS:
            raise node.refuse(f"it has {steps} steps, more than {_MOST_STEPS}", "Use shorter sequences.")
        if node.has(4) and any(length != steps for length in node.integers(4)):
            raise node.refuse("its sequences have different lengths")
        functions = self._functions(per_direction, defaults)
        peepholes = np.asarray(node.constant(7), dtype=np.float64) if gates == 4 and node.has(7) else None
        shape = (gates, self.hidden, -1)
        self.directions = [
            _Direction(
                weights[index].reshape(shape),
                recurrent[index].reshape(shape),
                bias[index, : gates * self.hidden].reshape(gates, self.hidden),
                bias[index, gates * self.hidden :].reshape(gates, self.hidden),
                None if peepholes is None else peepholes[index].reshape(3, self.hidden),
                functions[index * per_direction : (index + 1) * per_direction],
            )
            for index in range(count)
        ]
        self.clip = float(node.attribute("clip", 0.0))
        self.batch = batch

    def _functions(self, per_direction: int, defaults: list[str]) -> list[Function]:
        node, count = self.node, per_direction * len(self.reverse)
        names = [str(name).lower() for name in node.attribute("activations", defaults * len(self.reverse))]
        alphas, betas = list(node.attribute("activation_alpha", [])), list(node.attribute("activation_beta", []))
        found = []
        for name in names:
            if name not in _ACTIVATIONS:
                raise node.malformed(f"activation {name!r:.40}")
            own, parameters = _ACTIVATIONS[name]
            values = list(parameters)
            for place, given in ((0, alphas), (1, betas)):
                if len(values) > place and given:
                    values[place] = float(given.pop(0))
            found.append(Function(own, tuple(values)))
        if len(found) != count:
            raise node.malformed(f"{len(found)} activations for {count}")
        return found

    def initial(self, index: int, direction: int) -> Tensor:
        """An initial state, [batch, H]."""
        if not self.node.has(index):
            return constant(np.zeros((self.batch, self.hidden)))
        state = self.node.tensor(index)
        if self.batch_first:
            return state.moved(lambda part: part[:, direction])
        return state.moved(lambda part: part[direction])

    def activate(self, tensor: Tensor, function: Function) -> Tensor:
        if self.clip > 0:
            tensor = clipped(self.node, tensor, -self.clip, self.clip)
        return apply(self.node.flow, tensor, function)

    def run(self, step: Callable[[_Direction, Tensor, list[Tensor]], list[Tensor]], states: list[int]) -> list[Tensor]:
        """Every step of every direction: Y and the last states."""
        sequences, finals = [], []
        for number, (reverse, direction) in enumerate(zip(self.reverse, self.directions, strict=True)):
            state = [self.initial(index, number) for index in states]
            order = range(self.x.shape[0])
            made: list[Tensor] = []
            for time in reversed(order) if reverse else order:
                state = step(direction, self.x.moved(lambda part, time=time: part[time]), state)  # type: ignore[misc]
                made.append(state[0])
            sequences.append(stack(made[::-1] if reverse else made))
            finals.append(state)
        y = stack(sequences, axis=1)
        last = [stack([state[index] for state in finals]) for index in range(len(states))]
        if self.batch_first:
            y = y.moved(lambda part: np.transpose(part, (2, 0, 1, 3)))
            last = [state.moved(lambda part: np.swapaxes(part, 0, 1)) for state in last]
        return [y, *last]

    def largest_state(self) -> float | None:
        """The bound of a mixture of old states and candidates between -1 and 1; None if the first state has none."""
        if any(
            direction.functions[1].name not in {"tanh", "sigmoid", "hard_sigmoid", "softsign"}
            for direction in self.directions
        ):
            return None
        first = [self.initial(5, number) for number in range(len(self.directions))]
        if any(direction.functions[0].name not in {"sigmoid", "hard_sigmoid"} for direction in self.directions):
            return None
        return (
            max(1.0, *(float(np.abs(state.shift).max()) for state in first)) if all(s.constant for s in first) else None
        )

    def gate(self, direction: _Direction, rows: list[int], x: Tensor, h: Tensor) -> Tensor:
        """``x W + h R`` and both biases of some gates side by side, one call: [batch, gates, H]."""
        weights = np.concatenate([direction.weights[rows], direction.recurrent[rows]], axis=2)
        bias = (direction.bias[rows] + direction.recurrent_bias[rows]).reshape(-1)
        sums = linear(self.node.flow, concatenate([x, h], 1), self._flat(weights), bias)
        return sums.moved(lambda part: part.reshape(-1, len(rows), self.hidden))

    def gru_sums(self, direction: _Direction, x: Tensor, h: Tensor) -> list[Tensor]:
        """Sums of z and r, and those of the candidate from x and from h apart: one call, which reads x and h once."""
        both = np.concatenate([direction.weights, direction.recurrent], axis=2)
        inputs = direction.weights.shape[2]
        own, inner = both[2].copy(), both[2].copy()
        own[:, inputs:] = 0
        inner[:, :inputs] = 0
        bias = direction.bias + direction.recurrent_bias
        bias = np.stack([bias[0], bias[1], direction.bias[2], direction.recurrent_bias[2]])
        weights = np.stack([both[0], both[1], own, inner])
        sums = linear(self.node.flow, concatenate([x, h], 1), self._flat(weights), bias.reshape(-1))
        parts = sums.moved(lambda part: part.reshape(-1, 4, self.hidden))
        return [parts.moved(lambda part, gate=gate: part[:, gate]) for gate in range(4)]  # type: ignore[misc]

    @staticmethod
    def _flat(weights: Floats) -> Floats:
        return np.ascontiguousarray(weights.reshape(-1, weights.shape[-1]).T)


@operator("LSTM", rows="6 a unit and step", limits=_LIMITS)
def lstm(node: Node) -> list[Tensor]:
    """Gates i, o, f, c; the cell's argument is read from the row that holds its tanh."""
    layer = _Layer(node, 4, 3, ["sigmoid", "tanh", "tanh"])
    coupled = bool(node.attribute("input_forget", 0))
    flow = node.flow

    def step(direction: _Direction, x: Tensor, state: list[Tensor]) -> list[Tensor]:
        h, c = state
        sums = layer.gate(direction, [0, 1, 2, 3], x, h)
        i, o, f, g = (sums.moved(lambda part, gate=gate: part[:, gate]) for gate in range(4))  # type: ignore[misc]
        peepholes = direction.peepholes
        if peepholes is not None:
            i, f = add(flow, i, c.scaled(peepholes[0])), add(flow, f, c.scaled(peepholes[2]))
        first, second, third = direction.functions
        i, g = layer.activate(i, first), layer.activate(g, second)
        f = i.scaled(-1.0, 1.0) if coupled else layer.activate(f, first)
        c = add(flow, multiply(flow, f, c), multiply(flow, i, g))
        if peepholes is not None:
            o = add(flow, o, c.scaled(peepholes[1]))
        h = multiply(flow, layer.activate(o, first), apply(flow, c, third))
        return [h, c]

    return layer.run(step, [5, 6])


@operator("GRU", rows="6 a unit and step", limits=_LIMITS)
def gru(node: Node) -> list[Tensor]:
    """Gates z, r, h; ``linear_before_reset`` as PyTorch has it, or the reset before the product."""
    layer = _Layer(node, 3, 2, ["sigmoid", "tanh"])
    flow, before = node.flow, bool(node.attribute("linear_before_reset", 0))
    # A mixture is never beyond what is mixed, which bounds row by row do not know: the table says it, at no cost.
    bound = layer.largest_state()

    def step(direction: _Direction, x: Tensor, state: list[Tensor]) -> list[Tensor]:
        (h,) = state
        z, r, own, inner = layer.gru_sums(direction, x, h)
        z, r = (layer.activate(gate, direction.functions[0]) for gate in (z, r))
        if before:
            inner = multiply(flow, r, inner)
        else:
            recurrent = np.ascontiguousarray(direction.recurrent[2].T)
            inner = linear(flow, multiply(flow, r, h), recurrent, direction.recurrent_bias[2])
        n = layer.activate(add(flow, own, inner), direction.functions[1])
        mixed = add(flow, multiply(flow, z, h), multiply(flow, z.scaled(-1.0, 1.0), n))
        return [mixed if bound is None else apply(flow, mixed, Function("clip", (-bound, bound)))]

    return layer.run(step, [5])


@operator("RNN", rows="1 a unit and step", limits=_LIMITS)
def rnn(node: Node) -> list[Tensor]:
    """A plain recurrence."""
    layer = _Layer(node, 1, 1, ["tanh"])

    def step(direction: _Direction, x: Tensor, state: list[Tensor]) -> list[Tensor]:
        sums = layer.gate(direction, [0], x, state[0]).moved(lambda part: part[:, 0])
        return [layer.activate(sums, direction.functions[0])]

    return layer.run(step, [5])
