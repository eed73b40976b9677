"""From a CSV of several pools to a decision and a report, by the commands."""

import json

import numpy as np
import polars as pl
import pytest

from assay.cli.main import run
from assay.data.dataset.dataset import Dataset
from assay.models.search.front import Front

from .own import recorded

TASK = """
schema = "assay-task/1"
name = "pools"
[existing]
kind = "function"
function = "existing.py:decide"
[predict]
target = "next"
type = "regression"
[data]
time = "at"
entity = "pool"
keep = ["volume"]
[[data.sources]]
name = "pools"
kind = "csv"
path = "pools.csv"
[[data.features]]
name = "volume_now"
op = "column"
of = "volume"
[[data.features]]
name = "volume_before"
op = "lag"
of = "volume"
[[data.features]]
name = "mean_4"
op = "rolling_mean"
of = "volume"
window = 4
[data.label]
op = "forward_value"
of = "volume"
[limits]
better_than_existing = 0.05
[explore]
trials = 3
folds = 2
families = ["linear", "tree", "har"]
"""
# Today the value before is taken for the next one; a pool's first has none before it.
EXISTING = "def decide(rows):\n    return rows['volume'].shift(1).fill_null(rows['volume'][0])\n"
POOLS, HOURS = 5, 90


@pytest.fixture(scope="module", autouse=True)
def cache_of_its_own(tmp_path_factory):
    with recorded(tmp_path_factory.mktemp("cache")):
        yield


def pools():
    """Volumes that swing from hour to hour, each pool's on a level of its own; one pool after the other."""
    random = np.random.default_rng(4)
    frames = []
    for pool in range(POOLS):
        volume = np.full(HOURS, 10.0 * (pool + 1))
        for hour in range(1, HOURS):
            volume[hour] -= 0.8 * (volume[hour - 1] - 10 * (pool + 1)) + random.normal()
        at = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 4, 17), "1h", eager=True)
        frames.append(pl.DataFrame({"at": at, "pool": f"0x{pool:02}", "volume": volume}))
    return pl.concat(frames)


def test_from_several_pools_to_a_decision(tmp_path, capsys):
    pools().write_csv(tmp_path / "pools.csv")
    (tmp_path / "task.toml").write_text(TASK)
    (tmp_path / "existing.py").write_text(EXISTING)
    assert run(["task", "check", str(tmp_path)]) == 0
    assert run(["run", str(tmp_path), "--until", "report"]) == 0
    dataset = Dataset.load(tmp_path / "data")
    # Three hours for the window, one for the label, and one before each boundary.
    assert dataset.frame().height == POOLS * (HOURS - 3 - 1 - 2)
    assert dataset.frame().group_by("at").agg(pl.col("split").n_unique())["split"].max() == 1
    front = Front.load(tmp_path / "candidates")
    assert front.skipped == {"har": "is for one series"}
    decision = json.loads((tmp_path / "decision" / "decision.json").read_text())
    rows = {row["id"]: row for row in decision["rows"]}
    assert rows[decision["chosen"]]["improvement"] > 0.05
    assert rows[decision["chosen"]]["fidelity"]["ok"]
    # What decides today saw the rows of one pool at a time: pools are 10 apart, and a pool's hours about 2.
    today = next(row for name, row in rows.items() if name.startswith("existing"))
    assert today["test"]["rmse"] < 5
    card = (tmp_path / "model-card.md").read_text()
    assert "The rows are of 5 series, told apart by pool" in card
    assert "the rows of 1 time are left out" in card
    capsys.readouterr()
    assert run(["data", "show", str(tmp_path)]) == 0
    assert "5, told apart by pool" in capsys.readouterr().out
