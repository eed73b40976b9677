"""docs/guides/networks.md: its example runs and says what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("skl2onnx")
PAGE = Path(__file__).parents[4] / "docs" / "guides" / "networks.md"


def test_the_examples_run_one_after_the_other(capsys):
    for name in ("lightgbm", "onnxmltools", "pandas", "xgboost"):
        pytest.importorskip(name)
    names: dict = {}
    shown = []
    for example in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(compile(example, str(PAGE), "exec"), names)  # noqa: S102 - the page's own examples
        shown.append(capsys.readouterr().out)
    network, logistic, trees, boosted = shown
    assert "ms on two cores" in network
    assert "fidelity   kept" in network
    assert "ok: 0 of 100 rows are decided otherwise" in network
    assert "0 of 10000 decided otherwise" in network
    assert logistic
    assert "ok: 0 of 400 rows differ" in trees
    assert boosted.count("ok: 0 of 400 rows differ") == 2
    labels = names["proof"].labels()
    assert labels == names["fitted"].predict(names["frame"][:2]).tolist()


def test_what_is_proven_is_what_the_pipelines_predict():
    names: dict = {}
    network, logistic, *_ = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(network, str(PAGE), "exec"), names)  # noqa: S102
    wanted = names["fitted"].predict(names["X"][300:301])
    assert abs(names["proof"].outputs[0, 0] - wanted[0]) < 1e-3 * np.ptp(names["y"])
    exec(compile(logistic, str(PAGE), "exec"), names)  # noqa: S102
    wanted = names["fitted"].predict_proba(names["X"][:2])
    assert np.abs(names["proof"].outputs[:, 1:] - wanted).max() < 1e-3
