"""docs/guides/explore.md: what it shows is what happens."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "explore.md").read_text(encoding="utf-8")
QUESTION = """
schema = "assay-task/1"
name = "guide"
[existing]
kind = "column"
column = "today"
[predict]
target = "repaid"
type = "binary"
[data]
keep = ["today"]
[[data.sources]]
name = "rows"
kind = "csv"
path = "rows.csv"
"""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The guide's limits and search, on rows that a tree learns."""
    place = tmp_path_factory.mktemp("guide")
    random = np.random.default_rng(1)
    X = random.normal(size=(600, 3))
    repaid = X[:, 0] * X[:, 1] + 0.3 * random.normal(size=600) > 0
    columns = {"income": X[:, 0], "debt": X[:, 1], "noise": X[:, 2], "today": (X[:, 0] > 0).astype(int)}
    pl.DataFrame(columns | {"repaid": repaid.astype(int)}).write_csv(place / "rows.csv")
    settings, *_ = blocks("toml")
    (place / "task.toml").write_text(QUESTION + settings, encoding="utf-8")
    return place


@pytest.mark.slow
def test_the_commands_and_the_programs(project, assay_command):
    search, by_hand = ([shlex.split(line)[1:] for line in block.splitlines()] for block in blocks("sh"))
    assert [command[0] for command in (*search, *by_hand)] == [
        "explore",
        "decide",
        "decide",
        "prove",
        "verify",
        "solidity",
    ]
    for command in (["data", "build"], *search, *by_hand):
        done = assay_command(*command, cwd=project)
        assert (done.code, done.err) == (0, ""), (command, done.err)
    assert "pragma solidity" in (project / "Verifier.sol").read_text()
    decision = json.loads((project / "decision" / "decision.json").read_text())
    assert decision["chosen"].split("-")[0] in {"tree", "xgboost"}
    said = [run(example, project) for example in blocks("python")]
    assert decision["chosen"] in said[0]
    assert (project / said[0].splitlines()[-1]).is_file()
    # The same exploration and the same measurements: the same decision.
    assert said[1].splitlines() == [decision["chosen"], *decision["reasons"]]


def run(program, folder):
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_guide_names_every_family_and_metric_limit():
    from assay.models.families.registry import OWN

    for name in OWN:
        assert f"`{name}`" in GUIDE, name
