"""Where jobs run does not show in what they return.

Jobs here are functions that a new process can import, so those of the standard library and of Assay.
"""

import operator
import os
import signal
import subprocess
import sys

import pytest

from assay.core.errors import NotFound, WorkersFailed
from assay.core.workers import workers
from assay.models.families import history


def test_here():
    with workers(10) as crew:
        assert list(crew.run(operator.add, [1, 2, 3])) == [(0, 11), (1, 12), (2, 13)]


def test_in_processes_with_one_thread_each(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with workers("OMP_NUM_THREADS", count=2) as crew:
        assert dict(crew.run(os.getenv, [None, None])) == {0: "1", 1: "1"}
    assert os.environ["OMP_NUM_THREADS"] == "7"
    with workers(10, count=2) as crew:
        assert dict(crew.run(operator.add, [1, 2, 3])) == {0: 11, 1: 12, 2: 13}


def test_an_error_arrives_as_it_was_raised(tmp_path):
    with workers(tmp_path / "absent", count=2) as crew, pytest.raises(NotFound, match="absent") as caught:
        list(crew.run(history.load, [{"decay"}, {"level"}]))
    assert (caught.value.code, caught.value.todo) == ("io/not-found", "Check the path.")


def killed(crew):
    """An alarm that nobody handles ends a process."""
    return list(crew.run(signal.setitimer, [1e-3] * 20)) + list(crew.run(operator.is_, [1] * 10_000))


def test_a_process_that_ends_by_itself():
    with workers(signal.ITIMER_REAL, count=2) as crew, pytest.raises(WorkersFailed, match="ended by itself") as caught:
        killed(crew)
    assert caught.value.retry


def test_workers_of_a_program_without_a_guard_end_at_once_however_much_they_share():
    """More than a pipe holds: who writes into one that nobody reads waits for ever."""
    program = "import operator; from assay.core.workers import workers\n"
    program += "with workers(bytes(10**7), count=2) as crew: list(crew.run(operator.getitem, [0]))"
    # A program from standard input has no file that another process could import.
    done = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, check=False)
    assert "guard the program's entry" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nowhere"])
def test_a_cluster_that_is_not_there(address):
    with pytest.raises(WorkersFailed, match="cannot be reached"), workers({}, ray=address):
        pass
