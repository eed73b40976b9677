import threading

import pytest
from tests.unit.record.small import asked, release

from assay.record import answers, artefacts
from assay.record.errors import Conflict, RecordError, Unknown
from assay.record.pause import pause
from assay.record.states import ANSWER, ANSWER_ENDS


@pytest.fixture(autouse=True)
def _release(database):
    release(database)


def test_the_same_key_is_the_same_answer_and_another_question_is_refused(database):
    first, new = answers.receive(database, asked(owner="key", request="1"))
    again, new_again = answers.receive(database, asked(owner="key", request="1"))
    assert (new, new_again) == (True, False)
    assert again == first
    with pytest.raises(Conflict, match="another question"):
        answers.receive(database, asked(owner="key", request="1", fingerprint="g"))
    other, new = answers.receive(database, asked(owner="somebody else", request="1"))
    assert new
    assert other.id != first.id


def test_a_period_is_answered_once_by_each_arm(database):
    first, _ = answers.receive(database, asked(chain="local", period=7))
    again, new = answers.receive(database, asked(chain="local", period=7))
    assert (again.id, new) == (first.id, False)
    for other in ({"arm": "challenger"}, {"chain": "other"}, {"period": 8}):
        assert answers.receive(database, asked(**({"chain": "local", "period": 7} | other)))[1]
    found = answers.find(database, first.project, chain="local", arm=first.arm, periods=True, since=8)
    assert [one.period for one in found] == [8]


def test_without_a_key_every_request_is_its_own(database):
    assert answers.receive(database, asked())[0].id != answers.receive(database, asked())[0].id


def test_an_answer_to_no_release_is_refused(database):
    with pytest.raises(Unknown, match="no release"):
        answers.receive(database, asked(release="cd" * 32))


def test_racing_requests_of_one_key_are_one_answer(database):
    found, barrier = [], threading.Barrier(8)

    def ask():
        barrier.wait()
        found.append(answers.receive(database, asked(owner="k", request="1")))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.id for answer, _ in found}) == 1
    assert sum(new for _, new in found) == 1


@pytest.mark.parametrize("state", ANSWER)
def test_only_the_steps_of_the_state_machine(database, state):
    for after in ANSWER:
        kept, _ = answers.receive(database, asked(state=state))
        if after == state or after in ANSWER[state]:
            moved = answers.commit(database, kept, after)
            assert answers.get(database, kept.id) == moved
            assert [step for step, _ in moved.timeline] == ([state] if after == state else [state, after])
        else:
            with pytest.raises(RecordError, match="cannot go from"):
                answers.commit(database, kept, after)


def test_pages_are_complete_and_in_order(database):
    names = [answers.receive(database, asked())[0].id for _ in range(7)]
    found, last = [], None
    while page := answers.find(database, "fee", before=last, limit=3):
        found += [one.id for one in page]
        last = (page[-1].created, page[-1].id)
    assert sorted(found) == sorted(names)
    assert len(found) == 7


def test_rows_are_forgotten_only_of_answers_that_ended(database):
    for state in ANSWER:
        answers.receive(database, asked(state=state, row_digest="d"))
    assert answers.forget(database, before=4e9).rows == len(ANSWER_ENDS)
    for one in answers.find(database, "fee"):
        assert (one.row is None) == one.ended
        assert one.row_digest == "d"


def test_what_is_not_there(database):
    with pytest.raises(Unknown):
        answers.get(database, "ans_absent")


def test_rows_of_periods_are_forgotten_by_their_ids_alone(database):
    kept, _ = answers.receive(database, asked(state="settled", chain="local", period=7))
    assert answers.forget(database, before=4e9).rows == 0
    assert answers.forget(database, ids=[kept.id]).rows == 1


def test_a_question_whose_row_was_forgotten_is_known_again(database):
    salt = {"salt": "ab" * 16}
    kept, _ = answers.receive(database, asked(owner="k", request="1", state="answered", evidence=salt))
    answers.forget(database, owner="k")
    assert answers.get(database, kept.id).fingerprint != kept.fingerprint
    again, new = answers.receive(database, asked(owner="k", request="1", evidence=salt))
    assert (again.id, new) == (kept.id, False)
    with pytest.raises(Conflict):
        answers.receive(database, asked(owner="k", request="1", fingerprint="g"))


def test_a_proof_stays_for_those_that_still_have_their_rows(database):
    name = artefacts.put(database, b"a proof of several")
    both = [answers.receive(database, asked(owner=one, state="answered", proof=name))[0] for one in "ab"]
    assert answers.forget(database, owner="a").proofs == 0
    assert (artefacts.held(database, name), answers.get(database, both[0].id).shows) == (True, None)
    assert answers.get(database, both[1].id).shows == name
    assert answers.forget(database, owner="b").proofs == 1
    assert not artefacts.held(database, name)
    assert answers.get(database, both[1].id).proof == name


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 1), (3, 8), (6, 60), (5000, 60)])
def test_what_fails_is_tried_again_later_each_time_for_ever(attempts, seconds):
    assert pause(attempts, 60.0) == seconds


def test_seconds_of_proving_are_of_one_key_and_of_the_time_that_is_asked_for(database):
    for number, (owner, evidence) in enumerate(
        [("k", {answers.PROVING: 1.5}), ("k", {answers.PROVING: 0.25}), ("k", {}), ("other", {answers.PROVING: 9.0})]
    ):
        answers.receive(database, asked(request=str(number), owner=owner, evidence=evidence))
    found = [answers.proving_seconds(database, owner, 3600.0) for owner in ("k", "other", "nobody")]
    assert found == [1.75, 9.0, 0.0]
    assert answers.proving_seconds(database, "k", -3600.0) == 0.0
