"""What `deploy/` has: the script is run, the units are verified, and their commands are ones that there are."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.unit.serve.small import keep, parts

from assay.keep.backup import backup
from assay.record.database import Database
from assay.serve.up import PARTS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TASK = """
schema = "assay-task/1"
name = "credit"
title = "Predict default, better than today"
[existing]
kind = "column"
description = "What is held today."
column = "today"
[predict]
target = "default"
type = "binary"
[data]
keep = ["today"]
[[data.sources]]
name = "rows"
kind = "csv"
path = "loans.csv"
[protocol]
kind = "other"
chain = "ethereum"
[chains.ethereum]
id = 1
[value]
[limits]
better_than_existing = 0.0
"""


def test_each_command_is_one_that_there_is():
    units = sorted((DEPLOY / "systemd").glob("*.service"))
    named = [
        re.search(r"ExecStart=/opt/assay/bin/assay up -C /srv/assay --only ([\w,]+)\n", one.read_text())[1]
        for one in units
    ]
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    commands = {name: one["command"] for name, one in services.items() if name != "database"}
    assert {part for one in named for part in one.split(",")} == set(PARTS)
    assert sorted(command[1] for command in commands.values()) == sorted(named)
    assert all("\nType=notify\n" in one.read_text() for one in units)
    for name, command in commands.items():
        # Only the endpoint answers at an address, which its own health check asks.
        assert services[name]["healthcheck"].get("disable", False) == (name != "api")
        assert command[0] == "--only"
        assert name in command[1].split(",")


def test_the_units_are_well_formed(tmp_path):
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed, so the units were NOT verified")
    program = tmp_path / "assay"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = []
    for one in (DEPLOY / "systemd").glob("*.service"):
        units.append(tmp_path / one.name)
        units[-1].write_text(one.read_text().replace("/opt/assay/bin/assay", str(program)))
    done = subprocess.run([tool, "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_the_wheel_serves_and_verifies_in_an_environment_of_its_own(tmp_path):
    """A machine without a compiler: nothing but the wheel, what it depends on, and a backup."""
    maturin = shutil.which("maturin", path=str(Path(sys.executable).parent))
    if maturin is None:
        pytest.skip("maturin is not installed, so no wheel was made")
    build = [maturin, "build", "--release", "--locked", "--quiet", "--out", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    alone = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    alone["PYTHON"] = sys.executable
    install = ["/bin/sh", str(DEPLOY / "install.sh"), str(wheel), str(tmp_path / "env")]
    done = subprocess.run(install, env=alone, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assay = str(tmp_path / "env" / "bin" / "assay")

    with_release = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    made = parts(tmp_path)
    keep(with_release, replace(made, public=made.public | {"task.toml": TASK.encode()}))
    backup(with_release, tmp_path / "none", tmp_path / "one.backup")
    with_release.close()

    def run(*words):
        return subprocess.run([assay, *words], env=alone, cwd=tmp_path, check=True, capture_output=True, text=True)

    run("restore", "one.backup", "-C", "service")

    service = subprocess.Popen(
        [assay, "up", "-C", "service", "--port", "0"], env=alone, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        said = ""
        while not (found := re.search(r"listening on (http://\S+)", said)):
            line = service.stderr.readline()
            assert line, said
            said += line
        key = (tmp_path / "service" / ".assay" / "admin.key").read_text().strip()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Prefer": "wait=60"}
        body = json.dumps({"inputs": [[0.5, -0.25, None]]}).encode()
        asked = urllib.request.Request(f"{found[1]}/v2/models/credit/proofs", body, headers)  # noqa: S310
        with urllib.request.urlopen(asked, timeout=300) as answer:  # noqa: S310
            given = json.load(answer)
        with urllib.request.urlopen(f"{found[1]}/page/sign-in", timeout=300) as page:  # noqa: S310
            assert "Sign in" in page.read().decode()
    finally:
        service.send_signal(signal.SIGTERM)
        code = service.wait()
        service.stderr.close()
    assert code == 0
    assert given["state"] == "answered"
    run("dispute", given["id"], "-C", "service", "--out", "one.dispute")
    verified = run("verify", "one.dispute")
    assert "everything that could be checked holds" in verified.stdout
