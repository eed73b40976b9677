"""`assay up` on a real chain: questions become settled answers, whatever is killed in between."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from tests.unit.serve.chain import deploy, settled
from tests.unit.serve.small import keep, parts

from assay.chain.node import LocalNode
from assay.record import answers, transactions
from assay.record.database import Database
from assay.settle.node import Node
from assay.settle.signer import development_key

pytestmark = pytest.mark.slow

TASK = """
name = "credit"
existing = {{kind = "constant", value = 0.0}}
predict = {{target = "y", type = "binary"}}
data = {{sources = [{{name = "rows", kind = "csv", path = "rows.csv"}}]}}
protocol = {{chain = "local"}}

[chains.local]
rpc = ["{url}"]
consumer = "{consumer}"
block_seconds = 0.2
confirmations = 2
"""


class Service:
    """`assay up` on a free port, in a group of processes of its own."""

    def __init__(self, folder, *options):
        command = [sys.executable, "-m", "assay", "up", "-C", str(folder), "--port", "0", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        said = ""
        while not (found := re.search(r"listening on (http://\S+)", said)):
            line = self.process.stderr.readline()
            assert line, said
            said += line
        self.url, self.folder = found[1], folder

    def ask(self, path, body=None, request=None):
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.url + path, data)  # noqa: S310  on the loopback
        key = (self.folder / ".assay" / "admin.key").read_text().strip()
        asked.add_header("Authorization", f"Bearer {key}")
        asked.add_header("Content-Type", "application/json")
        if request:
            asked.add_header("Idempotency-Key", request)
        with urllib.request.urlopen(asked, timeout=90) as answer:  # noqa: S310
            return json.load(answer)

    def kill(self):
        """All of it at once, as when a machine loses its power."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process.stderr.close()
        return code


@pytest.fixture
def place(tmp_path):
    """A project whose release is made, and a chain with its consumer."""
    with LocalNode() as anvil:
        node = Node("local", 31337, (anvil.url,))
        consumer = deploy(node, development_key().address)
        (tmp_path / "task.toml").write_text(TASK.format(url=anvil.url, consumer=consumer))
        database = Database.of_project(tmp_path)
        keep(database, parts(tmp_path))
        node.ask("evm_setIntervalMining", 1)
        yield tmp_path, node, consumer, database
        database.close()


def test_every_question_is_settled_once_however_often_all_of_it_is_killed(place):
    folder, node, consumer, database = place
    luck, asked = random.Random(5), {}
    for kill in range(3):
        service = Service(folder)
        for number in range(2):
            name = f"{kill}-{number}"
            body = {"inputs": [[0.5, -0.25, None]], "settle": True, "context": len(asked) + 1}
            asked[name] = service.ask("/v2/models/credit/proofs", body, name)["id"]
        time.sleep(luck.uniform(0.2, 4.0))
        service.kill()
    service = Service(folder)
    while len(settled(node, consumer)) < len(asked) or any(
        not answers.get(database, one).ended for one in asked.values()
    ):
        time.sleep(0.2)
    said = service.ask(f"/v1/answers/{asked['0-0']}")
    assert (said["state"], said["settlement"]["state"]) == ("settled", "final")
    assert service.end() == 0
    assert {answers.get(database, one).state for one in asked.values()} == {"settled"}
    assert sorted(context for context, _ in settled(node, consumer)) == list(range(1, len(asked) + 1))
    sent = transactions.find(database, "local")
    assert [one.nonce for one in sent] == list(range(len(asked)))
    assert node.count(development_key().address) == len(asked)
