"""What makes a step stale is what it was made from, and nothing else."""

import re

import pytest

from assay.core.errors import NotFound
from assay.project.errors import NoProject, ProjectBusy, StepMissing, StepUnknown
from assay.project.project import Project
from assay.project.state import State, locked
from assay.project.status import duration, status_of
from assay.project.steps import STEPS, inputs
from assay.task.errors import TaskContradiction, TaskField
from assay.task.init import init

ALL = {"data", "explore", "decide", "report"}


@pytest.fixture
def made_from(project):
    """What each step is made from now."""
    return lambda: {
        step.name: inputs(step, project.task, project.folder, {}, dict.fromkeys(step.needs, "same")) for step in STEPS
    }


@pytest.fixture
def edit(project):
    def replace(old, new):
        file = project.folder / "task.toml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return replace


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ("trials = 3", "trials = 4", {"explore", "report"}),
        ("trials = 3", "trials = 3\nworkers = 2", set()),
        ("gas_price_gwei = 1.0", "gas_price_gwei = 2.0", {"decide", "report"}),
        ("better_than_existing = 0.0", "better_than_existing = 0.5", {"explore", "decide", "report"}),
        ('chain = "ethereum"', 'chain = "base"', {"decide", "report"}),
        ("id = 1", "id = 10", {"report"}),  # no chain's data: only what is said of it changes
        ('keep = ["score"]', 'keep = ["score", "noise"]', {"data", "report"}),
        ('column = "score"', 'column = "income"', {"data", "explore", "decide", "report"}),
        ("decisions_per_day", 'loss = "ABS(y - prediction) * noise"\ndecisions_per_day', ALL),
        ('title = "Predict paid, better than today"', 'title = "Who pays?"', {"report"}),
        ("# What things cost", "# What all things cost", set()),
    ],
)
def test_a_change_of_the_task_reaches_the_steps_it_matters_to(old, new, stale, edit, made_from):
    before = made_from()
    edit(old, new)
    now = made_from()
    assert {name for name in now if now[name] != before[name]} == stale
    for name in stale:
        assert status_of(name, done(before[name]), now[name], "output").state == "stale"


def test_prices_matter_to_a_search_that_has_a_limit_on_money(edit, made_from):
    edit("better_than_existing = 0.0", "better_than_existing = 0.0\nusd_per_inference = 0.5")
    before = made_from()
    edit("gas_price_gwei = 1.0", "gas_price_gwei = 2.0")
    now = made_from()
    assert {name for name in now if now[name] != before[name]} == {"explore", "decide", "report"}


def test_a_change_of_the_rows_reaches_the_data(rows, made_from):
    before = made_from()
    rows.write_text(rows.read_text() + "1,1,1,1,1\n")
    now = made_from()
    assert {name for name in now if now[name] != before[name]} == {"data"}
    assert status_of("data", done(before["data"]), now["data"], "output").why == ("../rows.csv changed",)


def test_a_change_of_the_project_s_own_code_is_seen(tmp_path):
    init(tmp_path / "credit", "credit-score")
    project = Project(tmp_path / "credit")
    explore = STEPS[1]
    before = inputs(explore, project.task, project.folder, {}, {"data": "same"})
    assert "existing.py" in before
    (project.folder / "existing.py").write_text("def decide(frame):\n    return [0.5] * len(frame)\n")
    now = inputs(explore, project.task, project.folder, {}, {"data": "same"})
    assert [name for name in now if now[name] != before[name]] == ["existing.py"]
    (project.folder / "helper.py").write_text("K = 1\n")
    helped = inputs(explore, project.task, project.folder, {}, {"data": "same"})
    assert set(helped) - set(now) == {"helper.py"}
    (project.folder / "helper.py").unlink()
    (project.folder / "existing.py").unlink()
    gone = inputs(explore, project.task, project.folder, {}, {"data": "same"})
    assert status_of("explore", done(now), gone, "output").why == ("existing.py is gone",)


def done(made_from):
    return State.model_validate(
        {"schema": "assay-state/1", "steps": {"x": {"inputs": made_from, "output": "output", "when": 0, "seconds": 1}}}
    ).steps["x"]


def test_states_and_reasons():
    assert status_of("data", None, {}, "absent").why == ("not made yet",)
    assert status_of("data", None, {}, "there").state == "missing"
    assert status_of("data", done({"a": "1"}), {"a": "1"}, "output").state == "fresh"
    assert status_of("data", done({"a": "1"}), {"a": "1"}, "absent").why == ("what it made is gone",)
    assert status_of("data", done({"a": "1"}), {"a": "1"}, "other").why == ("what it made was altered since",)
    found = status_of("data", done({"a": "1", "b": "1"}), {"b": "2", "c": "1"}, "output")
    assert found.why == ("a is no longer used", "b changed", "c is new")
    later = status_of("explore", done({}), {}, "output").after(["data"])
    assert (later.state, later.why) == ("stale", ("the step data has to run again",))
    assert str(found) == "data     stale    a is no longer used; b changed; c is new"


def test_times_for_people():
    assert [duration(seconds) for seconds in (0.04, 59.9, 60, 3599, 7260)] == [
        "0.0 s",
        "59.9 s",
        "1 min 0 s",
        "59 min 59 s",
        "2 h 1 min",
    ]


def test_a_new_project_has_nothing(project):
    assert [(step.step, step.state) for step in project.status()] == [
        ("data", "missing"),
        ("explore", "missing"),
        ("decide", "missing"),
        ("report", "missing"),
    ]
    assert not (project.folder / ".assay").exists()


def test_one_at_a_time(project):
    with locked(project.folder), pytest.raises(ProjectBusy) as caught:
        project.run()
    assert caught.value.retry


def test_what_is_refused(project, tmp_path, edit):
    with pytest.raises(NoProject, match="assay init"):
        Project(tmp_path)
    with pytest.raises(StepUnknown, match="deploy"):
        project.run("deploy")
    with pytest.raises(StepUnknown, match="deploy"):
        project.step("deploy")
    for name, needed in (("explore", "dataset"), ("decide", "candidates")):
        with pytest.raises(StepMissing, match=f"no {needed} yet"):
            project.step(name)
    edit("better_than_existing", "better_then_existing")
    with pytest.raises(TaskField, match=re.escape("Did you mean better_than_existing?")):
        project.run()
    edit("better_then_existing = 0.0", "gas = 1")
    with pytest.raises(TaskContradiction, match="gas"):
        project.run()
    (project.folder / "task.toml").unlink()
    with pytest.raises(NotFound):
        project.status()


def test_a_damaged_state_means_that_steps_run_again(project):
    (project.folder / ".assay").mkdir()
    for content in ("", "{", "[]", '{"schema": "assay-state/9"}', '{"steps": 1}'):
        (project.folder / ".assay" / "state.json").write_text(content)
        assert State.load(project.folder).steps == {}
