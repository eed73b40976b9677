"""Somebody's own CSV, four answers and one command; and what goes wrong on the way."""

import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """300 rows in a place with an awkward name."""
    source = random.Random(11)
    lines = []
    for _ in range(300):
        income, debt, noise = (source.gauss(0, 1) for _ in range(3))
        repaid = int(income - debt + source.gauss(0, 0.7) > 0)
        rating = min(max(0.5 + 0.2 * income, 0.05), 0.95)
        lines.append(f"{income:.4f},{debt:.4f},{noise:.4f},{rating:.3f},{repaid}")
    path = tmp_path_factory.mktemp("täbles & more") / "my loans.csv"
    path.write_text("\n".join(["income,debt,noise,rating,repaid", *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def made(table, assay_command):
    """A project made by typing four answers, with fewer trials than usual."""
    folder = table.parent / "my project"
    done = assay_command("init", folder, "--answer", "trials=3", input=f"{table}\nrepaid\n\nrating\n")
    assert done.code == 0, done.err
    for asked in ("Which file", "Which column", "What kind of answer", "[binary]", "What decides today?"):
        assert asked in done.err
    return folder


@pytest.mark.slow
def test_four_answers_and_one_command_lead_to_a_decision(made, assay_command):
    checked = assay_command("task", "check", made, "--json")
    assert (checked.code, checked.json["ok"]) == (0, True), checked.out
    done = assay_command("run", made, "--json")
    assert done.code == 0, done.err
    assert (list(done.json["ran"]), done.json["decided"]) == (["data", "explore", "decide"], True)
    decision = json.loads((made / "decision" / "decision.json").read_text())
    assert decision["chosen"] == done.json["chosen"] is not None
    assert decision["metric"] == "log_loss"
    assert done.json["reasons"] == decision["reasons"]
    states = {step["step"]: step["state"] for step in assay_command("status", made, "--json").json["steps"]}
    assert states == {"data": "fresh", "explore": "fresh", "decide": "fresh", "report": "missing"}
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "project.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)).replace('"fee"', repr(str(made)))
    subprocess.run([sys.executable, "-c", program], check=True)
    again = assay_command("run", made)
    assert again.code == 0
    assert [line.split()[1] for line in again.out.splitlines()[:3]] == ["fresh"] * 3
    assert "chosen: " in again.out


@pytest.mark.slow
def test_steps_run_alone_are_the_same_steps(made, assay_command, tmp_path):
    copy = tmp_path / "project"
    shutil.copytree(made, copy, ignore=shutil.ignore_patterns(".assay", "data", "candidates", "decision"))
    shutil.copy(made.parent / "my loans.csv", tmp_path)
    for command in (["data", "build"], ["explore"], ["decide"]):
        done = assay_command(*command, copy, "--json")
        assert done.code == 0, done.err
    done = assay_command("run", copy, "--json")
    assert (done.code, done.json["ran"]) == (0, {})


@pytest.mark.slow
def test_a_wish_that_nothing_meets(made, assay_command, tmp_path):
    copy = tmp_path / "project"
    shutil.copytree(made, copy)
    shutil.copy(made.parent / "my loans.csv", tmp_path)
    task = copy / "task.toml"
    task.write_text(task.read_text().replace("better_than_existing = 0.0", "better_than_existing = 0.99"))
    done = assay_command("run", copy, "--json")
    assert (done.code, done.json["chosen"]) == (3, None), done.err
    assert "error" not in done.json
    decision = json.loads((copy / "decision" / "decision.json").read_text())
    assert decision["binding"] == "better_than_existing"
    assert decision["nearest"]["id"]


def test_without_answers_the_questions_are_named(assay_command, tmp_path):
    done = assay_command("init", tmp_path / "own", stdin=subprocess.DEVNULL)
    assert done.code == 2
    assert "error[task/answer]" in done.err
    assert "--answer file=VALUE" in done.err
    done = assay_command("init", tmp_path / "own", "--json", stdin=subprocess.DEVNULL)
    assert (done.code, done.json["error"]["code"]) == (2, "task/answer")
    assert not (tmp_path / "own").exists()


def test_a_contradiction_stops_before_any_work(made, assay_command, tmp_path):
    copy = tmp_path / "project"
    copy.mkdir()
    text = (made / "task.toml").read_text().replace("better_than_existing = 0.0", "gas = 1000")
    (copy / "task.toml").write_text(text)
    shutil.copy(made.parent / "my loans.csv", tmp_path)
    line = text[: text.index("gas = 1000")].count("\n") + 1
    checked = assay_command("task", "check", copy, "--json")
    assert (checked.code, checked.json["ok"]) == (2, False)
    assert [(found["field"], found["line"]) for found in checked.json["findings"]] == [("[limits] gas", line)]
    done = assay_command("run", copy)
    assert done.code == 2
    assert done.err.startswith(f"error[task/contradiction]: {copy / 'task.toml'}, line {line}: [limits] gas: ")
    assert [path.name for path in copy.iterdir()] == ["task.toml"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["status", "nowhere"], "project/none"),
        (["run", "nowhere"], "project/none"),
        (["report", "nowhere"], "project/none"),
        (["task", "check", "nowhere"], "io/not-found"),
        (["init", "x", "--template", "dynamic-fees"], "task/template"),
        (["init", "x", "--answer", "file"], "cli/usage"),
        (["init", "x", "--template", "dynamic-fee", "--answer", "pool=0x12"], "task/answer"),
        (["run", "nowhere", "--until", "deploy"], "cli/usage"),
    ],
)
def test_what_is_refused_in_one_sentence(arguments, code, assay_command, tmp_path):
    done = assay_command(*arguments, cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert done.code == 2
    assert f"error[{code}]" in done.err
    assert "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_the_schema_is_printed(assay_command):
    done = assay_command("task", "schema")
    assert done.code == 0
    assert done.json["properties"]["schema"]["const"] == "assay-task/1"
