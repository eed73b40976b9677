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

from assay.record import answers, holder
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

    def watch(*some):
        children.extend(some)
        threads.append(threading.Thread(target=up._watch, args=(some, stop, said.append)))
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
    said = watched(child)
    first = ask(client)
    until(lambda: answers.get(database, first).ended)
    stopped = child.process.pid
    os.kill(stopped, signal.SIGSTOP)
    second, third = ask(client), ask(client)
    [held] = answers.claim(database, ["fixed"], holder._name(stopped), 120)
    assert held.id == second
    monkeypatch.setattr(up, "SILENT_SECONDS", 2.0)
    until(lambda: said)
    monkeypatch.undo()  # the next one needs longer until it is heard
    until(lambda: all(answers.get(database, name).ended for name in (second, third)))
    assert child.process.pid != stopped
    assert "work hangs, or is stopped: nothing was heard of it for" in said[0]
    assert said[1] == f"the part work ended with {-signal.SIGKILL}; it is started again in 0.4 s"
    found = answers.get(database, second)
    assert (found.state, found.evidence["lost"], found.error) == ("answered", {"fixed": 1}, None)


def test_one_that_cannot_be_started_keeps_no_other_from_it(watched):
    said = watched(
        Child("nothing", ["/nonexistent"], {}), lives := Child("lives", [sys.executable, "-c", "input()"], os.environ)
    )
    until(lambda: lives.process is not None and said)
    assert said[0] == "the part nothing cannot be started (No such file or directory); it is tried again"


def test_all_that_hang_at_the_end_are_given_the_same_time(watched, monkeypatch):
    monkeypatch.setattr(up, "_GRACE_SECONDS", 1.0)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    children = [Child(str(number), [sys.executable, "-c", deaf], os.environ) for number in range(3)]
    for child in children:
        child.look(pytest.fail)
    time.sleep(0.5)  # until they are deaf; one that is not yet ends sooner
    began = time.monotonic()
    up._end(children)
    assert time.monotonic() - began < 2.5
    assert all(child.process.returncode is not None for child in children)


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
