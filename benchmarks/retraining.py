"""Twenty years of retraining: how often, with what outcome, and whether it paid: `python -m benchmarks.retraining`.

The S&P 500 of 1999 to 2018 (package arch), day by day, as in examples/dynamic-fee: a pool's fee follows a forecast of
tomorrow's volatility. A first model is released at the end of 2001. From then on `assay retrain` runs at the end of
each year or of each fourth, and on the day on which the forecast has surely been worse than the fixed fee: the real
steps, gates and records, on a linear model. What was promoted decides from the next day. Writes
results/retraining.json.

    python -m benchmarks.retraining                 # all of it
    python -m benchmarks.retraining --until 2004    # a part, and no result
    python -m benchmarks.retraining --render        # the pages' tables again, from the result
"""

from __future__ import annotations

import argparse
import resource
import shutil
import time
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.compare.sequence import confidence_sequence
from assay.data.expressions import evaluated
from assay.keep.retrain import plan as plans
from assay.keep.retrain.alone import alone
from assay.keep.retrain.begin import begin, standing
from assay.keep.retrain.due import Trigger
from assay.keep.retrain.promote import guard
from assay.keep.retrain.run import Run
from assay.keep.watch.alarms import Alarm, Rows, clear, open_alarms, raise_
from assay.project.project import Project
from assay.record import artefacts, releases
from assay.record.database import Database
from assay.release import alias
from assay.release.make import create, private_digests
from assay.release.parts import CIRCUIT_FILE
from assay.task.task import Task
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.rows.encode import saturate
from benchmarks import machine, results
from benchmarks.work import WORK

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NAME = "retraining"
GUIDE = machine.ROOT / "docs" / "guides" / "retraining.md"
BEGIN, END = "<!-- benchmarks/results/retraining.json -->", "<!-- end -->"
WHO = "benchmark"
FIRST = "2001-12-31"
FEATURES = ("volatility_day", "volatility_week", "volatility_month", "return_day", "return_week", "range_day", "volume")
FIXED = 0.0075
GUARD_DAYS = 252
WEEK, MONTH = 5, 21
TASK = f"""\
schema = "assay-task/1"
name = "fee"
title = "Should a pool's fee follow tomorrow's volatility?"
existing = {{kind = "constant", value = {FIXED}}}
predict = {{target = "volatility_next", type = "regression", unit = "log return a day"}}
protocol = {{max_batch = 1}}

[[data.sources]]
name = "days"
kind = "csv"
path = "days.csv"

[data]
time = "day"
label = {{horizon = 1}}
features = [{", ".join(f'{{name = "{name}", op = "column", unit = "millionths"}}' for name in FEATURES)}]

[value]
loss = \"\"\"
10000 * (
  y * y * y / (8 * (y + 2.828 * LEAST(GREATEST(0.4 * prediction, 0.0005), 0.02)))
  + 0.015 * (0.003 * EXP(-1)
    - LEAST(GREATEST(0.4 * prediction, 0.0005), 0.02) * EXP(-LEAST(GREATEST(0.4 * prediction, 0.0005), 0.02) / 0.003))
)
\"\"\"
unit = "basis points of the pool a day"
decisions_per_day = 1
gas_price_gwei = 0.05

[limits]
metric = "value"
confidence = 0

[explore]
families = ["linear"]
trials = 1
folds = 2

[retrain]
every = "EVERYd"
fresh_rows = 120
alpha = ALPHA
looks = LOOKS
rehearse = false
guard = "365d"
"""


@dataclass(frozen=True)
class Setting:
    """How often the models are trained again, and what error the gates may make.

    Attributes
    ----------
    years
        Between two retrainings that no alarm asked for.
    alpha, looks
        As in [retrain]: each look may err with `alpha / looks`.
    """

    years: int
    alpha: float
    looks: int

    def task(self) -> str:
        """The task's text."""
        said = {"EVERY": str(365 * self.years), "ALPHA": f"{self.alpha:g}", "LOOKS": str(self.looks)}
        text = TASK
        for name, value in said.items():
            text = text.replace(name, value)
        return text

    def ends(self, until: int) -> list[str]:
        """The last day of each period."""
        return [f"{year}-12-31" for year in range(2001 + self.years, until + 1, self.years)]


SETTINGS = (Setting(1, 0.05, 20), Setting(1, 0.2, 20), Setting(1, 0.4, 20), Setting(4, 0.4, 4))
"""The first has the default error; a look of the others may err with one, two and ten in a hundred."""
LAST = 2018
_WAYS = {"fixed": "fixed fee", "never": "never", "gated": "gated", "always": "ungated"}


@dataclass
class World:
    """The days and what each model would have cost on them.

    Attributes
    ----------
    days
        The whole table, in order.
    loss
        What the task's loss says of a forecast, a day.
    models
        Forecasts of every day, by the number of the retraining that made the model; 0 is the first release.
    """

    days: pl.DataFrame
    task: Task
    models: dict[int, Floats] = field(default_factory=dict)

    def loss(self, forecast: Floats) -> Floats:
        """(days,): basis points of the pool."""
        import polars as pl

        y = self.days["volatility_next"].to_numpy()
        frame = pl.DataFrame({"y": y, "prediction": forecast})
        return evaluated(frame, {"loss": str(self.task.value.loss)}, "[value] loss")["loss"].to_numpy()

    def until(self, day: str) -> int:
        """How many days have ended by then, tomorrow's volatility included."""
        return int((self.days["day"].str.slice(0, 10) <= day).sum()) - 1


def main() -> None:
    """Retrain through the years, by each setting, and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--until", type=int, default=None, help="end with this year, and write nothing")
    parser.add_argument("--render", action="store_true", help="only write the table into the guide again")
    options = parser.parse_args()
    if not options.render:
        started, load = machine.now(), machine.load_average()
        found = []
        for setting in SETTINGS:
            found.append(_by_setting(setting, options.until or LAST))
            print(setting, found[-1]["figures"], flush=True)
        if options.until is not None:
            return
        _write_result(found, started, load)
    render()


def _by_setting(setting: Setting, until: int) -> dict[str, Any]:
    work = WORK / f"{NAME}-{setting.years}-{setting.alpha:g}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "task.toml").write_text(setting.task(), encoding="utf-8")
    world = World(days(), Task.load(work))
    began, ends = _processor(), setting.ends(until)
    with closing(Database.of_project(work)) as database:
        moves, runs = _replay(database, work, world, ends)
    shutil.rmtree(work)
    figures = _figures(world, moves, runs, f"{until}-12-31") | {"processor_seconds": _processor() - began}
    return {"setting": asdict(setting), "retrainings": runs, "figures": figures}


def _processor() -> float:
    """Seconds of this process and of those that it waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _write_result(found: list[dict[str, Any]], started: str, load: float) -> None:
    result = {
        "case": NAME,
        "title": "Retraining through twenty years",
        "tool": "Assay",
        "machine": machine.describe(),
        "started": started,
        "load_average_before": load,
        "load_average_after": machine.load_average(),
        "status": "ok",
        "configuration": {"first": FIRST, "guard_days": GUARD_DAYS, "fixed": FIXED},
        "settings": found,
    }
    results.write(NAME, result)


def render() -> None:
    """The result's table into the guide."""
    result = results.read(NAME)
    if result is None:
        raise SystemExit("There is no result to render: measure first.")
    page = GUIDE.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN)
    GUIDE.write_text(f"{head}{BEGIN}\n\n{table(result)}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def table(result: dict[str, Any]) -> str:
    """The result as the pages show it."""
    head = [
        "a look every",
        "its error",
        "retrained, for alarms",
        "promoted, taken back",
        "refused: `existing`, `champion`",
    ]
    lines = [f"| {' | '.join([*head, *_WAYS.values()])} |", f"|---|{'---:|' * (len(head) - 1 + len(_WAYS))}"]
    for found in result["settings"]:
        setting, figures = Setting(**found["setting"]), found["figures"]
        every = "year" if setting.years == 1 else f"{setting.years} years"
        losses = " | ".join(f"{figures['loss'][name]:.4f}" for name in _WAYS)
        refused = ", ".join(str(figures["refused_by"].get(gate, 0)) for gate in ("existing", "champion"))
        lines.append(
            f"| {every} | {setting.alpha / setting.looks:.2%} | {figures['retrained']}, {figures['by_alarm']} | "
            f"{figures['promoted']}, {figures['taken_back']} | {refused} | {losses} |"
        )
    return "\n".join(lines) + "\n"


def section() -> str:
    """The benchmarks page's section on this, from the result; empty if there is none."""
    result = results.read(NAME)
    if result is None:
        return ""
    spent = sum(found["figures"]["processor_seconds"] for found in result["settings"])
    count = sum(found["figures"]["retrained"] for found in result["settings"])
    lines = [
        f"## {result['title']}",
        "",
        "`python -m benchmarks.retraining`: 1999 to 2018 day by day, the real steps, gates and records on a linear",
        f"model; {count} retrainings took {spent / count:.1f} s of processor time each. Losses are basis points of the",
        "pool a day; [the guide](guides/retraining.md#twenty-years) says what they mean.",
        "",
        table(result),
    ]
    return "\n".join(lines)


def days() -> pl.DataFrame:
    """One row a trading day: what is known at its end, and the volatility of the next."""
    import polars as pl
    from arch.data import sp500

    frame = sp500.load()
    dates = [f"{str(at)[:10]}T21:00:00Z" for at in frame.index]
    start, high, low, end = (frame[name].to_numpy(dtype=np.float64) for name in ("Open", "High", "Low", "Close"))
    usual = frame["Volume"].rolling(20).mean().shift(1)
    up = end >= start
    ticks = np.stack([start, np.where(up, low, high), np.where(up, high, low), end], axis=1)
    before = np.concatenate([[start[0]], end[:-1]])
    moves = np.diff(np.log(np.column_stack([before, ticks])), axis=1)
    variance = (moves**2).sum(axis=1)
    table = pl.DataFrame(
        {
            "day": dates,
            "variance": variance,
            "move": np.log(end / before),
            "range_day": np.log(high / low),
            "volume": (frame["Volume"] / usual).clip(upper=4.0).to_numpy(),
        }
    ).with_columns(
        volatility_day=pl.col("variance").sqrt(),
        volatility_week=pl.col("variance").rolling_mean(WEEK).sqrt(),
        volatility_month=pl.col("variance").rolling_mean(22).sqrt(),
        return_day=pl.col("move"),
        return_week=pl.col("move").rolling_sum(WEEK),
        volatility_next=pl.col("variance").sqrt().shift(-1),
    )
    whole = [(pl.col(name) * 1e6).round().cast(pl.Int64).alias(name) for name in FEATURES]
    return table.slice(22).with_columns(whole).drop_nulls().select("day", *FEATURES, "volatility_next")


def _replay(
    database: Database, work: Path, world: World, ends: list[str]
) -> tuple[list[tuple[int, int]], list[dict[str, Any]]]:
    """Release, then retrain at each end of a year and at each alarm; which model decided from which day on."""
    now = world.until(FIRST)
    _write(work, world, now)
    project = Project(work)
    project.run("report")
    first = create(database, project, who=WHO)
    world.models[0] = _forecasts(database, first.digest, world)
    moves, alarmed = [(now + 1, 0)], set()
    runs: list[dict[str, Any]] = []
    stops = [world.until(end) for end in ends]
    while stops:
        deciding, since = moves[-1][1], moves[-1][0]
        alarm = None if (deciding, since) in alarmed else _alarm(world, deciding, since, stops[0])
        now = stops.pop(0) if alarm is None else alarm
        if alarm is not None:
            alarmed.add((deciding, since))
            _raise(database, alarm - since)
            if alarm - since <= GUARD_DAYS and (back := guard(database, work, world.task, who=WHO)) is not None:
                _settled(database)
                runs[deciding - 1]["taken_back"] = str(world.days["day"][now])[:10]
                moves.append((now + 1, _number(database)))
                print(f"{back.release} was taken back", flush=True)
                continue
        said = "an alarm" if alarm is not None else "the end of a year"
        _write(work, world, now)
        one = _retrain(database, work, world, said)
        runs.append(_run(one, world, now))
        print(runs[-1]["day"], runs[-1]["outcome"], runs[-1]["refused_by"], flush=True)
        _settled(database)
        if one.release is not None:
            world.models[one.number] = _forecasts(database, one.release, world)
            alias.promote(database, releases.by_digest(database, one.release), who=WHO, why="it passed every gate")
            moves.append((now + 1, one.number))
        else:
            world.models[one.number] = _forecasts_of_refused(work, one.number, world)
    return moves, runs


def _retrain(database: Database, work: Path, world: World, said: str) -> plans.Retraining:
    with alone(database, world.task.name) as held:
        found = standing(database, world.task)
        planned = begin(database, work, world.task, found, Trigger("asked", said), who=WHO)
        return Run(database, work, world.task, planned, held, who=WHO).go()


def _run(one: plans.Retraining, world: World, now: int) -> dict[str, Any]:
    over = one.steps.get("judged", {}).get("over", {})
    return {
        "day": str(world.days["day"][now])[:10],
        "trigger": one.trigger.said,
        "fresh": one.steps["data"].get("fresh"),
        "outcome": one.outcome,
        "refused_by": [verdict.gate for verdict in one.verdicts if not verdict.holds],
        "over_champion": over.get("champion"),
        "over_existing": over.get("existing"),
        "error": one.error,
        "taken_back": None,
    }


def _alarm(world: World, model: int, since: int, until: int) -> int | None:
    """The first day on which the weeks since a promotion say that the forecast is surely worse than the fixed fee."""
    worse = world.loss(world.models[model])[since:until] - world.loss(np.full(world.days.height, FIXED))[since:until]
    weeks = len(worse) // WEEK
    if not weeks:
        return None
    found = confidence_sequence(worse[: weeks * WEEK].reshape(weeks, WEEK).mean(axis=1), 0.05, 52).first_above
    return None if found is None else since + found * WEEK


def _raise(database: Database, count: int) -> None:
    champion = alias.champion(database, "fee")
    why = "The forecast has been worse than the fixed fee: look at it, and train again."
    raise_(database, "fee", Alarm("loss-existing", str(champion), why, Rows(count), time.time()))


def _settled(database: Database) -> None:
    for one in open_alarms(database, "fee"):
        clear(database, "fee", one, "acted on")


def _number(database: Database) -> int:
    champion = alias.champion(database, "fee")
    return next((one.number for one in plans.retrainings(database, "fee") if one.release == champion), 0)


def _write(work: Path, world: World, now: int) -> None:
    world.days.head(now).write_csv(work / "days.csv")


def _forecasts(database: Database, release: str, world: World) -> Floats:
    private = private_digests(releases.by_digest(database, release))
    return _by(Circuit.from_json(artefacts.get(database, private[CIRCUIT_FILE])), world)


def _forecasts_of_refused(work: Path, number: int, world: World) -> Floats:
    """What a model that a gate refused would have said; the fixed fee where none was chosen."""
    place = work / ".assay" / "retrain" / str(number) / "project" / "decision" / "chosen"
    return _by(Circuit.load(place), world) if place.is_dir() else np.full(world.days.height, FIXED)


def _by(circuit: Circuit, world: World) -> Floats:
    """Forecasts of every day; where the circuit refuses a row, the fixed fee stays."""
    words, missing, beyond = saturate(circuit, world.days.select(FEATURES))
    found = circuit.answers.values(circuit.decode(circuit.evaluate(words, missing)))[:, 0]
    found[[one.row for one in beyond]] = FIXED
    return found


def _figures(world: World, moves: list[tuple[int, int]], runs: list[dict[str, Any]], last: str) -> dict[str, Any]:
    """Mean losses from the first release to the last day, for each way to go about it."""
    begin_, end = moves[0][0], world.until(last)
    span = slice(begin_, end)
    fixed, never = world.loss(np.full(world.days.height, FIXED)), world.loss(world.models[0])
    gated, always = np.array(never), np.array(never)
    for start, model in moves:
        gated[start:] = world.loss(world.models[model])[start:]
    for number, one in enumerate(runs, 1):
        start = int((world.days["day"].str.slice(0, 10) <= one["day"]).sum())
        always[start:] = world.loss(world.models[number])[start:]
    return {
        "days": end - begin_,
        "retrained": len(runs),
        "by_alarm": sum(one["trigger"] == "an alarm" for one in runs),
        "promoted": sum(one["outcome"] == "challenger" for one in runs),
        "taken_back": sum(one["taken_back"] is not None for one in runs),
        "refused_by": dict(Counter(gate for one in runs for gate in one["refused_by"])),
        "loss": {
            "fixed": float(fixed[span].mean()),
            "never": float(never[span].mean()),
            "gated": float(gated[span].mean()),
            "always": float(always[span].mean()),
        },
        "less_than_never": {"gated": _gain((never - gated)[span]), "always": _gain((never - always)[span])},
    }


def _gain(less: Floats) -> dict[str, float]:
    """The mean of daily differences, and its standard error from months: neighbours depend on each other."""
    months = len(less) // MONTH
    means = less[: months * MONTH].reshape(months, MONTH).mean(axis=1)
    return {"mean": float(less.mean()), "standard_error": float(means.std(ddof=1) / np.sqrt(months))}


if __name__ == "__main__":
    main()
