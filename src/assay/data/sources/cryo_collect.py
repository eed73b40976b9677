"""Extraction by Cryo, chunk by chunk: each file is whole or absent, and what is there is not asked for again."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from assay.core import documents, files
from assay.core.errors import ArtefactDamaged
from assay.core.files import translated
from assay.core.workers import workers
from assay.data.errors import CollectionStopped, RpcUnreachable, SettingsUnfit
from assay.data.sources import cryo_files
from assay.data.sources.context import Context, from_environment
from assay.data.sources.rpc import Rpc, wait, wrong_chain
from assay.data.sources.rpc_collect import RpcWorker
from assay.task.sources import RpcSource

if TYPE_CHECKING:
    from types import TracebackType

    from assay.task.sources import ChainSource

PLAN_FILE = "collection.json"
SCHEMA = "assay-collection/1"
_PROBE = 1 << 16
# Another process may be collecting: what it writes now is not touched.
_STALE = 3600.0
_EXTRA = {"blocks": ["parent_hash"], "logs": ["block_hash"]}


@dataclass(frozen=True)
class Job:
    """One file to collect."""

    dataset: str
    first: int
    last: int


@dataclass(frozen=True)
class Asked:
    """What is collected, from where and to where."""

    spec: ChainSource
    plan: dict[str, Any]
    folder: Path
    rpc: Rpc


class Plan(BaseModel):
    """The content of collection.json: what the folder holds or is to hold."""

    model_config = ConfigDict(strict=True)

    schema_: Literal["assay-collection/1"] = Field("assay-collection/1", alias="schema")
    chain_id: int
    start_block: int
    end_block: int
    contract: list[str]
    topics: list[str]


def collect(spec: ChainSource, context: Context, folder: Path) -> int:
    """Collect what the folder lacks, and return how many files that were.

    A folder that is complete is not compared with the node: no question is asked.

    Raises
    ------
    MissingLibrary
        If neither Cryo nor requests is installed.
    ArtefactDamaged, ArtefactVersion
        If the folder's collection.json is not one of this release.
    RpcUnreachable, RpcRefused, RpcWrongChain
        If the node does not answer, limits requests, or is on another chain.
    CollectionStopped
        If a chunk failed after every retry. Chunks before it are kept, and the next call goes on there.
    """
    rpc = Rpc(from_environment(str(spec.rpc), f"[[data.sources]] {spec.name}: rpc"), retries=spec.retries)
    plan = _plan(spec, context, folder, rpc)
    jobs = _missing(spec, plan, folder)
    if not jobs:
        return 0
    rpc.require_chain(plan["chain_id"])
    _tidy(folder)
    asked = Asked(spec, plan, folder, rpc)
    try:
        if context.ray is not None:
            _spread(jobs, asked, context, context.ray)
            return len(jobs)
        with _worker(spec, context) as worker:
            for index, job in enumerate(jobs):
                context.progress(f"Collecting {job.dataset} of {spec.name}: blocks {job.first} to {job.last}")
                _one(job, asked, worker, left=len(jobs) - index)
    finally:
        # An interrupt may come while a temporary folder is made or removed.
        for left in folder.glob(f"{_prefix()}*"):
            shutil.rmtree(left, ignore_errors=True)
    return len(jobs)


def _worker(spec: ChainSource, context: Context) -> Worker | RpcWorker:
    """What does the jobs of a source: Cryo, or where it has no package, what writes the same files without it."""
    if isinstance(spec, RpcSource):
        return RpcWorker(spec.timeout_seconds)
    if _installed():
        return Worker(spec.timeout_seconds)
    context.progress(f"Cryo is not installed: {spec.name} is collected by JSON-RPC, into the same files")
    return RpcWorker(spec.timeout_seconds)


def _prefix() -> str:
    """How the folders begin in which this process has files written."""
    return f".partial-{os.getpid()}-"


def _plan(spec: ChainSource, context: Context, folder: Path, rpc: Rpc) -> dict[str, Any]:
    """What the folder holds or is to hold. "latest" is found once, so that the next build is of the same blocks."""
    asked = {
        "contract": [spec.contract] if isinstance(spec.contract, str) else list(spec.contract or ()),
        "topics": [spec.topic0] if spec.topic0 else list(context.topics),
        "start_block": spec.start_block,
    }
    place = folder / PLAN_FILE
    if place.is_file():
        kept = _plan_at(place)
        differing = [name for name, value in asked.items() if kept.get(name) != value]
        if isinstance(spec.end_block, int) and kept["end_block"] > spec.end_block:
            differing.append("end_block")
        if differing:
            raise SettingsUnfit(
                f"{folder} was collected with another {differing[0]} than the task has now",
                "Give the source another `folder`, or remove that one to collect anew.",
            )
        if isinstance(spec.end_block, int) and kept["end_block"] < spec.end_block:
            kept["end_block"] = spec.end_block
            files.write(place, json.dumps(kept, indent=1) + "\n")
        return kept
    chain_id = rpc.require_chain(context.chain_id)
    buffer = context.confirmations if spec.reorg_buffer is None else spec.reorg_buffer
    last = rpc.head() - buffer
    if isinstance(spec.end_block, int):
        if spec.end_block > last:
            raise SettingsUnfit(
                f"[[data.sources]] {spec.name}: end_block {spec.end_block} is not final: the node's head less "
                f"{buffer} blocks is {last}",
                "Wait, or set end_block or reorg_buffer lower.",
            )
        last = spec.end_block
    if last < spec.start_block:
        raise SettingsUnfit(
            f"[[data.sources]] {spec.name}: the node has no final block from start_block {spec.start_block} on "
            f"(its head less {buffer} is {last})",
            "Wait, or set start_block or reorg_buffer lower.",
        )
    plan = {"schema": SCHEMA, "chain_id": chain_id, "end_block": last, **asked}
    files.write(place, json.dumps(plan, indent=1) + "\n")
    return plan


def _plan_at(place: Path) -> dict[str, Any]:
    todo = "Remove that file: what was collected beside it is kept."
    return documents.read(place, Plan, damaged=ArtefactDamaged, todo=todo).model_dump(by_alias=True)


def _tidy(folder: Path) -> None:
    """Remove what a collection that was killed has left half-written."""
    for left in folder.glob(".partial-*"):
        if time.time() - left.stat().st_mtime > _STALE:
            shutil.rmtree(left, ignore_errors=True)


def _missing(spec: ChainSource, plan: dict[str, Any], folder: Path) -> list[Job]:
    there: dict[str, list[cryo_files.Chunk]] = {}
    for chunk in cryo_files.chunks(folder):
        there.setdefault(chunk.dataset, []).append(chunk)
    jobs = []
    for dataset in spec.datasets:
        place = plan["start_block"]
        for chunk in there.get(dataset, []):
            jobs += _cut(dataset, place, chunk.first - 1, spec.chunk_size)
            place = max(place, chunk.last + 1)
        jobs += _cut(dataset, place, plan["end_block"], spec.chunk_size)
    return jobs


def _cut(dataset: str, first: int, last: int, size: int) -> list[Job]:
    """Jobs for blocks first to last, cut at multiples of `size`."""
    jobs = []
    while first <= last:
        end = min(last, first - first % size + size - 1)
        jobs.append(Job(dataset, first, end))
        first = end + 1
    return jobs


def _one(job: Job, asked: Asked, worker: Worker | RpcWorker, *, left: int) -> None:
    """Collect one file, in several attempts."""
    spec, folder = asked.spec, asked.folder
    problem = ""
    for attempt in range(spec.retries + 1):
        wait(attempt)
        with translated(folder, "write"), tempfile.TemporaryDirectory(prefix=_prefix(), dir=folder) as beside:
            said = worker.run(job.dataset, _options(job, asked, beside))
            made = sorted(Path(beside).glob("*.parquet"))
            problem = said.get("error", "") or _wrong(job, asked, made)
            if not problem:
                made[0].replace(folder / made[0].name)
                return
            # Cryo does not say when it could not write.
            (Path(beside) / "probe").write_bytes(bytes(_PROBE))
    raise _stopped(job, asked, left, problem)


def _stopped(job: Job, asked: Asked, left: int, problem: str) -> CollectionStopped | RpcUnreachable:
    """Say why: the node's own answer is clearer than Cryo's."""
    spec, rpc = asked.spec, asked.rpc
    try:
        Rpc(rpc.url).require_chain(asked.plan["chain_id"])
    except RpcUnreachable as error:
        return RpcUnreachable(
            f"{error.what}; blocks {job.first} to {job.last} of {job.dataset} are the first of {left} chunks missing",
            "What was collected is kept: start the node and run it again.",
        )
    return CollectionStopped(
        f"blocks {job.first} to {job.last} of {job.dataset} could not be collected from {rpc.host} in "
        f"{spec.retries + 1} attempts ({problem})",
        "What was collected is kept: run it again; if it is slow, with a smaller chunk_size or longer timeout_seconds.",
    )


def _spread(jobs: list[Job], asked: Asked, context: Context, ray: str) -> None:
    """Collect the files on a Ray cluster, each a range of blocks; each is looked at and put into its place here."""
    spec, waiting = asked.spec, jobs
    shared = (isinstance(spec, RpcSource), spec.timeout_seconds)
    for attempt in range(spec.retries + 1):
        wait(attempt)
        failed: list[tuple[Job, str]] = []
        with workers(shared, ray=ray) as crew:
            wanted = [(job.dataset, _options(job, asked, "")) for job in waiting]
            for done, (number, (name, content, said)) in enumerate(crew.run(elsewhere, wanted), 1):
                context.progress(f"Collecting {spec.name} on the cluster: {done} of {len(waiting)} files are here")
                problem = said or _received(waiting[number], asked, name, content)
                failed += [(waiting[number], problem)] if problem else []
        waiting = [job for job, _ in failed]
        if not waiting:
            return
    raise _stopped(waiting[0], asked, len(waiting), failed[0][1])


def elsewhere(shared: tuple[bool, float], job: tuple[str, dict[str, Any]]) -> tuple[str, bytes, str]:
    """Collect one file on a worker of the cluster: its name and content, or what went wrong."""
    (by_rpc, timeout), (dataset, options) = shared, job
    with tempfile.TemporaryDirectory(prefix="assay-collect-") as beside:
        with RpcWorker(timeout) if by_rpc or not _installed() else Worker(timeout) as worker:
            said = worker.run(dataset, options | {"output_dir": beside})
        made = sorted(Path(beside).glob("*.parquet"))
        if said.get("error") or len(made) != 1:
            return "", b"", str(said.get("error") or "the node failed")
        return made[0].name, made[0].read_bytes(), ""


def _received(job: Job, asked: Asked, name: str, content: bytes) -> str:
    """Put a file that came from the cluster into its place; why not, if it is not what was asked for."""
    with translated(asked.folder, "write"), tempfile.TemporaryDirectory(prefix=_prefix(), dir=asked.folder) as beside:
        place = Path(beside) / Path(name).name
        place.write_bytes(content)
        problem = _wrong(job, asked, [place])
        if problem:
            return problem
        # Files that are there have a word for the chain, and the others get the same.
        network = next((one.network for one in cryo_files.chunks(asked.folder)), None)
        rest = place.name.partition("__")[2]
        place.replace(asked.folder / (place.name if network is None else f"{network}__{rest}"))
    return ""


def _options(job: Job, asked: Asked, out: str) -> dict[str, Any]:
    spec, plan, rpc = asked.spec, asked.plan, asked.rpc
    options: dict[str, Any] = {
        "rpc": rpc.url,
        "start_block": job.first,
        "end_block": job.last + 1,
        "chunk_size": job.last - job.first + 1,
        "output_dir": out,
        "max_concurrent_requests": spec.max_concurrent_requests,
        "include_columns": _EXTRA.get(job.dataset, []),
    }
    if spec.requests_per_second is not None:
        options["requests_per_second"] = spec.requests_per_second
    if job.dataset in {"logs", "traces", "erc20_transfers"} and plan["contract"]:
        options["contract"] = plan["contract"]
    if job.dataset == "logs" and plan["topics"]:
        options["topic0"] = plan["topics"]
    return options


def _wrong(job: Job, asked: Asked, made: list[Path]) -> str:
    """Why a chunk is not what was asked for; empty if it is. Raises RpcWrongChain."""
    import polars as pl

    if len(made) != 1:
        return "the node failed"
    try:
        numbers = pl.scan_parquet(made[0], glob=False).select("block_number", "chain_id").collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return "the file is damaged"
    for chain in numbers["chain_id"].drop_nulls().unique():
        if chain != asked.plan["chain_id"]:
            raise wrong_chain(asked.rpc.host, int(chain), asked.plan["chain_id"])
    found = numbers["block_number"]
    if job.dataset == "blocks" and found.n_unique() != job.last - job.first + 1:
        return f"the node gave {found.n_unique()} of {job.last - job.first + 1} blocks"
    if found.len() and not job.first <= int(str(found.min())) <= int(str(found.max())) <= job.last:
        return "the node gave other blocks"
    return ""


class Worker:
    """Cryo in a process of its own, started when first needed and again after it was ended."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def run(self, dataset: str, options: dict[str, Any]) -> dict[str, Any]:
        """Have Cryo do one job; {"error": ...} if it failed or took too long."""
        process = self._started()
        assert process.stdin is not None  # noqa: S101 - opened as a pipe below
        try:
            process.stdin.write(json.dumps({"dataset": dataset, "options": options}) + "\n")
            process.stdin.flush()
            line = self._answers.get(timeout=self._timeout)
        except queue.Empty:
            self._end()
            return {"error": f"no answer in {self._timeout:g} s"}
        except BrokenPipeError:
            line = ""
        if not line:
            self._end()
            return {"error": "Cryo stopped"}
        said: dict[str, Any] = json.loads(line)
        return said

    def _started(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "assay.data.sources.cryo_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answers = queue.Queue()
        threading.Thread(target=_read, args=(self._process, self._answers), daemon=True).start()
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        self._process = None


def _read(process: subprocess.Popen[str], answers: queue.Queue[str]) -> None:
    """Pass each line on, then an empty one when there are no more."""
    try:
        for line in process.stdout or ():
            answers.put(line)
    except ValueError:  # the pipe was closed
        pass
    answers.put("")


def _installed() -> bool:
    from importlib.util import find_spec

    return find_spec("cryo") is not None
