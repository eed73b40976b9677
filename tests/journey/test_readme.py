"""What README.md shows is what happens."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

README = (Path(__file__).parents[2] / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.slow
def test_the_python_example_runs(tmp_path):
    (example,) = blocks("python")
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pragma solidity" in (tmp_path / "Verifier.sol").read_text()


@pytest.mark.slow
def test_the_shell_example_runs(xgboost_model, rows_file, tmp_path, assay_command):
    (tmp_path / "model.json").write_bytes(xgboost_model.read_bytes())
    (tmp_path / "rows.json").write_bytes(rows_file.read_bytes())
    commands = [shlex.split(line, comments=True)[1:] for line in blocks("sh")[3].splitlines()]
    assert len(commands) == 7
    for command in commands:
        if command[0] != "srs":  # a ceremony's file is not in the repository
            done = assay_command(*command, cwd=tmp_path)
            assert (done.code, done.err) == (0, ""), command


@pytest.mark.slow
def test_the_walk_runs(tmp_path, assay_command):
    """A CSV and four answers, as the README says."""
    rng = np.random.default_rng(1)
    known = rng.normal(size=(400, 3))
    paid = (known[:, 0] - known[:, 1] + rng.normal(size=400) > 0).astype(int)
    lines = [",".join(map(str, [*row, int(yes)])) for row, yes in zip(known.round(4), paid, strict=True)]
    (tmp_path / "rows.csv").write_text("\n".join(["income,debt,age,paid", *lines]) + "\n")
    answers = {"file": "rows.csv", "target": "paid", "type": "binary", "existing": "1", "trials": "3"}
    commands = [shlex.split(line, comments=True)[1:] for line in blocks("sh")[1].splitlines()]
    assert [command[0] for command in commands] == ["init", "task", "run", "status", "report"]
    for command in commands:
        extra = [part for item in answers.items() for part in ("--answer", "=".join(item))] if "init" in command else []
        done = assay_command(*command, *extra, cwd=tmp_path, stdin=subprocess.DEVNULL)
        assert done.code == 0, (command, done.err)
    assert (tmp_path / "project" / "report.html").exists()
    create, up = (shlex.split(line, comments=True)[1:] for line in blocks("sh")[2].splitlines())
    made = assay_command(*create, cwd=tmp_path)
    assert made.code == 0, made.err
    service = subprocess.Popen(
        [sys.executable, "-m", "assay", *up, "--port", "0"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    said = ""
    while "listening" not in said and (line := service.stderr.readline()):
        said += line
    service.terminate()
    assert (service.wait(), "listening" in said) == (0, True), said
    service.stderr.close()


def test_every_link_leads_somewhere():
    root = Path(__file__).parents[2]
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md")]
    assert len(pages) > 5
    for page in pages:
        prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)  # code has brackets of its own
        for target in re.findall(r"\]\(([^)#:]+)\)", prose):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
