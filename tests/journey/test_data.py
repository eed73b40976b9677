"""The commands of `assay data`, and docs/guides/data.md: what it shows is what happens."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.chain.node import LocalNode
from assay.data.dataset.dataset import Dataset
from assay.data.sources.rpc import Rpc
from assay.task.task import Task

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "data.md").read_text(encoding="utf-8")
LINE = re.compile(r"error\[[a-z]+(/[a-z0-9-]+)+\]: [^\n]{10,}\n")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)


TASKS = blocks('toml title="task.toml"')
COMMANDS = [[shlex.split(line)[1:] for line in block.splitlines()] for block in blocks("sh")]


def loans(rows=600):
    random = np.random.default_rng(3)
    score, income = random.normal(620, 60, rows).round(), random.lognormal(10, 0.5, rows).round(2)
    risk = 1 / (1 + np.exp((score - 560) / 25 + random.normal(0, 1, rows)))
    return pl.DataFrame(
        {
            "score": score.astype(int),
            "income": income,
            "city": random.choice(["Zürich", "東京", "Lagos"], rows),
            "defaulted": (random.random(rows) < risk).astype(int),
        }
    )


@pytest.fixture
def project(tmp_path):
    """A project in a folder with spaces, with the guide's first task."""
    place = tmp_path / "my projekt 数据"
    place.mkdir()
    (place / "task.toml").write_text(TASKS[0], encoding="utf-8")
    loans().write_csv(place / "loans.csv")
    return place


def test_the_guide_s_csv(project, assay_command):
    for command in COMMANDS[0]:
        done = assay_command(*command, cwd=project)
        assert (done.code, done.err) == (0, ""), command
    shown = assay_command("data", "show", "--json", cwd=project).json
    assert shown["schema"] == "assay-dataset/1"
    assert [feature["name"] for feature in shown["features"]] == ["score", "income"]
    assert [left["what"] for left in shown["left_out"]] == ["column city"]
    again = assay_command("data", "build", project)
    assert "600 (train 360, validation 120, test 120)" in again.out
    (example,) = [block for block in blocks("python") if "dataset.arrays" in block]
    done = subprocess.run([sys.executable, "-c", example], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert shown["content_hash"] in done.stdout


def _emit(node, swaps):
    """Deploy a contract that emits the guide's event, and call it."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
    from tests.unit.data.sources.test_cryo import BYTECODE

    from assay.data.events.words import WORD

    rpc = Rpc(node.url)
    account = rpc.ask("eth_accounts")[0]
    sent = rpc.ask("eth_sendTransaction", {"from": account, "data": BYTECODE, "gas": hex(1_000_000)})
    random = np.random.default_rng(1)
    price = 2.0
    contract = None
    while contract is None:
        receipt = rpc.ask("eth_getTransactionReceipt", sent)
        contract = receipt and receipt["contractAddress"]
        time.sleep(0.02)
    for _ in range(swaps):
        price *= float(np.exp(random.normal(0, 0.01)))
        amount = float(random.lognormal())
        up = int(random.random() < 0.5)
        words = [0x11, int(amount * 10**18), int(amount * price * 10**18), 3000, up]
        data = "0x" + b"".join(value.to_bytes(WORD, "big") for value in words).hex()
        sent = rpc.ask("eth_sendTransaction", {"from": account, "to": contract, "data": data, "gas": hex(1_000_000)})
    while rpc.ask("eth_getTransactionReceipt", sent) is None:
        time.sleep(0.02)
    return contract


def test_the_guide_s_chain(tmp_path, assay_command, monkeypatch):
    (tmp_path / "task.toml").write_text(TASKS[1], encoding="utf-8")
    (code,) = blocks('python title="features.py"')
    (tmp_path / "features.py").write_text(code, encoding="utf-8")
    with LocalNode() as node:
        assert _emit(node, 260) == Task.load(tmp_path).data.sources[0].contract
        monkeypatch.setenv("POOL_NODE", node.url)
        for command in COMMANDS[1]:
            done = assay_command(*command, cwd=tmp_path)
            assert (done.code, done.err) == (0, ""), command
    # The node is gone, and what was collected is enough.
    shutil.rmtree(tmp_path / "data")
    assert assay_command("data", "build", tmp_path).code == 0
    dataset = Dataset.load(tmp_path / "data")
    # The node may put two of the swaps into one block.
    bars = (dataset.manifest.blocks[1] + 1) // 2
    assert 120 < bars <= 131
    assert dataset.features == ["return_1", "volatility_24", "imbalance", "gap"]
    assert dataset.manifest.features[3].unit == "ratio"
    assert dataset.frame().height == bars - 24 - 6 - 2 * 6
    assert "close" in dataset.manifest.keep


def test_the_guide_s_several_series(tmp_path, assay_command):
    (tmp_path / "task.toml").write_text(TASKS[2], encoding="utf-8")
    random = np.random.default_rng(2)
    hours = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 8, 23), "1h", eager=True)
    pools = [
        pl.DataFrame({"at": hours, "pool": pool, "volume": 100 * random.lognormal(size=len(hours))})
        for pool in ("0xaa", "0xbb", "0xcc")
    ]
    pl.concat(pools).write_csv(tmp_path / "pools.csv")
    for command in COMMANDS[2]:
        done = assay_command(*command, cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), command
    dataset = Dataset.load(tmp_path / "data")
    assert (dataset.manifest.entity, dataset.manifest.series) == ("pool", 3)
    assert dataset.features == ["volume_before", "mean_24"]
    # A day for the window, six hours for the label, and six before each boundary.
    assert dataset.frame().height == 3 * (len(hours) - 23 - 6 - 2 * 6)
    assert dataset.frame()["at"].is_sorted()
    wrong = TASKS[2].replace('time = "at"\n', "")
    (tmp_path / "task.toml").write_text(wrong, encoding="utf-8")
    line = wrong.splitlines().index('entity = "pool"') + 1
    check_refused(assay_command("data", "build", tmp_path), "task/contradiction", f"line {line}: [data] entity", "time")


def test_the_guide_s_other_sections_are_what_a_task_may_say():
    base = tomllib.loads(TASKS[0])
    fragments = [block for block in blocks("toml") if 'schema = "' not in block]
    assert len(fragments) == 6
    for fragment in fragments:
        data = base["data"] | tomllib.loads(fragment)["data"]
        Task.model_validate(base | {"data": data})


def check_refused(done, *words):
    assert done.code == 2, (done.code, done.out, done.err)
    assert done.out == ""
    assert LINE.fullmatch(done.err), done.err
    for word in words:
        assert word in done.err


def listing(folder):
    """What is in a project, but for Assay's own notes."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".assay")


def test_a_project_without_data(project, assay_command):
    check_refused(assay_command("data", "show", project), "data/no-dataset")
    check_refused(assay_command("data", "collect", project), "data/settings", "cryo")
    (project / "loans.csv").unlink()
    check_refused(assay_command("data", "build", project), "io/not-found", "loans.csv")
    assert listing(project) == ["task.toml"]


def test_a_bad_value_is_one_line_and_in_json_one_object(project, assay_command):
    text = (project / "loans.csv").read_text(encoding="utf-8").splitlines()
    text[5] = text[5].replace(text[5].split(",")[1], "much")
    (project / "loans.csv").write_text("\n".join(text), encoding="utf-8")
    check_refused(assay_command("data", "build", project), "data/mixed-types", "income", "'much' in row 5")
    error = assay_command("data", "build", project, "--json").json["error"]
    assert (error["code"], error["retry"]) == ("data/mixed-types", False)
    assert listing(project) == ["loans.csv", "task.toml"]


def test_a_leak_is_exit_1_of_the_check_and_exit_2_of_the_build(project, assay_command):
    frame = pl.read_csv(project / "loans.csv").with_columns((pl.col("defaulted") * 7 + 1).alias("collected"))
    frame.write_csv(project / "loans.csv")
    check_refused(assay_command("data", "build", project), "data/leak", "collected")
    done = assay_command("data", "check", project, "--json")
    assert done.code == 1
    assert done.json["ok"] is False
    assert "collected" in done.json["leaks"][0]["what"]
    assert "NOT OK" in assay_command("data", "check", project).out
    assert listing(project) == ["loans.csv", "task.toml"]


def test_a_node_that_is_not_there_can_be_tried_again(project, assay_command):
    text = TASKS[1].replace("$POOL_NODE", "http://127.0.0.1:9")
    (project / "task.toml").write_text(text, encoding="utf-8")
    (project / "features.py").write_text("")
    check_refused(assay_command("data", "collect", project), "data/rpc-unreachable", "http://127.0.0.1:9")
    assert json.loads(assay_command("data", "collect", project, "--json").out)["error"]["retry"] is True
