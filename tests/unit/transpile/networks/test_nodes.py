"""The ONNX standard's node tests for every operator of the table: passed, refused by name, failed (none)."""

from __future__ import annotations

import collections
import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

_SPEC = importlib.util.spec_from_file_location("networks_nodes", Path(__file__).parent / "nodes.py")
nodes = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = nodes  # where dataclasses look for their module
_SPEC.loader.exec_module(nodes)

ROOT = Path(__file__).parents[4]


def test_the_page_of_operators_is_the_importers():
    from assay.transpile.importers.onnx.table import markdown

    assert (ROOT / "docs" / "reference" / "operators.md").read_text() == markdown()


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_standards_tests(record_property):
    counts, by_operator, failed = collections.Counter(), {}, []
    for case in nodes.cases().values():
        outcome = nodes.run(case)
        counts[outcome.result] += 1
        by_operator.setdefault(outcome.operator, collections.Counter())[outcome.result] += 1
        if outcome.result == "failed":
            failed.append(f"{outcome.name}: {outcome.why}")
    record_property("counts", dict(counts))
    print(f"node tests: {dict(counts)}")  # noqa: T201 - what CI shows
    assert not failed
    assert counts["passed"] >= 500
    worse = {name: dict(found) for name, found in by_operator.items() if found["passed"] < found["refused"]}
    assert not worse
