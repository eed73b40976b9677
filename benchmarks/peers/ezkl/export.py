"""Write a case as an ONNX graph and as EZKL's input files. Runs in the peer's own environment.

Usage: export.py CASE_FOLDER WORK_FOLDER RESULT_FILE

Trees go through hummingbird's GEMM strategy, which turns each tree into matrix products and
comparisons; that is the form in which EZKL can prove them. The graph's output is the raw margin:
the link function and the class are left to the caller, for EZKL as for Assay.

Two graphs are written: `exported` is what hummingbird gives; `corrected` has its test of equality
written as a comparison. EZKL 23.0.5 reads the true of an ONNX `Equal` of scaled numbers as the
smallest positive number and not as one, so its answers to the exported graph are the constant
term of the model and nothing else. The corrected graph lets it answer as the model does.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

TOLERANCE = 1e-4
OPSET = 14


def main() -> None:
    case_folder, work, result = (Path(argument) for argument in sys.argv[1:])
    case = json.loads((case_folder / "case.json").read_text(encoding="utf-8"))
    with np.load(case_folder / "rows.npz") as rows:
        calibration, test, margins = rows["calibration"], rows["test"], rows["margins"]
    trees = case["family"] == "trees"
    module = tree_module(case_folder, work, test) if trees else linear_module(case_folder)
    exported = work / "exported" / "network.onnx"
    exported.parent.mkdir(parents=True, exist_ok=True)
    export(module, test[:1], exported)
    errors = {"exported": check(exported, test, margins)}
    if trees:
        corrected = work / "corrected" / "network.onnx"
        corrected.parent.mkdir(exist_ok=True)
        compare_instead_of_equal(exported, corrected)
        errors["corrected"] = check(corrected, test, margins)
    write_rows(work / "calibration.json", calibration)
    write_rows(work / "input.json", test[0])
    (work / "rows").mkdir(exist_ok=True)
    for number, row in enumerate(test[: case["fidelity_rows"]]):
        write_rows(work / "rows" / f"{number}.json", row)
    result.write_text(json.dumps({"largest_error_of_onnx": errors}), encoding="utf-8")


def tree_module(case_folder: Path, work: Path, test: Any) -> Any:
    """The ensemble as a torch module of hummingbird's GEMM strategy."""
    hummingbird = importlib.import_module("hummingbird.ml")
    regressor = margin_regressor(case_folder / "model.json", work / "regressor.json")
    container = hummingbird.convert(regressor, "torch", test[:1], extra_config={"tree_implementation": "gemm"})
    return container.model


def margin_regressor(model: Path, changed: Path) -> Any:
    """The same trees read as a regressor, whose prediction is the raw margin."""
    xgboost = importlib.import_module("xgboost")
    learner = json.loads(model.read_text(encoding="utf-8"))
    parameters = learner["learner"]["learner_model_param"]
    base = float(parameters["base_score"].strip("[]"))
    margin = math.log(base / (1 - base))
    parameters["base_score"] = f"{margin:.6E}"
    learner["learner"]["objective"] = {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}
    changed.write_text(json.dumps(learner), encoding="utf-8")
    regressor = xgboost.XGBRegressor()
    regressor.load_model(changed)
    return regressor


def linear_module(case_folder: Path) -> Any:
    """The linear model as one torch layer."""
    torch = importlib.import_module("torch")
    weights = json.loads((case_folder / "model.json").read_text(encoding="utf-8"))
    layer = torch.nn.Linear(len(weights["coef"][0]), len(weights["coef"]))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights["coef"]))
        layer.bias.copy_(torch.tensor(weights["intercept"]))
    return layer


def export(module: Any, row: Any, path: Path) -> None:
    torch = importlib.import_module("torch")
    torch.onnx.export(
        module, torch.tensor(row), str(path), opset_version=OPSET, input_names=["input"], output_names=["output"]
    )
    drop_vector_transpositions(path)


def compare_instead_of_equal(exported: Path, corrected: Path) -> None:
    """Write `Equal(count, path)` as `Less(path - 1/2, count)`.

    `count` is, for a leaf, the left turns of its path that the row takes less the right turns that
    it takes to the left; `path` is the left turns of the path. Both are integers and `count` is
    never more than `path`, so the two tests are the same.
    """
    onnx = importlib.import_module("onnx")
    model = onnx.load(exported)
    constants = {constant.name: constant for constant in model.graph.initializer}
    for position, node in [(i, node) for i, node in enumerate(model.graph.node) if node.op_type == "Equal"]:
        path, count = sorted(node.input, key=lambda name: name not in constants)
        halved = onnx.numpy_helper.to_array(constants[path]) - np.float32(0.5)
        constants[path].CopyFrom(onnx.numpy_helper.from_array(halved, path))
        model.graph.node[position].CopyFrom(onnx.helper.make_node("Less", [path, count], list(node.output), node.name))
    onnx.save(model, corrected)


def drop_vector_transpositions(path: Path) -> None:
    """Take out the transpositions of vectors, which do nothing.

    torch 1.13 writes `t()` of a vector as the transposition of a matrix; ONNX refuses that.
    """
    onnx = importlib.import_module("onnx")
    model = onnx.load(path)
    inferred = onnx.shape_inference.infer_shapes(model)
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in inferred.graph.value_info}
    nodes = model.graph.node
    for node in [node for node in nodes if node.op_type == "Transpose" and ranks.get(node.input[0]) == 1]:
        for other in nodes:
            other.input[:] = [node.input[0] if name == node.output[0] else name for name in other.input]
        nodes.remove(node)
    onnx.save(model, path)


def check(path: Path, test: Any, margins: Any) -> float:
    """Largest difference between the graph and the model's runtime: an export that changed the model is no case."""
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    answers = [session.run(None, {"input": row[None, :]})[0].reshape(-1)[-1] for row in test]
    error = float(np.abs(np.array(answers) - margins).max())
    if error > TOLERANCE:
        raise SystemExit(f"the exported graph is not the model: largest error {error:g}")
    return error


def write_rows(path: Path, rows: Any) -> None:
    """EZKL's input file: one flat list for the graph's one input; it splits the list into rows itself."""
    path.write_text(json.dumps({"input_data": [np.asarray(rows, dtype=float).reshape(-1).tolist()]}), encoding="utf-8")


if __name__ == "__main__":
    main()
