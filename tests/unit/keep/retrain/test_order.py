"""`assay retrain` in odd orders, as far as nothing is trained."""

from contextlib import closing

import pytest
from tests.unit.keep.retrain.small import TASK, make
from tests.unit.serve.small import keep, parts

from assay.cli.main import run as command
from assay.keep.retrain.plan import retrainings
from assay.record.database import Database


@pytest.fixture
def folder(tmp_path):
    """A project whose release decides."""
    found = make(tmp_path / "demand")
    with closing(Database.of_project(found)) as database:
        keep(database, parts(tmp_path, 7), "demand")
    return found


def retrain(folder, *words):
    return command(["retrain", *words, "-C", str(folder)])


def last(folder):
    with closing(Database.of_project(folder)) as database:
        return retrainings(database, "demand")[-1]


def test_what_was_planned_is_what_is_trained_and_another_reason_is_not_lost_silently(folder, capsys):
    assert retrain(folder, "plan", "--reason", "it is time") == 0
    assert retrain(folder, "plan", "--reason", "it is time") == 0
    assert "warning" not in capsys.readouterr().err
    (folder / "task.toml").write_text(TASK.replace("fresh_rows = 50", "fresh_rows = 30"))
    assert retrain(folder, "run", "--reason", "another one") == 3
    said = capsys.readouterr()
    assert "REFUSES task: task.toml is not the one that retraining 1 was planned by: plan it again." in said.out
    assert "retraining 1 is under way for another reason, so none is begun for this one: another one" in said.err
    assert (last(folder).error, list(last(folder).steps)) == (None, ["copied"])


def test_one_that_was_dropped_says_why(folder, capsys):
    assert retrain(folder, "plan", "--reason", "it is time") == 0
    assert retrain(folder, "drop", "--reason", "the source is broken") == 0
    assert retrain(folder, "drop", "--reason", "again") == 2
    capsys.readouterr()
    assert retrain(folder, "status") == 0
    assert "refused: dropped: the source is broken" in capsys.readouterr().out


def test_a_source_that_vanished_is_no_copy_that_lacks_it(folder, capsys):
    (folder / "rows.csv").rename(folder / "away.csv")
    assert retrain(folder, "run", "--reason", "it is time") == 2
    assert (
        "[retrain/source-elsewhere]: the source rows is read from rows.csv, and there is none"
        in capsys.readouterr().err
    )
    assert not (folder / ".assay" / "retrain" / "1" / "project").exists()
    (folder / "away.csv").rename(folder / "rows.csv")
    assert retrain(folder, "run") == 2  # back again it goes on, as far as a release without a dataset lets it
    assert "copied" in last(folder).steps
    said = "[retrain/no-champion]: demand@1 has no manifest.json, so no new model can be compared with it"
    assert said in capsys.readouterr().err
