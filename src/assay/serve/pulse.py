"""A part says every second that it runs: one that is stopped, or that hangs with Python's lock, says nothing."""

from __future__ import annotations

import os
import threading
import time

FILE = "ASSAY_PULSE"
"""In a part's environment: the number of the pipe that it writes to."""
_SECONDS = 1.0


def begin() -> bool:
    """Whether another process watches this one, which from now on says that it runs."""
    number = os.environ.pop(FILE, None)
    if number is None:
        return False
    os.set_blocking(int(number), False)
    threading.Thread(target=_beat, args=(int(number),), daemon=True).start()
    return True


def _beat(pipe: int) -> None:
    while True:
        try:
            os.write(pipe, b".")
        except BlockingIOError:  # nobody has read for long, which changes nothing
            pass
        except OSError:  # whoever watched is gone
            return
        time.sleep(_SECONDS)
