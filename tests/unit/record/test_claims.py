"""Who works on which answer, and who comes too late."""

import pytest
from tests.unit.record.small import asked, release

from assay.record import answers, claims
from assay.record.errors import LeaseLost
from assay.record.holder import LONGEST_LEASE


@pytest.fixture(autouse=True)
def _kept(database):
    release(database)


def test_claims_do_not_overlap_and_a_late_holder_changes_nothing(database):
    names = {answers.receive(database, asked())[0].id for _ in range(5)}
    mine = claims.claim(database, ["received"], "a", 60, limit=3)
    theirs = claims.claim(database, ["received"], "b", 60, limit=3)
    assert {one.id for one in mine} | {one.id for one in theirs} == names
    assert not {one.id for one in mine} & {one.id for one in theirs}
    assert claims.claim(database, ["received"], "c", 60) == []
    late = claims.claim(database, ["received"], "a", -1)
    assert late == []
    one = mine[0]
    claims.renew(database, one, -1)
    taken = claims.claim(database, ["received"], "c", 60)
    assert [held.id for held in taken] == [one.id]
    with pytest.raises(LeaseLost):
        answers.commit(database, one, "fixed")
    with pytest.raises(LeaseLost):
        claims.renew(database, one, 60)
    assert answers.commit(database, taken[0], "fixed").state == "fixed"


def test_what_a_holder_never_gave_back_is_counted_in_its_state(database):
    one, _ = answers.receive(database, asked(evidence={"salt": "aa"}))
    for number in range(3):
        [held] = claims.claim(database, ["received"], f"holder {number}", -1)
        assert (held.lost, answers.get(database, one.id).lost) == (number, number)
    [held] = claims.claim(database, ["received"], "the last", 60)
    fixed = answers.commit(database, held, "fixed")
    assert (held.lost, fixed.lost, fixed.evidence) == (3, 0, {"salt": "aa", "lost": {"received": 3}})
    [again] = claims.claim(database, ["fixed"], "another", 60)
    assert again.lost == 0


def test_what_nobody_does_is_known(database):
    assert claims.left(database, "received") == claims.Left(0, 0.0, held=False)
    for _ in range(2):
        answers.receive(database, asked())
    [held] = claims.claim(database, ["received"], "me", 60)
    found = claims.left(database, "received")
    assert (found.count, found.held, found.seconds < 60) == (1, True, True)
    claims.renew(database, held, 10 * LONGEST_LEASE)  # of before the clock was set back
    assert claims.left(database, "received").held is False
