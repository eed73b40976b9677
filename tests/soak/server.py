"""A fork server: each child proves and settles until it is killed at a boundary, or all has ended.

It reads a line a child from standard input, `KILL_AT HOW` or `-`, and says how the child ended. Nothing of the native
core runs before the fork: its threads do not pass one.
"""

import os
import signal
import sys
from contextlib import contextmanager

import eth_account  # noqa: F401  half a second of each child's otherwise
from sqlalchemy import create_engine
from tests.unit.serve.chain import settler

from assay.record import answers, claims
from assay.record.database import Database, read_url
from assay.serve.work import Worker
from assay.settle.node import Node
from assay.settle.signer import development_key

_TURNS = 4000


class Plan:
    """Die at the n-th boundary: `before` or `after` a commit, `before` or `after` a broadcast."""

    def __init__(self, number, how):
        self.number, self.how, self.seen = number, how, 0

    def reach(self, how):
        if how == self.how:
            self.seen += 1
            if self.seen > self.number:
                os.kill(os.getpid(), signal.SIGKILL)

    def install(self):
        begin, broadcast = Database.begin, Node.broadcast

        @contextmanager
        def dying(database):
            with begin(database) as connection:
                yield connection
                self.reach("before-commit")
            self.reach("after-commit")

        def sending(node, raw):
            self.reach("before-send")
            broadcast(node, raw)
            self.reach("after-send")

        Database.begin, Node.broadcast = dying, sending


HOWS = ("before-commit", "after-commit", "before-send", "after-send")


def work(url, node_url, consumer):
    database = Database(url)
    worker = Worker(database)
    claims.free_gone(database)
    loop = settler(database, node_url, development_key(), consumer, name=None, confirmations=2)
    for _ in range(_TURNS):
        worker.step()
        loop.step()
        if not answers.count(database, ("received", "fixed", "proven", "settling")):
            os._exit(0)
        loop.on.node.ask("anvil_mine", "0x1")
    os._exit(3)


def main(url, node_url, consumer):
    create_engine(read_url(url))  # reads the driver, which no child need do again; it connects to nothing
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                if line.strip() != "-":
                    number, how = line.split()
                    Plan(int(number), how).install()
                work(url, node_url, consumer)
            finally:
                os._exit(4)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stdout.write("killed\n" if killed else f"ended {os.WEXITSTATUS(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
