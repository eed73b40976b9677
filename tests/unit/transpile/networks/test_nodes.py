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

LEAST_PASSED = 800
# Operators most of whose tests ask for what no circuit has, and the table says what: sequences, roots near 0, a pole,
# rows with NaN.
MOSTLY_REFUSED = {"If", "IsInf", "IsNaN", "Loop", "LpPool", "Tan"}
ROOT = Path(__file__).parents[4]


def test_the_page_of_operators_is_the_importers():
    from assay.transpile.importers.onnx.table import markdown

    assert (ROOT / "docs" / "reference" / "operators.md").read_text() == markdown()


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_standards_tests(record_property):
    outcomes = nodes.run_all()
    counts = collections.Counter(outcome.result for outcome in outcomes)
    record_property("counts", dict(counts))
    assert not [outcome for outcome in outcomes if outcome.result == "failed"]
    assert counts["passed"] >= LEAST_PASSED
    by_operator = collections.defaultdict(collections.Counter)
    for outcome in outcomes:
        by_operator[outcome.operator][outcome.result] += 1
    mostly = {name for name, found in by_operator.items() if found["passed"] <= found["refused"]}
    assert mostly <= MOSTLY_REFUSED
