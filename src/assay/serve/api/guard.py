"""What is looked at before a request is parsed: the Host header, and how long the body is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.serve.api.problems import problem
from assay.serve.errors import NotPermitted, RequestTooLarge

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


class Guard:
    """ASGI middleware.

    Parameters
    ----------
    hosts
        Names beside the loopback's that the Host header may say: a page elsewhere that a reader's browser opens can
        make it resolve its own name to this machine, but not say another name.
    most_bytes
        Longest body.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], most_bytes: int) -> None:
        self._app, self._most = app, most_bytes
        self._hosts = _LOOPBACK | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with a body that cannot grow beyond the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        refused = self._refused(headers)
        if refused is not None:
            await problem(refused, scope["path"])(scope, receive, send)
            return
        body = await self._body(receive)
        if body is None:
            await problem(self._too_large(), scope["path"])(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # what GET says of itself, wherever there is one
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        await self._app(scope, _given(body, receive), send)

    def _refused(self, headers: dict[bytes, bytes]) -> NotPermitted | RequestTooLarge | None:
        name = headers.get(b"host", b"").decode("latin-1").lower()
        name = name.rpartition(":")[0] if name.rpartition(":")[2].isdecimal() and not name.endswith("]") else name
        if name not in self._hosts:
            return NotPermitted(f'the request is for the host "{name:.60}"', "Start it with --allow-host NAME.")
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._most:
            return self._too_large()
        return None

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(f"the body is longer than {self._most} bytes", "Send fewer rows at once.")

    async def _body(self, receive: Receive) -> bytes | None:
        """The whole body; None as soon as it is too long."""
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                break
            part = message.get("body", b"")
            size += len(part)
            if size > self._most:
                return None
            parts.append(part)
            more = message.get("more_body", False)
        return b"".join(parts)


def _without_body(send: Send) -> Send:
    """A `send` that ends with the headers, also of what would go on for ever."""

    async def head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return head


def _given(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, then what comes after it: the client's leaving."""
    state: dict[str, Any] = {"given": False}

    async def again() -> Message:
        if not state["given"]:
            state["given"] = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again
