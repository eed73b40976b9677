"""The service's processes: one that is stopped, ends or cannot be started is noticed, said and replaced."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from assay.record import answers, claims, holder
from assay.record.database import Database
from assay.serve import up
from assay.serve.errors import CannotListen
from assay.serve.up import Child

PROOFS = "/v2/models/credit/proofs"
TASK = """
schema = "assay-task/1"
name = "credit"
[existing]
kind = "constant"
value = 0.0
[predict]
target = "y"
type = "binary"
[[data.sources]]
name = "rows"
kind = "csv"
path = "rows.csv"
"""


@pytest.fixture
def project(settings):
    (settings.project / "task.toml").write_text(TASK)
    return replace(settings, database=Database.of_project(settings.project, settings.database).address)


@pytest.fixture
def watched():
    """Processes that are looked after until the test ends, and what was said of them."""
    stop, said, threads, children = threading.Event(), [], [], []

    def watch(*some, told=lambda _: None):
        def hears(text):
            told(text)
            said.append(text)

        children.extend(some)
        threads.append(threading.Thread(target=up._watch, args=(some, stop, hears)))
        threads[-1].start()
        return said

    yield watch
    stop.set()
    for thread in threads:
        thread.join()
    up._end(children)


def until(condition):
    while not condition():
        time.sleep(0.02)


def ask(client):
    return client.post(PROOFS, json={"inputs": [[0.5, 1.0, 2.0]]}).json()["id"]


def test_a_prover_that_is_stopped_is_replaced_and_what_it_had_is_proven(
    project, client, database, watched, monkeypatch
):
    child = up._child(project, "work")
    said = watched(child, told=lambda _: monkeypatch.undo())  # the next one needs longer until it is heard
    first = ask(client)
    until(lambda: answers.get(database, first).ended)
    stopped = child.process.pid
    os.kill(stopped, signal.SIGSTOP)
    second, third = ask(client), ask(client)
    [held] = claims.claim(database, ["fixed"], holder._name(stopped), 120)
    assert held.id == second
    monkeypatch.setattr(up, "SILENT_SECONDS", 2.0)
    until(lambda: all(answers.get(database, name).ended for name in (second, third)))
    assert child.process.pid != stopped
    assert "work hangs, or is stopped: nothing was heard of it for" in said[0]
    assert said[1].startswith(f"the part work ended with {-signal.SIGKILL}; it is started again in 0.")
    found = answers.get(database, second)
    assert (found.state, found.evidence["lost"], found.error) == ("answered", {"fixed": 1}, None)


def test_one_that_cannot_be_started_keeps_no_other_from_it(watched):
    said = watched(
        Child("nothing", ["/nonexistent"], {}), lives := Child("lives", [sys.executable, "-c", "input()"], os.environ)
    )
    until(lambda: lives.process is not None and said)
    assert said[0] == "the part nothing cannot be started (No such file or directory); it is tried again"


def test_where_the_records_are_gone_no_part_makes_empty_ones(project, database, watched, tmp_path):
    path = tmp_path / "records.sqlite"
    path.rename(tmp_path / "away")
    said = watched(child := up._child(project, "work", database.require_file))
    until(lambda: said)
    assert (child.process, path.exists()) == (None, False)
    assert "the part work is not started: [record/damaged] the file of" in said[0]
    (tmp_path / "away").rename(path)


KILLED = """
import os, pathlib, signal, sys
from assay.serve import up
from assay.serve.settings import Settings

child = up._child(Settings(pathlib.Path(sys.argv[1]), sys.argv[2]), "work")
child.look(print)
print(child.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_part_whose_service_is_killed_before_it_has_begun_ends(project):
    """It looked who had started it when that one was gone already, and went on for ever."""
    command = [sys.executable, "-c", KILLED, str(project.project), project.database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        part = int(service.stdout.readline())
        assert service.wait() == -signal.SIGKILL
        until(lambda: not holder._started(part))


def test_all_that_hang_at_the_end_are_given_the_same_time(monkeypatch, tmp_path):
    monkeypatch.setattr(up, "_GRACE_SECONDS", 0.5)
    deaf = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(sys.argv[1], 'w')"
    command = [sys.executable, "-W", "ignore", "-c", f"{deaf}; time.sleep(600)"]
    children = [Child(name, [*command, str(tmp_path / name)], os.environ) for name in "abc"]
    for child in children:
        child.look(pytest.fail)
    until(lambda: len(list(tmp_path.iterdir())) == 3)
    given, end = [], Child.end
    monkeypatch.setattr(Child, "end", lambda child, at: (given.append(at), end(child, at)))
    up._end(children)
    assert (len(given), len(set(given))) == (3, 1)
    assert [child.process.returncode for child in children] == [-signal.SIGKILL] * 3


def test_an_address_that_is_taken_is_said_before_anything_is_started(settings):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"cannot listen on 127.0.0.1:{port} .*in use"):
            up.up(replace(settings, port=port), ["api", "work"], pytest.fail)
    for host in ("192.0.2.1", "no-such-host.invalid"):
        with pytest.raises(CannotListen, match="cannot listen on"):
            up.listening(host, 0)
    for one in up.listening("localhost", 0):
        one.close()


def test_a_part_alone_goes_on_without_the_script_that_started_it_and_ends_when_it_is_told(project, client, database):
    command = f"{sys.executable} -m assay up -C {project.project} --only work >/dev/null 2>&1 & echo $!"
    environment = os.environ | {"ASSAY_DATABASE": project.database}
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=True)
    name = ask(client)
    until(lambda: answers.get(database, name).ended)
    os.kill(int(done.stdout), signal.SIGTERM)
    until(lambda: not holder._started(int(done.stdout)))


def test_a_part_alone_that_cannot_be_started_says_why_once(project):
    command = [sys.executable, "-m", "assay", "up", "-C", str(project.project), "--only", "outputs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("error[serve/no-outputs]") == 1
