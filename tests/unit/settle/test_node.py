import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.settle import errors
from assay.settle.errors import NodeUnreachable
from assay.settle.fees import Fees, bumped
from assay.settle.node import Node, named

# What nodes say, word for word.
WORDINGS = [
    ("already known", errors.AlreadyKnown),  # Geth, Erigon, Reth
    ("transaction already imported", errors.AlreadyKnown),  # Anvil
    ("AlreadyKnown", errors.AlreadyKnown),  # Nethermind
    ("Known transaction", errors.AlreadyKnown),  # Besu
    ("nonce too low: next nonce 5, tx nonce 3", errors.NonceTooLow),  # Geth, Reth
    ("nonce too low", errors.NonceTooLow),  # Anvil, Erigon
    ("OldNonce, Current nonce: 5, nonce of rejected tx: 3", errors.NonceTooLow),  # Nethermind
    ("Nonce too low", errors.NonceTooLow),  # Besu
    ("replacement transaction underpriced", errors.Underpriced),  # Geth, Anvil, Reth
    ("transaction underpriced: tip needed 1, tip permitted 0", errors.Underpriced),  # Geth
    ("could not replace existing tx", errors.NotTaken),  # Erigon
    ("max fee per gas less than block base fee: address 0x00, maxFeePerGas: 1, baseFee: 7", errors.Underpriced),
    ("FeeTooLow, MaxFeePerGas too low.", errors.Underpriced),  # Nethermind
    ("insufficient funds for gas * price + value: balance 0, tx cost 1", errors.OutOfFunds),  # Geth, Reth
    ("Insufficient funds for gas * price + value", errors.OutOfFunds),  # Anvil
    ("InsufficientFunds, Account balance: 0", errors.OutOfFunds),  # Nethermind
    ("execution reverted: custom error 0x12345678", errors.Reverts),
    ("Too Many Requests", errors.NodeLimited),
    ("something else entirely", errors.NotTaken),
]


@pytest.mark.parametrize(("said", "kind"), WORDINGS)
def test_the_wordings_of_nodes(said, kind):
    found = named({"code": -32000, "message": said}, "eth_sendRawTransaction", "http://node")
    assert type(found) is kind


def test_addresses_keep_their_secrets():
    node = Node("main", 1, ("http://user:password@127.0.0.1:9/key",), timeout=1)
    with pytest.raises(NodeUnreachable) as caught:
        node.head()
    assert "password" not in str(caught.value)
    assert "/key" not in str(caught.value)


def test_the_next_address_answers_when_the_first_does_not(anvil):
    node = Node("local", 31337, ("http://127.0.0.1:9", anvil.url), timeout=1)
    assert node.head() == 0


FEE = st.integers(1, 10**14)


@given(FEE, FEE, FEE, FEE, FEE)
def test_bumps_are_at_least_an_eighth_and_never_above_the_cap(limit, tip, limit_now, tip_now, cap):
    before, now = Fees(max(limit, tip), tip), Fees(max(limit_now, tip_now), tip_now)
    found = bumped(before, now, cap)
    if found is None:
        assert -(-before.limit * 9 // 8) > cap or -(-before.tip * 9 // 8) > cap
    else:
        assert found.limit <= cap
        assert found.tip <= found.limit
        assert 8 * found.limit >= 9 * before.limit
        assert 8 * found.tip >= 9 * before.tip
