"""What a rehearsal can be refused for.

::

    AssayError
    └── RehearsalError                  rehearse
        ├── NothingToReplay             rehearse/nothing-to-replay
        └── ServiceEnded                rehearse/service-ended
"""

from __future__ import annotations

from assay.core.errors import AssayError


class RehearsalError(AssayError):
    """Base of everything this room raises."""

    code = "rehearse"


class NothingToReplay(RehearsalError):
    """The release's dataset is not held here, or has too few rows."""

    code = "rehearse/nothing-to-replay"


class ServiceEnded(RehearsalError):
    """The service that is rehearsed ended by itself."""

    code = "rehearse/service-ended"
