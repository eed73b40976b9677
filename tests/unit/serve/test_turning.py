"""The endpoint's own process: whoever holds its loop is noticed, and the same address answers again."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from assay.serve import turning
from assay.serve.turning import Turning

SERVICE = """
import os, pathlib, signal, sys, time
from assay.serve import turning, up
from assay.serve.settings import Settings

signal.signal(signal.SIGUSR1, lambda *_: time.sleep(600))  # in the loop's own thread
if "ASSAY_LISTENS" not in os.environ:
    turning.SILENT_SECONDS = 3.0
settings = Settings(pathlib.Path(sys.argv[1]), sys.argv[2], port=0)
up.up(settings, ["api"], lambda text: print(text, flush=True))
"""


@pytest.fixture
def program(tmp_path):
    place = tmp_path / "service.py"
    place.write_text(SERVICE)
    return place


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        monkeypatch.setenv(turning.NOTIFY, str(tmp_path / "notify"))
        yield heard


@pytest.mark.usefixtures("release")
def test_an_endpoint_that_hangs_is_started_again_where_it_listened(program, settings, systemd):
    command = [sys.executable, str(program), str(settings.project), settings.database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:

        def listens():
            while not (found := re.fullmatch(r"listening on (\S+)\n", process.stdout.readline())):
                pass
            return found[1]

        address = listens()
        assert systemd.recv(100) == b"READY=1\nWATCHDOG=1"
        process.send_signal(signal.SIGUSR1)
        said = next(line for line in process.stdout if "hangs" in line)
        assert re.match(r"the endpoint hangs: it has answered nothing for \d+ s; it is started again", said)
        # Whoever asks before it listens again waits.
        with urllib.request.urlopen(f"{address}/v2/health/live") as answer:  # noqa: S310  on the loopback
            assert answer.status == 200
        assert listens() == address
        process.terminate()
        assert (process.wait(), "in <lambda>" in process.stderr.read()) == (0, True)  # where it hung


def test_a_loop_that_turned_and_does_not_any_more_is_told_of_once(monkeypatch):
    monkeypatch.setattr(turning, "SILENT_SECONDS", 1.3)
    told, turns = [], Turning()
    times = iter([0.0, 0.1, 700.0, 700.2, 700.4, 700.6])
    monkeypatch.setattr(turning.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(turns, "_over", Looks(5))
    turns._turned = 1
    turns._look(told.append)
    assert told == [pytest.approx(1.4)]  # of a time in which this process did not run one second counts
    assert turns._over.left == 1


class Looks:
    """An event that is never set, for so many looks."""

    def __init__(self, left):
        self.left = left

    def wait(self, _):
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("silent", [True, False])
def test_one_that_never_turned_or_still_does_is_left_alone(monkeypatch, silent):
    told, turns = [], Turning()

    class Turns(Looks):
        def wait(self, seconds):
            turns._turned += not silent
            return super().wait(seconds)

    monkeypatch.setattr(turns, "_over", Turns(3))
    monkeypatch.setattr(turning, "SILENT_SECONDS", 1e-9)
    turns._look(told.append)
    assert told == []


def test_without_systemd_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.delenv(turning.NOTIFY, raising=False)
    turning.tell_systemd("READY=1")
    monkeypatch.setenv(turning.NOTIFY, str(tmp_path / "nobody"))
    turning.tell_systemd("READY=1")
    assert "NOTIFY_SOCKET" in os.environ
