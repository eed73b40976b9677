"""A retraining in a process that is killed at a step which leaves a trace; nothing heavy is imported in the parent."""

import contextlib
import os
import shutil
import signal


def attempt(folder, how):
    """Retrain, and die: "copying" in the middle of the copy, "before" an event is written, "after" one or a step.

    Ends with exit code 0 if it came through alive, or there was nothing left to do.
    """
    from tests.unit.keep.retrain.conftest import retrain

    from assay.keep.retrain.plan import retrainings
    from assay.project.state import State
    from assay.record import journal
    from assay.record.database import Database

    with contextlib.closing(Database.of_project(folder)) as database:
        if any(one.outcome for one in retrainings(database, "demand")):
            return

    if how == "copying":
        shutil.copyfile = _dying(shutil.copyfile, after=True)
    elif how is not None:
        for name in ("append", "append_if"):
            setattr(journal, name, _dying(getattr(journal, name), after=how == "after"))
        State.save = _dying(State.save, after=True)
    retrain(folder)


def _dying(function, *, after):
    def wrapped(*arguments, **named):
        if not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped
