"""A node that misbehaves as real ones do: a proxy before Anvil whose faults are drawn from a seed."""

import json
import random
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# As geth, reth, erigon and Anvil word them.
WORDINGS = {
    "underpriced": (
        "replacement transaction underpriced",
        "transaction underpriced: gas tip cap 1, minimum needed 1000000",
        "max fee per gas less than block base fee",
        "replacement transaction underpriced: new tx gas fee cap 1 <= 2",
    ),
    "known": ("already known", "AlreadyKnown", "transaction already imported", "known transaction: 0xabc"),
    "nonce": (
        "nonce too low: next nonce 7, tx nonce 3",
        "nonce too low",
        "OldNonce",
        "invalid transaction nonce: lower",
    ),
    "other": ("txpool is full", "internal error"),
}
FAULTS = ("drop", "lose", "429", "busy", "stale", "chain", "word", "reorg", "garbage")
_STALE = {
    "eth_getTransactionReceipt": lambda _: None,
    "eth_getTransactionByHash": lambda _: None,
    "eth_blockNumber": lambda result: hex(max(0, int(result, 16) - 3)),
    "eth_getTransactionCount": lambda result: hex(max(0, int(result, 16) - 1)),
}
_SAID = {
    "429": (429, b"slow down"),
    "busy": (503, b"<html>busy</html>"),
    "garbage": (200, b'{"jsonrpc": "2.0", "id": 1, "result'),
    "chain": (200, b'{"jsonrpc": "2.0", "id": 1, "result": "0x1"}'),
}


class Chaos:
    """Forwards JSON-RPC, and now and then does not.

    Parameters
    ----------
    share
        Of requests that are treated badly.
    deepest
        Blocks of the deepest reorg.
    """

    def __init__(self, url, seed, share=0.25, faults=FAULTS, deepest=6):
        self.behind, self.luck, self.share, self.faults, self.deepest = url, random.Random(seed), share, faults, deepest
        self.done = dict.fromkeys(FAULTS, 0)
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"chaos": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def fault(self, method):
        with self.lock:
            if self.luck.random() >= self.share:
                return None
            chosen = self.luck.choice(self.faults)
            if chosen == "stale" and method not in _STALE:
                return None
            if chosen in {"word", "lose"} and method != "eth_sendRawTransaction":
                return None
            if chosen == "chain" and method != "eth_chainId":
                return None
            if chosen == "reorg" and self.luck.random() > 0.15:
                return None
            self.done[chosen] += 1
            return chosen

    def forward(self, body):
        request = urllib.request.Request(self.behind, body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.read()

    def ask(self, method, *parameters):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        return json.loads(self.forward(body)).get("result")

    def reorg(self):
        with self.lock:
            depth = self.luck.randint(1, self.deepest)
        if int(self.ask("eth_blockNumber"), 16) > depth + 1:
            self.ask("anvil_reorg", depth, [])

    def wording(self):
        with self.lock:
            kind = self.luck.choice(sorted(WORDINGS))
            return kind, self.luck.choice(WORDINGS[kind])


class _Handler(BaseHTTPRequestHandler):
    chaos: Chaos
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        chaos, fault = self.chaos, self.chaos.fault(asked["method"])
        if fault == "reorg":
            chaos.reorg()
        if fault in _SAID:
            self._say(*_SAID[fault])
        elif fault in {"drop", "lose"}:
            if fault == "lose":  # it is taken, and nobody hears of it
                chaos.forward(body)
            self._hang_up()
        elif fault == "word":
            self._say(200, self._refused(body))
        elif fault == "stale":
            reply = json.loads(chaos.forward(body))
            if reply.get("result") is not None:
                reply["result"] = _STALE[asked["method"]](reply["result"])
            self._say(200, json.dumps(reply).encode())
        else:
            self._say(200, chaos.forward(body))

    def _refused(self, body):
        kind, text = self.chaos.wording()
        if kind in {"known", "nonce"}:  # it has it indeed
            self.chaos.forward(body)
        return json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": text}}).encode()

    def _say(self, status, content):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self):
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_):
        pass
