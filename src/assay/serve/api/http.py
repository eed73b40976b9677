"""HTTP/1.1 as uvicorn reads it with a parser in C, which has no limit of its own on what is no body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

MOST_BYTES = 64 << 10
"""Of a request's line and headers, of what stands between chunks, and of trailers; `Guard` limits bodies."""


class Http(HttpToolsProtocol):
    """One connection, closed with 400 as soon as that is passed."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own says so
        """A connection begins."""
        self._others = 0
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Read on, unless too much has come since the last of a body."""
        self._others += len(data)
        super().data_received(data)
        if self._others > MOST_BYTES and not self.transport.is_closing():
            self.send_400_response(f"More than {MOST_BYTES} bytes are no body.")

    def on_headers_complete(self) -> None:
        """What follows is a body, or another request."""
        self._others = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> Any:
        """A part of a body."""
        self._others = 0
        super().on_body(body)
