"""Which release decides is said in a chain's registry, by commands; `assay status` and `assay verify` show it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.unit.serve.small import keep, parts

from assay.chain.node import LocalNode
from assay.record.database import Database
from assay.settle.signer import create_keystore

pytestmark = pytest.mark.slow
CONTRACTS = Path(__file__).parents[2] / "contracts" / "src"
TASK = """
name = "credit"
existing = {{kind = "constant", value = 0.0}}
predict = {{target = "y", type = "binary"}}
data = {{sources = [{{name = "rows", kind = "csv", path = "rows.csv"}}]}}
protocol = {{chain = "local"}}

[chains.local]
rpc = ["{url}"]

[[chains.local.contracts]]
name = "registry"
source = "contracts/registry/ModelRegistry.sol:ModelRegistry"
arguments = [
    "0x0000000000000000000000000000000000000000000000000000000000000000",
    "$account", "$account", "$account", 0, "0x0000000000000000000000000000000000000000",
]
"""


@pytest.fixture
def place(tmp_path):
    """A project with two releases, and the node of its chain."""
    with LocalNode() as node:
        folder = tmp_path / "credit"
        folder.mkdir()
        (folder / "task.toml").write_text(TASK.format(url=node.url))
        shutil.copytree(CONTRACTS, folder / "contracts")
        database = Database.of_project(folder)
        for seed in (7, 8):
            keep(database, parts(tmp_path, seed, compiled=True))
        database.close()
        yield folder, node


def test_promote_back_freeze_status_and_verify(place, assay_command, tmp_path):
    project, node = place
    where = ("-C", project, "--chain", "local")
    refused = assay_command("release", "promote", 1, *where, "--reason", "first")
    assert (refused.code, refused.err.split(":")[0]) == (2, "error[settle/no-registry]")
    for version in (1, 2):
        done = assay_command("deploy", version, *where)
        assert done.code == 0, done.err
    unsaid = assay_command("release", "promote", 2, "-C", project, "--reason", "first")
    assert (unsaid.code, unsaid.err.split(":")[0]) == (2, "error[cli/chain-decides]")
    stranger, word = tmp_path / "stranger.json", tmp_path / "word"
    word.write_text("word")
    word.chmod(0o600)
    create_keystore(stranger, "word")
    by = ("--signer", stranger, "--passphrase-file", word)
    wrong = assay_command("release", "promote", 1, *where, *by, "--reason", "first")
    assert (wrong.code, wrong.err.split(":")[0]) == (2, "error[settle/not-permitted]")
    paper = tmp_path / "certificate"
    paper.write_bytes(b"certified")
    unfit = assay_command("release", "promote", 1, *where, "--reason", "first", "--evidence", "0xno")
    assert (unfit.code, unfit.err.split(":")[0]) == (2, "error[cli/evidence]")
    for version in (1, 2):
        named = ("--evidence", paper) if version == 1 else ()
        done = assay_command("release", "promote", version, *where, "--reason", "better", "--json", *named)
        assert (done.code, done.json["state"]) == (0, "default"), done.err
    found = assay_command("status", project, "--json").json["chains"][0]
    assert [one["release"] for one in found["registry"]["versions"]] == ["credit@1", "credit@2"]
    assert (found["registry"]["default"], found["registry"]["since"], found["problems"]) == (2, done.json["block"], [])
    address, registry = found["contracts"]["verifier"], found["contracts"]["registry"]
    stands = assay_command("verify", address, *where, "--release", 2)
    assert (stands.code, "the code is the release's" in stands.out) == (0, True), stands.err
    # A stranger has a node's address and a release's file, and no project.
    assert assay_command("release", "export", 2, "-C", project, "--out", tmp_path / "two.release").code == 0
    strange = ("--chain", node.url, "--registry", registry)
    stands = assay_command("verify", address, *strange, "--release", tmp_path / "two.release", "--json", cwd=tmp_path)
    findings = {one["name"]: one["holds"] for one in stands.json["findings"]}
    assert findings == {"code": True, "model": True, "key": None, "registry": True}
    assert assay_command("verify", registry, *strange, cwd=tmp_path).code == 1
    assert assay_command("verify", tmp_path / "two.release", "--chain", node.url).code == 2
    back = assay_command("release", "back", *where, "--reason", "worse")
    assert (back.code, "credit@1 decides again on local" in back.out) == (0, True), back.err
    assert "version 1 (credit@1) is the default since block" in assay_command("status", project).out
    freeze = ("release", "freeze", 1, *where, "--reason", "wrong data")
    unsure = assay_command(*freeze, stdin=subprocess.DEVNULL)
    assert (unsure.code, unsure.err.split(":")[0]) == (2, "error[cli/not-confirmed]")
    frozen = assay_command(*freeze, "--yes")
    assert (frozen.code, "for ever" in frozen.out) == (0, True)
    shown = assay_command("status", project)
    assert "no default any more" in shown.err
    assert "FROZEN" in shown.out
    _refuse_withdraw_retire(project, where, assay_command)
    assert assay_command("status", project, "--chain", "none", "--json").json["chains"] == []
    history = assay_command("release", "history", "-C", project, "--json").json["items"]
    assert [(one["version"], one["back"], one["chain"]) for one in history] == [
        (1, False, None),
        (2, False, "local"),
        (1, True, "local"),
    ]


def _refuse_withdraw_retire(project, where, assay_command):
    for command in (("refuse", 2), ("withdraw",)):
        refused = assay_command("release", *command, *where, "--reason", "no")
        assert (refused.code, refused.err.splitlines()[-1].split(":")[0]) == (2, "error[settle/not-usable]")
    retired = assay_command("release", "retire", 2, "--until", 10**6, "--yes", *where, "--reason", "old", "--json")
    assert (retired.code, retired.json["state"], retired.json["registry_version"]) == (0, "retired", 2), retired.err
    listed = assay_command("release", "list", "-C", project).out
    assert "FROZEN ON LOCAL SINCE BLOCK" in listed
    assert "retired on local: its proofs count until block 1000000" in listed
    assert "frozen on local since" in assay_command("release", "show", 1, "-C", project).out
