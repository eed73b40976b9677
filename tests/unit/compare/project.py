"""A project whose past losses are known: a built dataset of one series, and its existing process."""

import numpy as np
import polars as pl

from assay.data.build import build
from assay.task.task import Task

TASK = """
schema = "assay-task/1"
name = "fee"
existing = {kind = "constant", value = 0.0}
predict = {target = "y", type = "regression"}

[data]
sources = [{name = "rows", kind = "csv", path = "rows.csv"}]
features = [{name = "x", op = "column"}]

[value]
loss = "(y - prediction) * (y - prediction)"
unit = "USD a decision"

[limits]
better_than_existing = 0.3

[chains.local]
rpc = ["http://127.0.0.1:1"]
"""


def made(folder, count=3000):
    luck = np.random.default_rng(5)
    x = luck.normal(size=count)
    frame = pl.DataFrame({"x": x, "y": x + luck.normal(size=count)})
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_csv(folder / "rows.csv")
    (folder / "task.toml").write_text(TASK)
    task = Task.load(folder)
    build(task, folder, folder / "data")
    return task
