"""`assay init` and `assay data show`: nothing is left to be guessed."""

import json

import pytest

from assay.cli.main import run
from assay.task.init import init
from assay.task.task import Task


@pytest.mark.parametrize(
    ("names", "said", "share"),
    [
        (("ja", "nein"), "paid (binary): 0 is ja, 1 is nein", ": the share of nein, which is class 1."),
        (("0", "1"), "paid (binary)", "features."),
        (("1", "2"), "paid (binary): 0 is 1, 1 is 2", "features."),
    ],
)
def test_the_classes_are_said_by_number(names, said, share, tmp_path, capsys):
    rows = [f"{at * 37 % 101},{names[at % 3 == 0]}" for at in range(90)]
    (tmp_path / "rows.csv").write_text("\n".join(["size,paid", *rows]) + "\n")
    init(tmp_path / "own", answers={"file": str(tmp_path / "rows.csv"), "target": "paid", "existing": "nothing"})
    assert Task.load(tmp_path / "own").existing.description.endswith(share)
    assert run(["data", "build", str(tmp_path / "own")]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line.removeprefix("target").strip() for line in lines if line.startswith("target")] == [said]
    assert run(["data", "show", str(tmp_path / "own"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == list(names)


def test_init_says_at_once_what_task_check_says(tmp_path, capsys):
    (tmp_path / "rows.csv").write_text("size,paid\n" + "\n".join(f"{at * 37 % 101},{at}.5" for at in range(30)) + "\n")
    answers = {"file": tmp_path / "rows.csv", "target": "paid", "existing": "size + sise", "type": "regression"}
    given = [part for name, value in answers.items() for part in ("--answer", f"{name}={value}")]
    assert run(["init", str(tmp_path / "own"), *given, "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["what"] == "the rule needs the column sise, which is not there"
    assert "Did you mean size?" in finding["todo"]
    assert run(["task", "check", str(tmp_path / "own"), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["findings"] == [finding]


@pytest.mark.parametrize(("score", "said"), [("1 - p", 1), ("p", 0), ("700 - p", 0)])
def test_a_probability_of_the_other_class_is_warned_of(score, said, tmp_path, capsys):
    rows = [(at * 37 % 101 / 101, "good" if at * 37 % 101 + 40 * (at % 3) > 80 else "bad") for at in range(90)]
    lines = [f"{at * 7 % 13},{eval(score, {'p': p})},{paid}" for at, (p, paid) in enumerate(rows)]  # noqa: S307
    (tmp_path / "rows.csv").write_text("\n".join(["size,score,paid", *lines]) + "\n")
    init(tmp_path / "own", answers={"file": str(tmp_path / "rows.csv"), "target": "paid", "existing": "score"})
    assert run(["task", "check", str(tmp_path / "own"), "--json"]) == 0
    found = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["field"] == "[existing] column"]
    assert len(found) == said
    for one in found:
        assert one["what"] == "score is larger where paid is bad, and a probability is taken for that of good"
        assert 'rule = "1 - score"' in one["todo"]


def test_what_is_rounded_is_said_by_every_command_that_builds(tmp_path, capsys):
    rows = [f"{(10**20 + at * 10**18 + 7) * 1000},{at * 37 % 101},{at % 3}.5" for at in range(90)]
    (tmp_path / "rows.csv").write_text("\n".join(["wei,size,paid", *rows]) + "\n")
    init(tmp_path / "own", answers={"file": str(tmp_path / "rows.csv"), "target": "paid", "existing": "nothing"})
    said = "digits of the feature wei (90): whole numbers beyond 64 bits are rounded to float32; give the feature a"
    for command in (["data", "build"], ["data", "show"], ["run", "--until", "data"]):
        assert run([*command, str(tmp_path / "own")]) == 0
        assert f"{said} `scale` to keep them whole" in capsys.readouterr().out
    assert run(["run", "--until", "data", str(tmp_path / "own"), "--json"]) == 0
    (note,) = json.loads(capsys.readouterr().out)["notes"]
    assert note.startswith(f"left out: {said}")
