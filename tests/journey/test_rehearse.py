"""A project rehearsed by the command: registry, gate, fee, service; a gap, a late row, a reorg, a dead node, a kill."""

import json
from contextlib import closing

import pytest
from tests.unit.serve.followed import FEE
from tests.unit.serve.test_live import chain, contracts, made

from assay.core.keccak import keccak256
from assay.record import artefacts, journal
from assay.record.database import Database
from assay.rehearse.play import FAULTS
from assay.release.rehearsed import passed

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
