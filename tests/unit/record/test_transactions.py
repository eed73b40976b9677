import threading

import pytest
from tests.unit.record.small import ACCOUNT, signer, wanted

from assay.record import transactions
from assay.record.errors import Conflict, RecordError, Unknown


def keep(database, one, on_chain=0, sign=signer):
    with database.begin() as connection:
        return transactions.keep_in(database, connection, one, on_chain, sign)


def test_nonces_have_no_gap_and_no_double_under_threads(database):
    barrier = threading.Barrier(8)

    def work(worker):
        barrier.wait()
        for number in range(5):
            keep(database, wanted(f"{worker}-{number}"), on_chain=3)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = transactions.find(database, "local", ACCOUNT)
    assert [one.nonce for one in found] == list(range(3, 43))
    assert all(one.attempts[0]["hash"] == signer(one.nonce)["hash"] for one in found)


def test_some_are_found_by_their_ids_and_the_last_nonce_by_state(database, monkeypatch):
    monkeypatch.setattr(transactions, "_AT_ONCE", 2)
    kept = [keep(database, wanted(f"{number}"))[0] for number in range(5)]
    assert transactions.some(database, [one.id for one in kept] + ["tx_of_nobody"]) == {one.id: one for one in kept}
    assert transactions.some(database, []) == {}
    assert transactions.last_nonce(database, "local", ACCOUNT, ("final", "cancelled")) is None
    sent = transactions.move(database, kept[3], "broadcast")
    transactions.move(database, transactions.move(database, sent, "mined", mined={"block": 7}), "final")
    assert transactions.last_nonce(database, "local", ACCOUNT, ("final", "cancelled")) == 3
    assert transactions.last_nonce(database, "other", ACCOUNT, ("final",)) is None


def test_what_was_paid_is_of_one_account_and_of_the_time_that_is_asked_for(database):
    kept = [keep(database, wanted(f"{number}", value=str(10**19)))[0] for number in range(3)]
    assert transactions.paid(database, "local", ACCOUNT, kept[0].created) == (0, kept)
    sent = transactions.move(database, kept[0], "broadcast")
    mined = {"block": 7, "gas_used": 21_000, "price": str(10**18)}  # more than 64 bits hold
    transactions.move(database, sent, "mined", mined=mined)
    taken, still = transactions.paid(database, "local", ACCOUNT, kept[0].created)
    assert (taken, [one.id for one in still]) == (21_000 * 10**18 + 10**19, [kept[1].id, kept[2].id])
    assert transactions.paid(database, "local", ACCOUNT, kept[2].created + 1) == (0, [])
    assert transactions.paid(database, "other", ACCOUNT, 0.0) == (0, [])


def test_the_same_subject_is_signed_once(database):
    first, new = keep(database, wanted())
    again, new_again = keep(database, wanted())
    assert (new, new_again, again) == (True, False, first)
    with pytest.raises(Conflict):
        keep(database, wanted(data="0x01"))


def test_a_signer_that_fails_uses_no_nonce(database):
    def broken(_nonce):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        keep(database, wanted(), sign=broken)
    assert keep(database, wanted())[0].nonce == 0


def test_a_chain_that_is_ahead_is_followed(database):
    assert keep(database, wanted("a"), on_chain=5)[0].nonce == 5
    assert keep(database, wanted("b"), on_chain=2)[0].nonce == 6
    assert keep(database, wanted("c"), on_chain=9)[0].nonce == 9


def test_a_reorg_takes_mined_back_to_broadcast(database):
    kept, _ = keep(database, wanted())
    sent = transactions.move(database, kept, "broadcast")
    mined = transactions.move(database, sent, "mined", mined={"block": 7})
    back = transactions.move(database, mined, "broadcast", mined=None)
    assert transactions.get(database, kept.id) == back
    assert [state for state, _ in back.timeline] == ["signed", "broadcast", "mined", "broadcast"]
    with pytest.raises(Conflict, match="moved by another"):
        transactions.move(database, mined, "final")
    with pytest.raises(RecordError, match="cannot go from"):
        transactions.move(database, back, "final")


def test_what_is_not_there(database):
    with pytest.raises(Unknown):
        transactions.get(database, "tx_absent")
