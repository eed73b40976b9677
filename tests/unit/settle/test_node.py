import json
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.settle import errors
from assay.settle import node as module
from assay.settle.errors import NodeFault, NodeUnreachable
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
    node = Node("local", 31337, ("http://127.0.0.1:9", anvil.url))
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


def test_a_node_whose_answer_comes_byte_by_byte_is_given_up(monkeypatch):
    """Each byte came in time, and 32 MB of them may come: the settlement loop would have waited for years."""
    monkeypatch.setattr(module, "_MOST_SILENCES", 0.001)
    over = threading.Event()

    def drip(server):
        connection, _ = server.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        with suppress(OSError):
            while not over.wait(0.02):
                connection.sendall(b" ")
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        with pytest.raises(NodeUnreachable, match="takes too long"):
            Node("local", 31337, (f"http://127.0.0.1:{server.getsockname()[1]}",), timeout=500.0).head()
        over.set()
        thread.join()


@pytest.mark.parametrize(
    "url", ["http://node.example:x/secret", "http://[node/secret", "node.example/secret", "http:///secret"]
)
def test_an_address_that_is_none_is_said_without_it(url):
    with pytest.raises(NodeUnreachable) as caught:
        Node("main", 1, (url,), timeout=1).head()
    assert "secret" not in str(caught.value)


@pytest.fixture
def answering():
    """A server that answers every call with `result`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            result = "0x1" if asked["method"] == "eth_chainId" else self.server.result
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"result": result}).encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("result", ["ok", 7, [1], ["x"], True, "0xzz"])
def test_what_no_node_answers_is_named(answering, result):
    answering.result = result
    node = Node("main", 1, (f"http://127.0.0.1:{answering.server_port}",))
    asked = [node.head, node.time, lambda: node.final(None), lambda: node.block_hash(1), lambda: node.transactions(1)]
    asked += [lambda: node.code("0x"), lambda: node.call({}), lambda: node.receipt("0x"), lambda: node.balance("0x")]
    for one in asked:
        with pytest.raises(NodeFault):
            one()
