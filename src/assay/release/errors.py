"""What a release can be refused for.

::

    AssayError
    └── ReleaseError                    release
        ├── NothingToRelease            release/nothing
        ├── NotGoodEnough               release/not-good-enough
        ├── StepStale                   release/stale
        ├── PrivatePartAbsent           release/private-part-absent
        ├── ReleaseAltered              release/altered
        ├── NoChampion                  release/no-champion
        ├── NoWayBack                   release/no-way-back
        └── WrongPassphrase             release/passphrase
"""

from __future__ import annotations

from assay.core.errors import AssayError


class ReleaseError(AssayError):
    """Base of everything this room raises."""

    code = "release"


class NothingToRelease(ReleaseError):
    """The project has no decision, or the decision chose no model."""

    code = "release/nothing"


class NotGoodEnough(ReleaseError):
    """No candidate met every limit; a release of one needs a reason that is kept."""

    code = "release/not-good-enough"


class StepStale(ReleaseError):
    """What the release would be made from has changed since the decision."""

    code = "release/stale"


class PrivatePartAbsent(ReleaseError):
    """The release's private part is not held here."""

    code = "release/private-part-absent"


class ReleaseAltered(ReleaseError):
    """A part does not have the digest that the release gives it."""

    code = "release/altered"


class NoChampion(ReleaseError):
    """No release decides."""

    code = "release/no-champion"


class NoWayBack(ReleaseError):
    """No release decided before the one that decides now."""

    code = "release/no-way-back"


class WrongPassphrase(ReleaseError):
    """The private part cannot be opened with this passphrase, or it was altered."""

    code = "release/passphrase"
