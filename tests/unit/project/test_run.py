"""The real walk over real rows: every step once, then only what changed, and nothing twice after an interruption."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from assay.project.errors import StepMissing


@pytest.mark.slow
def test_the_walk(project, rows):
    first = project.run()
    assert list(first.ran) == ["data", "explore", "decide"]
    assert [step.state for step in project.status()] == ["fresh", "fresh", "fresh", "missing"]
    decision = json.loads((project.folder / "decision" / "decision.json").read_text())
    assert (first.decided, first.chosen) == (True, decision["chosen"])

    made = {path: path.stat().st_mtime_ns for path in (project.folder / "candidates").rglob("*") if path.is_file()}
    assert project.decision.chosen == first.chosen
    assert project.chosen.model_id == decision["modelId"]
    assert first.chosen in [one.id for one in project.front.best]
    assert repr(project.decision).startswith(f"<Decision: chosen {first.chosen}, model {decision['modelId'][:10]}")
    for shown in (project.decision, project.front, project.dataset, project.chosen, first):
        assert len(repr(shown)) <= 300
        assert len(shown._repr_html_()) < 3000

    again = project.run()
    assert (again.ran, again.kept) == ({}, ("data", "explore", "decide"))
    assert again.chosen == first.chosen
    assert made == {path: path.stat().st_mtime_ns for path in made}

    # What a step made and what is damaged or gone since is made again.
    chosen = project.folder / "decision" / "chosen" / "proving.key"
    whole, model_id = chosen.read_bytes(), decision["modelId"]
    model = next((project.folder / "candidates" / decision["chosen"]).glob("model.*"))
    for damaged, step in (
        (project.folder / "data" / "profile.json", "data"),
        (project.folder / "candidates" / decision["chosen"] / "candidate.json", "explore"),
        (model, "explore"),
        (chosen, "decide"),
    ):
        damaged.write_bytes(b"[[[[")
        assert next(one for one in project.status() if one.state == "stale").step == step
        assert step in project.run().ran
        assert damaged.read_bytes() != b"[[[["
        assert [one.state for one in project.status()] == ["fresh", "fresh", "fresh", "missing"]

    # All but a key: it stays where it is, for its backup, and another is made, which to a contract is another model.
    decision = json.loads((project.folder / "decision" / "decision.json").read_text())
    assert decision["modelId"] != model_id
    assert model_id in decision["key"]
    old = project.folder / "keys" / model_id
    assert (old / "proving.key").read_bytes() == b"[[[["
    (old / "proving.key").write_bytes(whole)
    (project.folder / "keys" / decision["modelId"]).rename(project.folder / "elsewhere")
    assert list(project.run().ran) == ["decide"]
    assert json.loads((project.folder / "decision" / "decision.json").read_text())["modelId"] == model_id

    # Comments and the order of the file do not matter; a row does.
    task = project.folder / "task.toml"
    task.write_text("# more words\n" + task.read_text())
    assert project.run("data").ran == {}
    rows.write_text(rows.read_text() + "0.1,0.2,0.3,0.6,1\n")
    assert [step.state for step in project.status()] == ["stale", "stale", "stale", "missing"]
    assert list(project.run("data").ran) == ["data"]
    assert [step.state for step in project.status()] == ["fresh", "stale", "stale", "missing"]


def test_what_was_made_is_at_hand(project):
    for name, command in (
        ("dataset", "assay data build"),
        ("front", "assay explore"),
        ("decision", "assay decide"),
        ("chosen", "assay decide"),
        ("report_path", "assay report"),
    ):
        with pytest.raises(StepMissing) as caught:
            getattr(project, name)
        assert command in caught.value.todo
    assert "nothing yet" in repr(project)
    project.run("data")
    assert project.dataset.target == "paid"
    assert repr(project.dataset).startswith("<Dataset: rows 180 (")
    assert "made data" in repr(project)


def test_what_is_deleted_is_made_again_and_the_same(project):
    project.run("data")
    rows_file = project.folder / "data" / "rows.parquet"
    content = rows_file.read_bytes()
    rows_file.unlink()
    assert project.status()[0].why == ("what it made is gone",)
    assert list(project.run("data").ran) == ["data"]
    assert rows_file.read_bytes() == content
    rows_file.write_bytes(content + b"x")
    assert project.status()[0].why == ("what it made was altered since",)


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped(project):
    task = project.folder / "task.toml"
    task.write_text(task.read_text().replace("trials = 3", "trials = 20"))
    project.run("data")
    command = [sys.executable, "-m", "assay", "run", str(project.folder), "--until", "explore"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    study = project.folder / "candidates" / "study.sqlite"
    try:
        while process.poll() is None and finished(study) < 2:
            time.sleep(0.05)
        assert process.poll() is None, "the exploration ended before it could be killed"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    # A journal that the killed process left is rolled back by whoever may write.
    assert finished(study, mode="rw") >= 2
    assert [step.state for step in project.status()][:2] == ["fresh", "missing"]
    assert list(project.run("explore").ran) == ["explore"]
    assert finished(study) == 20
    assert project.status()[1].state == "fresh"


def finished(study, mode="ro"):
    """Trials that ended, in the search's own memory."""
    import sqlite3

    if not study.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{study}?mode={mode}", uri=True) as connection:
            return connection.execute("SELECT COUNT(*) FROM trials WHERE state IN ('COMPLETE', 'PRUNED')").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
