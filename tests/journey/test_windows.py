"""A network of windows, from the dataset to proofs by command: whole windows, rows in sequence, rows out of range."""

import json

import numpy as np
import pytest

import assay
from assay.data.dataset.dataset import Dataset

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
TASK = """schema = "assay-task/1"
name = "ticks"
existing = {kind = "constant", value = 0}
predict = {target = "later", type = "regression"}

[data]
time = "at"
window = 4

[[data.sources]]
name = "rows"
kind = "csv"
path = "rows.csv"

[[data.features]]
name = "volume"
op = "column"

[[data.features]]
name = "trades"
op = "column"

[data.label]
op = "forward_value"
of = "volume"

[data.split]
train = 0.5
validation = 0.2
test = 0.3
"""


def network(path, features, window):
    """A convolution over the window, as exporters write it: [1, window * features] in."""
    helper = onnx.helper
    weights = np.random.default_rng(0).normal(size=(features * window, 3)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Tanh", ["h"], ["t"]),
        helper.make_node("ReduceSum", ["t"], ["y"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", 1, [1, features * window])],
        [helper.make_tensor_value_info("y", 1, None)],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def test_from_the_dataset_to_proofs(tmp_path, assay_command):
    generator = np.random.default_rng(1)
    rows = [(f"2024-01-01T{n // 60:02}:{n % 60:02}:00", *generator.uniform(0, 1, 2).round(3)) for n in range(90)]
    (tmp_path / "rows.csv").write_text("at,volume,trades\n" + "".join(f"{a},{v},{t}\n" for a, v, t in rows))
    (tmp_path / "task.toml").write_text(TASK)
    done = assay_command("data", "build", tmp_path)
    assert (done.code, done.err) == (0, "")
    windows = tmp_path / "windows.json"
    done = assay_command("data", "rows", tmp_path, "--part", "test", "--last", 3, "--out", windows, "--json")
    assert (done.code, done.err) == (0, "")
    dataset = Dataset.load(tmp_path / "data")
    assert json.loads(done.out)["features"] == dataset.inputs
    given = np.array(json.loads(windows.read_text())["inputs"])
    assert given.shape == (3, 8)
    assert np.array_equal(given.astype(np.float32), dataset.arrays("test")[0][-3:])

    model = tmp_path / "model.onnx"
    network(model, 2, 4)
    circuit = assay.transpile(model, calibration=dataset.arrays("train")[0], feature_names=dataset.inputs)
    circuit.save(tmp_path / "keys")
    assert assay_command("setup", tmp_path / "keys", "--max-batch", 4).code == 0
    proof = tmp_path / "proof.json"
    done = assay_command("prove", tmp_path / "keys", "--input", windows, "--out", proof)
    assert (done.code, done.err) == (0, "")
    assert np.array_equal(json.loads(proof.read_text())["outputs"], circuit.predict(given))

    # Rows one after the other, as a file has them: the last of them has the last window.
    steps = tmp_path / "steps.csv"
    steps.write_text("trades,volume\n" + "".join(f"{t},{v}\n" for _, v, t in rows[:6]))
    done = assay_command("prove", tmp_path / "keys", "--input", steps, "--out", proof, "--json")
    assert (done.code, done.err) == (0, "")
    assert (json.loads(done.out)["rows"], json.loads(done.out)["window"]) == (3, 4)
    wanted = [[number for _, *pair in rows[n : n + 4] for number in pair] for n in range(3)]
    assert np.array_equal(json.loads(proof.read_text())["outputs"], circuit.predict(wanted))
    done = assay_command("prove", tmp_path / "keys", "--input", steps, "--out", proof)
    assert "of 4 rows each, in the order of the file, which has 6" in done.out
    steps.write_text("trades,volume\n0.5,0.5\n")
    done = assay_command("prove", tmp_path / "keys", "--input", steps, "--out", proof)
    assert done.code == 2
    assert "there are 1 rows, and the model reads 4 at once" in done.err

    # A value outside the range.
    steps.write_text("trades,volume\n0.5,0.5\n0.5,0.5\n0.5,0.5\n0.5,90\n")
    done = assay_command("prove", tmp_path / "keys", "--input", steps, "--out", proof)
    assert (done.code, "--saturate" in done.err or "saturate" in done.err) == (2, True)
    done = assay_command("prove", tmp_path / "keys", "--input", steps, "--out", proof, "--saturate")
    assert (done.code, done.err) == (0, "")
    assert "row 0, volume: 90 as " in done.out
    done = assay_command("verify", tmp_path / "keys", proof)
    assert done.code == 0
    assert "values were outside their range: row 0, volume: 90 as" in done.out

    for arguments, words in (
        (("--part", "all", "--out", windows), "no part of a dataset"),
        (("--out", tmp_path / "rows.txt"), "rows.txt is no kind of file"),
    ):
        done = assay_command("data", "rows", tmp_path, *arguments)
        assert done.code == 2
        assert words in done.err
