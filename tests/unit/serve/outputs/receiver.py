"""Somebody's address that is told of answers."""

import base64
import secrets
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class Told(HTTPServer):
    """Somebody's address on this machine."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.found, self.answers, self.refused = [], [], None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hook?x=1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.found.append((self.path, dict(self.headers), body))
        refused = self.server.refused is not None and self.headers["webhook-id"] == self.server.refused
        self.send_response(self.server.answers.pop(0) if self.server.answers else 500 if refused else 204)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def receiving():
    server = Told()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def secret():
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
