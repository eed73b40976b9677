"""`assay init` on rows in time: found in any order and form, split by time, with what the rows leave open asked."""

import datetime as dt
import random

import pytest

from assay.data.build import build
from assay.task.check import check
from assay.task.errors import AnswerMissing
from assay.task.init import init
from assay.task.task import Task

DAYS = [dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=day) for day in range(150)]
ANSWERS = {"target": "next_close", "type": "regression", "existing": "close"}


def prices():
    random.seed(3)
    made = [100.0]
    for _ in DAYS:
        made.append(made[-1] * (1 + random.gauss(0, 0.02)))
    return made


def written(folder, column, make, *, backwards=False):
    price = prices()
    rows = [f'"{make(day)}",{price[at]:.4f},{random.random():.4f},{price[at + 1]:.4f}' for at, day in enumerate(DAYS)]
    lines = [f"{column},close,volume,next_close", *(rows[::-1] if backwards else rows)]
    (folder / "s.csv").write_text("\n".join(lines) + "\n")
    return {"file": str(folder / "s.csv"), **ANSWERS}


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("column", "make"),
    [
        ("date", lambda day: day.strftime("%Y-%m-%d")),
        ("timestamp", lambda day: int(day.timestamp())),
        ("date", lambda day: day.strftime("%d/%m/%Y")),
        ("date", lambda day: day.strftime("%Y/%m/%d")),
        ("Date", lambda day: day.strftime("%b %d, %Y")),
        ("block_time", lambda day: day.strftime("%Y-%m-%d %H:%M:%S.000 UTC")),
        ("open_time", lambda day: int(day.timestamp() * 1000)),
        ("unix", lambda day: int(day.timestamp())),
        ("snapped_at", lambda day: day.strftime("%Y-%m-%d 00:00:00 UTC")),
        ("block_number", lambda day: 19_000_000 + 7200 * (day - DAYS[0]).days),
        ("date", lambda day: int(day.strftime("%Y%m%d"))),
        ("date", lambda day: (day.date() - dt.date(1899, 12, 30)).days),
        ("date", lambda day: (day.date() - dt.date(1970, 1, 1)).days),
        ("date", lambda day: int(day.strftime("%Y%m%d120000"))),
        ("whenever", lambda day: day.isoformat()),
    ],
)
def test_a_series_is_split_by_time_whatever_its_times_are_called_and_look_like(tmp_path, column, make, backwards):
    project = tmp_path / "own"
    init(project, "blank", written(tmp_path, column, make, backwards=backwards))
    task = Task.load(project)
    assert (task.data.time, task.data.label.horizon) == (column, 1)
    assert check(project).findings == []
    dataset = build(task, project, project / "data")
    assert (dataset.manifest.split, dataset.manifest.embargo) == ("time", 1)
    times = dataset.frame()[column]
    if times.dtype.is_temporal():
        assert (times[0].date(), times[-1].date()) == (DAYS[0].date(), DAYS[-1].date())
    assert dataset.features == ["volume"]


def asker(*lines):
    typed, asked = list(lines), []

    def ask(question, default):
        asked.append((question, default))
        return typed.pop(0) if typed else ""

    return ask, asked


def test_what_the_rows_leave_open_is_asked(tmp_path):
    """Days up to the 12th only: nobody can tell them from months."""
    random.seed(5)
    days = [f"{random.randint(1, 12):02}/{random.randint(1, 12):02}" for _ in range(60)]
    rows = [f"{day}/{1950 + at},{at * 37 % 11},{at * 31 % 17}" for at, day in enumerate(days)]
    (tmp_path / "s.csv").write_text("\n".join(["date,x,y", *rows]) + "\n")
    given = {"file": str(tmp_path / "s.csv"), "target": "y", "type": "regression", "existing": "nothing"}
    with pytest.raises(AnswerMissing, match=r"It may be %d/%m/%Y or %m/%d/%Y.*--answer time_format"):
        init(tmp_path / "own", "blank", given)
    ask, asked = asker("%d/%m/%Y", "24", "no")
    init(tmp_path / "own", "blank", given, ask)
    assert [question[:20] for question, _ in asked[:2]] == ["How is date written?", "How many rows ahead "]
    task = Task.load(tmp_path / "own")
    assert (task.data.sources[0].time_format, task.data.label.horizon) == ("%d/%m/%Y", 24)


def test_what_nobody_knows_is_left_open_and_said(tmp_path):
    rows = [f"{day.date()},{at * 37 % 11},{at * 31 % 17}" for at, day in enumerate(DAYS)]
    (tmp_path / "s.csv").write_text("\n".join(["date,x,y", *rows]) + "\n")
    init(tmp_path / "own", "blank", {"file": str(tmp_path / "s.csv"), "target": "y", "type": "regression"})
    task = Task.load(tmp_path / "own")
    assert task.data.label.unsaid
    (found,) = check(tmp_path / "own").findings
    assert "nobody says how many rows ahead y looks" in found.what


def test_series_side_by_side_are_told_apart(tmp_path):
    rows = [f"{day.date()},{pool},{at * 37 % 11},{at * 31 % 17}" for at, day in enumerate(DAYS) for pool in "ab"]
    (tmp_path / "s.csv").write_text("\n".join(["date,pool,x,y", *rows]) + "\n")
    answers = {"file": str(tmp_path / "s.csv"), "target": "y", "type": "regression"}
    init(tmp_path / "own", "blank", answers)
    assert Task.load(tmp_path / "own").data.entity == "pool"
    assert build(Task.load(tmp_path / "own"), tmp_path / "own", tmp_path / "data").manifest.series == 2


def test_rows_of_a_series_are_split_at_random_only_on_request(tmp_path):
    answers = written(tmp_path, "date", lambda day: day.strftime("%Y-%m-%d"))
    init(tmp_path / "own", "blank", answers | {"time": "none"})
    task = Task.load(tmp_path / "own")
    assert (task.data.time, task.data.split.by) == (None, "random")
    text = (tmp_path / "own" / "task.toml").read_text().replace('by = "random"', "")
    (tmp_path / "own" / "task.toml").write_text(text)
    (found,) = check(tmp_path / "own").contradictions
    assert "the column date looks like times" in found.what
    with pytest.raises(AnswerMissing, match="is no such time"):
        init(tmp_path / "other", "blank", answers | {"time": "date", "time_format": "%d/%m/%Y"})


def test_a_horizon_that_is_too_short_is_a_contradiction(tmp_path):
    init(tmp_path / "own", "blank", written(tmp_path, "date", lambda day: day.strftime("%Y-%m-%d")))
    file = tmp_path / "own" / "task.toml"
    file.write_text(file.read_text().replace("horizon = 1", "horizon = 0"))
    (found,) = check(tmp_path / "own").contradictions
    assert found.what == "next_close is the value of close 1 row later, and [data.label] says that it looks 0 ahead"
    assert found.todo == "Write horizon = 1."
