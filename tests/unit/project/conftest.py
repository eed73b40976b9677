"""A small project of somebody's own rows."""

import random

import pytest

from assay.project.project import Project
from assay.task.init import init


@pytest.fixture
def rows(tmp_path):
    """180 rows: two numbers that matter, one that does not, and a score that half knows."""
    source = random.Random(7)
    lines = []
    for _ in range(180):
        a, b, c = (source.gauss(0, 1) for _ in range(3))
        paid = int(a + 0.5 * b + source.gauss(0, 0.5) > 0)
        lines.append(f"{a:.4f},{b:.4f},{c:.4f},{1 / (1 + 2.718**-a):.4f},{paid}")
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["income,savings,noise,score,paid", *lines]) + "\n")
    return path


@pytest.fixture
def project(rows, tmp_path):
    init(
        tmp_path / "own",
        "blank",
        {"file": str(rows), "target": "paid", "type": "binary", "existing": "score", "trials": "3"},
    )
    return Project(tmp_path / "own")
