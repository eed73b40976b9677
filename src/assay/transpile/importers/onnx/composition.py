"""What exporters write out node by node and is a function of one number: found in the graph, whatever it is.

Each value has a chain: itself, and the values that it is a function of, element by element and each alone, from the
nearest on. A value that something else reads than such steps is made from the farthest of them at once. A table is
public: a number inside it that is the model's own ends a chain, as it would be hidden among the weights; scales and
shifts before and after it are no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.flow.composed import composed
from assay.transpile.flow.expressions import Expression, Step
from assay.transpile.flow.tensor import Tensor
from assay.transpile.importers.onnx.constants import common
from assay.transpile.importers.onnx.node import WHOLE
from assay.transpile.importers.onnx.operators.activations import clip_bounds, named_function

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from assay.transpile.errors import ModelUnsupported
    from assay.transpile.flow.flow import Flow
    from assay.transpile.importers.onnx.node import Operand
    from assay.transpile.importers.onnx.reading import RawNode

# Operators whose formula has their name, as it takes all their inputs.
_PLAIN = {
    *("Add", "Sub", "Mul", "Div", "Pow", "Neg", "Exp", "Log", "Sqrt", "Reciprocal"),
    *("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "And", "Or", "Xor", "Where"),
}
_FOLDED = {"Sum": "Add", "Min": "Min", "Max": "Max"}  # of any number of inputs
_PASSED = {"Identity", "Cast", "CastLike", "Dropout"}
_NAMED = {
    *("Relu", "LeakyRelu", "HardSigmoid", "HardSwish", "Sigmoid", "Tanh", "Erf", "Elu", "Selu", "Celu", "Softplus"),
    *("Softsign", "Mish", "Swish", "Abs", "Sin", "Cos", "Atan", "Asinh", "Gelu"),
}
_ALONE = {"ThresholdedRelu", "Shrink"}  # worth a table even if nothing stands beside them
_OPERATORS = {*_PLAIN, *_FOLDED, *_PASSED, *_NAMED, *_ALONE, "Clip", "PRelu", "Mean"}
_LONGEST = 64  # steps of an expression
_FLOATS = {"float16", "float32", "float64"}


@dataclass(frozen=True)
class Point:
    """A value that is made by one step of others and of constants."""

    steps: tuple[Step, ...]  # reads count the operands from 0, then the steps before
    operands: tuple[str, ...]
    operator: str
    node: str
    own: bool  # whether it has a number that is the model's own, which no table may show

    @property
    def affine(self) -> bool:
        """Whether it only scales and shifts one value, which costs nothing."""
        reads = self.steps[-1].reads
        if len(self.operands) != 1 or reads.count(0) != 1:
            return False
        return self.operator in {"Neg", "Add", "Sub", "Mul", *_PASSED} or (self.operator == "Div" and reads[0] == 0)


def read_elsewhere(nodes: list[RawNode], needed: Collection[str]) -> frozenset[str]:
    """Names that something else reads than steps on one number: `needed` are those read from outside of the graph."""
    others = (raw for raw in nodes if raw.domain or raw.operator not in _OPERATORS)
    return frozenset(needed) | {name for raw in others for name in raw.needs}


class Composition:
    """The values of one graph, as far as they are functions of others of it.

    Parameters
    ----------
    flow
        Where composed functions are put.
    read
        What `read_elsewhere` says of the graph.
    skipped
        Expressions that are left as they are written; None leaves all.
    """

    def __init__(self, flow: Flow, read: Collection[str], skipped: Collection[Expression] | None) -> None:
        self.flow, self.skipped = flow, skipped
        self._points: dict[str, Point] = {}
        self._chains: dict[str, tuple[str, ...]] = {}
        self._problems: dict[str, ModelUnsupported] = {}
        self._made: dict[str, Operand | None] = {}
        self._composed: set[str] = set()
        self._read = read

    def point(self, raw: RawNode, values: Mapping[str, Operand | None], types: list[str]) -> bool:
        """Note a node whose value is a function of one other; whether it is."""
        if self.skipped is None or raw.domain or raw.operator not in _OPERATORS:
            return False
        if len([name for name in raw.outputs if name]) != 1 or not types or not _kept(raw, values, types[0]):
            return False
        made = _point(raw, values)
        if made is None or (made.own and not made.affine):
            return False
        chains = [self._of(name) for name in made.operands]
        common = tuple(name for name in chains[0] if all(name in chain for chain in chains))
        shapes = {value.shape for name in made.operands if isinstance(value := values[name], Tensor)}
        if not common or len(shapes) != 1:
            return False
        for name in made.operands:
            if name in self._points and self._of(name) == (name,) and name not in self._problems:
                self.made(name, values)  # in the order of the graph, so that no walk back is deep
        self._points[raw.outputs[0]] = made
        self._chains[raw.outputs[0]] = (raw.outputs[0], *common[:_LONGEST])
        return True

    def has(self, raw: RawNode) -> bool:
        """Whether a node is such a step."""
        return any(name in self._points for name in raw.outputs)

    def problem(self, raw: RawNode) -> ModelUnsupported | None:
        """Why a step cannot be taken by itself, if one before it could not."""
        return next((self._problems[name] for name in raw.inputs if name in self._problems), None)

    def refused(self, raw: RawNode, problem: ModelUnsupported, values: Mapping[str, Operand | None]) -> Operand | None:
        """Note a step that is refused by itself: it may be part of something that is not. A value of its shape."""
        self._problems[raw.outputs[0]] = problem
        return values[self._points[raw.outputs[0]].operands[0]]

    def made(self, name: str, values: Mapping[str, Operand | None]) -> Operand | None:
        """A value as what is no such step reads it."""
        if name not in self._points:
            return values[name]
        if name not in self._made:
            self._made[name] = self._whole(name, values)
        return self._made[name]

    def _of(self, name: str) -> tuple[str, ...]:
        """Its chain as steps after it see it: of what is read elsewhere, and has a row in any case, they begin anew."""
        if name not in self._points or name in self._read or self._points[name].own:
            return (name,)
        return self._chains[name]

    def _whole(self, name: str, values: Mapping[str, Operand | None]) -> Operand | None:
        """Scales and shifts after what is composed stay what they are, since they cost nothing."""
        core = name
        while core in self._points and self._points[core].affine:
            core = self._points[core].operands[0]
        if core != name:
            tail, before = self._expression(name, core), self.made(core, values)
            found = before if tail is not None and core in self._composed else None
            if isinstance(found, Tensor) and tail is not None:
                offset, end = tail(np.array([0.0, 1.0])).tolist()
                found = found.scaled(end - offset, offset)
        else:
            found = self._core(core, values)
        plain = values[name]
        if isinstance(found, Tensor):
            self._composed.add(name)
            return replace(found, kind=plain.kind if isinstance(plain, Tensor) else "")
        if name in self._problems:
            raise self._problems[name]
        return plain

    def _core(self, name: str, values: Mapping[str, Operand | None]) -> Tensor | None:
        """One function of the farthest value that scales and shifts do not lead to; None if there is none."""
        chain = list(self._chains[name])
        while len(chain) > 2 and self._points[chain[-2]].affine:
            chain.pop()
        expression = self._expression(name, chain[-1])
        worth = [point.operator for point in self._between(name, chain[-1]) if not point.affine]
        if expression is None or not (len(worth) > 1 or worth[0] in _ALONE):
            return None
        root = self.made(chain[-1], values)
        if not isinstance(root, Tensor) or expression in (self.skipped or ()) or not _finite(expression):
            return None
        self.flow.layers.append(f"{self._points[name].operator} {self._points[name].node} (one function)")
        found = composed(self.flow, root, expression)
        if found is not None:
            self.flow.meta["composed"] = True
        return found

    def _between(self, name: str, root: str) -> list[Point]:
        found: dict[str, Point] = {}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one != root and one not in found:
                found[one] = self._points[one]
                waiting += found[one].operands
        return list(found.values())

    def _expression(self, name: str, root: str) -> Expression | None:
        """The steps from one value to another; none that go a way of more than so many."""
        steps: list[Step] = []
        number = {root: 0}
        waiting = [name]
        while waiting:
            one = waiting[-1]
            if one in number:
                waiting.pop()
                continue
            point = self._points[one]
            missing = [operand for operand in point.operands if operand not in number]
            if missing:
                waiting += missing
                continue
            start = len(steps)
            count = len(point.operands)
            for step in point.steps:
                reads = tuple(
                    number[point.operands[read]] if read < count else start + 1 + read - count for read in step.reads
                )
                steps.append(replace(step, reads=reads))
            number[one] = len(steps)
            if len(steps) > _LONGEST:
                return None
        return Expression(tuple(steps) or (Step("Same", (0,)),))


def _finite(expression: Expression) -> bool:
    try:
        return expression.finite
    except TypeError:  # truth values in arithmetic, which the standard does not have
        return False


def _kept(raw: RawNode, values: Mapping[str, Operand | None], kind: str) -> bool:
    """Whether numbers stay what they are: whole ones are divided and cast in ways of their own."""
    if raw.operator in {"Cast", "CastLike"}:
        found = values[raw.inputs[0]]
        before = found.kind if isinstance(found, Tensor) else ""
        return (before in _FLOATS and kind in _FLOATS) or (before == "bool" and kind in _FLOATS)
    if raw.operator == "Dropout":
        return len(raw.inputs) < 3 or not raw.inputs[2]
    return kind not in WHOLE


def _point(raw: RawNode, values: Mapping[str, Operand | None]) -> Point | None:
    """The steps of a node; None unless all its constants are single numbers."""
    inputs = raw.inputs[:1] if raw.operator in _PASSED else raw.inputs
    if raw.operator == "Clip":
        inputs = raw.inputs[:1]
    operands: list[str] = []
    constants: list[float] = []
    order: list[int] = []  # an operand's number, or -1 - a constant's
    for name in inputs:
        value = values[name]
        if isinstance(value, Tensor) and not value.constant:
            if name not in operands:
                operands.append(name)
            order.append(operands.index(name))
            continue
        number = None if value is None else _number(value)
        if number is None:
            return None
        order.append(-1 - len(constants))
        constants.append(number)
    if not operands:
        return None
    count = len(operands)
    steps = [_constant(number) for number in constants]
    reads = [place if place >= 0 else count - 1 - place for place in order]
    last = _steps(raw, values, reads, count + len(steps))
    if last is None:
        return None
    numbers = [number for step in (*steps, *last) if step.name in {"constant", "clip"} for number in step.parameters]
    own = not all(common(number) for number in numbers)
    return Point((*steps, *last), tuple(operands), raw.operator, raw.name, own)


def _number(value: Operand) -> float | None:
    numbers = value.shift if isinstance(value, Tensor) else np.asarray(value)
    if numbers.dtype.kind not in "fiub" or not numbers.size or (numbers != numbers.flat[0]).any():
        return None
    return float(numbers.flat[0])


def _steps(raw: RawNode, values: Mapping[str, Operand | None], reads: list[int], start: int) -> list[Step] | None:
    if raw.operator in _PLAIN:
        return [Step(raw.operator, tuple(reads))]
    if raw.operator in _PASSED:
        return [Step("Same", (reads[0],))]
    if raw.operator in _FOLDED or raw.operator == "Mean":
        return _folded(raw.operator, reads, start)
    if raw.operator == "Clip":
        bounds = _bounds(raw, values)
        return None if bounds is None else [Step("clip", (reads[0],), bounds)]
    if raw.operator == "PRelu":
        slope = _number(value) if (value := values[raw.inputs[1]]) is not None else None
        return None if slope is None or reads[0] != 0 else [Step("leaky_relu", (0,), (slope,))]
    if raw.operator in _ALONE:
        return _jumping(raw)
    function = named_function(raw.operator, raw.attributes)
    return None if function is None else [Step(function.name, (reads[0],), function.parameters)]


def _folded(operator: str, reads: list[int], start: int) -> list[Step]:
    name, steps, last = _FOLDED.get(operator, "Add"), [], reads[0]
    for index, read in enumerate(reads[1:]):
        steps.append(Step(name, (last, read)))
        last = start + index
    if operator == "Mean":
        steps += [_constant(float(len(reads))), Step("Div", (last, start + len(steps)))]
    return steps or [Step("Same", (last,))]


def _jumping(raw: RawNode) -> list[Step]:
    """Comparisons and choices."""
    if raw.operator == "ThresholdedRelu":
        end = float(raw.attributes.get("alpha", 1.0))
        return [_constant(end), Step("Greater", (0, 1)), _constant(0.0), Step("Where", (2, 0, 3))]
    end, bias = (float(raw.attributes.get(name, default)) for name, default in (("lambd", 0.5), ("bias", 0.0)))
    return [
        *(_constant(-end), Step("Less", (0, 1)), _constant(bias), Step("Add", (0, 3))),
        *(_constant(end), Step("Greater", (0, 5)), Step("Sub", (0, 3)), _constant(0.0)),
        *(Step("Where", (6, 7, 8)), Step("Where", (2, 4, 9))),
    ]


def _constant(number: float) -> Step:
    return Step("constant", (), (number,))


def _bounds(raw: RawNode, values: Mapping[str, Operand | None]) -> tuple[float, float] | None:
    given: list[Any] = []
    for index, name in ((1, "min"), (2, "max")):
        value = values[raw.inputs[index]] if index < len(raw.inputs) and raw.inputs[index] else None
        number = _number(value) if value is not None and not isinstance(value, Tensor) else None
        if value is not None and number is None:
            return None
        given.append(raw.attributes.get(name) if number is None else number)
    return clip_bounds(*given)
