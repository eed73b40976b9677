"""Where jobs run: in this process, in processes beside it, or on a Ray cluster. The results are the same.

A task is a function of a shared value and a job; it must be importable, and both must survive pickling. The
shared value is sent once to each worker.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from assay.core import files
from assay.core.errors import MissingLibrary, WorkersFailed

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

Result = TypeVar("Result")
Task = Callable[[Any, Any], Result]

# One thread a worker: they are as many as there are processors for them.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")

_shared: Any = None


class Workers(Protocol):
    """Runs jobs."""

    def run(self, task: Task[Result], jobs: Sequence[Any]) -> Iterator[tuple[int, Result]]:
        """Give (number of the job, result) as they end, in any order; an error of a job is raised."""
        ...


@contextmanager
def workers(shared: Any, *, count: int = 1, ray: str | None = None) -> Iterator[Workers]:
    """Give workers that know `shared`; they end with the block.

    Parameters
    ----------
    shared
        What each task gets beside its job.
    count
        Processes beside this one; 1 runs everything here.
    ray
        Address of a Ray cluster ("auto", "ray://HOST:PORT" or "HOST:PORT"), which then takes all jobs.

    Raises
    ------
    WorkersFailed
        The cluster cannot be reached.
    MissingLibrary
        Ray is not installed.
    """
    if ray is not None:
        with _cluster(ray, shared) as found:
            yield found
    elif count > 1:
        with _processes(shared, count) as found:
            yield found
    else:
        yield _Here(shared)


class _Here:
    """The process itself."""

    def __init__(self, shared: Any) -> None:
        self._shared = shared

    def run(self, task: Task[Result], jobs: Sequence[Any]) -> Iterator[tuple[int, Result]]:
        for number, job in enumerate(jobs):
            yield number, task(self._shared, job)


class _Pool:
    """Processes beside this one."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def run(self, task: Task[Result], jobs: Sequence[Any]) -> Iterator[tuple[int, Result]]:
        from concurrent.futures import as_completed
        from concurrent.futures.process import BrokenProcessPool

        numbers: dict[Future[Result], int] = {}
        try:
            for number, job in enumerate(jobs):
                numbers[self._pool.submit(_call, task, job)] = number
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        except BrokenProcessPool:
            raise WorkersFailed(
                "a worker process ended by itself: out of memory, ended from outside, or the program that started "
                'it runs itself again without `if __name__ == "__main__":`',
                "Use fewer --workers, or guard the program's entry, and run it again: it goes on where it stopped.",
            ) from None


@contextmanager
def _processes(shared: Any, count: int) -> Iterator[_Pool]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Spawned, not forked: libraries with threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with _environment(ONE_THREAD), files.scratch() as place:
        # By a file of this user's: who gives it to a process that ends at its start waits for ever to be read.
        kept = place / "shared"
        files.write(kept, pickle.dumps(shared), secret=True)
        pool = ProcessPoolExecutor(count, mp_context=context, initializer=_receive, initargs=(kept,))
        try:
            yield _Pool(pool)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Ray:
    """A Ray cluster."""

    def __init__(self, library: Any, shared: Any) -> None:
        self._ray = library
        self._shared = library.put(shared)
        # Ray sets the threads of a task to its processors itself; the others are told here.
        self._call = library.remote(_apply).options(num_cpus=1, runtime_env={"env_vars": ONE_THREAD})

    def run(self, task: Task[Result], jobs: Sequence[Any]) -> Iterator[tuple[int, Result]]:
        numbers = {self._call.remote(task, self._shared, job): number for number, job in enumerate(jobs)}
        waiting = list(numbers)
        try:
            while waiting:
                (done, *_), waiting = self._ray.wait(waiting, num_returns=1)
                yield numbers[done], self._result(done)
        finally:
            for left in waiting:
                self._ray.cancel(left, force=True)

    def _result(self, done: Any) -> Any:
        try:
            return self._ray.get(done)
        except self._ray.exceptions.RayTaskError as error:
            # Ray wraps what the task raised; the caller wants the thing itself.
            raise (error.cause or error) from None
        except self._ray.exceptions.RayError as error:
            what = " ".join(str(error).split())[:160]
            raise WorkersFailed(f"the Ray cluster lost a job ({what})", "Run it again: it goes on there.") from error


@contextmanager
def _cluster(address: str, shared: Any) -> Iterator[_Ray]:
    try:
        import ray
        import ray.exceptions
    except ImportError:
        raise MissingLibrary("spreading work over a cluster needs Ray", 'Install "assay[ray]".') from None
    started = not ray.is_initialized()
    if started:
        try:
            _require_answer(address)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:
            what = " ".join(str(error).split())[:160]
            raise WorkersFailed(
                f"the Ray cluster at {address} cannot be reached ({what})", "Check the address with `ray status`."
            ) from error
    try:
        yield _Ray(ray, shared)
    finally:
        if started:
            ray.shutdown()


def _require_answer(address: str) -> None:
    """Find out at once that nothing listens there; Ray itself goes on trying for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=10).close()
    elif address != "auto":
        raise ValueError('an address is "auto", HOST:PORT or ray://HOST:PORT')


def _receive(kept: Path) -> None:
    global _shared  # noqa: PLW0603 - a worker process has one, given at its start
    _shared = pickle.loads(kept.read_bytes())  # noqa: S301  what the process that started this one has just written


def _call(task: Task[Result], job: Any) -> Result:
    return task(_shared, job)


def _apply(task: Task[Result], shared: Any, job: Any) -> Result:
    return task(shared, job)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for the processes that are started within; give them back after."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
