"""What is no node, and a collection's own file that is damaged: one sentence each, and nothing is asked or kept."""

import json
import socket
import threading

import pytest
from tests.unit.data.small import make_task

from assay.core.errors import ArtefactDamaged, ArtefactVersion
from assay.data.collect import collect
from assay.data.errors import RpcUnreachable, SettingsUnfit
from assay.data.sources.rpc import Rpc


@pytest.fixture
def answering():
    """Starts a server that sends these bytes to whoever connects, and hangs up; returns its address."""
    servers = []

    def start(content):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            with server.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(content)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{",
        b"hello there\r\n\r\n",
        b"",
    ],
    ids=["half an answer", "half a chunk", "no HTTP", "nothing"],
)
def test_a_node_that_dies_while_it_answers(answering, content):
    with pytest.raises(RpcUnreachable) as caught:
        Rpc(answering(content)).chain_id()
    assert caught.value.retry


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://x:99999",
        "http://a b/",
        "http://",
        "http://x/\u20ac",
        "http://me:secret",
        "ws://x",
        "localhost:8545",
    ],
)
def test_what_is_no_address_is_refused_without_showing_it(url):
    with pytest.raises(SettingsUnfit, match="no address of a node") as caught:
        Rpc(f"{url}?secret")
    assert "secret" not in str(caught.value)


GOOD = {
    "schema": "assay-collection/1",
    "chain_id": 1,
    "end_block": 9,
    "contract": [],
    "topics": [],
    "start_block": 0,
}


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{broken", ArtefactDamaged),
        ("[1]", ArtefactDamaged),
        (json.dumps(GOOD | {"end_block": "9"}), ArtefactDamaged),
        (json.dumps({key: value for key, value in GOOD.items() if key != "chain_id"}), ArtefactDamaged),
        (json.dumps(GOOD | {"schema": "assay-collection/2"}), ArtefactVersion),
    ],
)
def test_a_collection_whose_file_is_damaged(project, content, error):
    folder = project / "chain" / "pool"
    folder.mkdir(parents=True)
    (folder / "collection.json").write_text(content)
    source = {"name": "pool", "kind": "cryo", "rpc": "http://127.0.0.1:9", "retries": 0}
    with pytest.raises(error, match=r"collection\.json .* Remove that file"):
        collect(make_task({"sources": [source]}), project)
    assert (folder / "collection.json").read_text() == content
