"""A process that is killed at a step which leaves a trace, and what came of it."""

import os
import signal

from assay.record import journal, transactions
from assay.settle.node import Node


def forked(action, point):
    """Do it in a process of its own; whether that was killed at the point (None: nowhere)."""
    child = os.fork()
    if child == 0:
        try:
            if point is not None:
                _kill_at(point)
            action()
            os._exit(0)
        finally:
            os._exit(7)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or os.WEXITSTATUS(status) == 0
    return killed


def _kill_at(point):
    """Die instead of the point-th (from 0) step of this process that leaves a trace, or right after the broadcast."""
    seen = {"count": 0}

    def counted(function, *, after=False):
        def wrapped(*arguments, **named):
            if not after and seen["count"] == point:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*arguments, **named)
            if after and seen["count"] == point:
                os.kill(os.getpid(), signal.SIGKILL)
            seen["count"] += 1
            return result

        return wrapped

    transactions.keep_in = counted(transactions.keep_in, after=True)
    transactions.move_in = counted(transactions.move_in)
    journal._follow = counted(journal._follow)  # each way to append comes to it
    Node.broadcast = counted(Node.broadcast, after=True)
