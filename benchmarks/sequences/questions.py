"""The two questions: the volatility of an index, and a pool's fee that follows that of its price."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.walk import ANSWERS, HISTORY

from assay.data.build import build
from assay.data.dataset.dataset import Dataset
from assay.task.init import init
from assay.task.task import Task

WINDOW = 20
SP500: dict[str, Any] = {
    "schema": "assay-task/1",
    "name": "sp500-volatility",
    "existing": {"kind": "column", "column": "volatility_5"},
    "predict": {"target": "volatility_next", "type": "regression", "unit": "log return"},
    "data": {
        "time": "Date",
        "window": WINDOW,
        "sources": [{"name": "sp500", "kind": "package", "load": "arch.data.sp500:load"}],
        "features": [
            {"name": "log_return", "op": "log_return", "of": "Close"},
            {"name": "range", "op": "column", "of": "LN(High / Low)"},
            {"name": "volume_change", "op": "log_return", "of": "Volume"},
            {"name": "volatility_5", "op": "realised_volatility", "of": "Close", "window": 5},
        ],
        "label": {"op": "forward_realised_volatility", "of": "Close", "horizon": 5},
    },
    "protocol": {"block_seconds": 12.0},
    "value": {"gas_price_gwei": float(ANSWERS["gas_price_gwei"])},
    "limits": {"metric": "rmse", "better_than_existing": 0.05},
}


@dataclass(frozen=True)
class Question:
    """A task whose rows are windows, and where its project is."""

    title: str
    task: Task
    project: Path

    def of(self, families: tuple[str, ...], trials: int) -> Task:
        """The same with these families and so many trials."""
        explore = self.task.explore.model_copy(update={"families": families, "trials": trials})
        return self.task.model_copy(update={"explore": explore})

    def alone(self) -> Question:
        """The same without windows: a model sees the newest row, whose features may speak of those before."""
        data = self.task.data.model_copy(update={"window": 1})
        return Question(self.title, self.task.model_copy(update={"data": data}), self.project / "alone")

    def dataset(self) -> Dataset:
        """Its rows."""
        return build(self.task, self.project, self.project / "data")


def sp500(place: Path) -> Question:
    """The next five days of the S&P 500, from daily prices; what decides today is the volatility of the last five."""
    return Question("the volatility of the S&P 500", Task.model_validate(SP500), place)


def dynamic_fee(place: Path) -> Question:
    """`examples/dynamic-fee` as its README makes it, on the blocks that are kept with it, and with windows.

    A market's history on the chain makes single rows, so that a window's numbers are not declared to come from there.
    """
    about = json.loads((HISTORY / "replay.json").read_text(encoding="utf-8"))
    init(place, "dynamic-fee", ANSWERS | {"end_block": str(about["last_block"])})
    task = Task.load(place)
    source = task.data.sources[0].model_copy(update={"rpc": None, "folder": str(HISTORY / "chain")})
    features = tuple(one.model_copy(update={"onchain": None}) for one in task.data.features)
    data = task.data.model_copy(update={"window": WINDOW, "sources": (source,), "features": features})
    return Question("a pool's fee that follows volatility", task.model_copy(update={"data": data}), place)


QUESTIONS = {"sp500": sp500, "dynamic-fee": dynamic_fee}
