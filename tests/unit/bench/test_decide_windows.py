"""Windows on the way from a CSV of several pools to a decision, and rows of the dataset in a proof."""

import json

import numpy as np
import polars as pl
import pytest

import assay
from assay.cli.main import run
from assay.data.dataset.dataset import Dataset
from assay.models.search.front import Front

from .own import recorded

TASK = """
schema = "assay-task/1"
name = "pools"
[existing]
kind = "column"
column = "volume_now"
[predict]
target = "next"
type = "regression"
[data]
time = "at"
entity = "pool"
window = 3
[[data.sources]]
name = "pools"
kind = "csv"
path = "pools.csv"
[[data.features]]
name = "volume_now"
op = "column"
of = "volume"
[[data.features]]
name = "trades"
op = "column"
[data.label]
op = "forward_value"
of = "volume"
[limits]
better_than_existing = 0.05
[explore]
trials = 3
folds = 2
families = ["linear", "tree", "cnn1d"]
"""
POOLS, HOURS, WINDOW = 4, 90, 3


@pytest.fixture(scope="module", autouse=True)
def cache_of_its_own(tmp_path_factory):
    with recorded(tmp_path_factory.mktemp("cache")):
        yield


def pools():
    """Volumes that follow what was two hours before: only a window knows."""
    random = np.random.default_rng(4)
    frames = []
    for pool in range(POOLS):
        volume = 10.0 * (pool + 1) + random.normal(size=HOURS)
        for hour in range(3, HOURS):
            volume[hour] = 10 * (pool + 1) + 0.9 * (volume[hour - 3] - 10 * (pool + 1)) + 0.3 * random.normal()
        at = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 4, 17), "1h", eager=True)
        trades = random.integers(0, 50, HOURS)
        frames.append(pl.DataFrame({"at": at, "pool": f"0x{pool:02}", "volume": volume, "trades": trades}))
    return pl.concat(frames)


def test_from_windows_to_a_decision_and_a_proof(tmp_path, capsys):
    pools().write_csv(tmp_path / "pools.csv")
    (tmp_path / "task.toml").write_text(TASK)
    assert run(["task", "check", str(tmp_path)]) == 0
    assert run(["run", str(tmp_path), "--until", "report"]) == 0
    dataset = Dataset.load(tmp_path / "data")
    # Two hours for the window, one for the label, and three before each boundary.
    assert dataset.frame().height == POOLS * (HOURS - 2 - 1 - 6)
    decision = json.loads((tmp_path / "decision" / "decision.json").read_text())
    rows = {row["id"]: row for row in decision["rows"]}
    # The row itself says nothing of the next one; what decides today would be as good.
    assert decision["chosen"].startswith("linear")
    assert rows[decision["chosen"]]["improvement"] > 0.4
    assert all(row["fidelity"]["ok"] for row in rows.values() if row["measured"])
    # A network is a candidate like others; what keeps one from being proven is said.
    tried = {one.family: one for one in Front.load(tmp_path / "candidates").candidates}
    assert tried["cnn1d"].size.kind == "network"
    assert tried["cnn1d"].cv.mean < tried["tree"].cv.mean
    for row in rows.values():
        assert row["measured"] or not row["provable"] or row["fidelity"]["problem"]
    folder = tmp_path / "decision" / "chosen"
    circuit = assay.Circuit.load(folder)
    names = ["volume_now@-2", "trades@-2", "volume_now@-1", "trades@-1", "volume_now", "trades"]
    assert [feature.name for feature in circuit.features] == names == dataset.inputs
    keys = assay.Keys.load(folder)
    windows = dataset.windows("test").head(2)
    proof = assay.prove(keys.proving_key, windows.select(names))
    assay.verify(keys.verifying_key, proof)
    # On chain: the words of a row are those of its window, the oldest row's first.
    source = pools().filter(pl.col("pool") == windows["pool"][0])
    place = source["at"].to_list().index(windows["at"][0].replace(tzinfo=None))
    wanted = source["trades"][place - 2 : place + 1].to_list()
    found = [
        int(np.ldexp(float(word + feature.low), -feature.bits))
        for word, feature in zip(proof.public_inputs[: len(names)], circuit.features, strict=True)
    ]
    assert found[1::2] == wanted
    card = (tmp_path / "model-card.md").read_text()
    assert "A model sees a row and the 2 before it in its series" in card
    capsys.readouterr()
    assert run(["data", "show", str(tmp_path)]) == 0
    assert "window" in capsys.readouterr().out
