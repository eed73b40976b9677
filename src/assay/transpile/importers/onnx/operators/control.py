"""Loop, Scan and If, as exporters write recurrent networks: written out step by step, which needs constant counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.tensor import Tensor, constant, stack
from assay.transpile.importers.onnx.inlining import MOST_UNROLLED
from assay.transpile.importers.onnx.reading import Body
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from assay.transpile.importers.onnx.node import Node, Operand

_TODO = "Export the model with its steps unrolled."
_SAME = {"Identity", "Cast"}


@operator(
    "If",
    rows="those of the branch that is taken",
    limits="a condition that depends on the features; sequences, of which most of the standard's tests are",
    even_constant=True,
)
def if_(node: Node) -> list[Operand]:
    """The branch that a constant condition takes."""
    taken = _truth(node, node.inputs[0] if node.inputs else None, "the branch that it takes")
    return _run(node, _body(node, "then_branch" if taken else "else_branch"), [])


@operator(
    "Loop",
    rows="those of its body for each step",
    limits="a number of steps or a condition that depends on the features; sequences, as for If",
    even_constant=True,
)
def loop(node: Node) -> list[Operand]:
    """Its body as often as a constant count and conditions that turn out constant say."""
    body = _body(node, "body")
    state = _states(node, node.inputs[2:])
    most = _count(node)
    going = not node.has(1) or _truth(node, node.inputs[1], "whether it starts")
    if most is not None and going and not _decides(body):
        _fits(node, body, most)
    made: list[list[Operand]] = []
    step = 0
    while going and (most is None or step < most):
        results = _run(node, body, [np.array(step, dtype=np.int64), np.ones((), dtype=np.bool_), *state])
        if len(results) < 1 + len(state):
            raise node.malformed(f"its body gives {len(results)} outputs for {len(state)} states")
        state = list(results[1 : 1 + len(state)])
        made.append(results[1 + len(state) :])
        step += 1
        if most is None or step < most:
            going = _truth(node, results[0], "whether it goes on")
    if not made and node.outputs > len(state):
        raise node.refuse("it takes no step, so that its outputs are empty", _TODO)
    outputs = [_stacked(node, list(parts), 0) for parts in zip(*made, strict=True)]
    return [*state, *outputs]


@operator("Scan", rows="those of its body for each step", limits="opset 8", even_constant=True)
def scan(node: Node) -> list[Operand]:
    """Its body for each element along an axis of its inputs."""
    if node.version < 9:
        raise node.refuse("it is opset 8's, which knows sequences of different lengths", "Export with a newer opset.")
    body, count = _body(node, "body"), int(node.attribute("num_scan_inputs", 0))
    states = len(node.inputs) - count
    if not 0 < count <= len(node.inputs) or len(body.inputs) != len(node.inputs) or len(body.outputs) < states:
        raise node.malformed(f"{len(node.inputs)} inputs, {count} of them scanned, for a body of {len(body.inputs)}")
    outs = len(body.outputs) - states
    parts = _scanned(node, states, count)
    steps = len(parts[0])
    if not steps or any(len(part) != steps for part in parts):
        raise node.malformed(f"its inputs have {[len(part) for part in parts]} steps")
    _fits(node, body, steps)
    state = _states(node, node.inputs[:states])
    made: list[list[Operand]] = []
    for step in range(steps):
        results = _run(node, body, [*state, *(part[step] for part in parts)])
        state = list(results[:states])
        made.append(results[states:])
    axes = list(node.attribute("scan_output_axes", [0] * outs))
    backward = list(node.attribute("scan_output_directions", [0] * outs))
    outputs = [
        _stacked(node, [one[index] for one in (made[::-1] if backward[index] else made)], axes[index])
        for index in range(outs)
    ]
    return [*state, *outputs]


def _states(node: Node, given: list[Operand | None]) -> list[Operand]:
    found = [one for one in given if one is not None]
    if len(found) != len(given):
        raise node.malformed("a state of it starts from nothing")
    return found


def _scanned(node: Node, states: int, count: int) -> list[list[Operand]]:
    """The elements of each scanned input, in the order in which they are read."""
    axes = list(node.attribute("scan_input_axes", [0] * count))
    backward = list(node.attribute("scan_input_directions", [0] * count))
    found = []
    for index in range(count):
        value = node.inputs[states + index]
        if value is None or not len(value.shape):
            raise node.malformed(f"input {states + index} has no steps")
        axis = node.axis(axes[index], len(value.shape))
        parts = [_element(value, axis, step) for step in range(value.shape[axis])]
        found.append(parts[::-1] if backward[index] else parts)
    return found


def _element(value: Operand, axis: int, step: int) -> Operand:
    if isinstance(value, Tensor):
        return value.moved(lambda part: np.take(part, step, axis))
    return np.asarray(np.take(value, step, axis))


def _stacked(node: Node, parts: list[Operand], axis: int) -> Operand:
    if len({tuple(part.shape) for part in parts}) > 1:
        raise node.malformed("its steps make outputs of different shapes")
    axis = node.axis(axis, len(parts[0].shape) + 1)
    node.fits((len(parts), *parts[0].shape))
    if not any(isinstance(part, Tensor) for part in parts):
        return np.stack([part for part in parts if not isinstance(part, Tensor)], axis)
    return stack([part if isinstance(part, Tensor) else constant(part) for part in parts], axis)


def _run(node: Node, body: Body, given: list[Operand]) -> list[Operand]:
    assert node.run is not None  # noqa: S101 - every node of a graph has it
    if len(given) != len(body.inputs):
        raise node.malformed(f"a body of {len(body.inputs)} inputs is given {len(given)}")
    return node.run(body, given)


def _body(node: Node, name: str) -> Body:
    body = node.attribute(name, None)
    if not isinstance(body, Body):
        raise node.malformed(f"it has no {name}")
    return body


def _count(node: Node) -> int | None:
    """How often a loop runs at most; None if only its condition says it."""
    if not node.has(0):
        return None
    count = node.inputs[0]
    if isinstance(count, Tensor) and not count.constant:
        raise node.refuse("the number of its steps depends on the features", _TODO)
    return int(np.asarray(node.constant(0)).reshape(()))


def _truth(node: Node, value: Operand | None, what: str) -> bool:
    if isinstance(value, Tensor):
        if not value.constant:
            raise node.refuse(f"{what} depends on the features", _TODO)
        value = value.shift
    if value is None or value.size != 1:
        raise node.malformed(f"{what} is no single truth value")
    return bool(value.reshape(())[()])


def _decides(body: Body) -> bool:
    """Whether the body computes its condition, rather than handing it on or holding it."""
    makers = {name: raw for raw in body.nodes for name in raw.outputs}
    name = body.outputs[0] if body.outputs else ""
    while name in makers and makers[name].operator in _SAME and makers[name].inputs:
        name = makers[name].inputs[0]
    return name in makers and makers[name].operator != "Constant"


def _fits(node: Node, body: Body, steps: int) -> None:
    total = steps * (len(body.nodes) + 1)
    if total > MOST_UNROLLED:
        raise node.refuse(
            f"{steps} steps of {len(body.nodes)} nodes are {total}, more than {MOST_UNROLLED}", "Use fewer steps."
        )
