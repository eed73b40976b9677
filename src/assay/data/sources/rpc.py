"""The few questions that are asked of a node beside what Cryo asks: which chain it is on, and how far it is."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from assay.core.jsontext import parse
from assay.data.errors import RpcRefused, RpcUnreachable, RpcWrongChain, SettingsUnfit

_TOO_MANY = 429
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0


def wait(attempt: int) -> None:
    """Wait before an attempt: not before the first, then twice as long each time."""
    if attempt:
        time.sleep(min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1)))


@dataclass(frozen=True)
class Rpc:
    """A node's HTTP address. It may hold a key, so messages show the host only.

    Attributes
    ----------
    url
        The address.
    timeout
        Longest wait for one answer, in seconds.
    retries
        How often a question is asked again when the node limits requests.
    """

    url: str
    timeout: float = 10.0
    retries: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no address; raises SettingsUnfit."""
        problem = _problem(self.url)
        if problem:
            raise SettingsUnfit(
                f"what `rpc` gives is no address of a node: {problem}", "Write it like http://127.0.0.1:8545."
            )

    @property
    def host(self) -> str:
        """What messages call it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"

    def ask(self, method: str, *parameters: Any) -> Any:
        """Call a method and return its result.

        Raises
        ------
        RpcUnreachable
            If nothing answers, or not in time, or what answers is no node.
        RpcRefused
            If it answers with an error; code "data/rpc-limited" where it limits requests (429).
        """
        for attempt in range(self.retries):
            wait(attempt)
            try:
                return self._once(method, parameters)
            except RpcRefused as error:
                if error.code != limited(self.host).code:
                    raise
        wait(self.retries)
        return self._once(method, parameters)

    def _once(self, method: str, parameters: tuple[Any, ...]) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:  # noqa: S310
                reply = parse(answer.read())
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == _TOO_MANY:
                raise limited(self.host) from None
            raise RpcRefused(f"{self.host} answers {error.code} to {method}", "Check its address and key.") from None
        except ValueError as error:
            raise RpcUnreachable(
                f"{self.host} answers, and not as an Ethereum node ({str(error)[:60]})", "Check `rpc`."
            ) from None
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise RpcUnreachable(
                f"no node answers at {self.host} ({str(reason)[:80]})", "Start it, or check `rpc` and the network."
            ) from None
        except HTTPException as error:
            broken = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise RpcUnreachable(
                f"{self.host} breaks off its answer to {method}, or is no HTTP server ({broken:.80})",
                "Check that it runs, and `rpc`.",
            ) from None
        if not isinstance(reply, dict) or "result" not in reply:
            said = reply.get("error") if isinstance(reply, dict) else reply
            raise RpcRefused(f"{self.host} refuses {method}: {str(said)[:100]}", "Check the node.")
        return reply["result"]

    def chain_id(self) -> int:
        """The chain that the node says it is on."""
        return _number(self.ask("eth_chainId"), self.host)

    def head(self) -> int:
        """The number of its last block."""
        return _number(self.ask("eth_blockNumber"), self.host)

    def require_chain(self, expected: int | None) -> int:
        """Return the node's chain id if it is the expected one; else raise RpcWrongChain."""
        found = self.chain_id()
        if expected is not None and found != expected:
            raise wrong_chain(self.host, found, expected)
        return found


def _problem(url: str) -> str:
    """Why a text is no address of a node; empty if it is one. The text itself may hold a key, and is not shown."""
    if not url.startswith(("http://", "https://")):
        return "it does not start with http:// or https://"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "it has a space or a sign that an address cannot have"
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    return "" if named else "its host or port cannot be read"


def limited(host: str) -> RpcRefused:
    """The error for a node that answers 429."""
    return RpcRefused(
        f"{host} limits requests (429), also after waiting",
        "Run it again later: what was collected is kept. Set requests_per_second lower.",
        code="data/rpc-limited",
    )


def wrong_chain(host: str, found: int, expected: int) -> RpcWrongChain:
    """The error for a node on another chain."""
    return RpcWrongChain(
        f"{host} is on chain {found}, and the task says chain {expected}",
        "Check `rpc`, and `id` of the [chains.NAME] that [protocol] chain names; nothing of that chain was kept.",
    )


def _number(answer: Any, host: str) -> int:
    try:
        return int(answer, 16)
    except (TypeError, ValueError):
        raise RpcRefused(f"{host} answers {str(answer)[:40]!r} where a number belongs", "Check the node.") from None
