"""A small project over time whose world changes after its first release, so that a model trained again is better."""

import numpy as np

TASK = """\
schema = "assay-task/1"
name = "demand"
existing = {kind = "constant", value = 0.0}
predict = {target = "y", type = "regression"}

[[data.sources]]
name = "rows"
kind = "csv"
path = "rows.csv"

[data]
time = "day"
drop = []

[[data.features]]
name = "a"
op = "column"

[[data.features]]
name = "b"
op = "column"

[data.label]
op = "column"
horizon = 0

[limits]
gas = 900000

[explore]
families = ["linear"]
trials = 2
folds = 2

[retrain]
every = "30d"
fresh_rows = 50
looks = 5
rehearse = false
"""
FIRST, ALL = 200, 800


def rows(count, *, seed=7, changed=FIRST):
    """The file's lines for so many days; after `changed` of them b counts as much as a."""
    source = np.random.default_rng(seed)
    days = np.datetime64("2020-01-01") + np.arange(count)
    a, b, noise = source.normal(size=(3, 1000))[:, :count]
    y = 2 * a + np.where(np.arange(count) >= changed, 2 * b, 0) + 0.3 * noise
    lines = [f"{day}T00:00:00Z,{one:.5f},{two:.5f},{y_:.5f}" for day, one, two, y_ in zip(days, a, b, y, strict=True)]
    return "\n".join(["day,a,b,y", *lines]) + "\n"


def make(folder, task=TASK):
    folder.mkdir(parents=True)
    (folder / "task.toml").write_text(task)
    (folder / "rows.csv").write_text(rows(FIRST))
    return folder
