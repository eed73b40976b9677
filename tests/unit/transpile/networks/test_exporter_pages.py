"""docs/guides/jax.md, keras.md, pytorch.md: their lines export a network that is proven, where the package is at hand.

None of the packages is in requirements.lock: the pages say how large each is. `pip install jax2onnx keras` (or `torch
onnxscript`) beside it, and these tests are not skipped.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

import assay

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
GUIDES = Path(__file__).parents[4] / "docs" / "guides"
RANDOM = np.random.default_rng(0)
WEIGHTS = [RANDOM.normal(size=shape).astype(np.float32) / 2 for shape in ((4, 6), (6, 1))]
ROWS = RANDOM.uniform(-1, 1, (60, 4)).astype(np.float32)


def exported(page, names):
    """Run a page's first lines of Python, which leave model.onnx."""
    (first, *_) = re.findall(r"```python[^\n]*\n(.*?)```", (GUIDES / page).read_text(), re.DOTALL)
    exec(compile(first, page, "exec"), names)  # noqa: S102 - the page's own example


def proven(wanted):
    """The exported network is what the framework says, kept, and proven."""
    circuit = assay.transpile("model.onnx", calibration=ROWS[:40])
    assert np.abs(circuit.predict(ROWS) - wanted).max() < 2e-3 * np.ptp(wanted)
    assert assay.fidelity(circuit, "model.onnx", ROWS[40:]).ok
    keys = assay.setup(circuit, max_batch=1)
    assert assay.verify(keys.verifying_key, assay.prove(keys.proving_key, ROWS[:1]))


def test_jax(tmp_path, monkeypatch):
    jax = pytest.importorskip("jax")
    pytest.importorskip("jax2onnx")
    monkeypatch.chdir(tmp_path)

    def network(x):
        return jax.numpy.tanh(x @ WEIGHTS[0]) @ WEIGHTS[1]

    exported("jax.md", {"network": network, "features": 4, "onnx": onnx})
    proven(np.asarray(network(ROWS)))


def test_keras(tmp_path, monkeypatch):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    pytest.importorskip("jax2onnx")
    keras = pytest.importorskip("keras")
    monkeypatch.chdir(tmp_path)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6, "tanh"), keras.layers.Dense(1)])
    wanted = np.asarray(model(ROWS))
    exported("keras.md", {"model": model})
    proven(wanted)


def test_pytorch(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    monkeypatch.chdir(tmp_path)
    net = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1))
    exported("pytorch.md", {"torch": torch, "net": net, "example": torch.zeros(1, 4)})
    proven(net(torch.tensor(ROWS)).detach().numpy())
