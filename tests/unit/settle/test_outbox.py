import dataclasses
import threading
import time

import pytest
from tests.unit.settle.small import STORE, Key, mine, taken, to

from assay.chain.node import LocalNode
from assay.record import transactions
from assay.settle.errors import (
    FeeCap,
    NodesDisagree,
    NodeUnreachable,
    NotAllowed,
    NotCancellable,
    OutOfFunds,
    Reverts,
    SpendLimit,
    WrongChain,
)
from assay.settle.node import Node
from assay.settle.outbox import Outbox
from assay.settle.policy import Policy
from assay.settle.signer import sign_transaction


@pytest.fixture
def waiting(node):
    """Blocks come only when a test asks for one."""
    node.ask("evm_setAutomine", False)


def state(outbox, kept):
    return transactions.get(outbox.database, kept.id).state


def test_from_signed_to_final(outbox, node):
    kept = outbox.submit(to("one"))
    assert state(outbox, kept) == "signed"
    assert node.count(outbox.account) == 0
    assert outbox.step() == 1
    taken(node, kept)
    assert outbox.step() == 1
    found = transactions.get(outbox.database, kept.id)
    assert found.state == "mined"
    assert found.mined["block_hash"] == node.block_hash(found.mined["block"])
    mine(node, 3)
    assert outbox.step() == 0
    ended = transactions.get(outbox.database, kept.id)
    assert [name for name, _ in ended.timeline] == ["signed", "broadcast", "mined", "final"]
    assert outbox.step() == 0


def test_the_same_subject_is_sent_once(outbox, node):
    first = outbox.submit(to("one"))
    assert outbox.submit(to("one")) == first
    outbox.step()
    taken(node, first)
    assert outbox.submit(to("one")).id == first.id
    outbox.step()
    assert node.count(outbox.account) == 1


def test_what_was_kept_is_kept_with_what_it_is_for(outbox, node):
    """One database transaction: if the other half fails, nothing was signed."""

    def fails(_connection, _kept):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        outbox.submit(to("one"), also=fails)
    assert transactions.find(outbox.database, "local") == []
    assert outbox.submit(to("one")).nonce == 0


@pytest.mark.usefixtures("waiting")
def test_a_stuck_transaction_pays_more_and_counts_once(outbox, node):
    kept = outbox.submit(to("one"))
    for _ in range(4):
        outbox.step()
    found = transactions.get(outbox.database, kept.id)
    assert len(found.attempts) >= 3
    for before, after in zip(found.attempts, found.attempts[1:], strict=False):
        for fee in ("max_fee", "priority_fee"):
            assert 8 * int(after[fee]) >= 9 * int(before[fee])
    mine(node, 4)
    assert outbox.step() == 0
    ended = transactions.get(outbox.database, kept.id)
    assert (ended.state, ended.mined["hash"]) == ("final", found.attempts[-1]["hash"])
    assert node.count(outbox.account) == 1


@pytest.mark.usefixtures("waiting")
def test_a_stuck_transaction_pays_more_although_the_clock_was_set_back(outbox, node, monkeypatch):
    patient = Outbox(outbox.database, node, outbox.signer, dataclasses.replace(outbox.policy, bump_after=3600.0), "me")
    kept = patient.submit(to("one"))
    for _ in range(2):
        patient.step()
    assert len(transactions.get(outbox.database, kept.id).attempts) == 1
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() - 86_400.0)
    patient.step()
    assert len(transactions.get(outbox.database, kept.id).attempts) == 2


@pytest.mark.usefixtures("waiting")
def test_the_cap_ends_the_bumps(outbox):
    kept = outbox.submit(to("one"))
    price = int(kept.attempts[0]["max_fee"])
    capped = Outbox(
        outbox.database, outbox.node, outbox.signer, dataclasses.replace(outbox.policy, max_fee=price), "me"
    )
    for _ in range(3):
        capped.step()
    assert len(transactions.get(outbox.database, kept.id).attempts) == 1
    with pytest.raises(FeeCap):
        Outbox(outbox.database, outbox.node, outbox.signer, Policy(max_fee=1), "me").submit(to("two"))


def test_a_reorg_takes_it_back_and_the_same_bytes_are_mined_again(outbox, node):
    mine(node, 3)
    kept = outbox.submit(to("one"))
    outbox.step()
    taken(node, kept)
    outbox.step()
    assert state(outbox, kept) == "mined"
    node.ask("evm_setAutomine", False)
    node.ask("anvil_reorg", 2, [])
    assert node.receipt(kept.attempts[0]["hash"]) is None
    outbox.step()
    back = transactions.get(outbox.database, kept.id)
    assert (back.state, back.mined) == ("broadcast", None)
    assert back.attempts == kept.attempts
    mine(node, 4)
    assert outbox.step() == 0
    assert state(outbox, kept) == "final"


@pytest.mark.usefixtures("waiting")
def test_a_dropped_transaction_is_sent_again(outbox, node):
    patient = Outbox(outbox.database, node, outbox.signer, dataclasses.replace(outbox.policy, bump_after=3600.0), "me")
    kept = patient.submit(to("one"))
    patient.step()
    name = kept.attempts[0]["hash"]
    node.ask("anvil_dropTransaction", name)
    assert not node.knows(name)
    patient.step()
    assert node.knows(name)
    assert transactions.get(outbox.database, kept.id).attempts == kept.attempts


@pytest.mark.usefixtures("waiting")
def test_a_cancelled_transaction_frees_the_ones_behind_it(outbox, node):
    first, second = outbox.submit(to("one")), outbox.submit(to("two"))
    outbox.step()
    outbox.cancel(first.id)
    outbox.step()
    mine(node, 4)
    outbox.step()
    outbox.step()
    assert (state(outbox, first), state(outbox, second)) == ("cancelled", "final")
    assert node.balance("0x" + "22" * 20) == 1
    with pytest.raises(NotCancellable):
        outbox.cancel(second.id)


@pytest.mark.usefixtures("waiting")
def test_a_nonce_that_somebody_else_took(outbox, node):
    kept = outbox.submit(to("one"))
    fields = {"chainId": 31337, "nonce": 0, "to": "0x" + "33" * 20, "value": 5, "data": "0x", "gas": 21_000}
    _, raw = sign_transaction(outbox.signer, fields | {"maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**10})
    node.broadcast(raw)
    mine(node, 4)
    outbox.step()
    ended = transactions.get(outbox.database, kept.id)
    assert (ended.state, ended.error["code"]) == ("replaced", "settle/replaced")
    assert outbox.submit(to("two")).nonce == 1


def test_contracts_are_created_called_and_refuse(outbox, node):
    made = outbox.submit(to("contract", None, purpose="deploy", data=STORE, value=0))
    outbox.step()
    taken(node, made)
    outbox.step()
    place = transactions.get(outbox.database, made.id).mined["contract"]
    assert len(node.code(place)) == 13
    word = outbox.submit(to("word", place, data="0x" + "07".zfill(64), value=0))
    outbox.step()
    taken(node, word)
    assert int(node.ask("eth_getStorageAt", place, "0x0", "latest"), 16) == 7
    with pytest.raises(Reverts):
        outbox.submit(to("zero", place, data="0x" + "00" * 32, value=0))
    assert len(transactions.find(outbox.database, "local")) == 2


@pytest.mark.usefixtures("waiting")
def test_a_call_that_reverts_after_it_was_sent_says_so(outbox, node):
    made = outbox.submit(to("contract", None, purpose="deploy", data=STORE, value=0))
    outbox.step()
    mine(node)
    outbox.step()
    place = transactions.get(outbox.database, made.id).mined["contract"]
    kept = outbox.submit(to("word", place, data="0x" + "07".zfill(64), value=0))
    node.ask("anvil_setCode", place, "0x5f5ffd")
    outbox.step()
    mine(node, 4)
    outbox.step()
    ended = transactions.get(outbox.database, kept.id)
    assert (ended.state, ended.mined["ok"], ended.error["code"]) == ("final", False, "settle/reverted")


def test_limits_hold_before_anything_is_signed(outbox):
    allowed = {"0x" + "22" * 20: frozenset({"0xaabbccdd"})}
    strict = Outbox(outbox.database, outbox.node, outbox.signer, Policy(allowed=allowed), "me")
    for call in (to("one"), to("two", "0x" + "33" * 20, data="0xaabbccdd"), to("three", None, data=STORE)):
        with pytest.raises(NotAllowed):
            strict.submit(call)
    assert strict.submit(to("four", data="0xaabbccdd00", value=0)).nonce == 0
    with pytest.raises(SpendLimit, match="24 hours"):
        Outbox(outbox.database, outbox.node, outbox.signer, Policy(spend_per_day=10**12), "me").submit(to("five"))
    with pytest.raises(OutOfFunds, match="Fund it"):
        Outbox(outbox.database, outbox.node, Key(), Policy(), "me").submit(to("six", value=0))
    assert len(transactions.find(outbox.database, "local")) == 1


def test_an_account_without_funds_is_said_when_it_is_sent(outbox, node):
    kept = outbox.submit(to("one"))
    node.ask("anvil_setBalance", outbox.account, "0x0")
    outbox.step()
    assert transactions.get(outbox.database, kept.id).error["code"] == "settle/out-of-funds"
    node.ask("anvil_setBalance", outbox.account, hex(10**19))
    outbox.step()
    assert transactions.get(outbox.database, kept.id).error is None


def test_nodes_that_disagree_stop_sending(outbox, node, anvil):
    with LocalNode() as other:
        both = dataclasses.replace(node, urls=(anvil.url, other.url))
        mine(Node("local", 31337, (other.url,)), 2)
        mine(node, 2)
        node.ask("anvil_setBalance", "0x" + "44" * 20, "0x1")
        node.ask("evm_setNextBlockTimestamp", 4_000_000_000)
        mine(node, 2)
        mine(Node("local", 31337, (other.url,)), 2)
        doubtful = Outbox(outbox.database, both, outbox.signer, outbox.policy, "me")
        with pytest.raises(NodesDisagree):
            doubtful.submit(to("one"))
    assert doubtful.submit(to("one")).nonce == 0  # one that does not answer disagrees with nobody


def test_a_node_on_another_chain_and_one_started_anew(outbox, node, anvil):
    with pytest.raises(WrongChain, match="says 1"):
        Node("mainnet", 1, (anvil.url,)).head()
    outbox.submit(to("one"))
    outbox.step()
    mine(node, 3)
    outbox.step()
    with LocalNode() as anew:
        again = Outbox(outbox.database, dataclasses.replace(node, urls=(anew.url,)), outbox.signer, outbox.policy, "me")
        again.node.ask("anvil_setBalance", outbox.account, hex(10**19))
        again.submit(to("two"))
        with pytest.raises(WrongChain, match="started anew"):
            again.step()
    with pytest.raises(NodeUnreachable):
        again.step()


def test_an_address_that_leads_to_another_chain_by_now_gives_no_nonce(outbox, node, monkeypatch):
    """Its count of the account's transactions was taken for this chain's: what was signed then waited for ever."""
    outbox.submit(to("one"))
    with monkeypatch.context() as patch:
        patch.setattr(Node, "chain_of", lambda *_: "0x1")
        patch.setattr(Node, "count", lambda *_: 500)
        with pytest.raises(WrongChain, match="says 31337"):
            outbox.submit(to("two"))
    assert outbox.submit(to("two")).nonce == 1


def test_many_threads_send_without_gap_or_double(outbox, node):
    threads = [threading.Thread(target=outbox.submit, args=(to(f"{n}"),)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox.step()
    mine(node, 4)
    assert outbox.step() == 0
    assert [one.nonce for one in transactions.find(outbox.database, "local")] == list(range(12))
    assert node.balance("0x" + "22" * 20) == 12


def test_only_one_process_follows_an_account(outbox, node):
    other = Outbox(outbox.database, node, outbox.signer, outbox.policy, "somebody else")
    kept = outbox.submit(to("one"))
    outbox.step()
    assert other.step() == 1
    assert state(outbox, kept) == "broadcast"


def test_a_node_that_lags_makes_nothing_replaced(outbox, node, monkeypatch):
    """No receipt and a used nonce are no proof: what is taken for lost would be sent twice."""
    kept = outbox.submit(to("one"))
    outbox.step()
    mine(node, 6)
    with monkeypatch.context() as lagging:
        lagging.setattr(Node, "receipt", lambda *_: None)
        for _ in range(3):
            outbox.step()
        assert state(outbox, kept) == "broadcast"
    outbox.step()
    assert state(outbox, kept) == "final"
