"""`assay.Client`: a service that `assay up` started, asked from Python; the standard library is enough for it."""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from assay.core.errors import AssayError
from assay.core.jsontext import parse
from assay.serve.errors import Refused, ServiceUnreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.prove.proof import Proof

_LARGEST_ANSWER = 64 << 20
_LONGEST_POLL = 2.0
_TRIES = 3


class Client:
    """A service and the API key that asks it.

    >>> client = assay.Client("http://127.0.0.1:8787", key)            # doctest: +SKIP
    >>> answer = client.prove("fee", [[0.5, 12.0]])                    # doctest: +SKIP
    >>> assay.verify(verifying_key, client.proof(answer["id"]))        # doctest: +SKIP

    Parameters
    ----------
    url
        Its address.
    key
        An API key; it is sent with each request, so give an https address where others could listen.
    timeout
        Seconds until a request that is not answered is given up.

    Raises
    ------
    ServiceUnreachable
        By every method: nothing answers at the address. What had an idempotency key may be asked again with it.
    Refused
        By every method: the service's own refusal, with its code.
    """

    def __init__(self, url: str, key: str, *, timeout: float = 90.0) -> None:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise ServiceUnreachable(
                "the address of the service cannot be read", "Write it like http://127.0.0.1:8787."
            )
        self._url, self._timeout = url.rstrip("/"), timeout
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def infer(self, model: str, rows: Sequence[Sequence[float | None]], *, version: str | int | None = None) -> Any:
        """What a model says of rows, without a proof: the document of the Open Inference Protocol."""
        return self._ask("POST", f"{_path(model, version)}/infer", {"inputs": _plain(rows)})

    def prove(
        self,
        model: str,
        rows: Sequence[Sequence[float | None]],
        *,
        version: str | int | None = None,
        context: int = 0,
        settle: bool = False,
        join: bool = False,
        request: str | None = None,
        wait: float = 60.0,
    ) -> Any:
        """Ask for a proof of what a model says of rows, and wait for it.

        Parameters
        ----------
        context
            The word that the proof is bound to.
        settle
            Whether it goes to the consumer on the chain; what is waited for is then the final transaction.
        join
            Whether the proof may also show the rows of other questions of this API key that allow it: many at once are
            proven faster so, and the answer's "joined" says which rows are its own.
        request
            Idempotency key: the same one is the same question. One is made if none is given, so that a connection that
            breaks asks nothing twice.
        wait
            Seconds; 0 returns at once.

        Returns
        -------
            The answer as the service says it; its "state" may be one that goes on where `wait` was too short.
        """
        body = {"inputs": _plain(rows), "context": str(context), "settle": settle} | ({"join": True} if join else {})
        key = request or secrets.token_hex(16)
        kept = self._ask("POST", f"{_path(model, version)}/proofs", body, {"Idempotency-Key": key})
        return kept if wait <= 0 else self.wait(kept["id"], wait)

    def wait(self, answer: str, seconds: float = 60.0) -> Any:
        """An answer once it has ended, or as it is when the time is over."""
        until, pause = time.monotonic() + seconds, 0.01
        found = self.answer(answer)
        while found["state"] not in _ENDS and time.monotonic() < until:
            time.sleep(pause)
            pause = min(_LONGEST_POLL, pause * 1.5)
            found = self.answer(answer)
        return found

    def answer(self, answer: str) -> Any:
        """How far an answer is."""
        return self._ask("GET", f"/v1/answers/{quote(answer, safe='')}")

    def proof(self, answer: str) -> Proof:
        """The proof of an answer; verify it with `assay.verify` and the release's verifying key."""
        from assay.prove.proof import Proof

        return Proof.from_json(json.dumps(self._ask("GET", f"/v1/answers/{quote(answer, safe='')}/proof")))

    def cancel(self, answer: str) -> Any:
        """Take an answer back that is not proven yet."""
        return self._ask("DELETE", f"/v1/answers/{quote(answer, safe='')}")

    def outcome(self, answer: str, value: Any, *, reason: str | None = None, request: str | None = None) -> Any:
        """Bring what came of an answer, so that `assay monitor` can judge it; needs the scope "observe".

        Parameters
        ----------
        value
            A number in the unit of what is predicted, or the class; of several rows a list, None where not known yet.
        reason
            Why it is other than what was brought before. The same again needs none, and changes nothing.
        request
            Idempotency key; one is made if none is given.
        """
        body = {"outcome": value} | ({"reason": reason} if reason is not None else {})
        key = request or secrets.token_hex(16)
        return self._ask("POST", f"/v1/answers/{quote(answer, safe='')}/outcome", body, {"Idempotency-Key": key})

    def releases(self) -> list[Any]:
        """The releases that the service knows, oldest first, and which decide."""
        found: list[Any] = self._ask("GET", "/v1/releases")["items"]
        return found

    def __repr__(self) -> str:
        """Show the address only."""
        return f"Client({self._url!r})"

    def _ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        again = method != "POST" or bool(headers)
        for attempt in range(_TRIES):
            request = urllib.request.Request(  # noqa: S310  the scheme was looked at
                self._url + path, data, self._headers | (headers or {}), method=method
            )
            try:
                with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                    return parse(answer.read(_LARGEST_ANSWER))
            except urllib.error.HTTPError as error:
                raise _refused(error) from None
            except (OSError, HTTPException) as error:
                if not again or attempt == _TRIES - 1:
                    reason = getattr(error, "reason", None) or type(error).__name__
                    raise ServiceUnreachable(
                        f"no service answers at {self._url} ({reason})", "Is `assay up` running?"
                    ) from None
                time.sleep(0.2 * 2**attempt)
        raise AssertionError(path)


_ENDS = frozenset({"answered", "settled", "expired", "refused", "cancelled"})


def _path(model: str, version: str | int | None) -> str:
    path = f"/v2/models/{quote(model, safe='')}"
    return path if version is None else f"{path}/versions/{quote(str(version), safe='')}"


def _plain(rows: Any) -> list[list[Any]]:
    """Rows as JSON writes them: whatever has rows of numbers; NaN is a missing value."""
    found = rows.tolist() if hasattr(rows, "tolist") else rows
    return [[None if value is None or value != value else value for value in row] for row in found]  # noqa: PLR0124


def _refused(error: urllib.error.HTTPError) -> AssayError:
    try:
        said = parse(error.read(_LARGEST_ANSWER))
        found = Refused(str(said["detail"]), str(said["todo"]), code=str(said["code"]))
    except (ValueError, KeyError, TypeError, AssayError):
        found = Refused(f"the service answers {error.code}, and not as one of Assay's", "Check the address.")
    found.status = error.code
    return found
