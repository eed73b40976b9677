"""A release of a model of the S&P 500's volatility, and the days after its training as answers with outcomes."""

from __future__ import annotations

import json
from types import SimpleNamespace

import arch.data.sp500
import numpy as np
import polars as pl
from tests.unit.serve.small import keep
from xgboost import XGBRegressor

import assay
from assay.bench.evidence import evidence, judged
from assay.data.build import build
from assay.models.existing import ExistingProcess
from assay.models.families.family import Fitted
from assay.models.rows import joined, problem_of, rows_of
from assay.record.schema import answers
from assay.release.parts import Parts
from assay.task.task import Task

TASK = """
schema = "assay-task/1"
name = "fee"
existing = {{kind = "constant", value = {fixed}}}
predict = {{target = "next", type = "regression", unit = "percent a day"}}

[data]
time = "day"
sources = [{{name = "market", kind = "csv", path = "market.csv"}}]
features = [
  {{name = "move", op = "log_return", of = "close"}},
  {{name = "week", op = "realised_volatility", of = "close", window = 5}},
  {{name = "month", op = "realised_volatility", of = "close", window = 22}},
  {{name = "span", op = "column", of = "high / low - 1"}},
]
label = {{op = "forward_realised_volatility", of = "close", horizon = 5}}
split = {{train = 0.5, validation = 0.1, test = 0.4}}

[value]
loss = "100 * abs(y - prediction)"
unit = "percentage points"

[protocol]
chain = "local"
{more}
"""
FIRST = 1_000_000


class Boosted(Fitted):
    """A fitted model as a candidate has it."""

    def __init__(self, model):
        self.model = model

    def predict(self, rows, start=0):
        return self.model.predict(rows.X[start:]).astype(np.float64)

    def save(self, folder):
        raise NotImplementedError


def market():
    frame = arch.data.sp500.load()
    days = pl.Series("day", frame.index.to_numpy()).cast(pl.Datetime("us", "UTC"))
    columns = {name: frame[name.title()].to_numpy() for name in ("high", "low", "close")}
    return pl.DataFrame({"day": days, **columns})


def task_of(folder, frame, more="", fixed=0.02):
    folder.mkdir(exist_ok=True)
    frame.write_csv(folder / "market.csv")
    (folder / "task.toml").write_text(TASK.format(more=more, fixed=fixed))
    return Task.load(folder)


def made(folder, until=(2007, 6, 1), more="", fixed=0.02):
    """Train on the days before, judge on their last part; the parts of a release, and its model."""
    frame = market().filter(pl.col("day") < pl.datetime(*until, time_zone="UTC"))
    task = task_of(folder, frame, more, fixed)
    dataset = build(task, folder, folder / "data")
    problem = problem_of(task, dataset)
    known, test = joined([rows_of(dataset, "train"), rows_of(dataset, "validation")]), rows_of(dataset, "test")
    model = XGBRegressor(n_estimators=20, max_depth=2, learning_rate=0.2).fit(known.X, known.y)
    own = judged(task, problem, Boosted(model), test, known)
    today = judged(task, problem, ExistingProcess().fit({}, problem, known, 0), test, known)
    sure = evidence(task, problem, test, own, today)
    row = {
        "id": "one",
        "fidelity": {"ok": True},
        "measured": {"prove_seconds": 0.01},
        "test": own.metrics,
        "evidence": sure.model_dump(),
    }
    circuit = assay.transpile(model, calibration=known.X, feature_names=list(problem.features))
    keys = assay.setup(circuit, max_batch=1)
    keys.save(folder / "keys")
    model.save_model(folder / "model.ubj")
    decision = {"dataset": dataset.hash, "chosen": "one", "rows": [row]}
    public = {
        "task.toml": (folder / "task.toml").read_bytes(),
        "decision.json": json.dumps(decision).encode(),
        "manifest.json": (folder / "data" / "manifest.json").read_bytes(),
        "verifying.key": (folder / "keys" / "verifying.key").read_bytes(),
    }
    private = {
        "circuit.json": circuit.to_json().encode(),
        "proving.key": (folder / "keys" / "proving.key").read_bytes(),
        "dataset/rows.parquet": (folder / "data" / "rows.parquet").read_bytes(),
        "model/model.ubj": (folder / "model.ubj").read_bytes(),
    }
    return SimpleNamespace(task=task, circuit=circuit, parts=Parts(keys.model_id, public, private), test=test)


def after(folder, since, until):
    """The rows of the days from one to another, made as the dataset's are, with what came of them."""
    frame = market().filter(pl.col("day") < pl.datetime(*until, time_zone="UTC"))
    task = task_of(folder, frame)
    whole = build(task, folder, folder / "data").frame()
    return whole.filter(pl.col("day") >= pl.datetime(*since, time_zone="UTC"))


def answer(database, release, circuit, X, *, times, outcomes, first=0, chain="local", existing=None):
    """Keep rows as settled answers of a chain's periods, as the live loop and a prover would have left them."""
    integers = circuit.evaluate(*circuit.encode(X))
    values = circuit.decode(integers)
    kept = []
    for place, row in enumerate(X.tolist()):
        number = first + place
        created = FIRST + 60.0 * number
        evidence = {"time": times[place], "columns": {}}
        if existing is not None:
            evidence["existing"] = existing[place]
        outputs = {
            "integers": [[str(int(value)) for value in integers[place]]],
            "values": [[float(value) for value in values[place]]],
        }
        outcome = None if outcomes is None or outcomes[place] is None else float(outcomes[place])
        kept.append(
            {
                "id": f"ans_{number:032x}",
                "project": release.project,
                "release": release.digest,
                "chain": chain,
                "period": 100 + number,
                "arm": "champion",
                "propensity": 1.0,
                "state": "settled",
                "settle": True,
                "context": "0",
                "row": [[None if np.isnan(value) else value for value in row]],
                "outputs": outputs,
                "outcome": outcome,
                "evidence": evidence,
                "timeline": [["received", created], ["fixed", created], ["proven", created + 0.02]],
                "attempts": 0,
                "created": created,
                "due": created,
                "fence": 0,
            }
        )
    with database.begin() as connection:
        connection.execute(answers.insert(), kept)
    return kept


def replayed(database, found, folder, since, until):
    """Keep the release, and the days after as its answers; the release and the rows."""
    release = keep(database, found.parts, "fee")
    rows = after(folder, since, until)
    X = rows.select([one.name for one in found.circuit.features]).to_numpy().astype(np.float32)
    times = [moment.isoformat() for moment in rows["day"].to_list()]
    answer(database, release, found.circuit, X, times=times, outcomes=rows["next"].to_list())
    return release, rows
