"""`make demo`, and what its claims rest on: the decision's own model, a fee that changed once, an honest story."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.browser import WIDTHS, chromium, launched, opened, overflowing

import assay

ROOT = Path(__file__).parents[2]


def run_demo(*arguments, **environment):
    command = [sys.executable, "-m", "demo", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "100", **environment}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=2000)


@pytest.mark.slow
@pytest.mark.timeout(2400)  # the walk and unseen days, one after the other
def test_the_demo(tmp_path):
    done = run_demo("--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads((tmp_path / "result.json").read_text())
    project = tmp_path / "project"
    decision_is_the_project_s_own(result, project)
    proof_says_what_the_model_says(result, project)
    fee_changed_once(result)
    terminal_shows_the_findings(result, done.stdout)
    fee_followed_the_service(result, done.stdout)
    page_has_the_commands_that_ran(done.stdout)
    unseen_days_are_traded_with_proven_fees(project)
    report_looks_right_in_a_browser(project)


def report_looks_right_in_a_browser(project):
    path = chromium()
    if path is None:
        pytest.skip("no Chromium is installed, so the demo's report was NOT looked at; all else passed")
    with launched(path) as browser:
        for width in WIDTHS:
            page, faults = opened(browser, project / "report.html", width=width)
            assert (overflowing(page), faults) == ([], [])
            assert page.screenshot(full_page=True)[:4] == b"\x89PNG"


def unseen_days_are_traded_with_proven_fees(project):
    script = ROOT / "examples" / "dynamic-fee" / "live.py"
    command = [sys.executable, str(script), str(project), "--live", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    live = json.loads(done.stdout)
    # Four bars a day, each of which the contract makes a row of by itself.
    assert (live["days"], live["settlements"]) == (2, 8)
    assert 500 <= live["fees"][0] <= live["fees"][2] <= 20_000
    assert live["fees"][0] < live["fees"][2]
    assert live["fixed_basis_points_a_day"] != live["dynamic_basis_points_a_day"]


def decision_is_the_project_s_own(result, project):
    steps = {step.step: step.state for step in assay_status(project)}
    assert steps == {"data": "fresh", "explore": "fresh", "decide": "fresh", "report": "fresh"}
    decision = json.loads((project / "decision" / "decision.json").read_text())
    assert result["decision"]["chosen"] == decision["chosen"] is not None
    chosen = next(row for row in decision["rows"] if row["id"] == decision["chosen"])
    existing = next(row for row in decision["rows"] if row["family"] == "existing")
    assert all(chosen["meets"].values())
    assert chosen["test"]["value"] < existing["test"]["value"]
    # What the demo shows holds: the interval has gains alone, and the cross-validation says the same.
    assert 0 < chosen["evidence"]["improvement"]["low"] < chosen["improvement"]
    assert chosen["evidence"]["length"] >= 6
    assert chosen["cv_improvement"] > 0.02
    assert chosen["cv_better"] == chosen["cv_folds"]
    assert decision["headline"].startswith("Linear regression is good enough")
    assert chosen["fidelity"]["rows"] == result["data"]["rows"]["test"]["rows"] > 100


def assay_status(project):
    from assay.project.project import Project

    return Project(project).status()


def proof_says_what_the_model_says(result, project):
    from assay.data.dataset.dataset import Dataset
    from assay.models.candidate import Candidate

    folder = project / "decision" / "chosen"
    proof = assay.Proof.from_json((folder / "proof.json").read_text())
    assert assay.verify(assay.VerifyingKey.load(folder / "verifying.key"), proof)
    dataset = Dataset.load(project / "data")
    last = dataset.frame("test").tail(1)
    said = Candidate.load(project / "candidates" / result["decision"]["chosen"], project).predict(last)
    assert proof.outputs[0, 0] == result["forecast"] == pytest.approx(float(np.ravel(said)[0]), rel=1e-4)
    words, _ = assay.Circuit.load(folder).encode(dataset.arrays("test")[0][-1:])
    assert proof.public_inputs[:-2] == words[0].tolist()  # then the output and the context


def fee_changed_once(result):
    events = {event["what"]: event for event in result["settled"]["events"]}
    posted, settled = events["the feed posts the newest row"]["state"], events["the valid proof"]["state"]
    wanted = int(np.clip(int(400_000 * result["forecast"]), 500, 20_000))
    assert (posted["fee"], settled["fee"]) == (3000, wanted)
    assert settled["price"] != posted["price"]
    refused = {what: event for what, event in events.items() if event["outcome"].startswith("refused")}
    assert {what: event["outcome"].split()[1] for what, event in refused.items()} == {
        "one bit of the proof flipped": "InvalidProof",
        "another forecast claimed": "InvalidProof",
        "a valid proof of another row": "RowNotPending",
        "the same proof again": "RowNotPending",
        "fresh proof, same statement": "RowNotPending",
    }
    forgeries, replays = list(refused.values())[:3], list(refused.values())[3:]
    assert all(event["state"] == posted for event in forgeries)
    assert all(event["state"] == settled for event in replays)
    gas = result["settled"]["gas"]
    assert 21_000 < gas["verify"] < gas["settle"] == events["the valid proof"]["gas"]


def fee_followed_the_service(result, text):
    """Five periods, each settled once: one through a kill, one by a release that was taken back."""
    served = result["served"]
    periods = served["periods"]
    assert [one["release"].rpartition("@")[2] for one in periods] == ["1", "1", "1", "2", "1"]
    assert [one["state"] for one in periods] == ["settled"] * 5
    assert [one["killed"] for one in periods] == [False, True, False, False, False]
    assert len({one["block"] for one in periods}) == 5
    assert all(0 < one["latency"] <= 60 for one in periods)
    fees = [served["fee_before"], *(one["fee"] for one in periods)]
    assert fees[0] == 3000
    assert fees[1] != fees[0]
    assert all(500 <= fee <= 20_000 for fee in fees)
    assert (served["registry"]["default"], served["problems"]) == (1, [])
    assert [one["state"] for one in served["registry"]["versions"]] == ["allowed", "allowed"]
    assert {one["name"]: one["holds"] for one in served["findings"]}["code"] is True
    assert "Record and chain agree" in text
    if chromium() is None:
        assert "the page has no picture" in text
    else:
        assert Path(served["picture"]).read_bytes()[:4] == b"\x89PNG"


def page_has_the_commands_that_ran(text):
    """docs/guides/first-service.md, command by command: each was run, in this order."""
    page = (ROOT / "docs" / "guides" / "first-service.md").read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    typed = [line for block in blocks for line in block.splitlines()]
    typed = [line for line in typed if line.startswith("assay ")]
    assert len(typed) == 14
    plain = re.sub(r"\s+", " ", re.sub(r"0x[0-9A-Fa-f]+\.\.\.", "0xVERIFIER", text))
    places = [plain.find(line) for line in typed]
    assert -1 not in places, typed[places.index(-1)]
    assert places == sorted(places)


def terminal_shows_the_findings(result, text):
    plain = " ".join(text.split())
    for reason in (result["decision"]["headline"], *result["decision"]["reasons"]):
        assert " ".join(reason.split()) in plain
    assert f"{result['settled']['gas']['settle']:,}" in text
    for said in ("5 of 5", "synthetic", "development", "Not audited", "assay decide project"):
        assert said in text


def test_it_says_at_once_where_it_cannot_write(tmp_path):
    (tmp_path / "file").write_text("")
    done = run_demo("--out", tmp_path / "file")
    assert done.returncode == 2
    assert done.stderr.startswith("error[io")
    assert "Traceback" not in done.stderr


def test_it_says_at_once_that_the_node_is_not_installed(tmp_path):
    done = run_demo("--out", tmp_path / "out", ASSAY_NODE_MODULES=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("error[chain/tool-missing]")
    assert not (tmp_path / "out").exists()


def test_make_says_what_takes_long_before_it_does():
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed, so what it says was NOT looked at")
    # A make above this one (`make test`) hands its flags down, and a recipe printed by a nested make is framed.
    alone = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    lines = subprocess.run(
        [make, "-n", "-B", "demo"], cwd=ROOT, env=alone, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert lines[0].startswith('echo "The demo:')
    assert any("demo/out/project/report.html" in line for line in lines[:3])
    for work in ("pip install", "maturin develop", "npm ci"):
        at = next(number for number, line in enumerate(lines) if work in line)
        assert any(line.startswith('echo "') and "..." in line for line in lines[max(at - 2, 0) : at])


def test_git_cleans_what_the_demo_makes_but_no_key():
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of git, so what it ignores was NOT looked at")

    def ignored(path):
        return subprocess.run([git, "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0

    assert ignored("demo/out/result.json")
    assert ignored("demo/out/project/decision/decision.json")
    for name in ("circuit.json", "proving.key", "verifying.key"):
        assert not ignored(f"demo/out/project/keys/0x00/{name}")
    for folder in ("examples/credit-score/project", "here"):
        assert not ignored(f"{folder}/keys/0x00/proving.key")
