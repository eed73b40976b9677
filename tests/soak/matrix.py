"""The crash matrix: SIGKILL at every kind of boundary, judged from outside; `python -m tests.soak.matrix --help`."""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.postgres import started
from tests.soak.end import ended
from tests.soak.judge import verdict
from tests.soak.server import HOWS
from tests.unit.serve.chain import deploy
from tests.unit.serve.small import keep, parts

from assay.chain.node import LocalNode
from assay.record import answers
from assay.record.answers import Answer
from assay.record.database import Database
from assay.settle.node import Node
from assay.settle.signer import development_key

MOST_BOUNDARIES = 7
"""Commits of a child between which it is killed: a whole answer takes about so many."""
ROOT = Path(__file__).parents[2]


class Server:
    """The fork server in a process of its own."""

    def __init__(self, url, node_url, consumer):
        command = [sys.executable, "-m", "tests.soak.server", url, node_url, consumer]
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        )

    def child(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def run(url, kills, seed, made):
    """Kill `kills` children and let one finish; what happened, and the judge's faults."""
    luck, accepted, joined, killed = random.Random(seed), {}, [], dict.fromkeys(HOWS, 0)
    database = Database(url)
    with LocalNode() as anvil:
        node, key = Node("local", 31337, (anvil.url,)), development_key()
        consumer = deploy(node, key.address)
        release = keep(database, made)
        server = Server(url, anvil.url, consumer)
        boundary = [(number, how) for number in range(MOST_BOUNDARIES) for how in HOWS]
        while sum(killed.values()) < kills:
            # Each kind in turn, so that none is left out; where, by luck.
            number, how = boundary[sum(killed.values()) % len(boundary)]
            number = number if how.endswith("commit") else luck.randint(0, 1)
            accepted |= _ask(database, release, len(accepted) + 1)
            joined += [_ask_joined(database, release, len(joined) + number) for number in range(2)]
            if server.child(f"{number} {how}") == "killed":
                killed[how] += 1
        ended = server.child("-")
        server.close()
        faults = verdict(database, node, consumer, key.address, accepted, joined=joined)
        if ended != "ended 0":
            faults.append(f"the last child {ended}")
    sqlite = database.sqlite
    database.close()
    name = "sqlite" if sqlite else "postgresql"
    return {"database": name, "kills": killed, "seed": seed, "accepted": len(accepted) + len(joined), "faults": faults}


def _ask(database, release, context):
    asked = Answer(
        "credit",
        release.digest,
        chain="local",
        owner="soak",
        request=str(context),
        state="fixed",
        settle=True,
        context=str(context),
        row=[[0.5, -0.25, None]],
    )
    one, _ = answers.receive(database, asked)
    return {one.id: context}


def _ask_joined(database, release, number):
    """A question that settles nothing, and whose proof may be of others, too."""
    asked = Answer(
        "credit",
        release.digest,
        owner="soak",
        request=f"joined {number}",
        state="fixed",
        row=[[0.5, -0.25, float(number % 7)]],
        evidence={"join": True},
    )
    return answers.receive(database, asked)[0].id


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--database", help="an empty one's address; `postgresql`: a server of its own; else SQLite")
    options.add_argument("--out", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        start = time.monotonic()
        with ExitStack() as stack:
            url = given.database or f"sqlite:///{name}/records.sqlite"
            if url == "postgresql":
                url = stack.enter_context(started(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
            found = run(url, given.kills, given.seed, parts(Path(name)))
    return ended(found, start, given.out)


if __name__ == "__main__":
    sys.exit(main())
