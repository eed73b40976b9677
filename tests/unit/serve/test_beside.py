"""What is kept beside a period's row: columns of the dataset, and what a function of the rows before decides."""

import json
from dataclasses import replace

import polars as pl
import pytest
from tests.unit.serve.small import keep

from assay.data.live import Newest
from assay.serve.beside import beside
from assay.task.task import Task

FUNCTION = """
def today(rows):
    return rows["price"].shift(1).fill_null(0.0) * {factor}
"""


def task(existing):
    return Task.model_validate(
        {
            "schema": "assay-task/1",
            "name": "credit",
            "existing": existing,
            "predict": {"target": "y", "type": "regression"},
            "data": {"sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}]},
        }
    )


@pytest.fixture
def release(database, made):
    manifest = json.dumps({"features": [], "keep": ["price", "note", "gone"], "classes": []}).encode()
    return keep(database, replace(made, public=made.public | {"manifest.json": manifest}))


@pytest.fixture
def row():
    frame = pl.DataFrame({"price": [1.0, 2.5, float("nan")], "note": ["a", "b", None], "other": [1, 2, 3]})
    return Newest((0.0,), 12, "2026-01-01T00:00:00", {}, {}, frame)


def test_columns_are_kept_and_a_function_sees_the_rows_before(database, release, row, tmp_path):
    (tmp_path / "today.py").write_text(FUNCTION.format(factor=2))
    found = beside(database, release, task({"kind": "function", "function": "today.py:today"}), row, tmp_path)
    assert found == {"columns": {"price": None, "note": None}, "existing": 5.0}
    assert json.dumps(found, allow_nan=False)


def test_a_process_of_the_row_alone_is_asked_later(database, release, row, tmp_path):
    found = beside(database, release, task({"kind": "constant", "value": 3.0}), row, tmp_path)
    assert found == {"columns": {"price": None, "note": None}}


def test_a_function_that_fails_keeps_no_answer_back_and_says_why(database, release, row, tmp_path):
    (tmp_path / "today.py").write_text(FUNCTION.format(factor="nothing"))
    found = beside(database, release, task({"kind": "function", "function": "today.py:today"}), row, tmp_path)
    assert "nothing" in found["existing_failed"]
    assert "existing" not in found


def test_of_a_row_made_of_nothing_nothing_is_kept(database, release, tmp_path):
    empty = Newest((0.0,), 12, "", {}, {})
    assert beside(database, release, task({"kind": "constant", "value": 3.0}), empty, tmp_path) == {}
