"""HTTP with patience: one client for nodes and web services, which waits out limits and short failures."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assay.core.errors import MissingLibrary

if TYPE_CHECKING:
    import requests

RETRIED = (429, 500, 502, 503, 504)
_FIRST_WAIT = 0.2
_LONGEST_WAIT = 30.0


class Client:
    """A session for each thread, over which failed requests are tried again.

    A server that answers 429 or 5xx, or breaks off, is asked again `retries` times, after the time that it names in
    Retry-After or twice as long each time.
    """

    def __init__(self, *, timeout: float, retries: int) -> None:
        self.timeout = timeout
        self._retries = retries
        self._local = threading.local()

    @property
    def session(self) -> requests.Session:
        """The session of the thread that asks; raises MissingLibrary."""
        found: requests.Session | None = getattr(self._local, "session", None)
        if found is None:
            found = self._local.session = self._made()
        return found

    def _made(self) -> requests.Session:
        try:
            import requests
            from requests.adapters import HTTPAdapter
            from urllib3.util import Retry
        except ImportError:
            raise MissingLibrary(
                "reading from the network needs requests", "Install it: pip install 'assay[chain-data]'."
            ) from None
        retry = Retry(
            total=self._retries,
            status_forcelist=RETRIED,
            allowed_methods=None,
            backoff_factor=_FIRST_WAIT,
            backoff_max=_LONGEST_WAIT,
            raise_on_status=False,
        )
        session = requests.Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        return session


def host_of(url: str) -> str:
    """What messages call an address: without path and query, which may hold a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
