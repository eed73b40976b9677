"""docs/guides/networks.md: its example runs and says what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("skl2onnx")
PAGE = Path(__file__).parents[4] / "docs" / "guides" / "networks.md"


def test_the_example(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})  # noqa: S102 - the page's own example
    shown = capsys.readouterr().out
    assert "ms on two cores" in shown
    assert "fidelity   kept" in shown
    assert "ok: 0 of 100 rows are decided otherwise" in shown
    assert "0 of 10000 decided otherwise" in shown
