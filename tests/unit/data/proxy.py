"""A node's address that misbehaves: a proxy in front of a real one, with faults switched on by the test."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FaultyProxy:
    """Forwards JSON-RPC to a node, and counts what is asked.

    Attributes
    ----------
    status
        HTTP status to answer instead of forwarding, None to forward.
    delay
        Seconds to wait before each answer.
    die_after
        Calls after which connections are closed without an answer, None for never.
    limit_first
        Calls that are answered with 429 before the node is asked again.
    changed
        Called with (method, result); returns the result to give.
    refuse
        Called with what is asked; what it returns, if anything, is the error that is answered.
    calls
        All calls that were forwarded: (method, parameters).
    """

    def __init__(self, url):
        self.url_behind = url
        self.refuse = None
        self.reset()
        self.calls = []
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def reset(self):
        self.status, self.delay, self.die_after, self.limit_first = None, 0.0, None, 0
        self.changed = lambda _method, result: result
        self.seen = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def blocks_asked(self, method="eth_getBlockByNumber"):
        """Numbers of the blocks that were asked for and answered."""
        return [int(parameters[0], 16) for name, parameters in self.calls if name == method]

    def ranges_asked(self):
        """First and last block of every eth_getLogs that was answered."""
        return [
            (int(parameters[0]["fromBlock"], 16), int(parameters[0]["toBlock"], 16))
            for name, parameters in self.calls
            if name == "eth_getLogs"
        ]


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultyProxy
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        proxy = self.proxy
        proxy.seen += 1
        if proxy.die_after is not None and proxy.seen > proxy.die_after:
            self.close_connection = True
            self.connection.close()
            return
        time.sleep(proxy.delay)
        if proxy.limit_first > 0:
            proxy.limit_first -= 1
            self._answer(429, b"slow down")
            return
        if proxy.status is not None:
            self._answer(proxy.status, b"no")
            return
        refused = proxy.refuse and proxy.refuse(json.loads(body))
        if refused:
            self._answer(200, json.dumps({"id": 0, "error": {"code": -32005, "message": refused}}).encode())
            return
        request = urllib.request.Request(proxy.url_behind, body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            reply = json.load(answer)
        asked = json.loads(body)
        for one, said in zip(
            asked if isinstance(asked, list) else [asked], reply if isinstance(reply, list) else [reply], strict=True
        ):
            proxy.calls.append((one["method"], one.get("params", [])))
            if "result" in said:
                said["result"] = proxy.changed(one["method"], said["result"])
        self._answer(200, json.dumps(reply).encode())

    def _answer(self, status, content):
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass  # whoever asked has left

    def log_message(self, *_):
        pass
