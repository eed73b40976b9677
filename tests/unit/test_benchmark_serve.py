"""The service's benchmark asks what it says, and its section shows what it found."""

import asyncio
import json
import sys
from pathlib import Path

from tests.unit.serve.outputs.test_webhook import told

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import results, serve  # noqa: E402
from benchmarks.load import ask  # noqa: E402

__all__ = ["told"]


def test_the_section_shows_each_figure_beside_what_it_must_be(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    assert serve.section() == ""
    figures = {key: 0.125 for key in serve.MUST if not key.startswith("litserve")}
    about = {"generator": "g", "seconds": 5.0}
    found = {"title": "The service", "configuration": about, "load_average_before": 0.1, "figures": figures}
    (tmp_path / "serve.json").write_text(json.dumps({"schema": results.SCHEMA, **found}))
    text = serve.section()
    assert "| request to proof in one call, 100 x 6, one client, half below | 125 ms | 0.15 s |" in text
    assert "LitServe" not in text


def test_the_generator_asks_as_often_as_it_is_told_and_counts_refusals(told):
    told.answers += [204, 204, 200]
    question = {"url": told.url, "headers": {"X": "y"}, "bodies": [{"a": 1}, {"a": 2}], "clients": 3, "count": 7}
    found = asyncio.run(ask(question))
    assert (found["answers"], len(found["latencies"])) == (7, 7)
    assert len(told.found) == 7
    assert {json.loads(body)["a"] for _, _, body in told.found} == {1, 2}
    assert sorted(found["wrong"]) == [204] * 6
