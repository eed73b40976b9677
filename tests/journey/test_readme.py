"""What README.md shows is what happens."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

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
    commands = [shlex.split(line, comments=True)[1:] for line in blocks("sh")[1].splitlines()]
    assert len(commands) == 7
    for command in commands:
        if command[0] != "srs":  # a ceremony's file is not in the repository
            done = assay_command(*command, cwd=tmp_path)
            assert (done.code, done.err) == (0, ""), command


def test_every_link_leads_somewhere():
    root = Path(__file__).parents[2]
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md")]
    assert len(pages) > 5
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
