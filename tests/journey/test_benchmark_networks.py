"""`python -m benchmarks.networks`: it measures the networks that it says, and its result is a section of the page."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import machine, results  # noqa: E402
from benchmarks.networks import __main__ as command  # noqa: E402
from benchmarks.networks import models, page  # noqa: E402

PARAMETERS = {"mlp_30_64_64_1": 6209, "cnn_28x28": 2202, "lstm_sp500": 4897, "bilstm_sp500": 9793}
PARAMETERS["dense_4m"] = 4_208_650


@pytest.mark.parametrize("network", [one for one in models.NETWORKS if one.batch == 1], ids=lambda one: one.key)
def test_a_network_from_a_seed_has_the_size_of_the_trained_one(network, tmp_path):
    import onnx
    from onnx import numpy_helper

    models.write(network, tmp_path, None)
    model = onnx.load(tmp_path / "model.onnx")
    weights = [numpy_helper.to_array(one) for one in model.graph.initializer]
    assert sum(one.size for one in weights if one.dtype == np.float32) == PARAMETERS[network.name]
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    rows = models.rows(tmp_path)
    answer = session.run(None, {"input": rows[0].reshape(1, *network.shape)})[0]
    assert answer.shape == (1, network.outputs)
    assert np.isfinite(answer).all()


@pytest.mark.slow
def test_the_command_measures_and_the_page_shows_it(tmp_path, monkeypatch):
    trained = tmp_path / "trained"
    network = models.by_key("mlp_30_64_64_1")
    models.write(network, trained / network.name, None)
    rows = models.rows(trained / network.name)[:8]
    (trained / network.name / "inputs.json").write_text(json.dumps({"inputs": rows.tolist()}))
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(command, "WORK", tmp_path / "work")
    command.main(["--only", network.key, "--repeats", "2", "--models", str(trained)])
    found = json.loads((tmp_path / "results" / "networks.json").read_text())
    measured = found["networks"][network.key]
    assert measured["status"] == "ok", measured
    figures = measured["figures"]
    assert (figures["rows_checked"], figures["rows_differing"]) == (8, 0)
    assert figures["gas"] > 200_000
    assert figures["powers"] > 1 << 13
    assert found["machine"]["cores"] == machine.describe()["cores"]
    section = page.section()
    assert network.title in section
    assert f"{figures['gas']:,}" in section
