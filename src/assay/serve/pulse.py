"""A part says every second that it runs: one that is stopped, or that hangs with Python's lock, says nothing."""

from __future__ import annotations

import os
import threading
import time

FILE = "ASSAY_PULSE"
"""In a part's environment: the number of the pipe that it writes to."""
_SECONDS = 1.0
_gone = threading.Event()


def begin() -> bool:
    """Whether another process watches this one, which from now on says that it runs."""
    number = os.environ.pop(FILE, None)
    if number is None:
        return False
    os.set_blocking(int(number), False)
    threading.Thread(target=_beat, args=(int(number),), daemon=True).start()
    return True


def is_lost() -> bool:
    """Whether another process watched this one and is gone, perhaps before this one had begun."""
    return _gone.is_set()


def _beat(pipe: int) -> None:
    while True:
        try:
            os.write(pipe, b".")
        except BlockingIOError:  # nobody has read for long, which changes nothing
            pass
        except OSError:
            _gone.set()
            return
        time.sleep(_SECONDS)
