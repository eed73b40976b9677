"""Somebody's address that is told of answers, as Standard Webhooks says: signed, with an id that stays the same."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from standardwebhooks.webhooks import Webhook as Signer

from assay.core import files
from assay.serve.outputs.address import connect, within
from assay.serve.outputs.errors import OutputFails, OutputGone, OutputSettings

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

_PREFIX = "whsec_"
_LEAST, _MOST = 24, 64
_GONE = 410


class Webhook:
    """An address.

    Parameters
    ----------
    url
        ``https://..``; ``http://..`` only if it is `local`.
    secrets
        The file with the secrets.
    local
        Whether it may be on this machine or a private network.
    """

    def __init__(self, url: str, secrets: Path, *, local: bool) -> None:
        self._url, self._secrets, self._local = url, secrets, local

    def tell(self, identity: str, content: dict[str, Any]) -> None:
        """Tell of one thing; the same `identity` is the same thing, however often it is told.

        Raises
        ------
        OutputFails
            It was not taken: to be told again.
        OutputGone
            The address says that it is gone for ever.
        """
        host, port, tls, found = self._place()
        body = json.dumps(content, allow_nan=False, separators=(",", ":"))
        headers = self._headers(identity, body) | {"Host": found.netloc.rpartition("@")[2]}
        path = (found.path or "/") + (f"?{found.query}" if found.query else "")
        made = connect(host, port, tls=tls, local=self._local)
        with closing(HTTPConnection(host)) as connection, within(made):
            connection.sock = made
            try:
                connection.request("POST", path, body.encode(), headers)
                status = connection.getresponse().status
            except (OSError, HTTPException, ValueError) as error:
                raise OutputFails(f"{host:.80} breaks off ({type(error).__name__})", "It is tried again.") from None
        if status == _GONE:
            raise OutputGone(f"{host:.80} says that it is gone (410)", "Name another url, or take the output out.")
        if not 200 <= status < 300:
            raise OutputFails(f"{host:.80} answers {status}", "Only 2xx says that it was taken; nothing is followed.")

    def _place(self) -> tuple[str, int, bool, SplitResult]:
        """Host, port, whether it is https, and the whole address."""
        try:
            found = urlsplit(self._url)
            host, tls, port = found.hostname, found.scheme == "https", found.port
        except ValueError:  # a port that is none
            host = None
        if host is None or not (tls or (found.scheme == "http" and self._local)):
            raise OutputSettings("its url is no https:// address", "Write one; for development also local = true.")
        return host, port or (443 if tls else 80), tls, found

    def _headers(self, identity: str, body: str) -> dict[str, str]:
        now = datetime.now(UTC)
        signed = " ".join(one.sign(identity, now, body) for one in read_secrets(self._secrets))
        return {
            "Content-Type": "application/json",
            "User-Agent": "assay",
            "webhook-id": identity,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signed,
        }


def read_secrets(path: Path) -> list[Signer]:
    """What signs: one of each line of the file; raises `OutputSettings`, which shows nothing of it."""
    with files.translated(path, "read"):
        mode = path.stat().st_mode
    if mode & 0o077:
        raise OutputSettings(f"others may read {path} (mode {mode & 0o777:04o})", f"Run `chmod 600 {path}`.")
    lines = files.read(path).decode(errors="replace").split()
    todo = f'Write "{_PREFIX}" and the base64 of {_LEAST} to {_MOST} random bytes, one a line.'
    if not lines:
        raise OutputSettings(f"{path} holds no secret", todo)
    made = []
    for number, line in enumerate(lines, 1):
        try:
            text = line.removeprefix(_PREFIX).rstrip("=")
            size = len(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
        except ValueError:
            size = 0
        if not line.startswith(_PREFIX) or not _LEAST <= size <= _MOST:
            raise OutputSettings(f"line {number} of {path} is no secret of a webhook", todo)
        made.append(Signer(line))
    return made
