"""Collects chunks by JSON-RPC, in place of Cryo's process: the same jobs, files and columns.

Ranges adapt: what a node refuses of several blocks is asked of half as many, and what it answers of twice as many.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

from assay.data.sources import rpc_rows
from assay.data.sources.cryo_files import chunks
from assay.data.sources.http import Client
from assay.data.tables.store import write_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

_RETRIES = 2
"""Of one request; a chunk is tried again by its caller."""
_BATCH = 20
_LARGEST_BATCH = 100
_LARGEST_SPAN = 10_000
_TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""The first topic of Transfer(address,address,uint256)."""


class Refused(Exception):
    """A node answers, and not with what was asked for."""


class Node:
    """A node that is asked many questions at once.

    Attributes
    ----------
    batch
        How many questions are put into one request; adapts.
    span
        Of how many blocks logs are asked at once; adapts.
    """

    def __init__(self, url: str, client: Client, *, workers: int, per_second: int | None) -> None:
        self.url = url
        self.batch = _BATCH
        self.span = _LARGEST_SPAN
        self._client = client
        self._workers = workers
        self._pause = 0.0 if per_second is None else 1 / per_second
        self._next = 0.0
        self._lock = Lock()

    def ask(self, method: str, *parameters: Any) -> Any:
        """Ask one question; raises Refused."""
        return self._post([(method, list(parameters))])[0]

    def many(self, method: str, asked: Sequence[Sequence[Any]]) -> list[Any]:
        """Ask a method with many parameters, several in a request and several requests at once; raises Refused."""
        found: list[Any] = []
        with ThreadPoolExecutor(self._workers) as pool:
            while len(found) < len(asked):
                size, start = self.batch, len(found)
                parts = [asked[at : at + size] for at in range(start, len(asked), size)][: self._workers]
                try:
                    for answers in pool.map(lambda part: self._post([(method, list(one)) for one in part]), parts):
                        found += answers
                    self.batch = min(size * 2, _LARGEST_BATCH)
                except Refused:
                    if size == 1:
                        raise
                    self.batch = size // 2
        return found

    def logs(self, first: int, last: int, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Logs of a range of blocks, in order; raises Refused where those of one block are refused."""
        while first <= last:
            end = min(last, first + self.span - 1)
            try:
                found = self.ask("eth_getLogs", {"fromBlock": hex(first), "toBlock": hex(end), **wanted})
            except Refused:
                if end == first:
                    raise
                self.span = (end - first + 1) // 2
                continue
            yield from found
            self.span = min(self.span * 2, _LARGEST_SPAN)
            first = end + 1

    def _post(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        """Send questions as one request; one by itself is sent as such, as not every node takes several."""
        import requests

        body = [{"jsonrpc": "2.0", "id": at, "method": name, "params": given} for at, (name, given) in enumerate(calls)]
        self._wait(len(calls))
        try:
            reply = self._client.session.post(
                self.url, json=body if len(body) > 1 else body[0], timeout=self._client.timeout
            )
            said = reply.json()
        except requests.exceptions.JSONDecodeError:
            raise Refused(f"the node answers {reply.status_code}, and no JSON") from None
        except requests.exceptions.RequestException as error:
            late = isinstance(error, requests.exceptions.Timeout) or "timed out" in str(error)
            how = f"no answer in {self._client.timeout:g} s" if late else f"{type(error).__name__} of {calls[0][0]}"
            raise Refused(how) from None
        answers = said if isinstance(said, list) else [said]
        by_id = {one.get("id"): one for one in answers if isinstance(one, dict)}
        return [_result(by_id.get(at), calls[at][0]) for at in range(len(calls))]

    def _wait(self, questions: int) -> None:
        """Ask no more often than the task allows."""
        with self._lock:
            now = time.monotonic()
            self._next = max(self._next, now) + questions * self._pause
            pause = self._next - questions * self._pause - now
        if pause > 0:
            time.sleep(pause)


def _result(answer: Any, method: str) -> Any:
    if not isinstance(answer, dict) or "result" not in answer:
        error = answer.get("error") if isinstance(answer, dict) else answer
        said = error.get("message") if isinstance(error, dict) else error
        raise Refused(f"the node refuses {method}: {' '.join(str(said).split())[:100]}")
    return answer["result"]


class RpcWorker:
    """Does the jobs of `cryo_collect`, as Cryo's process does."""

    def __init__(self, timeout: float) -> None:
        self._client = Client(timeout=timeout, retries=_RETRIES)
        self._node: Node | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def run(self, dataset: str, options: dict[str, Any]) -> dict[str, Any]:
        """Write one chunk into options["output_dir"]; {"error": ...} if the node does not give it."""
        if self._node is None:
            self._node = Node(
                options["rpc"],
                self._client,
                workers=options["max_concurrent_requests"],
                per_second=options.get("requests_per_second"),
            )
        first, last = options["start_block"], options["end_block"] - 1
        try:
            chain = int(self._node.ask("eth_chainId"), 16)
            frame = rpc_rows.frame(dataset, rows(dataset, self._node, first, last, options), chain)
        except Refused as error:
            return {"error": str(error)}
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            return {"error": f"the node's answer is no {dataset} ({type(error).__name__}: {str(error)[:60]})"}
        out = Path(options["output_dir"])
        write_parquet(frame, out / f"{_network(out.parent, chain)}__{dataset}__{first:08}_to_{last:08}.parquet")
        return {"rows": frame.height}


def rows(dataset: str, node: Node, first: int, last: int, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of one dataset; raises Refused."""
    numbers = [hex(number) for number in range(first, last + 1)]
    if dataset in {"logs", "erc20_transfers"}:
        wanted: dict[str, Any] = {"address": options["contract"]} if options.get("contract") else {}
        topics = [_TRANSFER] if dataset == "erc20_transfers" else options.get("topic0")
        found = node.logs(first, last, wanted | ({"topics": [topics]} if topics else {}))
        return rpc_rows.transfers(found) if dataset == "erc20_transfers" else rpc_rows.logs(found)
    if dataset == "blocks":
        return rpc_rows.blocks(node.many("eth_getBlockByNumber", [(number, False) for number in numbers]))
    if dataset == "transactions":
        blocks = node.many("eth_getBlockByNumber", [(number, True) for number in numbers])
        return rpc_rows.transactions(blocks, node.many("eth_getBlockReceipts", [(number,) for number in numbers]))
    traces = [one for block in node.many("trace_block", [(number,) for number in numbers]) for one in block or ()]
    makers = {"traces": rpc_rows.traces, "native_transfers": rpc_rows.payments, "contracts": rpc_rows.contracts}
    wanted_of = [one.lower() for one in options.get("contract") or ()] if dataset == "traces" else []
    return makers[dataset](rpc_rows.of(traces, wanted_of))


def _network(folder: Path, chain: int) -> str:
    """Cryo's word for the chain: that of the files that are there, so that both collectors may fill one folder."""
    return next((chunk.network for chunk in chunks(folder)), "ethereum" if chain == 1 else f"network_{chain}")
