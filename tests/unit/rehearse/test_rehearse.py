"""What a rehearsal refuses, how it judges and what its page shows; the whole of it is a journey."""

import pytest
from tests.unit.serve.followed import FEE
from tests.unit.serve.test_live import chain, contracts, made

from assay.core.keccak import keccak256
from assay.record import journal
from assay.rehearse.errors import NothingToReplay
from assay.rehearse.judge import _fault
from assay.rehearse.play import Period, period_blocks
from assay.rehearse.rehearse import Rehearsal, rehearse
from assay.rehearse.report import figure, page

__all__ = ["chain", "contracts", "made"]


@pytest.fixture
def project(chain, made):
    chain.swap(60)
    more = FEE.format(task=keccak256(b"fee").hex())
    found = made(more)
    yield found
    found.database.close()


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
