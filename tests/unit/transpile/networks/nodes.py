"""The ONNX standard's own node tests, run through importer, quantiser, layout and evaluator."""

from __future__ import annotations

import math
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx.backend.test.loader import load_model_tests

import assay
from assay.core.errors import AssayError
from assay.transpile.importers.onnx import operators
from assay.transpile.importers.onnx.convert import convert
from assay.transpile.importers.onnx.registry import OPERATORS
from assay.transpile.networks import assemble
from assay.transpile.networks.exponents import choose
from assay.transpile.networks.layout import lay_out
from assay.transpile.networks.plan import plan
from assay.transpile.networks.quantise import quantise
from assay.transpile.networks.tables import Profile
from assay.transpile.networks.tiling import Width

EXACT = Profile(12, 3, 7, 18, 17, 21)
LARGEST = 4096  # numbers of an input: larger images show nothing that smaller ones do not
TOLERANCE = 2e-3  # of the largest value expected
# Inputs that depend on a row, by operator; of the others the first, since the rest are weights, axes and sizes.
FEATURES = {
    "all": {
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Sum",
        "Mean",
        "Max",
        "Min",
        "Concat",
        "MatMul",
        "Where",
        "Less",
        "Greater",
        "LessOrEqual",
        "GreaterOrEqual",
        "Equal",
        "And",
        "Or",
        "Xor",
    },
}
# Operators all of whose inputs are sizes and bounds: the row is an input that they do not read.
FEATURES["none"] = {"ConstantOfShape", "Range"}
FEATURES["other"] = {"If": set(), "Loop": {2}}
# Types that features have; tensors of others (of fewer than 8 bits, or floats of other forms) are weights.
TYPES = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)} | {
    "float16",
    "float32",
    "float64",
    "bool",
}
# Operators that are read as the standard writes them out in others.
WRITTEN_OUT = {"CenterCropPad", "NegativeLogLikelihoodLoss", "RotaryEmbedding"}
# Element by element: what comes of an element that no row may hold is left out.
ELEMENTWISE = {"Cast", "CastLike"}
# These become circuits of trees, which take rows with missing and infinite numbers.
TREES = {"TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"}
# Functions with poles and flat ends, whose arguments are declared number by number instead of for the whole tensor.
NARROW = {"Reciprocal", "Tan", "Softmax", "LogSoftmax"}


@dataclass(frozen=True)
class Outcome:
    """What became of a test: "passed", "refused" with the sentence, or "failed" with what was wrong."""

    name: str
    operator: str
    result: str
    why: str = ""


def cases() -> dict[str, Any]:
    """The standard's tests of single nodes whose operator is converted, by name."""
    operators.load()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # the tests' own arithmetic
        found = load_model_tests(kind="node")
    chosen = {}
    for case in found:
        if len(case.model.graph.node) == 1:
            node = case.model.graph.node[0]
            name = "" if node.domain == "ai.onnx" else node.domain, node.op_type
            if name in OPERATORS or node.op_type in WRITTEN_OUT:
                chosen[case.name] = case
    return chosen


def _array(value: Any) -> Any:
    """A tensor's message as an array; sequences and optionals stay what they are."""
    return onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def run(case: Any) -> Outcome:
    """One test: inputs that are weights, axes or sizes are bound as constants, the others are features."""
    name, model, operator = case.name, case.model, case.model.graph.node[0].op_type
    given, wanted = ([_array(value) for value in values] for values in case.data_sets[0])
    if not all(isinstance(value, np.ndarray | np.generic) for value in [*given, *wanted]):
        return Outcome(name, operator, "refused", "its data are no tensors")
    given, wanted = ([np.asarray(value) for value in values] for values in (given, wanted))
    compared = np.ones(given[0].shape if given else (), dtype=np.bool_)
    if operator in ELEMENTWISE:
        compared = np.isfinite(np.asarray(given[0], dtype=np.float64))
        given[0] = np.where(compared, given[0], np.zeros((), dtype=given[0].dtype))
    if any(value.dtype.kind == "f" and not np.isfinite(value).all() for value in given) and operator not in TREES:
        return Outcome(name, operator, "refused", "its row is not finite")
    names = [value.name for value in model.graph.input]
    chosen = set(range(len(names))) if operator in FEATURES["all"] else FEATURES["other"].get(operator, {0})
    features = {
        value
        for index, value in enumerate(names)
        if index < len(given) and index in chosen and given[index].size and given[index].dtype.name in TYPES
    } - (set(names) if operator in FEATURES["none"] else set())
    bound = {value: array for value, array in zip(names, given, strict=True) if value not in features}
    try:
        got = (
            decided(model, given[0])
            if operator in TREES
            else outputs(
                model, bound, {value: array for value, array in zip(names, given, strict=True) if value in features}
            )
        )
    except AssayError as error:
        return Outcome(name, operator, "refused", str(error))
    expected = np.concatenate([np.asarray(part, dtype=np.float64).reshape(-1) for part in wanted])
    if operator in ELEMENTWISE:
        got, expected = got[compared.reshape(-1)], expected[compared.reshape(-1)]
    if got.shape != expected.shape:
        return Outcome(name, operator, "failed", f"{got.shape} for {expected.shape}")
    if not np.isfinite(expected).all():
        return Outcome(name, operator, "refused", "it expects infinity or NaN")
    worst = float(np.abs(got - expected).max(initial=0))
    if worst > TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0))):
        return Outcome(
            name, operator, "failed", f"an error of {worst:.4g} where {np.abs(expected).max():.4g} is the largest"
        )
    return Outcome(name, operator, "passed")


def decided(model, rows: np.ndarray) -> np.ndarray:
    """What the circuit of a model of trees says of some rows."""
    circuit = assay.transpile(model)
    return np.asarray(circuit.answers.values(circuit.predict(rows)), dtype=np.float64).reshape(-1)


def outputs(model, bound: dict[str, np.ndarray], features: dict[str, np.ndarray]) -> np.ndarray:
    """What the circuit of a model says of one row; of one that reads none, beside an input that stands alone."""
    if not features:
        model = onnx.ModelProto.FromString(model.SerializeToString())
        model.graph.input.append(onnx.helper.make_tensor_value_info("row", onnx.TensorProto.FLOAT, [1]))
        features = {"row": np.zeros(1)}
    flow = convert(
        model,
        bound=bound,
        centres=lambda flow: np.zeros(len(flow.features)),
        sizes={k: v.shape for k, v in features.items()},
    )
    rows, ranges = [], []
    narrow = model.graph.node[0].op_type in NARROW
    for value in features.values():
        numbers = np.asarray(value, dtype=np.float64).reshape(-1)
        span = float(numbers.min(initial=math.inf)), float(numbers.max(initial=-math.inf))
        room = max((span[1] - span[0]) * 2.0**-12, 2.0**-10)
        if narrow:
            ranges += [
                (number - room - 0.01 * abs(number), number + room + 0.01 * abs(number)) for number in numbers.tolist()
            ]
        else:
            ranges += [(span[0] - room, span[1] + room)] * len(numbers)
        rows += numbers.tolist()
    planned = plan(flow, ranges)
    bits = choose(planned, EXACT).value[planned.outputs[0]]
    planned = planned if bits >= 0 else plan(flow, ranges, -bits)
    made = quantise(planned, EXACT)
    return assemble.compiled(flow, ranges, made, lay_out(made, Width(64, 64))).outputs(np.array([rows]))[0]


def run_all(wanted: str = "") -> list[Outcome]:
    """Every test of inputs that are not too large; an exception that is none of ours is a failure."""
    outcomes = []
    for name, case in cases().items():
        operator = case.model.graph.node[0].op_type
        if wanted and wanted not in {operator, name}:
            continue
        if any(np.size(value) > LARGEST for value in case.data_sets[0][0]):
            continue
        try:
            outcomes.append(run(case))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted and shown
            outcomes.append(Outcome(name, operator, "failed", f"{type(error).__name__}: {error}"))
        if outcomes[-1].result != "passed":
            sys.stdout.write(f"{outcomes[-1].result} {name} {outcomes[-1].why[:150]}\n")
            sys.stdout.flush()
    return outcomes


if __name__ == "__main__":
    every = run_all(*sys.argv[1:])
    for result in ("passed", "refused", "failed"):
        sys.stdout.write(f"{result} {sum(outcome.result == result for outcome in every)}\n")
    for operator in sorted({outcome.operator for outcome in every}):
        results = [outcome.result for outcome in every if outcome.operator == operator]
        if results.count("passed") <= results.count("refused"):
            sys.stdout.write(f"mostly refused {operator} {results.count('passed')} of {len(results)}\n")
