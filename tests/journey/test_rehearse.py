"""A project rehearsed by the command: registry, gate, fee, service; a gap, a late row, a reorg, a dead node, a kill."""

import json
from contextlib import closing

import pytest
from tests.journey.test_inputs_guide import blocks, trades
from tests.unit.serve.followed import FEE, packed
from tests.unit.serve.small import keep
from tests.unit.serve.test_live import CONTRACTS, chain, contracts, made
from xgboost import XGBRegressor

import assay
from assay.chain.row import row_contract
from assay.core.keccak import keccak256
from assay.data.build import build
from assay.record import artefacts, journal
from assay.record.database import Database
from assay.rehearse.play import FAULTS
from assay.release.features import task_of
from assay.release.rehearsed import passed
from assay.task.task import Task

__all__ = ["chain", "contracts", "made"]
pytestmark = pytest.mark.slow
# Its roles are other accounts', it waits for a day and asks a gate, as off a local chain.
GATE = """
[[chains.local.contracts]]
name = "gate"
source = "contracts/registry/CertificateGate.sol:CertificateGate"
arguments = ["$account", "$account", 0]
"""
OTHERS = '"0x{admin}", "0x{proposer}", "0x{guardian}", 86400, "$gate"'.format(
    admin="a1" * 20, proposer="b2" * 20, guardian="c3" * 20
)


@pytest.fixture
def project(chain, made):
    """Its folder, and its release."""
    chain.swap(60)
    more = FEE.format(task=keccak256(b"fee").hex())
    more = more.replace('"$account", "$account", "$account", 0, "0x0000000000000000000000000000000000000000"', OTHERS)
    found = made("late_after_blocks = 40\n" + GATE + more.replace("864000", "8640000"))
    found.database.close()
    # Blocks of three seconds, ten a period.
    text = (found.folder / "task.toml").read_text().replace("block_seconds = 0.2", "block_seconds = 3.0")
    (found.folder / "task.toml").write_text(text + "\n[value]\ndecisions_per_day = 2880\n")
    return found.folder, found.release


def test_a_rehearsal_of_a_fee_with_everything_that_goes_wrong(project, assay_command):
    folder, release = project
    done = assay_command("rehearse", 1, "-C", folder, "--periods", 12, "--json")
    assert done.code == 0, done.err
    found = done.json
    assert [one["fault"] for one in found["periods"] if one["fault"]] == list(FAULTS)
    assert [one for one in found["findings"] if one["holds"] is False] == []
    assert (found["passed"], found["release"], found["period_blocks"]) == (True, "fee@1", 10)
    states = {one["fault"]: one["state"] for one in found["periods"] if one["fault"]}
    assert (states["gap"], states["duplicate"], states["late row"]) == ("", "settled", "expired")
    clean = [one for one in found["periods"] if not one["fault"]]
    assert all(one["state"] == "settled" and one["latency"] <= 40 for one in clean)
    for said in ("delay (86,", "proposer, by its admin's leave", "lets everything pass"):
        assert any(said in one for one in found["said"]), said
    # It is kept in the project's records as the release's evidence, and nothing else of them changed.
    with closing(Database.of_project(folder)) as database:
        first, event = journal.read(database, "fee")
        assert (first.kind, passed(database, release)) == ("alias.moved", event)
        kept = json.loads(artefacts.get(database, event.evidence["json"]))
        html = artefacts.get(database, event.evidence["html"]).decode()
    assert kept["findings"] == found["findings"]
    (page,) = (folder / "rehearsals").glob("*.html")
    assert (str(page), page.read_text()) == (found["report"], html)
    assert json.loads(page.with_suffix(".json").read_text()) == kept
    assert html.count("<rect") == sum(one["latency"] is not None for one in found["periods"])


OBSERVED = """
[protocol]
chain = "local"
feature_delay_blocks = 0

[value]
decisions_per_day = 2880

[chains.local]
rpc = ["http://127.0.0.1:1"]
block_seconds = 3.0
confirmations = 2
late_after_blocks = 40
max_fee_gwei = 0.05  # the price of a rollup, which a fresh local node does not ask

[[chains.local.contracts]]
name = "existing"
source = "contracts/assay/examples/FixedFee.sol:FixedFee"
arguments = [3000]

[[chains.local.contracts]]
name = "registry"
source = "contracts/assay/registry/ModelRegistry.sol:ModelRegistry"
arguments = ["0x{task}", "$account", "$account", "$account", 60, "0x0000000000000000000000000000000000000000"]

[[chains.local.contracts]]
name = "row"
source = "contracts/Row.sol:Row"

[[chains.local.contracts]]
name = "model"
source = "contracts/assay/registry/ModelWithRow.sol:ModelWithRow"
arguments = ["$verifier", "$code_hash", "$model_id", "$row", "$row.code_hash"]

[[chains.local.contracts]]
name = "consumer"
source = "contracts/assay/consumers/ObservedRegistryFee.sol:ObservedRegistryFee"
arguments = ["$registry", "0x{market}", "0x{task}", "$existing", 864000, 5000000, [500, 1000, 100, 100000]]
"""


def test_a_fee_that_makes_its_rows_itself_is_rehearsed_with_rows_that_are_given(assay_command, tmp_path):
    """Off a local chain a registry's first default must have passed; the market is not on the rehearsal's chain."""
    trades(tmp_path)
    task, _ = blocks("toml")
    (tmp_path / "task.toml").write_text(task + OBSERVED.format(task="00" * 32, market="11" * 20))
    dataset = build(Task.load(tmp_path), tmp_path, tmp_path / "data")
    rows = dataset.frame()
    fitted = XGBRegressor(n_estimators=3, max_depth=2).fit(rows.select(dataset.features).to_pandas(), rows["risk_next"])
    circuit = assay.transpile(fitted)
    with closing(Database.of_project(tmp_path)) as database:
        release = keep(database, packed(dataset, tmp_path, circuit), "volatility")
        (tmp_path / "contracts" / "assay").symlink_to(CONTRACTS)
        (tmp_path / "contracts" / "Row.sol").write_text(row_contract(task_of(database, release), circuit))
    done = assay_command("rehearse", 1, "-C", tmp_path, "--periods", 12, "--json")
    assert done.code == 0, done.err
    found = done.json
    assert [one for one in found["findings"] if one["holds"] is False] == []
    assert found["passed"]
    assert "Traceback" not in done.err
    assert all(one["state"] == "settled" for one in found["periods"] if not one["fault"])
    assert any("row is replaced by a contract that gives each row as it comes" in one for one in found["said"])
