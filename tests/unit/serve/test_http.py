"""The endpoint on a real socket: what comes before a body, and between its parts, has an end."""

import http.client
import socket
import threading
import time

import pytest
import uvicorn

from assay.serve.api.app import make_app
from assay.serve.api.http import MOST_BYTES, Http


@pytest.fixture
def address(settings, database, release):
    server = uvicorn.Server(uvicorn.Config(make_app(settings, database), port=0, log_level="critical", http=Http))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join()


HEAD = b"POST /v1/verify HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (b"GET /", b"a" * 1000),
        (HEAD + b"A: ", b"b" * 1000),
        (HEAD, b"A: b\r\n" * 100),
        (CHUNKED + b"1;", b"x" * 1000),
        (CHUNKED + b"0\r\n", b"A: b\r\n" * 100),
    ],
    ids=["a path", "a header", "headers", "a chunk's extension", "trailers"],
)
def test_what_is_no_body_ends(address, begin, again):
    with socket.create_connection(address) as connection:
        sent, answer = connection.send(begin), b""
        connection.settimeout(0)
        while b"\r\n\r\n" not in answer:
            try:
                sent += connection.send(again)
            except BlockingIOError:
                pass
            except ConnectionError:
                break
            try:
                answer += connection.recv(1000)
            except BlockingIOError:
                continue
            except ConnectionError:
                break
        assert not answer or answer.startswith(b"HTTP/1.1 400"), answer
        assert sent < 200 * MOST_BYTES


def test_a_body_in_many_parts_and_many_requests_of_one_connection_have_none(address):
    body = b" " * 30_000 + b"{}"
    connection = http.client.HTTPConnection(*address[:2])
    for _ in range(8):
        parts = (body[at : at + 1000] for at in range(0, len(body), 1000))
        headers = {"Host": "localhost", "Transfer-Encoding": "chunked"}
        connection.request("POST", "/v1/verify", parts, headers, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, answer.will_close, b"/v1/verify" in answer.read()) == (422, False, True)
    connection.close()
