"""A whole project on a local chain: registry, fee, service; with a gap, a late row, a reorg, a dead node, a kill."""

import json

import pytest
from tests.unit.serve.test_live import FEE, chain, contracts, made

from assay.core.keccak import keccak256
from assay.record import artefacts, journal
from assay.rehearse.errors import NothingToReplay
from assay.rehearse.judge import _fault
from assay.rehearse.play import FAULTS, Period, period_blocks
from assay.rehearse.rehearse import Rehearsal, rehearse
from assay.rehearse.report import figure, page
from assay.release.rehearsed import passed

__all__ = ["chain", "contracts", "made"]
# Its roles are other accounts' and it waits for a day, as off a local chain.
OTHERS = '"0x{admin}", "0x{proposer}", "0x{guardian}", 86400'.format(
    admin="a1" * 20, proposer="b2" * 20, guardian="c3" * 20
)


@pytest.fixture
def project(chain, made):
    chain.swap(60)
    more = FEE.format(task=keccak256(b"fee").hex()).replace('"$account", "$account", "$account", 0', OTHERS)
    found = made("late_after_blocks = 40\n" + more.replace("864000", "8640000"))
    # Blocks of three seconds, ten a period.
    spec = found.task.chains["local"].model_copy(update={"block_seconds": 3.0})
    value = found.task.value.model_copy(update={"decisions_per_day": 2880.0})
    found.task = found.task.model_copy(update={"chains": {"local": spec}, "value": value})
    yield found
    found.database.close()


@pytest.mark.slow
def test_a_rehearsal_of_a_fee_with_everything_that_goes_wrong(project, tmp_path):
    said = []
    count = len(journal.read(project.database, "fee"))
    found, html = rehearse(
        project.database, project.folder, project.task, project.release, who="me", periods=12, told=said.append
    )
    assert [one.fault for one in found.periods if one.fault] == list(FAULTS)
    assert [one for one in found.findings if one.holds is False] == []
    assert found.passed
    states = {one.fault: one.state for one in found.periods if one.fault}
    assert (states["gap"], states["duplicate"], states["late row"]) == ("", "settled", "expired")
    assert all(one.state == "settled" and one.latency <= 40 for one in found.periods if not one.fault)
    assert any("delay (86,4" in one or "delay (86,3" in one for one in found.said)
    assert any("proposer, by its admin's leave" in one for one in found.said)
    # It is kept in the project's records as the release's evidence, and nothing else of them changed.
    (event,) = journal.read(project.database, "fee", ["release.rehearsed"])
    assert len(journal.read(project.database, "fee")) == count + 1
    assert passed(project.database, project.release) == event
    kept = json.loads(artefacts.get(project.database, event.evidence["json"]))
    assert kept["findings"] == json.loads(json.dumps([vars(one) for one in found.findings]))
    assert artefacts.get(project.database, event.evidence["html"]).decode() == html
    assert html.count("<rect") == sum(one.latency is not None for one in found.periods)


def test_what_cannot_be_rehearsed(project):
    where = (project.database, project.folder, project.task, project.release)
    with pytest.raises(NothingToReplay, match="test set of fee@1 has"):
        rehearse(*where, who="me", periods=10_000)
    with pytest.raises(NothingToReplay, match="show nothing"):
        rehearse(*where, who="me", periods=1)
    assert journal.read(project.database, "fee", ["release.rehearsed"]) == []


@pytest.mark.parametrize(
    ("fault", "state", "within", "holds"),
    [
        ("gap", "", 5, True),
        ("gap", "settled", 5, False),
        ("late row", "settled", 5, False),
        ("late row", "expired", 5, True),
        ("late row", "settled", None, None),
        ("reorg", "refused", 5, False),
        ("reorg", "expired", 5, True),
        ("reorg", "expired", None, False),
        ("duplicate", "expired", 5, False),
        ("killed service", "received", 5, False),
    ],
)
def test_each_fault_has_ends_that_are_right(fault, state, within, holds):
    assert _fault(fault, [Period(1, 10, fault, state)], within).holds is holds


def test_an_answer_of_another_row_is_none():
    assert _fault("duplicate", [Period(1, 10, "duplicate", "settled", row=False)], 5).holds is False


def test_a_page_escapes_what_it_shows_and_a_figure_fits():
    periods = [Period(1, 10, "", "settled", 3), Period(2, 20, "gap"), Period(3, 30, "", "refused", error="<script>")]
    found = Rehearsal("fee@1", "d" * 64, "base", 1, 10, 40, False, [], periods, ["<b>"], 0.0, 1.0)
    text = page(found)
    assert "<script>" not in text
    assert "<b>" not in text
    drawn = figure(periods, 40)
    assert all(0 <= bar["y"] <= drawn["base"] for bar in drawn["bars"])
    assert drawn["limit"] is None  # far above what is shown


def test_a_period_is_as_long_as_the_task_says():
    assert (period_blocks(24, 12), period_blocks(4, 10_800), period_blocks(100_000, 12)) == (300, 2, 1)
