"""The commands of docs/guides/experiments.md, on a real chain, with the service that `assay up` starts."""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.unit.compare.staged import NEW_FEE, OLD_FEE, Stage

from assay.chain.node import LocalNode
from assay.data.build import build
from assay.record import journal
from assay.settle.network import selector

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "experiments.md"
PERIODS = 4


@pytest.fixture
def stage(tmp_path):
    """A project with its data and a release, and both fees on its chain."""
    folder = tmp_path / "project"
    folder.mkdir()
    luck = np.random.default_rng(3)
    pl.DataFrame({"x": luck.normal(size=900), "y": luck.normal(size=900)}).write_csv(folder / "rows.csv")
    with LocalNode() as node:
        found = Stage(folder, node.url)
        build(found.task, folder, folder / "data")
        text = (folder / "task.toml").read_text()
        (folder / "task.toml").write_text(text + f'consumer = "{found.new}"\n')
        yield found
        found.database.close()


def commands():
    text = GUIDE.read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


@pytest.mark.slow
def test_every_command_of_the_guide(stage, assay_command):
    run, done = {}, {"draw": ""}

    def guided(name, code=0, where=None):
        (line,) = [line for line in commands() if line[:3] == ["assay", "experiment", name]]
        words = [{"ADDRESS": done["draw"], "http://NODE": stage.node.urls[0]}.get(word, word) for word in line[1:]]
        run[name] = assay_command(*words, "--json", cwd=where or stage.folder, stdin=subprocess.DEVNULL)
        assert run[name].code == code, run[name].err
        return run[name]

    planned = guided("plan").json
    assert planned["written"]
    assert planned["power"] > 0.6
    plan = stage.folder / "experiment.toml"
    text = plan.read_text()
    start = stage.node.head() + 20
    for field, value in (
        ("old_contract", f'"{stage.old}"'),
        ("of", '"recorded"'),
        ("start_block", start),
        ("period_blocks", 12),
        ("grace_blocks", 10),
        ("burn_in_blocks", 0),
        ("periods", PERIODS),
    ):
        text, count = re.subn(rf"^{field} = .*$", f"{field} = {value}", text, flags=re.MULTILINE)
        assert count == 1, field
    plan.write_text(text)
    again = guided("plan").json
    assert (again["written"], again["plan"] != planned["plan"]) == (False, True)
    assert any("show nothing" in one for one in again["said"])
    done = guided("start").json
    assert done["plan"] == again["plan"]
    assert stage.fee(done["router"]) == OLD_FEE
    service = subprocess.Popen(
        [sys.executable, "-m", "assay", "up", "--only", "settle", "--chain", "local"],
        cwd=stage.folder,
        stderr=subprocess.DEVNULL,
    )
    try:
        fees = _played(stage, done, start)
    finally:
        service.terminate()
        service.wait()
    (stage.folder / "measured.csv").write_text("unit,outcome\n" + "".join(f"{n + 1},{0.5 * n}\n" for n in range(3)))
    assert guided("outcomes").json["new"] == 3
    said = guided("status").json
    assert (said["units"], said["outcomes"], said["verdict"], said["withheld"]) == (3, 3, "too early", 0)
    drawn = {
        event.what["period"]: event.what["new"] for event in journal.read(stage.database, "fee", ["experiment.opened"])
    }
    assert {period: fees[period] == NEW_FEE for period in drawn} == drawn
    plan.write_text(text.replace("[money]", "# changed\n[money]"))
    assert any("was changed since" in one for one in guided("status").json["said"])
    refused = assay_command("experiment", "start", cwd=stage.folder)
    assert (refused.code, refused.err.split(":")[0]) == (2, "error[compare/plan-changed]")
    assert guided("stop").json["why"] == "a holiday nobody thought of"
    assert stage.fee(done["router"]) == OLD_FEE
    report = guided("report").json
    assert (report["verdict"], report["plan"]) == ("too early", done["plan"])
    page = (stage.folder / "experiments" / "fee-1" / "report.html").read_text()
    assert "a holiday nobody thought of" in page
    assert done["plan"] in page
    again = guided("recompute", where=stage.folder / "experiments" / "fee-1").json
    assert (again["units"], again["verdict"]) == (report["units"], "too early")
    assert any(text.startswith("it was stopped in block") for text in again["said"])
    assert set(run) == {line[2] for line in commands()}


def _played(stage, done, start):
    """Three periods, each opened by the service; the router's fee in each."""
    fees = {}
    for period in range(1, PERIODS):
        stage.to(start + 12 * (period - 1))
        while int(stage.node.call({"to": done["draw"], "data": selector("opened()")}).hex(), 16) < period:
            time.sleep(0.05)
        fees[period] = stage.fee(done["router"])
    stage.to(start + 12 * (PERIODS - 1) + 1)
    while len(journal.read(stage.database, "fee", ["experiment.opened"])) < PERIODS - 1:
        time.sleep(0.05)
    return fees
